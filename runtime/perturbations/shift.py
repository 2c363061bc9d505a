"""A constant added to all entries: temperatures in kelvin, years, timestamps, coordinates.

The spread stays and the mean moves away: the knob is the ratio of mean to standard
deviation, the condition number of the variance (Higham, Accuracy and Stability, section
1.9). Both signs are tried: scores that are all very negative underflow together.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..target import Role
from . import STRUCTURED, Perturbation, array, is_real, like, spread


class Shift(Perturbation):
    def applies(self, value: Any, role: Role) -> bool:
        return is_real(value) and role.kind not in STRUCTURED and (role.low == -np.inf or role.high == np.inf)

    def apply(self, value: Any, magnitude: float, role: Role, generator: np.random.Generator) -> Any:
        numbers = array(value)
        return like(value, numbers + magnitude * spread(numbers))


PERTURBATION = Shift(
    "shift", "|mean|/std of {name}", (30, -30, 100, -100, 1e3, -1e3, 1e4, -1e4, 1e6, -1e6, 1e8, -1e8), 100, 1e4
)
