"""How often each rule fired, and how often `--fix` can help."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from numlint.finding import Finding, Safety
from numlint.report import Report
from numlint.rule import Rule

name = "statistics"

_SAFE, _UNSAFE, _NONE = "[*]", "[-]", "[ ]"
_LEGEND = {_SAFE: "fixable with --fix", _UNSAFE: "fixable with --unsafe-fixes"}


def render(report: Report, rules: Sequence[Rule], *, color: bool, width: int) -> str:
    """A line for each rule: count, code, mark, name; the most frequent first."""
    found: dict[tuple[str, str], list[Finding]] = {}
    for finding in report.findings:
        found.setdefault((finding.code, finding.rule), []).append(finding)
    counts = Counter({key: len(findings) for key, findings in found.items()})
    marks = {key: _mark(findings) for key, findings in found.items()}
    digits = max((len(str(count)) for count in counts.values()), default=0)
    letters = max((len(code) for code, _ in counts), default=0)
    bold, dim, reset = ("\033[1m", "\033[2m", "\033[0m") if color else ("", "", "")
    lines = [
        f"{bold}{counts[key]:>{digits}}{reset}  {key[0]:<{letters}}  {marks[key]} {key[1]}"
        for key in sorted(counts, key=lambda key: (-counts[key], key))
    ]
    legend = [f"{mark} {text}" for mark, text in _LEGEND.items() if mark in marks.values()]
    if legend:
        lines.append(f"{dim}{', '.join(legend)}{reset}")
    if report.problems:
        lines.append(f"{len(report.problems)} could not be checked")
    return "".join(f"{line}\n" for line in lines)


def _mark(findings: Sequence[Finding]) -> str:
    """Whether at least one of the findings can be fixed."""
    safeties = {finding.rewrite.safety for finding in findings if finding.rewrite and finding.rewrite.edits}
    return _SAFE if Safety.SAFE in safeties else _UNSAFE if Safety.UNSAFE in safeties else _NONE
