"""The logarithm of a probability that was rounded or underflowed to 0."""

from __future__ import annotations

from ..record import Finding
from ..watch import DIVIDE
from . import Case, Signature


def examine(case: Case) -> Finding | None:
    for observed, birth in case.births(DIVIDE, "log", "log2", "log10", "log1p"):
        epoch = observed.epoch.epoch
        if case.harmed(epoch):
            figure = f"{birth.operation}(0) at epoch {epoch}, loss {observed.epoch.loss:.3g}"
            return Finding("log-of-zero", epoch, figure, birth.count, where=birth.where)
    return None


SIGNATURE = Signature("log-of-zero", examine)
