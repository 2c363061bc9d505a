"""Training twice with one configuration gives two models."""

from __future__ import annotations

from ..record import Finding
from . import Case, Signature


def examine(case: Case) -> Finding | None:
    again = case.repetition
    if again is None:
        return None
    figure = (
        f"two runs of one configuration have the losses {again.first!r} and {again.second!r} at epoch {again.epoch}"
    )
    return Finding("non-determinism", again.epoch, figure, abs(again.first - again.second))


SIGNATURE = Signature("non-determinism", examine)
