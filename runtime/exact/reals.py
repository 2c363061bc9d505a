"""Numbers of mpmath: any precision, pure Python, no bound of the error.

Where python-flint is missing. Two values that agree in three quarters of the bits and
are not the same are undecided; that a result is right shows only in its agreement with
that of a higher precision.
"""

from __future__ import annotations

import importlib
import math
import sys
from fractions import Fraction
from typing import Any

import numpy as np

from .numbers import Field, Number

_NAMES = {
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "lgamma": "loggamma",
}
_LARGE = 2.0**60
"""Beyond it an exponential is taken for infinite: its exponent alone would fill the memory."""


class Reals(Field):
    """The field of mpmath's floating-point numbers.

    Parameters
    ----------
    bits, assume
        As in `Field`.
    directory : str
        Where to import mpmath from when the interpreter has none.

    Raises
    ------
    ImportError
    """

    name = "mpmath"

    def __init__(self, bits: int = 256, assume: bool = False, directory: str = "") -> None:
        super().__init__(bits, assume)
        if directory and directory not in sys.path:
            sys.path.append(directory)
        self.mp: Any = importlib.import_module("mpmath").mp
        self.kind = self.mp.mpf
        self.zero, self.one = self.mp.mpf(0), self.mp.mpf(1)
        self.nan, self.infinity = self.mp.mpf("nan"), self.mp.mpf("inf")

    def enter(self) -> Any:
        before = self.mp.prec
        self.mp.prec = self.bits
        return before

    def leave(self, before: Any) -> None:
        self.mp.prec = before

    def of(self, value: Any) -> Number:
        if isinstance(value, self.kind):
            return value
        if isinstance(value, (float, int)):
            return self.mp.mpf(value)
        if isinstance(value, np.longdouble):
            high = float(value)
            low = float(value - np.longdouble(high)) if math.isfinite(high) else 0.0
            return self.mp.mpf(high) + self.mp.mpf(low)
        if isinstance(value, np.floating):
            return self.mp.mpf(float(value))
        if isinstance(value, np.ndarray) and value.ndim == 0:
            return self.of(value.view(np.ndarray)[()])
        if isinstance(value, Fraction):
            return self.mp.mpf(value.numerator) / value.denominator
        return self.mp.mpf(int(value))

    def is_nan(self, x: Number) -> bool:
        return bool(self.mp.isnan(x))

    def is_infinite(self, x: Number) -> bool:
        return bool(self.mp.isinf(x))

    def sign_or_none(self, x: Number) -> int | None:
        return int(x > 0) - int(x < 0)

    def compare(self, x: Number, y: Number) -> int | None:
        if not (self.is_finite(x) and self.is_finite(y)) or x == y:
            return super().compare(x, y)
        if abs(x - y) * 2 ** (3 * self.bits // 4) > max(abs(x), abs(y)):
            return 1 if x > y else -1
        return self.sign(self.nan)

    def sign(self, x: Number) -> int:
        return super().sign(x) if not self.is_nan(x) else self._undecided()

    def _undecided(self) -> int:
        from .numbers import Undecided

        if self.assume:
            self.account.assumed += 1
            return 0
        self.account.undecided = True
        raise Undecided("the precision does not tell two values apart")

    def analytic(self, name: str, x: Number) -> Number:
        if name in ("exp", "expm1", "sinh", "cosh") and abs(x) > _LARGE:
            at_minus = {"exp": 0, "expm1": -1, "sinh": -math.inf, "cosh": math.inf}[name]
            return self.infinity if x > 0 else self.of(at_minus)
        return getattr(self.mp, _NAMES.get(name, name))(x)

    def pi(self) -> Number:
        return +self.mp.pi

    def floor_int(self, x: Number) -> int:
        return int(self.mp.floor(x))

    def negligible(self, x: Number) -> bool:
        return self.log2_size(x) < -0.5 * self.bits

    def log2_size(self, x: Number) -> float:
        if x == 0:
            return -math.inf
        if not self.is_finite(x):
            return math.nan if self.is_nan(x) else math.inf
        mantissa, exponent = int(x.man), int(x.exp)
        excess = max(mantissa.bit_length() - 60, 0)
        return math.log2(abs(mantissa) >> excess) + excess + exponent

    def to_float(self, x: Number) -> float:
        return float(x)
