"""Elementary operations by the name of their ufunc, on plain arrays of exact numbers.

Sums and differences are numpy's own loops over objects; the rest are Python functions of
numbers, made into loops by `numpy.frompyfunc`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .numbers import active
from .special import DERIVED, SMOOTH

Array = Any


def _loop(function: Callable[..., Any], arity: int) -> Any:
    return np.frompyfunc(function, arity, 1)


def _unary(name: str) -> Callable[[Array], Any]:
    return lambda x: _loop(lambda item: active().call(name, item), 1)(x)


def _binary(name: str) -> Callable[[Array, Array], Any]:
    return lambda x, y: _loop(PAIRWISE[name], 2)(x, y)


def _compared(verdict: Callable[[int], bool], unordered: bool = False) -> Callable[[Array, Array], Any]:
    def compare(x: Array, y: Array) -> Any:
        def one(a: Any, b: Any) -> bool:
            side = active().compare(a, b)
            return unordered if side is None else verdict(side)

        return _boolean(_loop(one, 2)(x, y))

    return compare


def _boolean(result: Any) -> Any:
    return result.astype(bool) if isinstance(result, np.ndarray) else np.bool_(result)


def _predicate(test: Callable[[Any], bool]) -> Callable[[Array], Any]:
    return lambda x: _boolean(_loop(test, 1)(x))


def _multiply(x: Array, y: Array) -> Any:
    """Products; once a value is infinite, each is examined for the convention ``0 * log(0) = 0``."""
    return _loop(active().multiply, 2)(x, y) if active().account.undefined else np.multiply(x, y)


def matmul(x: Array, y: Array) -> Any:
    if active().account.undefined:
        if x.ndim == 1:
            return matmul(x[np.newaxis], y)[..., 0, :] if y.ndim > 1 else np.sum(_multiply(x, y))
        if y.ndim == 1:
            return matmul(x, y[:, np.newaxis])[..., 0]
        return np.add.reduce(_multiply(x[..., :, :, np.newaxis], y[..., np.newaxis, :, :]), axis=-2)
    if x.shape[-1] == 0:
        return np.matmul(np.zeros(x.shape), np.zeros(y.shape)) * active().zero
    return np.matmul(x, y)


def _floor_divide(x: Any, y: Any) -> Any:
    return active().call("floor", active().divide(x, y))


def _remainder(x: Any, y: Any) -> Any:
    return x - y * _floor_divide(x, y)


def _fmod(x: Any, y: Any) -> Any:
    return x - y * active().call("trunc", active().divide(x, y))


def _hypot(x: Any, y: Any) -> Any:
    return active().call("sqrt", x * x + y * y)


def _logaddexp(x: Any, y: Any) -> Any:
    field = active()
    if field.is_infinite(x) or field.is_infinite(y):
        return field.maximum(x, y)
    return field.call("log", field.call("exp", x) + field.call("exp", y))


def _logaddexp2(x: Any, y: Any) -> Any:
    field = active()
    return field.call("log2", field.call("exp2", x) + field.call("exp2", y))


def _arctan2(y: Any, x: Any) -> Any:
    field = active()
    across, along = field.sign(y), field.sign(x)
    if along > 0:
        return field.call("arctan", y / x)
    if along < 0:
        turn = field.pi() if across >= 0 else -field.pi()
        return field.call("arctan", y / x) + turn
    return field.pi() * across / 2


def _copysign(x: Any, y: Any) -> Any:
    return abs(x) if active().sign(y) >= 0 else -abs(x)


def _heaviside(x: Any, half: Any) -> Any:
    sign = active().sign(x)
    return active().zero if sign < 0 else half if sign == 0 else active().one


def _fmax(x: Any, y: Any) -> Any:
    return y if active().is_nan(x) else x if active().is_nan(y) else active().maximum(x, y)


def _fmin(x: Any, y: Any) -> Any:
    return y if active().is_nan(x) else x if active().is_nan(y) else active().minimum(x, y)


def _is_zero(x: Any) -> bool:
    return not active().is_nan(x) and active().is_finite(x) and active().sign(x) == 0


def _xlogy(x: Any, y: Any) -> Any:
    return active().zero if _is_zero(x) else active().multiply(x, active().call("log", y))


def _xlog1py(x: Any, y: Any) -> Any:
    return active().zero if _is_zero(x) else active().multiply(x, active().call("log1p", y))


def _rel_entr(x: Any, y: Any) -> Any:
    field = active()
    if _is_zero(x):
        return field.zero
    if _is_zero(y):
        field.event("rel_entr(x, 0)")
        return field.infinity
    return x * field.call("log", field.divide(x, y))


def _kl_div(x: Any, y: Any) -> Any:
    return _rel_entr(x, y) - x + y


def _binom(n: Any, k: Any) -> Any:
    field = active()
    return field.call(
        "exp", field.call("gammaln", n + 1) - field.call("gammaln", k + 1) - field.call("gammaln", n - k + 1)
    )


def _beta_function(a: Any, b: Any) -> Any:
    return active().call("exp", _betaln(a, b))


def _betaln(a: Any, b: Any) -> Any:
    field = active()
    return field.call("gammaln", a) + field.call("gammaln", b) - field.call("gammaln", a + b)


def _huber(delta: Any, r: Any) -> Any:
    field = active()
    return r * r / 2 if field.sign(abs(r) - delta) <= 0 else delta * (abs(r) - delta / 2)


PAIRWISE: dict[str, Callable[[Any, Any], Any]] = {
    "divide": lambda x, y: active().divide(x, y),
    "true_divide": lambda x, y: active().divide(x, y),
    "power": lambda x, y: active().power(x, y),
    "pow": lambda x, y: active().power(x, y),
    "float_power": lambda x, y: active().power(x, y),
    "maximum": lambda x, y: active().maximum(x, y),
    "minimum": lambda x, y: active().minimum(x, y),
    "fmax": _fmax,
    "fmin": _fmin,
    "floor_divide": _floor_divide,
    "remainder": _remainder,
    "mod": _remainder,
    "fmod": _fmod,
    "hypot": _hypot,
    "logaddexp": _logaddexp,
    "logaddexp2": _logaddexp2,
    "arctan2": _arctan2,
    "copysign": _copysign,
    "heaviside": _heaviside,
    "ldexp": lambda x, n: x * active().power(active().of(2), n),
    "subtract": lambda x, y: x - y,
    "xlogy": _xlogy,
    "xlog1py": _xlog1py,
    "rel_entr": _rel_entr,
    "kl_div": _kl_div,
    "binom": _binom,
    "beta": _beta_function,
    "betaln": _betaln,
    "huber": _huber,
}
LOGICAL = frozenset("logical_and logical_or logical_xor logical_not".split())
OPERATIONS: dict[str, Callable[..., Any]] = {
    **{name: _unary(name) for name in (*SMOOTH, *DERIVED)},
    **{name: _binary(name) for name in PAIRWISE},
    "add": np.add,
    "subtract": np.subtract,
    "multiply": _multiply,
    "negative": np.negative,
    "positive": lambda x: x.copy(),
    "conjugate": lambda x: x.copy(),
    "absolute": np.absolute,
    "fabs": np.absolute,
    "matmul": matmul,
    "vecdot": lambda x, y: np.add.reduce(_multiply(x, y), axis=-1),
    "less": _compared(lambda side: side < 0),
    "less_equal": _compared(lambda side: side <= 0),
    "greater": _compared(lambda side: side > 0),
    "greater_equal": _compared(lambda side: side >= 0),
    "equal": _compared(lambda side: side == 0),
    "not_equal": _compared(lambda side: side != 0, unordered=True),
    "isnan": _predicate(lambda x: active().is_nan(x)),
    "isinf": _predicate(lambda x: active().is_infinite(x)),
    "isfinite": _predicate(lambda x: active().is_finite(x)),
    "signbit": _predicate(lambda x: active().sign(x) < 0),
    "divmod": lambda x, y: (_loop(_floor_divide, 2)(x, y), _loop(_remainder, 2)(x, y)),
    "modf": lambda x: (x - _unary("trunc")(x), _unary("trunc")(x)),
}
