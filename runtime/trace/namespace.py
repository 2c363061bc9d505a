"""The names through which the code under test reaches numpy, `math`, `float` and `sum`.

While a trace runs, these names in the module's globals stand for look-alikes: what numpy
creates is traced from birth, a float made of a traced number stays traced, and
``math.exp`` knows the true value. Without them a third of common idioms lose the shadow:
``out = np.zeros(n)``, ``np.array([...])``, ``math.log(x)``, ``float(x)``.
"""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import numpy as np

from . import scalars
from .arrays import Array, evaluate_function, evaluate_ufunc
from .evaluate import Traced, adopt, evaluate, lower
from .events import current

TRUE_MATH: dict[str, Callable[..., Any]] = {
    "fabs": np.abs,
    "pow": np.power,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "fsum": lambda items: np.sum(np.array(list(items), np.longdouble)),
    "prod": lambda items: np.prod(np.array(list(items), np.longdouble)),
    "log": lambda x, *base: np.log(x) / np.log(base[0]) if base else np.log(x),
    **{name: getattr(np, name) for name in "exp log2 log10 log1p expm1 sqrt sin cos tan sinh cosh tanh hypot".split()},
}


class Look(ModuleType):
    """A module whose attributes are traced."""

    def __init__(self, module: ModuleType) -> None:
        super().__init__(module.__name__)
        self.__dict__["__numlint_module__"] = module

    def __getattr__(self, name: str) -> Any:
        value = stand_in(getattr(self.__dict__["__numlint_module__"], name))
        self.__dict__[name] = value
        return value

    def __dir__(self) -> list[str]:
        return dir(self.__dict__["__numlint_module__"])


class Ufunc:
    """A universal function that traces plain operands too."""

    def __init__(self, ufunc: Any) -> None:
        self.ufunc = ufunc
        self.__name__ = ufunc.__name__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _called(self.ufunc, "__call__", args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name in ("reduce", "accumulate", "reduceat", "outer", "at"):
            return lambda *args, **kwargs: _called(self.ufunc, name, args, kwargs)
        return getattr(self.ufunc, name)


def _called(ufunc: Any, how: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if current() is None or (len(args) > ufunc.nin > 0 and how == "__call__"):
        return getattr(ufunc, how)(*args, **kwargs)
    if isinstance(kwargs.get("out"), np.ndarray):
        kwargs = {**kwargs, "out": (kwargs["out"],)}
    return evaluate_ufunc(ufunc, how, args, kwargs)


class _FloatType(type):
    """A floating-point type under whose name traced numbers stay traced."""

    plain: type

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and isinstance(args[0], Traced) and current() is not None:
            base = cls.plain
            return evaluate(
                base.__name__, base, args, kwargs, true_function=lambda value: np.asarray(value).reshape(())[()]
            )
        return adopt(cls.plain(*lower(args), **kwargs))

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, cls.plain)

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(kind, cls.plain)

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is cls.plain

    def __hash__(cls) -> int:
        return hash(cls.plain)

    def __getattr__(cls, name: str) -> Any:
        return getattr(cls.plain, name)


def _float_type(plain: type) -> Any:
    # numpy reads the attribute `dtype` of a type that it does not know: `dtype=float` keeps its meaning.
    return _FloatType(plain.__name__, (), {"plain": plain, "dtype": np.dtype(plain)})


FLOAT_TYPES: dict[type, Any] = {plain: _float_type(plain) for plain in scalars.PLAIN}
LOOKED_INTO = ("numpy", "numpy.linalg", "numpy.random", "numpy.fft", "math")
AS_ARRAY = ("array", "asarray", "asanyarray", "ascontiguousarray", "asfarray")


def stand_in(value: Any) -> Any:
    """What a name of the code under test stands for while a trace runs; the value itself when nothing is traced."""
    try:
        known = _stand_ins.get(value)
    except TypeError:  # not hashable: a container or an array
        return value
    if known is None:
        known = _stand_in(value)
        if known is not value:
            _stand_ins[value] = known
    return known


_stand_ins: dict[Any, Any] = {}


def _stand_in(value: Any) -> Any:
    if isinstance(value, ModuleType):
        return Look(value) if value.__name__ in LOOKED_INTO else value
    if isinstance(value, type):
        return FLOAT_TYPES.get(value, value)
    if isinstance(value, np.ufunc):
        return Ufunc(value)
    if value is builtins.sum:
        return _sum
    module = getattr(value, "__module__", None) or ""
    name = getattr(value, "__name__", "")
    if module == "math" and isinstance(value, BuiltinFunctionType):
        return functools.partial(_math, value)
    owner = getattr(value, "__self__", None)
    if isinstance(owner, np.random.RandomState) or module.startswith("numpy.random"):
        return _drawing(value) if callable(value) and not isinstance(value, type) else value
    if not module.startswith("numpy") or not callable(value) or not name:
        return value
    if not isinstance(value, (FunctionType, BuiltinFunctionType)) and not hasattr(value, "__wrapped__"):
        return value if not hasattr(value, "_implementation") else _function(value)
    return _function(value)


def _function(function: Any) -> Callable[..., Any]:
    name = function.__name__

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if current() is None:
            return function(*lower(args), **lower(kwargs))
        if name in AS_ARRAY:
            return _as_array(function, args, kwargs)
        if name == "empty":
            return adopt(function(*lower(args), **lower(kwargs)))
        return evaluate_function(function, args, kwargs)

    return call


def _as_array(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if function is not np.array and args and isinstance(args[0], Array):
        plain = args[0].plain()
        if function(plain, *args[1:], **kwargs) is plain:
            return args[0]
    return evaluate(function.__name__, function, args, kwargs, moves=True)


def _drawing(function: Any) -> Callable[..., Any]:
    """A function that draws random numbers: called once, on plain arguments."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        result = function(*lower(args), **lower(kwargs))
        if function.__name__ == "shuffle" and args and isinstance(args[0], Array):
            args[0]._truth = None
        return adopt(result)

    return call


def _math(function: Any, *args: Any) -> Any:
    if current() is None:
        return function(*lower(args))
    name = function.__name__
    if args and not isinstance(args[0], (int, float, np.number, np.ndarray)):
        args = (list(args[0]), *args[1:])
    return evaluate(name, function, args, {}, TRUE_MATH.get(name), elementwise=True)


def _sum(items: Any, /, *start: Any, **named: Any) -> Any:
    """`sum`: of Python floats it is compensated since 3.12, which traced numbers must not change."""
    values = list(items)
    if current() is None or not values or not all(isinstance(item, (int, float)) for item in values):
        return builtins.sum(values, *start, **named)
    return evaluate("sum", builtins.sum, (values, *start), named)


@contextmanager
def patched(modules: Iterable[ModuleType]) -> Iterator[None]:
    """Let the names of these modules stand for their traced look-alikes during the ``with`` block."""
    kept: list[tuple[dict[str, Any], str, Any]] = []
    added: list[tuple[dict[str, Any], str]] = []
    try:
        for names in {id(module.__dict__): module.__dict__ for module in modules}.values():
            for name, value in list(names.items()):
                if name.startswith("__") or isinstance(value, np.ndarray):
                    continue
                replacement = stand_in(value)
                if replacement is not value:
                    kept.append((names, name, value))
                    names[name] = replacement
            for name in ("float", "sum"):
                if name not in names:
                    names[name] = stand_in(getattr(builtins, name))
                    added.append((names, name))
        yield
    finally:
        for names, name, value in kept:
            names[name] = value
        for names, name in added:
            names.pop(name, None)
