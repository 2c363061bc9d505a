"""In which arithmetic a function is run: the common shape of native, rounded, exact and shadow runs.

The code of the target is never changed for this. Its inputs are replaced by values of
another number system (`lift`), the names through which it reaches numpy, `math` and
`float` are replaced in its globals while it runs (`patched`), and what comes back is
turned into ordinary arrays (`lower`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from . import leaves
from .formats import FLOAT64, Format


class Arithmetic:
    """Native arithmetic in one format: inputs are cast, and the code computes as it always does.

    Parameters
    ----------
    form : Format
        What floating-point inputs are cast to.

    Attributes
    ----------
    prepared : Format
        In which objects are prepared, natively, before the target itself runs.
    """

    exact = False

    def __init__(self, form: Format = FLOAT64) -> None:
        self.format = self.prepared = form
        self.name = form.name

    def lift(self, value: Any) -> Any:
        """Inputs, structure included, in this arithmetic."""
        return leaves.mapped(self._lift_leaf, value)

    def _lift_leaf(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return self.format.round(value) if value.dtype.kind == "f" else value.copy()
        if isinstance(value, float) and self.format is not FLOAT64:
            return float(self.format.round(value))  # a Python number stays one: it does not promote
        return value

    def lower(self, value: Any) -> Any:
        """Results as ordinary arrays and numbers, structure included."""
        return value

    @contextmanager
    def patched(self, modules: Iterable[ModuleType]) -> Iterator[None]:
        """Replace numpy's, math's and float's names in the globals of `modules` while the target runs."""
        yield


NATIVE = Arithmetic()
