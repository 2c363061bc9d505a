"""Arrays of exact numbers: numpy arrays of objects under the dtype of the format that they stand for.

Every elementary operation is looked up by the name of its ufunc. Sums, products and
differences go through numpy's own loops over objects, the rest through `numpy.frompyfunc`
of the field's functions, which know the conventions at the edges of a domain.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..formats import FLOAT64
from .carrier import Carrier, plain
from .numbers import Unsupported, active
from .operations import LOGICAL, OPERATIONS, PAIRWISE, _loop

Array = Any


class ExactArray(Carrier):
    """An array of numbers of the active field."""

    form = FLOAT64

    @property
    def dtype(self) -> Any:
        """What the code under test sees: the type that a native run would have, for its `finfo`."""
        return type(self).form.storage

    @property
    def objects(self) -> Array:
        """The plain array of objects behind it."""
        return self.view(np.ndarray)

    @classmethod
    def lifted(cls, value: Any) -> Any:
        if isinstance(value, cls):
            return value.copy()
        return objects(value).view(cls)

    @classmethod
    def _adopted_leaf(cls, result: Any) -> Any:
        if isinstance(result, np.ndarray):
            if result.view(np.ndarray).dtype != object:
                return cls.lifted(result) if result.dtype.kind == "f" else result
            return normalised(result.view(np.ndarray)).view(cls)
        if isinstance(result, (active().kind, float, np.floating)):
            return cls._scalar(result)
        return result

    @classmethod
    def _scalar(cls, element: Any) -> Any:
        box = np.empty((), dtype=object)
        box[()] = active().of(element)
        return box.view(cls)

    @classmethod
    def stored(cls, value: Any) -> Any:
        found = objects(value)
        return found if found.ndim else found[()]  # numpy would store the array of no dimension itself

    @classmethod
    def function(cls, name: str, module: str) -> Callable[..., Any] | None:
        from . import functions, linalg

        if module.startswith(("numpy.linalg", "numpy.core.linalg")):
            return linalg.FUNCTIONS.get(name) or unsupported(f"numpy.linalg.{name}")
        if module.startswith("numpy.fft"):
            return unsupported(f"numpy.fft.{name}")
        return functions.FUNCTIONS.get(name)

    @classmethod
    def scipy(cls, name: str, module: str) -> Any:
        from . import scipy

        return scipy.counterpart(name, module)

    @classmethod
    def special(cls, name: str, x: Any) -> Any:
        return _called(name, (x,), True)

    def nearest(self) -> Any:
        convert = active().to_float
        return _mapped(convert, self.objects, np.float64)

    def whole(self, dtype: Any) -> Any:
        field = active()
        if np.dtype(dtype).kind == "b":
            return _mapped(lambda x: field.is_nan(x) or field.sign(x) != 0, self.objects, bool)
        values = objects(np.trunc(self))
        return _mapped(lambda x: field.floor_int(x) if field.is_finite(x) else 0, values, dtype)

    def __float__(self) -> float:
        if self.size != 1:
            raise TypeError("only length-1 arrays can be converted to Python scalars")
        field = active()
        field.account.rounded += 1
        return field.to_float(self.objects.reshape(-1)[0])

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        out = kwargs.pop("out", None)
        for name in ("dtype", "casting", "order", "subok", "signature"):
            kwargs.pop(name, None)
        result = apply(ufunc, method, inputs, kwargs)
        return _written(result, out) if out is not None else result


def objects(value: Any) -> Array:
    """Plain array of the active field's numbers."""
    if isinstance(value, ExactArray):
        return value.view(np.ndarray)
    array = value if isinstance(value, np.ndarray) else np.asarray(plain(value))
    if array.dtype.kind == "c":
        active().account.unsupported.append("complex numbers")
        raise Unsupported("complex numbers")
    if array.dtype == object:
        return normalised(array)
    return _mapped(active().of, array.view(np.ndarray).astype(object) if array.dtype.kind != "g" else array, object)


def normalised(array: Array) -> Array:
    """An array of objects with every entry a number of the field."""
    field = active()
    if all(type(item) is field.kind for item in array.reshape(-1).tolist()):
        return array
    return _mapped(field.of, array, object)


def _mapped(function: Callable[[Any], Any], array: Array, dtype: Any) -> Array:
    result = np.empty(array.shape, dtype=dtype)
    flat = result.reshape(-1)
    for i, item in enumerate(array.reshape(-1).tolist() if array.dtype == object else array.reshape(-1)):
        flat[i] = function(item)
    return result


def _written(result: Any, out: Any) -> Any:
    results = result if isinstance(result, tuple) else (result,)
    for target, value in zip(out, results):
        if target is not None:
            if not isinstance(target, Carrier) and isinstance(value, ExactArray):
                active().account.rounded += 1
                value = value.nearest()
            target[...] = value
    return out[0] if len(out) == 1 else out


def apply(ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A ufunc, or one of its methods, on exact arrays.

    Raises
    ------
    Unsupported
    """
    name = ufunc.__name__
    if method == "__call__":
        return _called(name, inputs, kwargs.get("where", True))
    if method in ("reduce", "accumulate"):
        return _folded(ufunc, name, method, inputs, kwargs)
    if method == "outer":
        first, second = inputs
        shape = np.shape(first) + (1,) * np.ndim(second)
        return _called(name, (np.reshape(first, shape), second), True)
    if method == "at" and name in ("add", "subtract", "multiply"):
        ufunc.at(objects(inputs[0]), plain(inputs[1]), objects(inputs[2]))
        return None
    if method == "reduceat" and name == "add":
        return np.add.reduceat(objects(inputs[0]), plain(inputs[1]), **kwargs).view(ExactArray)
    return unsupported(f"{name}.{method}")()


def _called(name: str, inputs: tuple[Any, ...], where: Any) -> Any:
    if name in LOGICAL:
        return getattr(np, name)(*[_truth(item) for item in inputs])
    operation = OPERATIONS.get(name)
    if operation is None:
        return unsupported(name)()
    operands = [objects(item) for item in inputs]
    if where is not True:
        return _where(operation, operands, np.asarray(plain(where), dtype=bool))
    return finished(operation(*operands))


def _where(operation: Callable[..., Any], operands: list[Array], where: Array) -> Any:
    """Compute only at the chosen places, zero elsewhere (numpy leaves them as they were)."""
    operands = list(np.broadcast_arrays(*operands, where))[:-1]
    where = np.broadcast_to(where, operands[0].shape)
    result = np.full(operands[0].shape, active().zero, dtype=object)
    chosen = operation(*[operand[where] for operand in operands])
    if isinstance(chosen, np.ndarray) and chosen.dtype == bool:
        result = result.astype(bool)
    result[where] = chosen
    return finished(result)


def finished(result: Any) -> Any:
    if isinstance(result, tuple):
        return tuple(finished(item) for item in result)
    if isinstance(result, np.ndarray):
        return result.view(ExactArray) if result.dtype == object else result
    if isinstance(result, (bool, np.bool_)):
        return np.bool_(result)
    return ExactArray._scalar(result)


def _folded(ufunc: Any, name: str, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if name in LOGICAL:
        return getattr(ufunc, method)(_truth(inputs[0]), **plain(kwargs))
    array = objects(inputs[0])
    field = active()
    if "initial" in kwargs:
        if kwargs["initial"] is None or kwargs["initial"] is getattr(np, "_NoValue", None):
            del kwargs["initial"]
        else:
            kwargs["initial"] = field.of(kwargs["initial"])
    where = kwargs.get("where", True)
    if where is not True:
        kwargs["where"] = np.asarray(plain(where), dtype=bool)
    if name in ("add", "multiply"):
        start = field.zero if name == "add" else field.one
        if method == "reduce" and (where is not True or array.size == 0):
            kwargs.setdefault("initial", start)
        if name == "multiply":
            array, kwargs = _one_axis(array, method, kwargs)
        folded = getattr(ufunc if name == "add" else _loop(field.multiply, 2), method)(array, **kwargs)
        return finished(folded)
    if name in OPERATIONS:
        if name in ("maximum", "minimum", "fmax", "fmin") and array.size == 0:
            raise ValueError(f"zero-size array to reduction operation {name} which has no identity")
        if name in PAIRWISE:
            array, kwargs = _one_axis(array, method, kwargs)
            return finished(getattr(_loop(PAIRWISE[name], 2), method)(array, **kwargs))
    return unsupported(f"{name}.{method}")()


def _one_axis(array: Array, method: str, kwargs: dict[str, Any]) -> tuple[Array, dict[str, Any]]:
    """Bring several axes to the front as one: a Python function as a ufunc folds one axis only."""
    axis = kwargs.get("axis", 0)
    axes = tuple(range(array.ndim)) if axis is None else axis
    if method != "reduce" or not isinstance(axes, tuple) or kwargs.get("where", True) is not True:
        return array, kwargs
    axes = tuple(i % array.ndim for i in axes)
    kept = [i for i in range(array.ndim) if i not in axes]
    merged = array.transpose([*axes, *kept]).reshape(-1, *[array.shape[i] for i in kept])
    if not kwargs.get("keepdims", False):
        return merged, {**kwargs, "axis": 0}
    ones = [1 if i in axes else array.shape[i] for i in range(array.ndim)]
    return merged.reshape(-1, *ones), {**kwargs, "axis": 0, "keepdims": False}


def _truth(value: Any) -> Any:
    return value.whole(np.bool_) if isinstance(value, ExactArray) else np.asarray(value, dtype=bool)


def unsupported(name: str) -> Callable[..., Any]:
    """A function that raises `Unsupported`, and says so in the account as well."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        active().account.unsupported.append(name)
        raise Unsupported(name)

    return refuse


def exact(a: Any) -> Any:
    return a if isinstance(a, ExactArray) else ExactArray.lifted(a)


def kept(keepdims: Any) -> bool:
    """Whether reduced axes are kept: numpy's functions pass a marker where the argument is not given."""
    return keepdims is True or keepdims == 1
