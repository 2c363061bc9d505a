"""How hard the problem is: condition numbers, and the learning rates that hold beside the bound 2/lambda_max."""

from __future__ import annotations

import math
from collections.abc import Sequence

from numlint.lab.boundary import Boundary
from numlint.lab.conclusion import Conclusion
from numlint.lab.outcome import unstable
from numlint.lab.task import phrase, spelled
from numlint.report.page._axis import Axis
from numlint.report.page._markup import Markup, element, figure, table
from numlint.runtime.lab.record import Run

ROWS = 24
FAR = 1e3
"""A bound that is so many times beyond all that was tried stands as a number at the edge."""
_WIDTH, _LEFT, _ROW = 720, 190, 30
_NUMBERS = {
    "design": "X",
    "gram": "X^T X",
    "hessian_start": "the Hessian, at the start",
    "hessian_end": "the Hessian, at the end",
}


def conditions(conclusion: Conclusion) -> Markup | None:
    """Both, where they were measured."""
    parts = [_numbers(conclusion), _boundaries(conclusion)]
    if not any(parts):
        return None
    return element("section", element("h2", "Conditions"), *parts)


def _numbers(conclusion: Conclusion) -> Markup | None:
    rows = []
    for name, label in _NUMBERS.items():
        low, high = conclusion.conditions(name)
        if not math.isnan(low):
            digits = math.log10(high) if high > 1 and math.isfinite(high) else math.inf if high > 1 else 0.0
            rows.append((label, figure(low), figure(high), figure(digits)))
    if not rows:
        return None
    heads = ("condition number of", "smallest", "largest", "decimal digits that it costs")
    note = element(
        "p",
        "float64 has 16 digits, float32 7, float16 3: a problem that costs more has none left.",
        class_="quiet",
    )
    return element("div", table("Over all runs", heads, rows), note, class_="sheet")


def _boundaries(conclusion: Conclusion) -> Markup | None:
    found = [item for item in conclusion.boundaries if not (math.isnan(item.fails) and math.isnan(item.theory))]
    if not found:
        return None
    setting = found[0].setting
    shown = found[:ROWS]
    tried = {id(item): _tried(item, conclusion.runs) for item in shown}
    numbers = [value for points in tried.values() for value, _ in points]
    if not numbers:
        return None
    near = [item.theory for item in shown if min(numbers) / FAR < item.theory < max(numbers) * FAR]
    positive = [*numbers, *near]
    axis = Axis.of(positive, _LEFT + 14.0, _WIDTH - 26.0)
    height = len(shown) * _ROW + 62
    others = [name for name in conclusion.names if name != setting]
    drawn = [*_scale(axis, height, spelled(setting))]
    for place, item in enumerate(shown):
        drawn += _row(item, tried[id(item)], axis, 22.0 + place * _ROW, phrase(item.configuration, others))
    how = "by bisection" if conclusion.asked.sweep.adaptive else "from the grid"
    title = "Learning rates that hold" if setting == "lr" else f"{spelled(setting)} that holds"
    picture = element("svg", element("title", f"{title}, {how}"), *drawn, viewBox=f"0 0 {_WIDTH} {height}", role="img")
    more = f" {len(found) - len(shown)} more are in the results." if len(found) > len(shown) else ""
    note = element("figcaption", f"{title}, {how}, for each combination of the other settings.{more}")
    figure_ = element("figure", _legend(setting), element("div", picture, class_="scroll"), note, class_="plot")
    return element("div", figure_, _exact(found, others, conclusion), class_="sheet")


def _tried(item: Boundary, runs: Sequence[Run]) -> list[tuple[float, bool]]:
    """The values at which this combination was run, with whether it failed."""
    same = item.configuration.changed(**{item.setting: None}).fingerprint
    found = []
    for run in runs:
        value = run.configuration.settings.get(item.setting)
        known = isinstance(value, (int, float)) and value > 0
        if known and run.configuration.changed(**{item.setting: None}).fingerprint == same:
            found.append((float(value or 0), unstable(run)))
    return sorted(found)


def _row(item: Boundary, points: Sequence[tuple[float, bool]], axis: Axis, y: float, name: str) -> list[Markup]:
    room = 27
    label = name or item.configuration.task
    drawn = [
        element(
            "text", element("title", label), label if len(label) <= room else f"{label[: room - 1]}…", x=0, y=y + 4
        ),
        element("line", x1=_LEFT, x2=float(_WIDTH - 12), y1=y, y2=y, class_="grid"),
    ]
    if math.isfinite(item.holds) and math.isfinite(item.fails) and item.holds > 0:
        start, stop = axis(item.holds), axis(item.fails)
        drawn.append(element("rect", x=start, y=y - 8, width=max(stop - start, 2.0), height=16, rx=3, class_="between"))
    for value, failed in points:
        x = axis(value)
        if failed:
            drawn.append(element("path", d=f"M{x - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8", class_="cross ink-diverged"))
        else:
            drawn.append(element("circle", cx=x, cy=y, r=4.2, class_="held"))
    if math.isfinite(item.theory) and axis.inside(item.theory):
        x = axis(item.theory)
        said = element("title", f"2/lambda_max = {figure(item.theory)}")
        drawn.append(element("line", said, x1=x, x2=x, y1=y - 12, y2=y + 12, class_="bound"))
    elif math.isfinite(item.theory) and item.theory > 0:
        low = not axis.logarithmic or math.log10(item.theory) < axis.low
        text = f"‹ {figure(item.theory)}" if low else f"{figure(item.theory)} ›"
        x = _LEFT + 2.0 if low else _WIDTH - 14.0
        drawn.append(element("text", text, x=x, y=y - 5, class_="beyond" if low else "beyond end"))
    return drawn


def _scale(axis: Axis, height: float, name: str) -> list[Markup]:
    bottom = height - 40.0
    drawn = [element("line", x1=_LEFT, x2=float(_WIDTH - 12), y1=bottom, y2=bottom, class_="rail")]
    for tick in axis.ticks(7):
        x = axis(tick)
        drawn.append(element("line", x1=x, x2=x, y1=bottom, y2=bottom + 4, class_="rail"))
        drawn.append(element("text", figure(tick), x=x, y=bottom + 18, class_="tick middle"))
    drawn.append(element("text", name, x=(_LEFT + _WIDTH) / 2, y=bottom + 35, class_="axis middle"))
    return drawn


def _legend(setting: str) -> Markup:
    small = {"viewBox": "0 0 14 14", "aria_hidden": "true"}
    entries = [
        (element("svg", element("circle", cx=7, cy=7, r=4.2, class_="held"), **small), "holds"),
        (element("svg", element("path", d="M3 3l8 8m0 -8l-8 8", class_="cross ink-diverged"), **small), "fails"),
        (element("svg", element("rect", x=1, y=1, width=12, height=12, rx=3, class_="between"), **small), "between"),
    ]
    if setting == "lr":
        bound = element("line", x1=7, x2=7, y1=0, y2=14, class_="bound")
        entries.append((element("svg", bound, **small), "2/lambda_max, the bound for gradient descent on a quadratic"))
    return element("ul", *(element("li", picture, text) for picture, text in entries), class_="legend")


def _exact(found: Sequence[Boundary], others: Sequence[str], conclusion: Conclusion) -> Markup:
    heads = (("other settings", "holds at", "fails at"), ("2/lambda_max", "fails at / bound"))
    figures = [
        (
            phrase(item.configuration, others) or conclusion.task.name,
            figure(item.holds),
            figure(item.fails),
            figure(item.theory),
            figure(item.fails / item.theory if item.theory else math.nan),
        )
        for item in found[:ROWS]
    ]
    rows = [tuple("–" if cell == "nan" else cell for cell in row) for row in figures]
    if found[0].setting != "lr":
        return element("details", element("summary", "In figures"), table("", heads[0], [row[:3] for row in rows]))
    return element("details", element("summary", "In figures"), table("", (*heads[0], *heads[1]), rows))
