"""For people: each finding with its source, its reason and its cure.

Everything is laid out in plain characters, so that a report can be pasted into an issue
or a commit message; colour only repeats what the words say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from numlint.evidence import sentence, status
from numlint.finding import Finding, Problem, Rewrite, Safety, Severity, Span, Step
from numlint.fix import Fitted, Fitter
from numlint.report import Report
from numlint.report._drawing import count, drawn
from numlint.report._frame import Row, cut, frame, wrapped
from numlint.report._patch import changes
from numlint.report._printable import one_line, printable
from numlint.rule import Rule

name = "full"

_SEVERITY = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "bold blue"}
_INDENT = "  "
_HEADING = len("what to do: ")
# Longer lines are tiring to read, however wide the terminal is.
_MEASURE = 100


def render(report: Report, rules: Sequence[Rule], *, color: bool, width: int) -> str:
    """Findings, then problems, then where to read on and a summary."""
    width = max(width, 40)
    fitters = {path: Fitter(text) for path, text in report.sources.items()}
    fits = [_fitted(finding, fitters.get(finding.path)) for finding in report.findings]
    blocks = [
        _finding(finding, fitters.get(finding.path), fitted, width)
        for finding, fitted in zip(report.findings, fits, strict=True)
    ]
    blocks += [_problem(problem, fitters.get(problem.path), width) for problem in report.problems]
    blocks.append([*_hint(report.findings, {rule.name for rule in rules}), *_summary(report, fits)])
    return drawn(blocks, color)


def _fitted(finding: Finding, fitter: Fitter | None) -> Fitted:
    """The rewrite as it would be applied; as the rule wrote it when the source is not at hand."""
    if finding.rewrite is None or not finding.rewrite.edits:
        return Fitted()
    return fitter.fit(finding.rewrite) if fitter else Fitted(finding.rewrite.edits)


def _finding(finding: Finding, fitter: Fitter | None, fitted: Fitted, width: int) -> list[Row]:
    span, severity = finding.span, _SEVERITY[finding.severity]
    heading: Row = [
        (printable(finding.path), "path"),
        (f":{span.line}:{span.column}", "place"),
        (f" {finding.code}", severity),
        (f" {finding.rule}", "name"),
        (f"  [{finding.severity.value}, {finding.confidence.label}]", "quiet"),
    ]
    if finding.function:
        heading.append((f" in {printable(finding.function)}", "quiet"))
    framed = _framed(fitter, span, finding.origin, severity, width) if fitter else []
    rows = [heading, *(framed or [[]])]
    rows += _paragraph("", finding.message, width)
    if finding.threshold:
        rows += _paragraph("threshold:", finding.threshold, width)
    if finding.verdict is not None:
        rows += _paragraph("run:", f"{status(finding.verdict)}: {sentence(finding.verdict)}", width, "caution")
    if finding.rewrite is not None:
        rows += _cure(finding.rewrite, fitter, fitted, width)
    return rows


def _cure(rewrite: Rewrite, fitter: Fitter | None, fitted: Fitted, width: int) -> list[Row]:
    text, style = _application(rewrite, fitted.obstacle)
    rows = [*_paragraph("cure:", rewrite.summary, width), *_paragraph(" ", text, width, style)]
    return [*rows, [], *_diff(fitter, fitted, width)] if fitter is not None and fitted.edits else rows


def _application(rewrite: Rewrite, obstacle: str) -> tuple[str, str]:
    """Whether `--fix` applies a rewrite, and why not."""
    reason = one_line(rewrite.reason)
    if rewrite.edits and rewrite.safety is not Safety.DISPLAY and obstacle:
        return f"not applied by --fix: {obstacle}", "caution"
    if rewrite.edits and rewrite.safety is Safety.SAFE:
        return "applied by --fix", "good"
    if rewrite.edits and rewrite.safety is Safety.UNSAFE:
        return f"only with --unsafe-fixes: {reason}" if reason else "only with --unsafe-fixes", "caution"
    return f"shown only: {reason}" if reason else "shown only: this takes a decision that numlint cannot make", "quiet"


def _diff(fitter: Fitter, fitted: Fitted, width: int) -> list[Row]:
    found = changes(fitter.source, fitted)
    digits = max((len(str(change.line + len(change.removed))) for change in found), default=1)
    room = max(width - len(_INDENT) - digits - 3, 20)
    rows: list[Row] = [_changed("", digits, "+", str(needed), room) for needed in fitted.imports]
    for change in found:
        windows = [_difference(*pair) for pair in zip(change.removed, change.added, strict=False)]
        for sign, lines in (("-", change.removed), ("+", change.added)):
            for index, line in enumerate(lines):
                number = str(change.line + index) if sign == "-" else ""
                rows.append(_changed(number, digits, sign, line, room, *windows[index : index + 1]))
    return rows


def _changed(number: str, digits: int, sign: str, line: str, room: int, window: tuple[int, int] = (0, 0)) -> Row:
    text = f"{sign} {cut(line, room, *window)}".rstrip()
    return [(f"{_INDENT}{number:>{digits}} ", "gutter"), (text, "added" if sign == "+" else "removed")]


def _difference(before: str, after: str) -> tuple[int, int]:
    """From which character to which two lines differ, in the shorter one of them."""
    limit = min(len(before), len(after))
    start = next((index for index in range(limit) if before[index] != after[index]), limit)
    same = next((index for index in range(limit - start) if before[-1 - index] != after[-1 - index]), limit - start)
    return start, limit - same


def _problem(problem: Problem, fitter: Fitter | None, width: int) -> list[Row]:
    rows: list[Row] = [[(printable(problem.path), "path")]]
    if problem.line:
        rows[0].append((f":{problem.line}:{max(problem.column, 1)}", "place"))
    rows[0].append((" not checked", "bad"))
    if problem.line and fitter is not None:
        text = fitter.source.line(problem.line)
        first, last = len(text) - len(text.lstrip()) + 1, len(text.rstrip()) + 1
        span = Span(problem.line, problem.column or first, problem.line, problem.column or last)
        rows += _framed(fitter, span, (), "bad", width)
    rows += _paragraph("", problem.message, width)
    return [*rows, *_paragraph("what to do:", problem.hint, width)] if problem.hint else rows


def _framed(fitter: Fitter, span: Span, steps: Sequence[Step], mark: str, width: int) -> list[Row]:
    """The source frame between blank lines; nothing when the file has no such place."""
    rows = [
        [(_INDENT, "text"), *((text, mark if style == "mark" else style) for text, style in row)]
        for row in frame(fitter.source, span, steps, width - len(_INDENT))
    ]
    return [[], *rows, []] if rows else []


def _paragraph(heading: str, text: str, width: int, style: str = "text") -> list[Row]:
    """Text wrapped to the width, its lines below each other behind the heading."""
    left = f"{heading:<{_HEADING}}" if heading else ""
    first, *rest = wrapped(printable(text), min(width, _MEASURE) - len(_INDENT) - len(left))
    blank = (_INDENT + " " * len(left), "text")
    return [[(_INDENT + left, "heading"), (first, style)], *([blank, (line, style)] for line in rest)]


def _hint(findings: Iterable[Finding], explained: set[str]) -> list[Row]:
    """How to read more, by the example of the most frequent rule."""
    counts = Counter(finding.rule for finding in findings if finding.rule in explained)
    if not counts:
        return []
    return [[("to learn more: ", "quiet"), (f"numlint explain {counts.most_common(1)[0][0]}", "name")]]


def _summary(report: Report, fits: Sequence[Fitted]) -> list[Row]:
    """How much was found, how much was looked at, and how much can be fixed."""
    found: Row = [("no findings", "heading")]
    if report.findings:
        counts = Counter(finding.severity for finding in report.findings)
        found = [(count(len(report.findings), "finding"), "heading")]
        for index, severity in enumerate(severity for severity in Severity if counts[severity]):
            found += [
                (", " if index else ": ", "text"),
                (count(counts[severity], severity.value), _SEVERITY[severity]),
            ]
    if report.problems:
        found += [("; ", "text"), (f"{len(report.problems)} not checked", "bad")]
    looked = f"{count(report.files, 'file')} checked" if report.files else "no files checked"
    if report.skipped:
        looked += f", {report.skipped} skipped"
    if report.suppressed:
        looked += f"; {count(report.suppressed, 'finding')} suppressed"
    rows: list[Row] = [found, [(looked, "text")]]
    pairs = zip(report.findings, fits, strict=True)
    safeties = Counter(finding.rewrite.safety for finding, fitted in pairs if finding.rewrite and fitted.edits)
    fixes = [f"{safeties[Safety.SAFE]} fixable with --fix"] if safeties[Safety.SAFE] else []
    if safeties[Safety.UNSAFE]:
        fixes.append(f"{safeties[Safety.UNSAFE]} {'more' if fixes else 'fixable'} with --unsafe-fixes")
    return [*rows, [(", ".join(fixes), "good")]] if fixes else rows
