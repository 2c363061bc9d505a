"""More of everything: rows, or features.

Products of probabilities, determinants and unnormalised recursions fail by length alone.
All inputs that share the axis grow together: they are repeated, so that their values stay
as ordinary as they were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..target import Role
from . import Perturbation, is_array


class Size(Perturbation):
    def subjects(self, inputs: dict[str, Any], roles: dict[str, Role]) -> Iterator[str]:
        if shared_length(inputs, 0):
            yield "samples"
        if shared_length(inputs, -1):
            yield "features"

    def turned(
        self,
        inputs: dict[str, Any],
        roles: dict[str, Role],
        subject: str,
        magnitude: float,
        generator: np.random.Generator,
    ) -> dict[str, Any]:
        axis = 0 if subject == "samples" else -1
        length = shared_length(inputs, axis)
        changed = dict(inputs)
        for name, value in inputs.items():
            fixed = axis == -1 and roles.get(name, Role()).kind in ("simplex", "onehot", "spd")
            index = np.arange(round(magnitude)) % length
            if has_length(value, axis, length) and not fixed:
                changed[name] = np.take(value, index, axis=axis)
            elif axis == -1 and is_array(value) and value.shape == (length,) != (shared_length(inputs, 0),):
                changed[name] = np.take(value, index)  # one sample, or one number for each feature
        return changed


def has_length(value: Any, axis: int, length: int) -> bool:
    return is_array(value, 1 if axis == 0 else 2) and value.shape[axis] == length


def shared_length(inputs: dict[str, Any], axis: int) -> int:
    """The length that most inputs have along an axis; 0 where there is none."""
    rank = 1 if axis == 0 else 2
    lengths = Counter(value.shape[axis] for value in inputs.values() if is_array(value, rank))
    return lengths.most_common(1)[0][0] if lengths else 0


PERTURBATION = Size("size", "number of {name}", (100, 300, 600, 1000, 3000), 1000, 1e5, integral=True)
