"""A number with a bar as long as its share of the largest."""

from __future__ import annotations

import math

from numlint.report.page._markup import Markup, element, figure


def decades(value: float | None) -> float:
    """Decades of a figure; beyond all numbers for what is none."""
    if value is None or value == 0:
        return 0.0
    return math.log10(abs(value)) if math.isfinite(value) else 320.0


def measure(value: float | None, share: float) -> Markup:
    """A bar of this share of the room, with the number beside it."""
    width = 4 + 96 * share
    bar = element(
        "svg",
        element("rect", x=0, y=3, width=width, height=8, rx=2, class_="bar high" if share > 0.5 else "bar"),
        viewBox="0 0 100 14",
        preserveAspectRatio="none",
        aria_hidden="true",
    )
    return element("span", bar, figure(value), class_="measure")


def measures(values: list[float | None]) -> list[Markup]:
    """Numbers with bars between the smallest of them and the largest, on a logarithmic scale."""
    sizes = [decades(value) for value in values]
    low, high = min(sizes), max(sizes)
    spread = high - low
    return [
        measure(value, (size - low) / spread if spread > 0.01 else 0.0)
        for value, size in zip(values, sizes, strict=True)
    ]
