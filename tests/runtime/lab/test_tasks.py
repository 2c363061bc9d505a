"""The tasks: gradients are right, formats are real, and torch computes the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from numlint.runtime.lab import losses
from numlint.runtime.lab.activations import ACTIVATIONS
from numlint.runtime.lab.descent import Problem
from numlint.runtime.lab.precision import PRECISIONS
from numlint.runtime.lab.tasks import builtin
from numlint.runtime.lab.tasks.linear_regression import SOLVERS, Squares
from numlint.runtime.lab.tasks.logistic_regression import Logistic
from numlint.runtime.lab.tasks.mlp import Perceptron
from numlint.runtime.lab.tasks.rnn import Recurrent
from numlint.runtime.lab.tasks.softmax_regression import Softmax

from .conftest import Training

GENERATOR = np.random.default_rng(0)
X, SIDES = GENERATOR.normal(size=(7, 4)), GENERATOR.integers(0, 2, 7)
PROBLEMS: list[tuple[Problem, Any]] = [
    (Squares(4), X[:, 0] * 2),
    (Logistic(4, "stable"), SIDES * 1.0),
    (Logistic(4, "naive"), SIDES * 1.0),
    (Softmax(4, 2, "stable"), np.eye(2)[SIDES]),
    (Softmax(4, 2, "naive"), np.eye(2)[SIDES]),
    *((Perceptron((4, 5, 3, 2), name, 1.0, "stable"), np.eye(2)[SIDES]) for name in ACTIVATIONS),
    *((Recurrent(2, 2, 3, name, 0.9, "stable"), SIDES * 1.0) for name in ("tanh", "sigmoid", "linear")),
]
DESCENDED = ["linear_regression", "logistic_regression", "mlp", "rnn", "softmax_regression"]


@pytest.mark.parametrize(("problem", "y"), PROBLEMS, ids=lambda item: type(item).__name__)
def test_gradients_are_those_of_the_loss(problem: Problem, y: Any) -> None:
    start = {name: item + 0.1 for name, item in problem.initial(np.random.default_rng(1)).items()}
    gradients = problem.both(start, X, y, 1.0).gradients
    assert gradients.keys() == start.keys()
    for name, item in start.items():
        for index in np.ndindex(item.shape):
            ends = []
            for h in (1e-6, -1e-6):
                moved = {**start, name: item.copy()}
                moved[name][index] += h
                ends.append(float(problem.both(moved, X, y, 1.0).loss))
            assert gradients[name][index] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=2e-8)


@pytest.mark.parametrize("pair", [losses.BINARY, losses.CLASSES], ids=["binary", "classes"])
def test_naive_and_stable_losses_are_equal_where_both_are_right(pair: dict[str, losses.Loss]) -> None:
    binary = pair is losses.BINARY
    z, y = (X[:, 0], SIDES * 1.0) if binary else (X[:, :2], np.eye(2)[SIDES])
    (p, loss), (p2, loss2) = pair["naive"](z, y), pair["stable"](z, y)
    assert np.allclose(p, p2, rtol=1e-12)
    assert loss == pytest.approx(loss2, rel=1e-12)


@pytest.mark.parametrize(("name", "bound"), [("float64", 710.0), ("float32", 89.0), ("float16", 12.0)])
def test_naive_losses_fail_where_stable_ones_do_not(name: str, bound: float) -> None:
    z = PRECISIONS[name].array([bound, -bound])
    y = PRECISIONS[name].array([1.0, 0.0])
    with np.errstate(all="ignore"):
        assert np.isnan(losses.naive_binary(z, y)[1])
        assert np.isnan(losses.naive_classes(np.stack([z, -z], 1), np.stack([y, 1 - y], 1))[1])
    assert losses.stable_binary(z, y)[1] < 1e-4
    assert losses.stable_classes(np.stack([z, -z], 1), np.stack([y, 1 - y], 1))[1] < 1e-4


@pytest.mark.parametrize("task", DESCENDED)
@pytest.mark.parametrize("precision", ["float64", "float32", "float16", "bfloat16", "mixed"])
def test_every_task_trains_in_every_format_and_torch_agrees(task: str, precision: str, trained: Training) -> None:
    settings = {
        "precision": precision,
        "lr": 0.05,
        "epochs": 12,
        "rows": 60,
        **({"columns": 6} if task == "rnn" else {}),
    }
    native = trained(task, **settings)
    assert native.final_loss < native.epochs[0].loss
    pytest.importorskip("torch")
    other = trained(task, backend="torch", **settings)
    tolerance = {"float64": 1e-10, "float32": 1e-4}.get(precision, 0.05)
    assert other.final_loss == pytest.approx(native.final_loss, rel=tolerance)
    assert other.epochs[0].gradient_norm == pytest.approx(native.epochs[0].gradient_norm, rel=tolerance)


def test_formats_differ_as_they_should(trained: Training) -> None:
    weights = [trained("mlp", precision=name, lr=0.3, epochs=20).largest_weight for name in PRECISIONS]
    assert len(set(weights)) == len(PRECISIONS)


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_finds_the_weights_of_a_good_design(solver: str, trained: Training) -> None:
    run = trained("linear_regression", solver=solver)
    assert run.status == "converged"
    assert run.final_loss == pytest.approx(trained("linear_regression", solver="lstsq").final_loss, rel=1e-12)


def test_the_normal_equations_square_the_condition_number(trained: Training) -> None:
    runs = {name: trained("linear_regression", solver=name, condition=1e4, precision="float32") for name in SOLVERS}
    assert {name for name, run in runs.items() if run.findings} == {"inverse", "normal"}


def test_lapack_has_no_half_precision(trained: Training) -> None:
    run = trained("linear_regression", solver="qr", precision="float16")
    assert run.status == "refused"
    assert "solver=gd" in run.reason


def test_settings_are_completed_and_wrong_ones_refused(trained: Training) -> None:
    run = trained("logistic_regression", learning_rate=0.2, epochs=1)
    assert run.configuration.settings.keys() == builtin()["logistic_regression"].options.keys()
    assert run.configuration.lr == 0.2
    assert "did you mean 'momentum'" in trained("mlp", momentun=1).reason
    assert "one of naive, stable" in trained("mlp", loss="good").reason
    assert "lr is a number, not 'fast'" in trained("mlp", lr="fast").reason
    assert "epochs is a whole number" in trained("mlp", epochs=2.5).reason
    assert "there is no task" in trained("mlpp").reason


def test_clipping_bounds_the_step_and_not_what_is_logged(trained: Training) -> None:
    run = trained("linear_regression", lr=0.1, clip=0.5, epochs=3)
    assert run.epochs[0].gradient_norm > 1
    assert run.epochs[0].update_norm == pytest.approx(0.05)
