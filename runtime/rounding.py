"""Run code unchanged as if every number were of one format.

Casting the inputs is not enough: ``float32 * np.sqrt(2 * np.pi)`` is a float64 in NumPy 2,
and a bfloat16 that meets a float32 becomes one. Here every elementary operation is
rounded to the format, constants included. Sums, means and products of matrices
accumulate in float32 and are rounded once at their end, as hardware does (the sum of
20,000 ones in bfloat16 is 19,968, and not 256); running sums and Python loops do stall.
Linear algebra is computed in float64 and rounded, as numpy does for float32.

What a native run would have computed in a wider format is not lost from sight: it is
reported (`Rounded.promoted`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from . import leaves
from .arithmetic import Arithmetic
from .exact.carrier import Carrier, plain
from .exact.namespace import Namespace
from .formats import FLOAT32, FLOAT64, Format

_DOUBLE = ("numpy.linalg", "scipy.linalg", "numpy.fft", "scipy.fft")


class RoundedArray(Carrier):
    """An array whose numbers are of one format; `of_format` makes the type for each.

    Attributes
    ----------
    wide : bool
        Whether a native run would hold it in float64.
    """

    form: Format = FLOAT32
    promoted: list[str]
    wide: bool = False

    @classmethod
    def lifted(cls, value: Any) -> Any:
        array = np.asarray(plain(value))
        if array.dtype == object:
            array = array.astype(np.float64)
        return np.array(cls.form.round(array)).view(cls)

    @classmethod
    def created(cls, made: Any) -> Any:
        array = cls.lifted(made)
        array.wide = made.dtype == np.float64
        return array

    @classmethod
    def _adopted_leaf(cls, result: Any) -> Any:
        if isinstance(result, (np.ndarray, np.floating)) and np.asarray(result).dtype.kind in "fO":
            return cls.lifted(result)
        return result

    @classmethod
    def stored(cls, value: Any) -> Any:
        return cls.form.round(plain(value)) if np.asarray(plain(value)).dtype.kind != "c" else value

    @classmethod
    def special(cls, name: str, x: Any) -> Any:
        import math

        native = getattr(math, {"gammaln": "lgamma"}.get(name, name))
        return cls.lifted(native(float(x.nearest())))

    @classmethod
    def scipy(cls, name: str, module: str) -> Any:
        import importlib

        native = getattr(importlib.import_module(module), name, None)
        if native is None:
            return None
        return lambda *args, **kw: cls.adopted(native(*_wider(plain(args), module), **_wider(plain(kw), module)))

    @classmethod
    def function(cls, name: str, module: str) -> Any:
        if name in ("copyto", "put", "place", "putmask", "fill_diagonal"):
            return lambda target, *args, **kw: getattr(np, name)(target.view(np.ndarray), *plain(args), **plain(kw))
        if name in ("cumsum", "cumprod"):
            return _running(np.add if name == "cumsum" else np.multiply)
        if name in ("shape", "ndim", "size", "result_type", "array_repr", "array_str", "array2string"):
            return lambda *args, **kw: getattr(np, name)(*plain(args), **plain(kw))
        return None

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        module = getattr(func, "__module__", "") or ""
        if type(self).function(func.__name__, module) is not None:
            return super().__array_function__(func, types, args, kwargs)
        out = kwargs.get("out")
        kwargs = {key: value for key, value in kwargs.items() if key not in ("dtype", "out", "like")}
        computed = func(*_wider(plain(args), module), **_wider(plain(kwargs), module))
        result = type(self).adopted(computed)
        if out is None:
            return result
        out[...] = result
        return out

    def nearest(self) -> Any:
        return self.view(np.ndarray).astype(np.float64)

    def whole(self, dtype: Any) -> Any:
        with np.errstate(all="ignore"):
            return self.view(np.ndarray).astype(dtype)

    def __float__(self) -> float:
        return float(self.view(np.ndarray))

    def __array_finalize__(self, origin: Any) -> None:
        self.wide = getattr(origin, "wide", False)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        out = kwargs.pop("out", None)
        kwargs.pop("dtype", None)
        kwargs.pop("casting", None)
        if method == "at":
            ufunc.at(inputs[0].view(np.ndarray), plain(inputs[1]), *[self._operand(item) for item in inputs[2:]])
            inputs[0][...] = inputs[0].view(np.ndarray)
            return None
        self._watch(ufunc.__name__, inputs)
        operands = [self._operand(item) for item in inputs]
        if method == "accumulate" and ufunc.__name__ in ("add", "multiply") and self.form.precision < 24:
            result = _accumulated(ufunc, operands[0], self.form, **kwargs)
        else:
            result = getattr(ufunc, method)(*operands, **plain(kwargs))
        wide = any(getattr(item, "wide", False) for item in inputs)
        results = tuple(self._rounded(item, wide) for item in (result if isinstance(result, tuple) else (result,)))
        if out is not None:
            for target, value in zip(out, results):
                if target is not None:
                    target[...] = value
            return out[0] if len(out) == 1 else out
        return results if isinstance(result, tuple) else results[0]

    def _operand(self, value: Any) -> Any:
        """In the type that the operation computes in: float32 for the formats that are narrower."""
        array = plain(value)
        if isinstance(array, (bool, int, np.integer, np.bool_)) and not isinstance(value, Carrier):
            return array
        array = np.asarray(array)
        if array.dtype.kind not in "fiuO":
            return array
        if array.dtype.kind in "iu":
            return array if array.ndim == 0 else self._computing(array)
        return self._computing(self.form.round(array.astype(np.float64) if array.dtype == object else array))

    def _computing(self, array: Any) -> Any:
        return array.astype(np.float64 if self.form is FLOAT64 else np.float32)

    def _rounded(self, result: Any, wide: bool) -> Any:
        if np.asarray(result).dtype.kind != "f":
            return result
        made = np.array(self.form.round(result)).view(type(self))
        made.wide = wide
        return made

    def _watch(self, name: str, inputs: tuple[Any, ...]) -> None:
        """Note where a native run in this format would go on in float64."""
        if self.form is FLOAT64:
            return
        narrow = any(isinstance(item, RoundedArray) and not item.wide for item in inputs)
        wide = [item for item in inputs if getattr(item, "wide", False) or _is_wide(item)]
        if narrow and wide and name not in type(self).promoted:
            type(self).promoted.append(name)


_NEP50 = int(np.__version__.split(".")[0]) >= 2
"""From NumPy 2 on, a float64 scalar promotes an array as a float64 array does."""


def _is_wide(value: Any) -> bool:
    if isinstance(value, Carrier):
        return False
    if isinstance(value, np.ndarray):
        return value.dtype == np.float64 and (value.ndim > 0 or _NEP50)
    return _NEP50 and isinstance(value, np.float64)


def _wider(value: Any, module: str) -> Any:
    """Arguments in the type that numpy's own functions compute in."""
    target = np.float64 if module.startswith(_DOUBLE) else np.float32
    if isinstance(value, np.ndarray):
        return (
            value.astype(target)
            if value.dtype.kind == "f" and value.dtype.itemsize < np.dtype(target).itemsize
            else value
        )
    if isinstance(value, (tuple, list)):
        items = [_wider(item, module) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return {key: _wider(item, module) for key, item in value.items()} if isinstance(value, dict) else value


def _running(ufunc: Any) -> Any:
    def run(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        a = a.reshape(-1) if axis is None else a
        result = ufunc.accumulate(a, axis=0 if axis is None else axis)
        if out is None:
            return result
        out[...] = result
        return out

    return run


def _accumulated(ufunc: Any, array: Any, form: Format, axis: int = 0, **_: Any) -> Any:
    """A running sum or product, rounded at every step."""
    moved = np.moveaxis(array, axis, 0)
    result = np.array(moved)
    for i in range(1, len(moved)):
        result[i] = form.round(ufunc(result[i - 1], moved[i]))
    return np.moveaxis(result, 0, axis)


def of_format(form: Format) -> type[RoundedArray]:
    """The array type of a format, with a list of promotions of its own."""
    return type("RoundedArray", (RoundedArray,), {"form": form, "promoted": []})


class Rounded(Arithmetic):
    """Arithmetic that rounds to a format after every operation.

    Parameters
    ----------
    form : Format

    Attributes
    ----------
    promoted : list of str
        Operations in which a native run in this format would have gone on in float64.
    """

    def __init__(self, form: Format) -> None:
        super().__init__(form)
        self.name = f"rounded to {form.name}"
        self.array = of_format(form)

    @property
    def promoted(self) -> list[str]:
        return self.array.promoted

    def _lift_leaf(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return self.array.lifted(value) if value.dtype.kind == "f" else value.copy()
        if isinstance(value, np.floating):
            return self.array.lifted(value)
        return float(self.format.round(value)) if isinstance(value, float) else value

    def lower(self, value: Any) -> Any:
        return leaves.mapped(_lowered, value)

    @contextmanager
    def patched(self, modules: Iterable[ModuleType]) -> Iterator[None]:
        self.array.promoted.clear()
        with Namespace(self.array, lifts_numbers=False).patched(modules):
            yield


def _lowered(value: Any) -> Any:
    if not isinstance(value, RoundedArray):
        return value
    array = np.array(value.view(np.ndarray))
    return array if array.ndim else array[()]
