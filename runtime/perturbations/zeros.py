"""Zeros where data may have them: an empty document, a dead unit, a word that never occurs.

The magnitudes number the forms: one entry, one row, one column, everything.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..target import Role
from . import STRUCTURED, Perturbation, is_array, is_real


class Zeros(Perturbation):
    def applies(self, value: Any, role: Role) -> bool:
        numbers = is_array(value, 1) or isinstance(value, float)
        real = is_real(value) or role.kind == "count"
        return numbers and real and role.kind not in STRUCTURED and role.low <= 0 <= role.high

    def apply(self, value: Any, magnitude: float, role: Role, generator: np.random.Generator) -> Any:
        if isinstance(value, float):
            return 0.0
        changed = value.copy()
        form = round(magnitude)
        if form == 1:
            changed.reshape(-1)[0] = 0
        elif form == 2:
            changed[0] = 0
        elif form == 3:
            changed[..., 0] = 0
        else:
            changed[...] = 0
        return changed


PERTURBATION = Zeros(
    "zeros",
    "zeros in {name}",
    (1, 2, 3, 4),
    4,
    4,
    continuous=False,
    forms=("an entry of {name} is 0", "a row of {name} is 0", "a column of {name} is 0", "all of {name} is 0"),
)
