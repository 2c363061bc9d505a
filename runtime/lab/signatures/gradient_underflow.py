"""Gradients that are 0 in the format of the backward pass and are not 0: below 2**-24 in float16.

The cure is a loss scale (Micikevicius et al., Mixed Precision Training, ICLR 2018, section 3.2).
"""

from __future__ import annotations

from ..record import Finding
from . import Case, Signature

MOST = 0.5


def examine(case: Case) -> Finding | None:
    lengths: list[float] = []
    for observed in case.history:
        lengths.append(observed.epoch.gradient_norm)
        small = lengths[-1] < 1e-2 * max(lengths)  # what is small since training has arrived is no loss
        if observed.flushed > MOST and not small:
            layers = [item for item in observed.epoch.layers if item.gradient_norm == item.gradient_norm]
            layer = min(layers, key=lambda item: item.gradient_norm).name if layers else ""
            figure = f"{observed.flushed:.0%} of the gradient is 0 and would not be in float64"
            return Finding("gradient-underflow", observed.epoch.epoch, figure, observed.flushed, layer)
    return None


SIGNATURE = Signature("gradient-underflow", examine)
