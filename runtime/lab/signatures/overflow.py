"""A number beyond the largest of the format: exp above 709.8, 88.7 or 11.1 in float64, float32 or float16.

Not named where the loss had been rising for epochs: then the overflow is where a divergence ends.
"""

from __future__ import annotations

from ..monitor import Observation
from ..record import Finding
from ..watch import OVERFLOW
from . import Case, Signature


def examine(case: Case) -> Finding | None:
    for observed, birth in case.births(OVERFLOW):
        epoch = observed.epoch.epoch
        if case.harmed(epoch) and not case.exploding_before(epoch):
            figure = (
                f"{birth.operation} overflowed {birth.count} times in epoch {epoch}, loss {observed.epoch.loss:.3g}"
            )
            return Finding("overflow", epoch, figure, birth.count, _first_layer(observed), birth.where)
    for observed in case.history:
        epoch, layer = observed.epoch.epoch, _first_layer(observed)
        if layer and observed.epoch.overflows and not observed.births and not case.exploding_before(epoch):
            return Finding("overflow", epoch, f"{layer} is not finite in epoch {epoch}", layer=layer)
    return None


def _first_layer(observed: Observation) -> str:
    """The first layer of the forward pass with a number that is not finite."""
    return next((item.name for item in observed.epoch.layers if item.out_of_range == "overflow"), "")


SIGNATURE = Signature("overflow", examine)
