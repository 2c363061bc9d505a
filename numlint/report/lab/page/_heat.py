"""Heat maps of the grid: how runs ended, over every two settings that were swept."""

from __future__ import annotations

import functools
import itertools
import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from numlint.lab.conclusion import Conclusion
from numlint.lab.outcome import BROKEN, end, last_loss
from numlint.lab.sweep import Axis
from numlint.lab.task import spelled, written
from numlint.report._drawing import count
from numlint.report.lab.page._scale import Scale
from numlint.report.page._markup import Markup, element, figure, joined
from numlint.runtime.lab.configuration import Configuration, Setting
from numlint.runtime.lab.record import CONVERGED, Run

WIDEST = 40
"""Values of a setting beyond which a map says nothing more."""


def heat_maps(conclusion: Conclusion) -> Markup | None:
    """A map for each pair of swept settings; a strip where only one was swept."""
    sweep = conclusion.asked.sweep
    axes = [axis for axis in sweep.axes if 1 < len(axis.values) <= WIDEST and axis.name != sweep.adaptive]
    if not axes or not conclusion.runs:
        return None
    if sweep.adaptive:
        return _boundaries(conclusion, axes)
    scale = Scale.of([last_loss(run) for run in conclusion.runs if run.status not in BROKEN])
    maps = [_map(conclusion, scale, rows, columns) for rows, columns in _pairs(axes)]
    legend = scale.legend("final loss", "failed") if scale else element("p", "Every run failed.", class_="quiet")
    return element(
        "section",
        element("h2", "The grid"),
        element("p", _explained(axes, conclusion.runs), class_="quiet"),
        legend,
        element("div", *maps, class_="maps"),
    )


def _explained(axes: Sequence[Axis], runs: Sequence[Run]) -> str:
    done = any(run.status == CONVERGED for run in runs)
    said = "✓ marks runs that converged." if done else "No run converged: none has a ✓."
    if len(axes) > 2:
        said += (
            " Each cell is over all values of the other settings: the median of the losses that are finite,"
            " and as much hatching as runs that failed."
        )
    return said


def _pairs(axes: Sequence[Axis]) -> list[tuple[Axis | None, Axis]]:
    """Rows and columns of each map: numbers, and the longer of two settings, go from left to right."""

    def rank(axis: Axis) -> tuple[bool, int]:
        return all(isinstance(value, (int, float)) for value in axis.values), len(axis.values)

    if len(axes) == 1:
        return [(None, axes[0])]
    return [
        (one, other) if rank(other) >= rank(one) else (other, one) for one, other in itertools.combinations(axes, 2)
    ]


def _map(conclusion: Conclusion, scale: Scale | None, rows: Axis | None, columns: Axis) -> Markup:
    cells: dict[tuple[Setting, Setting], list[Run]] = {}
    for run in conclusion.runs:
        cells.setdefault(_key(run.configuration, rows, columns), []).append(run)
    return _table(rows, columns, lambda key: _cell(cells.get(key, []), scale))


def _boundaries(conclusion: Conclusion, axes: Sequence[Axis]) -> Markup | None:
    """Maps of where training begins to fail, in place of a loss: along that setting there is no grid."""
    scale = Scale.of([item.value for item in conclusion.boundaries])
    if scale is None:
        return None
    name = spelled(conclusion.asked.sweep.adaptive)
    maps = []
    for rows, columns in _pairs(axes):
        cells: dict[tuple[Setting, Setting], list[float]] = {}
        for item in conclusion.boundaries:
            if math.isfinite(item.value):
                cells.setdefault(_key(item.configuration, rows, columns), []).append(item.value)
        maps.append(_table(rows, columns, functools.partial(_value, cells, scale)))
    return element(
        "section",
        element("h2", f"Where {name} begins to fail"),
        scale.legend(f"{name}, by bisection"),
        element("div", *maps, class_="maps"),
    )


def _value(
    cells: Mapping[tuple[Setting, Setting], Sequence[float]], scale: Scale, key: tuple[Setting, Setting]
) -> Markup:
    if key not in cells:
        return element("td", "·", class_="empty", title="no boundary was found")
    middle = statistics.median(cells[key])
    style = f"--cell: {scale.color(middle)}; --ink: {scale.ink(middle)}"
    return element("td", figure(middle), class_="cell", style=style)


def _key(configuration: Configuration, rows: Axis | None, columns: Axis) -> tuple[Setting, Setting]:
    return configuration.settings.get(rows.name) if rows else None, configuration.settings.get(columns.name)


def _table(rows: Axis | None, columns: Axis, cell: Callable[[tuple[Setting, Setting]], Markup]) -> Markup:
    heads = [element("th", written(value), scope="col") for value in columns.values]
    name = f"{spelled(rows.name)} and {spelled(columns.name)}" if rows else spelled(columns.name)
    corner = element("th", f"{spelled(rows.name)} ↓" if rows else "", scope="col", class_="corner")
    body = [
        element(
            "tr",
            element("th", written(value) if rows else "", scope="row"),
            *(cell((value, column)) for column in columns.values),
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
