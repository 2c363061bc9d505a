"""A learning rate above 2 / L, where L is the curvature of the loss."""

from __future__ import annotations

import math

from ..record import Finding
from . import Case, Signature


def examine(case: Case) -> Finding | None:
    phase = case.phase("exploding")
    if phase is None:
        return None
    lr, bound = case.setting("lr"), case.run.conditions.largest_stable_lr
    known = isinstance(lr, (int, float)) and math.isfinite(bound)
    beside = f"; lr {lr:.3g}, the largest stable one is {bound:.3g}" if known else ""
    return Finding("divergence", phase.first, phase.evidence + beside, lr / bound if known else math.nan)


SIGNATURE = Signature("divergence", examine)
