"""No variation: a constant column, a vector of equal entries, a feature that is always 0.1.

Deviations are exactly zero, or, for 0.1, some 1e-17 that rounding left: dividing by either
is what makes standardisation fail. The magnitudes only number the forms.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..target import Role
from . import STRUCTURED, Perturbation, is_array, is_real


class Constant(Perturbation):
    def applies(self, value: Any, role: Role) -> bool:
        return is_array(value) and (is_real(value) or role.kind == "count") and role.kind not in STRUCTURED

    def apply(self, value: Any, magnitude: float, role: Role, generator: np.random.Generator) -> Any:
        changed = value.copy()
        form = round(magnitude)
        number = 0.1 if form in (2, 4) and value.dtype.kind == "f" else 1
        if form <= 2:
            changed[..., 0] = number  # the first feature of every sample
        else:
            changed[...] = number
        return changed


PERTURBATION = Constant(
    "constant",
    "{name} without variation",
    (1, 2, 3, 4),
    4,
    4,
    continuous=False,
    forms=(
        "a column of {name} is 1 throughout",
        "a column of {name} is 0.1 throughout",
        "all entries of {name} are 1",
        "all entries of {name} are 0.1",
    ),
)
