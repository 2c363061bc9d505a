"""What is known of each layer in an epoch: ranges, gradients, saturation, and where the range was left first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..formats import FLOAT64
from .record import Layer
from .values import Numbers, length

FLAT = 0.01
"""An activation is saturated where the slope of its function is below so much of the steepest one."""
SLOPES = {
    "tanh": lambda a: 1.0 - a * a,
    "sigmoid": lambda a: 4.0 * a * (1.0 - a),
    "hardtanh": lambda a: np.abs(a) < 1.0,
}


def saturated(activations: Any, function: str) -> float:
    """Share of the activations where the function is flat; for a relu, of the units that are 0 for all examples."""
    if not activations.size:
        return 0.0
    if function == "relu":
        return float((activations.reshape(len(activations), -1) == 0).all(axis=0).mean())
    return float((SLOPES[function](activations) < FLAT).mean()) if function in SLOPES else 0.0


def group(name: str) -> str:
    """The layer that an array belongs to: its name up to the last dot."""
    return name.rpartition(".")[0] or name


def layers(
    parameters: Mapping[str, Numbers],
    gradients: Mapping[str, Numbers],
    activations: Mapping[str, Numbers],
    saturation: Mapping[str, float],
) -> list[Layer]:
    """The layers in the order of the forward pass, and then the parameters that belong to none.

    Where an activation is not finite, gradients that are not either are its consequence, and mark no layer.
    """
    broken = any(not np.isfinite(item.values).all() for item in activations.values())
    groups: dict[str, list[str]] = {}
    for name in [*parameters, *(name for name in gradients if name not in parameters)]:
        groups.setdefault(group(name), []).append(name)
    found = []
    for name in [*activations, *(name for name in groups if name not in activations)]:
        own = groups.get(name, [])
        shown = [activations[name]] if name in activations else [parameters[item] for item in own if item in parameters]
        errors = [gradients[item] for item in own if item in gradients]
        largest, smallest = extent(shown)
        layer = Layer(name, largest, smallest, saturated=saturation.get(name, 0.0))
        if errors:
            layer.gradient_norm = length(errors)
        layer.out_of_range = out_of_range(shown, [] if broken else errors)
        found.append(layer)
    return found


def extent(arrays: list[Numbers]) -> tuple[float, float]:
    """Largest and smallest nonzero magnitude."""
    sizes = np.abs(np.concatenate([item.values.ravel() for item in arrays])) if arrays else np.empty(0)
    nonzero = sizes[sizes > 0]
    largest = float(np.max(sizes)) if sizes.size else math.nan
    return largest, float(nonzero.min()) if nonzero.size else math.nan


def out_of_range(values: list[Numbers], gradients: list[Numbers]) -> str:
    """``"overflow"`` where something is not finite, ``"underflow"`` where most of a gradient has underflowed."""
    if any(not np.isfinite(item.values).all() for item in [*values, *gradients]):
        return "overflow"
    small = [item for item in gradients if item.form is not FLOAT64 and np.abs(item.values).max(initial=0.0) > 0]
    return "underflow" if any(item.lost > 0.5 for item in small) else ""
