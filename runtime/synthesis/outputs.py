"""What a call gave: its result, the attributes that it set, the arguments that it changed."""

from __future__ import annotations

from itertools import islice
from types import GeneratorType
from typing import Any

import numpy as np

from ..harness import ordinary
from ..leaves import is_numeric, leaves

ITEMS = 8


def gathered(
    result: Any, state: Any, before: dict[str, Any], arguments: dict[str, Any], given: dict[str, Any]
) -> dict[str, Any]:
    """The outputs of a call.

    Parameters
    ----------
    result : object
    state : object
        After the call.
    before, given : dict of str to Any
        Attributes and arguments, copied before it.
    arguments : dict of str to Any
        After it.
    """
    outputs: dict[str, Any] = {}
    if isinstance(result, GeneratorType):
        result = list(islice(result, ITEMS))
    if result is not None and result is not state:
        if _held(result):
            outputs["return"] = result
        else:
            outputs.update({f"return{name}": value for name, value in leaves(result)})
    for name, value in attributes(state).items():
        if _numeric(value) and (name not in before or not same(before[name], value)):
            outputs[f"self.{name}"] = value
    for name, value in arguments.items():
        if _numeric(value) and name in given and not same(given[name], value):
            outputs[f"argument {name}"] = value
    return outputs


def attributes(state: Any) -> dict[str, Any]:
    found = getattr(state, "__dict__", None)
    return dict(found) if isinstance(found, dict) else {}


def _numeric(value: Any) -> bool:
    if is_numeric(value) or is_numeric(ordinary(value)):
        return True
    return isinstance(value, (list, tuple)) and any(True for _ in leaves(value))


def _held(value: Any) -> bool:
    """Whether a result is numbers, or a container of them, as it is."""
    return _numeric(value) or isinstance(value, (dict, bool, str, np.bool_))


def same(first: Any, second: Any) -> bool:
    """Whether nothing has changed; what cannot be compared has."""
    if first is second and not isinstance(first, np.ndarray):
        return True
    try:
        if isinstance(first, (list, tuple)):
            return len(first) == len(second) and all(map(same, first, second))
        equal = np.asarray(first == second)
        unordered = np.asarray(first != first) & np.asarray(second != second)  # nan stays nan
        return bool(np.all(equal | unordered))
    except Exception:
        return False
