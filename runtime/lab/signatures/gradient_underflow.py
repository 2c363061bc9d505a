"""Gradients that are 0 in the format of the backward pass and are not 0: below 2**-24 in float16.

The cure is a loss scale (Micikevicius et al., Mixed Precision Training, ICLR 2018, section 3.2).
"""

from __future__ import annotations

from ..monitor import group
from ..record import Finding
from . import Case, Signature

MOST = 0.5


def examine(case: Case) -> Finding | None:
    lengths: list[float] = []
    for observed in case.history:
        lengths.append(observed.epoch.gradient_norm)
        small = lengths[-1] < 1e-2 * max(lengths)  # what is small since training has arrived is no loss
        name, share = max(observed.flushed.items(), key=lambda item: item[1], default=("", 0.0))
        if share > MOST and not small:
            figure = f"{share:.0%} of the gradient by {name} is 0, and is not in float64"
            return Finding("gradient-underflow", observed.epoch.epoch, figure, share, group(name))
    return None


SIGNATURE = Signature("gradient-underflow", examine)
