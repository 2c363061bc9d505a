"""Everything that is known about each finding, for programs.

``version`` is the version of this layout: it changes when a key is removed or changes its
meaning, not when one is added. Keys keep their order.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from numlint import __version__
from numlint.finding import Finding, Problem, Rewrite, Span
from numlint.report import Report
from numlint.rule import Rule

name = "json"

VERSION = 1


def render(report: Report, rules: Sequence[Rule], *, color: bool, width: int) -> str:
    """One JSON object, indented; ASCII only, so that no encoding can spoil it."""
    document = {
        "version": VERSION,
        "numlint": __version__,
        "findings": [_finding(finding) for finding in report.findings],
        "problems": [_problem(problem) for problem in report.problems],
        "summary": {
            "findings": len(report.findings),
            "problems": len(report.problems),
            "files": report.files,
            "skipped": report.skipped,
            "suppressed": report.suppressed,
        },
    }
    return json.dumps(document, indent=2) + "\n"


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "path": finding.path,
        **_span(finding.span),
        "rule": finding.rule,
        "code": finding.code,
        "function": finding.function,
        "message": finding.message,
        "confidence": finding.confidence.label,
        "severity": finding.severity.value,
        "signature": finding.signature,
        "framework": finding.framework,
        "threshold": finding.threshold,
        "origin": [{**_span(step.span), "text": step.text} for step in finding.origin],
        "rewrite": _rewrite(finding.rewrite) if finding.rewrite else None,
        "fingerprint": finding.fingerprint,
        **({"verdict": finding.verdict} if finding.verdict is not None else {}),
    }


def _rewrite(rewrite: Rewrite) -> dict[str, Any]:
    return {
        "summary": rewrite.summary,
        "safety": rewrite.safety.value,
        "reason": rewrite.reason,
        "edits": [{**_span(edit.span), "text": edit.text} for edit in rewrite.edits],
        "imports": list(rewrite.imports),
    }


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "path": problem.path,
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "hint": problem.hint,
    }


def _span(span: Span) -> dict[str, int]:
    return {"line": span.line, "column": span.column, "end_line": span.end_line, "end_column": span.end_column}
