"""Arithmetic in the format for real."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlint.runtime.formats import BFLOAT16, FLOAT16, Format
from numlint.runtime.lab.precision import PRECISIONS, Bfloat16, array

SMALL = st.floats(-100, 100)


@given(SMALL, SMALL)
def test_each_operation_of_bfloat16_is_rounded(x: float, y: float) -> None:
    a, b = array([x], BFLOAT16), array([y], BFLOAT16)
    for result, exact in ((a + b, float(a[0]) + float(b[0])), (a * b, float(a[0]) * float(b[0]))):
        assert isinstance(result, Bfloat16)
        # Through float32 first, as hardware does.
        assert result[0] == BFLOAT16.round(np.float32(exact))


def test_sums_accumulate_in_float32_and_are_rounded_once() -> None:
    assert array(np.ones(20_000), BFLOAT16).sum() == 19_968
    assert array(np.ones(2_050), FLOAT16).sum() == 2_050


@pytest.mark.parametrize("form", [FLOAT16, BFLOAT16], ids=lambda item: item.name)
def test_products_of_matrices_accumulate_in_float32(form: Format) -> None:
    generator = np.random.default_rng(0)
    A, B = (array(generator.normal(size=(20, 20)), form) for _ in range(2))
    exact = np.asarray(A, dtype=np.float32).view(np.ndarray) @ np.asarray(B, dtype=np.float32).view(np.ndarray)
    assert np.array_equal(np.asarray(A @ B), np.asarray(array(exact, form)))
    assert type(A @ B) is type(A)


def test_products_of_float16_are_those_of_numpy() -> None:
    generator = np.random.default_rng(1)
    A, b = (generator.normal(size=shape).astype(np.float16) for shape in ((8, 5), (5,)))
    assert np.allclose(np.asarray(array(A, FLOAT16) @ array(b, FLOAT16)), A @ b, rtol=1e-3)


def test_float16_overflows_and_underflows() -> None:
    with np.errstate(all="ignore"):
        assert np.isinf(array([300.0], FLOAT16) * array([300.0], FLOAT16))[0]
        assert (array([1e-4], FLOAT16) * array([1e-4], FLOAT16))[0] == 0
        assert np.isinf(array([[300.0]], FLOAT16) @ array([[300.0]], FLOAT16))[0, 0]


def test_mixed_keeps_weights_in_float32_and_computes_in_float16() -> None:
    mixed = PRECISIONS["mixed"]
    weights = mixed.weights({"w": np.array([1.0 + 2.0**-20])})
    assert weights["w"][0] == np.float32(1.0 + 2.0**-20)
    assert mixed.lowered(weights)["w"][0] == 1.0
    assert mixed.lowered(weights)["w"].dtype == np.float16
