"""Why a number is wrong: each cause is measured, and none is named without its measurement."""

from __future__ import annotations

import numpy as np
import pytest

from numlint.runtime.cause import SIGNATURES, causes, nearby, sensitivity, spread
from numlint.runtime.exhibit import Exhibit, harness_of
from numlint.runtime.prove import _Truths
from numlint.runtime.symptoms import shown

HEAD = "import math\nimport numpy as np\n\n"


def named(body: str, call: str, meant: str = "", elementwise: bool = True) -> set[str]:
    """The causes that are measured for a wrong number, among all."""
    code = f"{HEAD}def f(x, y=0.0):\n    return {body}\n"
    other = (f"{HEAD}def f(x, y=0.0):\n    return {meant}\n",) if meant else ()
    exhibit = Exhibit("rule", "bad", 0, code, call, meant=other, elementwise=elementwise)
    harness = harness_of(code, call)
    truths = _Truths(exhibit, harness)
    found = shown(harness.run(), truths(harness.inputs), elementwise=elementwise)
    return set(causes(harness, truths.defined, SIGNATURES, found, 5.0))


@pytest.mark.parametrize(
    ("body", "call"),
    [
        ("1 - np.cos(x)", "f(np.array([1e-6]))"),
        ("np.log(1 + x)", "f(1e-10)"),
        ("np.mean(x**2) - np.mean(x)**2", "f(1e8 + np.array([0.1, 0.2, 0.4]))"),
    ],
)
def test_digits_that_an_operation_loses_are_cancellation(body: str, call: str) -> None:
    assert "cancellation" in named(body, call)


def test_a_term_that_changes_nothing_is_absorbed() -> None:
    assert "absorption" in named("(x + y) - x", "f(1e20, 1.0)")


def test_a_zero_that_is_none_is_underflow() -> None:
    assert "underflow" in named("math.log(x * y)", "f(1e-200, 1e-200)")


def test_an_overflow_is_neither_cancellation_nor_absorption() -> None:
    assert not {"cancellation", "absorption", "underflow"} & named("np.log(np.exp(x))", "f(np.array([1000.0]))")


def test_a_residual_is_a_backward_error() -> None:
    call = "(A := np.vander(np.linspace(1.0, 2.0, 12))) @ f(A, np.ones(12))"
    assert "backward-error" in named("np.linalg.inv(x) @ y", call, elementwise=False)
    assert named("np.linalg.solve(x, y)", call, elementwise=False) <= {"ill-conditioned"}


def test_what_one_rounding_error_moves_is_ill_conditioned() -> None:
    assert "ill-conditioned" in named("np.linalg.solve(np.vander(x), np.ones(8))", "f(np.arange(1990.0, 1998.0))")
    assert named("np.sum(x)", "f(np.array([1.0, 2.0]))") == set()


def test_nearby_inputs_are_one_rounding_error_away() -> None:
    x = np.array([1.0, -2.0, 0.0], np.float32)
    for changed in nearby({"x": x, "n": 3, "t": 0.5}, 4):
        assert changed["n"] == 3
        assert changed["x"].dtype == np.float32
        assert np.all(changed["x"] != x)
        assert np.all(np.abs(changed["x"] - x) <= np.spacing(np.abs(x)))
        assert abs(changed["t"] - 0.5) <= np.spacing(0.5)


def test_a_symmetric_function_does_not_hide_its_sensitivity() -> None:
    code = f"{HEAD}def f(x):\n    return np.var(x)\n"
    harness = harness_of(code, "f(1e8 + np.array([0.1, 0.2, 0.3]))")
    truths = _Truths(Exhibit("rule", "good", 0, code, ""), harness)
    # The condition number is about mean / std = 1e9, and eps is 1e-16.
    explained = spread(harness.inputs, truths.defined)
    assert explained is not None
    assert explained > 1e-8
    assert sensitivity(harness, 5.0) > 1e-8
