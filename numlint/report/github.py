"""Workflow commands that GitHub shows as annotations of the changed lines."""

from __future__ import annotations

from collections.abc import Sequence

from numlint.evidence import sentence
from numlint.finding import Finding, Problem, Severity, Span
from numlint.report import Report
from numlint.report._printable import printable
from numlint.rule import Rule

name = "github"

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(report: Report, rules: Sequence[Rule], *, color: bool, width: int) -> str:
    """One command for each finding, and one for each problem."""
    commands = [*map(_finding, report.findings), *map(not_checked, report.problems)]
    return "".join(f"{command}\n" for command in commands)


def _finding(finding: Finding) -> str:
    proved = sentence(finding.verdict) if finding.verdict is not None else ""
    message = "\n".join(filter(None, (finding.message, finding.threshold, proved)))
    title = f"{finding.code} {finding.rule} [{finding.confidence.label}]"
    return annotation(_COMMANDS[finding.severity], finding.path, finding.span, title, message)


def annotation(command: str, path: str, span: Span, title: str, message: str) -> str:
    """The command for an annotation of a region."""
    where: dict[str, object] = {"file": printable(path), "line": span.line}
    # GitHub refuses columns on an annotation of several lines.
    if span.line == span.end_line:
        where |= {"col": span.column, "endLine": span.end_line, "endColumn": span.end_column}
    else:
        where |= {"endLine": span.end_line}
    return _command(command, {**where, "title": title}, message)


def not_checked(problem: Problem) -> str:
    """The command for what could not be checked."""
    where: dict[str, object] = {"file": printable(problem.path)}
    if problem.line:
        where |= {"line": problem.line, "col": problem.column or 1}
    message = problem.message if not problem.hint else f"{problem.message}\n{problem.hint}"
    return _command("error", {**where, "title": "numlint: not checked"}, message)


def _command(command: str, properties: dict[str, object], message: str) -> str:
    listed = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"::{command} {listed}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
