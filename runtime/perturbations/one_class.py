"""Labels without variety: one class only, a class that never occurs, a perfect prediction.

What every stream, fold and mini-batch contains now and then: precision, recall and class
means divide by the number of what is not there. All labels become the lowest, or the
highest.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..target import Role
from . import Perturbation, is_array


class OneClass(Perturbation):
    def applies(self, value: Any, role: Role) -> bool:
        if not is_array(value):
            return False
        integral = value.dtype.kind in "iu" or bool(np.all(value == np.round(value)))
        return role.kind in ("label", "onehot") or (integral and role.kind in ("any", "count"))

    def apply(self, value: Any, magnitude: float, role: Role, generator: np.random.Generator) -> Any:
        changed = value.copy()
        low = round(magnitude) == 1
        if role.kind == "onehot" and value.ndim > 1:
            changed[...] = 0
            changed[..., 0 if low else -1] = 1
        else:
            changed[...] = value.min() if low else value.max()
        return changed


PERTURBATION = OneClass(
    "one-class",
    "one value in {name}",
    (1, 2),
    2,
    2,
    continuous=False,
    forms=("only the lowest value in {name}", "only the highest value in {name}"),
)
