"""Linear regression by gradient descent, or at once by one of six ways of least squares.

The relative error of the weights is about the condition number of the matrix that is solved
with, times the spacing of the format: that of X^T X, which is the square of that of X, for the
normal equations and the inverse, and that of X for QR, SVD and lstsq (Higham, Accuracy and
Stability of Numerical Algorithms, 2002, chapter 20). Ridge regression is solved as the least
squares problem [X; sqrt(n l2) I] (Bjorck, Numerical Methods for Least Squares Problems, 1996, section 2.7.2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import options, precision, scaling
from ..configuration import Configuration
from ..data import REGRESSION, Refused, load
from ..descent import Pass, descend
from ..precision import Parameters
from . import Option, State, Task


@dataclass(frozen=True)
class Squares:
    """Half the mean square of the residual of a linear model with an intercept."""

    columns: int
    kind: str = REGRESSION

    def initial(self, generator: np.random.Generator) -> Parameters:
        return {"linear.weight": np.zeros(self.columns), "linear.bias": np.zeros(1)}

    def both(self, parameters: Mapping[str, Any], X: Any, y: Any, scale: float) -> Pass:
        z = X @ parameters["linear.weight"] + parameters["linear.bias"]
        r = z - y
        delta = r * (scale / len(X))
        gradients = {"linear.weight": X.T @ delta, "linear.bias": delta.sum().reshape(1)}
        return Pass(0.5 * (r * r).mean(), gradients, {"linear": z})

    def network(self, nn: Any) -> Any:
        module = nn.Sequential()
        module.add_module("linear", nn.Linear(self.columns, 1))
        return module


@dataclass(frozen=True)
class Solver:
    """A way of least squares, and the matrix whose condition bounds its error."""

    solve: Callable[[Any, Any, float], Any]
    gram: bool = False


def _ridge(X: Any, y: Any, l2: float) -> Any:
    root = np.sqrt(np.asarray(len(X) * l2, dtype=X.dtype))
    augmented = np.vstack([X, root * np.eye(X.shape[1], dtype=X.dtype)])
    return np.linalg.lstsq(augmented, np.concatenate([y, np.zeros(X.shape[1], y.dtype)]), rcond=None)[0]


def _qr(X: Any, y: Any, l2: float) -> Any:
    Q, R = np.linalg.qr(X)
    return np.linalg.solve(R, Q.T @ y)


SOLVERS = {
    "inverse": Solver(lambda X, y, l2: np.linalg.inv(X.T @ X) @ X.T @ y, gram=True),
    "normal": Solver(lambda X, y, l2: np.linalg.solve(X.T @ X, X.T @ y), gram=True),
    "pinv": Solver(lambda X, y, l2: np.linalg.pinv(X) @ y),
    "qr": Solver(_qr),
    "lstsq": Solver(lambda X, y, l2: np.linalg.lstsq(X, y, rcond=None)[0]),
    "ridge": Solver(_ridge),
}
GRADIENT_DESCENT = "gd"
SOLVED = 1e-3
"""Weights solve the equations if the gradient is at most so large, relative to that at 0."""


def train(configuration: Configuration) -> Iterator[State]:
    data = load(configuration, REGRESSION)
    if configuration.solver == GRADIENT_DESCENT:
        return descend(configuration, Squares(data.X.shape[1]), data)
    return solved(configuration, data.X, data.y)


def solved(configuration: Configuration, X: Any, y: Any) -> Iterator[State]:
    """One epoch: the weights at once."""
    form = precision.of(configuration)
    if form.name not in ("float64", "float32"):
        raise Refused(f"LAPACK solves in float64 and float32, not in {form.name}; solver=gd does")
    if configuration.l2 and configuration.solver != "ridge":
        raise Refused(f"solver {configuration.solver} has no penalty; choose ridge or gd")
    X, y = scaling.standardised(form.array(X), configuration.standardise), form.array(y)
    if not (np.ptp(X, axis=0) == 0).any():
        X = np.hstack([X, np.ones((len(X), 1), X.dtype)])
    way = SOLVERS[configuration.solver]
    w = way.solve(X, y, float(configuration.l2))
    wide, target, weights = (item.astype(np.float64) for item in (X, y, w))
    residual = wide @ weights - target
    l2 = float(configuration.l2) if configuration.solver == "ridge" else 0.0
    gradient = wide.T @ residual / len(X) + l2 * weights
    small = float(np.linalg.norm(gradient)) <= SOLVED * float(np.linalg.norm(wide.T @ target)) / len(X)
    yield {
        "loss": 0.5 * float((residual * residual).mean()) + 0.5 * l2 * float(weights @ weights),
        "parameters": {"weights": w},
        "gradients": {"weights": gradient},
        "converged": small,
        "design": X,
        "target": y,
        "l2": l2,
        "solved": "gram" if way.gram else "design",
    }


TASK = Task(
    "linear_regression",
    "least squares, by gradient descent or at once",
    {
        **options.DESCENT,
        **options.DATA,
        "solver": Option(
            GRADIENT_DESCENT,
            "gd, or at once: inverse and normal solve with X^T X, the others with X",
            (GRADIENT_DESCENT, *SOLVERS),
        ),
        "backend": options.BACKEND,
    },
    train,
)
