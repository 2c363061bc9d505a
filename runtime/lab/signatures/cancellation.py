"""What cannot be negative is: a one-pass variance, or a difference of squares under a root."""

from __future__ import annotations

from ..record import Finding
from ..watch import INVALID
from . import Case, Signature


def examine(case: Case) -> Finding | None:
    for observed in case.history:
        epoch = observed.epoch.epoch
        root = next((item for item in observed.births if item.kind == INVALID and item.operation == "sqrt"), None)
        for name, least in observed.negative.items():
            figure = f"{name} is {least:.3g} at epoch {epoch}, and cannot be negative"
            return Finding("cancellation", epoch, figure, least, where=root.where if root else "")
        if root is not None:
            return Finding("cancellation", epoch, "the root of a negative number", root.count, where=root.where)
    return None


SIGNATURE = Signature("cancellation", examine)
