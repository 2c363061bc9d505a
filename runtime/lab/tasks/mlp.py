"""A multilayer perceptron on the mean cross-entropy, with hand-written backpropagation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import losses, options
from ..activations import ACTIVATIONS
from ..configuration import Configuration
from ..data import CLASSES, load
from ..descent import Pass, descend
from ..precision import Parameters
from . import Option, State, Task


@dataclass(frozen=True)
class Perceptron:
    """Layers of the given sizes, the first that of the features and the last that of the classes."""

    sizes: tuple[int, ...]
    activation: str
    gain: float
    loss: str
    kind: str = CLASSES

    @property
    def bounds(self) -> dict[str, str]:
        return {f"hidden{i}": self.activation for i in range(1, len(self.sizes) - 1)}

    def initial(self, generator: np.random.Generator) -> Parameters:
        found: Parameters = {}
        factor = self.gain * ACTIVATIONS[self.activation].gain
        for i, (inward, outward) in enumerate(zip(self.sizes, self.sizes[1:]), 1):
            found[f"layer{i}.weight"] = factor / np.sqrt(inward) * generator.standard_normal((outward, inward))
            found[f"layer{i}.bias"] = np.zeros(outward)
        return found

    def both(self, parameters: Mapping[str, Any], X: Any, y: Any, scale: float) -> Pass:
        activation, depth = ACTIVATIONS[self.activation], len(self.sizes) - 1
        shown: Parameters = {}
        inputs, a = [], X
        for i in range(1, depth + 1):
            inputs.append(a)
            z = a @ parameters[f"layer{i}.weight"].T + parameters[f"layer{i}.bias"]
            shown[f"layer{i}"] = z
            if i < depth:
                a = activation.function(z)
                shown[f"hidden{i}"] = a
        p, loss = losses.CLASSES[self.loss](z, y)
        shown["probabilities"] = p
        delta, gradients = (p - y) * (scale / len(X)), {}
        for i in range(depth, 0, -1):
            gradients[f"layer{i}.weight"] = delta.T @ inputs[i - 1]
            gradients[f"layer{i}.bias"] = delta.sum(axis=0)
            if i > 1:
                delta = (delta @ parameters[f"layer{i}.weight"]) * activation.slope(inputs[i - 1])
        return Pass(loss, gradients, shown)

    def network(self, nn: Any) -> Any:
        module = nn.Sequential()
        for i, (inward, outward) in enumerate(zip(self.sizes, self.sizes[1:]), 1):
            module.add_module(f"layer{i}", nn.Linear(inward, outward))
            if i < len(self.sizes) - 1:
                module.add_module(f"hidden{i}", getattr(nn, ACTIVATIONS[self.activation].module)())
        return module


def train(configuration: Configuration) -> Iterator[State]:
    data = load(configuration, CLASSES)
    hidden = [int(configuration.hidden)] * int(configuration.depth)
    sizes = (data.X.shape[1], *hidden, data.classes)
    problem = Perceptron(sizes, configuration.activation, float(configuration.gain), configuration.loss)
    return descend(configuration, problem, data)


TASK = Task(
    "mlp",
    "several classes, hidden layers, gradient descent",
    {
        **options.DESCENT,
        **options.DATA,
        "classes": Option(3, "classes of a synthetic design"),
        "hidden": Option(16, "units in each hidden layer"),
        "depth": Option(2, "hidden layers"),
        "activation": Option("tanh", "of the hidden layers", tuple(ACTIVATIONS)),
        "gain": Option(1.0, "factor on the initial weights; 1 keeps the variance from layer to layer"),
        "loss": options.LOSS,
        "backend": options.BACKEND,
    },
    train,
)
