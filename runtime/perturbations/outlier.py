"""One entry far from the others: a mistyped value, a confident score, a rare event.

A single large entry is how overflow usually arrives, and it is the sharpest measure of
the magnitude from which a function fails.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..target import Role
from . import STRUCTURED, Perturbation, array, is_real, like


class Outlier(Perturbation):
    def applies(self, value: Any, role: Role) -> bool:
        several = isinstance(value, (np.ndarray, list)) and array(value).size > 1
        return several and is_real(value) and role.kind not in STRUCTURED and role.high == np.inf

    def apply(self, value: Any, magnitude: float, role: Role, generator: np.random.Generator) -> Any:
        numbers = array(value)
        numbers.reshape(-1)[-1] = magnitude
        return like(value, numbers)


PERTURBATION = Outlier(
    "outlier", "one entry of {name}", (20, -20, 50, -50, 100, -100, 1e3, -1e3, 1e4, -1e4, 1e8, 1e160), 100, 1e4
)
