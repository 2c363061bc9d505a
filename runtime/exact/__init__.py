"""Run code unchanged in exact arithmetic: real numbers to any precision, certified where python-flint is present."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from .. import leaves
from ..arithmetic import Arithmetic
from ..formats import FLOAT64, Format
from .arrays import ExactArray
from .namespace import Namespace
from .numbers import Account, Field, Undecided, Unsupported, activate, active

__all__ = [
    "Account",
    "Exact",
    "ExactArray",
    "Field",
    "Undecided",
    "Unsupported",
    "activate",
    "active",
    "available",
    "field",
]


def field(bits: int = 256, assume: bool = False, directory: str = "") -> Field:
    """Balls of python-flint where it is installed, else numbers of mpmath.

    Parameters
    ----------
    bits : int
    assume : bool
        Take values for equal that this precision does not tell apart.
    directory : str
        Where mpmath lies when the interpreter has none.

    Raises
    ------
    ImportError
        Neither is there.
    """
    try:
        from .balls import Balls
    except ImportError:
        from .reals import Reals

        return Reals(bits, assume, directory)
    return Balls(bits, assume)


def available(directory: str = "") -> str:
    """Name of the library of numbers that `field` would take; empty when there is none."""
    try:
        return field(directory=directory).name
    except ImportError:
        return ""


class Exact(Arithmetic):
    """Exact arithmetic; `lift` takes inputs as they are, `lower` keeps exact results.

    Parameters
    ----------
    bits : int
        Precision.
    form : Format
        The format whose dtype the code sees.
    numbers : Field, optional
        Default: the best that the interpreter has.
    """

    exact = True

    def __init__(self, bits: int = 256, form: Format = FLOAT64, numbers: Field | None = None) -> None:
        super().__init__(form)
        self.numbers = numbers or field(bits)
        self.name = f"exact {self.numbers.bits} bits"

    @property
    def account(self) -> Account:
        return self.numbers.account

    def lift(self, value: Any) -> Any:
        activate(self.numbers)
        ExactArray.form = self.format
        return leaves.mapped(_lifted, value)

    def lower(self, value: Any) -> Any:
        """Exact results stay exact (`oracle` turns them into true values); long lists of numbers become arrays."""
        return _gathered(value)

    @contextmanager
    def patched(self, modules: Iterable[ModuleType]) -> Iterator[None]:
        activate(self.numbers)
        ExactArray.form = self.format
        before = self.numbers.enter()
        try:
            with Namespace(ExactArray).patched(modules), np.errstate(all="ignore"):
                yield
        finally:
            self.numbers.leave(before)


def _lifted(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return ExactArray.lifted(value) if value.dtype.kind == "f" else value.copy()
    return ExactArray.lifted(value) if isinstance(value, (float, np.floating)) else value


def _gathered(value: Any) -> Any:
    """As `leaves` sees them: a list of more than eight numbers is one leaf."""
    if isinstance(value, (list, tuple)):
        numbers = [isinstance(item, ExactArray) and item.ndim == 0 for item in value]
        if len(value) > 8 and any(numbers) and all(n or leaves.is_number(item) for n, item in zip(numbers, value)):
            return ExactArray.lifted(np.array([active().of(item) for item in value], dtype=object))
        items = [_gathered(item) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if type(value) is dict:
        return {key: _gathered(item) for key, item in value.items()}
    return value
