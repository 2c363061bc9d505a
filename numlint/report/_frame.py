"""The lines of source around a finding, with what happens where written below them.

Columns are characters and a terminal shows cells: a tab takes up to four, a Chinese
character two, a combining mark none. So each line is first laid out as glyphs with their
cells, and a line that is wider than the terminal is cut to a window around its marks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from rich.cells import cell_len

from numlint.finding import Span, Step
from numlint.fix.source import Source
from numlint.report._printable import one_line, printable

CONTEXT = 2
"""Lines shown before and after those of the finding."""

_TAB = 4
_CUT = "..."
# Of a finding over many lines, the first and the last are shown.
_HEAD, _TAIL = 6, 2
_LABEL = 28

Row = list[tuple[str, str]]
"""Pieces of one line of output with the names of their styles."""


@dataclass(frozen=True)
class _Mark:
    """What to underline in a line: characters from `start` up to `stop`, both from 0."""

    line: int
    start: int
    stop: int
    label: str
    main: bool


def frame(source: Source, span: Span, steps: Sequence[Step], width: int) -> list[Row]:
    """The frame of a finding at `span`, `steps` marked with their texts, in at most `width` columns.

    The styles are ``gutter``, ``code``, ``context``, ``mark`` for the finding, ``step`` and ``label``.
    """
    marks = list(_marks(source, span, steps))
    lines = _lines(source, span, marks)
    if not lines:
        return []
    digits = len(str(lines[-1]))
    margin = f"{'':>{digits}} | "
    room = max(width - len(margin), 20)
    rows: list[Row] = []
    for previous, line in zip([lines[0] - 1, *lines], lines, strict=False):
        if line > previous + 1:
            rows.append([(f"{_CUT:>{digits}}", "gutter")])
        style = "code" if any(mark.line == line for mark in marks) else "context"
        for together in _groups([mark for mark in marks if mark.line == line], source.line(line), room):
            text, below = _laid_out(source.line(line), together, room)
            rows.append([(f"{line:>{digits}} | ", "gutter"), (text, style)])
            rows += [[(margin, "gutter"), *row] for row in below]
    return [_trimmed(row) for row in rows]


def _marks(source: Source, span: Span, steps: Sequence[Step]) -> Iterator[_Mark]:
    own = "".join(step.text for step in steps if step.span == span)
    for mark in _underlines(source, span, main=True):
        yield replace(mark, label=own if mark.line == span.line else "")
    for step in steps:
        if step.span != span:
            first = next(_underlines(source, step.span, main=False), None)
            if first:
                yield replace(first, label=step.text)


def _underlines(source: Source, span: Span, main: bool) -> Iterator[_Mark]:
    """The parts of a span in each of its lines, from the first character that is no space to the last."""
    for line in range(span.line, min(span.end_line, source.lines) + 1):
        text = source.line(line)
        start = min(span.column - 1, len(text)) if line == span.line else len(text) - len(text.lstrip())
        stop = min(span.end_column - 1, len(text)) if line == span.end_line else len(text.rstrip())
        if start < stop or line == span.line:
            yield _Mark(line, start, max(start, stop), "", main)


def _lines(source: Source, span: Span, marks: Sequence[_Mark]) -> list[int]:
    """The numbers of the lines to show."""
    marked = [mark.line for mark in marks]
    if not marked or span.line > source.lines:
        return []
    if span.end_line - span.line >= _HEAD + _TAIL:
        hidden = range(span.line + _HEAD, span.end_line - _TAIL + 1)
        marked = [line for line in marked if line not in hidden or any(m.line == line and not m.main for m in marks)]
    shown = set(marked)
    for edge, outwards in ((span.line, -1), (min(span.end_line, source.lines), 1)):
        around = [edge + outwards * distance for distance in range(1, CONTEXT + 1)]
        around = [line for line in around if 1 <= line <= source.lines]
        while around and not source.line(around[-1]).strip() and around[-1] not in shown:
            around.pop()
        shown.update(around)
    # A gap of one line is shown rather than marked.
    shown.update(line + 1 for line in list(shown) if line + 2 in shown)
    return sorted(shown)


def _groups(marks: list[_Mark], text: str, room: int) -> list[list[_Mark]]:
    """The marks of a line, in groups that fit into one window each; the finding's own first."""
    ordered = sorted(marks, key=lambda mark: (not mark.main, mark.start))
    if len(text) <= room and sum(cells for _, cells in _glyphs(text)) <= room:
        return [ordered]
    groups: list[list[_Mark]] = []
    for mark in ordered:
        for group in groups:
            if max(m.stop for m in (*group, mark)) - min(m.start for m in (*group, mark)) < room - 4 * len(_CUT):
                group.append(mark)
                break
        else:
            groups.append([mark])
    return groups or [[]]


def _laid_out(text: str, marks: Sequence[_Mark], room: int) -> tuple[str, list[Row]]:
    """A line as it is shown, and the rows below it."""
    text, marks, cut_left, cut_right = _clipped(text, marks, room)
    glyphs = _glyphs(text)
    ends = list(accumulate((cells for _, cells in glyphs), initial=0))
    low, high = 0, ends[-1]
    if high + len(_CUT) * (cut_left + cut_right) > room:
        first = min((ends[mark.start] for mark in marks), default=0)
        last = max((ends[mark.stop] for mark in marks), default=0)
        inner = room - 2 * len(_CUT)
        wide = last - first > inner
        if cut_left or (first > inner // 2 if wide else last > inner):
            # The marks in the middle, or their beginning when they are wider than the window.
            low = max(0, min(first - (0 if wide else (inner - last + first) // 2), ends[-1] - inner))
        high = low + inner
    cut_left, cut_right = cut_left or low > 0, cut_right or high < ends[-1]
    inside = [index for index in range(len(glyphs)) if low <= ends[index] and ends[index + 1] <= high]
    # A wide character on the edge of the window leaves a cell.
    pad = " " * (ends[inside[0]] - low) if inside else ""
    before = _CUT if cut_left else ""
    line = before + pad + "".join(glyphs[index][0] for index in inside) + (_CUT if cut_right else "")
    below: list[Row] = []
    for mark in marks:
        start = max(ends[mark.start], low) - low + len(before)
        stop = min(ends[mark.stop], high) - low + len(before)
        below += _below(start, max(stop - start, 1), mark, room)
    return line, below


def _below(start: int, length: int, mark: _Mark, room: int) -> list[Row]:
    """The underline of a mark, its label beside it where that fits, else below it."""
    underline: Row = [(" " * start, "text"), (("^" if mark.main else "-") * length, "mark" if mark.main else "step")]
    label = one_line(mark.label)
    if not label:
        return [underline]
    if start + length + 1 + cell_len(label) <= room:
        return [[*underline, (f" {label}", "label")]]
    left = max(0, min(start, room - _LABEL))
    return [underline, *([(" " * left + part, "label")] for part in wrapped(label, room - left))]


def wrapped(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` cells, broken between words."""
    lines = [""]
    for word in text.split():
        if lines[-1] and cell_len(lines[-1]) + 1 + cell_len(word) > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".lstrip()
    return lines


def cut(text: str, room: int, start: int = 0, stop: int = 0) -> str:
    """A line of source as a terminal shows it, in at most `room` cells around the characters that matter."""
    return _laid_out(text, [_Mark(0, start, stop, "", main=True)], room)[0]


def _clipped(text: str, marks: Sequence[_Mark], room: int) -> tuple[str, Sequence[_Mark], bool, bool]:
    """The part of a line that can matter, so that a line of megabytes costs no more than another."""
    low = max(min((mark.start for mark in marks), default=0) - 2 * room, 0)
    high = low + 6 * room
    if len(text) <= 8 * room:
        return text, marks, False, False
    moved = [replace(m, start=min(m.start, high) - low, stop=min(m.stop, high) - low) for m in marks]
    return text[low:high], moved, low > 0, high < len(text)


def _glyphs(text: str) -> list[tuple[str, int]]:
    if text.isascii() and text.isprintable():
        return [(char, 1) for char in text]
    glyphs: list[tuple[str, int]] = []
    column = 0
    for char, safe in zip(text, printable(text), strict=True):
        cells = _TAB - column % _TAB if char == "\t" else cell_len(safe)
        glyphs.append((" " * cells if char == "\t" else safe, cells))
        column += cells
    return glyphs


def _trimmed(row: Row) -> Row:
    """The row without white space at its end."""
    while row and not row[-1][0].rstrip():
        row = row[:-1]
    return [*row[:-1], (row[-1][0].rstrip(), row[-1][1])] if row else row
