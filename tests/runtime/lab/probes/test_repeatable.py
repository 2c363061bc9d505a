"""Training twice gives the same model, or is said not to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from numlint.runtime.lab.answers import DEFECT, HEALTHY


def noisy(generator: Callable[[int], Any]) -> Callable[..., Iterator[dict[str, Any]]]:
    def train(seed: int = 0) -> Iterator[dict[str, Any]]:
        draw = generator(seed)
        w = np.ones(3)
        for _ in range(5):
            yield {"loss": float(w @ w), "parameters": {"w": w}}
            w -= 0.1 * w + 0.01 * draw.standard_normal(3)

    return train


def test_a_generator_without_a_seed_is_found(asked: Any) -> None:
    answer = asked("repeatable", noisy(lambda seed: np.random.default_rng()))
    assert answer.verdict == DEFECT
    assert answer.said.startswith("trained twice, the losses differ from epoch 1 on: ")
    assert answer.figures["largest relative difference"] > 1e-3


def test_its_twin_with_a_seed_is_healthy(asked: Any) -> None:
    answer = asked("repeatable", noisy(np.random.default_rng))
    assert answer.verdict == HEALTHY
    assert answer.said == "trained twice, the losses of 5 epochs and 3 weights are the same bit for bit"


def test_state_that_is_left_from_the_first_run_is_found(asked: Any) -> None:
    kept: list[int] = []

    def train() -> Iterator[float]:
        kept.append(1)
        yield float(len(kept))

    assert asked("repeatable", train).verdict == DEFECT


def test_torch_without_a_seed_is_found_and_with_one_is_healthy(asked: Any) -> None:
    torch = pytest.importorskip("torch")

    def train(seeded: bool = True) -> Iterator[dict[str, Any]]:
        if seeded:
            torch.manual_seed(0)
        model = torch.nn.Linear(3, 1)
        yield {"loss": model(torch.ones(2, 3)).square().mean(), "model": model}

    assert asked("repeatable", train).verdict == HEALTHY
    assert asked("repeatable", train, seeded=False).verdict == DEFECT
