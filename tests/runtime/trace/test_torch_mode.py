"""torch is traced forward and backward, by source line and layer, and computes the same."""

from __future__ import annotations

import gc
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from numlint.runtime.trace import trace

torch = pytest.importorskip("torch")


def net() -> Any:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Dropout(), torch.nn.Linear(8, 1))


def assigned(x: Any) -> Any:
    out = torch.zeros(len(x))
    out[:2] = x[:2].exp()
    out[2:].add_(x[2:])
    return out * 2


PROBES: dict[str, Callable[[Any], Any]] = {
    "in place": lambda x: x.clone().mul_(3).exp_(),
    "views": assigned,
    "linalg": lambda x: torch.linalg.inv(torch.outer(x, x) + torch.eye(len(x))),
    "svd": lambda x: torch.linalg.svd(torch.outer(x, x)).S,
    "half": lambda x: x.half().exp().float(),
    "cross entropy": lambda x: torch.nn.functional.cross_entropy(x[None], torch.tensor([1])),
    "batch norm": lambda x: torch.nn.functional.batch_norm(torch.outer(x, x), None, None, training=True),
    "func.grad": lambda x: torch.func.grad(lambda q: q.exp().sum())(x),
    "vmap": lambda x: torch.vmap(lambda q: q.exp())(x[:, None]),
    "random": lambda x: x + torch.rand(len(x)),
    "item": lambda x: torch.tensor([v.item() for v in x]).sum(),
    "integers": lambda x: x.argsort(),
    "float64": lambda x: x.double().exp(),
    "inference": lambda x: torch.inference_mode()(lambda q: (q * 2).exp_())(x),
}


@pytest.mark.parametrize("mode", ["ranges", "shadow"])
@pytest.mark.parametrize("probe", PROBES.values(), ids=PROBES.keys())
def test_tracing_changes_nothing(probe: Callable[[Any], Any], mode: str) -> None:
    x = torch.tensor([0.5, 1.25, 0.75, 1.5])
    torch.manual_seed(3)
    plain = probe(x)
    torch.manual_seed(3)
    with trace(mode, quiet=True):
        traced = probe(x)
    assert torch.equal(plain, traced)


def test_autocast_is_survived() -> None:
    with trace("shadow", quiet=True) as t, torch.autocast("cpu", dtype=torch.bfloat16):
        net().eval()(torch.ones(2, 4))
    assert t.first is None or t.first.birth is None


@pytest.mark.parametrize("mode", ["ranges", "shadow"])
def test_overflow_is_blamed_on_its_line_and_layer(mode: str) -> None:
    class Head(torch.nn.Module):  # type: ignore[misc,name-defined,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.inner = torch.nn.Linear(2, 2)

        def forward(self, x: Any) -> Any:
            z = self.inner(x) * 1e3
            return torch.exp(z.abs() + 100)

    with trace(mode, quiet=True) as t:
        Head()(torch.ones(1, 2))
    assert t.first is not None
    assert (t.first.operation, t.first.layer) == ("exp", "Head")
    lines, start = inspect.getsourcelines(test_overflow_is_blamed_on_its_line_and_layer)
    assert t.first.line == start + next(number for number, line in enumerate(lines) if "torch.exp(" in line)
    assert any(event.layer == "Head.inner" for event in t.events)


def test_a_backward_pole_is_blamed_on_the_forward_line() -> None:
    q = torch.tensor([0.0], requires_grad=True)
    with trace(quiet=True) as t:
        y = torch.sqrt(q * q)
        y.sum().backward()
    assert t.first is not None
    assert t.first.operation.startswith("backward:")
    assert "torch.sqrt" in t.first.place.text


def test_cancellation_is_measured() -> None:
    torch.manual_seed(0)
    with trace("shadow", quiet=True) as t:
        x = torch.randn(1000) + 1000
        (x**2).mean() - x.mean() ** 2
    assert t.first is not None
    assert t.first.operation == "sub"
    assert t.first.digits_lost > 3


def test_memory_is_released() -> None:
    with trace("shadow", quiet=True) as t:
        tracer = torch.utils._python_dispatch._get_current_dispatch_mode()
        for _ in range(20):
            torch.ones(4).exp()
        gc.collect()
        assert len(tracer._truths) <= 4
    assert t.events
