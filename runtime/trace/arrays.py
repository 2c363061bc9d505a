"""Traced arrays: an ndarray subclass with a shadow.

A subclass, because C code and ``isinstance(x, np.ndarray)`` must accept it. What numpy
dispatches (universal functions and ``__array_function__``) and the methods that it does
not are computed twice. Views share their shadow's memory as they share their own, so
that writing through one is seen through the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import linalg
from .evaluate import Traced, adopt, adopters, evaluate, lower, truths, widened
from .events import current

MOVES = set(
    "reshape ravel transpose swapaxes moveaxis rollaxis squeeze expand_dims diagonal take take_along_axis repeat"
    " concatenate stack vstack hstack dstack column_stack row_stack block split array_split hsplit vsplit dsplit"
    " tile flip fliplr flipud roll rot90 where choose select compress extract copy broadcast_to broadcast_arrays"
    " atleast_1d atleast_2d atleast_3d pad delete insert append diag diagflat tril triu zeros_like ones_like full_like"
    " real sort meshgrid resize matrix_transpose permute_dims concat unstack".split()
)
"""Functions that move numbers, and compute none."""
WRITERS = {"copyto", "put", "place", "putmask", "fill_diagonal", "put_along_axis"}
ANEW = {"empty_like", "array_repr", "array_str", "array2string", "save", "savez", "savetxt", "savez_compressed"}
"""Functions whose result has no true value."""


class Array(Traced, np.ndarray):
    """An array with the true values of its numbers beside it."""

    _truth: Any = None

    def plain(self) -> Any:
        return self.view(np.ndarray)

    def truth(self) -> Any:
        if self._truth is None or self._truth.shape != self.shape:
            ledger = current()
            if ledger is not None and ledger.shadow:
                ledger.lost["a view taken outside numpy's protocols"] += self._truth is None
            self._truth = widened(self.plain())
        return self._truth

    def rounded(self) -> Any:
        with np.errstate(all="ignore"):
            return self.truth().astype(self.dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return evaluate_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return evaluate_function(func, args, kwargs)

    def __getitem__(self, index: Any) -> Any:
        part = self.plain()[index]
        ledger = current()
        return adopt(part, self.truth()[index] if ledger is not None and ledger.shadow else None)

    def __setitem__(self, index: Any, value: Any) -> None:
        self.plain()[index] = lower(value)
        ledger = current()
        if ledger is not None and ledger.shadow:
            self.truth()[index] = truths(value)

    def __iter__(self) -> Iterator[Any]:
        return (self[number] for number in range(len(self)))

    def __pow__(self, other: Any) -> Any:  # type: ignore[override]
        # numpy turns small powers of arrays into products: the plain computation must do so too.
        return evaluate("power", lambda base, exponent: base**exponent, (self, other), {}, elementwise=True)

    @property
    def T(self) -> Any:
        return self.transpose()

    @property
    def mT(self) -> Any:
        return self.swapaxes(-1, -2)

    @property  # type: ignore[misc]
    def real(self) -> Any:
        return self

    def view(self, *args: Any, **kwargs: Any) -> Any:
        viewed = np.ndarray.view(self, *args, **kwargs)
        if isinstance(viewed, Array) and viewed.shape == self.shape:
            viewed._truth = self._truth
        return viewed

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        return evaluate(
            "astype",
            lambda value: value.astype(dtype, *args, **kwargs),
            (self,),
            {},
            true_function=lambda value: value.copy() if np.dtype(dtype).kind == "f" else value.astype(dtype),
            elementwise=True,
        )

    def sort(self, *args: Any, **kwargs: Any) -> None:
        self._both("sort", *args, **kwargs)

    def partition(self, *args: Any, **kwargs: Any) -> None:
        self._both("partition", *args, **kwargs)

    def put(self, *args: Any, **kwargs: Any) -> None:
        self._both("put", *args, **kwargs)

    def fill(self, value: Any) -> None:
        self[...] = value

    def _both(self, name: str, *args: Any, **kwargs: Any) -> None:
        """A method that writes into the array, and into its shadow."""
        truth = self.truth()
        getattr(self.plain(), name)(*lower(args), **lower(kwargs))
        getattr(truth, name)(*truths(args), **truths(kwargs))

    def item(self, *args: Any) -> Any:
        return adopt(self.plain().item(*args), self._true_number(*args))

    def _true_number(self, *args: Any) -> Any:
        truth = self.truth()
        return truth.reshape(-1)[args[0]] if len(args) == 1 and not isinstance(args[0], tuple) else truth[args or ()]

    def tolist(self) -> Any:
        if self.ndim == 0:
            return self.item()
        return [item.tolist() for item in self]

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    def __copy__(self) -> Any:
        return self.copy()

    def __reduce__(self) -> Any:
        return self.plain().__reduce__()

    def __repr__(self) -> str:
        return repr(self.plain())

    def __str__(self) -> str:
        return str(self.plain())

    def __format__(self, specification: str) -> str:
        return format(self.plain(), specification)

    def __float__(self) -> float:
        ledger = current()
        if ledger is not None:
            ledger.lost["float() of an array"] += 1
        return float(self.plain())


def method(name: str, moves: bool) -> Callable[..., Any]:
    """A method that is computed on the plain array and on its shadow."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return evaluate(
            name, lambda array, *rest, **named: getattr(array, name)(*rest, **named), (self, *args), kwargs, moves=moves
        )

    call.__name__ = name
    return call


METHODS = (
    "sum prod mean std var max min ptp cumsum cumprod dot clip round trace any all argmax argmin argsort searchsorted"
    " nonzero argpartition"
).split()
MOVING_METHODS = "reshape ravel transpose swapaxes squeeze diagonal flatten copy take repeat compress choose".split()
for _name in METHODS:
    if hasattr(np.ndarray, _name):  # ptp is no method since NumPy 2
        setattr(Array, _name, method(_name, moves=False))
for _name in MOVING_METHODS:
    setattr(Array, _name, method(_name, moves=True))


def _adopt_array(value: Any, truth: Any) -> Any:
    if value.dtype.kind != "f" or value.dtype.itemsize > 8:
        return value
    traced = value.view(Array)
    ledger = current()
    if ledger is not None and ledger.shadow:
        true = np.asarray(truth) if truth is not None else None
        if true is None or true.shape != value.shape or true.dtype.kind not in "fiub":
            true = widened(value)
        elif true.dtype.itemsize < np.dtype(np.float64).itemsize or true.dtype.kind != "f":
            true = true.astype(np.float64)
        traced._truth = true
    return traced


adopters[np.ndarray] = _adopt_array
adopters[Array] = lambda value, truth: value

REDUCING = ("reduce", "accumulate", "reduceat", "outer", "at")


def evaluate_ufunc(ufunc: Any, how: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A universal function, called or reduced."""
    name = ufunc.__name__ if how == "__call__" else f"{ufunc.__name__}.{how}"
    function = ufunc if how == "__call__" else getattr(ufunc, how)
    if how == "at":
        return _written(function, inputs, kwargs)
    out = kwargs.get("out")
    if isinstance(out, tuple):
        if len(out) > 1:
            return function(*lower(inputs), **{**lower(kwargs), "out": lower(out)})
        kwargs = {**kwargs, "out": out[0]}
    elementwise = how == "__call__" and ufunc.signature is None
    return evaluate(name, function, inputs, kwargs, linalg.TRUE_UFUNCS.get(ufunc), elementwise=elementwise)


def evaluate_function(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A function of numpy, by its kind."""
    name = function.__name__
    if name in WRITERS:
        return _written(function, args, kwargs)
    ledger = current()
    if any(callable(item) for item in args) and ledger is not None:
        ledger.lost[f"{name} with a function"] += 1
        return adopt(function(*lower(args), **lower(kwargs)))
    module = getattr(function, "__module__", "") or ""
    full = f"{module.split('.')[1]}.{name}" if module.startswith(("numpy.linalg", "numpy.fft")) else name
    return evaluate(
        full,
        function,
        args,
        kwargs,
        linalg.TRUE_FUNCTIONS.get(full),
        moves=name in MOVES,
        repeatable=name not in ANEW,
    )


def _written(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A function that writes into its first argument."""
    ledger = current()
    true_args = truths(args) if ledger is not None and ledger.shadow else None
    result = function(*lower(args), **lower(kwargs))
    if true_args is not None:
        with np.errstate(all="ignore"):
            function(*true_args, **truths(kwargs))
    return result
