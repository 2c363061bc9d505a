"""An operation without a result: inf / inf, inf - inf, 0 / 0, 0 * inf."""

from __future__ import annotations

import math

from ..record import Finding
from ..watch import INVALID
from . import Case, Signature


def examine(case: Case) -> Finding | None:
    first = next((item.epoch for item in case.history if math.isnan(item.epoch.loss)), None)
    if first is None or case.exploding_before(first.epoch):
        return None
    births = [item for item in case.births(INVALID) if item[0].epoch.epoch <= first.epoch]
    if births:
        observed, birth = births[0]
        born = observed.epoch.epoch
        figure = f"{birth.operation} had no result from epoch {born} on, the loss is nan at epoch {first.epoch}"
        return Finding("nan", born, figure, first.epoch, where=birth.where)
    layer = next((item.name for item in first.layers if math.isnan(item.largest)), "")
    return Finding("nan", first.epoch, f"the loss is nan at epoch {first.epoch}", first.epoch, layer)


SIGNATURE = Signature("nan", examine)
