"""The top of the page: how many findings came to what, and a table that leads to each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from numlint import evidence as words
from numlint.report.page._markup import Markup, element
from numlint.runtime.verdict import CONFIRMED, INCONCLUSIVE, OUTSIDE, REALISM, REFUTED, Verdict

MEANINGS = {
    CONFIRMED: "fails when it is run",
    REFUTED: "did not fail in the fair range",
    OUTSIDE: "fails only where no true value exists",
    INCONCLUSIVE: "could not be decided",
}


def badge(text: str, kind: str) -> Markup:
    return element("span", text, class_=f"badge {kind}")


def place(verdict: Verdict) -> str:
    return f"{verdict.path}:{verdict.line}" + (f":{verdict.column}" if verdict.column else "")


def filters(verdicts: Sequence[Verdict]) -> Markup:
    """A count for each status; with a script, a button that shows or hides its verdicts."""
    counts = Counter(verdict.status for verdict in verdicts)
    meanings = {
        status: _degrees(verdicts) if status == CONFIRMED and counts[status] else meaning
        for status, meaning in MEANINGS.items()
    }
    cards = [card(status, counts[status], status, meaning) for status, meaning in meanings.items()]
    return element("section", *cards, class_="cards", aria_label="Verdicts by status; press to show or hide")


def card(status: str, number: int, label: str, meaning: str) -> Markup:
    """A count that a press turns into a filter of what has this status."""
    return element(
        "button",
        element("span", str(number), class_="count"),
        element("span", label, class_="name"),
        element("span", meaning, class_="meaning"),
        type="button",
        class_=f"card {status}",
        aria_pressed="true",
        data_filter=status,
        disabled=not number,
    )


def _degrees(verdicts: Sequence[Verdict]) -> str:
    counts = Counter(
        verdict.evidence.realism for verdict in verdicts if verdict.evidence and verdict.status == CONFIRMED
    )
    return ", ".join(f"{counts[degree]} {degree}" for degree in REALISM if counts[degree]) or MEANINGS[CONFIRMED]


def overview(verdicts: Sequence[Verdict]) -> Markup | None:
    """A row for each verdict, in the order of the page."""
    if not verdicts:
        return None
    heads = ("verdict", "rule", "function", "place", "fails from", "cure")
    rows = [
        element(
            "tr",
            element("td", badge(verdict.status, verdict.status)),
            element("th", element("a", verdict.rule, href=f"#v{index}"), scope="row"),
            element("td", element("code", verdict.function) if verdict.function else "module level"),
            element("td", element("code", f"{verdict.path}:{verdict.line}")),
            element("td", _threshold(verdict)),
            element("td", _cure(verdict)),
            data_status=verdict.status,
        )
        for index, verdict in enumerate(verdicts, 1)
    ]
    return element(
        "section",
        element("h2", "Overview"),
        element(
            "div",
            element(
                "table",
                element("caption", "All verdicts, the surest first"),
                element("thead", element("tr", *(element("th", head, scope="col") for head in heads))),
                element("tbody", *rows),
                class_="overview",
            ),
            class_="scroll",
        ),
    )


def _threshold(verdict: Verdict) -> Markup | str:
    """From where on the format at hand fails."""
    if verdict.evidence is None:
        return "–"
    said = words.boundary(asdict(verdict.evidence))
    return said[0] if said else str(verdict.evidence.signature)


def _cure(verdict: Verdict) -> Markup | str:
    verified = sum(cure.status == "verified" for cure in verdict.cures)
    if verified:
        return badge("verified" if verified == 1 else f"{verified} verified", "good")
    return f"{len(verdict.cures)} tried, none verified" if verdict.cures else "–"
