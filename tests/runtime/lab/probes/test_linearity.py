"""A missing activation is found between the layers where it is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from numlint.runtime.lab.answers import DEFECT, HEALTHY


def two_layers(bends: bool) -> Callable[..., Iterator[dict[str, Any]]]:
    def train() -> Iterator[dict[str, Any]]:
        rng = np.random.default_rng(0)
        A, B, inputs = rng.standard_normal((5, 8)), rng.standard_normal((8, 2)), rng.standard_normal((30, 5))

        def predict(X: Any) -> Any:
            return (np.tanh(X @ A) if bends else X @ A) @ B + 1.0

        yield {"loss": 1.0, "parameters": {"A": A, "B": B}, "predict": predict, "inputs": inputs}

    return train


def test_two_layers_that_are_one_are_found(asked: Any) -> None:
    answer = asked("linearity", two_layers(False))
    assert answer.verdict == DEFECT
    assert "its 2 layers are no more than one" in answer.said
    assert answer.figures["departure from a line"] < 1e-12


def test_their_twin_with_an_activation_is_healthy(asked: Any) -> None:
    answer = asked("linearity", two_layers(True))
    assert answer.verdict == HEALTHY
    assert answer.figures["departure from a line"] > 0.01


def test_a_linear_model_is_meant_to_be_linear(asked: Any) -> None:
    answer = asked("linearity", "logistic_regression", epochs=20)
    assert (answer.verdict, answer.said) == (HEALTHY, "one layer, and affine, as it should be")


def torch_task(*parts: str) -> Callable[..., Iterator[dict[str, Any]]]:
    torch = pytest.importorskip("torch")
    nn = torch.nn

    def train() -> Iterator[dict[str, Any]]:
        torch.manual_seed(0)
        made = {
            "linear": lambda: nn.Linear(8, 8),
            "relu": nn.ReLU,
            "norm": lambda: nn.BatchNorm1d(8),
            "dropout": lambda: nn.Dropout(0.5),
            "tanh": nn.Tanh,
        }
        model, x = nn.Sequential(*(made[part]() for part in parts)), torch.randn(32, 8)
        for _ in range(3):
            yield {"loss": model(x).square().mean(), "model": model}

    return train


@pytest.mark.parametrize(
    ("parts", "pair"),
    [
        (("linear", "relu", "linear", "linear"), "2 and 3"),
        (("linear", "norm", "dropout", "linear", "tanh", "linear"), "0 and 3"),
    ],
)
def test_in_torch_the_two_layers_are_named(parts: tuple[str, ...], pair: str, asked: Any) -> None:
    answer = asked("linearity", torch_task(*parts))
    assert (answer.verdict, answer.said) == (DEFECT, f"nothing but a factor and a shift stands between {pair}")


@pytest.mark.parametrize("parts", [("linear", "relu", "linear", "norm", "tanh", "linear"), ("linear",)])
def test_their_twins_are_healthy(parts: tuple[str, ...], asked: Any) -> None:
    assert asked("linearity", torch_task(*parts)).verdict == HEALTHY


def test_projections_beside_each_other_are_no_pair(asked: Any) -> None:
    torch = pytest.importorskip("torch")

    class Attention(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.query, self.key, self.value = (torch.nn.Linear(8, 8) for _ in range(3))

        def forward(self, x: Any) -> Any:
            weights = torch.softmax(self.query(x) @ self.key(x).transpose(-1, -2), dim=-1)
            return weights @ self.value(x)

    def train() -> Iterator[dict[str, Any]]:
        torch.manual_seed(0)
        model, x = Attention(), torch.randn(16, 4, 8)
        for _ in range(3):
            yield {"loss": model(x).square().mean(), "model": model}

    assert asked("linearity", train).verdict == HEALTHY
