"""Which layer leaves the range of its format first.

A row for each layer, in the order of the forward pass, a column for each epoch, the colour
by the largest magnitude. Where a layer's values or gradients left the range, the cell is
marked with an arrow: up for overflow, down for underflow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from numlint.lab.conclusion import Conclusion
from numlint.lab.outcome import sick
from numlint.lab.task import phrase
from numlint.report.lab.page._scale import Scale
from numlint.report.page._markup import Markup, element, figure, joined, table
from numlint.runtime.lab.record import Epoch, Layer, Run

RUNS, COLUMNS = 4, 60
SMALL = 1e-4
"""Magnitudes above it are no underflow in any format: the least normal number of float16 is 6.1e-5."""
_WIDTH, _LEFT, _ROW, _TOP = 720, 150, 22, 8


@dataclass(frozen=True)
class Departure:
    """The first epoch in which a layer is out of range."""

    layer: Layer
    epoch: int
    place: int


def layers(conclusion: Conclusion) -> Markup | None:
    """Runs in which a layer left the range, of each kind one; else one run whose layers were logged."""
    able = [run for run in conclusion.runs if _deep(run)]
    chosen: dict[tuple[object, ...], Run] = {}
    for run in able:
        gone = departures(run)
        if gone:
            chosen.setdefault((gone[0].layer.name, gone[0].layer.out_of_range, run.configuration.get("precision")), run)
    shown = list(chosen.values())[:RUNS] or sorted(able, key=sick, reverse=True)[:1]
    if not shown:
        return None
    parts = [_run(run, conclusion) for run in shown]
    return element("section", element("h2", "Layers"), *parts)


def _deep(run: Run) -> bool:
    return any(len(epoch.layers) > 1 for epoch in run.epochs)


def departures(run: Run) -> list[Departure]:
    """The layers that left the range, the first to go first; of those in one epoch the largest first.

    Within an epoch an overflow makes all that comes after it infinite, so of these the first in the
    forward pass is the origin. Gradients underflow backwards, the last layer first to be seen.
    """
    found: dict[str, Departure] = {}
    for epoch in run.epochs:
        for place, layer in enumerate(epoch.layers):
            if layer.out_of_range and layer.name not in found:
                found[layer.name] = Departure(layer, epoch.epoch, place)
    return sorted(found.values(), key=lambda item: (item.epoch, item.place))


def _run(run: Run, conclusion: Conclusion) -> Markup:
    gone = departures(run)
    form = run.configuration.settings.get("precision") or "its format"
    name = phrase(run.configuration, conclusion.names) or run.configuration.task
    if gone:
        first = gone[0]
        up = first.layer.out_of_range == "overflow"
        size = first.layer.largest if up else first.layer.smallest
        # Where its values are in range, it is the gradients that are not.
        own = not math.isfinite(size) if up else size < SMALL
        what = f"its {'largest' if up else 'smallest'} magnitude is {figure(size)}" if own else "of its gradients"
        lead = joined(
            element("code", first.layer.name),
            f" leaves the range of {form} first: {first.layer.out_of_range} in epoch {first.epoch}, {what}.",
        )
    else:
        lead = joined(f"No layer leaves the range of {form}.")
    return element(
        "div",
        element("h3", name),
        element("p", lead, class_="lead"),
        _strips(run),
        _table(run, gone),
        class_="sheet",
    )


def _strips(run: Run) -> Markup | None:
    epochs = [epoch for epoch in run.epochs if epoch.layers]
    names = list(dict.fromkeys(layer.name for epoch in epochs for layer in epoch.layers))
    scale = Scale.of([layer.largest for epoch in epochs for layer in epoch.layers if layer.largest > 0])
    if scale is None:
        return None
    groups = _grouped(epochs)
    wide = (_WIDTH - _LEFT - 8) / len(groups)
    height = _TOP + len(names) * _ROW + 40
    drawn = []
    for row, name in enumerate(names):
        y = float(_TOP + row * _ROW)
        short = name if len(name) <= 21 else f"…{name[-20:]}"
        drawn.append(element("text", element("title", name), short, x=_LEFT - 10.0, y=y + 15, class_="end"))
        for column, group in enumerate(groups):
            drawn += _tile(name, group, scale, _LEFT + column * wide, y, wide)
    bottom = _TOP + len(names) * _ROW
    for column in sorted({0, len(groups) // 2, len(groups) - 1}):
        x = _LEFT + (column + 0.5) * wide
        drawn.append(element("text", str(groups[column][0].epoch), x=x, y=bottom + 16.0, class_="tick middle"))
    drawn.append(element("text", "epoch", x=(_LEFT + _WIDTH) / 2, y=bottom + 33.0, class_="axis middle"))
    picture = element(
        "svg",
        element("title", "Largest magnitude of each layer by epoch"),
        *drawn,
        viewBox=f"0 0 {_WIDTH} {height}",
        role="img",
    )
    legend = scale.legend("largest magnitude")
    note = element("figcaption", "▲ overflow, ▼ underflow, of values or of gradients; layers in the order of the pass.")
    return element("figure", legend, element("div", picture, class_="scroll"), note, class_="plot")


def _grouped(epochs: Sequence[Epoch]) -> list[list[Epoch]]:
    size = -(-len(epochs) // COLUMNS)
    return [list(epochs[start : start + size]) for start in range(0, len(epochs), size)]


def _tile(name: str, group: Sequence[Epoch], scale: Scale, x: float, y: float, wide: float) -> list[Markup]:
    found = [layer for epoch in group for layer in epoch.layers if layer.name == name]
    gone = next((layer.out_of_range for layer in found if layer.out_of_range), "")
    sizes = [layer.largest for layer in found if math.isfinite(layer.largest) and layer.largest > 0]
    color = scale.color(max(sizes)) if sizes else "none"
    largest = figure(max(sizes)) if sizes else "not finite"
    said = element("title", f"{name}, epoch {group[0].epoch}: {largest}{', ' + gone if gone else ''}")
    gap = 1.0 if wide > 5 else 0.2
    style = "tile" if sizes else "tile missing"
    drawn = [element("rect", said, x=x, y=y, width=wide - gap, height=float(_ROW - 2), fill=color, class_=style)]
    if gone:
        half, middle, up = min(wide / 2 - 0.5, 5.0), x + wide / 2, gone == "overflow"
        tip, base = (y + 5, y + 15) if up else (y + 15, y + 5)
        path = f"M{middle:.1f} {tip:.1f}L{middle + half:.1f} {base:.1f}L{middle - half:.1f} {base:.1f}Z"
        drawn.append(element("path", d=path, class_="gone"))
    return drawn


def _table(run: Run, gone: Sequence[Departure]) -> Markup:
    first = {item.layer.name: item for item in gone}
    last = next(epoch for epoch in reversed(run.epochs) if epoch.layers)
    rows = []
    for layer in last.layers:
        left = first.get(layer.name)
        rows.append(
            (
                layer.name,
                f"{left.layer.out_of_range}, epoch {left.epoch}" if left else "–",
                _known(layer.largest),
                _known(layer.smallest),
                _known(layer.gradient_norm),
                f"{100 * layer.saturated:.0f} %" if layer.saturated else "–",
                _known(layer.digits_lost),
            )
        )
    heads = ("layer", "leaves the range", "largest", "smallest", "gradient norm", "saturated", "digits lost")
    figures = table(f"In the last epoch, {last.epoch}", heads, rows)
    return element("details", element("summary", "In figures"), figures)


def _known(value: float) -> str:
    return "–" if math.isnan(value) else figure(value)
