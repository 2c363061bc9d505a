"""Error against magnitude, drawn as SVG: where each format fails, before and after the rewrite.

Both axes are logarithmic. Errors that are nan or infinite lie on a rail above the
others, errors of exactly zero on one below; a rewrite is dashed. The magnitudes up to
which an input is ordinary, and stress, are bands behind the curves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from numlint.report.page._axis import Axis, power
from numlint.report.page._markup import Markup, element, figure

WIDTH, HEIGHT = 720, 330
_LEFT, _RIGHT, _TOP, _BOTTOM = 78, 18, 46, 54
_FLOOR, _CEILING = -18, 1
"""Decades of the error that are shown; a relative error above 10 is no better than any other."""

_MARKERS = {"float64": "circle", "float32": "square", "float16": "triangle", "bfloat16": "diamond"}

Point = tuple[float, float]


def _vertical(error: float) -> float:
    """Vertical position of an error: the rails for what has no logarithm."""
    if not math.isfinite(error):
        return _TOP
    low, high = HEIGHT - _BOTTOM - 18, _TOP + 26
    if error <= 0:
        return HEIGHT - _BOTTOM
    share = (min(max(math.log10(error), _FLOOR), _CEILING) - _FLOOR) / (_CEILING - _FLOOR)
    return low + share * (high - low)


def plot(
    curve: Mapping[str, Sequence[Sequence[float | None]]],
    knob: str,
    fails_from: Mapping[str, float | None],
    realistic: float = 0.0,
    stress: float = 0.0,
) -> Markup | None:
    """The plot of a curve ``{format: [[magnitude, error before, error after or -1], ...]}``; None of an empty one."""
    series = {name: [_point(row) for row in rows if _known(row)] for name, rows in curve.items()}
    series = {name: sorted(rows) for name, rows in series.items() if rows}
    if not series:
        return None
    axis = Axis.of([row[0] for rows in series.values() for row in rows], _LEFT + 12, WIDTH - _RIGHT - 12)
    drawn = [*_bands(axis, realistic, stress), *_grid(axis, knob)]
    for name, threshold in fails_from.items():
        if threshold is not None and axis.inside(threshold):
            x = axis(threshold)
            drawn.append(element("line", x1=x, x2=x, y1=_TOP, y2=HEIGHT - _BOTTOM, class_=f"fails {_ink(name)}"))
    for name, rows in series.items():
        drawn += _curve(name, "before", [(axis(row[0]), _vertical(row[1])) for row in rows])
        after = [(axis(row[0]), _vertical(row[2])) for row in rows if row[2] >= 0 or math.isnan(row[2])]
        drawn += _curve(name, "after", after)
    words = _words(series, knob, fails_from)
    repaired = any(row[2] >= 0 for rows in series.values() for row in rows)
    picture = element(
        "svg",
        element("title", f"Relative error against {knob}"),
        element("desc", words),
        *drawn,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=f"Relative error against {knob}. {words}",
    )
    return element("figure", _legend(list(series), repaired), picture, element("figcaption", words), class_="plot")


def _known(row: Sequence[float | None]) -> bool:
    """Whether a row has a magnitude, and an error before the rewrite that could be judged."""
    if len(row) < 2 or row[0] is None or not math.isfinite(float(row[0])):
        return False
    return row[1] is None or not float(row[1]) < 0


def _point(row: Sequence[float | None]) -> tuple[float, float, float]:
    """Magnitude, error before, error after; JSON has no infinity, and a missing error before stands for one."""
    before = math.inf if row[1] is None or math.isnan(float(row[1])) else float(row[1])
    after = -1.0 if len(row) < 3 or row[2] is None else float(row[2])
    return float(row[0] or 0.0), before, math.inf if math.isnan(after) else after


def _ink(name: str) -> str:
    return f"ink-{name}" if name in _MARKERS else "ink-other"


def _bands(axis: Axis, realistic: float, stress: float) -> list[Markup]:
    """Behind the curves: where an input is ordinary, and where it is stress."""
    bands, start = [], float(_LEFT)
    for name, limit in (("realistic", realistic), ("stress", stress)):
        end = axis(limit) if limit > 0 else start
        end = WIDTH - _RIGHT if end >= WIDTH - _RIGHT - 12 else end
        if end > start + 1:
            bands.append(
                element(
                    "rect", x=start, y=_TOP - 14, width=end - start, height=HEIGHT - _BOTTOM - _TOP + 22, class_=name
                )
            )
            if end - start > 60:
                bands.append(element("text", name, x=start + 8, y=_TOP - 22, class_="band"))
            start = end
    return bands


def _grid(axis: Axis, knob: str) -> list[Markup]:
    drawn = []
    for exponent in range(_FLOOR + 2, _CEILING, 4):
        y = _vertical(10.0**exponent)
        drawn.append(element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y, class_="grid"))
        drawn.append(element("text", power(exponent), x=_LEFT - 10, y=y + 4, class_="tick end"))
    for name, y in (("nan / inf", _TOP), ("exact", HEIGHT - _BOTTOM)):
        drawn.append(element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=float(y), y2=float(y), class_="rail"))
        drawn.append(element("text", name, x=_LEFT - 10, y=y + 4, class_="tick end"))
    for tick in axis.ticks():
        x = axis(tick)
        drawn.append(element("line", x1=x, x2=x, y1=HEIGHT - _BOTTOM + 8, y2=HEIGHT - _BOTTOM + 13, class_="rail"))
        drawn.append(element("text", figure(tick), x=x, y=HEIGHT - _BOTTOM + 27, class_="tick middle"))
    drawn.append(element("text", knob, x=(WIDTH + _LEFT) / 2, y=HEIGHT - 6, class_="axis middle"))
    middle = (HEIGHT - _BOTTOM + _TOP) / 2
    turned = f"rotate(-90 14 {middle:g})"
    drawn.append(element("text", "relative error", x=14, y=middle, transform=turned, class_="axis middle"))
    return drawn


def _curve(name: str, when: str, points: list[Point]) -> list[Markup]:
    if not points:
        return []
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return [
        element("polyline", points=line, class_=f"curve {when} {_ink(name)}"),
        *(_marker(name, x, y, f"{when} {_ink(name)}") for x, y in points),
    ]


def _marker(name: str, x: float, y: float, style: str) -> Markup:
    """Formats differ by the shape of their points as well as by colour."""
    shape = _MARKERS.get(name, "circle")
    if shape == "circle":
        return element("circle", cx=x, cy=y, r=3.2, class_=f"point {style}")
    corners: dict[str, Callable[[], list[Point]]] = {
        "square": lambda: [(x - 3, y - 3), (x + 3, y - 3), (x + 3, y + 3), (x - 3, y + 3)],
        "triangle": lambda: [(x, y - 4), (x + 3.8, y + 3), (x - 3.8, y + 3)],
        "diamond": lambda: [(x, y - 4.4), (x + 4.4, y), (x, y + 4.4), (x - 4.4, y)],
    }
    path = "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in corners[shape]()) + "Z"
    return element("path", d=path, class_=f"point {style}")


def _legend(names: list[str], repaired: bool) -> Markup:
    entries = [
        element(
            "li",
            element("svg", _marker(name, 7, 7, f"before {_ink(name)}"), viewBox="0 0 14 14", aria_hidden="true"),
            name,
        )
        for name in names
    ]
    for when, said in (("before", "as written"), ("after", "rewritten")) if repaired else ():
        stroke = element("line", x1=0, x2=26, y1=7, y2=7, class_=f"curve {when} ink-plain")
        entries.append(
            element("li", element("svg", stroke, viewBox="0 0 26 14", class_="wide", aria_hidden="true"), said)
        )
    return element("ul", *entries, class_="legend")


def _words(series: Mapping[str, object], knob: str, fails_from: Mapping[str, float | None]) -> str:
    """The plot in a sentence."""
    said = []
    for name in series:
        threshold = fails_from.get(name)
        said.append(f"{name} fails from {figure(threshold)}" if threshold is not None else f"{name} does not fail here")
    return f"{knob}: " + ", ".join(said) + "."
