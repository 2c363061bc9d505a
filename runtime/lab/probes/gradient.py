"""Is the gradient that training follows the gradient of its loss?

By central differences in single weights and in one random direction, where the loss can be
asked for: (L(w + h e) - L(w - h e)) / 2h errs by O(h^2) and by eps |L| / h of rounding, which
are least together for h near eps^(1/3) (Gill, Murray and Wright, Practical Optimization, 1981,
section 8.6). A kink, as of relu, spoils one h and seldom a second; so two are tried.

Where the loss cannot be asked for, training itself is the difference quotient. By the
trapezium rule along a step

    L(w') - L(w) = (g(w) + g(w')) / 2 . (w' - w) + O(|w' - w|^3),

so the changes of the loss that are seen, over those that the gradients predict, must be 1 for
steps that are small; and they stay what they are for a gradient that is wrong. Of weights that
do not move this says nothing.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..answers import DEFECT, HEALTHY, Answer
from ..values import scalar
from . import Probe
from .subject import CannotAsk, Subject, arrays, eps

EACH = 3
"""Weights of each array: those with the largest gradients."""
TOLERANCE = 1e-3
"""Relative error of a right gradient in float64; in coarser formats that of the format is added."""
STEPS, SMALLER = 12, 0.1
"""Steps along the path, and the factor on the learning rate with which they are made."""
ALONG, CLOSE, LEAST = 0.05, 2e-3, 3
"""How far that ratio may be from 1: where one step length is known, and where two are; of so many steps at least."""
SCATTER = 0.5
NEEDED = (
    "yield loss_of, a function from a dict of arrays to the loss; or, in torch, the model and closure, a function that"
    " returns the loss; or loss, parameters and gradients of full passes over the data"
)
LOOK = "compare the formula of this array's gradient with the loss: a missing factor, term, transpose or penalty"


@dataclass(frozen=True)
class Point:
    """A loss, and the gradient that is claimed for it, at some weights."""

    loss: Callable[[Mapping[str, Any]], float]
    at: dict[str, Any]
    gradient: dict[str, Any]
    eps: float = 2.0**-52
    claimed: float = 2.0**-52
    """Spacing of the format in which the gradient was computed."""


def ask(subject: Subject) -> Answer:
    state = subject.last(2, batch=None)
    if "closure" in state and "model" in state:
        return _compared(_of_torch(state))
    loss_of = state.get("loss_of") or getattr(state.get("objective"), "loss", None)
    if loss_of is not None:
        at = arrays(state, "before" if "before" in state else "parameters")
        gradient = arrays(state, "gradients")
        if at and gradient:
            return _compared(Point(lambda p: scalar(loss_of(p)), at, gradient, claimed=eps(state)))
    return _along(subject)


def _of_torch(state: Mapping[str, Any]) -> Point:
    torch = importlib.import_module("torch")
    model, closure = state["model"], state["closure"]
    named = {name: p for name, p in model.named_parameters() if p.requires_grad}

    def evaluated() -> Any:
        torch.manual_seed(0)  # the same dropout in every evaluation
        return closure()

    def loss(values: Mapping[str, Any]) -> float:
        with torch.no_grad():
            for name, p in named.items():
                p.copy_(torch.from_numpy(np.ascontiguousarray(values[name])).reshape(p.shape))
            return float(evaluated())

    at = {name: p.detach().double().cpu().numpy().copy() for name, p in named.items()}
    found = evaluated()
    if not found.requires_grad:
        gradient = {name: np.zeros_like(item) for name, item in at.items()}
    else:
        made = torch.autograd.grad(found, list(named.values()), allow_unused=True)
        gradient = {
            name: np.zeros_like(at[name]) if g is None else g.detach().double().cpu().numpy()
            for name, g in zip(named, made)
        }
    form = max(torch.finfo(p.dtype).eps for p in named.values())
    return Point(loss, at, gradient, form, form)


def _compared(point: Point) -> Answer:
    names = [name for name in point.at if name in point.gradient and point.at[name].size]
    if not names:
        raise CannotAsk("parameters and gradients have no names in common", NEEDED)
    size = abs(point.loss(point.at))
    generator = np.random.default_rng(0)
    worst: tuple[float, str, float, float] = (0.0, "", 0.0, 0.0)
    checked = 0
    largest = max(float(np.abs(point.gradient[name]).max()) for name in names)
    for name in names:
        w, g = point.at[name], np.asarray(point.gradient[name]).reshape(point.at[name].shape)
        order = np.argsort(-np.abs(g), axis=None)
        chosen = {int(place) for place in order[:EACH]} | {int(generator.integers(w.size)) for _ in range(2)}
        for place in sorted(chosen):
            direction = np.zeros(w.size)
            direction[place] = 1.0
            claimed = float(g.reshape(-1)[place])
            error, found = min(
                _error(point, name, direction.reshape(w.shape), claimed, h, size, largest) for h in _widths(point, w)
            )
            checked += 1
            worst = max(
                worst, (error, f"{name}[{', '.join(map(str, np.unravel_index(place, w.shape)))}]", claimed, found)
            )
    error, where, claimed, found = worst
    figures = {"weights checked": float(checked), "largest relative error": error}
    allowed = TOLERANCE + 64 * point.claimed ** (2 / 3) * (point.claimed > 1e-10)
    if not error > allowed:
        largest_error = f"the largest relative error is {error:.1g}" if error else "no error beyond rounding"
        said = f"{checked} weights of {len(names)} arrays: {largest_error}"
        return Answer("", HEALTHY, said, figures=figures)
    said = f"the gradient by {where} is {claimed:.6g}, by differences of the loss {found:.6g}"
    return Answer("", DEFECT, said, LOOK, figures)


def _widths(point: Point, w: Any) -> tuple[float, float]:
    h = point.eps ** (1 / 3) * max(1.0, float(np.abs(w).max(initial=0.0)))
    return h, h / 8


def _error(
    point: Point, name: str, direction: Any, claimed: float, h: float, size: float, largest: float
) -> tuple[float, float]:
    """Relative error beyond what rounding explains, and the difference quotient."""
    up = point.loss({**point.at, name: point.at[name] + h * direction})
    down = point.loss({**point.at, name: point.at[name] - h * direction})
    found = (up - down) / (2 * h)
    if not math.isfinite(found):
        return (math.inf if math.isfinite(claimed) else 0.0), found
    noise = 4 * point.eps * max(size, abs(up), abs(down)) / h + 64 * point.claimed * largest
    apart = abs(found - claimed) - noise
    # An error in an entry that is tiny beside the others does not matter, and cannot be seen.
    return max(apart, 0.0) / max(abs(found), abs(claimed), 1e-3 * largest, 1e-300), found


def _along(subject: Subject) -> Answer:
    """By the path of training."""
    lr = subject.configuration.settings.get("lr")
    if isinstance(lr, (int, float)) and not isinstance(lr, bool):
        runs = [_ratios(subject, batch=None, lr=lr * factor) for factor in (SMALLER, SMALLER**2)]
    else:
        runs = [_ratios(subject, batch=None)]
    usable = [ratios for ratios in runs if len(ratios) >= LEAST]
    if not usable:
        raise CannotAsk(
            "from loss, parameters and gradients of its epochs no change of the loss can be predicted", NEEDED
        )
    off = [abs(float(np.median(found)) - 1.0) for found in usable]
    ratios = usable[off.index(min(off))]
    middle = float(np.median(ratios))
    # Of a right gradient the departure falls with the square of the step, that of a wrong one stays.
    allowed = CLOSE if len(off) > 1 and off[-1] > off[0] / 2 else ALONG
    spread = float(np.percentile(ratios, 90) - np.percentile(ratios, 10))
    figures = {"steps": float(len(ratios)), "change of the loss over that predicted": middle, "spread": spread}
    if abs(middle - 1.0) <= allowed and spread <= SCATTER:
        said = (
            f"along {len(ratios)} steps the loss changes by {middle:.4g} times what the gradients predict;"
            " of weights that hardly move that says little, loss_of would tell more"
        )
        return Answer("", HEALTHY, said, figures=figures)
    if spread > SCATTER * max(1.0, abs(middle)):
        raise CannotAsk(
            f"the loss changes by {np.percentile(ratios, 10):.2g} to {np.percentile(ratios, 90):.2g} times what the"
            " gradients predict, as where each epoch has other data (batches, dropout)",
            NEEDED,
        )
    said = f"along {len(ratios)} steps the loss changes by {middle:.4g} times what the gradients predict, not by 1"
    return Answer("", DEFECT, said, "the gradients yielded are not those of the loss yielded: " + LOOK, figures)


def _ratios(subject: Subject, **changes: Any) -> list[float]:
    """Change of the loss over the change predicted, step by step; as the arrays are aligned with the loss."""
    seen: list[tuple[float, dict[str, Any], dict[str, Any]]] = []
    with subject.training(**changes) as states:
        for state in states:
            at = arrays(state, "before" if "before" in state else "parameters")
            seen.append((scalar(state["loss"]), at, arrays(state, "gradients")))
            if len(seen) > STEPS:
                break
        coarse = max(1e-11, 1e3 * eps(state)) if seen else 0.0
    # Weights are yielded either with the loss that they have, or after the step that follows it.
    together = seen
    later = [(loss, at, g) for (loss, _, g), (_, at, _) in zip(seen[1:], seen)]
    found = [_quotients(path, coarse) for path in (together, later)]
    return min(found, key=lambda ratios: abs(float(np.median(ratios)) - 1.0) if len(ratios) >= LEAST else math.inf)


def _quotients(path: list[tuple[float, dict[str, Any], dict[str, Any]]], coarse: float) -> list[float]:
    ratios = []
    for (one, w, g), (other, v, k) in zip(path, path[1:]):
        names = w.keys() & g.keys() & v.keys() & k.keys()
        predicted = sum(
            float(((g[name].reshape(w[name].shape) + k[name].reshape(w[name].shape)) / 2 * (v[name] - w[name])).sum())
            for name in names
        )
        change = other - one
        # Below this the change is rounding.
        if math.isfinite(change) and abs(predicted) > coarse * abs(one):
            ratios.append(change / predicted)
    return ratios


PROBE = Probe("gradient", "Is the gradient that training follows the gradient of its loss?", ask)
