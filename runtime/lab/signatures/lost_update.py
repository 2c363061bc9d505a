"""Updates below half the spacing of the weights, which leave them as they were.

Half a spacing is 6e-8 of a weight in float32, 4.9e-4 in float16 and 3.9e-3 in bfloat16.
"""

from __future__ import annotations

from ..record import Finding
from . import Case, Signature


def examine(case: Case) -> Finding | None:
    phase = case.phase("stalled")
    if phase is None:
        return None
    epoch = case.history[phase.first].epoch
    layer = min(epoch.layers, key=lambda item: item.gradient_norm or 0.0).name if epoch.layers else ""
    return Finding("lost-update", phase.first, phase.evidence, epoch.lost_updates, layer)


SIGNATURE = Signature("lost-update", examine)
