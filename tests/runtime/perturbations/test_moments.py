"""Sums and sums of squares are turned together, as those of one and the same data."""

from __future__ import annotations

import numpy as np
import pytest

from numlint.runtime.perturbations.moments import PERTURBATION, pairs
from numlint.runtime.target import Role


@pytest.mark.parametrize(
    ("first", "second"),
    [("stats['obs']", "stats['obs**2']"), ("total", "total_sq"), ("self.sum", "self.sum_squares"), ("x", "sq_x")],
)
def test_pairs_are_recognised_by_their_names(first: str, second: str) -> None:
    inputs = {first: np.ones(3), second: np.ones(3), "other": np.ones(3), "obs**2": np.ones(3)}
    assert list(pairs(inputs)) == [(first, second)]


@pytest.mark.parametrize("names", [("a", "b"), ("x", "x3"), ("w1", "w2"), ("stats['x']", "other['x**2']")])
def test_others_are_not(names: tuple[str, str]) -> None:
    assert not list(pairs(dict.fromkeys(names, np.ones(3))))


def test_what_is_made_belongs_to_data_of_that_mean_and_of_unit_variance() -> None:
    inputs = {"total": np.zeros((2, 3)), "total_sq": np.zeros((2, 3)), "n": np.ones(2), "mean": np.zeros(3), "z": 1.5}
    (subject,) = PERTURBATION.subjects(inputs, {})
    turned = PERTURBATION.turned(inputs, {"n": Role("count")}, subject, 100.0, np.random.default_rng(0))
    mean = turned["total"] / turned["n"][:, None]
    assert np.all(mean == 100)
    assert np.all(turned["mean"] == 100)
    assert np.all(turned["total_sq"] / turned["n"][:, None] - mean**2 == 1)
    assert turned["z"] == 1.5
