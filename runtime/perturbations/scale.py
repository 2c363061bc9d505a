"""All entries larger: raw features, unnormalised scores, weights after a bad step.

The input is multiplied until its largest entry has the given magnitude. exp, squares and
products overflow from a magnitude that depends on the format alone, which is why this is
the first knob to turn.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..target import Role
from . import STRUCTURED, Perturbation, array, is_real, like


class Scale(Perturbation):
    def applies(self, value: Any, role: Role) -> bool:
        return is_real(value) and role.kind not in STRUCTURED and role.high == np.inf and bool(np.any(array(value)))

    def apply(self, value: Any, magnitude: float, role: Role, generator: np.random.Generator) -> Any:
        numbers = array(value)
        return like(value, numbers / np.max(np.abs(numbers)) * magnitude)


PERTURBATION = Scale("scale", "max|{name}|", (10, 30, 100, 300, 1e3, 1e4, 1e8, 1e20, 1e160), 100, 1e4)
