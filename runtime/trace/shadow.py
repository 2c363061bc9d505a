"""Two arithmetics for the harness: with a shadow, and with ranges only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from .. import leaves
from ..arithmetic import Arithmetic
from ..formats import FLOAT64, Format
from ..stubs import installed
from .evaluate import adopt, lower
from .events import Ledger, recording
from .namespace import patched
from .position import Scope


class Shadow(Arithmetic):
    """Native arithmetic, with a wider value carried beside every number and every operation recorded.

    Parameters
    ----------
    form : Format
        What floating-point inputs are cast to.
    files : iterable of str
        The code whose lines are named; empty: whatever calls numpy.

    Attributes
    ----------
    ledger : Ledger
    """

    shadow = True

    def __init__(self, form: Format = FLOAT64, files: Iterable[str] = ()) -> None:
        super().__init__(form)
        self.ledger = Ledger(shadow=self.shadow, scope=Scope(frozenset(files)))

    def lift(self, value: Any) -> Any:
        with recording(self.ledger):
            return super().lift(value)

    def _lift_leaf(self, value: Any) -> Any:
        plain = super()._lift_leaf(value)
        if isinstance(value, np.floating):
            plain = self.format.round(value)[()]
        return adopt(plain)

    def lower(self, value: Any) -> Any:
        return leaves.mapped(lower, value)

    @contextmanager
    def patched(self, modules: Iterable[ModuleType]) -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(recording(self.ledger))
            stack.enter_context(patched(modules))
            if installed("torch") is not None:
                from .torch_mode import tracing

                stack.enter_context(tracing(self.ledger))
            yield


class Ranges(Shadow):
    """Native arithmetic with ranges and births of inf and nan recorded; no shadow."""

    shadow = False
