"""Functions of one variable that are made of more elementary ones, under the names of numpy and scipy.special.

Written for balls: no care for overflow or cancellation, since the precision takes care of both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# Fields and their numbers come from outside; nothing of `numbers` is needed here.
Number = Any


def exp2(f: Any, x: Number) -> Number:
    return f.power(f.of(2), x)


def log2(f: Any, x: Number) -> Number:
    exponent = f.log2_size(x)
    if (
        f.log2_radius(x) == -float("inf")
        and exponent == int(exponent)
        and f.sign(x - f.power(f.of(2), f.of(int(exponent)))) == 0
    ):
        return f.of(int(exponent))
    return f.analytic("log", x) / f.analytic("log", f.of(2))


def log10(f: Any, x: Number) -> Number:
    return f.analytic("log", x) / f.analytic("log", f.of(10))


def cbrt(f: Any, x: Number) -> Number:
    sign = f.sign(x)
    if sign == 0:
        return f.zero
    root = f.analytic("exp", f.analytic("log", abs(x)) / 3)
    return root if sign > 0 else -root


def expit(f: Any, x: Number) -> Number:
    return f.one / (f.one + f.analytic("exp", -x))


def log_expit(f: Any, x: Number) -> Number:
    return -f.analytic("log1p", f.analytic("exp", -x))


def logit(f: Any, x: Number) -> Number:
    return f.analytic("log", x / (f.one - x))


def ndtr(f: Any, x: Number) -> Number:
    return f.analytic("erfc", -x / f.analytic("sqrt", f.of(2))) / 2


def log_ndtr(f: Any, x: Number) -> Number:
    return f.call("log", ndtr(f, x))


def ndtri(f: Any, x: Number) -> Number:
    return f.analytic("sqrt", f.of(2)) * f.analytic("erfinv", 2 * x - 1)


def erfcx(f: Any, x: Number) -> Number:
    return f.analytic("exp", x * x) * f.analytic("erfc", x)


def exprel(f: Any, x: Number) -> Number:
    return f.one if f.sign(x) == 0 else f.analytic("expm1", x) / x


def entr(f: Any, x: Number) -> Number:
    sign = f.sign(x)
    return f.zero if sign == 0 else -f.infinity if sign < 0 else -x * f.analytic("log", x)


def gammaln(f: Any, x: Number) -> Number:
    """Logarithm of the absolute value of the gamma function."""
    if _at_pole(f, x):
        f.event("gammaln at a pole")
        return f.infinity
    return f.analytic("lgamma", x) if f.sign(x) > 0 else f.analytic("log", abs(f.analytic("gamma", x)))


def gamma(f: Any, x: Number) -> Number:
    if _at_pole(f, x):
        f.event("gamma at a pole")
        return f.nan
    return f.analytic("gamma", x)


def digamma(f: Any, x: Number) -> Number:
    if _at_pole(f, x):
        f.event("digamma at a pole")
        return f.nan
    return f.analytic("digamma", x)


def factorial(f: Any, x: Number) -> Number:
    return gamma(f, x + 1)


def _at_pole(f: Any, x: Number) -> bool:
    whole = f.whole(x)
    return whole is not None and whole <= 0


def sinc(f: Any, x: Number) -> Number:
    if f.sign(x) == 0:
        return f.one
    return f.analytic("sin", f.pi() * x) / (f.pi() * x)


def absolute(f: Any, x: Number) -> Number:
    return abs(x)


def square(f: Any, x: Number) -> Number:
    return f.integer_power(x, 2)


def reciprocal(f: Any, x: Number) -> Number:
    return f.divide(f.one, x)


def sign(f: Any, x: Number) -> Number:
    return f.of(f.sign(x))


def radians(f: Any, x: Number) -> Number:
    return x * f.pi() / 180


def degrees(f: Any, x: Number) -> Number:
    return x * 180 / f.pi()


def floor(f: Any, x: Number) -> Number:
    return f.of(f.floor(x))


def ceil(f: Any, x: Number) -> Number:
    return f.of(-f.floor(-x))


def trunc(f: Any, x: Number) -> Number:
    return floor(f, x) if f.sign(x) >= 0 else ceil(f, x)


def rint(f: Any, x: Number) -> Number:
    """To the nearest integer, ties to even."""
    below = f.floor(x)
    side = f.sign(2 * (x - f.of(below)) - 1)
    return f.of(below + (1 if side > 0 or (side == 0 and below % 2) else 0))


DERIVED: dict[str, Callable[[Any, Number], Number]] = {
    "exp2": exp2,
    "log2": log2,
    "log10": log10,
    "cbrt": cbrt,
    "expit": expit,
    "log_expit": log_expit,
    "logit": logit,
    "ndtr": ndtr,
    "log_ndtr": log_ndtr,
    "ndtri": ndtri,
    "erfcx": erfcx,
    "exprel": exprel,
    "entr": entr,
    "gammaln": gammaln,
    "loggamma": gammaln,
    "gamma": gamma,
    "digamma": digamma,
    "psi": digamma,
    "factorial": factorial,
    "sinc": sinc,
    "absolute": absolute,
    "fabs": absolute,
    "square": square,
    "reciprocal": reciprocal,
    "sign": sign,
    "radians": radians,
    "deg2rad": radians,
    "degrees": degrees,
    "rad2deg": degrees,
    "floor": floor,
    "ceil": ceil,
    "trunc": trunc,
    "rint": rint,
}
SMOOTH = frozenset(
    "exp expm1 log log1p sqrt sin cos tan sinh cosh tanh arcsin arccos arctan arcsinh arccosh arctanh "
    "erf erfc erfinv".split()
)
"""Functions that a field has by itself."""
