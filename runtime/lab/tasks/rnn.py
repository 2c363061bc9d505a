"""A recurrent network over the columns as a sequence, two classes, backpropagation through time.

h_t = f(W h_(t-1) + V x_t + b), and the last state is classified. The gradient by an early state
is a product of as many Jacobians as there are steps between: with a recurrent matrix of norm
below 1 it vanishes, and above 1 it may explode (Bengio, Simard and Frasconi, IEEE Transactions on
Neural Networks 5, 1994; Pascanu, Mikolov and Bengio, ICML 2013). The initial recurrent matrix is
`gain` times an orthogonal one, so `gain` is its norm.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import losses, options
from ..activations import ACTIVATIONS
from ..configuration import Configuration
from ..data import BINARY, Refused, load
from ..descent import Pass, descend
from ..precision import Parameters
from . import Option, State, Task


@dataclass(frozen=True)
class Recurrent:
    """A sequence of `steps` inputs of `width` numbers each; `hidden` units."""

    steps: int
    width: int
    hidden: int
    activation: str
    gain: float
    loss: str
    kind: str = BINARY

    @property
    def bounds(self) -> dict[str, str]:
        return {f"state{t}": self.activation for t in range(1, self.steps + 1)}

    def initial(self, generator: np.random.Generator) -> Parameters:
        h = self.hidden
        return {
            "input.weight": generator.standard_normal((h, self.width)) / np.sqrt(self.width),
            "recurrent.weight": self.gain * np.linalg.qr(generator.standard_normal((h, h)))[0],
            "recurrent.bias": np.zeros(h),
            "output.weight": generator.standard_normal((1, h)) / np.sqrt(h),
            "output.bias": np.zeros(1),
        }

    def both(self, parameters: Mapping[str, Any], X: Any, y: Any, scale: float) -> Pass:
        activation = ACTIVATIONS[self.activation]
        V, W, b = (parameters[name] for name in ("input.weight", "recurrent.weight", "recurrent.bias"))
        out = parameters["output.weight"]
        xs = [X[:, t * self.width : (t + 1) * self.width] for t in range(self.steps)]
        states = [(X[:, :1] * 0.0) @ W[:1]]
        for x in xs:
            states.append(activation.function(states[-1] @ W.T + x @ V.T + b))
        z = states[-1] @ out[0] + parameters["output.bias"]
        p, loss = losses.BINARY[self.loss](z, y)
        delta = (p - y) * (scale / len(X))
        gradients: Parameters = {"output.weight": (delta @ states[-1])[None], "output.bias": delta.sum().reshape(1)}
        errors = {f"state{self.steps}": _length(delta[:, None] @ out)}
        back = (delta[:, None] @ out) * activation.slope(states[-1])
        total_V, total_W, total_b = back.T @ xs[-1], back.T @ states[-2], back.sum(axis=0)
        for t in range(self.steps - 1, 0, -1):
            errors[f"state{t}"] = _length(back @ W)
            back = (back @ W) * activation.slope(states[t])
            total_V = total_V + back.T @ xs[t - 1]
            total_W = total_W + back.T @ states[t - 1]
            total_b = total_b + back.sum(axis=0)
        gradients.update({"input.weight": total_V, "recurrent.weight": total_W, "recurrent.bias": total_b})
        shown = {f"state{t}": item for t, item in enumerate(states) if t}
        return Pass(loss, gradients, {**shown, "output": z, "probabilities": p}, errors)

    def network(self, nn: Any) -> Any:
        return _network(nn, self)


def _length(error: Any) -> float:
    """Euclidean norm of the gradient by a state."""
    with np.errstate(all="ignore"):
        return float(np.linalg.norm(np.asarray(error, dtype=np.float64)))


def _network(nn: Any, problem: Recurrent) -> Any:
    class Network(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.input = nn.Linear(problem.width, problem.hidden, bias=False)
            self.recurrent = nn.Linear(problem.hidden, problem.hidden)
            self.state = getattr(nn, ACTIVATIONS[problem.activation].module)()
            self.output = nn.Linear(problem.hidden, 1)

        def forward(self, X: Any) -> Any:
            h = X.new_zeros((len(X), problem.hidden))
            for t in range(problem.steps):
                h = self.state(self.recurrent(h) + self.input(X[:, t * problem.width : (t + 1) * problem.width]))
            return self.output(h)

    return Network()


def train(configuration: Configuration) -> Iterator[State]:
    data = load(configuration, BINARY)
    width, columns = int(configuration.width), data.X.shape[1]
    if columns % width:
        raise Refused(f"{columns} columns cannot be read as steps of {width}: choose a width that divides them")
    problem = Recurrent(
        columns // width,
        width,
        int(configuration.hidden),
        configuration.activation,
        float(configuration.gain),
        configuration.loss,
    )
    return descend(configuration, problem, data)


TASK = Task(
    "rnn",
    "two classes, a recurrent network over the columns, gradient descent",
    {
        **options.DESCENT,
        **options.DATA,
        "columns": Option(12, "features of a synthetic design, which are read as a sequence"),
        "width": Option(1, "columns in a step of the sequence"),
        "hidden": Option(8, "units"),
        "activation": Option("tanh", "of the states", tuple(ACTIVATIONS)),
        "gain": Option(1.0, "norm of the initial recurrent matrix"),
        "loss": options.LOSS,
        "backend": options.BACKEND,
    },
    train,
)
