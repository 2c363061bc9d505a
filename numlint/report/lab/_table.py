"""Tables that fit into a terminal: the last column is wrapped, and one that would be too narrow goes below."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from numlint.report._frame import Row, wrapped
from numlint.report._printable import one_line

Cell = tuple[str, str]
"""Text, and the name of its style."""
_GAP = 2
_NARROW = 24
"""A last column of fewer cells goes on a line of its own."""


def table(lines: Sequence[Sequence[Cell]], width: int, indent: int = 2) -> list[Row]:
    """Lines of cells as rows of at most `width` columns."""
    if not lines:
        return []
    columns = max(map(len, lines))
    sizes = [
        max((cell_len(one_line(line[place][0])) for line in lines if len(line) > place), default=0)
        for place in range(columns)
    ]
    # Everything but the last column gives way until a line of words fits beside it.
    room = width - indent - sum(sizes[:-1]) - _GAP * (columns - 1)
    below = room < min(_NARROW, sizes[-1])
    rows: list[Row] = []
    for line in lines:
        rows += _laid_out([(one_line(text), style) for text, style in line], sizes, width, indent, below, columns)
    return rows


def _laid_out(
    line: Sequence[Cell], sizes: Sequence[int], width: int, indent: int, below: bool, columns: int
) -> list[Row]:
    row: Row = [(" " * indent, "text")]
    used = indent
    rows: list[Row] = []
    last = line[-1] if len(line) == columns else None
    for place, (text, style) in enumerate(line[:-1] if last else line):
        if used + cell_len(text) > width and used > indent:
            rows.append(row)
            row, used = [(" " * (indent + 2), "text")], indent + 2
        pad = " " * (sizes[place] - cell_len(text) + _GAP)
        row += [(text, style), (pad, "text")]
        used += cell_len(text) + len(pad)
    if last is None:
        return [*rows, _trimmed(row)]
    text, style = last
    start = indent + 4 if below else used
    parts = wrapped(text, max(width - start, 16))
    if below:
        return [*rows, _trimmed(row), *([(" " * start, "text"), (part, style)] for part in parts if part)]
    rows.append(_trimmed([*row, (parts[0], style)]))
    return [*rows, *([(" " * start, "text"), (part, style)] for part in parts[1:])]


def _trimmed(row: Row) -> Row:
    while row and not row[-1][0].strip():
        row = row[:-1]
    return row
