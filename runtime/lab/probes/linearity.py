"""Is an activation missing?

Layers with nothing between them are one layer: the model is affine in its inputs, whatever
its depth, and f(a x + (1 - a) y) = a f(x) + (1 - a) f(y) for all a. Where the model as a whole
is not affine, two of its layers may still be: in a module of torch, what the one gives and
the next takes are then the same numbers up to a factor and a shift for each unit, which
normalisation and dropout leave so.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..answers import DEFECT, HEALTHY, Answer
from ..values import numbers
from . import Probe
from .subject import CannotAsk, Subject, arrays

WEIGHTS = (-1.0, 0.5, 2.0, 10.0)
"""Of the first of two inputs: within what lies between them, and beyond."""
STRAIGHT = 1e-3
"""Relative departure from a line below which a function is one, rounding in float32 included."""
LIKE = 1.0 - 1e-6
EXAMPLES = 64
NEEDED = "yield the model of torch; or predict, a function from inputs to outputs, and inputs"
LOOK = "put an activation between them; where two factors of one matrix are meant, this is as it should be"


def ask(subject: Subject) -> Answer:
    state = subject.last(2)
    if "model" in state:
        return _of_torch(subject)
    objective = state.get("objective")
    if objective is not None:
        return _whole(lambda X: _logits(objective, state, X), np.asarray(objective.data.X), len(_layers(state)))
    if "predict" not in state or "inputs" not in state:
        raise CannotAsk("its model cannot be called", NEEDED)
    depth = max(len(_layers(state)), 1)
    return _whole(lambda X: numbers(state["predict"](X)).values, numbers(state["inputs"]).values, depth)


def _layers(state: Mapping[str, Any]) -> list[str]:
    """Names of the matrices among the parameters; of a vector of weights there may be one."""
    found = arrays(state)
    matrices = [name for name, item in found.items() if item.ndim >= 2]
    return matrices or [name for name, item in found.items() if item.ndim == 1][:1]


def _logits(objective: Any, state: Mapping[str, Any], X: Any) -> Any:
    """Of a built-in task: what comes before the probabilities."""
    wide = {name: numbers(item).values for name, item in state["parameters"].items()}
    y = np.asarray(objective.data.y)[np.zeros(len(X), dtype=int)]
    shown = objective.problem.both(wide, X, y, 1.0).activations
    return np.asarray([item for name, item in shown.items() if name != "probabilities"][-1])


def departure(function: Callable[[Any], Any], X: Any) -> float:
    """How far a function is from affine on pairs of inputs, relative to what it varies by."""
    generator = np.random.default_rng(0)
    one, other = (X[generator.integers(0, len(X), EXAMPLES)] for _ in range(2))
    f, g = function(one), function(other)
    size = float(np.abs(f - g).max(initial=0.0))
    worst = 0.0
    for a in WEIGHTS:
        mixed = function(a * one + (1 - a) * other)
        reach = (abs(a) + abs(1 - a)) * max(size, 1e-300)
        worst = max(worst, float(np.abs(mixed - (a * f + (1 - a) * g)).max(initial=0.0)) / reach)
    return worst if size else 0.0


def _whole(function: Callable[[Any], Any], X: Any, depth: int) -> Answer:
    apart = departure(function, X)
    figures = {"departure from a line": apart, "layers": float(depth)}
    if apart > STRAIGHT:
        said = f"the outputs of {depth} layers depart from a line by {apart:.2g} of their range"
        return Answer("", HEALTHY, said, figures=figures)
    if depth <= 1:
        return Answer("", HEALTHY, "one layer, and affine, as it should be", figures=figures)
    said = f"the model is affine: its {depth} layers are no more than one (departure {apart:.1g})"
    return Answer("", DEFECT, said, LOOK, figures)


def _of_torch(subject: Subject) -> Answer:
    torch = importlib.import_module("torch")
    model, inputs, _ = subject.model(2, NEEDED)
    was = model.training
    model.eval()
    try:
        weighted = [
            (name, module)
            for name, module in model.named_modules()
            if not list(module.children())
            and getattr(module, "weight", None) is not None
            and module.weight.ndim >= 2
            and type(module).__name__ != "Embedding"
        ]
        pairs = _alike(torch, model, inputs, weighted)
        floating = len(inputs) == 1 and getattr(inputs[0], "is_floating_point", bool)()
        if pairs:
            named = ", ".join(f"{one} and {other}" for one, other in pairs)
            figures = {"layers": float(len(weighted)), "pairs without an activation": float(len(pairs))}
            return Answer("", DEFECT, f"nothing but a factor and a shift stands between {named}", LOOK, figures)
        if not floating:
            figures = {"layers": float(len(weighted)), "pairs without an activation": 0.0}
            return Answer("", HEALTHY, f"something bends between all of {len(weighted)} layers", figures=figures)

        def called(X: Any) -> Any:
            with torch.no_grad():
                made = model(torch.from_numpy(X).to(inputs[0]))
            return numbers(made[0] if isinstance(made, (tuple, list)) else made).values

        return _whole(called, numbers(inputs[0]).values, len(weighted))
    finally:
        model.train(was)


def _alike(torch: Any, model: Any, inputs: Any, weighted: list[tuple[str, Any]]) -> list[tuple[str, str]]:
    """Pairs of layers of which the second takes what the first gives, each unit up to a factor and a shift."""
    given: dict[str, Any] = {}
    taken: dict[str, Any] = {}
    order: list[str] = []

    def hook(name: str) -> Any:
        def keep(module: Any, arguments: Any, output: Any) -> None:
            if name not in given and arguments and hasattr(output, "detach"):
                taken[name], given[name] = numbers(arguments[0]).values, numbers(output).values
                order.append(name)

        return keep

    handles = [module.register_forward_hook(hook(name)) for name, module in weighted]
    try:
        with torch.no_grad():
            model(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    return [(one, other) for one, other in zip(order, order[1:]) if _same(given[one], taken[other])]


def _same(one: Any, other: Any) -> bool:
    """Whether each unit of one is that of the other up to a factor and a shift."""
    if one.size != other.size or len(one) != len(other) or len(one) < 3:
        return False
    a, b = one.reshape(len(one), -1), other.reshape(len(other), -1)
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    lengths = np.sqrt((a * a).sum(axis=0) * (b * b).sum(axis=0))
    moving = lengths > 1e-12 * max(float(lengths.max(initial=0.0)), 1e-300)
    if not moving.any():
        return False
    cosine = np.abs((a * b).sum(axis=0)[moving]) / lengths[moving]
    return bool((cosine >= LIKE).all())


PROBE = Probe("linearity", "Is an activation missing between two layers?", ask)
