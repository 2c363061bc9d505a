"""Ranges of floating-point values.

A `Range` is an interval of the extended reals that holds every *computed* value,
with what an interval cannot say: whether an end is attained, whether zero is left
out, whether nan can occur. Bounds are rounded as the computation rounds them:
correctly rounded operations are monotone, so applying the same operation to the
ends is sound in float64; results of library functions, whose error is a few ulps,
are widened by `ULPS`. The sign of zero is not tracked: a quotient by zero is
infinite with the sign that a positive zero gives.

Source: R. E. Moore, R. B. Kearfott, M. J. Cloud, Introduction to Interval
Analysis, SIAM 2009, ch. 2-5.
"""

from __future__ import annotations

import math
from typing import NamedTuple

INF = math.inf
ULPS = 8


class Range(NamedTuple):
    """All values a computation can yield.

    Attributes
    ----------
    lo, hi : float
        Bounds; infinite ones mean that the value can be arbitrarily large, or infinite.
    lo_open, hi_open : bool
        Whether the bound itself is never attained.
    nonzero : bool
        Whether zero is known to be left out although it may lie between the bounds.
    nan : bool
        Whether nan can occur.
    integer : bool
        Whether all values are integers.
    """

    lo: float = -INF
    hi: float = INF
    lo_open: bool = False
    hi_open: bool = False
    nonzero: bool = False
    nan: bool = True
    integer: bool = False

    @property
    def can_be_zero(self) -> bool:
        """Whether the computed value can be exactly zero."""
        if self.nonzero or self.lo > 0 or self.hi < 0:
            return False
        return not ((self.lo == 0 and self.lo_open) or (self.hi == 0 and self.hi_open))

    @property
    def nonnegative(self) -> bool:
        return self.lo >= 0

    @property
    def positive(self) -> bool:
        return self.lo > 0 or (self.lo == 0 and (self.lo_open or self.nonzero))

    @property
    def nonpositive(self) -> bool:
        return self.hi <= 0

    @property
    def bounded(self) -> bool:
        return self.lo > -INF and self.hi < INF

    @property
    def magnitude(self) -> float:
        """Largest absolute value."""
        return max(abs(self.lo), abs(self.hi))

    @property
    def unknown(self) -> bool:
        return self.lo == -INF and self.hi == INF and not self.nonzero

    def contains(self, value: float) -> bool:
        """Whether a computed value is allowed by this range."""
        if math.isnan(value):
            return self.nan
        if value == 0 and self.nonzero:
            return False
        low = value > self.lo if self.lo_open else value >= self.lo
        high = value < self.hi if self.hi_open else value <= self.hi
        return low and high

    def within(self, other: Range) -> bool:
        """Whether every value of this range lies in `other`."""
        if self.lo < other.lo or (self.lo == other.lo and other.lo_open and not self.lo_open):
            return False
        if self.hi > other.hi or (self.hi == other.hi and other.hi_open and not self.hi_open):
            return False
        if other.nonzero and self.can_be_zero:
            return False
        return other.nan or not self.nan

    def meet(self, other: Range) -> Range:
        """Intersection: what is known when both are."""
        lo, lo_open = max((self.lo, self.lo_open), (other.lo, other.lo_open))
        hi, hi_open = self.hi, self.hi_open
        if other.hi < hi:
            hi, hi_open = other.hi, other.hi_open
        elif other.hi == hi:
            hi_open = hi_open or other.hi_open
        if lo > hi:  # contradictory conditions: unreachable; keep the narrower statement
            return self
        return Range(
            lo,
            hi,
            lo_open,
            hi_open,
            self.nonzero or other.nonzero,
            self.nan and other.nan,
            self.integer or other.integer,
        )

    def join(self, other: Range) -> Range:
        """Smallest range that holds both."""
        if self.lo < other.lo:
            lo, lo_open = self.lo, self.lo_open
        elif other.lo < self.lo:
            lo, lo_open = other.lo, other.lo_open
        else:
            lo, lo_open = self.lo, self.lo_open and other.lo_open
        if self.hi > other.hi:
            hi, hi_open = self.hi, self.hi_open
        elif other.hi > self.hi:
            hi, hi_open = other.hi, other.hi_open
        else:
            hi, hi_open = self.hi, self.hi_open and other.hi_open
        nonzero = not self.can_be_zero and not other.can_be_zero
        return Range(lo, hi, lo_open, hi_open, nonzero, self.nan or other.nan, self.integer and other.integer)

    def widen(self) -> Range:
        """Bounds moved outward by a few ulps, for functions that are not correctly rounded."""
        return self._replace(lo=_outward(self.lo, -INF), hi=_outward(self.hi, INF))


def _outward(bound: float, toward: float) -> float:
    if bound == 0 or math.isinf(bound):
        return bound
    for _ in range(ULPS):
        bound = math.nextafter(bound, toward)
    return bound


TOP = Range()
FINITE = Range(nan=False)
NONNEGATIVE = Range(0.0, INF)
POSITIVE = Range(0.0, INF, lo_open=True)
UNIT = Range(0.0, 1.0)
SIGNED_UNIT = Range(-1.0, 1.0)
COUNT = Range(0.0, INF, nan=False, integer=True)


def point(value: float, integer: bool = False) -> Range:
    """Range of a literal."""
    if math.isnan(value):
        return TOP
    return Range(value, value, nan=False, nonzero=value != 0, integer=integer)


def add(a: Range, b: Range) -> Range:
    """Sum."""
    lo, hi = _safe(a.lo, b.lo, -INF), _safe(a.hi, b.hi, INF)
    clash = (a.lo == -INF and b.hi == INF) or (a.hi == INF and b.lo == -INF)
    # x + y with x, y >= 0 vanishes only when both do: addition of doubles never underflows to zero.
    one_sided = (a.lo >= 0 and b.lo >= 0) or (a.hi <= 0 and b.hi <= 0)
    nonzero = one_sided and not (a.can_be_zero and b.can_be_zero)
    return Range(
        lo,
        hi,
        lo == 0 and nonzero and lo > -INF,
        hi == 0 and nonzero and hi < INF,
        nonzero,
        a.nan or b.nan or clash,
        a.integer and b.integer,
    )


def _safe(x: float, y: float, default: float) -> float:
    result = x + y
    return default if math.isnan(result) else result


def neg(a: Range) -> Range:
    """Negation."""
    return Range(-a.hi, -a.lo, a.hi_open, a.lo_open, a.nonzero, a.nan, a.integer)


def sub(a: Range, b: Range) -> Range:
    """Difference."""
    return add(a, neg(b))


def _times(x: float, y: float) -> float:
    return 0.0 if x == 0 or y == 0 else x * y


def mul(a: Range, b: Range) -> Range:
    """Product. It can underflow to zero although no factor is zero."""
    corners = (_times(a.lo, b.lo), _times(a.lo, b.hi), _times(a.hi, b.lo), _times(a.hi, b.hi))
    lo, hi = min(corners), max(corners)
    nonzero = not a.can_be_zero and not b.can_be_zero and (lo > 0 or hi < 0 or (a.integer and b.integer))
    clash = (a.can_be_zero and not b.bounded) or (b.can_be_zero and not a.bounded)
    return Range(lo, hi, False, False, nonzero, a.nan or b.nan or clash, a.integer and b.integer)


def div(a: Range, b: Range) -> Range:
    """Quotient. 0/0 and inf/inf are nan; x/0 is infinite."""
    infinite = (a.lo == -INF or a.hi == INF) and (b.lo == -INF or b.hi == INF)
    nan = a.nan or b.nan or infinite or (a.can_be_zero and b.can_be_zero)
    if b.lo < 0 < b.hi:
        if a.lo == 0 == a.hi:
            return Range(0.0, 0.0, nan=nan)
        return Range(nan=nan)
    if b.hi <= 0 and b.can_be_zero and b.lo < 0:
        return Range(nan=nan)  # differences vanish as +0: the quotient can have either sign
    if b.lo >= 0:
        low, high = b.lo, b.hi
        positive = a
    else:
        low, high = -b.hi, -b.lo
        positive = neg(a)

    def quotient(x: float, y: float) -> float:
        if x == 0:
            return 0.0
        if y == 0:
            return math.copysign(INF, x)
        if math.isinf(y):
            return math.copysign(INF, x) if math.isinf(x) else 0.0
        return x / y

    corners = [quotient(x, y) for x in (positive.lo, positive.hi) for y in (low, high)]
    lo, hi = min(corners), max(corners)
    # A quotient of whole numbers other than zero is too large to underflow.
    whole = a.integer and b.integer and not a.can_be_zero
    return Range(lo, hi, False, False, lo > 0 or hi < 0 or whole, nan)


def square(a: Range) -> Range:
    """Square; zero also by underflow."""
    if a.lo >= 0:
        lo, hi = _times(a.lo, a.lo), _times(a.hi, a.hi)
    elif a.hi <= 0:
        lo, hi = _times(a.hi, a.hi), _times(a.lo, a.lo)
    else:
        lo, hi = 0.0, max(_times(a.lo, a.lo), _times(a.hi, a.hi))
    return Range(lo, hi, False, False, lo > 0 or (a.integer and not a.can_be_zero), a.nan, a.integer)


def absolute(a: Range) -> Range:
    """Absolute value."""
    zero_out = not a.can_be_zero
    if a.lo >= 0:
        return a
    if a.hi <= 0:
        return neg(a)
    return Range(0.0, max(-a.lo, a.hi), zero_out, False, zero_out, a.nan, a.integer)


def maximum(a: Range, b: Range) -> Range:
    """Larger of two; nan if either is."""
    lo, lo_open = max((a.lo, a.lo_open), (b.lo, b.lo_open))
    hi = max(a.hi, b.hi)
    nonzero = lo > 0 or (lo == 0 and lo_open) or (not a.can_be_zero and not b.can_be_zero)
    return Range(lo, hi, lo_open, False, nonzero, a.nan or b.nan, a.integer and b.integer)


def minimum(a: Range, b: Range) -> Range:
    """Smaller of two; nan if either is."""
    return neg(maximum(neg(a), neg(b)))
