"""HTML by construction: whatever is not markup already is escaped, so nothing can be forgotten.

Text from the files that are checked, and values that their code computed, may hold
anything: control characters and marks that turn the direction of reading are replaced
as for a terminal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from numlint.report._printable import printable

_EMPTY = frozenset({"br", "circle", "col", "line", "meta", "path", "polyline", "rect"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(name: str, /, *children: str | None, **attributes: str | float | bool | None) -> Markup:
    """An HTML or SVG element.

    Parameters
    ----------
    name : str
    *children : str or None
        Markup as it is, other text escaped; None is left out.
    **attributes
        ``class_`` stands for ``class``, ``aria_label`` for ``aria-label``; True for an attribute
        without a value, False and None for none.
    """
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{_attribute(value)}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _EMPTY and not children:
        return Markup(f"<{name}{written}>" if name in ("br", "col", "meta") else f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{joined(*children)}</{name}>")


def joined(*parts: str | None) -> Markup:
    """Several pieces beside each other, each escaped unless it is markup."""
    return Markup("".join(part if isinstance(part, Markup) else _text(part) for part in parts if part is not None))


def table(caption: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], **attributes: str) -> Markup:
    """A table with a caption; the first cell of each row is the row's header."""
    body = [
        element("tr", element("th", row[0], scope="row"), *(element("td", cell) for cell in row[1:])) for row in rows
    ]
    return element(
        "div",
        element(
            "table",
            element("caption", caption),
            element("thead", element("tr", *(element("th", head, scope="col") for head in heads))),
            element("tbody", *body),
            **attributes,
        ),
        class_="scroll",
    )


def replay(line: str) -> Markup:
    """A command that can be copied."""
    copy = element("button", "copy", type="button", class_="copy", data_copy=line, hidden=True)
    return element("pre", element("code", line), copy, class_="replay")


def figure(value: float | None) -> str:
    """A number as a reader wants it: three digits, no empty decimals."""
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "∞" if value > 0 else "−∞"
    if value == int(value) and abs(value) < 1e5:
        return f"{int(value)}".replace("-", "−")
    if 1e-3 <= abs(value) < 1e5:
        shown = f"{value:.0f}" if abs(value) >= 1e3 else f"{value:.4g}" if abs(value) >= 100 else f"{value:.3g}"
        return shown.replace("-", "−")
    digits, _, power = f"{value:.2e}".partition("e")
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return f"{digits}e{int(power)}".replace("-", "−")


def _attribute(value: str | float) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return _text(str(value))


def _text(text: str) -> str:
    return escape("\n".join(printable(line) for line in text.split("\n")))
