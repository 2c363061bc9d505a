"""SARIF 2.1.0, the OASIS format for the results of static analysis.

A rule's page is its help text. The path that the dangerous value took is a code flow, and
the same places are related locations, for viewers that do not show flows. A fix is
complete in itself: it holds the import that its text needs. What could not be checked is
a notification of the invocation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from numlint import __version__
from numlint.evidence import sentence, status
from numlint.finding import Finding, Problem, Safety, Span
from numlint.fix import Fitter
from numlint.report import Report
from numlint.rule import Rule

name = "sarif"

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_FINGERPRINT = "numlint/v1"


def render(report: Report, rules: Sequence[Rule], *, color: bool, width: int) -> str:
    """A SARIF log of one run."""
    return json.dumps(log(report.findings, report.problems, rules, report.sources), indent=2) + "\n"


def log(
    findings: Sequence[Finding], problems: Sequence[Problem], rules: Sequence[Rule], sources: Mapping[str, str]
) -> dict[str, Any]:
    """A SARIF log of one run, as plain data; its results are those of the findings, in their order."""
    descriptors = {rule.code: _descriptor(rule) for rule in rules}
    for finding in findings:
        # Findings about suppression comments and the like come from no rule of a pack.
        descriptors.setdefault(finding.code, {"id": finding.code, "name": finding.rule})
    indices = {code: index for index, code in enumerate(descriptors)}
    fitters: dict[str, Fitter] = {}
    run = {
        "tool": {
            "driver": {
                "name": "numlint",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": list(descriptors.values()),
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not problems,
                "toolExecutionNotifications": [_notification(problem) for problem in problems],
            }
        ],
        "results": [
            _result(finding, indices[finding.code], _fitter(fitters, finding, sources)) for finding in findings
        ],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def with_verdict(result: dict[str, Any], verdict: Mapping[str, Any]) -> None:
    """Add to a result what running the code showed: in words to the message, whole to the properties."""
    said = sentence(verdict)
    result["message"]["text"] += f"\n{status(verdict)}: {said}" if said else f"\n{status(verdict)}"
    result["properties"]["verdict"] = dict(verdict)


def _descriptor(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.page},
        "help": {"text": rule.page, "markdown": rule.page},
        "defaultConfiguration": {"level": rule.severity.value},
        "properties": {
            "tags": list(dict.fromkeys(filter(None, (rule.family, rule.signature)))),
            "problem.severity": "recommendation" if rule.severity.value == "note" else rule.severity.value,
        },
    }


def _fitter(fitters: dict[str, Fitter], finding: Finding, sources: Mapping[str, str]) -> Fitter | None:
    if finding.path not in fitters and finding.path in sources:
        fitters[finding.path] = Fitter(sources[finding.path])
    return fitters.get(finding.path)


def _result(finding: Finding, index: int, fitter: Fitter | None) -> dict[str, Any]:
    text = f"{finding.message}\n{finding.threshold}" if finding.threshold else finding.message
    location = _location(finding.path, finding.span)
    if finding.function:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.function, "kind": "function"}]
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "kind": "fail",
        "level": finding.severity.value,
        "message": {"text": text},
        "locations": [location],
    }
    if finding.fingerprint:
        result["partialFingerprints"] = {_FINGERPRINT: finding.fingerprint}
    steps = [_location(finding.path, step.span, step.text) for step in finding.origin]
    if steps:
        flow = [*steps, _location(finding.path, finding.span, finding.message)]
        result["codeFlows"] = [{"threadFlows": [{"locations": [{"location": step} for step in flow]}]}]
        result["relatedLocations"] = [{"id": number, **step} for number, step in enumerate(steps, start=1)]
    if fixes := _fixes(finding, fitter):
        result["fixes"] = fixes
    result["properties"] = {
        "confidence": finding.confidence.label,
        "signature": finding.signature,
        "framework": finding.framework,
        "threshold": finding.threshold,
    }
    if finding.verdict is not None:
        with_verdict(result, finding.verdict)
    return result


def _fixes(finding: Finding, fitter: Fitter | None) -> list[dict[str, Any]]:
    rewrite = finding.rewrite
    if rewrite is None or rewrite.safety is Safety.DISPLAY or fitter is None:
        return []
    fitted = fitter.fit(rewrite)
    if fitted.obstacle:
        return []
    text = rewrite.summary if rewrite.safety is Safety.SAFE else f"{rewrite.summary} (unsafe: {rewrite.reason})"
    replacements = [
        {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}}
        for edit in fitter.complete(fitted)
    ]
    change = {"artifactLocation": _artifact(finding.path), "replacements": replacements}
    return [{"description": {"text": text}, "artifactChanges": [change]}]


def _notification(problem: Problem) -> dict[str, Any]:
    text = f"{problem.message}\n{problem.hint}" if problem.hint else problem.message
    place: dict[str, Any] = {"artifactLocation": _artifact(problem.path)}
    if problem.line:
        place["region"] = {"startLine": problem.line, "startColumn": max(problem.column, 1)}
    return {"level": "error", "message": {"text": text}, "locations": [{"physicalLocation": place}]}


def _location(path: str, span: Span, text: str = "") -> dict[str, Any]:
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": _artifact(path), "region": _region(span)},
    }
    if text:
        location["message"] = {"text": text}
    return location


def _artifact(path: str) -> dict[str, Any]:
    pure = PurePath(path)
    if pure.is_absolute():
        return {"uri": pure.as_uri()}
    return {"uri": quote(pure.as_posix(), errors="surrogateescape"), "uriBaseId": "%SRCROOT%"}


def _region(span: Span) -> dict[str, int]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
