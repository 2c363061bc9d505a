"""When training stops, and with which reason."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlint.stopping import RobustStopping

from .conftest import Training


def quadratic(stop: RobustStopping, unit: float = 1.0, rate: float = 0.2) -> int:
    """Epochs of descent on unit * (w**2 / 2 + 1)."""
    w = 1.0
    for epoch in range(1000):
        if stop.update(unit * (w * w / 2 + 1), unit * abs(w)):
            return epoch
        w -= rate * w
    return 1000


@given(st.floats(1e-12, 1e12))
def test_the_unit_of_the_loss_does_not_matter(unit: float) -> None:
    stop = RobustStopping()
    assert quadratic(stop, unit) == pytest.approx(quadratic(RobustStopping()), abs=1)
    assert stop.converged


def test_one_small_step_does_not_stop() -> None:
    stop = RobustStopping(patience=3)
    assert not any(stop.update(loss, 1.0) for loss in (1.0, 1.0, 0.5, 0.5, 0.2, 0.2))


def test_a_plateau_with_a_large_gradient_does_not_stop() -> None:
    stop = RobustStopping()
    assert not any(stop.update(1.0, 0.5) for _ in range(100))


def test_nan_stops_after_the_patience_and_is_said() -> None:
    stop = RobustStopping(patience=2)
    assert [stop.update(loss, 1.0) for loss in (1.0, math.nan, 0.9, math.nan, math.nan)] == [False] * 4 + [True]
    assert "nan" in stop.reason
    assert not stop.converged


def test_a_tolerance_below_the_resolution_is_raised_to_it() -> None:
    eps = 2.0**-23
    stop = RobustStopping(1e-12, resolution=eps, gradient_tolerance=1.0)
    losses = [1.0 + eps * (epoch % 2) for epoch in range(10)]  # goes to and fro between neighbours
    assert any(stop.update(loss, 0.1) for loss in losses)


def test_without_gradients_the_change_alone_decides_and_takes_longer() -> None:
    stop = RobustStopping(patience=2)
    assert [stop.update(1.0) for _ in range(7)] == [False] * 6 + [True]


@pytest.mark.parametrize("wrong", [{"tolerance": 0.0}, {"patience": 0}])
def test_settings_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="tolerance must be above 0"):
        RobustStopping(**wrong)


def test_the_robust_rule_against_the_single_step(trained: Training) -> None:
    """A small learning rate makes small steps: the one rule takes them for the end."""
    settings = {"lr": 0.05, "tolerance": 5e-3, "epochs": 1000}
    single, robust = (trained("logistic_regression", stop=stop, **settings) for stop in ("single-step", "robust"))
    assert (single.status, robust.status) == ("stopped", "converged")
    assert len(single.epochs) < 50 < len(robust.epochs)
    assert robust.final_loss < 0.6 * single.final_loss


def test_it_needs_no_numpy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys, numlint.stopping; print(sorted({'numpy', 'torch'} & {*sys.modules}))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"
