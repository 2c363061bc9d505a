"""When a result is wrong, and in which way."""

from __future__ import annotations

import math

import numpy as np
import pytest

from numlint.runtime.compare import TrueArray, compare, disagreement, shown
from numlint.runtime.formats import BFLOAT16, FLOAT16, FLOAT32, FLOAT64


def test_a_rounding_error_is_no_failure() -> None:
    assert compare([1.0, 2.0 + 1e-15], [1.0, 2.0], FLOAT64).kind == ""


def test_more_than_half_of_the_digits_lost_is_one() -> None:
    error = compare(1.001, 1.0, FLOAT32)
    assert error.kind == "digits"
    assert error.value == pytest.approx(1e-3)
    assert error.digits_lost == pytest.approx(math.log10(1e-3 / 2**-23))


@pytest.mark.parametrize(
    ("got", "true", "kind"),
    [
        (math.nan, 1.0, "nan"),
        (math.inf, 1.0, "inf"),
        (0.0, 1e-10, "zero"),
        (-1.0, 1.0, "sign"),
        (2.0, 1.0, "digits"),
        (1.0, math.nan, "undefined"),
        (math.nan, math.nan, "undefined"),
    ],
)
def test_the_kind_of_failure(got: float, true: float, kind: str) -> None:
    assert compare(got, true, FLOAT64).kind == kind


def test_a_true_value_beyond_the_format_is_nobodys_fault() -> None:
    assert compare(np.float32(np.inf), 1e39, FLOAT32).kind == "unrepresentable"
    assert compare(np.float16(np.inf), 7e4, FLOAT16).kind == "unrepresentable"
    assert compare(np.inf, 1e39, FLOAT64).kind == "inf"


def test_true_values_beyond_float64_are_known_by_their_logarithm() -> None:
    large = TrueArray.of(np.inf, log2abs=np.array(1442.7), defined=np.array(True))
    small = TrueArray.of(0.0, log2abs=np.array(-1442.7), defined=np.array(True))
    assert compare(np.inf, large, FLOAT64).kind == "unrepresentable"
    assert compare(0.0, small, FLOAT64).kind in ("", "unrepresentable")
    assert compare(1e-3, small, FLOAT64).kind == "digits"
    assert shown(large) == "1.98e+434"


def test_underflow_of_a_subnormal_number_is_no_failure() -> None:
    assert not compare(np.float32(0), 1e-44, FLOAT32).failed
    assert compare(np.float32(0), 1e-30, FLOAT32).kind == "zero"


def test_small_entries_count_only_where_entries_are_judged_alone() -> None:
    assert compare([1.0, 2e-9], [1.0, 1e-9], FLOAT64, elementwise=True).kind == "digits"
    assert compare([1.0, 2e-9], [1.0, 1e-9], FLOAT64, elementwise=False).kind == ""


def test_what_rounding_leaves_of_a_true_zero_is_no_failure() -> None:
    assert compare([1e-17, 1.0], [0.0, 1.0], FLOAT64).kind == ""
    assert compare(2.0, 0.0, FLOAT64).kind == "digits"


def test_the_worst_entry_is_named() -> None:
    error = compare([[1.0, 1.0], [1e300, np.nan]], [[1.0, 1.1], [1e300, 2.0]], FLOAT64)
    assert (error.kind, error.where) == ("nan", (1, 1))
    assert math.isinf(error.value)


def test_another_shape_is_wrong_unless_it_holds_the_same_numbers() -> None:
    assert compare([1.0, 2.0], [1.0, 2.0, 3.0], FLOAT64).failed
    assert not compare([[1.0, 2.0]], [1.0, 2.0], FLOAT64).failed


def test_integers_booleans_and_real_complex_numbers_compare() -> None:
    assert not compare(3, 3.0, FLOAT64).failed
    assert not compare(np.array([True]), [1.0], FLOAT64).failed
    assert not compare(np.array([1 + 0j]), [1.0], FLOAT64).failed
    assert compare(np.array([1 + 1j]), [1.0], FLOAT64).failed


def test_the_tolerance_is_that_of_the_format() -> None:
    assert compare(1.01, 1.0, BFLOAT16).kind == ""
    assert compare(1.01, 1.0, FLOAT32).kind == "digits"


def test_disagreement_of_two_runs() -> None:
    assert disagreement([np.array([1.0, 2.0])], [np.array([1.0, 2.2])]) == pytest.approx(0.2 / 2.2)
    assert disagreement([np.nan], [np.nan]) == 0.0
    assert disagreement([1.0], [np.nan]) == math.inf
    assert disagreement([1.0], []) == math.inf
    assert disagreement([np.array([1.0, 1e-9])], [np.array([1.0, 2e-9])], elementwise=False) < 1e-8
