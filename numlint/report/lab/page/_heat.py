"""Heat maps of the grid: how runs ended, over every two settings that were swept."""

from __future__ import annotations

import itertools
import math
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence

from numlint.lab.conclusion import Conclusion
from numlint.lab.outcome import BROKEN, end, last_loss
from numlint.lab.sweep import Axis
from numlint.lab.task import spelled, written
from numlint.report._drawing import count
from numlint.report.lab.page._scale import Scale
from numlint.report.page._markup import Markup, element, figure, joined
from numlint.runtime.lab.configuration import Setting
from numlint.runtime.lab.record import CONVERGED, Run

WIDEST = 40
"""Values of a setting beyond which a map says nothing more."""


def heat_maps(conclusion: Conclusion) -> Markup | None:
    """A map for each pair of swept settings; a strip where only one was swept."""
    sweep = conclusion.asked.sweep
    axes = [axis for axis in sweep.axes if 1 < len(axis.values) <= WIDEST and axis.name != sweep.adaptive]
    if not axes or not conclusion.runs:
        return None
    scale = Scale.of([last_loss(run) for run in conclusion.runs if run.status not in BROKEN])
    pairs: list[tuple[Axis | None, Axis]] = [*itertools.combinations(axes, 2)]
    pairs = pairs or [(None, axes[0])]
    maps = [_map(conclusion, scale, *_turned(*pair)) for pair in pairs]
    legend = scale.legend("final loss", "failed") if scale else element("p", "Every run failed.", class_="quiet")
    return element(
        "section",
        element("h2", "The grid"),
        element("p", _explained(axes, conclusion.runs), class_="quiet"),
        legend,
        element("div", *maps, class_="maps"),
    )


def _explained(axes: Sequence[Axis], runs: Sequence[Run]) -> str:
    said = "✓ marks runs that converged." if any(run.status == CONVERGED for run in runs) else "No run converged."
    if len(axes) > 2:
        said += (
            " Each cell is over all values of the other settings: the median of the losses that are finite,"
            " and as much hatching as runs that failed."
        )
    return said


def _turned(one: Axis | None, other: Axis) -> tuple[Axis | None, Axis]:
    """Rows and columns: numbers, and the longer of the two, go from left to right."""

    def rank(axis: Axis) -> tuple[bool, int]:
        return all(isinstance(value, (int, float)) for value in axis.values), len(axis.values)

    return (one, other) if one is None or rank(other) >= rank(one) else (other, one)


def _map(conclusion: Conclusion, scale: Scale | None, rows: Axis | None, columns: Axis) -> Markup:
    cells: dict[tuple[Setting, Setting], list[Run]] = {}
    for run in conclusion.runs:
        settings = run.configuration.settings
        key = (settings.get(rows.name) if rows else None, settings.get(columns.name))
        cells.setdefault(key, []).append(run)
    heads = [element("th", written(value), scope="col") for value in columns.values]
    name = f"{spelled(rows.name)} and {spelled(columns.name)}" if rows else spelled(columns.name)
    corner = element("th", f"{spelled(rows.name)} ↓" if rows else "", scope="col", class_="corner")
    body = [
        element(
            "tr",
            element("th", written(value) if rows else "", scope="row"),
            *(_cell(cells.get((value, column), []), scale) for column in columns.values),
        )
        for value in (rows.values if rows else (None,))
    ]
    span = element("th", f"{spelled(columns.name)} →", colspan=len(columns.values), scope="colgroup", class_="across")
    grid = element(
        "table",
        element("caption", name),
        element("thead", element("tr", element("td"), span), element("tr", corner, *heads)),
        element("tbody", *body),
        class_="heat",
    )
    return element("div", grid, class_="scroll")


def _cell(runs: Sequence[Run], scale: Scale | None) -> Markup:
    if not runs:
        return element("td", "·", class_="empty", title="not run")
    failed = [run for run in runs if run.status in BROKEN]
    losses = [last_loss(run) for run in runs if run.status not in BROKEN]
    known = [loss for loss in losses if math.isfinite(loss)]
    title = "; ".join(_ends(runs))
    if not known or scale is None:
        status = Counter(run.status for run in failed).most_common(1)[0][0] if failed else "nan"
        whole = element("span", status.replace("-", " "), class_="failure")
        return element("td", joined(whole, _where(runs)), class_="hatched", title=title)
    middle = statistics.median(known)
    share = len(failed) / len(runs)
    style = f"--cell: {scale.color(middle)}; --ink: {scale.ink(middle)}; --share: {100 * share:.0f}%"
    done = "✓ " if all(run.status == CONVERGED for run in runs) else ""
    said = element("span", f"{done}{figure(middle)}")
    besides = element("small", f"{len(failed)} of {len(runs)} failed") if failed else None
    return element("td", said, besides, class_="cell part" if failed else "cell", style=style, title=title)


def _where(runs: Sequence[Run]) -> Markup:
    """The epoch at which the only run of a cell failed, or how many there are."""
    if len(runs) > 1:
        return element("small", f"all {len(runs)}")
    bad = next((epoch.epoch for epoch in runs[0].epochs if not math.isfinite(epoch.loss)), None)
    return element("small", f"epoch {bad}" if bad is not None else "")


def _ends(runs: Sequence[Run]) -> Iterator[str]:
    if len(runs) == 1:
        yield end(runs[0])
        return
    for status, number in Counter(run.status for run in runs).most_common():
        yield f"{count(number, 'run')} {status}"
