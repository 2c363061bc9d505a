"""An operation of numpy that float16 cannot hold gets float32, by its line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from numlint.runtime.lab.answers import Policy
from numlint.runtime.lab.configuration import Configuration
from numlint.runtime.lab.policy import policy
from numlint.runtime.lab.probes.subject import Subject
from numlint.runtime.lab.training_function import of_function, task_of


def train(scale: float = 1.0) -> Iterator[dict[str, Any]]:
    rng = np.random.default_rng(0)
    X, w = rng.standard_normal((50, 3)) * scale, np.ones(3)

    def loss_of(p: dict[str, Any]) -> Any:
        squares = (X @ p["w"]) ** 2
        return np.sqrt(squares.sum())

    yield {"loss": loss_of({"w": w}), "parameters": {"w": w}, "loss_of": loss_of}


def found(form: str, task: Any = None, **settings: Any) -> Policy:
    chosen = task or of_function("test:train", train)
    return policy(Subject(chosen, chosen.completed(Configuration(chosen.name, settings))), form, 0.05)


def kinds(policy: Policy, low: bool) -> list[str]:
    return [unit.name.split()[1] for unit in policy.units if unit.low is low]


def test_squares_that_overflow_need_float32() -> None:
    policy = found("float16", scale=200.0)
    assert policy.error_all == float("inf")
    # The sum takes the squares, and the root the sum: what takes a number that is too large overflows, too.
    assert set(kinds(policy, False)) <= {"power", "square", "add", "sqrt"}
    assert "matmul" in kinds(policy, True)
    assert all(unit.name.startswith("test_operations.py:") for unit in policy.units)


def test_their_twin_of_moderate_size_does_not() -> None:
    assert found("float16").wide == []
    assert found("bfloat16", scale=200.0).wide == []


def test_built_in_tasks_are_measured_forwards_and_backwards() -> None:
    policy = found("float16", task_of("mlp"))
    assert policy.wide == []
    assert {"matmul", "tanh", "exp", "log"} <= set(kinds(policy, True))
    assert 1e-6 < policy.error < 0.01
    assert policy.error_wide < 1e-5


def test_a_naive_softmax_needs_float32_in_its_exponential() -> None:
    policy = found("float16", task_of("softmax_regression"), loss="naive", scale=5.0, epochs=100, lr=1.0)
    assert policy.error_all == float("inf")
    assert kinds(policy, False) == ["exp", "add", "divide", "log"]
    assert "matmul" in kinds(policy, True)
    assert policy.error < 0.01
