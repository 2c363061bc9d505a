"""Everything that is known about each verdict, for programs; the same document as the verdict file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from numlint.confirm.confirmation import Confirmation
from numlint.confirm.verdicts import digest, document
from numlint.rule import Rule

name = "json"


def render(confirmation: Confirmation, rules: Sequence[Rule], *, color: bool, width: int, detail: int) -> str:
    """One JSON object, indented; a verdict holds the digest of the function that it is about."""
    return document(
        _verdicts(confirmation),
        problems=[
            {"path": item.path, "line": item.line, "column": item.column, "message": item.message, "hint": item.hint}
            for item in confirmation.problems
        ],
        python=confirmation.python,
        seconds=confirmation.seconds,
        left=confirmation.left,
    )


def _verdicts(confirmation: Confirmation) -> Iterator[tuple[Mapping[str, Any], str]]:
    for result in confirmation.results:
        finding = result.case.finding
        said = {
            **result.verdict.to_json(),
            "end_line": finding.span.end_line,
            "end_column": finding.span.end_column,
            "message": finding.message,
            "confidence": finding.confidence.label,
            "severity": finding.severity.value,
            "signature": finding.signature,
            "framework": finding.framework,
        }
        yield said, digest(finding, confirmation.sources.get(finding.path, ""))
