"""Gradient descent as in `descent`, computed by torch.

Initial weights, data and the order of batches are the same as in numpy. float16 and bfloat16 are
formats of the module itself; mixed is autocast to float16 around float32 weights.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from . import precision
from .configuration import Configuration
from .data import BINARY, CLASSES, REGRESSION, Refused, stream
from .descent import Problem, batches, clipping, decayed, loss_scale
from .stopping import rule
from .tasks import State


def required() -> Any:
    """The library torch.

    Raises
    ------
    Refused
        It is not installed.
    """
    try:
        return importlib.import_module("torch")
    except ImportError as error:
        raise Refused(f"backend torch needs torch: {sys.executable} -m pip install torch") from error


def descend_in_torch(configuration: Configuration, problem: Problem, X: Any, y: Any) -> Iterator[State]:
    """Train, and yield the state after each epoch."""
    torch = required()
    torch.set_num_threads(1)  # sweeps run in parallel processes, and sums in one order
    mixed = configuration.precision == "mixed"
    dtype = getattr(torch, "float32" if mixed else str(configuration.precision))
    model = problem.network(torch.nn).to(dtype)
    initial(torch, model, problem, configuration)
    inputs = torch.from_numpy(np.asarray(X).view(np.ndarray).astype(np.float64)).to(dtype)
    targets = torch.from_numpy(np.asarray(y, dtype=np.float64)).to(dtype)
    loss_of = LOSSES[problem.kind](torch, getattr(problem, "loss", "stable"))
    l2, scale, momentum = float(configuration.l2), loss_scale(configuration), float(configuration.momentum)
    order = stream(configuration.order, "order")
    velocity: dict[str, Any] = {}
    stop = rule(configuration)

    def passed(rows: Any) -> Any:
        with autocast(torch, mixed):
            return loss_of(model(inputs[rows]), targets[rows])

    def penalty() -> Any:
        return 0.5 * l2 * sum((p * p).sum() for name, p in model.named_parameters() if decayed(name))

    for _ in range(int(configuration.epochs)):
        losses, weights = [], []
        for rows in batches(len(inputs), configuration.batch, order):
            model.zero_grad()
            loss = passed(rows)
            (loss * scale).backward()
            updates = step(torch, model, velocity, configuration, l2, scale, momentum)
            losses.append(float(loss.detach()))
            weights.append(len(inputs[rows]))
        total = float(np.average(losses, weights=weights)) + (float(penalty()) if l2 else 0.0)
        squares = [float(p.grad.double().square().sum()) for p in model.parameters()]
        yield {
            "loss": total,
            "model": model,
            "updates": updates,
            "before": {name: p.detach() - updates[name] for name, p in model.named_parameters()},
        }
        if stop.update(total, sum(squares) ** 0.5):
            return


def initial(torch: Any, model: Any, problem: Problem, configuration: Configuration) -> None:
    """Give the module the initial weights that the numpy backend has."""
    values = problem.initial(stream(configuration.seed, "weights, initial"))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(values[name]).reshape(parameter.shape))


def step(
    torch: Any,
    model: Any,
    velocity: dict[str, Any],
    configuration: Configuration,
    l2: float,
    scale: float,
    momentum: float,
) -> dict[str, Any]:
    """One step of heavy-ball descent; what it added to each parameter."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if scale != 1.0:
                p.grad.mul_(1.0 / scale)
            if l2 and decayed(name):
                p.grad.add_(p, alpha=l2)
        length = sum(float(p.grad.double().square().sum()) for p in model.parameters()) ** 0.5
        rate = -float(configuration.lr) * clipping(length, configuration.clip)
        updates = {name: rate * p.grad for name, p in model.named_parameters()}
        if momentum:
            updates = {k: u + momentum * velocity[k] if k in velocity else u for k, u in updates.items()}
            velocity.update(updates)
        for name, p in model.named_parameters():
            p.add_(updates[name])
    return updates


def autocast(torch: Any, mixed: bool) -> AbstractContextManager[Any]:
    return torch.autocast("cpu", dtype=precision_of_passes(torch)) if mixed else nullcontext()


def precision_of_passes(torch: Any) -> Any:
    return getattr(torch, precision.PRECISIONS["mixed"].working.name)


def _binary(torch: Any, form: str) -> Callable[[Any, Any], Any]:
    def naive(z: Any, y: Any) -> Any:
        e = torch.exp(z[:, 0])
        p = e / (1.0 + e)
        return -(y * torch.log(p) + (1.0 - y) * torch.log(1.0 - p)).mean()

    def stable(z: Any, y: Any) -> Any:
        return torch.nn.functional.binary_cross_entropy_with_logits(z[:, 0], y)

    return naive if form == "naive" else stable


def _classes(torch: Any, form: str) -> Callable[[Any, Any], Any]:
    def naive(z: Any, y: Any) -> Any:
        e = torch.exp(z)
        p = e / e.sum(dim=1, keepdim=True)
        return -(y * torch.log(p)).sum(dim=1).mean()

    def stable(z: Any, y: Any) -> Any:
        return torch.nn.functional.cross_entropy(z, y)

    return naive if form == "naive" else stable


def _regression(torch: Any, form: str) -> Callable[[Any, Any], Any]:
    return lambda z, y: 0.5 * (z[:, 0] - y).square().mean()


LOSSES = {BINARY: _binary, CLASSES: _classes, REGRESSION: _regression}
