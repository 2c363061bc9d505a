"""One line for each finding, for editors, grep and diffs."""

from __future__ import annotations

from collections.abc import Sequence

from numlint.report import Report
from numlint.rule import Rule

name = "concise"

_BOLD, _RED, _RESET = "\033[1m", "\033[31m", "\033[0m"


def render(report: Report, rules: Sequence[Rule], *, color: bool, width: int) -> str:
    """``path:line:column: CODE name message``; what could not be checked comes last."""
    bold, red, reset = (_BOLD, _RED, _RESET) if color else ("", "", "")
    lines = [
        f"{bold}{finding.path}{reset}:{finding.span.line}:{finding.span.column}: "
        f"{red}{finding.code}{reset} {finding.rule} {_one_line(finding.message)}"
        for finding in report.findings
    ]
    for problem in report.problems:
        place = f":{problem.line}:{problem.column or 1}" if problem.line else ""
        hint = f" ({_one_line(problem.hint)})" if problem.hint else ""
        lines.append(
            f"{bold}{problem.path}{reset}{place}: {red}not checked{reset} {_one_line(problem.message)}{hint}"
        )
    return "".join(f"{line}\n" for line in lines)


def _one_line(text: str) -> str:
    return " ".join(text.split())
