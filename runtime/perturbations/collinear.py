"""Nearly collinear columns: height in centimetres beside height in inches.

The last column becomes the first plus noise of relative size 1/magnitude: the condition
number of the design grows with the magnitude, that of the normal equations with its square.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..target import Role
from . import Perturbation, is_array, is_real


class Collinear(Perturbation):
    def applies(self, value: Any, role: Role) -> bool:
        matrix = is_array(value, 2) and is_real(value) and value.ndim == 2 and min(value.shape) >= 2
        return matrix and role.kind in ("any", "design", "weight", "spd")

    def apply(self, value: Any, magnitude: float, role: Role, generator: np.random.Generator) -> Any:
        changed = value.astype(np.float64)
        if role.kind == "spd":
            # The spectrum is stretched and the eigenvectors stay: still symmetric, still positive.
            values, vectors = np.linalg.eigh((changed + changed.T) / 2)
            stretched = np.geomspace(1.0, 1.0 / magnitude, len(values))
            changed = (vectors * stretched) @ vectors.T
            return ((changed + changed.T) / 2).astype(value.dtype)
        noise = generator.standard_normal(len(changed))
        changed[:, -1] = changed[:, 0] + noise / magnitude
        return changed.astype(value.dtype)


PERTURBATION = Collinear("collinear", "condition number of {name}", (1e2, 1e4, 1e6, 1e8, 1e10, 1e12, 1e14), 1e4, 1e8)
