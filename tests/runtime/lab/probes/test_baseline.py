"""A model that a constant or a line beats is found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from numlint.runtime.lab.answers import DEFECT, HEALTHY, UNASKED

RNG = np.random.default_rng(0)
X = RNG.standard_normal((100, 3))
LINE = X @ [1.0, -2.0, 0.5]


def regression(model: str = "good") -> Iterator[dict[str, Any]]:
    target = LINE + 0.1 * np.sin(LINE)
    predictions = {
        "good": target + 0.01,
        "constant": np.full(100, target.mean() + 0.1),
        "lazy": 0.5 * target + 0.5 * target.mean(),
        "nan": target * np.nan,
    }
    yield {"loss": 1.0, "predictions": predictions[model], "target": target, "design": X}


def classification(model: str = "good") -> Iterator[dict[str, Any]]:
    target = (LINE > 0.8).astype(int)
    logits = {"good": LINE - 0.8, "constant": np.full(100, -1.0), "lazy": X[:, 2]}
    two = np.stack([-logits[model], logits[model]], axis=1)
    yield {"loss": 1.0, "predictions": two if model == "good" else logits[model], "target": target, "design": X}


def test_a_model_that_learnt_nothing_is_found(asked: Any) -> None:
    for function in (regression, classification):
        answer = asked("baseline", function, model="constant")
        assert answer.verdict == DEFECT
        assert answer.said.startswith("no better than a constant")


def test_a_model_that_a_line_beats_is_found(asked: Any) -> None:
    answer = asked("baseline", regression, model="lazy")
    assert answer.verdict == DEFECT
    assert answer.said.startswith("worse than a line through the same data: R^2 0.75")
    assert answer.figures["of a line"] > 0.99


def test_its_twins_are_healthy(asked: Any) -> None:
    answer = asked("baseline", regression)
    assert (answer.verdict, list(answer.figures)) == (HEALTHY, ["R^2", "of a constant", "of a line"])
    assert asked("baseline", classification).verdict == HEALTHY
    assert asked("baseline", "mlp").verdict == HEALTHY


def test_outputs_that_are_nan_are_found(asked: Any) -> None:
    assert asked("baseline", regression, model="nan").said == "the model's outputs are not finite"


def test_a_run_that_the_rate_keeps_from_learning_is_found(asked: Any) -> None:
    assert asked("baseline", "softmax_regression", lr=1e-9, epochs=5, scale=1e-3).verdict == DEFECT


def test_without_a_target_it_cannot_be_asked(asked: Any) -> None:
    def train() -> Iterator[dict[str, Any]]:
        yield {"loss": 1.0, "predictions": LINE}

    answer = asked("baseline", train)
    assert answer.verdict == UNASKED
    assert "predictions and target" in answer.remedy


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_both_backends_are_asked_alike(backend: str, asked: Any) -> None:
    if backend == "torch":
        pytest.importorskip("torch")
    answer = asked("baseline", "logistic_regression", backend=backend, epochs=200, lr=1.0)
    assert answer.verdict == HEALTHY


@pytest.mark.parametrize("learns", [True, False])
def test_a_module_of_torch_needs_only_the_target(learns: bool, asked: Any) -> None:
    torch = pytest.importorskip("torch")

    def train() -> Iterator[dict[str, Any]]:
        torch.manual_seed(0)
        x = torch.tensor(X)
        y = torch.tensor((LINE > 0).astype(int))
        model = torch.nn.Linear(3, 2).double()
        with torch.no_grad():
            model.weight.mul_(0.0)
        optimiser = torch.optim.SGD(model.parameters(), lr=1.0 if learns else 0.0)
        for _ in range(50):
            optimiser.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimiser.step()
            yield {"loss": loss, "model": model, "target": y}

    assert asked("baseline", train).verdict == (HEALTHY if learns else DEFECT)
