"""A number below the least of the format that became 0, and then was divided by or put into a logarithm."""

from __future__ import annotations

from ..record import Finding
from ..watch import DIVIDE, INVALID, OVERFLOW, UNDERFLOW
from . import Case, Signature


def examine(case: Case) -> Finding | None:
    harmed = {observed.epoch.epoch for kind in (DIVIDE, INVALID) for observed, _ in case.births(kind)}
    overflowed = {observed.epoch.epoch for observed, _ in case.births(OVERFLOW)}
    for observed, birth in case.births(UNDERFLOW):
        epoch = observed.epoch.epoch
        if epoch in harmed and epoch not in overflowed and case.harmed(epoch):
            figure = f"{birth.operation} underflowed to 0 at epoch {epoch}, loss {observed.epoch.loss:.3g}"
            return Finding("underflow", epoch, figure, birth.count, where=birth.where)
    return None


SIGNATURE = Signature("underflow", examine)
