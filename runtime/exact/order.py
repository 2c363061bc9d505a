"""Order statistics of exact arrays: sorting, ranks, quantiles, distinct values.

Comparisons of numbers that the precision does not tell apart raise `Undecided`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .arrays import ExactArray, exact, kept, objects, unsupported
from .carrier import plain
from .numbers import active

Array = Any


def _ranked(values: list[Any]) -> list[int]:
    compare = active().compare
    order: Any = functools.cmp_to_key(lambda i, j: _side(compare, values[i], values[j]))
    return sorted(range(len(values)), key=order)


def _side(compare: Any, x: Any, y: Any) -> int:
    field = active()
    side = compare(x, y)
    return int(field.is_nan(x)) - int(field.is_nan(y)) if side is None else side  # nan goes last


def argsort(a: Any, axis: Any = -1, *args: Any, **kw: Any) -> Any:
    array = objects(a)
    if axis is None:
        array, axis = array.reshape(-1), 0
    if array.ndim == 0 or array.size == 0:
        return np.zeros(array.shape, dtype=np.intp)
    return np.apply_along_axis(lambda row: np.array(_ranked(list(row)), dtype=np.intp), axis, array)


def sort(a: Any, axis: Any = -1, *args: Any, **kw: Any) -> Any:
    a = exact(a)
    if axis is None:
        a, axis = a.reshape(-1), 0
    if a.ndim == 0 or a.size == 0:
        return a.copy()
    return np.take_along_axis(objects(a), argsort(a, axis), axis).view(ExactArray)


def first(better: int) -> Callable[..., Any]:
    def arg(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
        array = objects(a)
        if array.size == 0:
            raise ValueError("attempt to get argmax of an empty sequence")

        def best(row: Array) -> int:
            chosen = 0
            for i in range(1, len(row)):
                if active().is_nan(row[chosen]):
                    break
                side = active().compare(row[i], row[chosen])
                if side is None or side == better:
                    chosen = i
            return chosen

        if axis is None:
            return np.intp(best(array.reshape(-1)))
        found = np.apply_along_axis(best, axis, array)
        found = np.expand_dims(found, axis) if kept(keepdims) else found
        return found if np.ndim(found) else np.intp(found)

    return arg


def quantile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: Any = False,
    **kw: Any,
) -> Any:
    if method != "linear" or isinstance(axis, tuple):
        return unsupported("quantile")()
    ordered = sort(a, axis)
    along = 0 if axis is None else axis
    n = ordered.shape[along]
    results = []
    for share in np.atleast_1d(np.asarray(plain(q), dtype=float)).ravel():
        place = exact(float(share)) * (n - 1)
        below = int(np.floor(place))
        above = min(below + 1, n - 1)
        low, high = np.take(ordered, below, axis=along), np.take(ordered, above, axis=along)
        value = low + (high - low) * (place - below)
        results.append(np.expand_dims(value, along) if kept(keepdims) and axis is not None else value)
    return results[0] if np.ndim(q) == 0 else np.stack(results)


def percentile(a: Any, q: Any, *args: Any, **kw: Any) -> Any:
    return quantile(a, np.asarray(plain(q), dtype=float) / 100, *args, **kw)


def median(a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: Any = False) -> Any:
    return quantile(a, 0.5, axis, keepdims=keepdims)


def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: Any = None,
    **kw: Any,
) -> Any:
    if axis is not None:
        return unsupported("unique along an axis")()
    flat = objects(ar).reshape(-1)
    order = np.array(_ranked(list(flat)), dtype=np.intp)
    ordered = flat[order].view(ExactArray)
    fresh = np.concatenate([[True], np.asarray(ordered[1:] != ordered[:-1])]) if flat.size else np.zeros(0, dtype=bool)
    results: list[Any] = [ordered[fresh]]
    groups = np.cumsum(fresh) - 1
    if return_index:
        results.append(order[fresh])
    if return_inverse:
        inverse = np.empty(flat.size, dtype=np.intp)
        inverse[order] = groups
        results.append(inverse)
    if return_counts:
        results.append(np.bincount(groups))
    return results[0] if len(results) == 1 else tuple(results)


def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    places = exact(a) if sorter is None else exact(a)[sorter]
    queries = exact(v)
    below = (
        (places[None, :] < queries.reshape(-1)[:, None])
        if side == "left"
        else (places[None, :] <= queries.reshape(-1)[:, None])
    )
    return np.sum(below, axis=1).reshape(queries.shape)[()]


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    xs, xp, fp = exact(x), exact(xp), exact(fp)
    i = np.clip(searchsorted(xp, xs, "right") - 1, 0, len(xp) - 2)
    inside = fp[i] + (xs - xp[i]) * (fp[i + 1] - fp[i]) / (xp[i + 1] - xp[i])
    inside = np.where(xs < xp[0], fp[0] if left is None else left, inside)
    return np.where(xs > xp[-1], fp[-1] if right is None else right, inside)
