"""Traced numbers: subclasses of float and of numpy's scalars, with the true value beside them.

They are what their plain types are: ``isinstance``, formatting, hashing and promotion do
not change. Each operation of two numbers is computed by the plain numbers' own operator,
so that ``x ** 2`` of a NumPy scalar and of a Python float keep their different roundings,
and a division of Python floats by zero raises as ever.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from .arrays import evaluate_function, evaluate_ufunc
from .evaluate import Traced, adopt, adopters, evaluate, wider
from .events import current


class Number(Traced):
    """What all traced numbers share."""

    base: Any
    _truth: Any = None

    def plain(self) -> Any:
        # By way of a Python float: NumPy 2.4's float32 and float16 crash on instances of their subclasses.
        return self.base(float(self))  # type: ignore[arg-type]

    def truth(self) -> Any:
        return wider(np.dtype(self.base))(self.plain()) if self._truth is None else self._truth

    def rounded(self) -> Any:
        with np.errstate(all="ignore"):
            return self.base(self.truth())

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return evaluate_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return evaluate_function(func, args, kwargs)

    def item(self, *args: Any) -> Any:
        return adopt(self.plain().item(*args), self.truth())

    tolist = item

    def __reduce__(self) -> Any:
        return self.base, (float(self.plain()),)

    def __deepcopy__(self, memo: Any) -> Any:
        return self

    def __copy__(self) -> Any:
        return self

    def __repr__(self) -> str:
        return repr(self.plain())

    def __str__(self) -> str:
        return str(self.plain())


def _binary(name: str, ufunc: Any, function: Callable[[Any, Any], Any], reflected: bool) -> Callable[..., Any]:
    def call(self: Any, other: Any) -> Any:
        if not isinstance(other, (int, float, np.number)):
            if isinstance(self, np.generic) and isinstance(other, (np.ndarray, list, tuple)):
                return ufunc(other, self) if reflected else ufunc(self, other)
            native = getattr(self.base, dunder, None)
            return native(self.plain(), other) if native is not None else NotImplemented
        pair = (other, self) if reflected else (self, other)
        return evaluate(ufunc.__name__, function, pair, {}, elementwise=True)

    dunder = f"__r{name}__" if reflected else f"__{name}__"
    call.__name__ = dunder
    return call


def _unary(ufunc: Any, function: Callable[[Any], Any]) -> Callable[..., Any]:
    def call(self: Any) -> Any:
        return evaluate(ufunc.__name__, function, (self,), {}, moves=True)

    return call


BINARY = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.divide,
    "floordiv": np.floor_divide,
    "mod": np.remainder,
    "pow": np.power,
}
COMPARISONS = {
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}
for _name, _function in BINARY.items():
    setattr(Number, f"__{_name}__", _binary(_name, _function, getattr(operator, _name), reflected=False))
    setattr(Number, f"__r{_name}__", _binary(_name, _function, getattr(operator, _name), reflected=True))
for _name, _function in COMPARISONS.items():
    setattr(Number, f"__{_name}__", _binary(_name, _function, getattr(operator, _name), reflected=False))
UNARY = {"neg": np.negative, "pos": np.positive, "abs": np.absolute}
for _name, _single in UNARY.items():
    setattr(Number, f"__{_name}__", _unary(_single, getattr(operator, _name)))


def _method(name: str, moves: bool) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return evaluate(
            name,
            lambda number, *rest, **named: getattr(number, name)(*rest, **named),
            (self, *args),
            kwargs,
            moves=moves,
        )

    return call


_METHODS = "sum prod mean max min clip round squeeze reshape ravel flatten copy astype conj".split()


def _kind(base: type, name: str) -> type:
    methods = {item: _method(item, item != "astype") for item in _METHODS if hasattr(base, item)}
    return type(name, (Number, base), {"base": base, "__hash__": base.__hash__, **methods})


def _adopter(kind: Any) -> Callable[[Any, Any], Any]:
    def number(value: Any, truth: Any) -> Any:
        traced = kind(value)
        ledger = current()
        if ledger is not None and ledger.shadow and truth is not None and np.ndim(truth) == 0:
            true = np.asarray(truth)
            if true.dtype.kind in "fiub":
                traced._truth = true.astype(np.result_type(true.dtype, wider(np.dtype(kind.base))))[()]
        return traced

    return number


Float = _kind(float, "float")
PLAIN: tuple[Any, ...] = (float, np.float64, np.float32, np.float16)
for _base in PLAIN:
    _traced: Any = Float if _base is float else _kind(_base, _base.__name__)
    adopters[_base] = _adopter(_traced)
    adopters[_traced] = lambda value, truth: value
