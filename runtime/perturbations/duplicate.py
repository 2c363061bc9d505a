"""Repeats: the same sample twice, the same feature twice, all samples alike.

Identical rows leave clusters empty and distances zero; identical columns make a design
exactly rank-deficient. The magnitudes number the forms: two rows, two columns, all rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..target import Role
from . import Perturbation, is_array


class Duplicate(Perturbation):
    def applies(self, value: Any, role: Role) -> bool:
        return is_array(value, 2) and role.kind not in ("spd", "distance")

    def apply(self, value: Any, magnitude: float, role: Role, generator: np.random.Generator) -> Any:
        changed = value.copy()
        form = round(magnitude)
        if form == 1 and len(changed) > 1:
            changed[1] = changed[0]
        elif form == 2 and changed.shape[-1] > 1 and role.kind not in ("simplex", "onehot"):
            changed[..., -1] = changed[..., 0]
        elif form == 3:
            changed[: (len(changed) + 1) // 2] = changed[0]
        else:
            changed[...] = changed[0]
        return changed


PERTURBATION = Duplicate(
    "duplicate",
    "repeats in {name}",
    (1, 2, 3, 4),
    4,
    4,
    continuous=False,
    forms=(
        "two rows of {name} are equal",
        "two columns of {name} are equal",
        "half of the rows of {name} are equal",
        "all rows of {name} are equal",
    ),
)
