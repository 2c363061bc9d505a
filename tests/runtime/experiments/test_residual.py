"""Solutions that do not satisfy their equations, and solvers whose do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from numlint.runtime.experiments.residual import BACKWARD, EXPERIMENT, RAISED, backward
from numlint.runtime.target import Role
from tests.runtime.experiments.conftest import Experimenting

RNG = np.random.default_rng(0)
SQUARE = {"A": RNG.normal(size=(12, 12)), "b": RNG.normal(size=12)}
DESIGN = {"X": RNG.normal(size=(30, 4)), "y": RNG.normal(size=30)}
ROLES = {"X": Role("design"), "A": Role("any")}


@pytest.mark.parametrize(
    ("body", "flagged"),
    [
        ("return np.linalg.inv(A) @ b", "np.linalg.inv(A) @ b"),
        ("P = np.linalg.inv(A)\n    x = P.dot(b)\n    return x", "P.dot(b)"),
        ("from numpy.linalg import inv as g\n    return np.dot(g(A), b)", "np.dot(g(A), b)"),
        ("return b @ np.linalg.inv(A)", "b @ np.linalg.inv(A)"),
    ],
)
def test_an_explicit_inverse_leaves_a_residual(experimenting: Experimenting, body: str, flagged: str) -> None:
    right = "A.T" if flagged.startswith("b") else "A"
    result = experimenting(
        EXPERIMENT, "backward-error", f"def weights(A, b):\n    {body}\n", flagged, SQUARE, ROLES,
        fixed=f"np.linalg.solve({right}, b)",
    )  # fmt: skip
    evidence = result.evidence
    assert evidence is not None
    assert evidence.signature == "backward-error"
    assert evidence.figure.name == BACKWARD
    assert evidence.figure.value > 1e-12
    assert evidence.boundary is not None
    edge = evidence.boundary.fails_from["float64"]
    assert edge is not None
    assert 1e4 < edge < 1e12
    [cure] = result.cures
    assert cure.status == "verified"
    assert cure.error_after is not None
    assert cure.error_after < 1e-14


@pytest.mark.parametrize("body", ["np.linalg.solve(A, b)", "np.linalg.lstsq(A, b, rcond=None)[0]"])
def test_a_solver_leaves_none(experimenting: Experimenting, body: str) -> None:
    code = f"def weights(A, b):\n    return {body}\n"
    assert experimenting(EXPERIMENT, "backward-error", code, body, SQUARE, ROLES, seconds=2.0).evidence is None


LEAST: dict[str, Any] = {"fixed": "np.linalg.lstsq(X, y, rcond=None)[0]"}


@pytest.mark.parametrize(
    "body",
    [
        "np.linalg.inv(X.T @ X) @ X.T @ y",
        "np.linalg.inv(X.T @ X) @ (X.T @ y)",
        "np.linalg.solve(X.T @ X, X.T @ y)",
        "np.linalg.solve(X.T.dot(X), X.T.dot(y))",
    ],
)
def test_normal_equations_lose_the_weights(experimenting: Experimenting, body: str) -> None:
    code = f"def fit(X, y):\n    return {body}\n"
    result = experimenting(EXPERIMENT, "ill-conditioned", code, body, DESIGN, ROLES, **LEAST)
    evidence = result.evidence
    assert evidence is not None
    assert evidence.signature == "ill-conditioned"
    assert evidence.boundary is not None
    assert [cure.status for cure in result.cures] == ["verified"]


def test_solving_the_normal_equations_otherwise_is_rejected(experimenting: Experimenting) -> None:
    body = "np.linalg.inv(X.T @ X) @ X.T @ y"
    code = f"def fit(X, y):\n    return {body}\n"
    collinear = {**DESIGN, "X": np.c_[DESIGN["X"], DESIGN["X"][:, :1] + 1e-7 * RNG.normal(size=(30, 1))]}
    result = experimenting(
        EXPERIMENT, "ill-conditioned", code, body, collinear, ROLES, fixed="np.linalg.solve(X.T @ X, X.T @ y)"
    )
    assert result.evidence is not None
    assert result.evidence.realism == "plain"
    assert [cure.status for cure in result.cures] == ["rejected"]


def test_least_squares_by_factorisation_hold(experimenting: Experimenting) -> None:
    body = "np.linalg.lstsq(X, y, rcond=None)[0]"
    code = f"def fit(X, y):\n    return {body}\n"
    assert experimenting(EXPERIMENT, "ill-conditioned", code, body, DESIGN, ROLES, seconds=2.0).evidence is None


def test_pinv_keeps_a_null_direction_in_float32(experimenting: Experimenting) -> None:
    body = "np.linalg.pinv(X) @ y"
    code = f"def fit(X, y):\n    return {body}\n"
    rows = np.outer(np.linspace(0.1, 1.0, 9), [0.1, 0.2, 0.3])
    inputs = {"X": rows, "y": np.ones(9)}
    result = experimenting(
        EXPERIMENT, "ill-conditioned", code, body, inputs, ROLES,
        fixed="np.linalg.pinv(X, rcond=9 * np.finfo(X.dtype).eps) @ y",
    )  # fmt: skip
    assert result.evidence is not None
    assert result.evidence.format == "float32"
    assert result.evidence.figure.value > 1e3 or result.evidence.figure.name != "norm of the weights over the least one"
    assert [cure.status for cure in result.cures] == ["verified"]


def test_a_problem_that_is_refused(experimenting: Experimenting) -> None:
    body = "np.linalg.inv(X.T @ X) @ X.T @ y"
    code = f"def fit(X, y):\n    return {body}\n"
    inputs = {"X": np.ones((4, 2)), "y": np.ones(4)}
    result = experimenting(EXPERIMENT, "ill-conditioned", code, body, inputs, ROLES, **LEAST)
    assert result.evidence is not None
    assert result.evidence.figure.name == RAISED
    assert [cure.status for cure in result.cures] == ["verified"]


def test_the_backward_error_of_a_solution_is_small_and_of_another_vector_is_not() -> None:
    A, b = SQUARE["A"], SQUARE["b"]
    x = np.linalg.solve(A, b)
    assert backward(A, b, x) < 1e-15
    assert backward(A, b, x + 1e-6) > 1e-8
    assert backward(np.zeros((2, 2)), np.zeros(2), np.zeros(2)) == 0.0
