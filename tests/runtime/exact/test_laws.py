"""What must hold of exact arithmetic, whatever the expression."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from numlint.runtime.exact import Exact, available
from numlint.runtime.exact.numbers import Field, Undecided
from numlint.runtime.oracle import true_array

pytestmark = pytest.mark.skipif(not available(), reason="needs python-flint or mpmath")

Expression = Callable[[Any], Any]

UNARY: dict[str, Expression] = {
    "exp(-x)": lambda x: np.exp(-x),
    "log": lambda x: np.log(x + 1),
    "sqrt": lambda x: np.sqrt(x),
    "square": lambda x: x * x,
    "tanh": lambda x: np.tanh(x),
    "normalised": lambda x: x / x.sum(),
    "centred square": lambda x: (x - x.mean()) ** 2,
    "product": lambda x: (x[:, None] @ x[None, :]) @ x,
}
CHAINS = st.lists(st.sampled_from(sorted(UNARY)), min_size=1, max_size=3)
VECTORS = st.lists(st.floats(0.125, 4.0), min_size=2, max_size=4).map(np.array)


def evaluate(chain: list[str], x: Any) -> Any:
    for name in chain:
        x = UNARY[name](x)
    return x.sum()


def exactly(chain: list[str], vector: Any, bits: int) -> Any:
    arithmetic = Exact(bits)
    lifted = arithmetic.lift(vector)
    with arithmetic.patched([]):
        return evaluate(chain, lifted)


@settings(max_examples=40, deadline=None)
@given(CHAINS, VECTORS)
def test_the_exact_value_is_float64s_to_a_few_units(chain: list[str], vector: Any) -> None:
    native = evaluate(chain, vector)
    try:
        exact, certain = true_array(exactly(chain, vector, 128))
    except Undecided:
        reject()
    if not certain:  # it is zero, or nearly so
        exact, certain = true_array(exactly(chain, vector, 3200))
    assert certain
    # Differences from the mean cancel: their error is relative to the numbers that they are differences of.
    assert abs(float(exact) - native) <= 1e-12 * max(abs(native), 1.0)


@settings(max_examples=25, deadline=None)
@given(CHAINS, VECTORS)
def test_a_higher_precision_stays_inside_the_ball(chain: list[str], vector: Any) -> None:
    pytest.importorskip("flint")
    try:
        low, high = (exactly(chain, vector, bits).objects[()] for bits in (64, 512))
    except Undecided:
        reject()  # a division by something that is zero, or nearly so
    assert low.overlaps(high)
    assert high.rad() <= low.rad()


def backends(bits: int = 200) -> tuple[Field, Field]:
    pytest.importorskip("flint")
    pytest.importorskip("mpmath")
    from numlint.runtime.exact.balls import Balls
    from numlint.runtime.exact.reals import Reals

    return Balls(bits), Reals(bits)


@pytest.mark.parametrize(
    "name",
    "exp expm1 log log1p sqrt sin cos tan sinh cosh tanh arctan arcsinh erf erfc log2 log10 cbrt expit log_expit "
    "ndtr log_ndtr gammaln gamma digamma exp2 floor ceil rint exprel entr erfcx".split(),
)
def test_both_kinds_of_numbers_agree(name: str) -> None:
    for x in (0.3, 1.0, 7.25):
        found = []
        for field in backends():
            before = field.enter()
            value = field.call(name, field.of(x))
            high = field.to_float(value)
            found.append((high, field.to_float(value - field.of(high))))
            field.leave(before)
        assert found[0][0] == found[1][0]
        assert found[0][1] == pytest.approx(found[1][1], rel=1e-12, abs=1e-60)


EDGES = [
    ("log", 0.0, -math.inf),
    ("log", -1.0, math.nan),
    ("sqrt", -1.0, math.nan),
    ("sqrt", 0.0, 0.0),
    ("log1p", -1.0, -math.inf),
    ("arctanh", 1.0, math.inf),
    ("exp", -math.inf, 0.0),
    ("tanh", math.inf, 1.0),
    ("expit", -math.inf, 0.0),
    ("gammaln", 0.0, math.inf),
    ("reciprocal", 0.0, math.inf),
    ("entr", 0.0, 0.0),
    ("logit", 1.0, math.inf),
]


@pytest.mark.parametrize(("name", "x", "expected"), EDGES)
def test_the_edges_of_domains_are_numpys(name: str, x: float, expected: float) -> None:
    arithmetic = Exact(128)
    arithmetic.lift(0.0)
    field = arithmetic.numbers
    got = field.to_float(field.call(name, field.of(x)))
    assert got == expected or (math.isnan(got) and math.isnan(expected))
    assert bool(field.account.undefined) == (math.isfinite(x) and not math.isfinite(expected))


@pytest.mark.parametrize(("x", "y"), [(0.0, 0.0), (2.0, -1.0), (-2.0, 3.0), (0.0, -1.0), (-8.0, 1 / 3), (4.0, 0.5)])
def test_powers_are_numpys(x: float, y: float) -> None:
    arithmetic = Exact(128)
    lifted = arithmetic.lift(np.array([x]))
    with np.errstate(all="ignore"), arithmetic.patched([]):
        np.testing.assert_allclose((lifted**y).nearest(), np.array([x]) ** y)


@pytest.mark.parametrize(("x", "y"), [(1.0, 0.0), (-1.0, 0.0), (0.0, 0.0), (np.inf, np.inf), (1.0, np.inf)])
def test_quotients_are_numpys(x: float, y: float) -> None:
    arithmetic = Exact(128)
    a, b = arithmetic.lift(np.array([x])), arithmetic.lift(np.array([y]))
    with np.errstate(all="ignore"), arithmetic.patched([]):
        np.testing.assert_array_equal((a / b).nearest(), np.array([x]) / np.array([y]))


def test_values_too_close_to_tell_apart_are_undecided() -> None:
    arithmetic = Exact(64)
    x = arithmetic.lift(np.array([2.0]))
    with arithmetic.patched([]), pytest.raises(Undecided):
        bool(np.sqrt(x)[0] * np.sqrt(x)[0] > x[0])
    assert arithmetic.account.undecided
