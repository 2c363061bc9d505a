"""Call a function with arguments by parameter, and see everything that the call leaves behind."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator
from types import FunctionType
from typing import Any

import numpy as np

from . import leaves
from .recorder.values import Opaque

ITEMS = 64
"""Taken from a generator that the function returns."""


def called(function: FunctionType, arguments: dict[str, Any], owner: str = "") -> dict[str, Any]:
    """Call a function with arguments by parameter, and give all that came of it.

    Returns
    -------
    dict
        ``"return"``, attributes that the call set in the object that is the argument `owner`,
        and arrays among the arguments that it changed (``"argument X"``).
    """
    positional: list[Any] = []
    named: dict[str, Any] = {}
    gap = False
    for name, parameter in inspect.signature(function, follow_wrapped=False).parameters.items():
        if name not in arguments:
            gap = True
        elif parameter.kind is parameter.VAR_POSITIONAL:
            positional.extend(arguments[name])
        elif parameter.kind is parameter.VAR_KEYWORD:
            named.update({key: value for key, value in arguments[name].items() if not isinstance(value, Opaque)})
        elif parameter.kind is parameter.POSITIONAL_ONLY or (
            parameter.kind is parameter.POSITIONAL_OR_KEYWORD and not gap
        ):
            positional.append(arguments[name])
        else:
            named[name] = arguments[name]
    target = arguments.get(owner)
    before = _snapshot(getattr(target, "__dict__", {}))
    given = _snapshot({name: value for name, value in arguments.items() if name != owner})
    result = function(*positional, **named)
    if inspect.isgenerator(result):
        result = list(itertools.islice(result, ITEMS))
    outputs = {"return": result}
    outputs.update({f"self.{name}": value for name, value in _changed(before, getattr(target, "__dict__", {}))})
    outputs.update({f"argument {name}": value for name, value in _changed(given, arguments)})
    return outputs


def _snapshot(values: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Values, with a copy of those that can be changed in place."""
    found = {}
    for name, value in values.items():
        copy = value.copy() if isinstance(value, np.ndarray) else None
        if hasattr(value, "detach") and hasattr(value, "clone"):
            copy = value.detach().clone()
        found[name] = value, copy
    return found


def _changed(before: dict[str, tuple[Any, Any]], after: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in after.items():
        known, copy = before.get(name, (None, None))
        if name not in before:
            if leaves.is_numeric(value) or isinstance(value, (list, tuple, dict)):
                yield name, value
        elif value is not known or (copy is not None and _differs(value, copy)):
            yield name, value


def _differs(value: Any, copy: Any) -> bool:
    try:
        return value.shape != copy.shape or not bool(((value == copy) | (value != value)).all())
    except Exception:  # numbers of another arithmetic that do not compare
        return False
