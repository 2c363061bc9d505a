"""Balls of python-flint: a midpoint and a proven bound of its error (Arb, F. Johansson, IEEE Trans. Computers 2017)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb, ctx

from .numbers import Field, Number

_METHODS = {
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
}


class Balls(Field):
    """The field of python-flint's real balls."""

    name = "flint"
    certified = True
    kind = arb
    zero, one, nan, infinity = arb(0), arb(1), arb("nan"), arb("inf")

    def enter(self) -> Any:
        before = ctx.prec
        ctx.prec = self.bits
        return before

    def leave(self, before: Any) -> None:
        ctx.prec = before

    def of(self, value: Any) -> Number:
        if isinstance(value, (float, int)):
            return arb(value)
        if isinstance(value, arb):
            return value
        if isinstance(value, np.longdouble):
            high = float(value)
            return arb(high) + arb(float(value - np.longdouble(high))) if math.isfinite(high) else arb(high)
        if isinstance(value, np.floating):
            return arb(float(value))
        if isinstance(value, np.ndarray) and value.ndim == 0:
            return self.of(value.view(np.ndarray)[()])
        if isinstance(value, Fraction):
            return arb(value.numerator) / arb(value.denominator)
        return arb(int(value))

    def is_nan(self, x: Number) -> bool:
        return bool(x.is_nan())

    def is_infinite(self, x: Number) -> bool:
        return not x.is_finite() and math.isinf(float(x.mid())) and not x.mid().is_finite()

    def is_finite(self, x: Number) -> bool:
        return bool(x.is_finite()) or not (x.is_nan() or self.is_infinite(x))

    def sign_or_none(self, x: Number) -> int | None:
        return 1 if x > 0 else -1 if x < 0 else 0 if x.is_zero() else None

    def compare(self, x: Number, y: Number) -> int | None:
        return -1 if x < y else 1 if x > y else super().compare(x, y)

    def analytic(self, name: str, x: Number) -> Number:
        return getattr(x, _METHODS.get(name, name))()

    def pi(self) -> Number:
        return arb.pi()

    def floor_int(self, x: Number) -> int:
        return int(x.mid().floor().unique_fmpz())

    def midpoint(self, x: Number) -> Number:
        return x.mid()

    def negligible(self, x: Number) -> bool:
        return bool(x.is_finite()) and self.log2_size(x.abs_upper()) < -0.5 * self.bits

    def log2_size(self, x: Number) -> float:
        return _log2(x.mid())

    def log2_radius(self, x: Number) -> float:
        return _log2(x.rad())

    def to_float(self, x: Number) -> float:
        if x.is_nan():
            return math.nan
        if not x.is_finite() and not self.is_infinite(x):
            return math.nan
        return float(x.mid())

    def maximum(self, x: Number, y: Number) -> Number:
        return self.nan if x.is_nan() or y.is_nan() else x.max(y)

    def minimum(self, x: Number, y: Number) -> Number:
        return self.nan if x.is_nan() or y.is_nan() else x.min(y)


def _log2(x: Number) -> float:
    """Base-2 logarithm of an exact ball, whatever its exponent."""
    if x.is_zero():
        return -math.inf
    if not x.is_finite():
        return math.nan if x.is_nan() else math.inf
    mantissa, exponent = x.man_exp()
    mantissa, exponent = abs(int(mantissa)), int(exponent)
    excess = max(mantissa.bit_length() - 60, 0)
    try:
        return math.log2(mantissa >> excess) + excess + exponent
    except OverflowError:
        return math.copysign(math.inf, exponent)
