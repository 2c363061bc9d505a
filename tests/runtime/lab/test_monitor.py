"""What is logged of an epoch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from numlint.runtime.formats import BFLOAT16, FLOAT16, FLOAT32
from numlint.runtime.lab import watch
from numlint.runtime.lab.configuration import Configuration
from numlint.runtime.lab.layers import saturated
from numlint.runtime.lab.monitor import Monitor, Observation
from numlint.runtime.lab.training import Options
from numlint.runtime.lab.values import Numbers, digits_lost, spacings
from numlint.runtime.lab.watch import Watch

from .conftest import Training


def observed(*states: dict[str, Any], **settings: Any) -> Observation:
    """The last of some states."""
    watching = Monitor(Configuration("any", settings))
    return [watching.observe(number, state, [], 0.0) for number, state in enumerate(states)][-1]


def test_norms_of_parameters_gradients_and_updates() -> None:
    first = {"loss": 1.0, "parameters": {"w": np.array([3.0, 4.0])}, "gradients": {"w": np.array([0.6, 0.8])}}
    epoch = observed(first, {**first, "parameters": {"w": np.array([3.0, 4.5])}}).epoch
    assert epoch.gradient_norm == pytest.approx(1.0)
    assert epoch.weight_norm == pytest.approx(math.hypot(3.0, 4.5))
    assert epoch.update_norm == pytest.approx(0.5)
    assert epoch.update_ratio == pytest.approx(0.5 / math.hypot(3.0, 4.5))


@pytest.mark.parametrize(("factor", "lost"), [(0.49, 1.0), (1.01, 0.0)])
@pytest.mark.parametrize("form", [FLOAT16, FLOAT32], ids=lambda item: item.name)
def test_an_update_below_half_the_spacing_is_lost(factor: float, lost: float, form: Any) -> None:
    w = form.round(np.ones(3))
    update = form.round(np.full(3, factor * form.eps))
    state = {"loss": 1.0, "parameters": {"w": w + update}, "before": {"w": w}, "updates": {"w": update}}
    epoch = observed(state).epoch
    assert epoch.lost_updates == lost
    assert epoch.update_in_spacings == pytest.approx(factor, rel=0.01)


def test_the_intended_update_is_the_rate_times_the_gradient() -> None:
    """A lost update shows although nothing changed."""
    state = {
        "loss": 1.0,
        "parameters": {"w": np.array([1.0], np.float32)},
        "gradients": {"w": np.array([1e-7], np.float32)},
    }
    assert observed(state, state, lr=0.1).epoch.lost_updates == 1.0


@pytest.mark.parametrize(("weight", "form"), [(1.0, BFLOAT16), (1.5, FLOAT16), (3.0, FLOAT32), (1e-30, FLOAT32)])
def test_spacings_are_the_distance_to_the_next_number(weight: float, form: Any) -> None:
    spacing = float(spacings(np.array([weight]), form)[0])
    held = float(form.round(weight))
    assert form.round(held + spacing) != held
    assert form.round(held + 0.49 * spacing) == held


def test_saturated_is_where_the_function_is_flat() -> None:
    assert saturated(np.array([0.0, 0.9, 0.999, -0.999]), "tanh") == 0.5
    assert saturated(np.array([0.5, 0.001, 0.9999]), "sigmoid") == pytest.approx(2 / 3)
    assert saturated(np.array([[0.0, 1.0], [0.0, 0.0]]), "relu") == 0.5


def test_digits_lost_against_a_shadow() -> None:
    exact = Numbers(np.array([1.0, 0.5]), FLOAT32)
    close = Numbers(np.array([1.0, 0.5 + 2.0**-24 * 1000]), FLOAT32)
    assert digits_lost(exact, exact) == 0.0
    assert digits_lost(close, exact) == pytest.approx(3.0)
    assert digits_lost(Numbers(np.array([1.0, np.inf]), FLOAT16), exact) == pytest.approx(3.3, abs=0.1)


def test_births_are_counted_where_they_happen() -> None:
    seen = Watch()
    with seen.watching():
        np.exp(np.array([1000.0, 2000.0]))
        np.log(np.zeros(3))
        np.sqrt(np.array([-1.0]))
        np.array([1e-200]) * 1e-200
    births = {(item.kind, item.operation) for item in seen.taken()}
    assert births == {
        (watch.OVERFLOW, "exp"),
        (watch.DIVIDE, "log"),
        (watch.INVALID, "sqrt"),
        (watch.UNDERFLOW, "multiply"),
    }
    with seen.watching():
        np.exp(np.array([1000.0]))
    assert seen.taken()[0].where.startswith("test_monitor.py:")


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("task", ["mlp", "rnn"])
def test_digits_lost_are_attributed_to_layers(task: str, backend: str, trained: Training) -> None:
    if backend == "torch":
        pytest.importorskip("torch")
    run = trained(task, Options(shadow=True), precision="bfloat16", backend=backend, epochs=3)
    lost = [layer.digits_lost for layer in run.epochs[-1].layers]
    known = [digits for digits in lost if not math.isnan(digits)]
    assert len(known) >= 4
    assert all(0 <= digits <= math.log10(2.0**8) for digits in known)
    assert max(known) > 0.05


def test_the_layer_that_leaves_the_range_first_is_named(trained: Training) -> None:
    """Large weights in float16: the first layer is in range, the sums of the second are not."""
    run = trained("mlp", precision="float16", activation="linear", gain=120.0, epochs=1)
    ranges = [(layer.name, layer.out_of_range) for layer in run.epochs[0].layers]
    first = next(name for name, out in ranges if out == "overflow")
    assert first == "layer2"


def test_a_torch_loop_needs_one_line(trained: Training, tmp_path: Any) -> None:
    pytest.importorskip("torch")
    (tmp_path / "loop_of_a_user.py").write_text(
        "import torch\n"
        "def train(lr=0.1, epochs=4, seed=0):\n"
        "    torch.manual_seed(seed)\n"
        "    model = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))\n"
        "    X, y = torch.randn(50, 3), torch.randn(50, 1)\n"
        "    optimiser = torch.optim.SGD(model.parameters(), lr=lr)\n"
        "    for epoch in range(epochs):\n"
        "        optimiser.zero_grad()\n"
        "        loss = (model(X) - y).square().mean()\n"
        "        loss.backward()\n"
        "        optimiser.step()\n"
        "        yield {'loss': loss, 'model': model}\n"
    )
    run = trained("loop_of_a_user:train", Options(path=(str(tmp_path),)), lr=0.05)
    assert len(run.epochs) == 4
    assert run.findings == []
    epoch = run.epochs[-1]
    assert [layer.name for layer in epoch.layers] == ["0", "1", "2"]
    assert epoch.gradient_norm > 0
    assert epoch.update_norm == pytest.approx(0.05 * epoch.gradient_norm, rel=1e-3)
    assert run.configuration.settings == {"lr": 0.05, "epochs": 4, "seed": 0}


def test_births_in_torch_are_counted_by_operation_where_that_is_asked_for(trained: Training) -> None:
    pytest.importorskip("torch")
    settings = {"precision": "float16", "loss": "naive", "lr": 2.0, "scale": 4.0, "backend": "torch"}
    blind, seeing = (trained("softmax_regression", Options(trace=trace), **settings) for trace in (False, True))
    assert "overflow" not in {item.signature for item in blind.findings}
    assert {item.signature: item.figure for item in seeing.findings}["overflow"].startswith("exp overflowed")
