"""Stand-ins for the names through which code reaches numpy, math, scipy and `float`.

Arrays that code makes itself (``np.zeros(n)``) and what `math` computes would fall back
to native arithmetic. While the target runs, these names in its globals are replaced by
stand-ins that pass everything on and lift what comes back. A stand-in for a type still
answers `isinstance` (a lifted number is a `float` and not an array) and is accepted by
numpy as a dtype. Everything is put back afterwards.

Shared by all arithmetics: it knows only the array type (`carrier.Carrier`).
"""

from __future__ import annotations

import builtins
import importlib
import math
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..stubs import STAND_INS
from .carrier import Carrier, carries, plain, real

CREATION = frozenset(
    "zeros ones empty full array asarray asanyarray ascontiguousarray asfarray arange linspace logspace geomspace eye "
    "identity zeros_like ones_like empty_like full_like fromiter frombuffer loadtxt genfromtxt tri".split()
)
FLOATS = frozenset("float64 float32 float16 float_ double single half longdouble".split())
MATH = {"fabs": "absolute", "pow": "power", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2"}
MATH.update({"asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "lgamma": "gammaln"})
SEQUENCES = frozenset(
    "concatenate stack vstack hstack dstack column_stack row_stack block broadcast_arrays meshgrid ix_ select".split()
)


class _FloatType(type):
    """Type of the stand-ins for `float` and numpy's floating types."""

    def __instancecheck__(cls, value: Any) -> bool:
        native = cls.__numlint_native__
        scalar = isinstance(value, Carrier) and value.ndim == 0
        return isinstance(value, native) or (scalar and _agrees(native, value))

    def __subclasscheck__(cls, other: Any) -> bool:
        return issubclass(real(other), cls.__numlint_native__)

    def __eq__(cls, other: Any) -> bool:
        return bool(cls.__numlint_native__ == real(other))

    def __hash__(cls) -> int:
        return hash(cls.__numlint_native__)

    def __call__(cls, value: Any = 0.0, *args: Any) -> Any:
        if isinstance(value, Carrier):
            return value.copy() if value.ndim == 0 or cls.__numlint_native__ is not float else value.item()
        made = cls.__numlint_native__(plain(value), *args)
        return cls.__numlint_carrier__.lifted(made) if cls.__numlint_native__ is not float else made

    def __getattr__(cls, name: str) -> Any:
        return getattr(cls.__numlint_native__, name)

    __numlint_native__: Any
    __numlint_carrier__: Any


def _agrees(native: Any, value: Any) -> bool:
    return native is float or np.dtype(native) == value.dtype


def float_type(native: Any, carrier: type[Carrier]) -> Any:
    """Stand-in for a floating type."""
    names = {"__numlint_native__": native, "__numlint_carrier__": carrier, "dtype": np.dtype(native)}
    return _FloatType(native.__name__, (), names)


class _ArrayType(type):
    """Type of the stand-in for `numpy.ndarray`: numbers are no arrays."""

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, np.ndarray) and not (isinstance(value, Carrier) and value.ndim == 0)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return np.ndarray(*plain(args), **plain(kwargs))

    def __getattr__(cls, name: str) -> Any:
        return getattr(np.ndarray, name)


class ArrayType(metaclass=_ArrayType):
    __numlint_native__ = np.ndarray


class Passing:
    """Stand-in for a function or a ufunc: lists of lifted numbers become lifted arrays."""

    def __init__(self, native: Any, call: Callable[..., Any]) -> None:
        self.__numlint_native__ = native
        self._call = call
        self.__name__ = getattr(native, "__name__", "")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._call(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__numlint_native__, name)


class Stand(types.ModuleType):
    """Stand-in for a module; what it gives for a name is decided once."""

    def __init__(self, native: Any, replace: Callable[[str, Any], Any]) -> None:
        super().__init__(native.__name__)
        self.__dict__.update(_native=native, _replace=replace, __numlint_native__=native)

    def __getattr__(self, name: str) -> Any:
        value = self._replace(name, getattr(self._native, name))
        self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._native, name, value)


class Namespace:
    """The stand-ins for one array type.

    Parameters
    ----------
    carrier : type of Carrier
    lifts_numbers : bool
        Whether a function of a plain Python number (``np.sqrt(2 * np.pi)``, ``math.log(n)``)
        is computed in the other arithmetic too.
    """

    def __init__(self, carrier: type[Carrier], lifts_numbers: bool = True) -> None:
        self.carrier = carrier
        self.lifts_numbers = lifts_numbers
        self.numpy = Stand(np, self._numpy)
        self.math = Stand(math, self._math)
        self.linalg = Stand(np.linalg, self._function)
        self.random = Stand(np.random, self._random)
        self.float = float_type(float, carrier)
        self._made: dict[int, Any] = {}

    # What stands for the names of each module.

    def _numpy(self, name: str, value: Any) -> Any:
        if value is np.linalg:
            return self.linalg
        if value is np.random:
            return self.random
        if name == "ndarray":
            return ArrayType
        if name in FLOATS:
            return float_type(value, self.carrier)
        if name in CREATION:
            return Passing(value, self._creator(name, value))
        if name in ("finfo", "iinfo", "dtype", "issubdtype", "can_cast", "promote_types"):
            return Passing(value, lambda *args, **kw: value(*map(_typed, args), **plain(kw)))
        if name == "isscalar":
            return lambda item: np.isscalar(item) or (isinstance(item, Carrier) and item.ndim == 0)
        if name == "vectorize":
            return self._vectorize
        return self._function(name, value)

    def _function(self, name: str, value: Any) -> Any:
        if isinstance(value, (type, types.ModuleType)) or not callable(value):
            return value
        return Passing(value, self._passing(name, value))

    def _passing(self, name: str, value: Any) -> Callable[..., Any]:
        smooth = isinstance(value, np.ufunc) and name in MATH_UFUNCS

        def call(*args: Any, **kwargs: Any) -> Any:
            if smooth and self.lifts_numbers and len(args) == value.nin and all(_number(item) for item in args):
                return value(*[self.carrier.lifted(float(item)) for item in args])
            if carries(args) or carries(kwargs):
                args = tuple(self._array_like(item, name) for item in args)
            args = tuple(real(item) for item in args)
            return value(*args, **{key: real(item) for key, item in kwargs.items()})

        return call

    def _array_like(self, value: Any, name: str) -> Any:
        """Lists of numbers as arrays: numpy looks for its protocols on the list itself only."""
        if not isinstance(value, (list, tuple)) or name in SEQUENCES or not carries(value):
            return value
        try:
            return self.carrier.lifted(np.array(plain(value)))
        except Exception:
            return value  # ragged, or not numbers

    def _creator(self, name: str, value: Any) -> Callable[..., Any]:
        carrier = self.carrier

        def create(*args: Any, **kwargs: Any) -> Any:
            args, kwargs = tuple(map(_typed, args)), {key: _typed(item) for key, item in kwargs.items()}
            if name.endswith("_like") or (name == "linspace" and carries(args)):
                lifted = carries(args)
                made = value(*args, **kwargs)
                return made if lifted else self._lifted(made)
            if not carries(args):
                return self._lifted(value(*args, **kwargs))
            dtype = kwargs.pop(
                "dtype", args[1] if len(args) > 1 and name not in ("full", "arange", "linspace") else None
            )
            if name in ("asarray", "asanyarray", "ascontiguousarray") and isinstance(args[0], Carrier):
                return args[0] if dtype is None or np.dtype(dtype).kind in "fO" else args[0].astype(dtype)
            if name in ("full", "arange", "linspace", "logspace", "geomspace"):
                if name == "full":
                    made = carrier.lifted(np.zeros(plain(args[0])))
                    made[...] = args[1] if len(args) > 1 else kwargs["fill_value"]
                    return made
                return carrier.lifted(
                    value(*[float(item) if isinstance(item, Carrier) else item for item in args], **kwargs)
                )
            ndmin = kwargs.get("ndmin", 0)
            made = carrier.lifted(args[0] if isinstance(args[0], Carrier) else np.array(plain(_listed(args[0]))))
            made = made.reshape((1,) * (ndmin - made.ndim) + made.shape) if ndmin > made.ndim else made
            return made if dtype is None or np.dtype(dtype).kind in "fO" else made.astype(dtype)

        return create

    def _lifted(self, made: Any) -> Any:
        return self.carrier.created(made) if isinstance(made, np.ndarray) and made.dtype.kind == "f" else made

    def _vectorize(self, function: Callable[..., Any], *_: Any, **__: Any) -> Callable[..., Any]:
        def run(*args: Any) -> Any:
            arrays = np.broadcast_arrays(*args, subok=True)
            items = [function(*[array[index] for array in arrays]) for index in np.ndindex(arrays[0].shape)]
            return self.numpy.array(items).reshape(arrays[0].shape)

        return run

    def _math(self, name: str, value: Any) -> Any:
        if not callable(value):
            return value
        if name == "log":
            return self._math_log
        if name in ("fsum", "prod", "sumprod", "hypot", "dist"):
            return Passing(value, self._math_folded(name, value))
        ufunc = getattr(np, MATH.get(name, name), None)
        special = name in ("erf", "erfc", "gamma", "lgamma")
        if special or (isinstance(ufunc, np.ufunc) and name in MATH_NAMES):
            return Passing(value, self._math_call(name, value, None if special else ufunc))
        return Passing(value, lambda *args, **kw: value(*[_float(item) for item in args], **kw))

    def _math_call(self, name: str, value: Any, ufunc: Any) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            if not carries(args) and not (self.lifts_numbers and name in MATH_UFUNCS):
                return value(*args)
            if not carries(args):
                value(*args)  # raises where math does: ValueError, OverflowError
            lifted = [item if isinstance(item, Carrier) else self.carrier.lifted(float(item)) for item in args]
            _domain(name, lifted)
            if name in ("floor", "ceil", "trunc"):
                return int(ufunc(*lifted))
            return ufunc(*lifted) if ufunc else self.carrier.special(MATH.get(name, name), lifted[0])

        return call

    def _math_log(self, x: Any, *base: Any) -> Any:
        if not carries(x) and not carries(base) and not self.lifts_numbers:
            return math.log(x, *base)
        lifted = [item if isinstance(item, Carrier) else self.carrier.lifted(float(item)) for item in (x, *base)]
        _domain("log", lifted)
        return np.log(lifted[0]) if not base else np.log(lifted[0]) / np.log(lifted[1])

    def _math_folded(self, name: str, value: Any) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            args = tuple(list(item) if isinstance(item, types.GeneratorType) else item for item in args)
            if not carries(args):
                return value(*args, **kwargs)
            first = self.carrier.lifted(np.array(plain(_listed(args if name == "hypot" else args[0]))))
            if name == "hypot":
                return np.sqrt(np.sum(first * first))
            if name in ("dist", "sumprod"):
                second = self.carrier.lifted(np.array(plain(_listed(args[1]))))
                return np.sum(first * second) if name == "sumprod" else np.sqrt(np.sum((first - second) ** 2))
            return np.sum(first) if name == "fsum" else np.prod(first)

        return call

    def _random(self, name: str, value: Any) -> Any:
        if name in ("default_rng", "RandomState"):
            return Passing(value, lambda *args, **kw: Generator(value(*plain(args), **plain(kw)), self))
        if isinstance(value, type) or not callable(value) or name in ("seed", "get_state", "set_state"):
            return value
        return Passing(value, self._draw(value))

    def _draw(self, value: Any) -> Callable[..., Any]:
        def draw(*args: Any, **kwargs: Any) -> Any:
            shuffles = (
                bool(args) and isinstance(args[0], Carrier) and value.__name__ in ("shuffle", "permutation", "choice")
            )
            if shuffles:
                return self._reordered(value, args, kwargs)
            drawn = value(*map(_nearest, args), **{key: _nearest(item) for key, item in kwargs.items()})
            return (
                self._lifted(drawn)
                if isinstance(drawn, np.ndarray)
                else self.carrier.lifted(drawn)
                if isinstance(drawn, float)
                else drawn
            )

        return draw

    def _reordered(self, value: Any, args: Any, kwargs: Any) -> Any:
        """Draw from the positions, then take the lifted numbers there."""
        first = args[0]
        rest = tuple(map(_nearest, args[1:]))
        options = {key: _nearest(item) for key, item in kwargs.items()}
        if value.__name__ == "shuffle":
            order = np.arange(len(first))
            value(order, *rest, **options)
            first[...] = first[order]
            return None
        return first[value(len(first), *rest, **options)]

    # Which names in a module's globals are replaced.

    def stand_in(self, value: Any) -> Any:
        """The stand-in for a global, or the global itself."""
        if value is np:
            return self.numpy
        if value is math:
            return self.math
        if value is np.linalg:
            return self.linalg
        if value is np.random:
            return self.random
        if value is np.ndarray:
            return ArrayType
        module: Any = getattr(value, "__module__", None)
        if isinstance(value, types.ModuleType):
            alike = STAND_INS.get(value.__name__)  # jax.numpy, autograd.numpy: the same functions by the same names
            return self.stand_in(importlib.import_module(alike)) if alike else self._scipy_module(value)
        if isinstance(value, np.ufunc):
            own = str(getattr(value, "__name__", ""))
            return getattr(self.numpy, own) if getattr(np, own, None) is value else value
        kind = type(value)
        if kind.__module__.startswith("scipy.stats"):
            return self._scipy(kind.__name__[: -len("_gen")] if kind.__name__.endswith("_gen") else "", value)
        name: Any = getattr(value, "__name__", None)
        if not callable(value) or not isinstance(name, str):
            return value
        if module == "math":
            return getattr(self.math, name, value)
        for native, stand in ((np, self.numpy), (np.linalg, self.linalg), (np.random, self.random)):
            # Methods of numpy's global generator have no module.
            if (module is None or module.startswith("numpy")) and getattr(native, name, None) is value:
                return getattr(stand, name)
        if isinstance(module, str) and module.startswith("scipy"):
            return self._scipy(name, value)
        return value

    def _scipy_module(self, value: Any) -> Any:
        name = value.__name__
        if name.split(".")[0] != "scipy" or name.startswith("scipy.sparse"):
            return value
        if id(value) not in self._made:
            self._made[id(value)] = Stand(value, self._scipy)
        return self._made[id(value)]

    def _scipy(self, name: str, value: Any) -> Any:
        if isinstance(value, types.ModuleType):
            return self._scipy_module(value)
        if isinstance(value, (type, np.ufunc)) or not callable(value):
            return value
        own = self.carrier.scipy(name, getattr(value, "__module__", "") or "")
        if own is None:
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            return own(*args, **kwargs) if carries(args) or carries(kwargs) else value(*plain(args), **plain(kwargs))

        return Passing(value, call) if not hasattr(own, "distribution") else own

    @contextmanager
    def patched(self, modules: Iterable[types.ModuleType]) -> Iterator[None]:
        """Replace the names in the globals of `modules` during the ``with`` block."""
        saved: list[tuple[dict[str, Any], dict[str, Any]]] = []
        try:
            for module in modules:
                names = vars(module)
                own = {name: value for name, value in list(names.items()) if not name.startswith("__")}
                changed = {name: stand for name, value in own.items() if (stand := self.stand_in(value)) is not value}
                saved.append((names, {name: own[name] for name in changed}))
                names.update(changed)
                if "float" not in names:
                    names["float"] = self.float
                    saved.append((names, {"float": builtins.float}))
            yield
        finally:
            for names, before in reversed(saved):
                if before == {"float": builtins.float} and names.get("float") is self.float:
                    del names["float"]
                else:
                    names.update(before)


class Generator:
    """Stand-in for a generator of random numbers: draws are lifted."""

    def __init__(self, native: Any, namespace: Namespace) -> None:
        self.__numlint_native__ = native
        self._namespace = namespace

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.__numlint_native__, name)
        return self._namespace._draw(value) if callable(value) else value


MATH_UFUNCS = frozenset(
    "exp exp2 expm1 log log2 log10 log1p sqrt cbrt sin cos tan sinh cosh tanh arcsin arccos arctan arctan2 arcsinh "
    "arccosh arctanh asin acos atan atan2 asinh acosh atanh hypot erf erfc gamma lgamma power".split()
)
MATH_NAMES = MATH_UFUNCS | frozenset(
    "fabs pow floor ceil trunc isnan isinf isfinite degrees radians copysign fmod isclose ldexp".split()
)


def _domain(name: str, lifted: list[Any]) -> None:
    """math raises where numpy returns nan or an infinity."""
    x = lifted[0]
    if name in ("log", "log2", "log10") and bool(x <= 0):
        raise ValueError("math domain error")
    if name == "sqrt" and bool(x < 0):
        raise ValueError("math domain error")
    if name == "log1p" and bool(x <= -1):
        raise ValueError("math domain error")


def _number(value: Any) -> bool:
    return isinstance(value, (float, int, np.floating)) and not isinstance(value, (bool, np.bool_))


def _typed(value: Any) -> Any:
    """Native types in place of stand-ins; the dtype of a lifted array is an ordinary one already."""
    return real(value)


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, (types.GeneratorType, map, zip, range)) else value


def _float(value: Any) -> Any:
    return float(value) if isinstance(value, Carrier) and value.ndim == 0 else plain(value)


def _nearest(value: Any) -> Any:
    """Parameters of a distribution, as ordinary floats."""
    if isinstance(value, Carrier):
        return value.nearest() if value.ndim else float(value.nearest())
    return real(value)
