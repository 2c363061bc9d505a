"""Births of inf, nan and zeros while a training function runs, counted by the processor.

IEEE 754 arithmetic raises a flag when an operation overflows, underflows, divides a nonzero
number by zero or has no result. numpy reads the flags after each of its operations and calls
whom `numpy.errstate` names. So counting costs nothing where nothing happens, and it works in
code that knows nothing of it. What is counted are operations on arrays, not elements; torch
does not read the flags (see `torch_watch` for it), and a bfloat16 operation raises those of float32.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

OVERFLOW, UNDERFLOW, INVALID, DIVIDE = "overflow", "underflow", "invalid", "divide"
_MESSAGE = re.compile(r"(overflow|underflow|invalid value|divide by zero) encountered in (?:scalar )?(\w+)")
_KINDS = {"invalid value": INVALID, "divide by zero": DIVIDE}
_HERE = os.path.dirname(os.path.abspath(__file__))
_INNER = {os.path.join(_HERE, name) for name in ("precision.py", "watch.py")}
_NUMPY = os.path.dirname(os.path.abspath(np.__file__))


@dataclass(frozen=True)
class Birth:
    """An operation that raised a flag: which one, in which source line, and how often."""

    kind: str
    operation: str
    where: str
    count: int = 1


class Watch:
    """Collects the flags that are raised within `watching`."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str], int] = {}

    def write(self, message: str) -> None:
        """Called by numpy for each operation that raised a flag."""
        found = _MESSAGE.search(message)
        if found is None:
            return
        key = (_KINDS.get(found[1], found[1]), found[2], _line())
        self._counts[key] = self._counts.get(key, 0) + 1

    @contextmanager
    def watching(self) -> Iterator[None]:
        with np.errstate(all="log", call=self):
            yield

    def taken(self) -> list[Birth]:
        """What was collected since the last call."""
        births = [Birth(*key, count) for key, count in self._counts.items()]
        self._counts.clear()
        return births


def _line() -> str:
    """File and line of the code that asked for the operation."""
    frame = sys._getframe(2)
    while frame is not None:
        path = frame.f_code.co_filename
        if path not in _INNER and not path.startswith(_NUMPY):
            return f"{os.path.basename(path)}:{frame.f_lineno}"
        if frame.f_back is None:
            break
        frame = frame.f_back
    return ""
