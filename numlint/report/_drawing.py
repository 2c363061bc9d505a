"""Rows of text with the names of their styles, drawn in plain characters or in colour."""

from __future__ import annotations

import io
from collections.abc import Iterable

from numlint.report._frame import Row

STYLES = {
    "path": "bold",
    "place": "cyan",
    "name": "bold",
    "quiet": "dim",
    "gutter": "blue",
    "code": "",
    "context": "dim",
    "step": "bold cyan",
    "label": "cyan",
    "text": "",
    "heading": "bold",
    "removed": "red",
    "added": "green",
    "good": "green",
    "caution": "yellow",
    "bad": "bold red",
}


def drawn(blocks: Iterable[list[Row]], color: bool) -> str:
    """The rows as text, blocks apart by a blank line."""
    rows: list[Row] = []
    for block in blocks:
        rows += [[], *block] if rows else block
    if not color:
        return "".join("".join(part for part, _ in row) + "\n" for row in rows)
    from rich.console import Console
    from rich.text import Text

    # The rows have their width already: a console that is never too narrow only adds the colours.
    output = io.StringIO()
    console = Console(
        file=output, force_terminal=True, color_system="standard", legacy_windows=False, width=1 << 20, _environ={}
    )
    for row in rows:
        console.print(Text.assemble(*((part, STYLES.get(style, style)) for part, style in row)), soft_wrap=True)
    return output.getvalue()


def count(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
