"""Nobody there: a cluster without members, an empty selection of rows.

Groups are formed by data. Two centers that coincide, a threshold that nothing meets or a
class that a fold does not hold leave one of them empty, and a mean over it has nothing to
divide by.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from ..target import Role
from . import OutsideDomain, Perturbation


class Vacant(Perturbation):
    def applies(self, value: Any, role: Role) -> bool:
        return role.kind in ("index", "groups") and len(value) > 0

    def apply(self, value: Any, magnitude: float, role: Role, generator: np.random.Generator) -> Any:
        form = round(magnitude)
        if role.kind == "index":
            if form == 2:
                raise OutsideDomain("it has no parts")
            return value[: form // 2]
        groups = copy.deepcopy(value)
        place = len(groups) - 1 if form == 2 else 0
        moved = groups[place][form // 3 :]
        groups[place] = groups[place][: form // 3]
        if len(groups) > 1:  # every row still belongs to a group
            groups[place - 1] = sorted([*groups[place - 1], *moved])
        return groups


PERTURBATION = Vacant(
    "vacant",
    "members of {name}",
    (1, 2, 3),
    3,
    3,
    continuous=False,
    forms=("no members in {name}", "no members in the last part of {name}", "one member in {name}"),
)
