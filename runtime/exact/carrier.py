"""An array whose numbers belong to another arithmetic, and that passes for an ordinary one.

The code under test must not notice. So a number taken out of such an array is again one,
of no dimension: it has the methods of numpy's scalars, counts as a `float`, is never
changed in place, hashes and prints like a number. What numpy does with these arrays comes
here through its two protocols (``__array_ufunc__`` of NEP 13, ``__array_function__`` of
NEP 18); the methods of arrays are sent the same way, since numpy's own would bypass them.

A subclass supplies how numbers are stored and what the operations are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Array = Any


class Carrier(np.ndarray):
    """Base of the array types of other arithmetics."""

    __array_priority__ = 1000.0

    # What a subclass supplies.

    @classmethod
    def lifted(cls, value: Any) -> Any:
        """Array of this type from an array, a number, or a nested list of them."""
        raise NotImplementedError

    @classmethod
    def created(cls, made: Any) -> Any:
        """Array of this type from one that the code under test made, such as ``np.zeros(n)``."""
        return cls.lifted(made)

    @classmethod
    def adopted(cls, result: Any) -> Any:
        """What numpy returned on plain arrays, structure included, in this arithmetic again."""
        if isinstance(result, tuple):
            items = [cls.adopted(item) for item in result]
            return type(result)(*items) if hasattr(result, "_fields") else tuple(items)
        if isinstance(result, list):
            return [cls.adopted(item) for item in result]
        return cls._adopted_leaf(result)

    @classmethod
    def _adopted_leaf(cls, result: Any) -> Any:
        raise NotImplementedError

    @classmethod
    def stored(cls, value: Any) -> Any:
        """Plain array or number that can be written into the storage of this type."""
        raise NotImplementedError

    @classmethod
    def function(cls, name: str, module: str) -> Callable[..., Any] | None:
        """Counterpart of a function of numpy, on and returning arrays of this type; None: numpy's own will do."""
        return None

    @classmethod
    def scipy(cls, name: str, module: str) -> Any:
        """Counterpart of a function or distribution of scipy that is no ufunc; None: there is none."""
        return None

    @classmethod
    def special(cls, name: str, x: Any) -> Any:
        """A function of one variable that numpy does not have (`erf`, `gammaln`), on an array of this type."""
        raise NotImplementedError

    def nearest(self) -> Any:
        """As ordinary floats, for printing."""
        raise NotImplementedError

    def whole(self, dtype: Any) -> Any:
        """As integers or booleans, truncated."""
        raise NotImplementedError

    def __float__(self) -> float:
        raise NotImplementedError

    # The protocols.

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        own = type(self).function(func.__name__, getattr(func, "__module__", "") or "")
        if own is not None:
            return own(*args, **kwargs)
        kwargs = {key: value for key, value in kwargs.items() if key not in ("dtype", "like")}
        out = kwargs.pop("out", None)
        result = type(self).adopted(func(*plain(args), **plain(kwargs)))
        if out is None:
            return result
        out = out[0] if isinstance(out, tuple) else out
        out[...] = result
        return out

    # Numbers, not arrays of no dimension.

    def __getitem__(self, key: Any) -> Any:
        found = self.view(np.ndarray)[plain(key)]
        return found.view(type(self)) if isinstance(found, np.ndarray) else self._scalar(found)

    @classmethod
    def _scalar(cls, element: Any) -> Any:
        return cls.lifted(element)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.view(np.ndarray)[plain(key)] = type(self).stored(value)

    def __iter__(self) -> Iterator[Any]:
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self)))

    @property
    def flat(self) -> Any:
        return self.reshape(-1)

    def item(self, *index: Any) -> Any:
        if index:
            return self.reshape(-1)[index[0]] if len(index) == 1 and not isinstance(index[0], tuple) else self[index]
        if self.size != 1:
            raise ValueError("can only convert an array of size 1 to a Python scalar")
        return self.reshape(-1)[0]

    def tolist(self) -> Any:
        return [item.tolist() for item in self] if self.ndim else self.copy()

    def __iadd__(self, other: Any) -> Any:  # type: ignore[misc]
        return self + other if self.ndim == 0 else np.add(self, other, out=(self,))

    def __isub__(self, other: Any) -> Any:  # type: ignore[misc]
        return self - other if self.ndim == 0 else np.subtract(self, other, out=(self,))

    def __imul__(self, other: Any) -> Any:  # type: ignore[misc]
        return self * other if self.ndim == 0 else np.multiply(self, other, out=(self,))

    def __itruediv__(self, other: Any) -> Any:  # type: ignore[misc]
        return self / other if self.ndim == 0 else np.true_divide(self, other, out=(self,))

    def __ifloordiv__(self, other: Any) -> Any:  # type: ignore[misc]
        return self // other if self.ndim == 0 else np.floor_divide(self, other, out=(self,))

    def __ipow__(self, other: Any) -> Any:  # type: ignore[misc,override]
        return self**other if self.ndim == 0 else np.power(self, other, out=(self,))

    def __hash__(self) -> int:  # type: ignore[override]
        if self.ndim:
            raise TypeError(f"unhashable type: {type(self).__name__!r}")
        return hash(float(self.nearest()))

    def __bool__(self) -> bool:
        if self.size != 1:
            return bool(np.ones(self.shape, dtype=bool))  # numpy's own error
        return bool(self.whole(np.bool_).reshape(-1)[0])

    def __int__(self) -> int:
        if self.size != 1:
            raise TypeError("only length-1 arrays can be converted to Python scalars")
        return int(self.whole(np.int64).reshape(-1)[0])

    def __trunc__(self) -> int:
        return int(self)

    def __floor__(self) -> int:
        return int(np.floor(self))

    def __ceil__(self) -> int:
        return int(np.ceil(self))

    def __round__(self, ndigits: int | None = None) -> Any:
        return int(np.rint(self)) if ndigits is None else np.round(self, ndigits)

    def __index__(self) -> int:
        raise TypeError("only integer scalar arrays can be converted to a scalar index")

    def __repr__(self) -> str:
        return repr(self.nearest()) if self.ndim else repr(float(self.nearest()))

    def __str__(self) -> str:
        return str(self.nearest()) if self.ndim else str(float(self.nearest()))

    def __format__(self, spec: str) -> str:
        return format(float(self.nearest()), spec) if self.ndim == 0 else format(str(self), spec)

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    def __copy__(self) -> Any:
        return self.copy()

    def is_integer(self) -> bool:
        return bool(np.all(self == np.rint(self)))

    # Methods that numpy would compute without asking.

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        kind = np.dtype(real(dtype)).kind
        if kind in "biu":
            return self.whole(np.dtype(real(dtype)))
        return self.copy()

    def fill(self, value: Any) -> None:
        self[...] = value

    def sort(self, axis: Any = -1, *args: Any, **kwargs: Any) -> None:
        self[...] = np.sort(self, axis)

    def take(self, *args: Any, **kwargs: Any) -> Any:
        return np.take(self, *args, **kwargs)

    def tobytes(self, *args: Any, **kwargs: Any) -> bytes:
        return bytes(self.nearest().tobytes(*args, **kwargs))

    real = property(lambda self: self)
    imag = property(lambda self: np.zeros(self.shape))

    def conj(self) -> Any:
        return self

    conjugate = conj


def _method(name: str) -> Any:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(np, name)(self, *args, **kwargs)

    method.__name__ = name
    return method


for _name in (
    "sum mean max min prod cumsum cumprod dot argmax argmin std var clip round ptp trace any all repeat compress "
    "searchsorted argsort nonzero choose partition argpartition"
).split():
    setattr(Carrier, _name, _method(_name))


def real(value: Any) -> Any:
    """The native name behind a stand-in, such as `float` behind the type that counts lifted numbers as floats."""
    return getattr(value, "__numlint_native__", value)


def plain(value: Any) -> Any:
    """Plain arrays in place of carriers, native names in place of stand-ins, in any structure of arguments."""
    if isinstance(value, Carrier):
        return value.view(np.ndarray)
    if isinstance(value, (list, tuple)):
        if not any(isinstance(item, (Carrier, list, tuple, slice, type)) or callable(item) for item in value):
            return value
        items = [_element(item) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, slice):
        return value
    return real(value)


def _element(value: Any) -> Any:
    return value.view(np.ndarray)[()] if isinstance(value, Carrier) and value.ndim == 0 else plain(value)


def carries(value: Any) -> bool:
    """Whether a structure of arguments holds a carrier."""
    if isinstance(value, Carrier):
        return True
    if isinstance(value, (list, tuple)):
        return any(carries(item) for item in value)
    if isinstance(value, dict):
        return any(carries(item) for item in value.values())
    return False
