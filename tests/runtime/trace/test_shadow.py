"""The shadow changes nothing, and survives the common idioms."""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlint.runtime.formats import FLOAT64, Format
from numlint.runtime.trace import Ranges, Shadow
from numlint.runtime.trace.evaluate import Traced

THIS = sys.modules[__name__]


def traced(function: Callable[..., Any], *arguments: Any, kind: Any = Shadow, form: Format = FLOAT64) -> Any:
    arithmetic = kind(form)
    lifted = arithmetic.lift(arguments)
    with arithmetic.patched([THIS]), np.errstate(all="ignore"):
        result = function(*lifted)
    return result, arithmetic


def assigned(x: Any) -> Any:
    out = np.zeros(len(x))
    for i in range(len(x)):
        out[i] = math.exp(x[i])
    return out


def in_place(x: Any) -> Any:
    y = x.copy()
    y += 1
    y[y > 1.5] *= 2
    y[1:][...] = np.log(y[1:])
    return y


def with_out(x: Any) -> Any:
    out = np.empty_like(x)
    np.exp(x, out=out)
    return out


def loop(x: Any) -> Any:
    total, i = 0.0, 0
    while i < len(x) and total < 100:
        total = total + x[i] ** 2
        i += 1
    return total


IDIOMS: dict[str, Callable[[Any], Any]] = {
    "assignment": assigned,
    "in place": in_place,
    "out": with_out,
    "while": loop,
    "mask": lambda x: x[x > 0.5] * 2,
    "fancy": lambda x: x[[0, 0, 1]] / 3,
    "transpose": lambda x: np.outer(x, x).T @ x,
    "list comprehension": lambda x: np.array([v * 2 for v in x]),
    "asarray": lambda x: np.asarray(x) / 3,
    "float": lambda x: float(x[0]) / 3,
    "item": lambda x: x[0].item() / 3,
    "tolist": lambda x: np.array([v / 3 for v in x.tolist()]),
    "builtin sum": lambda x: sum(v / 3 for v in x),
    "math": lambda x: math.sqrt(x[0]) + math.log(x[1]),
    "concatenate": lambda x: np.concatenate([x, x / 3]),
    "stack": lambda x: np.stack([x, x / 3]).sum(axis=1),
    "where": lambda x: np.where(x > 1, x / 3, x),
    "clip": lambda x: np.clip(x, 0.4, 1.0) / 3,
    "einsum": lambda x: np.einsum("i,i->", x, x),
    "norm": lambda x: np.linalg.norm(x),
    "inverse": lambda x: np.linalg.inv(np.diag(x)),
    "solve": lambda x: np.linalg.solve(np.diag(x) + 0.1, x),
    "cumulative": lambda x: np.cumsum(x / 3),
    "mean and std": lambda x: (x - x.mean()) / x.std(),
    "sort": lambda x: np.sort(x) / 3,
    "deep copy": lambda x: copy.deepcopy(x) / 3,
    "float64": lambda x: np.float64(x[0]) / 3,
    "astype": lambda x: x.astype(np.float32) / 3,
    "power": lambda x: x**2 + x**0.5 + x[0] ** 2,
    "maximum reduce": lambda x: np.maximum.reduce(x) / 3,
    "format": lambda x: (f"{x[0]:.3f} {x}", x / 3)[1],
}
VALUES = np.array([0.3, 1.7, 0.9])


@pytest.mark.parametrize("kind", [Shadow, Ranges])
@pytest.mark.parametrize("idiom", IDIOMS.values(), ids=IDIOMS.keys())
def test_idioms_compute_the_same_and_keep_the_shadow(idiom: Callable[[Any], Any], kind: Any) -> None:
    plain = idiom(VALUES.copy())
    result, arithmetic = traced(idiom, VALUES, kind=kind)
    lowered = arithmetic.lower(result)
    assert type(lowered) is type(plain)
    np.testing.assert_array_equal(lowered, plain)
    assert isinstance(result, Traced)
    assert not arithmetic.ledger.lost


LOST: dict[str, Callable[[Any], Any]] = {
    "fft": lambda x: np.fft.ifft(np.fft.fft(x)).real,
    "eigenvalues": lambda x: np.linalg.eigvalsh(np.diag(x)),
    "apply_along_axis": lambda x: np.apply_along_axis(lambda v: v / 3, 0, x),
}


@pytest.mark.parametrize("idiom", LOST.values(), ids=LOST.keys())
def test_what_loses_the_shadow_computes_the_same(idiom: Callable[[Any], Any]) -> None:
    result, arithmetic = traced(idiom, VALUES)
    np.testing.assert_array_equal(arithmetic.lower(result), idiom(VALUES.copy()))


UNARY: list[Callable[..., Any]] = [
    np.exp,
    np.sqrt,
    np.abs,
    np.tanh,
    lambda x: x**2,
    lambda x: -x,
    lambda x: x.sum(),
    lambda x: x[::2],
]
BINARY: list[Callable[..., Any]] = [np.add, np.subtract, np.multiply, np.maximum, lambda a, b: a / (1 + b * b)]


@given(
    st.lists(st.floats(0.01, 3), min_size=2, max_size=9),
    st.lists(st.tuples(st.integers(0, len(UNARY) - 1), st.integers(0, len(BINARY) - 1)), max_size=5),
)
def test_tracing_changes_no_bit(values: list[float], steps: list[tuple[int, int]]) -> None:
    def expression(x: Any) -> Any:
        result = x
        for unary, binary in steps:
            other = UNARY[unary](result) if np.ndim(result) else result
            result = BINARY[binary](result, other) if np.ndim(other) == 0 or len(other) == len(result) else other
        return result

    with np.errstate(all="ignore"):
        plain = expression(np.array(values))
    result, arithmetic = traced(expression, np.array(values))
    np.testing.assert_array_equal(arithmetic.lower(result), plain)
