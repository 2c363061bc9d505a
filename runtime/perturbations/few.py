"""Fewer samples: the first batch of a stream, a class with one member, an episode of one step.

All inputs that share the axis shrink together: to two, to one, or to none at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..target import Role
from . import Perturbation
from .size import has_length, shared_length


class Few(Perturbation):
    def subjects(self, inputs: dict[str, Any], roles: dict[str, Role]) -> Iterator[str]:
        if shared_length(inputs, 0) > 1:
            yield "samples"

    def turned(
        self,
        inputs: dict[str, Any],
        roles: dict[str, Role],
        subject: str,
        magnitude: float,
        generator: np.random.Generator,
    ) -> dict[str, Any]:
        length = shared_length(inputs, 0)
        left = {1: 2, 2: 1, 3: 0}[round(magnitude)]
        return {name: value[:left].copy() if has_length(value, 0, length) else value for name, value in inputs.items()}


PERTURBATION = Few(
    "few",
    "few {name}",
    (1, 2, 3),
    2,
    3,
    continuous=False,
    forms=("there are two {name}", "there is one of the {name}", "there are no {name}"),
)
