"""The verdicts as one HTML page: what fails, where it began, from which magnitude on, and which cure was verified.

One file that needs nothing else: style, script and drawings stand in it, so it can be
attached to a review or kept as an artefact of a build. It is readable without the
script, which only filters and copies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from numlint import __version__
from numlint.report.page._article import article
from numlint.report.page._markup import Markup, element, joined
from numlint.report.page._summary import filters, overview
from numlint.runtime.verdict import STATUSES, Verdict

__all__ = ["render", "write"]


def write(path: Path, verdicts: Sequence[Verdict], sources: Mapping[str, str]) -> None:
    """Write the page of `verdicts` to the file `path`; `sources` has the text of the files, by path.

    Raises
    ------
    OSError
    """
    path.write_text(render(verdicts, sources), encoding="utf-8")


def render(verdicts: Sequence[Verdict], sources: Mapping[str, str]) -> str:
    """The page as text."""
    ordered = sorted(verdicts, key=_order)
    body = [article(verdict, sources.get(verdict.path, ""), f"v{index}") for index, verdict in enumerate(ordered, 1)]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"numlint: {_title(ordered)}"),
        element("style", _asset("page.css")),
    )
    main = element(
        "main",
        element(
            "header", element("p", "numlint confirm", class_="brand"), element("h1", _title(ordered)), class_="top"
        ),
        filters(ordered),
        overview(ordered),
        *body,
        id="content",
    )
    foot = element("footer", element("p", f"numlint {__version__}. Every figure was measured by running the code."))
    skip = element("a", "To the verdicts", href="#content", class_="skip")
    page = element("html", head, element("body", skip, main, foot, element("script", _asset("page.js"))), lang="en")
    return f"<!doctype html>\n{page}\n"


def _order(verdict: Verdict) -> tuple[int, int, str, int]:
    """Confirmed failures first, the most ordinary inputs first among them; then by place."""
    realism = ("plain", "realistic", "stress", "extreme")
    found = verdict.evidence.realism if verdict.evidence else ""
    rank = realism.index(found) if found in realism else len(realism)
    status = STATUSES.index(verdict.status) if verdict.status in STATUSES else len(STATUSES)
    return status, rank, verdict.path, verdict.line


def _title(verdicts: Sequence[Verdict]) -> str:
    if not verdicts:
        return "nothing to confirm"
    confirmed = sum(verdict.status == STATUSES[0] for verdict in verdicts)
    noun = "finding" if len(verdicts) == 1 else "findings"
    return f"{confirmed} of {len(verdicts)} {noun} confirmed"


def _asset(name: str) -> Markup:
    """Style and script, which are ours, as they are."""
    return joined(Markup(files(__package__).joinpath(name).read_text(encoding="utf-8")))
