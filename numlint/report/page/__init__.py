"""The verdicts as one HTML page: what fails, where it began, from which magnitude on, and which cure was verified.

One file that needs nothing else: style, script and drawings stand in it, so it can be
attached to a review or kept as an artefact of a build. It is readable without the
script, which only filters and copies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from numlint.report.page._article import article
from numlint.report.page._document import document
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
    return document(
        _title(ordered),
        "numlint confirm",
        [filters(ordered), overview(ordered), *body],
        "Every figure was measured by running the code.",
        "To the verdicts",
    )


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
