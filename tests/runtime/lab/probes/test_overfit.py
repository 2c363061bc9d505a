"""A few examples are learnt by heart, or it is said that they are not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from numlint.runtime.lab.answers import DEFECT, HEALTHY, UNASKED


def train(rows: int = 100, lr: float = 0.1, epochs: int = 100, learns: bool = True) -> Iterator[dict[str, Any]]:
    """Least squares with more weights than examples; without `learns` only the first weight moves."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((200, 8))[:rows], rng.standard_normal(200)[:rows]
    w = np.zeros(8)
    for _ in range(epochs):
        residual = X @ w - y
        gradient = X.T @ residual / len(y)
        if not learns:
            gradient[1:] = 0.0
        yield {"loss": residual @ residual / 2, "parameters": {"w": w}}
        w = w - lr * gradient


def test_weights_that_get_no_gradient_are_found(asked: Any) -> None:
    answer = asked("overfit", train, learns=False)
    assert answer.verdict == DEFECT
    assert answer.said.startswith("4 examples are not learnt by heart: ")
    assert answer.figures["share of it that is left"] > 0.05


def test_its_twin_is_healthy(asked: Any) -> None:
    answer = asked("overfit", train)
    assert answer.verdict == HEALTHY
    assert answer.figures["share of it that is left"] <= 0.05


def test_a_rate_that_suits_other_data_is_no_defect(asked: Any) -> None:
    answer = asked("overfit", train, lr=2.0)
    assert answer.verdict == HEALTHY
    assert answer.said.endswith("with lr times 0.1")


@pytest.mark.parametrize("defect", ["", "frozen", "detached"])
def test_a_module_of_torch_by_its_closure(defect: str, asked: Any) -> None:
    torch = pytest.importorskip("torch")

    def train() -> Iterator[dict[str, Any]]:
        torch.manual_seed(0)
        x, y = torch.randn(8, 4), torch.randn(8, 1)
        model = torch.nn.Sequential(torch.nn.Linear(4, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1))

        def closure() -> Any:
            hidden = model[1](model[0](x))
            output = model[2](hidden.detach() * 0.0 if defect == "frozen" else hidden)
            output = model(x) if not defect else output
            return torch.nn.functional.mse_loss(output.detach() if defect == "detached" else output, y)

        for _ in range(3):
            model(x)
            yield {"loss": closure(), "model": model, "closure": closure}

    answer = asked("overfit", train)
    assert answer.verdict == (DEFECT if defect else HEALTHY)
    assert ("detached" in answer.said) == (defect == "detached")


def test_a_closure_over_all_data_is_not_asked(asked: Any) -> None:
    torch = pytest.importorskip("torch")

    def train() -> Iterator[dict[str, Any]]:
        x, model = torch.randn(1000, 4), torch.nn.Linear(4, 1)
        for _ in range(3):
            model(x)
            yield {"loss": 1.0, "model": model, "closure": lambda: model(x).square().mean()}

    answer = asked("overfit", train)
    assert (answer.verdict, "1000 examples" in answer.said) == (UNASKED, True)
