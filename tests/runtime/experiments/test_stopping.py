"""Loops that stop too early, or never, and their twins that do neither."""

from __future__ import annotations

import math

import numpy as np

from numlint.runtime.experiments.stopping import EXPERIMENT
from numlint.runtime.target import Role
from tests.runtime.experiments.conftest import Experimenting

DESCEND = """
def descend(X, y, rate, limit=1000):
    w = np.zeros(X.shape[1])
    previous = np.inf
    for _ in range(limit):
        error = X @ w - y
        loss = np.mean(error**2)
        if abs(previous - loss) < 1e-6{scale}:
            break
        previous = loss
        w = w - rate * X.T @ error / len(y)
    return w
"""
X = np.random.default_rng(0).normal(size=(20, 3))
INPUTS = {"X": X, "y": X @ np.array([1.0, -2.0, 0.5]), "rate": 0.1}
ABSOLUTE, RELATIVE = DESCEND.format(scale=""), DESCEND.format(scale=" * previous if np.isfinite(previous) else False")


def test_an_absolute_tolerance_stops_early_in_another_unit(experimenting: Experimenting) -> None:
    evidence = experimenting(EXPERIMENT, "premature-stop", ABSOLUTE, "abs(previous - loss) < 1e-6", INPUTS).evidence
    assert evidence is not None
    assert evidence.signature == "premature-stop"
    assert evidence.realism == "realistic"
    assert evidence.figure.name == "way left at the stop"
    assert evidence.figure.value > 5
    assert evidence.boundary is not None
    assert evidence.boundary.knob in ("y divided by", "X and y divided by")
    assert 1 < evidence.boundary.fails_from["float64"] <= 100


def test_a_relative_tolerance_does_not(experimenting: Experimenting) -> None:
    # The unit of X and the rate matter to every descent with a fixed rate: only that of y is changed.
    roles = {"X": Role("onehot"), "rate": Role("tolerance")}
    result = experimenting(
        EXPERIMENT, "premature-stop", RELATIVE, "abs(previous - loss) < 1e-6", INPUTS, roles, seconds=2.0
    )
    assert result.evidence is None
    assert result.note == ""


def test_a_stop_on_a_plateau_needs_no_other_unit(experimenting: Experimenting) -> None:
    steep = {"X": X * [1.0, 1.0, 0.03], "y": INPUTS["y"], "rate": 0.1}
    code = ABSOLUTE.replace("1e-6", "1e-4")
    evidence = experimenting(EXPERIMENT, "premature-stop", code, "abs(previous - loss) < 1e-4", steep).evidence
    assert evidence is not None
    assert evidence.realism == "plain"
    assert evidence.boundary is None


def test_a_while_condition_is_run_on_as_well(experimenting: Experimenting) -> None:
    code = """
    def descend(y):
        w, step = 0.0 * y, 1.0
        while step > 1e-4:
            new = w + 0.01 * (y - w)
            step = np.abs(new - w).max()
            w = new
        return w
    """
    evidence = experimenting(EXPERIMENT, "premature-stop", code, "step > 1e-4", {"y": np.array([0.1])}).evidence
    assert evidence is not None
    assert evidence.figure.value > 5


def test_nan_that_passes_for_convergence(experimenting: Experimenting) -> None:
    code = """
    def descend(x, rate):
        error, steps = np.inf, 0
        while error > 1e-8 and steps < 1000:
            slope = 2.0 * x**3
            x = x - rate * slope
            error = np.abs(slope).max()
            steps += 1
        return x
    """
    inputs = {"x": np.array([0.5]), "rate": 0.1}
    evidence = experimenting(EXPERIMENT, "premature-stop", code, "error > 1e-8", inputs).evidence
    assert evidence is not None
    assert evidence.note == "the loop takes nan for convergence"
    assert evidence.realism == "realistic"


def test_a_loop_that_ends_by_its_limit_is_not_judged(experimenting: Experimenting) -> None:
    code = ABSOLUTE.replace("1e-6", "-1.0")
    result = experimenting(EXPERIMENT, "premature-stop", code, "abs(previous - loss) < -1.0", INPUTS, seconds=1.0)
    assert result.evidence is None
    assert result.note == "the loop did not end by the flagged test"


MEAN = """
def centre(points, limit=2000):
    mean = points[0]
    for _ in range(limit):
        new = mean + (points - mean).mean() * points.dtype.type(0.3)
        if abs(new - mean) < TOLERANCE and new != mean:
            break
        mean = new if new != mean else np.nextafter(mean, points.dtype.type(np.inf))
    return mean
"""


def test_a_tolerance_below_the_resolution_of_float32(experimenting: Experimenting) -> None:
    points = np.array([1000.1, 1000.7, 1000.9])
    code = MEAN.replace("TOLERANCE", "1e-8")
    evidence = experimenting(EXPERIMENT, "never-stops", code, "abs(new - mean) < 1e-8", {"points": points}).evidence
    assert evidence is not None
    assert evidence.format == "float32"
    assert evidence.figure.value > 1e-8
    assert "runs to its limit" in evidence.note


def test_a_tolerance_above_it(experimenting: Experimenting) -> None:
    code = """
    def centre(points):
        mean = points[0]
        for _ in range(2000):
            new = mean + (points - mean).mean() * points.dtype.type(0.3)
            if abs(new - mean) <= 1e-2 * abs(new):
                break
            mean = new
        return mean
    """
    points = np.array([1000.1, 1000.7, 1000.9])
    result = experimenting(EXPERIMENT, "never-stops", code, "abs(new - mean) <= 1e-2 * abs(new)", {"points": points})
    assert result.evidence is None


def test_a_loop_without_a_limit_runs_for_ever(experimenting: Experimenting) -> None:
    code = """
    def newton(x):
        while True:
            step = (x * x + 1.0) / (2.0 * x)
            x = x - step
            if abs(step) < 1e-10:
                return x
    """
    evidence = experimenting(
        EXPERIMENT, "never-stops", code, "True", {"x": 0.7}, {"x": Role("positive", 0.0, math.inf)}
    )
    assert evidence.evidence is None or "still running" in evidence.evidence.note


def test_a_cycle_runs_for_ever(experimenting: Experimenting) -> None:
    code = """
    def settle(x):
        change = np.inf
        while change > 1e-10:
            new = 1.0 - x
            change = abs(new - x)
            x = new
        return x
    """
    evidence = experimenting(EXPERIMENT, "never-stops", code, "change > 1e-10", {"x": 0.25}).evidence
    assert evidence is not None
    assert evidence.realism == "plain"
    assert evidence.figure.value == 0.5
    assert "still running" in evidence.note
