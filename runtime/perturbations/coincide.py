"""Two inputs that agree, or nearly: a prediction that is perfect, a point at a centre.

Differences of nearly equal numbers are where cancellation is worst, and a distance of zero
is a divisor. The second input becomes the first, exactly or with a little noise.
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
        distance = 0.0 if round(magnitude) == 1 else 10.0 ** (2 - 2 * round(magnitude))
        noise = generator.standard_normal(model.shape) * distance
        changed = (model * (1 + noise)).astype(inputs[other].dtype)
        return {**inputs, other: within(changed, roles.get(other, Role()))}


PERTURBATION = Coincide(
    "coincide",
    "{name} agree",
    (1, 2, 3, 4),
    4,
    4,
    continuous=False,
    forms=("{name} are equal", "{name} agree to 1e-2", "{name} agree to 1e-4", "{name} agree to 1e-6"),
)
