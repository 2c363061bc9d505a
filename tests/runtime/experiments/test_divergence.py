"""Iterations that blow up, and their normalised twins."""

from __future__ import annotations

import numpy as np

from numlint.runtime.experiments.divergence import EXPERIMENT, stable_rate
from tests.runtime.experiments.conftest import Experimenting

X = np.random.default_rng(0).normal(size=(20, 3))
INPUTS = {"X": X, "y": X @ np.array([1.0, -2.0, 0.5])}
DESCEND = """
def descend(X, y):
    w = np.zeros(X.shape[1])
    for _ in range(500):
        w = w - {rate} * X.T @ (X @ w - y) / len(y)
    return w
"""


def test_a_fixed_rate_on_features_that_are_not_scaled(experimenting: Experimenting) -> None:
    code = DESCEND.format(rate="0.1")
    evidence = experimenting(EXPERIMENT, "divergence", code, "X.T @ (X @ w - y)", INPUTS).evidence
    assert evidence is not None
    assert evidence.signature == "divergence"
    assert evidence.realism == "realistic"
    assert evidence.boundary is not None
    assert evidence.boundary.knob == "X multiplied by"
    # It diverges where the rate is beyond 2 / lambda_max of the scaled features.
    bound = stable_rate(INPUTS)
    assert bound is not None
    edge = evidence.boundary.fails_from["float64"]
    assert edge is not None
    assert 1 < edge / np.sqrt(bound[1] / 0.1) < 1.2
    assert "2 / lambda_max" in evidence.note


def test_a_rate_that_follows_the_features(experimenting: Experimenting) -> None:
    code = DESCEND.format(rate="1.0 / np.linalg.norm(X, 2) ** 2 * len(y)")
    assert experimenting(EXPERIMENT, "divergence", code, "X.T @ (X @ w - y)", INPUTS).evidence is None


def test_a_power_iteration_without_normalisation(experimenting: Experimenting) -> None:
    code = """
    def power(A, v):
        for _ in range(60):
            v = A @ v{scale}
        return v
    """
    inputs = {"A": np.array([[2.0, 1.0], [1.0, 3.0]]), "v": np.ones(2)}
    evidence = experimenting(EXPERIMENT, "divergence", code.format(scale=""), "A @ v", inputs).evidence
    assert evidence is not None
    stable = code.format(scale="; v = v / np.linalg.norm(v)")
    assert experimenting(EXPERIMENT, "divergence", stable, "A @ v", inputs).evidence is None
