"""Births of inf, nan and zeros in torch, which does not read the processor's flags: by the tracer.

The tracer looks at the result of every operation, backward ones included, which costs some tens
of microseconds each; so it is asked for, with the option ``trace``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from ..trace.events import Event, Ledger
from ..trace.position import Scope
from .watch import DIVIDE, INVALID, OVERFLOW, UNDERFLOW, Birth


class TorchWatch:
    """Collects births within `watching`."""

    def __init__(self) -> None:
        self._ledger = Ledger(shadow=False, scope=Scope())
        self._told: dict[int, tuple[int, ...]] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        from ..trace.torch_mode import tracing  # and with it torch

        with tracing(self._ledger):
            yield

    def taken(self) -> list[Birth]:
        """What was collected since the last call."""
        births = []
        for index, event in enumerate(self._ledger.events):
            counts = (event.overflows, event.poles, event.nans, event.underflows)
            before = self._told.get(index, (0, 0, 0, 0))
            self._told[index] = counts
            for kind, now, then in zip((OVERFLOW, DIVIDE, INVALID, UNDERFLOW), counts, before):
                if now > then:
                    births.append(Birth(kind, event.operation.rpartition(".")[2], _line(event), now - then))
        return births


def _line(event: Event) -> str:
    return f"{os.path.basename(event.file)}:{event.line}" if event.file else ""
