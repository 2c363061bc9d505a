"""Training that was ended by its stopping rule where the gradient was not small."""

from __future__ import annotations

from ..record import Finding
from . import Case, Signature


def examine(case: Case) -> Finding | None:
    phase = case.phase("premature-stop")
    if phase is None:
        return None
    lengths = [item.epoch.gradient_norm for item in case.history]
    share = lengths[-1] / max(lengths)
    figure = f"stopped at epoch {phase.first} with gradient norm {lengths[-1]:.3g}, {share:.2g} of the largest"
    return Finding("premature-stop", phase.first, figure, lengths[-1])


SIGNATURE = Signature("premature-stop", examine)
