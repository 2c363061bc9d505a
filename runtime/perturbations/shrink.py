"""All entries smaller: differences, increments and rates near zero.

Where a formula subtracts nearly equal numbers (``1 - cos(x)``, ``log(1 + x)``), digits go
as the input goes to zero. The knob is the reciprocal of the largest entry, so that it
grows with the difficulty.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..target import Role
from . import STRUCTURED, Perturbation, array, is_real, like


class Shrink(Perturbation):
    def applies(self, value: Any, role: Role) -> bool:
        reaches_zero = role.low <= 0 <= role.high
        return is_real(value) and role.kind not in STRUCTURED and reaches_zero and bool(np.any(array(value)))

    def apply(self, value: Any, magnitude: float, role: Role, generator: np.random.Generator) -> Any:
        numbers = array(value)
        return like(value, numbers / np.max(np.abs(numbers)) / magnitude)


PERTURBATION = Shrink("shrink", "1/max|{name}|", (1e2, 1e4, 1e6, 1e8, 1e10, 1e17, 1e30, 1e170), 1e4, 1e8)
