"""Logistic regression by gradient descent on the mean negative log-likelihood.

The naive form computes p = exp(z) / (1 + exp(z)) and y log p + (1 - y) log(1 - p): nan from
inf / inf above z = 709 in float64, 88.7 in float32 and 11.1 in float16, and log(0) before that,
from z = 36.7, 16.6 and 8.3 on. The stable form is max(z, 0) - y z + log1p(exp(-|z|)), which
neither overflows nor cancels (Maechler, Accurately computing log(1 - exp(-|a|)), 2012).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .. import options
from ..configuration import Configuration
from ..data import BINARY, load
from ..descent import Parameters, Pass, descend
from . import State, Task


@dataclass(frozen=True)
class Logistic:
    """The loss; `columns` features and an intercept."""

    columns: int
    naive: bool

    def initial(self, generator: np.random.Generator) -> Parameters:
        return {"weights": np.zeros(self.columns), "bias": np.zeros(1)}

    def both(self, parameters: Mapping[str, Any], X: Any, y: Any, scale: float) -> Pass:
        z = X @ parameters["weights"] + parameters["bias"]
        p, loss = (_naive if self.naive else _stable)(z, y)
        delta = (p - y) * (scale / len(X))
        return Pass(loss, {"weights": X.T @ delta, "bias": delta.sum().reshape(1)}, {"logits": z, "probabilities": p})


def _naive(z: Any, y: Any) -> tuple[Any, Any]:
    e = np.exp(z)
    p = e / (1.0 + e)
    return p, -(y * np.log(p) + (1.0 - y) * np.log(1.0 - p)).mean()


def _stable(z: Any, y: Any) -> tuple[Any, Any]:
    e = np.exp(-np.abs(z))
    p = ((z >= 0) + (z < 0) * e) / (1.0 + e)
    return p, (np.maximum(z, 0.0) - y * z + np.log1p(e)).mean()


def train(configuration: Configuration) -> Iterator[State]:
    data = load(configuration, BINARY)
    data = replace(data, y=data.y.astype(np.float64))
    return descend(configuration, Logistic(data.X.shape[1], configuration.loss == "naive"), data)


TASK = Task(
    "logistic_regression",
    "two classes, a linear model, gradient descent",
    {**options.DESCENT, **options.DATA, "loss": options.LOSS},
    train,
)
