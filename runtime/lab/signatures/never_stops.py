"""A tolerance below what the format resolves: training has arrived, and its rule does not see it.

Arrived is who has a small gradient that has not fallen any more for a quarter of the run.
"""

from __future__ import annotations

import math

from ..record import CONVERGED, EXHAUSTED, Finding
from . import Case, Signature

LEAST = 40
"""Epochs below which a run is too short to tell."""
STILL = 1e-4
"""Relative change of the loss in the last quarter of a run that has arrived."""


def examine(case: Case) -> Finding | None:
    tolerance = case.setting("tolerance") or case.setting("tol")
    epochs = [item.epoch for item in case.history]
    if not tolerance or case.setting("stop") in ("none", "robust") or len(epochs) < LEAST:
        return None
    if case.run.status not in (EXHAUSTED, CONVERGED) or len(epochs) < int(case.setting("epochs") or len(epochs)):
        return None
    quarter = len(epochs) // 4
    lengths = [item.gradient_norm for item in epochs]
    late, before = lengths[-quarter:], lengths[-2 * quarter : -quarter]
    losses = [item.loss for item in epochs[-quarter:]]
    moved = max(losses) - min(losses) > STILL * abs(losses[-1])
    if moved or not case.arrived or not all(map(math.isfinite, lengths)) or min(late) < 0.5 * min(before):
        return None
    floor = min(lengths)
    first = next(i for i, length in enumerate(lengths) if length <= 2.0 * max(floor, math.ulp(0.0)))
    figure = (
        f"the gradient norm has not fallen below {floor:.2g} since epoch {first}, "
        f"the tolerance is {float(tolerance):.2g}; the format resolves {case.eps:.2g}"
    )
    return Finding("never-stops", first, figure, floor)


SIGNATURE = Signature("never-stops", examine)
