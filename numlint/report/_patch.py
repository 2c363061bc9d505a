"""The change that a rewrite makes, as the lines that differ."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile

from numlint.finding import Edit
from numlint.fix import Fitted
from numlint.fix.source import Source


@dataclass(frozen=True)
class Change:
    """Lines of a file, from `line` on, and what stands there afterwards."""

    line: int
    removed: tuple[str, ...]
    added: tuple[str, ...]


def changes(source: Source, fitted: Fitted) -> list[Change]:
    """What each edit changes; edits of the same lines are one change."""
    found: list[Change] = []
    for edits in _by_lines(fitted.edits):
        first, last = edits[0].span.line, edits[-1].span.end_line
        removed = [source.line(number) for number in range(first, last + 1)]
        found.append(_trimmed(first, removed, _rewritten(source, edits, first, last)))
    return [change for change in found if change.removed or change.added]


def _by_lines(edits: tuple[Edit, ...]) -> list[list[Edit]]:
    groups: list[list[Edit]] = []
    for edit in edits:
        if groups and edit.span.line <= groups[-1][-1].span.end_line:
            groups[-1].append(edit)
        else:
            groups.append([edit])
    return groups


def _rewritten(source: Source, edits: list[Edit], first: int, last: int) -> list[str]:
    """The lines `first` to `last` with the edits applied."""
    start, stop = source.offset(first, 1), source.offset(last, len(source.line(last)) + 1)
    pieces, position = [], start
    for edit in edits:
        begin, end = source.interval(edit.span)
        pieces += [source.text[position:begin], edit.text]
        position = end
    result = Source("".join([*pieces, source.text[position:stop]]))
    return [result.line(number) for number in range(1, result.lines + 1)]


def _trimmed(line: int, removed: list[str], added: list[str]) -> Change:
    """The change without the lines at its beginning and its end that stay the same."""
    same = _common(removed, added)
    removed, added = removed[same:], added[same:]
    tail = _common(removed[::-1], added[::-1])
    stop_removed, stop_added = len(removed) - tail, len(added) - tail
    return Change(line + same, tuple(removed[:stop_removed]), tuple(added[:stop_added]))


def _common(first: list[str], second: list[str]) -> int:
    """The number of leading lines that two lists share."""
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False))))
