"""Logistic regression by gradient descent on the mean negative log-likelihood."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import losses, options
from ..configuration import Configuration
from ..data import BINARY, load
from ..descent import Pass, descend
from ..precision import Parameters
from . import State, Task


@dataclass(frozen=True)
class Logistic:
    """The loss of a linear model with an intercept, for two classes."""

    columns: int
    loss: str
    kind: str = BINARY

    def initial(self, generator: np.random.Generator) -> Parameters:
        return {"linear.weight": np.zeros(self.columns), "linear.bias": np.zeros(1)}

    def both(self, parameters: Mapping[str, Any], X: Any, y: Any, scale: float) -> Pass:
        z = X @ parameters["linear.weight"] + parameters["linear.bias"]
        p, loss = losses.BINARY[self.loss](z, y)
        delta = (p - y) * (scale / len(X))
        gradients = {"linear.weight": X.T @ delta, "linear.bias": delta.sum().reshape(1)}
        return Pass(loss, gradients, {"linear": z, "probabilities": p})

    def network(self, nn: Any) -> Any:
        module = nn.Sequential()
        module.add_module("linear", nn.Linear(self.columns, 1))
        return module


def train(configuration: Configuration) -> Iterator[State]:
    data = load(configuration, BINARY)
    return descend(configuration, Logistic(data.X.shape[1], configuration.loss), data)


TASK = Task(
    "logistic_regression",
    "two classes, a linear model, gradient descent",
    {**options.DESCENT, **options.DATA, "loss": options.LOSS, "backend": options.BACKEND},
    train,
)
