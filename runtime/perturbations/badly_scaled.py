"""Columns of very different scales: age beside income, metres beside nanometres.

One column is multiplied by the magnitude. The condition number grows with it although a
change of units would repair it; gradient descent with one learning rate diverges.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..target import Role
from . import Perturbation, is_array, is_real


class BadlyScaled(Perturbation):
    def applies(self, value: Any, role: Role) -> bool:
        matrix = is_array(value, 2) and is_real(value) and value.ndim == 2 and value.shape[1] > 1
        return matrix and role.kind in ("any", "design", "nonnegative", "positive")

    def apply(self, value: Any, magnitude: float, role: Role, generator: np.random.Generator) -> Any:
        changed = value.copy()
        changed[:, 0] = changed[:, 0] * magnitude
        return changed


PERTURBATION = BadlyScaled("badly-scaled", "scale of a column of {name}", (100, 1e3, 1e4, 1e6, 1e8), 100, 1e4)
