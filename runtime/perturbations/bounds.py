"""Entries exactly at the ends of their domain: a probability of 0 or 1, a count of 0.

Counted frequencies, one-hot targets and saturated outputs are exactly there. The
magnitudes number the forms: one entry at the lower end, one at the upper, all lower, all
upper.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..target import Role
from . import Perturbation, array, is_real, like


class Bounds(Perturbation):
    def applies(self, value: Any, role: Role) -> bool:
        return is_real(value) and role.kind in ("probability", "simplex", "cosine", "nonnegative", "distance")

    def apply(self, value: Any, magnitude: float, role: Role, generator: np.random.Generator) -> Any:
        numbers = array(value)
        form = round(magnitude)
        low = role.low if np.isfinite(role.low) else 0.0
        high = role.high if np.isfinite(role.high) else 1.0
        if role.kind == "simplex" and numbers.ndim:
            numbers[..., :] = 0
            numbers[..., 0 if form % 2 else -1] = 1
        elif form > 2 or not numbers.ndim:
            numbers[...] = low if form % 2 else high
        else:
            numbers.reshape(-1)[0] = low if form % 2 else high
        return like(value, numbers)


PERTURBATION = Bounds(
    "bounds",
    "{name} at the ends of its domain",
    (1, 2, 3, 4),
    4,
    4,
    continuous=False,
    forms=(
        "an entry of {name} is at the lower end of its domain",
        "an entry of {name} is at the upper end of its domain",
        "all of {name} is at the lower end of its domain",
        "all of {name} is at the upper end of its domain",
    ),
)
