"""Curves over the epochs of a run, with the phases of training behind them.

An axis has no place for what is not finite, or beyond all measure: a cross on a rail above marks where it begins.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from numlint.report.page._axis import Axis, power
from numlint.report.page._markup import Markup, element, figure
from numlint.runtime.lab.record import Phase

WIDTH = 720
LEFT, RIGHT = 66, 16
BEYOND = 1e6
"""Values so many times the largest of the first ones have no place: others could not be told apart beside them."""
POINTS = 240
"""Points of a curve that a screen can tell apart."""
TONES = {
    "healthy": "healthy",
    "oscillating": "restless",
    "plateau": "idle",
    "saturating": "idle",
    "stalled": "idle",
    "vanishing": "idle",
    "dead": "idle",
    "premature-stop": "idle",
    "exploding": "wild",
    "diverged": "wild",
}
"""Phases by what they look like: nothing is learnt, steps are too long, all is lost."""


@dataclass(frozen=True)
class Curve:
    """Values over epochs.

    Attributes
    ----------
    name : str
    points : sequence of (int, float)
        Epoch and value; values may be inf or nan.
    style : str
        Class names of its stroke.
    """

    name: str
    points: Sequence[tuple[int, float]]
    style: str


def panel(
    curves: Sequence[Curve], label: str, last: int, height: int, phases: Sequence[Phase] = (), *, named: bool = True
) -> Markup | None:
    """Curves that share their axes, as one drawing; None where no value is finite.

    Parameters
    ----------
    curves : sequence of Curve
    label : str
        Of the vertical axis.
    last : int
        The last epoch, to which the horizontal axis goes.
    height : int
    phases : sequence of Phase
    named : bool
        Whether the horizontal axis and the phases are named.
    """
    values = [value for curve in curves for _, value in curve.points if math.isfinite(value)]
    if not values or not last:
        return None
    limit = BEYOND * max((abs(_first(curve)) for curve in curves), default=0.0) or math.inf
    curves = [Curve(curve.name, [_within(point, limit) for point in curve.points], curve.style) for curve in curves]
    values = [value for value in values if value <= limit]
    positive = [value for value in values if value > 0]
    top, bottom = 26, height - (40 if named else 14)
    broken = any(not math.isfinite(value) for curve in curves for _, value in curve.points)
    # Zeros and negative numbers among positive ones are no reason to give up the logarithm: they lie at its foot.
    shown = positive if len(positive) > 0.9 * len(values) else values
    vertical = Axis.of(shown, bottom, top + (20 if broken else 0))
    across = Axis(0.0, float(max(last, 1)), False, LEFT, WIDTH - RIGHT)
    drawn = [*_bands(phases, across, top, bottom, named), *_grid(vertical, label)]
    if broken:
        drawn.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=top, y2=top, class_="rail"))
        drawn.append(element("text", "beyond", x=LEFT - 8, y=top + 4, class_="tick end"))
    drawn += _epochs(across, bottom, last, named)
    for curve in curves:
        drawn += _drawn(curve, across, vertical, top)
    words = ", ".join(f"{curve.name} {_told(curve)}" for curve in curves[:6])
    return element(
        "svg",
        element("title", f"{label} by epoch: {words}"),
        *drawn,
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
        aria_label=f"{label} by epoch: {words}",
    )


def _first(curve: Curve) -> float:
    return next((value for _, value in curve.points if math.isfinite(value)), 0.0)


def _within(point: tuple[int, float], limit: float) -> tuple[int, float]:
    return point if not point[1] > limit else (point[0], math.inf)


def legend(entries: Sequence[tuple[str, str]]) -> Markup:
    """Names of curves by their strokes."""
    items = []
    for name, style in entries:
        stroke = element("line", x1=0, x2=26, y1=7, y2=7, class_=f"curve {style}")
        picture = element("svg", stroke, viewBox="0 0 26 14", class_="wide", aria_hidden="true")
        items.append(element("li", picture, name))
    return element("ul", *items, class_="legend")


def _bands(phases: Sequence[Phase], across: Axis, top: float, bottom: float, named: bool) -> list[Markup]:
    found = []
    for phase in phases:
        start, stop = across(phase.first - 0.5), across(phase.last + 0.5)
        if across.high <= 1.5:
            start, stop = float(LEFT), float(WIDTH - RIGHT)
        tone = TONES.get(phase.name, "idle")
        said = element("title", f"{phase.name}, epochs {phase.first} to {phase.last}. {phase.evidence}")
        found.append(
            element(
                "rect",
                said,
                x=start,
                y=top - 6.0,
                width=max(stop - start, 2.0),
                height=bottom - top + 6.0,
                class_=f"phase {tone}",
            )
        )
        if named and stop - start > 7.0 * len(phase.name):
            found.append(element("text", phase.name, x=start + 4, y=top - 11.0, class_=f"band {tone}"))
    return found


def _grid(vertical: Axis, label: str) -> list[Markup]:
    drawn = []
    for tick in vertical.ticks(5):
        y = vertical(tick)
        exponent = math.log10(tick) if tick > 0 else math.nan
        exact = vertical.logarithmic and abs(exponent - round(exponent)) < 1e-9
        small = exact and abs(round(exponent)) > 2
        drawn.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid"))
        text = power(round(exponent)) if small else figure(tick)
        drawn.append(element("text", text, x=LEFT - 8, y=y + 4, class_="tick end"))
    middle = (vertical.start + vertical.end) / 2
    drawn.append(
        element("text", label, x=13, y=middle, transform=f"rotate(-90 13 {middle:g})", class_="axis middle small")
    )
    return drawn


def _epochs(across: Axis, bottom: float, last: int, named: bool) -> list[Markup]:
    drawn = []
    step = _round(last / 6)
    for epoch in range(0, last + 1, step):
        x = across(epoch)
        drawn.append(element("line", x1=x, x2=x, y1=bottom, y2=bottom + 4, class_="rail"))
        if named:
            drawn.append(element("text", str(epoch), x=x, y=bottom + 17, class_="tick middle"))
    drawn.append(element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=bottom, y2=bottom, class_="rail"))
    if named:
        drawn.append(element("text", "epoch", x=(LEFT + WIDTH - RIGHT) / 2, y=bottom + 33, class_="axis middle"))
    return drawn


def _round(size: float) -> int:
    """The next of 1, 2, 5, 10, 20, ..."""
    if size <= 1:
        return 1
    decade = 10 ** math.floor(math.log10(size))
    return int(next(base * decade for base in (1, 2, 5, 10) if base * decade >= size))


def _drawn(curve: Curve, across: Axis, vertical: Axis, rail: float) -> list[Markup]:
    parts: list[list[str]] = [[]]
    broken = []
    for epoch, value in _thinned(curve.points):
        x = across(epoch)
        if math.isfinite(value):
            parts[-1].append(f"{x:.1f},{vertical(value):.1f}")
        else:
            parts.append([])
            broken.append(x)
    drawn = []
    for part in parts:
        if len(part) == 1:
            x, y = map(float, part[0].split(","))
            drawn.append(element("circle", cx=x, cy=y, r=2.6, class_=f"dot {curve.style}"))
        elif part:
            drawn.append(element("polyline", points=" ".join(part), class_=f"curve {curve.style}"))
    for x in broken[:1]:  # what comes after the first nan is nan
        path = f"M{x - 4:.1f} {rail - 4:.1f}l8 8m0 -8l-8 8"
        drawn.append(element("path", d=path, class_=f"cross {curve.style}"))
    return drawn


def _thinned(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Of each stretch the smallest and the largest value: an oscillation must not be thinned away."""
    if len(points) <= POINTS:
        return list(points)
    size = -(-2 * len(points) // POINTS)
    kept: list[tuple[int, float]] = []
    for start in range(0, len(points), size):
        part = points[start : start + size]
        finite = [point for point in part if math.isfinite(point[1])]
        chosen = {part[-1] if start + size >= len(points) else part[0], *(p for p in part if not math.isfinite(p[1]))}
        if finite:
            chosen |= {min(finite, key=lambda point: point[1]), max(finite, key=lambda point: point[1])}
        kept += sorted(chosen, key=lambda point: point[0])
    return kept


def _told(curve: Curve) -> str:
    finite = [value for _, value in curve.points if math.isfinite(value)]
    return f"from {figure(finite[0])} to {figure(curve.points[-1][1])}" if finite else "never finite"
