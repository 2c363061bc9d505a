"""Workflow commands that GitHub shows as annotations: confirmed findings as errors, the rest as notices."""

from __future__ import annotations

from collections.abc import Sequence

from numlint import evidence as words
from numlint.confirm.confirmation import Confirmation, Confirmed
from numlint.finding import Severity
from numlint.report.github import annotation, not_checked
from numlint.rule import Rule

name = "github"


def render(confirmation: Confirmation, rules: Sequence[Rule], *, color: bool, width: int, detail: int) -> str:
    """One command for each verdict, and one for each problem."""
    commands = [_verdict(result) for result in confirmation.results if detail or result.is_sure]
    commands += map(not_checked, confirmation.problems)
    return "".join(f"{command}\n" for command in commands)


def _verdict(result: Confirmed) -> str:
    finding, verdict = result.case.finding, result.verdict.to_json()
    command = "notice"
    if result.is_sure:
        command = "error" if finding.severity is Severity.ERROR else "warning"
    title = f"{finding.code} {finding.rule} [{words.status(verdict)}]"
    return annotation(
        command, finding.path, finding.span, title, f"{finding.message}\n{words.sentence(verdict)}".strip()
    )
