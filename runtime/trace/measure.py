"""What one operation did to its numbers, with and without a shadow.

Ranges and births of inf and nan need the plain numbers alone. A zero is false where the
true value is not zero: known from the shadow, or, without one, from operations which
cannot give zero (``exp``, a product of nonzero numbers). Errors are norm-wise, against
the largest true value: an ordinary product of matrices has elements near zero whose own
relative error says nothing. Only functions of one number are judged number by number.

The local error is Herbgrind's: the operation is applied to the *true* operands rounded to
the format, and compared with the true result. It says how much this one operation loses
through the rounding of its operands, whatever was lost before (Sanchez-Stern, Panchekha,
Lerner, Tatlock, "Finding root causes of floating point error", PLDI 2018).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .events import Birth, Event, Ledger

NEVER_ZERO = ("exp", "exp2")
ZERO_FROM_ZERO = (
    "multiply",
    "square",
    "power",
    "prod",
    "multiply.reduce",
    "divide",
    "reciprocal",
    "float_power",
    "pow",
)
"""Zero in exact arithmetic only if an operand is zero."""
POLES = ("divide", "true_divide", "reciprocal", "log", "log2", "log10", "log1p", "power", "arctanh", "pow", "rsqrt")
DIFFERENCES = ("add", "subtract")
SUMS = ("sum", "mean", "add.reduce", "fsum", "nansum", "nanmean")


def observe(
    ledger: Ledger,
    event: Event,
    operands: list[Any],
    result: Any,
    truth: Any = None,
    near: Any = None,
    falsely_zero: bool = False,
    elementwise: bool = False,
) -> None:
    """Add one execution to its event.

    Parameters
    ----------
    operands : list of array_like
        Plain operands, as they were before the operation.
    result, truth, near : array_like
        Plain result; true result, or None; the operation on the true operands rounded, or None.
    falsely_zero : bool
        Whether an operand holds a zero whose true value is not zero.
    elementwise : bool
        Whether an element of the result depends only on the corresponding elements of the operands.
    """
    values = np.asarray(result)
    if not values.size:
        return
    event.eps = float(np.finfo(values.dtype).eps)
    least, largest = float(values.min()), float(values.max())
    finite = largest - least < np.inf  # false for nan and for infinities
    if finite:
        event.result.widen(least, largest)
    arrays = [np.asarray(operand) for operand in operands]
    for array in arrays:
        if array.size and array.dtype.kind in "fiu":
            low, high = float(array.min()), float(array.max())
            if high - low < np.inf:
                event.operands.widen(low, high)
    if not finite:
        _births(ledger, event, arrays, values, truth, near, falsely_zero, elementwise)
    if least <= 0.0 <= largest:
        _zeros(ledger, event, arrays, values, truth, elementwise)
    base = event.operation.rsplit(":", 1)[-1]
    if base in DIFFERENCES and len(arrays) == 2:
        _difference(event, arrays[0], arrays[1], values)
    elif base in SUMS and values.ndim == 0 and arrays:
        event.cancelled = max(event.cancelled, _sum_cancellation(arrays[0], values))
    if truth is not None:
        one_number = elementwise and len(arrays) == 1
        event.total = max(event.total, relative_error(values, truth, one_number))
        if near is not None:
            local = relative_error(near, truth, one_number)
            if local > event.local:
                event.local = local
                event.worst = (render(arrays), render([values]))


def _births(
    ledger: Ledger,
    event: Event,
    arrays: list[Any],
    values: Any,
    truth: Any,
    near: Any,
    falsely_zero: bool,
    elementwise: bool,
) -> None:
    """Find the inf and nan that were born here, and not handed on."""
    before_finite, before_nan = _clean(arrays, values, elementwise)
    infinite = np.isinf(values) & before_finite
    undefined = np.isnan(values) & before_nan
    born = infinite | undefined
    if not born.any():
        return
    index = np.unravel_index(int(np.argmax(born)), values.shape)
    shown = [_at(array, index, values.shape, elementwise) for array in arrays]
    if undefined[index]:
        kind = "nan"
    else:
        base = event.operation.rsplit(":", 1)[-1]
        zero = shown[-1] if base in ("divide", "true_divide") and shown else shown[0] if shown else None
        special = -1.0 if base == "log1p" else 0.0
        kind = "pole" if base in POLES and zero is not None and np.any(zero == special) else "overflow"
    event.overflows += kind == "overflow"
    event.poles += kind == "pole"
    event.nans += kind == "nan"
    if event.birth is None:
        finite = None
        if truth is not None and np.shape(truth) == values.shape:
            finite = bool(np.any(np.isfinite(truth) & born))
        inherited = near is not None and bool(np.all(np.isfinite(np.asarray(near)[born])))
        event.birth = Birth(ledger.number, kind, render(shown), f"{values[index]:g}", finite, falsely_zero, inherited)


def _clean(arrays: list[Any], values: Any, elementwise: bool) -> tuple[Any, Any]:
    """Where the operands are all finite, and where none is nan."""
    finite, known = np.True_, np.True_
    for array in arrays:
        if array.dtype.kind == "f":
            good, no_nan = np.isfinite(array), ~np.isnan(array)
            if elementwise:
                finite, known = finite & good, known & no_nan
            else:
                finite, known = finite & good.all(), known & no_nan.all()
    try:
        return np.broadcast_to(finite, values.shape), np.broadcast_to(known, values.shape)
    except ValueError:
        return np.broadcast_to(np.all(finite), values.shape), np.broadcast_to(np.all(known), values.shape)


def _zeros(ledger: Ledger, event: Event, arrays: list[Any], values: Any, truth: Any, elementwise: bool) -> None:
    """Find zeros whose true value is not zero."""
    zero = values == 0
    base = event.operation.rsplit(":", 1)[-1]
    if truth is not None and np.shape(truth) == values.shape:
        false = zero & (np.asarray(truth) != 0)
    elif base in NEVER_ZERO:
        false = zero & _everywhere([np.isfinite(array) for array in arrays], values, elementwise)
    elif base in ZERO_FROM_ZERO:
        false = zero & _everywhere([(array != 0) & np.isfinite(array) for array in arrays], values, elementwise)
    else:
        return
    if not false.any():
        return
    event.underflows += 1
    if event.zero is None:
        index = np.unravel_index(int(np.argmax(false)), values.shape)
        shown = [_at(array, index, values.shape, elementwise) for array in arrays]
        event.zero = Birth(ledger.number, "underflow", render(shown), f"{values[index]:g}", True)


def _everywhere(conditions: list[Any], values: Any, elementwise: bool) -> Any:
    result = np.True_
    for condition in conditions:
        result = result & (condition if elementwise else condition.all())
    try:
        return np.broadcast_to(result, values.shape)
    except ValueError:
        return np.broadcast_to(np.all(result), values.shape)


def _difference(event: Event, left: Any, right: Any, values: Any) -> None:
    """Bits cancelled by a sum of two, and whether one of them vanished in the other."""
    with np.errstate(all="ignore"):
        larger = np.maximum(np.abs(left), np.abs(right))
        bits = -np.log2(event.eps)
        ratio = np.where(values == 0, np.where(larger > 0, 1 / event.eps, 1.0), larger / np.abs(values))
        ratio = ratio[np.isfinite(ratio)]
        if ratio.size:
            event.cancelled = max(event.cancelled, min(float(np.log2(max(float(ratio.max()), 1.0))), float(bits)))
        vanished = ((values == left) & (right != 0) & (left != 0)) | ((values == right) & (left != 0) & (right != 0))
        event.absorbed += bool(np.any(vanished & np.isfinite(values)))


def _sum_cancellation(terms: Any, total: Any) -> float:
    with np.errstate(all="ignore"):
        size = terms.size if terms.dtype.kind in "fiu" else 0
        whole = float(np.abs(terms).mean()) * size if size else 0.0
        value = abs(float(total)) * (size if abs(float(total)) <= whole / max(size, 1) else 1)
        return float(np.log2(whole / value)) if 0 < value <= whole < np.inf else 0.0


def relative_error(values: Any, truth: Any, each: bool = False) -> float:
    """Largest error relative to the largest true value, or, with `each`, number by number.

    An infinity is right where the true value lies beyond the format; nan is right only for nan.
    """
    plain, true = np.asarray(values), np.asarray(truth)
    if plain.shape != true.shape or plain.dtype.kind != "f" or not plain.size:
        return 0.0
    limits = np.finfo(plain.dtype)
    with np.errstate(all="ignore"):
        wide = plain.astype(true.dtype)
        finite = np.isfinite(wide)
        size = np.abs(true)
        beyond = ~np.isfinite(true) | (size > limits.max)
        comparable = finite & ~beyond
        if np.any(~finite & ~beyond):
            return np.inf
        if not comparable.any():
            return 0.0
        error = np.where(comparable, np.abs(wide - true), 0)
        scale = np.maximum(size, limits.tiny) if each else max(float(size[comparable].max()), float(limits.tiny))
        return float(np.max(error / scale, initial=0.0, where=comparable))


def _at(array: Any, index: tuple[Any, ...], shape: tuple[int, ...], elementwise: bool) -> Any:
    """The operand's number at one place of the result; the operand itself where nothing corresponds."""
    if elementwise:
        try:
            return np.broadcast_to(array, shape)[index]
        except ValueError:
            return array
    return array


def render(operands: list[Any]) -> str:
    """Operands in words: a number, or the largest magnitude of an array."""
    return ", ".join(_render(np.asarray(operand)) for operand in operands)


def _render(value: Any) -> str:
    if value.dtype.kind not in "fiub" or not value.size:
        return "-"
    if value.size == 1:
        number = float(value.reshape(-1)[0])
        return str(number) if abs(number) < 1e6 and number == round(number, 6) else f"{number:.6g}"
    if value.dtype.kind == "f" and np.isnan(value).any():
        return "max nan"
    return f"max {float(np.abs(value.astype(np.float64)).max()):.4g}"
