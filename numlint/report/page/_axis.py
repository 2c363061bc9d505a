"""From numbers to positions along a line: logarithmic where the numbers are positive and span decades."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from numlint.report.page._markup import Markup

_DECADES = 4.0
"""Ratio of the largest to the smallest number from which on an axis is logarithmic."""


@dataclass(frozen=True)
class Axis:
    """Numbers between `low` and `high`, which are logarithms on a logarithmic axis, to positions."""

    low: float
    high: float
    logarithmic: bool
    start: float
    end: float

    @classmethod
    def of(cls, numbers: Sequence[float], start: float, end: float) -> Axis:
        """The axis that holds these numbers, all of them finite."""
        low, high = min(numbers), max(numbers)
        if low > 0 and high / low > _DECADES:
            return cls(math.log10(low), math.log10(high), True, start, end)
        return cls(low, high if high > low else low + max(1.0, abs(low) / 2), False, start, end)

    def __call__(self, number: float) -> float:
        value = math.log10(number) if self.logarithmic and number > 0 else number
        if self.logarithmic and number <= 0:
            value = self.low
        share = (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)  # halved: the width may overflow
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def inside(self, number: float) -> bool:
        if self.logarithmic:
            return number > 0 and self.low <= math.log10(number) <= self.high
        return self.low <= number <= self.high

    def ticks(self, most: int = 8) -> list[float]:
        """Numbers to be named: decades, or 1, 2 and 5 in each, or multiples of such a number."""
        if not self.logarithmic:
            return self._even()
        first, last = math.ceil(self.low - 1e-9), math.floor(self.high + 1e-9)
        step = max(1, -(-(last - first) // most))
        decades = [10.0**power for power in range(first, last + 1, step)]
        if len(decades) >= 3:
            return decades
        finer = [base * 10.0**power for power in range(first - 1, last + 1) for base in (1, 2, 5)]
        return [tick for tick in finer if self.inside(tick)]

    def _even(self) -> list[float]:
        rough = (self.high / 2 - self.low / 2) / 2  # a quarter of the range
        if not 1e-300 < rough < 1e300:
            return [self.low, self.high]
        decade = 10.0 ** math.floor(math.log10(rough))
        step = next(base * decade for base in (1, 2, 2.5, 5, 10) if base * decade >= rough * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        return [place * step for place in range(first, math.floor(self.high / step + 1e-9) + 1)]


def power(exponent: int) -> Markup:
    """A power of ten as it is written."""
    digits = str(exponent).replace("-", "−")
    return Markup("1") if exponent == 0 else Markup(f'10<tspan dy="-5" class="power">{digits}</tspan>')
