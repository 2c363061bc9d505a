"""Tables that fit into a terminal: where the columns are too wide together, the widest give way and are wrapped."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from rich.cells import cell_len

from numlint.report._frame import Row, wrapped
from numlint.report._printable import one_line

Cell = tuple[str, str]
"""Text, and the name of its style."""
_GAP = 2
_WORD = 20
"""A column is not made narrower than its longest word, up to so many cells."""


def table(lines: Sequence[Sequence[Cell]], width: int, indent: int = 2) -> list[Row]:
    """Lines of cells as rows of at most `width` columns; shorter lines leave the last columns empty."""
    if not lines:
        return []
    columns = max(map(len, lines))
    cells = [[(one_line(text), style) for text, style in line] for line in lines]
    # A leading space sets a line below another; wrapping would take it away.
    cells = [
        [
            (f"{' ' * (len(line[0][0]) - len(line[0][0].lstrip()))}{text}" if not place else text, style)
            for place, (text, style) in enumerate(clean)
        ]
        for line, clean in zip(lines, cells, strict=True)
    ]
    sizes = [
        max((cell_len(line[place][0]) for line in cells if len(line) > place), default=0) for place in range(columns)
    ]
    least = [
        min(_WORD, max((_word(line[place][0]) for line in cells if len(line) > place), default=0))
        for place in range(columns)
    ]
    sizes = _shrunk(sizes, least, width - indent - _GAP * (columns - 1))
    rows: list[Row] = []
    for line in cells:
        rows += _laid_out(line, sizes, indent)
    return rows


def _word(text: str) -> int:
    """Cells of the longest word, with what it may be set in by."""
    return max(map(cell_len, text.split()), default=0) + 2 * (" " in text)


def _shrunk(sizes: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """The sizes of columns, the widest made narrower until all fit or none can be."""
    found = list(sizes)
    while sum(found) > room:
        able = [place for place in range(len(found)) if found[place] > least[place]]
        if not able:
            return found
        found[max(able, key=found.__getitem__)] -= 1
    return found


def _laid_out(line: Sequence[Cell], sizes: Sequence[int], indent: int) -> list[Row]:
    parts = [_parts(text, size) for (text, _), size in zip(line, sizes, strict=False)]
    rows: list[Row] = []
    for texts in zip_longest(*parts, fillvalue=""):
        row: Row = [(" " * indent, "text")]
        for text, (_, style), size in zip(texts, line, sizes, strict=False):
            row += [(text, style), (" " * (size - cell_len(text) + _GAP), "text")]
        rows.append(_trimmed(row))
    return rows


def _parts(text: str, size: int) -> list[str]:
    if cell_len(text) <= size:
        return [text]
    lead = len(text) - len(text.lstrip())
    first, *rest = wrapped(text, max(size - lead - 2, 1))
    # What goes on is set in, so that it is not taken for a line of its own.
    return [" " * lead + first, *(" " * (lead + 2) + part for part in rest)]


def _trimmed(row: Row) -> Row:
    while row and not row[-1][0].strip():
        row = row[:-1]
    return row
