"""Numbers as colours that all readers can tell apart.

The scale is viridis (S. van der Walt and N. Smith, 2015): its lightness rises evenly, so it
is read without colour, too. What failed has no colour of the scale; it is hatched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from numlint.report.page._axis import Axis
from numlint.report.page._markup import Markup, element, figure

_STOPS = ("fde725", "a0da39", "4ac16d", "1fa187", "277f8e", "365c8d", "46327e", "440154")
"""From small, which is light, to large."""


@dataclass(frozen=True)
class Scale:
    """Colours of finite numbers, between the least and the largest that are shown."""

    axis: Axis

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Scale | None:
        """The scale that holds these numbers; None where none of them is finite."""
        known = [number for number in numbers if math.isfinite(number)]
        return cls(Axis.of(known, 0.0, 1.0)) if known else None

    def color(self, number: float) -> str:
        place = self.axis(number) * (len(_STOPS) - 1)
        below = min(int(place), len(_STOPS) - 2)
        rest = place - below
        pairs = zip(_rgb(_STOPS[below]), _rgb(_STOPS[below + 1]), strict=True)
        return "#" + "".join(f"{round(one + rest * (other - one)):02x}" for one, other in pairs)

    def ink(self, number: float) -> str:
        """Black or white, whichever is read on the colour (WCAG 2.2, relative luminance)."""
        channels = [part / 255 for part in _rgb(self.color(number)[1:])]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
        luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        return "#000" if luminance > 0.179 else "#fff"

    def legend(self, name: str, broken: str = "") -> Markup:
        """The scale with its ends, and what is hatched."""
        low, high = self.axis.low, self.axis.high
        ends = (10.0**low, 10.0**high) if self.axis.logarithmic else (low, high)
        stops = ", ".join(f"#{stop}" for stop in _STOPS)
        how = " (logarithmic)" if self.axis.logarithmic else ""
        entries = [
            element("span", f"{name}{how}"),
            element("span", figure(ends[0]), class_="quiet"),
            element("span", class_="ramp", style=f"background: linear-gradient(to right, {stops})"),
            element("span", figure(ends[1]), class_="quiet"),
        ]
        if broken:
            entries += [element("span", class_="swatch hatched"), element("span", broken)]
        return element("p", *entries, class_="scale")


def _rgb(color: str) -> list[int]:
    return [int(color[place : place + 2], 16) for place in (0, 2, 4)]
