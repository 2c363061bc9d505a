"""One line for each finding, for editors, grep and diffs."""

from __future__ import annotations

from collections.abc import Sequence

from numlint.report import Report
from numlint.report._printable import one_line, printable
from numlint.rule import Rule

name = "concise"

_BOLD, _RED, _RESET = "\033[1m", "\033[31m", "\033[0m"


def render(report: Report, rules: Sequence[Rule], *, color: bool, width: int) -> str:
    """``path:line:column: CODE name message``; what could not be checked comes last."""
    bold, red, reset = (_BOLD, _RED, _RESET) if color else ("", "", "")
    lines = [
        f"{bold}{printable(finding.path)}{reset}:{finding.span.line}:{finding.span.column}: "
        f"{red}{finding.code}{reset} {finding.rule} {one_line(finding.message)}"
        for finding in report.findings
    ]
    for problem in report.problems:
        place = f":{problem.line}:{problem.column or 1}" if problem.line else ""
        hint = f" ({one_line(problem.hint)})" if problem.hint else ""
        lines.append(
            f"{bold}{printable(problem.path)}{reset}{place}: {red}not checked{reset} {one_line(problem.message)}{hint}"
        )
    return "".join(f"{line}\n" for line in lines)
