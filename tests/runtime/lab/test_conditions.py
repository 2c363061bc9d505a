"""Condition numbers and curvature, against matrices whose spectrum is known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlint.runtime.lab import conditions
from numlint.runtime.lab.configuration import Configuration
from numlint.runtime.lab.training import Options, train

from .conftest import Training


def symmetric(values: Any, seed: int) -> Any:
    Q = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(values), len(values))))[0]
    return Q @ np.diag(values) @ Q.T


@given(st.integers(0, 20), st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=8))
def test_differences_of_the_gradient_of_a_quadratic_give_its_spectrum(seed: int, values: list[float]) -> None:
    A = symmetric(values, seed)
    product, size = conditions.by_differences(lambda at: {"w": A @ at["w"]}, {"w": np.ones(len(values))})
    found = conditions.spectrum(product, size)
    assert found.largest == pytest.approx(max(values), rel=1e-6)
    assert found.smallest == pytest.approx(min(values), abs=1e-6 * max(values))


def test_the_lanczos_process_finds_the_ends_of_a_large_spectrum() -> None:
    values = np.concatenate([[0.01], np.linspace(1, 50, 298), [100.0]])
    A = symmetric(values, 0)
    ritz = conditions.lanczos(lambda v: A @ v, 300, steps=60)
    assert ritz[-1] == pytest.approx(100.0, rel=1e-6)
    assert ritz[0] >= 0.01 - 1e-9  # a lower bound of the condition number


def test_a_saddle_and_a_flat_direction_have_no_finite_condition() -> None:
    assert conditions.Spectrum(1.0, -0.5).condition == math.inf
    assert conditions.Spectrum(1.0, 0.0).condition == math.inf
    assert conditions.Spectrum(8.0, 2.0).condition == 4.0


def test_the_hessian_of_least_squares_is_the_gram_matrix(trained: Training) -> None:
    run = trained("linear_regression", condition=30.0)
    found = run.conditions
    assert found.gram == pytest.approx(found.design**2)
    assert found.hessian_start == pytest.approx(found.gram, rel=1e-4)
    assert found.hessian_end == pytest.approx(found.gram, rel=1e-4)


@pytest.mark.parametrize(("factor", "status"), [(0.95, "converged"), (1.05, "diverged")])
def test_descent_converges_below_the_largest_stable_rate_and_diverges_above(
    factor: float, status: str, trained: Training
) -> None:
    bound = trained("linear_regression").conditions.largest_stable_lr
    assert trained("linear_regression", lr=factor * bound, epochs=1000).status == status


def test_the_hessian_of_a_torch_module_needs_a_closure() -> None:
    torch = pytest.importorskip("torch")
    model = torch.nn.Linear(3, 1, bias=False).double()
    x = torch.randn(10, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def closure() -> Any:
        return model(x).square().mean()

    state = {"loss": closure(), "model": model, "closure": closure}
    values = {"weight": model.weight.detach().numpy()}
    exact = np.linalg.eigvalsh((2 * x.T @ x / 10).numpy())
    assert conditions.hessian(state, values).largest == pytest.approx(exact[-1])
    del state["closure"]
    assert math.isnan(conditions.hessian(state, values).largest)


def test_conditions_are_known_of_a_run_that_diverged_too() -> None:
    run = train(Configuration("linear_regression", {"lr": 1000.0, "precision": "float32"}), Options())
    assert run.status == "diverged"
    assert run.conditions.largest_stable_lr < 2
