"""The magnitude from which a format fails, by bisection on the knob of a perturbation.

Failure is assumed to be monotone between the last magnitude that passed and the first
that failed; magnitudes span decades, so their logarithm is halved. Two per cent suffices
for "from 88.7", and the steps end earlier when time is short.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

STEPS = 24
PRECISION = 2e-3


def bisect(fails: Callable[[float], bool | None], passes: float, failing: float, until: float) -> float:
    """Smallest failing magnitude found between `passes` and `failing`, both of one sign.

    Parameters
    ----------
    fails : callable
        Whether a magnitude fails; None where it cannot be judged (counts as passing).
    passes, failing : float
        A magnitude that passes and one that fails; zero passes for ``passes``.
    until : float
        `time.monotonic` at which to stop.

    Returns
    -------
    float
    """
    sign = math.copysign(1.0, failing)
    low, high = abs(passes) or abs(failing) / 1e3, abs(failing)
    for _ in range(STEPS):
        if high <= low * (1 + PRECISION) or time.monotonic() > until:
            break
        middle = math.sqrt(low * high) if high > 4 * low else (low + high) / 2
        if fails(sign * middle):
            high = middle
        else:
            low = middle
    return sign * high
