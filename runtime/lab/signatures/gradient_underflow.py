"""Gradients that are 0 in the format of the backward pass and are not 0: below 2**-24 in float16.

The cure is a loss scale (Micikevicius et al., Mixed Precision Training, ICLR 2018, section 3.2).
"""

from __future__ import annotations

from ..layers import group
from ..record import Finding
from . import Case, Signature

MOST = 0.5


def examine(case: Case) -> Finding | None:
    for observed, following in zip(case.history, case.history[1:]):
        epoch = observed.epoch
        if not epoch.gradient_norm < float("inf"):
            continue
        if epoch.gradient_norm < 1e-2 * observed.largest_gradient:  # training has arrived
            continue
        for name, share in observed.flushed.items():
            # A sum that happens to cancel to 0 does so once.
            if share > MOST and following.flushed.get(name, 0.0) > MOST:
                figure = f"{share:.0%} of the gradient by {name} is 0, and is not in float64"
                return Finding("gradient-underflow", epoch.epoch, figure, share, group(name))
    return None


SIGNATURE = Signature("gradient-underflow", examine)
