"""A gradient that is wrong is found, by the weight where it is wrong; a right one passes, with kinks and rounding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from numlint.runtime.lab.answers import DEFECT, HEALTHY, UNASKED


def task(wrong: str = "", offers: bool = True, batches: bool = False) -> Callable[..., Iterator[dict[str, Any]]]:
    """A logistic regression whose gradient may lack a term."""

    def train(lr: float = 0.1, l2: float = 0.3) -> Iterator[dict[str, Any]]:
        rng = np.random.default_rng(0)
        everything = rng.standard_normal((60, 3))
        labels = (everything @ [1.0, -2.0, 0.5] + rng.standard_normal(60) > 0).astype(float)
        w, b = np.array([0.5, 0.5, 0.5]), 0.2
        for epoch in range(30):
            part = slice(20 * (epoch % 3), 20 * (epoch % 3) + 20) if batches else slice(None)
            X, y = everything[part], labels[part]

            def loss_of(p: dict[str, Any], X: Any = X, y: Any = y) -> Any:
                z = X @ p["w"] + p["b"]
                return np.logaddexp(0.0, z).mean() - (y * z).mean() + l2 / 2 * (p["w"] @ p["w"])

            error = 1.0 / (1.0 + np.exp(-(X @ w + b))) - y
            dw = X.T @ error / len(y) + l2 * w
            db = error.mean()
            if wrong == "penalty":
                dw = dw - l2 * w
            elif wrong == "factor":
                dw, db = dw * 2.0, db * 2.0
            elif wrong == "bias":
                db = -db
            offered = {"loss_of": loss_of} if offers else {}
            parameters = {"w": w, "b": np.array(b)}
            gradients = {"w": dw, "b": np.array(db)}
            yield {"loss": loss_of(parameters), "parameters": parameters, "gradients": gradients, **offered}
            w, b = w - lr * dw, b - lr * db

    return train


@pytest.mark.parametrize(("wrong", "where"), [("penalty", "w["), ("factor", "w["), ("bias", "b[")])
def test_a_wrong_gradient_is_found_where_it_is_wrong(wrong: str, where: str, asked: Any) -> None:
    answer = asked("gradient", task(wrong))
    assert answer.verdict == DEFECT
    assert answer.said.startswith(f"the gradient by {where}")


def test_its_twin_is_healthy(asked: Any) -> None:
    answer = asked("gradient", task())
    assert answer.verdict == HEALTHY
    assert answer.figures["largest relative error"] < 1e-6


@pytest.mark.parametrize("wrong", ["penalty", "factor"])
def test_without_the_loss_training_itself_is_the_difference_quotient(wrong: str, asked: Any) -> None:
    found = asked("gradient", task(wrong, offers=False))
    assert found.verdict == DEFECT
    assert "times what the gradients predict, not by 1" in found.said


def test_the_path_of_a_right_gradient_is_healthy(asked: Any) -> None:
    found = asked("gradient", task(offers=False))
    assert found.verdict == HEALTHY
    assert found.figures["change of the loss over that predicted"] == pytest.approx(1.0, abs=1e-3)


def test_batches_cannot_be_judged_by_their_path_but_by_their_loss(asked: Any) -> None:
    assert asked("gradient", task(offers=False, batches=True)).verdict == UNASKED
    assert asked("gradient", task(batches=True)).verdict == HEALTHY


@pytest.mark.parametrize("precision", ["float64", "float32", "float16", "bfloat16"])
def test_rounding_is_no_defect(precision: str, asked: Any) -> None:
    assert asked("gradient", "mlp", precision=precision, epochs=3).verdict == HEALTHY


def test_kinks_are_no_defect(asked: Any) -> None:
    assert asked("gradient", "mlp", activation="relu", epochs=5).verdict == HEALTHY


@pytest.mark.parametrize("right", [True, False])
def test_a_backward_pass_of_torch_that_is_written_by_hand(right: bool, asked: Any) -> None:
    torch = pytest.importorskip("torch")

    class Square(torch.autograd.Function):  # type: ignore[misc, name-defined]
        @staticmethod
        def forward(context: Any, x: Any) -> Any:
            context.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(context: Any, grad: Any) -> Any:
            return grad * context.saved_tensors[0] * (2.0 if right else 1.0)

    def train() -> Iterator[dict[str, Any]]:
        torch.manual_seed(0)
        model, x = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1)), torch.randn(8, 4)

        def closure() -> Any:
            return Square.apply(model(x)).mean()

        for _ in range(2):
            yield {"loss": closure(), "model": model, "closure": closure}

    assert asked("gradient", train).verdict == (HEALTHY if right else DEFECT)
