"""Values with structure: what a function takes and returns, seen as named numeric leaves.

Lists, tuples, dictionaries and objects are walked; the leaves are arrays and numbers.
An arithmetic replaces leaves, the comparison names them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

DEPTH = 4
WIDTH = 64
"""Deeper and wider structures are cut: they are containers of data, not results."""


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float, complex, np.number)) and not isinstance(value, (bool, np.bool_))


def is_numeric(value: Any) -> bool:
    """Whether a value is a leaf: a number, or an array of numbers, booleans or objects that stand for numbers."""
    return is_number(value) or (isinstance(value, np.ndarray) and value.dtype.kind in "fciubO")


def is_floating(value: Any) -> bool:
    """Whether a leaf holds floating-point numbers."""
    if isinstance(value, np.ndarray):
        return bool(value.dtype.kind == "f")
    return isinstance(value, (float, np.floating))


def mapped(function: Callable[[Any], Any], value: Any, depth: int = DEPTH) -> Any:
    """Copy of a structure with `function` applied to every leaf; what is no container stays itself."""
    if is_numeric(value):
        return function(value)
    if depth == 0:
        return value
    if isinstance(value, tuple):
        items = [mapped(function, item, depth - 1) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    if type(value) is list:
        return [mapped(function, item, depth - 1) for item in value]
    if type(value) is dict:
        return {key: mapped(function, item, depth - 1) for key, item in value.items()}
    return value


def leaves(value: Any, name: str = "", depth: int = DEPTH) -> Iterator[tuple[str, Any]]:
    """Numeric leaves of a structure, with names such as ``[0]``, ``['loss']`` and ``.weights``."""
    if is_numeric(value):
        yield name, value
    elif depth and isinstance(value, (list, tuple)):
        if len(value) > 8 and all(is_number(item) for item in value):
            yield name, np.asarray(value)
            return
        for number, item in enumerate(value[:WIDTH]):
            yield from leaves(item, f"{name}[{number}]", depth - 1)
    elif depth and isinstance(value, dict):
        for key in list(value)[:WIDTH]:
            yield from leaves(value[key], f"{name}[{key!r}]", depth - 1)
    elif depth and hasattr(value, "__dict__") and not isinstance(value, type) and not callable(value):
        for key, item in list(vars(value).items())[:WIDTH]:
            yield from leaves(item, f"{name}.{key}", depth - 1)
