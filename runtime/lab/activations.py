"""Activation functions of hidden layers, with the derivative by their value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Activation:
    """A function and its slope, the latter from the value of the function.

    `module` names the class of `torch.nn`; `gain` is the factor on initial weights that keeps
    the variance of activations from layer to layer (He et al., ICCV 2015, and Glorot and
    Bengio, AISTATS 2010).
    """

    function: Callable[[Any], Any]
    slope: Callable[[Any], Any]
    module: str
    gain: float


def _sigmoid(z: Any) -> Any:
    e = np.exp(-np.abs(z))
    return ((z >= 0) + (z < 0) * e) / (1.0 + e)


ACTIVATIONS = {
    "tanh": Activation(np.tanh, lambda a: 1.0 - a * a, "Tanh", 1.0),
    "sigmoid": Activation(_sigmoid, lambda a: a * (1.0 - a), "Sigmoid", 1.0),
    "relu": Activation(lambda z: np.maximum(z, 0.0), lambda a: a > 0, "ReLU", 2.0**0.5),
    "linear": Activation(lambda z: z, lambda a: a == a, "Identity", 1.0),
}
