"""The frame of a page that needs nothing else: style and script stand in it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from numlint import __version__
from numlint.report.page._markup import Markup, element, joined


def document(title: str, brand: str, body: Sequence[Markup | None], foot: str, skip: str, style: str = "") -> str:
    """A page as text.

    Parameters
    ----------
    title : str
        What the page says, in a line.
    brand : str
        The command that made it.
    body : sequence of Markup or None
    foot : str
        A sentence for the end.
    skip : str
        Where the link leads that readers without a pointer meet first.
    style : str
        Rules beyond those that all pages have.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"numlint: {title}"),
        element("style", asset(__package__, "page.css"), Markup(style)),
    )
    top = element("header", element("p", brand, class_="brand"), element("h1", title), class_="top")
    main = element("main", top, *body, id="content")
    footer = element("footer", element("p", f"numlint {__version__}. {foot}"))
    link = element("a", skip, href="#content", class_="skip")
    script = element("script", asset(__package__, "page.js"))
    page = element("html", head, element("body", link, main, footer, script), lang="en")
    return f"<!doctype html>\n{page}\n"


def asset(package: str, name: str) -> Markup:
    """Style and script, which are ours, as they are."""
    return joined(Markup(files(package).joinpath(name).read_text(encoding="utf-8")))
