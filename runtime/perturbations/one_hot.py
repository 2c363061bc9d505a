"""A one-hot design that keeps all levels: the dummy-variable trap.

The columns of each categorical feature sum to the intercept: the rank is smaller than the
number of columns, and a solver that keeps null directions returns weights as large as the
reciprocal of the rounding error.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..target import Role
from . import Perturbation, is_array, is_real


class OneHot(Perturbation):
    def applies(self, value: Any, role: Role) -> bool:
        return is_array(value, 2) and is_real(value) and value.ndim == 2 and role.kind == "design"

    def apply(self, value: Any, magnitude: float, role: Role, generator: np.random.Generator) -> Any:
        rows, columns = value.shape
        design = np.zeros((rows, columns))
        design[:, 0] = 1
        left, right = np.array_split(np.arange(1, columns), 2)
        for group in (left, right):
            if len(group):
                levels = np.resize(group, rows)
                generator.shuffle(levels)
                design[np.arange(rows), levels] = 1
        return design.astype(value.dtype)


PERTURBATION = OneHot(
    "one-hot",
    "one-hot columns in {name}",
    (1,),
    1,
    1,
    continuous=False,
    forms=("{name} is one-hot with all levels kept",),
)
