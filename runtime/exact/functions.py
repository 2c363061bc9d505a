"""numpy's functions whose own code does not work on exact numbers: statistics, products, tests.

What numpy composes of ufuncs and indexing alone (`outer`, `diff`, `cross`, `gradient`,
`concatenate`, ...) needs no entry.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .arrays import ExactArray, exact, finished, kept, objects, unsupported
from .carrier import plain
from .numbers import active
from .operations import matmul
from .order import argsort, first, interp, median, percentile, quantile, searchsorted, sort, unique

Array = Any
_ADD: Any = np.add


def _reduce(ufunc: Any) -> Callable[..., Any]:
    def reduce(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **kw: Any) -> Any:
        return ufunc.reduce(exact(a), axis=axis, keepdims=kept(keepdims), out=out, **kw)

    return reduce


def _extreme(ufunc: Any) -> Callable[..., Any]:
    def reduce(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, **kw: Any) -> Any:
        return ufunc.reduce(exact(a), axis=axis, keepdims=kept(keepdims), out=out, **kw)

    return reduce


def _count(a: Any, axis: Any) -> int:
    axes = range(a.ndim) if axis is None else (axis if isinstance(axis, tuple) else (axis,))
    return math.prod(a.shape[i] for i in axes)


def mean(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True
) -> Any:
    a = exact(a)
    if where is not True:
        count = np.sum(np.broadcast_to(plain(where), a.shape), axis=axis, keepdims=kept(keepdims))
        return _ADD.reduce(a, axis=axis, keepdims=kept(keepdims), where=where) / count
    result = _ADD.reduce(a, axis=axis, keepdims=kept(keepdims)) / _count(a, axis)
    return _into(out, result)


def _into(out: Any, result: Any) -> Any:
    if out is None:
        return result
    out[...] = result
    return out


def var(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = False, **kw: Any
) -> Any:
    a = exact(a)
    ddof = kw.get("correction", ddof)
    deviation = a - mean(a, axis, keepdims=True)
    total = _ADD.reduce(deviation * deviation, axis=axis, keepdims=kept(keepdims))
    return _into(out, total / (_count(a, axis) - ddof))


def std(*args: Any, **kwargs: Any) -> Any:
    return np.sqrt(var(*args, **kwargs))


def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False) -> Any:
    a = exact(a)
    if weights is None:
        result, total = mean(a, axis, keepdims=keepdims), exact(float(_count(a, axis)))
    else:
        weights = exact(weights)
        if weights.shape != a.shape:
            shape = [1] * a.ndim
            shape[axis] = -1
            weights = weights.reshape(shape)
        total = np.sum(weights, axis=axis, keepdims=kept(keepdims))
        result = np.sum(a * weights, axis=axis, keepdims=kept(keepdims)) / total
    return (result, total) if returned else result


def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: Any = None,
    fweights: Any = None,
    aweights: Any = None,
    **kw: Any,
) -> Any:
    if fweights is not None or aweights is not None:
        return unsupported("cov with weights")()
    rows = np.atleast_2d(exact(m))
    rows = rows if rowvar or rows.shape[0] == 1 else rows.T
    if y is not None:
        more = np.atleast_2d(exact(y))
        rows = np.concatenate([rows, more if rowvar or more.shape[0] == 1 else more.T])
    ddof = ddof if ddof is not None else 0 if bias else 1
    centred = rows - mean(rows, 1, keepdims=True)
    return np.squeeze(centred @ centred.T / (rows.shape[1] - ddof))


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, **kw: Any) -> Any:
    c = cov(x, y, rowvar)
    if c.ndim == 0:
        return c / c
    scale = np.sqrt(np.diagonal(c))
    return c / scale[:, None] / scale[None, :]


def clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, **kw: Any) -> Any:
    low, high = kw.get("min", a_min), kw.get("max", a_max)
    result = exact(a)
    result = result if low is None else np.maximum(result, low)
    result = result if high is None else np.minimum(result, high)
    return _into(out, result.copy() if result is a else result)


def round_(a: Any, decimals: int = 0, out: Any = None) -> Any:
    scale = 10 ** abs(int(decimals))
    a = exact(a)
    return _into(out, np.rint(a * scale) / scale if decimals >= 0 else np.rint(a / scale) * scale)


def isclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> Any:
    a, b = exact(a), exact(b)
    return (np.abs(a - b) <= atol + rtol * np.abs(b)) | (a == b)


def allclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> bool:
    return bool(np.all(isclose(a, b, rtol, atol)))


def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> bool:
    return np.shape(a1) == np.shape(a2) and bool(np.all(exact(a1) == exact(a2)))


def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    x = exact(x)
    largest = float(np.finfo(ExactArray.form.storage).max)
    positive = np.where(np.isinf(x) & (x > 0), largest if posinf is None else posinf, x)
    negative = np.where(np.isinf(x) & (x < 0), -largest if neginf is None else neginf, positive)
    return np.where(np.isnan(x), nan, negative)


def where(condition: Any, *choices: Any) -> Any:
    truth = condition.whole(np.bool_) if isinstance(condition, ExactArray) else np.asarray(condition)
    if not choices:
        return np.nonzero(truth)
    return finished(np.where(truth, *[objects(item) for item in choices]))


def dot(a: Any, b: Any, out: Any = None) -> Any:
    a, b = exact(a), exact(b)
    if a.ndim == 0 or b.ndim == 0:
        return _into(out, a * b)
    if b.ndim > 2:
        return _into(out, np.tensordot(a, b, axes=(-1, -2)))
    return _into(out, finished(matmul(objects(a), objects(b))))


def vdot(a: Any, b: Any) -> Any:
    return np.sum(exact(a).reshape(-1) * exact(b).reshape(-1))


def inner(a: Any, b: Any) -> Any:
    a, b = exact(a), exact(b)
    return a * b if a.ndim == 0 or b.ndim == 0 else np.tensordot(a, b, axes=(-1, -1))


def einsum(subscripts: Any, *operands: Any, **kw: Any) -> Any:
    return ExactArray.adopted(np.einsum(subscripts, *[objects(item) for item in operands]))


def cumulative(name: str) -> Callable[..., Any]:
    def run(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        a = exact(a)
        a = a.reshape(-1) if axis is None else a
        return _into(out, getattr(np, name).accumulate(a, axis=0 if axis is None else axis))

    return run


def _without_nan(function: Callable[..., Any], neutral: float) -> Callable[..., Any]:
    def run(a: Any, *args: Any, **kw: Any) -> Any:
        a = exact(a)
        return function(where(np.isnan(a), neutral, a), *args, **kw)

    return run


def nanmean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **kw: Any) -> Any:
    a = exact(a)
    return mean(where(np.isnan(a), 0.0, a), axis, keepdims=keepdims, where=~np.isnan(a))


def nanvar(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = False, **kw: Any
) -> Any:
    a = exact(a)
    there = ~np.isnan(a)
    deviation = where(there, a - nanmean(a, axis, keepdims=True), 0.0)
    return np.sum(deviation * deviation, axis=axis, keepdims=kept(keepdims)) / (
        np.sum(there, axis=axis, keepdims=kept(keepdims)) - ddof
    )


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Any:
    return np.sum(np.diagonal(exact(a), offset, axis1, axis2), axis=-1)


def full_like(
    a: Any, fill_value: Any = 0.0, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, **kw: Any
) -> Any:
    if dtype is not None and np.dtype(plain(dtype)).kind in "biu":
        return np.full(np.shape(a) if shape is None else shape, fill_value, dtype=plain(dtype))
    made = np.empty(np.shape(a) if shape is None else shape, dtype=object).view(ExactArray)
    made[...] = fill_value
    return made


def count_nonzero(a: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    return np.count_nonzero(exact(a).whole(np.bool_), axis=axis, keepdims=kept(keepdims))


def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    a = exact(a)
    return np.max(a, axis=axis, keepdims=kept(keepdims)) - np.min(a, axis=axis, keepdims=kept(keepdims))


def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None, axis: int = 0
) -> Any:
    start, stop = exact(start), exact(stop)
    step = (stop - start) / max(num - 1 if endpoint else num, 1)
    made = start + np.arange(num).reshape((-1,) + (1,) * start.ndim) * step
    return (made, step) if retstep else made


def polyval(p: Any, x: Any) -> Any:
    p, x = exact(p), exact(x)
    total = x * 0
    for coefficient in p:
        total = total * x + coefficient
    return total


def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    target = np.broadcast_to(np.asarray(plain(where), dtype=bool), dst.shape)
    dst[target] = np.broadcast_to(exact(src), dst.shape)[target]


def _setting(name: str) -> Callable[..., None]:
    """Functions that write plain numbers into the storage of an array."""

    def write(target: Any, *args: Any, **kw: Any) -> None:
        native = getattr(np, name)
        if name == "fill_diagonal":
            native(objects(target), objects(args[0] if args else kw["val"])[()])
        else:
            native(objects(target), plain(args[0]), objects(args[1]))

    return write


def result_type(*values: Any) -> Any:
    return np.result_type(*[item.dtype if isinstance(item, ExactArray) else plain(item) for item in values])


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sum": _reduce(np.add),
    "prod": _reduce(np.multiply),
    "product": _reduce(np.multiply),
    "max": _extreme(np.maximum),
    "min": _extreme(np.minimum),
    "amax": _extreme(np.maximum),
    "amin": _extreme(np.minimum),
    "any": lambda a, axis=None, out=None, keepdims=False, **kw: np.any(
        exact(a).whole(np.bool_), axis=axis, keepdims=kept(keepdims)
    ),
    "all": lambda a, axis=None, out=None, keepdims=False, **kw: np.all(
        exact(a).whole(np.bool_), axis=axis, keepdims=kept(keepdims)
    ),
    "mean": mean,
    "var": var,
    "std": std,
    "average": average,
    "cov": cov,
    "corrcoef": corrcoef,
    "argsort": argsort,
    "sort": sort,
    "argmax": first(1),
    "argmin": first(-1),
    "nanargmax": first(1),
    "nanargmin": first(-1),
    "argpartition": lambda a, kth, axis=-1, **kw: argsort(a, axis),
    "partition": lambda a, kth, axis=-1, **kw: sort(a, axis),
    "clip": clip,
    "round": round_,
    "around": round_,
    "round_": round_,
    "quantile": quantile,
    "percentile": percentile,
    "median": median,
    "isclose": isclose,
    "allclose": allclose,
    "array_equal": array_equal,
    "nan_to_num": nan_to_num,
    "where": where,
    "dot": dot,
    "vdot": vdot,
    "inner": inner,
    "einsum": einsum,
    "cumsum": cumulative("add"),
    "cumprod": cumulative("multiply"),
    "unique": unique,
    "searchsorted": searchsorted,
    "digitize": lambda x, bins, right=False: searchsorted(bins, x, "left" if right else "right"),
    "interp": interp,
    "nansum": _without_nan(_reduce(np.add), 0.0),
    "nanprod": _without_nan(_reduce(np.multiply), 1.0),
    "nanmax": lambda a, *args, **kw: _extreme(np.fmax)(a, *args, **kw),
    "nanmin": lambda a, *args, **kw: _extreme(np.fmin)(a, *args, **kw),
    "nanmean": nanmean,
    "nanvar": nanvar,
    "nanstd": lambda *args, **kw: np.sqrt(nanvar(*args, **kw)),
    "trace": trace,
    "full_like": full_like,
    "zeros_like": lambda a, dtype=None, *args, **kw: full_like(a, 0.0, dtype, **kw),
    "ones_like": lambda a, dtype=None, *args, **kw: full_like(a, 1.0, dtype, **kw),
    "empty_like": lambda prototype, dtype=None, *args, **kw: full_like(prototype, 0.0, dtype, **kw),
    "count_nonzero": count_nonzero,
    "nonzero": lambda a: np.nonzero(exact(a).whole(np.bool_)),
    "flatnonzero": lambda a: np.flatnonzero(exact(a).whole(np.bool_)),
    "argwhere": lambda a: np.argwhere(exact(a).whole(np.bool_)),
    "ptp": ptp,
    "linspace": linspace,
    "polyval": polyval,
    "copyto": copyto,
    **{name: _setting(name) for name in ("fill_diagonal", "put", "place", "putmask")},
    "result_type": result_type,
    "isposinf": lambda x, out=None: np.isinf(x) & (x > 0),
    "isneginf": lambda x, out=None: np.isinf(x) & (x < 0),
    "isrealobj": lambda x: True,
    "iscomplexobj": lambda x: False,
    "isreal": lambda x: np.ones(np.shape(x), dtype=bool),
    "real": lambda val: val,
    "real_if_close": lambda a, tol=100: a,
    "sinc": lambda x: finished(np.frompyfunc(lambda item: active().call("sinc", item), 1, 1)(objects(x))),
    "ndim": lambda a: objects(a).ndim,
    "shape": lambda a: objects(a).shape,
    "size": lambda a, axis=None: np.size(objects(a), axis),
    "array_repr": lambda arr, *args, **kw: repr(arr),
    "array_str": lambda a, *args, **kw: str(a),
    "array2string": lambda a, *args, **kw: str(a),
    "histogram": unsupported("histogram"),
    "bincount": unsupported("bincount with exact weights"),
}
