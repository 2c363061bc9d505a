"""Two inputs that agree, or nearly: a prediction that is perfect, a point at a centre.

Differences of nearly equal numbers are where cancellation is worst, and a distance of zero
is a divisor. The second input becomes the first plus noise of relative size 1/magnitude.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..target import Role
from . import STRUCTURED, Perturbation, is_real, within


class Coincide(Perturbation):
    def subjects(self, inputs: dict[str, Any], roles: dict[str, Role]) -> Iterator[str]:
        names = [name for name, value in inputs.items() if is_real(value) and isinstance(value, np.ndarray)]
        for number, one in enumerate(names):
            for other in names[number + 1 :]:
                same = inputs[one].shape[1:] == inputs[other].shape[1:]
                if same and roles.get(other, Role()).kind not in STRUCTURED:
                    yield f"{one} and {other}"

    def turned(
        self,
        inputs: dict[str, Any],
        roles: dict[str, Role],
        subject: str,
        magnitude: float,
        generator: np.random.Generator,
    ) -> dict[str, Any]:
        one, other = subject.split(" and ")
        model = np.resize(inputs[one], inputs[other].shape)
        noise = generator.standard_normal(model.shape) / magnitude if magnitude < 1e16 else 0.0
        changed = (model * (1 + noise)).astype(inputs[other].dtype)
        return {**inputs, other: within(changed, roles.get(other, Role()))}


PERTURBATION = Coincide("coincide", "1/distance between {name}", (1e16, 1e2, 1e4, 1e6), 1e16, 1e16, continuous=False)
