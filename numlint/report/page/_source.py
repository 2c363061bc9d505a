"""The lines of source around a failure, with the flagged line and the line where it began."""

from __future__ import annotations

import io
import keyword
import tokenize
from collections import defaultdict
from collections.abc import Sequence

from numlint.report.page._markup import Markup, element, joined

CONTEXT = 4
"""Lines shown before and after those that matter."""


def excerpt(source: str, line: int, origin: int = 0, note: str = "") -> Markup:
    """The lines around `line` and `origin`, numbered, with `note` below the origin."""
    source = source.expandtabs(4)
    lines = source.splitlines()
    marked = [number for number in (line, origin) if 1 <= number <= len(lines)]
    if not marked:
        return element("p", "The source is not at hand.", class_="quiet")
    pieces = _coloured(source, lines)
    shown = sorted({near for mark in marked for near in range(mark - CONTEXT, mark + CONTEXT + 1)})
    shown = _trimmed([number for number in shown if 1 <= number <= len(lines)], lines, marked)
    indent = min((_indent(lines[number - 1]) for number in shown if lines[number - 1].strip()), default=0)
    rows = []
    for previous, number in zip([shown[0] - 1, *shown], shown, strict=False):
        if number > previous + 1:
            rows.append(element("span", element("span", "⋯", class_="number"), class_="row gap"))
        kind = "row" + (" origin" if number == origin else " site" if number == line else "")
        mark = "began here" if number == origin else "flagged" if number == line else None
        rows.append(
            element(
                "span",
                element("span", str(number), class_="number"),
                element("span", _cut(pieces[number], indent), class_="text"),
                element("span", mark, class_="mark") if mark else None,
                class_=kind,
            )
        )
        if number == (origin or line) and note:
            rows.append(element("span", element("span", class_="number"), note, class_="row note"))
    return element("pre", element("code", *rows), class_="source", tabindex="0", aria_label="Source code")


def _trimmed(shown: list[int], lines: Sequence[str], marked: list[int]) -> list[int]:
    """Without blank lines at both ends."""
    while shown[0] not in marked and not lines[shown[0] - 1].strip():
        shown = shown[1:]
    while shown[-1] not in marked and not lines[shown[-1] - 1].strip():
        shown = shown[:-1]
    return shown


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def _cut(pieces: list[tuple[str, str]], indent: int) -> Markup:
    """A line's pieces without the indentation that all lines share."""
    text, rest = [], indent
    for kind, piece in pieces:
        kept = piece[rest:]
        rest = max(0, rest - len(piece))
        if kept:
            text.append(element("span", kept, class_=kind) if kind else joined(kept))
    return joined(*text)


def _coloured(source: str, lines: Sequence[str]) -> dict[int, list[tuple[str, str]]]:
    """By line: pieces of text with the kind of token that they are."""
    kinds: dict[int, dict[int, tuple[int, str]]] = defaultdict(dict)
    try:
        for token in tokenize.generate_tokens(io.StringIO("\n".join(lines) + "\n").readline):
            kind = _kind(token)
            (first, start), (last, stop) = token.start, token.end
            for number in range(first, last + 1) if kind else ():
                begin = start if number == first else 0
                end = stop if number == last else len(lines[number - 1])
                kinds[number][begin] = (end, kind)
    except (tokenize.TokenError, SyntaxError, IndexError):
        kinds.clear()  # what is no Python is shown without colours
    pieces: dict[int, list[tuple[str, str]]] = {}
    for number, text in enumerate(lines, 1):
        pieces[number], at = [], 0
        for begin, (end, kind) in sorted(kinds[number].items()):
            pieces[number] += [("", text[at:begin]), (kind, text[begin:end])]
            at = end
        pieces[number].append(("", text[at:]))
    return pieces


def _kind(token: tokenize.TokenInfo) -> str:
    if token.type == tokenize.NAME:
        return "keyword" if keyword.iskeyword(token.string) else ""
    return {tokenize.COMMENT: "comment", tokenize.STRING: "string", tokenize.NUMBER: "literal"}.get(token.type, "")
