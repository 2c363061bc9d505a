"""Gradient descent, written once for all tasks with hand-written gradients.

Heavy-ball momentum (Polyak 1964), clipping by the global norm (Pascanu et al., ICML 2013), an
L2 penalty on everything but biases, and loss scaling. The loss of an epoch is that before its steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from . import precision, scaling
from .configuration import Configuration
from .data import CLASSES, Data, stream
from .precision import Parameters, Precision
from .stopping import rule
from .tasks import State

MIXED_LOSS_SCALE = 1024.0


@dataclass(frozen=True)
class Pass:
    """One forward and backward pass.

    Attributes
    ----------
    loss : float
        Mean over the examples, without the penalty.
    gradients : dict
        Of loss times the loss scale.
    activations : dict
        By layer, in the order of the forward pass.
    errors : dict of str to float
        Norms of the gradient by the activations of layers that share their parameters.
    """

    loss: Any
    gradients: Parameters
    activations: Parameters = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)


class Problem(Protocol):
    """A loss with its gradient, in whatever format its arguments have."""

    def initial(self, generator: np.random.Generator) -> Parameters:
        """Parameters in float64."""

    def both(self, parameters: Mapping[str, Any], X: Any, y: Any, scale: float) -> Pass:
        """The loss, and its gradient multiplied by `scale`."""

    def network(self, nn: Any) -> Any:
        """The same model as a `torch.nn.Module`, whose parameters have the same names."""

    @property
    def kind(self) -> str:
        """What the target is, as in `data`."""


def norm(arrays: Mapping[str, Any]) -> float:
    """Euclidean norm over all arrays, in float64."""
    with np.errstate(all="ignore"):
        squares = [float(np.square(np.asarray(item, dtype=np.float64)).sum()) for item in arrays.values()]
    return float(np.sqrt(sum(squares)))


def decayed(name: str) -> bool:
    """Whether the penalty applies: biases are left alone, since shrinking them shifts predictions."""
    return not name.rpartition(".")[2].startswith("bias")


def loss_scale(configuration: Configuration) -> float:
    chosen = configuration.settings.get("loss_scale")
    if chosen is not None:
        return float(chosen)
    return MIXED_LOSS_SCALE if configuration.settings.get("precision") == "mixed" else 1.0


def descend(configuration: Configuration, problem: Problem, data: Data) -> Iterator[State]:
    """Train with the backend that the configuration names, and yield the state after each epoch."""
    how = str(configuration.settings.get("standardise", scaling.NONE))
    y = np.eye(data.classes)[data.y] if problem.kind == CLASSES else data.y.astype(np.float64)
    exact = replace(data, X=scaling.standardised(data.X, scaling.TWO_PASS if how != scaling.NONE else how), y=y)
    form = precision.of(configuration)
    X = scaling.standardised(form.array(data.X), how)
    shapes = {name: item.shape for name, item in problem.initial(stream(0, "shapes")).items()}
    objective = Objective(problem, exact, float(configuration.l2), shapes)
    known: dict[str, Any] = {"objective": objective}
    if how != scaling.NONE:
        known["statistics"] = {"variance of the features": scaling.variance(form.array(data.X), how)}
    if configuration.backend == "torch":
        from .torch_descent import descend_in_torch

        states = descend_in_torch(configuration, problem, X, y)
    else:
        states = descend_in_numpy(configuration, problem, X, form.array(y))
    for state in states:
        yield {**known, **state}


def descend_in_numpy(configuration: Configuration, problem: Problem, X: Any, y: Any) -> Iterator[State]:
    """Train on arrays that compute in the working format."""
    form = precision.of(configuration)
    parameters = form.weights(problem.initial(stream(configuration.seed, "weights, initial")))
    lr, l2, momentum = float(configuration.lr), float(configuration.l2), float(configuration.momentum)
    scale, order = loss_scale(configuration), stream(configuration.order, "order")
    velocity: Parameters = {}
    stop = rule(configuration)
    for _ in range(int(configuration.epochs)):
        losses, weights = [], []
        for rows in batches(len(X), configuration.batch, order):
            before = parameters
            done = problem.both(form.lowered(before), X[rows], y[rows], scale)
            gradients = unscaled(done.gradients, scale, form)
            if l2:
                gradients = {k: g + l2 * before[k] if decayed(k) else g for k, g in gradients.items()}
            rate = -lr * clipping(norm(gradients), configuration.clip)
            updates = {k: rate * g for k, g in gradients.items()}
            if momentum:
                updates = {k: u + momentum * velocity[k] if k in velocity else u for k, u in updates.items()}
                velocity = updates
            parameters = {k: before[k] + u for k, u in updates.items()}
            losses.append(float(done.loss))
            weights.append(len(X[rows]))
        loss = float(np.average(losses, weights=weights)) + penalty(before, l2)
        yield {
            "loss": loss,
            "parameters": parameters,
            "before": before,
            "gradients": gradients,
            "updates": updates,
            "activations": done.activations,
            "errors": {name: length / scale for name, length in done.errors.items()},
            "rows": rows,
            "bounds": getattr(problem, "bounds", {}),
        }
        if stop.update(loss, norm(gradients)):
            return


def batches(n: int, size: Any, order: np.random.Generator) -> Iterator[Any]:
    """The rows of each step of an epoch; all of them, in their order, where no size is set."""
    if not size or int(size) >= n:
        yield slice(None)
        return
    shuffled = order.permutation(n)
    for start in range(0, n, int(size)):
        yield shuffled[start : start + int(size)]


def unscaled(gradients: Parameters, scale: float, form: Precision) -> Parameters:
    """Gradients in the format of the kept weights, without the loss scale."""
    if form.working is not form.stored:
        gradients = {name: precision.array(item, form.stored) for name, item in gradients.items()}
    return gradients if scale == 1.0 else {name: item * (1.0 / scale) for name, item in gradients.items()}


def clipping(length: float, largest: Any) -> float:
    """Factor on gradients of this global norm that brings it down to `largest`; None leaves them."""
    return float(largest) / length if largest is not None and length > float(largest) else 1.0


def penalty(parameters: Mapping[str, Any], l2: float) -> float:
    if not l2:
        return 0.0
    return 0.5 * l2 * norm({name: item for name, item in parameters.items() if decayed(name)}) ** 2


@dataclass(frozen=True)
class Objective:
    """The loss over all data in float64, as a function of the parameters: for Hessians and shadows."""

    problem: Problem
    data: Data
    l2: float
    shapes: Mapping[str, tuple[int, ...]]

    def loss(self, parameters: Mapping[str, Any]) -> float:
        """With the penalty."""
        wide = self._widened(parameters)
        return float(self.problem.both(wide, self.data.X, self.data.y, 1.0).loss) + penalty(wide, self.l2)

    def gradient(self, parameters: Mapping[str, Any]) -> Parameters:
        wide = self._widened(parameters)
        gradients = self.problem.both(wide, self.data.X, self.data.y, 1.0).gradients
        return {name: g + self.l2 * wide[name] if decayed(name) else g for name, g in gradients.items()}

    def activations(self, parameters: Mapping[str, Any], rows: Any = slice(None)) -> Parameters:
        """Of some examples, by layer."""
        return self.problem.both(self._widened(parameters), self.data.X[rows], self.data.y[rows], 1.0).activations

    def _widened(self, parameters: Mapping[str, Any]) -> Parameters:
        """In float64, in the shapes of the problem: torch keeps the weights of one output as a row."""
        return {
            name: np.asarray(item, dtype=np.float64).reshape(self.shapes[name]) for name, item in parameters.items()
        }
