"""One operation, computed plainly and in the shadow, and recorded.

The plain computation is the native one: the same function on plain arrays of the same
memory layout, under the caller's error state. Tracing so changes no bit of any result.
The shadow is the same function on wider numbers; where that is impossible, the operation
is counted as lost and the shadow starts anew from the plain result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .events import Birth, Ledger, current
from .measure import observe, render

WIDER = {"f2": np.float64, "f4": np.float64, "f8": np.longdouble}


def wider(dtype: Any) -> Any:
    """The shadow's type; where the machine has nothing wider than float64, float64 itself."""
    return WIDER.get(np.dtype(dtype).str[1:], np.longdouble)


class Traced:
    """A traced array or number: it has a plain self and, in a shadow trace, a true value."""

    def plain(self) -> Any:
        raise NotImplementedError

    def truth(self) -> Any:
        raise NotImplementedError

    def rounded(self) -> Any:
        """The true value, rounded to the plain type."""
        raise NotImplementedError


adopters: dict[type, Callable[[Any, Any], Any]] = {}
"""By plain type: what makes a traced value of a plain one and its true value."""


def adopt(value: Any, truth: Any = None) -> Any:
    """A traced value; structure is kept, and what is not floating-point is returned as it is."""
    kind = type(value)
    adopter = adopters.get(kind)
    if adopter is not None:
        return adopter(value, truth)
    if kind in (list, tuple):
        truths = truth if isinstance(truth, (list, tuple)) and len(truth) == len(value) else [None] * len(value)
        return kind(adopt(item, true) for item, true in zip(value, truths))
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        truths = tuple(truth) if isinstance(truth, tuple) and len(truth) == len(value) else (None,) * len(value)
        return kind(*(adopt(item, true) for item, true in zip(value, truths)))
    return value


def mapped(function: Callable[[Traced], Any], value: Any) -> Any:
    """A structure with `function` applied to its traced values."""
    if isinstance(value, Traced):
        return function(value)
    kind = type(value)
    if kind is tuple or kind is list:
        return kind([mapped(function, item) for item in value])
    if kind is dict:
        return {key: mapped(function, item) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return kind(*(mapped(function, item) for item in value))
    return value


def lower(value: Any) -> Any:
    """Plain arrays and numbers in place of traced ones."""
    return mapped(lambda item: item.plain(), value)


def truths(value: Any) -> Any:
    """True values in place of traced ones, and in place of plain arrays, which are taken to be exact."""
    if isinstance(value, (np.ndarray, np.floating)) and not isinstance(value, Traced):
        return widened(value)
    kind = type(value)
    if kind is tuple or kind is list:
        return kind([truths(item) for item in value])
    if kind is dict:
        return {key: truths(item) for key, item in value.items()}
    return mapped(lambda item: item.truth(), value)


def widened(value: Any) -> Any:
    """A plain floating-point value in the wider type; anything else as it is."""
    if value.dtype.kind != "f" or value.dtype.itemsize > 8:
        return value
    return value.astype(wider(value.dtype))


def numbers(value: Any) -> Iterator[Any]:
    """Numeric leaves among the arguments of a function."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "fiub":
            yield value
    elif isinstance(value, (int, float, np.number)) and not isinstance(value, bool):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from numbers(item)


def is_floating(value: Any) -> bool:
    return isinstance(value, (float, np.floating)) or (isinstance(value, np.ndarray) and value.dtype.kind == "f")


def evaluate(
    name: str,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    true_function: Callable[..., Any] | None = None,
    elementwise: bool = False,
    moves: bool = False,
    repeatable: bool = True,
) -> Any:
    """Call a function plainly, call it in the shadow, record what happened, return the traced result.

    Parameters
    ----------
    name : str
        Of the operation, in the events.
    function : callable
    args, kwargs
        May hold traced values, in lists and tuples too.
    true_function : callable, optional
        What the shadow calls instead of `function`.
    elementwise : bool
    moves : bool
        The function only moves numbers: nothing is measured.
    repeatable : bool
        Whether calling it again, with other arguments, has no effect besides its result.
    """
    ledger = current()
    plain_args, plain_kwargs = lower(args), lower(kwargs)
    if ledger is None:
        return function(*plain_args, **plain_kwargs)
    out = kwargs.get("out")
    if out is not None:
        ledger.generation += 1
    operands = [np.array(item) if out is not None else item for item in numbers(plain_args)]
    try:
        result = function(*plain_args, **plain_kwargs)
    except (ArithmeticError, ValueError) as error:
        if isinstance(error, (ArithmeticError, np.linalg.LinAlgError)) or function.__module__ == "math":
            _raised(ledger, name, operands, error, _any_falsely_zero(ledger, args))
        raise
    truth = near = None
    if ledger.shadow and repeatable and any(is_floating(item) for item in operands):
        if not moves:
            near = _attempt(function, mapped(_rounded, args), _without_out(mapped(_rounded, kwargs)))
        truth = _truth(ledger, name, true_function or function, args, kwargs)
    if not moves:
        _record(ledger, name, operands, result, truth, near, args, elementwise)
    return out if out is not None else adopt(result, truth)


def _rounded(item: Traced) -> Any:
    return item.rounded()


def _truth(ledger: Ledger, name: str, function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """The function on the true operands; None where the wider type is of no use to it."""
    true_args, true_kwargs = truths(args), truths(kwargs)
    if _is_float_type(true_kwargs.get("dtype")):
        del true_kwargs["dtype"]
    if kwargs.get("out") is not None and not isinstance(kwargs["out"], Traced):
        del true_kwargs["out"]
        ledger.lost["out= of a plain array"] += 1
    try:
        with np.errstate(all="ignore"):
            return function(*true_args, **true_kwargs)
    except Exception as error:
        ledger.lost[f"{name}: {type(error).__name__}"] += 1
        return None


def _without_out(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in kwargs.items() if key != "out"}


def _is_float_type(dtype: Any) -> bool:
    try:
        return dtype is not None and np.dtype(dtype).kind == "f"
    except TypeError:
        return False


def _attempt(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    try:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)
    except Exception:  # only a figure less
        return None


def _record(
    ledger: Ledger, name: str, operands: list[Any], result: Any, truth: Any, near: Any, args: Any, elementwise: bool
) -> None:
    parts = list(_parts(result, truth, near))
    if not parts:
        return
    event = ledger.event(name, ledger.scope.place(1))
    falsely_zero = _any_falsely_zero(ledger, args)
    with np.errstate(all="ignore"):
        for part, true, close in parts:
            if is_floating(part):
                observe(ledger, event, operands, part, true, close, falsely_zero, elementwise)
            elif true is not None and np.shape(true) == np.shape(part) and np.any(np.asarray(true) != np.asarray(part)):
                event.flips += 1


def _parts(result: Any, truth: Any, near: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Numeric leaves of a result, each with its true and its nearby value."""
    if isinstance(result, (np.ndarray, np.generic, float, bool, int)):
        floating = is_floating(result)
        same = truth is not None and np.shape(truth) == np.shape(result)
        close = near if near is not None and np.shape(near) == np.shape(result) else None
        if (floating and np.asarray(result).dtype.itemsize <= 8) or (not floating and same):
            yield result, truth if same else None, close
    elif isinstance(result, (list, tuple)):
        size = len(result)
        true = truth if isinstance(truth, (list, tuple)) and len(truth) == size else [None] * size
        close = near if isinstance(near, (list, tuple)) and len(near) == size else [None] * size
        for item in zip(result, true, close):
            yield from _parts(*item)


def _traced(value: Any) -> Iterator[Traced]:
    if isinstance(value, Traced):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _traced(item)


def _any_falsely_zero(ledger: Ledger, args: Any) -> bool:
    return ledger.shadow and any(_falsely_zero(item) for item in _traced(args))


def _falsely_zero(item: Traced) -> bool:
    plain = np.asarray(item.plain())
    return bool(np.any((plain == 0) & (np.asarray(item.truth()) != 0)))


def _raised(ledger: Ledger, name: str, operands: list[Any], error: BaseException, falsely_zero: bool) -> None:
    event = ledger.event(name, ledger.scope.place(1))
    if event.birth is None:
        said = f"{type(error).__name__}: {error}"
        event.birth = Birth(ledger.number, "raised", render(operands), said, True, falsely_zero)
