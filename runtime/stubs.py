"""Stand-ins for what foreign code imports and this interpreter lacks.

A module is stubbed only after its import has failed: a finder that answered for every
name would also answer ``try: import cupy``, and send the code down the wrong branch. A
stub can be called, subclassed, indexed and used as a decorator, so that definitions load;
whoever computes with one gets an object that is no number, and the run fails in the open.
Old code also expects names that its libraries have dropped since: those are put back.
"""

from __future__ import annotations

import collections
import collections.abc
import importlib
import importlib.abc
import importlib.machinery
import inspect
import sys
from types import ModuleType
from typing import Any

import numpy as np

from . import tensors

STAND_INS = {
    "autograd.numpy": "numpy",
    "autograd.numpy.linalg": "numpy.linalg",
    "autograd.numpy.random": "numpy.random",
    "cupy": "numpy",
    "jax.numpy": "numpy",
    "jax.numpy.linalg": "numpy.linalg",
}
"""Modules that offer numpy's functions under numpy's names: where they are missing, numpy serves."""


class Missing(RuntimeError):
    """A value would have to come from a library that this interpreter does not have."""

    def __init__(self, library: str) -> None:
        super().__init__(f"it needs {library}, which this interpreter does not have")
        self.library = library


class Stub:
    """An object of a module that is missing.

    Attributes
    ----------
    library : str
        The missing library.
    """

    library = "a library"

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    @classmethod
    def of(cls, library: str) -> Stub:
        made = cls()
        made.library = library
        return made

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Stub.of(self.library)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """The argument itself when it is a function alone, or something to go through: a decorator, a progress bar."""
        if len(arguments) == 1 and not named and callable(arguments[0]):
            return arguments[0]
        if arguments and isinstance(arguments[0], (range, enumerate, zip, map)):
            return arguments[0]
        return Stub.of(self.library)

    def __array__(self, *_: Any, **__: Any) -> Any:
        """No numbers: numpy would take an object without items for an empty array.

        Raises
        ------
        Missing
        """
        raise Missing(self.library)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (StubBase,)

    def __getitem__(self, key: Any) -> Any:
        return Stub.of(self.library)

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Any:
        return iter(())

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        return None


class StubBase:
    """Base class in the place of one of a missing module."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()


class StubModule(ModuleType):
    """A missing module; every attribute is a `Stub`, unless `tensors` knows the function of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        self.__file__ = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        library = self.__name__.split(".")[0]
        value: Any = tensors.function(library, name)
        if value is None:
            inner = name in tensors.MODULES and library in tensors.LIBRARIES
            value = StubModule(f"{self.__name__}.{name}") if inner else Stub.of(library)
        setattr(self, name, value)
        return value


class StubFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Last finder on ``sys.meta_path``; it answers for the names that were found missing, and below them."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if any(name == known or name.startswith(known + ".") for known in self.names):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> ModuleType:
        return StubModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        stand_in = STAND_INS.get(module.__name__)
        if stand_in is not None:  # the import system looks up here what has been imported
            sys.modules[module.__name__] = importlib.import_module(stand_in)

    def add(self, name: str) -> bool:
        """Answer for `name` from now on; False when it already was, or when it is here."""
        if not name or name in self.names:
            return False
        self.names.append(name)
        if self not in sys.meta_path:
            sys.meta_path.append(self)
        return True


FINDER = StubFinder()


def installed(name: str) -> Any:
    """A library that was imported and is no stub; else None."""
    module = sys.modules.get(name)
    return None if isinstance(module, StubModule) else module


def stub_attribute(module: ModuleType, name: str) -> bool:
    """Give a module the name that it no longer has; False when it has it."""
    if name in vars(module):
        return False
    setattr(module, name, Stub())
    return True


NUMPY_NAMES = {
    "float": float,
    "int": int,
    "bool": bool,
    "object": object,
    "complex": complex,
    "str": str,
    "long": int,
    "unicode": str,
    "float_": np.float64,
    "int_": np.int64,
    "complex_": np.complex128,
    "unicode_": np.str_,
    "Inf": np.inf,
    "Infinity": np.inf,
    "infty": np.inf,
    "PINF": np.inf,
    "NINF": -np.inf,
    "NaN": np.nan,
    "NAN": np.nan,
    "product": np.prod,
    "cumproduct": np.cumprod,
    "alltrue": np.all,
    "sometrue": np.any,
    "asscalar": lambda value: value.item(),
    "row_stack": np.vstack,
    "round_": np.round,
    "trapz": getattr(np, "trapezoid", None),
    "in1d": np.isin,
    "mat": np.asmatrix,
    "asfarray": lambda value, dtype=np.float64: np.asarray(value, dtype),
}


def restore_old_names() -> None:
    """Names that older code expects of the standard library and of numpy, where they are missing."""
    for name in collections.abc.__all__:
        if not hasattr(collections, name):
            setattr(collections, name, getattr(collections.abc, name))
    if not hasattr(inspect, "getargspec"):
        inspect.getargspec = _getargspec  # type: ignore[attr-defined]
    for name, value in NUMPY_NAMES.items():
        if value is not None and name not in vars(np):
            setattr(np, name, value)
    _restore_scipy()


_ArgSpec = collections.namedtuple("_ArgSpec", "args varargs keywords defaults")


def _getargspec(function: Any) -> Any:
    found = inspect.getfullargspec(function)
    return _ArgSpec(found.args, found.varargs, found.varkw, found.defaults)


def _restore_scipy() -> None:
    """scipy.misc held some functions of scipy.special; only where scipy is loaded already."""
    scipy = sys.modules.get("scipy")
    special = sys.modules.get("scipy.special")
    if scipy is None or special is None:
        return
    misc = sys.modules.get("scipy.misc")
    if isinstance(misc, StubModule):
        for name in ("logsumexp", "comb", "factorial"):
            setattr(misc, name, getattr(special, name))
