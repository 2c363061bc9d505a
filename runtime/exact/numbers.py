"""Real numbers to any precision, with the conventions that numpy gives to their edges.

A `Field` is one kind of number: balls of python-flint (`balls`), where every result
carries a proven bound of its error, or numbers of mpmath (`reals`), which do not.
What both share is here: what happens at the edge of a domain (``log(0)`` is minus
infinity, ``0/0`` is not a number), the limits at infinity, and what a comparison
answers when the precision does not suffice: it raises `Undecided`, and the oracle tries
again with more bits. An infinity or a nan is entered in the `Account`, so that a result
which is not a number can be explained: there is no true value.

The product of an exact zero and the logarithm of an exact zero is zero, the convention
of information theory: ``p * log(p)`` is continuous at 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from .special import DERIVED

Number = Any


class Undecided(ArithmeticError):
    """Two values are too close for this precision to tell which is greater."""


class Unsupported(NotImplementedError):
    """An operation that has no counterpart in exact arithmetic."""


@dataclass
class Account:
    """What happened during one run in exact arithmetic.

    Attributes
    ----------
    undefined : list of str
        Operations without a value, such as ``"log of a negative number"``, first one first.
    undecided : bool
        A comparison needs more precision.
    assumed : int
        Comparisons that no precision decided, taken as equalities.
    unsupported : list of str
        Operations that exact arithmetic does not have.
    rounded : int
        Values that left the exact arithmetic through `float`.
    """

    undefined: list[str] = field(default_factory=list)
    undecided: bool = False
    assumed: int = 0
    unsupported: list[str] = field(default_factory=list)
    rounded: int = 0


# Closed domains: lowest argument and the value there, highest argument and the value there.
# None: the function itself is right at its edge.
_INF = math.inf
DOMAINS: dict[str, tuple[float, float | None, float, float | None]] = {
    "log": (0, -_INF, _INF, None),
    "log2": (0, -_INF, _INF, None),
    "log10": (0, -_INF, _INF, None),
    "log1p": (-1, -_INF, _INF, None),
    "sqrt": (0, 0, _INF, None),
    "arccosh": (1, 0, _INF, None),
    "arctanh": (-1, -_INF, 1, _INF),
    "arcsin": (-1, None, 1, None),
    "arccos": (-1, None, 1, None),
    "logit": (0, -_INF, 1, _INF),
    "erfinv": (-1, -_INF, 1, _INF),
    "ndtri": (0, -_INF, 1, _INF),
}
# Limits at minus and plus infinity; a function that is not here has none.
LIMITS: dict[str, tuple[float, float]] = {
    "exp": (0, _INF),
    "exp2": (0, _INF),
    "expm1": (-1, _INF),
    "log": (math.nan, _INF),
    "log2": (math.nan, _INF),
    "log10": (math.nan, _INF),
    "absolute": (_INF, _INF),
    "square": (_INF, _INF),
    "sign": (-1, 1),
    "reciprocal": (0, 0),
    "log1p": (math.nan, _INF),
    "sqrt": (math.nan, _INF),
    "cbrt": (-_INF, _INF),
    "sinh": (-_INF, _INF),
    "cosh": (_INF, _INF),
    "tanh": (-1, 1),
    "arcsinh": (-_INF, _INF),
    "arccosh": (math.nan, _INF),
    "erf": (-1, 1),
    "erfc": (2, 0),
    "expit": (0, 1),
    "log_expit": (-_INF, 0),
    "ndtr": (0, 1),
    "log_ndtr": (-_INF, 0),
    "gammaln": (_INF, _INF),
    "gamma": (math.nan, _INF),
    "digamma": (math.nan, _INF),
    "floor": (-_INF, _INF),
    "ceil": (-_INF, _INF),
    "rint": (-_INF, _INF),
    "trunc": (-_INF, _INF),
}


class Field:
    """One kind of real number; a subclass supplies the primitives.

    Parameters
    ----------
    bits : int
        Precision.
    assume : bool
        Take two values for equal when this precision cannot tell them apart, instead of raising `Undecided`.
    """

    name = ""
    certified = False
    """Whether every number carries a bound of its error."""
    kind: type = object
    zero: Number
    one: Number
    nan: Number
    infinity: Number

    def __init__(self, bits: int = 256, assume: bool = False) -> None:
        self.bits = bits
        self.assume = assume
        self.account = Account()

    # Primitives.

    def enter(self) -> Any:
        """Set the precision; returns what `leave` restores."""
        raise NotImplementedError

    def leave(self, before: Any) -> None:
        raise NotImplementedError

    def of(self, value: Any) -> Number:
        """The number that a Python or numpy number stands for, without rounding."""
        raise NotImplementedError

    def is_nan(self, x: Number) -> bool:
        raise NotImplementedError

    def is_infinite(self, x: Number) -> bool:
        """Whether it is certainly an infinity."""
        raise NotImplementedError

    def sign_or_none(self, x: Number) -> int | None:
        """-1, 0, 1, or None when the precision does not tell."""
        raise NotImplementedError

    def analytic(self, name: str, x: Number) -> Number:
        """A smooth function inside its domain, by numpy's name."""
        raise NotImplementedError

    def pi(self) -> Number:
        raise NotImplementedError

    def floor_int(self, x: Number) -> int:
        raise NotImplementedError

    def midpoint(self, x: Number) -> Number:
        """The number without its bound of error."""
        return x

    def negligible(self, x: Number) -> bool:
        """Whether an undecided number is so small that, at the last precision, it is taken for zero."""
        raise NotImplementedError

    def log2_size(self, x: Number) -> float:
        """Base-2 logarithm of the absolute value; minus infinity for zero."""
        raise NotImplementedError

    def log2_radius(self, x: Number) -> float:
        """Base-2 logarithm of the bound of the absolute error; minus infinity where it is exact."""
        return -math.inf

    def to_float(self, x: Number) -> float:
        raise NotImplementedError

    # Conventions.

    def event(self, text: str) -> None:
        if text not in self.account.undefined:
            self.account.undefined.append(text)

    def is_finite(self, x: Number) -> bool:
        return not self.is_nan(x) and not self.is_infinite(x)

    def sign(self, x: Number) -> int:
        """Sign of a number that is not nan.

        Raises
        ------
        Undecided
        """
        known = self.sign_or_none(x)
        if known is not None:
            return known
        if self.assume and self.negligible(x):
            self.account.assumed += 1
            return 0
        self.account.undecided = True
        raise Undecided("the precision does not tell two values apart")

    def compare(self, x: Number, y: Number) -> int | None:
        """-1, 0 or 1; None where one of them is nan."""
        if self.is_nan(x) or self.is_nan(y):
            return None
        if self.is_infinite(x) or self.is_infinite(y):
            a, b = self.to_float(x), self.to_float(y)
            return (a > b) - (a < b)
        return self.sign(x - y)

    def call(self, name: str, x: Number) -> Number:
        """A function of one variable, with its domain, its poles and its limits."""
        if self.is_nan(x):
            return self.nan
        if self.is_infinite(x) and name in LIMITS:
            return self.of(LIMITS[name][self.to_float(x) > 0])
        if name in DOMAINS:
            low, at_low, high, at_high = DOMAINS[name]
            for edge, value, outside in ((low, at_low, -1), (high, at_high, 1)):
                if math.isinf(edge):
                    continue
                side = self.sign(x - self.of(edge))
                if side == outside:
                    below = "a negative number" if edge == 0 and outside < 0 else "a number outside its domain"
                    self.event(f"{name} of {below}")
                    return self.nan
                if side == 0:
                    if value is None:
                        x = self.of(edge)
                    else:
                        if math.isinf(value):
                            self.event(f"{name}({edge:g})")
                        return self.of(value)
        derived = DERIVED.get(name)
        return derived(self, x) if derived else self.analytic(name, x)

    def multiply(self, x: Number, y: Number) -> Number:
        if self.is_infinite(x) or self.is_infinite(y):
            if self.is_nan(x) or self.is_nan(y):
                return self.nan
            sign = self.sign(x) * self.sign(y)
            if sign:
                return self.infinity if sign > 0 else -self.infinity
            only_logarithms = all(text.startswith("log") for text in self.account.undefined)
            if only_logarithms:
                return self.zero
            self.event("0 * inf")
            return self.nan
        return x * y

    def divide(self, x: Number, y: Number) -> Number:
        if self.is_nan(x) or self.is_nan(y):
            return self.nan
        if self.is_infinite(y):
            if self.is_infinite(x):
                self.event("inf / inf")
                return self.nan
            return self.zero
        sign = self.sign(y)
        if sign == 0:
            above = self.sign(x)
            self.event("0 / 0" if above == 0 else "division by zero")
            return self.nan if above == 0 else self.infinity if above > 0 else -self.infinity
        if self.is_infinite(x):
            return x if sign > 0 else -x
        return x / y

    def power(self, x: Number, y: Number) -> Number:
        if not self.is_nan(y) and self.is_finite(y) and self.sign_or_none(y) == 0:
            return self.one
        if self.is_nan(x) or self.is_nan(y):
            return self.nan
        whole = self.whole(y)
        if whole is not None and self.is_finite(x):
            if whole < 0:
                return self.divide(self.one, self.integer_power(x, -whole))
            return self.integer_power(x, whole)
        if self.is_infinite(x) or self.is_infinite(y):
            return self.of(_float_power(self.to_float(x), self.to_float(y)))
        sign = self.sign(x)
        if sign < 0:
            self.event("power of a negative number")
            return self.nan
        if sign == 0:
            return self.zero if self.sign(y) > 0 else self.divide(self.one, self.zero)
        if self.sign_or_none(y - self.of(0.5)) == 0:
            return self.analytic("sqrt", x)
        return self.analytic("exp", y * self.analytic("log", x))

    def integer_power(self, x: Number, n: int) -> Number:
        """By repeated squaring: Arb's own power goes through the logarithm where a ball holds zero."""
        result = self.one
        for bit in bin(n)[2:]:
            result = result * result
            result = result * x if bit == "1" else result
        return result

    def whole(self, x: Number) -> int | None:
        """The integer that a number certainly is, when it is a small one."""
        if self.is_finite(x) and self.log2_radius(x) == -math.inf and self.log2_size(x) < 31:
            n = self.floor_int(x)
            if self.sign_or_none(x - self.of(n)) == 0:
                return n
        return None

    def floor(self, x: Number) -> int:
        """Largest integer below a finite number.

        Raises
        ------
        Undecided
        """
        below, above = self.floor_int(x), self.floor_int(x) + 1
        near = min((below, above), key=lambda n: abs(self.to_float(x - self.of(n))))
        return near if self.sign(x - self.of(near)) >= 0 else near - 1

    def maximum(self, x: Number, y: Number) -> Number:
        side = self.compare(x, y)
        return self.nan if side is None else x if side >= 0 else y

    def minimum(self, x: Number, y: Number) -> Number:
        side = self.compare(x, y)
        return self.nan if side is None else x if side <= 0 else y


def _float_power(x: float, y: float) -> float:
    try:
        return math.pow(x, y)
    except (ValueError, OverflowError):
        return math.nan


_active: list[Field] = []


def active() -> Field:
    """The field that exact arrays compute in."""
    return _active[-1]


def activate(chosen: Field) -> None:
    _active[:] = [chosen]
