"""Arithmetic that rounds after every operation."""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlint.runtime.formats import BFLOAT16, FLOAT16, FLOAT32, FORMATS, Format
from numlint.runtime.rounding import Rounded

FINITE = st.floats(-1e4, 1e4)
FORM = st.sampled_from(list(FORMATS.values()))


def run(form: Format, body: str, **inputs: Any) -> tuple[Any, Rounded]:
    module = types.ModuleType("rounded")
    exec(f"import math\nimport numpy as np\ndef f({', '.join(inputs)}):\n    {body}\n", vars(module))
    arithmetic = Rounded(form)
    lifted = arithmetic.lift(inputs)
    with arithmetic.patched([module]), np.errstate(all="ignore"):
        return arithmetic.lower(module.f(**lifted)), arithmetic


@given(FINITE, FORM)
def test_rounding_is_idempotent(x: float, form: Format) -> None:
    once = form.round(x)
    assert form.round(once) == once


@given(FINITE, FINITE, FORM)
def test_rounding_is_monotone(x: float, y: float, form: Format) -> None:
    low, high = sorted((x, y))
    assert form.round(low) <= form.round(high)


@given(FINITE, FINITE)
def test_float32_operations_are_those_of_the_hardware(x: float, y: float) -> None:
    a, b = np.float32(x), np.float32(y)
    got, _ = run(FLOAT32, "return a * b + a - b", a=np.array([a]), b=np.array([b]))
    assert got[0] == a * b + a - b


def test_constants_do_not_promote() -> None:
    got, arithmetic = run(FLOAT32, "return x * np.sqrt(2 * np.pi)", x=np.ones(2, dtype=np.float32))
    assert got.dtype == np.float32
    if int(np.__version__.split(".")[0]) >= 2:
        assert arithmetic.promoted == ["multiply"]


def test_python_constants_promote_nowhere() -> None:
    _, arithmetic = run(FLOAT32, "return x * 2.0 + 1", x=np.ones(2, dtype=np.float32))
    assert arithmetic.promoted == []


def test_an_array_of_zeros_is_reported_as_promotion() -> None:
    got, arithmetic = run(FLOAT32, "return np.zeros(2) + x", x=np.ones(2, dtype=np.float32))
    assert got.dtype == np.float32
    assert arithmetic.promoted == ["add"]


@pytest.mark.parametrize("body", ["return x.sum()", "return np.sum(x)", "return x @ x", "return np.dot(x, x)"])
def test_sums_accumulate_in_float32(body: str) -> None:
    got, _ = run(BFLOAT16, body, x=np.ones(20_000))
    assert got == 19_968.0


def test_the_mean_does_not_overflow_in_float16() -> None:
    got, _ = run(FLOAT16, "return x.mean(), x.var()", x=np.full(20_000, 100.0))
    assert got == (100.0, 0.0)


def test_running_sums_stall() -> None:
    got, _ = run(BFLOAT16, "return np.cumsum(x)[-1]", x=np.ones(1000))
    assert got == 256.0


def test_python_loops_stall() -> None:
    got, _ = run(BFLOAT16, "return sum(list(x))", x=np.ones(1000))
    assert got == 256.0


@pytest.mark.parametrize(("form", "limit"), [(FLOAT16, 11.5), (FLOAT32, 89.0)])
def test_naive_softmax_overflows_where_the_format_ends(form: Format, limit: float) -> None:
    body = "e = np.exp(x); return e / e.sum()"
    assert np.isnan(run(form, body, x=np.array([0.0, limit]))[0]).any()
    assert np.isfinite(run(form, body, x=np.array([0.0, limit - 1.5]))[0]).all()


def test_linear_algebra_computes_in_float64_and_rounds() -> None:
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    got, _ = run(FLOAT16, "return np.linalg.inv(a)", a=a)
    assert got.dtype == np.float16
    np.testing.assert_array_equal(got, np.linalg.inv(a).astype(np.float16))


def test_bfloat16_keeps_eight_bits_after_each_operation() -> None:
    got, _ = run(BFLOAT16, "return (x + 1) - 1", x=np.array([2.0**-9]))
    assert got[0] == 0.0
    got, _ = run(FLOAT32, "return (x + 1) - 1", x=np.array([2.0**-9]))
    assert got[0] == 2.0**-9
