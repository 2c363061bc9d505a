"""A checkpoint holds all that training depends on, or is said not to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from numlint.runtime.lab.answers import DEFECT, HEALTHY, UNASKED


def train(checkpoint: Any = None, keeps: str = "all", epochs: int = 20) -> Iterator[dict[str, Any]]:
    """Gradient descent with momentum on a parabola."""
    w, v, begun = 1.0, 0.0, 0
    if checkpoint is not None:
        w, begun = checkpoint["w"], checkpoint["epoch"]
        v = checkpoint.get("v", 0.0)
    for epoch in range(begun, epochs):
        loss = w * w
        v = 0.9 * v - 0.1 * w
        w = w + v
        kept = {"w": w, "v": v, "epoch": epoch + 1}
        if keeps == "weights":
            del kept["v"]
        yield {"loss": loss, "parameters": {"w": [w]}, **({"checkpoint": kept} if keeps else {})}


def test_a_checkpoint_without_the_momentum_is_found(asked: Any) -> None:
    answer = asked("restart", train, keeps="weights")
    assert answer.verdict == DEFECT
    assert "departs from the whole one in epoch 4, the second after the restart" in answer.said
    assert answer.remedy == "the checkpoint lacks optimiser, schedule, or generators"


def test_its_twin_with_all_of_it_is_healthy(asked: Any) -> None:
    answer = asked("restart", train)
    assert (answer.verdict, answer.said) == (
        HEALTHY,
        "restarted after 3 epochs, the next 3 are the same bit for bit",
    )


def test_weights_that_are_not_restored_are_told_apart(asked: Any) -> None:
    def forgetful(checkpoint: Any = None) -> Iterator[dict[str, Any]]:
        for epoch in range(checkpoint or 0, 6):
            yield {"loss": 1.0 / (epoch + 1) if checkpoint is None else 1.0, "checkpoint": epoch + 1}

    answer = asked("restart", forgetful)
    assert "the first after the restart: the loss is 1 instead of 0.25" in answer.said
    assert answer.remedy.startswith("the checkpoint lacks weights")


def test_it_says_what_makes_the_question_possible(asked: Any) -> None:
    def without() -> Iterator[float]:
        yield 1.0

    assert asked("restart", without).remedy.startswith("add checkpoint=None, yield {'checkpoint': state}")
    assert asked("restart", train, keeps="").said == "it yields no checkpoint"
    short = asked("restart", train, epochs=2)
    assert (short.verdict, short.said) == (UNASKED, "it trains for 2 epochs only")


@pytest.mark.parametrize("whole", [True, False])
def test_an_optimiser_of_torch(whole: bool, asked: Any) -> None:
    torch = pytest.importorskip("torch")

    def train(checkpoint: Any = None) -> Iterator[dict[str, Any]]:
        torch.manual_seed(0)
        model, x = torch.nn.Linear(3, 1), torch.ones(4, 3)
        optimiser = torch.optim.Adam(model.parameters(), lr=0.1)
        if checkpoint is not None:
            model.load_state_dict(checkpoint["model"])
            if whole:
                optimiser.load_state_dict(checkpoint["optimiser"])
        for _ in range(6 if checkpoint is None else 3):
            optimiser.zero_grad()
            loss = model(x).square().mean()
            loss.backward()
            optimiser.step()
            yield {
                "loss": loss,
                "model": model,
                "checkpoint": {"model": model.state_dict(), "optimiser": optimiser.state_dict()},
            }

    assert asked("restart", train).verdict == (HEALTHY if whole else DEFECT)
