"""Compare what a run gave with the true value.

A number is wrong when it is not finite although the true value exists and the format
can hold it, when it is zero although the true value is well inside the range, or when
its relative error is larger than the square root of eps: more than half of the digits
are lost. Relative to each entry where the function acts on each entry alone; relative to
the largest entry of the result otherwise (a small entry of a product of matrices cannot
be better than the rounding errors of the large ones).

True values come with their base-2 logarithm, so that ``exp(1000)`` and ``1e-400`` are
known to be outside a format's range although no float64 holds them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import leaves
from .formats import FLOAT64, Format

ORDER = ("", "unrepresentable", "undefined", "digits", "sign", "zero", "inf", "nan")
"""Kinds of result, best first."""


@dataclass(frozen=True)
class Error:
    """How far a result is from the true value.

    Attributes
    ----------
    kind : str
        One of `ORDER`: right, true value outside the format's range, true value undefined,
        digits lost, wrong sign, zero instead of a number, infinite, nan.
    value : float
        Largest relative error; infinite for nan, inf and shapes that differ.
    ulps : float
        The error in units of the format's spacing at the true value.
    digits_lost : float
        Decimal digits, at most those that the format has.
    where : tuple of int
        Index of the worst entry.
    """

    kind: str = ""
    value: float = 0.0
    ulps: float = 0.0
    digits_lost: float = 0.0
    where: tuple[int, ...] = ()

    @property
    def failed(self) -> bool:
        return self.kind not in ("", "undefined", "unrepresentable")


class TrueArray(np.ndarray):
    """True values: a float64 array, infinite or zero where float64 ends, with what it cannot hold beside it.

    Attributes
    ----------
    low : numpy.ndarray
        What is left of the true value after rounding to float64.
    log2abs : numpy.ndarray
        Base-2 logarithm of the absolute value, at any range; minus infinity for zero.
    defined : numpy.ndarray of bool
        Where there is a true value at all.
    """

    low: Any
    log2abs: Any
    defined: Any

    @classmethod
    def of(cls, value: Any, low: Any = None, log2abs: Any = None, defined: Any = None) -> TrueArray:
        """From float64 values; what is not given follows from them."""
        array = np.array(value, dtype=np.float64)
        made = array.view(cls)
        with np.errstate(all="ignore"):
            made.low = np.zeros(array.shape) if low is None else low
            made.log2abs = np.log2(np.abs(array)) if log2abs is None else log2abs
        made.defined = np.isfinite(array) if defined is None else defined
        return made

    def plain(self) -> Any:
        return np.asarray(self.view(np.ndarray))


def compare(got: Any, truth_leaf: Any, form: Format, elementwise: bool = True, floor: float = 0.0) -> Error:
    """Compare a result with its true value.

    Parameters
    ----------
    got : array or number
    truth_leaf : TrueArray, array or number
    form : Format
        In which the result was computed.
    elementwise : bool
        Judge every entry by itself; else relative to the largest true entry.
    floor : float
        Errors are measured against this where the true value is smaller: 1 for log-probabilities,
        whose error is the relative error of the probability.

    Returns
    -------
    Error
    """
    true = truth_leaf if hasattr(truth_leaf, "log2abs") else TrueArray.of(_floats(truth_leaf))
    values = np.asarray(got)
    if values.dtype.kind == "c":
        values = values.real if np.all(np.asarray(values.imag) == 0) else np.full(values.shape, np.nan)
    values = _floats(values)
    if values.shape != true.shape:
        if values.size != true.size:
            return Error("digits", math.inf, math.inf, _digits(form), ())
        values = values.reshape(true.shape)
    if values.size == 0:
        return Error()
    kinds, errors = _judged(values, true, form, elementwise, floor)
    worst = np.lexsort((errors.ravel(), kinds.ravel()))[-1]
    where = tuple(int(i) for i in np.unravel_index(worst, kinds.shape))
    kind, value = ORDER[int(kinds.ravel()[worst])], float(errors.ravel()[worst])
    lost = math.inf if math.isinf(value) else math.log10(max(value / form.eps, 1.0))
    return Error(kind, value, value / form.eps, min(lost, _digits(form)), where)


def _judged(values: Any, true: Any, form: Format, elementwise: bool, floor: float) -> tuple[Any, Any]:
    """Rank in `ORDER` and relative error of every entry."""
    exact, low, size, defined = true.view(np.ndarray), true.low, true.log2abs, true.defined
    errors = _relative(values, exact, low, size, elementwise, floor)
    kinds = np.zeros(values.shape, dtype=int)
    zero = np.isneginf(size)
    normal = math.log2(form.tiny) + form.precision - 1  # least exponent at which all digits are there
    too_large = defined & (size > math.log2(form.largest))
    too_small = defined & ~zero & (size < normal)
    wrong = defined & ~(errors <= math.sqrt(form.eps))
    kinds[wrong] = ORDER.index("digits")
    kinds[wrong & np.isfinite(values) & (np.sign(values) * np.sign(exact) < 0) & (errors > 1)] = ORDER.index("sign")
    kinds[wrong & (values == 0) & ~zero] = ORDER.index("zero")
    kinds[defined & np.isinf(values)] = ORDER.index("inf")
    kinds[defined & np.isnan(values)] = ORDER.index("nan")
    errors = np.where(defined & ~np.isfinite(values), np.inf, errors)
    flushed = too_small & np.isfinite(values) & (np.abs(values) <= 2.0 ** max(normal + 1, -1022))
    vanished = too_small & (values == 0)  # also where float64, in which the errors are computed, has only a zero
    beyond = (too_large & ~(errors <= math.sqrt(form.eps))) | (flushed & wrong) | vanished
    kinds[beyond] = ORDER.index("unrepresentable")
    kinds[~defined] = ORDER.index("undefined")
    return kinds, np.where(beyond | ~defined, 0.0, errors)


def _relative(values: Any, exact: Any, low: Any, size: Any, elementwise: bool, floor: float) -> Any:
    with np.errstate(all="ignore"):
        difference = np.abs((values - exact) - low)
        if elementwise:
            scale = np.abs(exact)
        else:
            finite = np.abs(exact[np.isfinite(exact)])
            scale = np.maximum(np.abs(exact), finite.max() if finite.size else 0.0)
        scale = np.maximum(scale, floor)
        # A true zero has no relative error; what rounding leaves of it is measured against 1.
        scale = np.where(np.isneginf(size) & (scale == 0), 1.0, scale)
        relative = difference / scale
        # At either end of float64's own range neither the difference nor the scale is right.
        relative = np.where((difference == 0) | (values == exact), np.where(np.isinf(exact), np.inf, 0.0), relative)
        return np.where(np.isnan(relative), np.inf, relative)


def disagreement(first: Any, second: Any, elementwise: bool = True) -> float:
    """Largest relative difference between two results of one structure; infinite where they are not comparable."""
    ours, theirs = list(leaves.leaves(first)), list(leaves.leaves(second))
    if len(ours) != len(theirs):
        return math.inf
    worst = 0.0
    for (_, one), (_, other) in zip(ours, theirs):
        a, b = _floats(one), _floats(other)
        if a.shape != b.shape:
            return math.inf
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        if a.size == 0 or bool(np.all(same)):
            continue
        with np.errstate(all="ignore"):
            scale = np.maximum(np.abs(a), np.abs(b))
            if not elementwise:
                scale = np.maximum(scale, np.max(scale[np.isfinite(scale)], initial=0.0))
            apart = np.where(same, 0.0, np.abs(a - b) / scale)
        worst = max(worst, math.inf if np.any(~np.isfinite(apart)) else float(apart.max()))
    return worst


def _floats(value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype.kind == "c":
        array = array.real
    try:
        with np.errstate(all="ignore"):
            return np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError):
        return np.full(array.shape, np.nan)


def _digits(form: Format) -> float:
    return form.precision * math.log10(2)


def shown(true: Any) -> Any:
    """A true value for a reader: the float64 array, or ``"1.97e434"`` where float64 does not hold a number."""
    size = np.asarray(getattr(true, "log2abs", 0.0))
    value = np.asarray(true)
    if value.ndim or FLOAT64.holds(float(value)) or not bool(np.all(getattr(true, "defined", True))):
        return value if value.ndim else float(value)
    exponent = float(size) * math.log10(2)
    whole = math.floor(exponent)
    sign = "-" if float(value) < 0 else ""
    return f"{sign}{10 ** (exponent - whole):.3g}e{whole:+d}"
