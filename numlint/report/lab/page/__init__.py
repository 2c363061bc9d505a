"""What `numlint lab` came to as one HTML page: where training fails, from when on, in which layer, and what helped.

One file that needs nothing else, in the frame of the page of `numlint confirm`.
"""

from __future__ import annotations

from pathlib import Path

from numlint.lab.conclusion import Conclusion
from numlint.lab.outcome import BROKEN, sick
from numlint.report._drawing import count
from numlint.report.lab.page._conditions import conditions
from numlint.report.lab.page._heat import heat_maps
from numlint.report.lab.page._layers import layers
from numlint.report.lab.page._remedies import recommendation, remedies
from numlint.report.lab.page._runs import articles, cards, together
from numlint.report.lab.page._surroundings import about, machines
from numlint.report.page._document import asset, document
from numlint.report.page._markup import Markup, element

__all__ = ["render", "write"]


def write(path: Path, conclusion: Conclusion) -> None:
    """Write the page to the file `path`.

    Raises
    ------
    OSError
    """
    path.write_text(render(conclusion), encoding="utf-8")


def render(conclusion: Conclusion) -> str:
    """The page as text."""
    return document(
        f"{conclusion.task.name}: {_title(conclusion)}",
        "numlint lab",
        [
            cards(conclusion.runs),
            recommendation(conclusion),
            _notes(conclusion),
            heat_maps(conclusion),
            together(conclusion),
            conditions(conclusion),
            layers(conclusion),
            machines(conclusion),
            remedies(conclusion),
            articles(conclusion),
            about(conclusion),
        ],
        "Every figure was measured in a run.",
        "To the results",
        asset(__package__, "lab.css"),
    )


def _title(conclusion: Conclusion) -> str:
    runs = conclusion.runs
    if not runs:
        return "no runs"
    failed = sum(run.status in BROKEN for run in runs)
    named = sum(sick(run) for run in runs) - failed
    shows = f"{'shows' if named == 1 else 'show'} a signature of failure"
    if not failed:
        return f"{named} of {count(len(runs), 'run')} {shows}" if named else f"{count(len(runs), 'run')}, none failed"
    return f"{failed} of {count(len(runs), 'run')} failed" + (f", {named} more {shows}" if named else "")


def _notes(conclusion: Conclusion) -> Markup | None:
    notes = list(conclusion.notes)
    if conclusion.left:
        notes.append(f"{count(conclusion.left, 'run')} left: numlint lab --resume {conclusion.folder}")
    return element("div", *(element("p", note, class_="aside") for note in notes)) if notes else None
