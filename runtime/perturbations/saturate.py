"""Probabilities close to 0 and 1: what a confident classifier gives.

One entry goes to 10^-k, one to 1 - 10^-k; from some k on the format rounds them to 0 and 1
themselves (1 - 1e-17 is 1 in float64, 1 - 1e-8 in float32). The knob is 10^k.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..target import Role
from . import Perturbation, array, is_real, like


class Saturate(Perturbation):
    def applies(self, value: Any, role: Role) -> bool:
        return is_real(value) and role.kind in ("probability", "simplex", "cosine")

    def apply(self, value: Any, magnitude: float, role: Role, generator: np.random.Generator) -> Any:
        numbers = array(value)
        distance = 1 / magnitude
        if numbers.ndim == 0:
            return like(value, np.array(1 - distance))
        if role.kind == "simplex" and numbers.shape[-1] > 1:
            numbers[..., :] = distance / (numbers.shape[-1] - 1)
            numbers[..., 0] = 1 - distance
            return like(value, numbers)
        flat = numbers.reshape(-1)
        flat[0] = distance if role.kind != "cosine" else distance - 1
        flat[-1] = 1 - distance
        return like(value, numbers)


PERTURBATION = Saturate(
    "saturate", "1/distance of {name} from its bounds", (1e2, 1e4, 1e6, 1e8, 1e10, 1e17, 1e60, 1e300), 1e10, 1e17
)
