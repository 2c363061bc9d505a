"""Softmax regression by gradient descent on the mean cross-entropy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import losses, options
from ..configuration import Configuration
from ..data import CLASSES, load
from ..descent import Pass, descend
from ..precision import Parameters
from . import Option, State, Task


@dataclass(frozen=True)
class Softmax:
    """The loss of a linear model with intercepts, for several classes."""

    columns: int
    classes: int
    loss: str
    kind: str = CLASSES

    def initial(self, generator: np.random.Generator) -> Parameters:
        return {"linear.weight": np.zeros((self.classes, self.columns)), "linear.bias": np.zeros(self.classes)}

    def both(self, parameters: Mapping[str, Any], X: Any, y: Any, scale: float) -> Pass:
        z = X @ parameters["linear.weight"].T + parameters["linear.bias"]
        p, loss = losses.CLASSES[self.loss](z, y)
        delta = (p - y) * (scale / len(X))
        return Pass(
            loss,
            {"linear.weight": delta.T @ X, "linear.bias": delta.sum(axis=0)},
            {"linear": z, "probabilities": p},
        )

    def network(self, nn: Any) -> Any:
        module = nn.Sequential()
        module.add_module("linear", nn.Linear(self.columns, self.classes))
        return module


def train(configuration: Configuration) -> Iterator[State]:
    data = load(configuration, CLASSES)
    return descend(configuration, Softmax(data.X.shape[1], data.classes, configuration.loss), data)


TASK = Task(
    "softmax_regression",
    "several classes, a linear model, gradient descent",
    {
        **options.DESCENT,
        **options.DATA,
        "classes": Option(3, "classes of a synthetic design"),
        "loss": options.LOSS,
        "backend": options.BACKEND,
    },
    train,
)
