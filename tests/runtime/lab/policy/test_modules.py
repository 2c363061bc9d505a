"""A module of torch that float16 cannot hold gets float32 there, and only there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from numlint.report.lab._answers import snippet
from numlint.runtime.lab.answers import Policy
from numlint.runtime.lab.configuration import Configuration
from numlint.runtime.lab.policy import policy
from numlint.runtime.lab.probes.subject import Subject
from numlint.runtime.lab.training_function import of_function

torch = pytest.importorskip("torch")
nn = torch.nn


class Network(nn.Module):  # type: ignore[misc, name-defined]
    """Two layers; `factor` makes the values between them large, a normalisation brings them back."""

    def __init__(self, factor: float, small: float) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Linear(8, 16)
        self.wide = nn.Linear(16, 16)
        self.norm = nn.LayerNorm(16)
        self.head = nn.Linear(16, 3)
        self.small = small
        with torch.no_grad():
            self.wide.weight.mul_(factor)

    def forward(self, x: Any) -> Any:
        return self.head(torch.tanh(self.norm(self.wide(torch.relu(self.embed(x)))))) * self.small


def model(factor: float = 1.0, small: float = 1.0) -> Any:
    return Network(factor, small)


def found(form: str, **settings: float) -> Policy:
    def train(factor: float = 1.0, small: float = 1.0) -> Iterator[dict[str, Any]]:
        network, x, y = model(factor, small), torch.randn(64, 8), torch.randint(0, 3, (64,))
        for _ in range(6):
            network.zero_grad()
            loss = nn.functional.cross_entropy(network(x), y)
            loss.backward()
            yield {"loss": loss, "model": network}

    task = of_function("test:train", train)
    return policy(Subject(task, task.completed(Configuration("test:train", dict(settings)))), form, 0.05)


def test_a_layer_that_overflows_in_float16_gets_float32_there_and_only_there() -> None:
    policy = found("float16", factor=3e5)
    assert policy.wide == ["wide"]
    assert [unit.why for unit in policy.units if not unit.low] == ["overflow"]
    assert policy.error_all == float("inf")
    assert policy.error < 0.05


def test_its_healthy_twin_runs_in_float16_as_a_whole() -> None:
    policy = found("float16")
    assert policy.wide == []
    assert policy.error == policy.error_all < 0.05


def test_bfloat16_has_the_range() -> None:
    assert found("bfloat16", factor=3e5).wide == []


def test_small_gradients_are_held_by_a_loss_scale() -> None:
    policy = found("float16", small=1e-4)
    assert policy.loss_scale > 1000
    assert policy.wide == []


def test_the_code_applies_what_was_measured(tmp_path: Any) -> None:
    made: dict[str, Any] = {}
    exec(snippet(found("float16", factor=3e5), "test:train"), made)
    network, x = model(factor=3e5).eval(), torch.randn(32, 8)
    exact = model(factor=3e5).double().eval()(x.double())
    with torch.autocast("cpu", dtype=torch.float16):
        assert not torch.isfinite(network(x)).all()
        output = made["mixed"](network)(x)
    assert made["FLOAT32"] == ["wide"]
    assert float(((output.double() - exact).norm() / exact.norm()).detach()) < 0.05


def test_layers_inside_of_what_needs_float32_are_put_back() -> None:
    policy = found("float16", factor=3e5)
    for unit in policy.units:
        unit.low = unit.name != "(model)"
    made: dict[str, Any] = {}
    exec(snippet(policy, "test:train"), made)
    assert made["FLOAT32"] == [""]
    assert made["LOW"] == ["embed", "wide", "norm", "head"]
    made["mixed"](model())(torch.randn(2, 8))
