"""The magnitude from which something fails."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlint.runtime.boundary import bisect


def later() -> float:
    return time.monotonic() + 5


@given(st.floats(1e-3, 1e8))
def test_the_boundary_is_found_within_a_per_cent(edge: float) -> None:
    found = bisect(lambda size: size >= edge, edge / 50, edge * 70, later())
    assert edge <= found * (1 + 1e-12)
    assert found == pytest.approx(edge, rel=0.01)


def test_negative_magnitudes_keep_their_sign() -> None:
    assert bisect(lambda size: size <= -745.1, -10, -1e4, later()) == pytest.approx(-745.1, rel=0.01)


def test_exp_overflows_in_float64_from_709() -> None:
    def overflows(size: float) -> bool:
        try:
            return math.isinf(math.exp(size))
        except OverflowError:
            return True

    assert bisect(overflows, 100, 1000, later()) == pytest.approx(709.78, rel=5e-3)


def test_what_cannot_be_judged_counts_as_passing() -> None:
    assert bisect(lambda size: None, 1, 8, later()) == pytest.approx(8, rel=0.01)


def test_without_time_the_failing_magnitude_is_returned() -> None:
    assert bisect(lambda size: True, 1, 8, time.monotonic() - 1) == 8
