"""The smallest failing input."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from numlint.runtime.minimise import minimise
from numlint.runtime.target import Role


def later() -> float:
    return time.monotonic() + 5


def test_rows_that_do_not_matter_go_and_entries_become_simple() -> None:
    z = np.random.default_rng(0).normal(size=(6, 4))
    z[3, 2] = 812.34567

    def fails(inputs: dict[str, Any]) -> bool:
        return bool(np.any(np.isinf(np.exp(inputs["z"]))))

    with np.errstate(over="ignore"):
        smallest = minimise({"z": z}, {}, fails, later())["z"]
    np.testing.assert_array_equal(smallest, [[800.0]])


def test_inputs_that_share_an_axis_are_cut_together() -> None:
    inputs = {"X": np.ones((8, 3)), "y": np.zeros(8)}

    def fails(candidate: dict[str, Any]) -> bool:
        return len(candidate["X"]) == len(candidate["y"]) >= 2

    smallest = minimise(inputs, {}, fails, later())
    assert smallest["X"].shape == (2, 1)
    assert smallest["y"].shape == (2,)


def test_a_matrix_with_structure_keeps_its_entries() -> None:
    matrix = np.array([[2.345, 0.1], [0.1, 1.234]])
    smallest = minimise({"K": matrix}, {"K": Role("spd")}, lambda inputs: inputs["K"].shape == (2, 2), later())
    np.testing.assert_array_equal(smallest["K"], matrix)


def test_the_original_is_left_alone_and_no_time_means_no_change() -> None:
    inputs = {"z": np.array([1.25, 3.5])}
    assert minimise(inputs, {}, lambda _: True, time.monotonic() - 1) is inputs
    minimise(inputs, {}, lambda _: True, later())
    np.testing.assert_array_equal(inputs["z"], [1.25, 3.5])
