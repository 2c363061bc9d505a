"""Values of a running program as JSON and arrays, and back. Nothing is pickled.

A value becomes a JSON tree whose arrays are named and kept beside it. Numbers, texts,
containers, tensors, random generators, importable functions, and objects whose every
attribute is such a value come back as they were. Of anything else only the type is
kept: an `Opaque` takes its place, and whoever runs the call must find a substitute.
"""

from __future__ import annotations

import importlib
import math
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

DEPTH = 8
ITEMS = 4096
"""Longer containers of Python objects are not kept: they are data that belongs in an array."""
SEQUENCES = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}


class TooLarge(Exception):
    """The value does not fit into the bytes that a call may have."""


@dataclass(frozen=True)
class Opaque:
    """Stands for a value that could not be kept.

    Attributes
    ----------
    kind : str
        Its class, such as ``"builtins.generator"``.
    """

    kind: str


class Encoder:
    """Makes plain data of values.

    Parameters
    ----------
    limit : int
        Bytes that all values of a call may have together.
    """

    def __init__(self, limit: int) -> None:
        self.left = limit
        self.arrays: dict[str, Any] = {}
        self.opaque: list[str] = []
        self._open: set[int] = set()

    def encode(self, value: Any, depth: int = DEPTH) -> Any:
        """The JSON tree of a value; its arrays go into `arrays`.

        Raises
        ------
        TooLarge
        """
        self._spend(16)
        if value is None or value is True or value is False:
            return value
        kind = type(value)
        if kind is str:
            self._spend(len(value))
            return value
        if kind is int:
            return value if abs(value) < 2**63 else {"int": hex(value)}
        if kind is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if kind is complex:
            return {"complex": [self.encode(value.real), self.encode(value.imag)]}
        if isinstance(value, np.generic):
            return {"scalar": self._array(np.asarray(value))} if not value.dtype.hasobject else self._lost(value)
        if kind is np.ndarray:
            return self._ndarray(value, depth)
        if depth == 0 or id(value) in self._open:
            return self._lost(value)
        self._open.add(id(value))
        try:
            return self._compound(value, kind, depth - 1)
        finally:
            self._open.discard(id(value))

    def _spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise TooLarge

    def _array(self, value: Any) -> str:
        self._spend(value.nbytes)
        name = f"a{len(self.arrays)}"
        self.arrays[name] = np.array(value, copy=True)
        return name

    def _ndarray(self, value: Any, depth: int) -> Any:
        if not value.dtype.hasobject:
            return {"array": self._array(value)}
        if value.dtype != object or value.size > ITEMS or depth == 0:
            return self._lost(value)
        return {"objects": [self.encode(item, depth - 1) for item in value.ravel()], "shape": list(value.shape)}

    def _compound(self, value: Any, kind: type, depth: int) -> Any:
        if kind.__name__ in SEQUENCES and kind is SEQUENCES[kind.__name__]:
            if len(value) > ITEMS and kind is list and all(type(item) in (int, float) for item in value):
                return {"list of": self._array(np.asarray(value))}
            if len(value) > ITEMS:
                return self._lost(value)
            return {kind.__name__: [self.encode(item, depth) for item in value]}
        if isinstance(value, dict) and kind.__module__ in ("builtins", "collections") and hasattr(value, "items"):
            if kind.__name__ not in ("dict", "OrderedDict") or len(value) > ITEMS:
                return self._lost(value)
            return {kind.__name__: [[self.encode(key, depth), self.encode(item, depth)] for key, item in value.items()]}
        if kind is slice or kind is range:
            return {kind.__name__: [self.encode(item, depth) for item in (value.start, value.stop, value.step)]}
        if isinstance(value, (ModuleType, np.ufunc)) or isinstance(getattr(value, "__qualname__", None), str):
            return self._importable(value)
        if isinstance(value, tuple) and hasattr(kind, "_fields"):
            return {"named": _name(kind), "items": [self.encode(item, depth) for item in value]}
        if isinstance(value, np.dtype):
            return {"dtype": value.str} if not value.hasobject else self._lost(value)
        if isinstance(value, np.random.Generator):
            return {"generator": self.encode(value.bit_generator.state, depth)}
        if isinstance(value, np.random.RandomState):
            return {"random state": self.encode(value.get_state(legacy=False), depth)}
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(value, torch.Tensor):
            return self._tensor(value)
        return self._object(value, kind, depth)

    def _lost(self, value: Any) -> Any:
        kind = _name(type(value))
        self.opaque.append(kind)
        return {"opaque": kind}

    def _importable(self, value: Any) -> Any:
        name = value.__name__ if isinstance(value, ModuleType) else _name(value)
        try:
            found = _imported(name) if not isinstance(value, ModuleType) else sys.modules.get(name)
        except Exception:  # a function within a function, or one that another hides
            found = None
        return {"import": name} if found is value else self._lost(value)

    def _tensor(self, value: Any) -> Any:
        try:
            plain = value.detach().cpu()
            held = plain.float() if str(plain.dtype) == "torch.bfloat16" else plain
            name = self._array(held.numpy())
        except TooLarge:
            raise
        except Exception:  # sparse, quantised, or without storage
            return self._lost(value)
        found = {"tensor": name, "dtype": str(value.dtype), "grad": bool(value.requires_grad)}
        return {**found, "parameter": True} if type(value).__name__ == "Parameter" else found

    def _object(self, value: Any, kind: type, depth: int) -> Any:
        """An object of a class of its own: its attributes."""
        attributes = _attributes(value)
        if attributes is None or any({"__reduce__", "__reduce_ex__"} & set(vars(base)) for base in kind.__mro__[:-1]):
            return self._lost(value)
        lost = len(self.opaque)
        state = {name: self.encode(item, depth) for name, item in attributes.items()}
        return {"object": _name(kind), "state": state, "whole": len(self.opaque) == lost}


def _attributes(value: Any) -> dict[str, Any] | None:
    """Attributes in the instance and its slots; None when the object keeps its state elsewhere, as C code does."""
    kind = type(value)
    try:
        object.__new__(kind)
    except TypeError:
        return None
    slots: list[str] = []
    for base in kind.__mro__:
        declared = vars(base).get("__slots__", ())
        slots += [declared] if isinstance(declared, str) else list(declared)
    own = getattr(value, "__dict__", None)
    if own is None and not slots:
        return None
    found = {name: getattr(value, name) for name in slots if not name.startswith("__") and hasattr(value, name)}
    found.update(own or {})
    return {name: item for name, item in found.items() if isinstance(name, str)}


def _name(value: Any) -> str:
    module = getattr(value, "__module__", None) or ("numpy" if isinstance(value, np.ufunc) else "builtins")
    return f"{module}:{getattr(value, '__qualname__', getattr(value, '__name__', ''))}"


def _imported(name: str) -> Any:
    module, _, qualname = name.partition(":")
    found = importlib.import_module(module)
    for part in qualname.split("."):
        if part:
            found = getattr(found, part)
    return found


class Decoder:
    """Makes values of plain data.

    Parameters
    ----------
    arrays : mapping of str to array
    aliases : mapping of str to str
        Modules under another name than when they were recorded, such as ``{"__main__": "train"}``.
    """

    def __init__(self, arrays: Any, aliases: dict[str, str] | None = None) -> None:
        self.arrays = arrays
        self.aliases = aliases or {}
        self.opaque: list[str] = []

    def decode(self, tree: Any) -> Any:
        """The value of a JSON tree; what was not kept, or cannot be built here, is an `Opaque`."""
        if not isinstance(tree, dict):
            return tree
        tag = next(iter(tree))
        content = tree[tag]
        try:
            return self._decoded(tag, content, tree)
        except Exception:  # a class that has moved, a library that is missing
            return self._lost(str(content) if tag in ("object", "import", "named", "opaque") else tag)

    def _lost(self, kind: str) -> Opaque:
        self.opaque.append(kind)
        return Opaque(kind)

    def _decoded(self, tag: str, content: Any, tree: dict[str, Any]) -> Any:
        if tag == "array":
            return self.arrays[content].copy()
        if tag == "scalar":
            return self.arrays[content][()]
        if tag == "list of":
            return self.arrays[content].tolist()
        if tag in SEQUENCES:
            return SEQUENCES[tag](self.decode(item) for item in content)
        if tag in ("dict", "OrderedDict"):
            return self._class(f"{'builtins' if tag == 'dict' else 'collections'}:{tag}")(
                (self.decode(key), self.decode(item)) for key, item in content
            )
        if tag in ("slice", "range"):
            return {"slice": slice, "range": range}[tag](*map(self.decode, content))
        if tag in ("int", "float", "complex"):
            return self._number(tag, content)
        if tag == "objects":
            array = np.empty(len(content), dtype=object)
            array[:] = [self.decode(item) for item in content]
            return array.reshape(tree["shape"])
        return getattr(self, "_" + tag.replace(" ", "_"))(content, tree)

    def _number(self, tag: str, content: Any) -> Any:
        if tag == "int":
            return int(content, 16)
        return float(content) if tag == "float" else complex(*map(self.decode, content))

    def _class(self, name: str) -> Any:
        module, _, qualname = name.partition(":")
        return _imported(f"{self.aliases.get(module, module)}:{qualname}")

    def _opaque(self, content: Any, _: dict[str, Any]) -> Any:
        return self._lost(content)

    def _import(self, content: str, _: dict[str, Any]) -> Any:
        return self._class(content)

    def _named(self, content: str, tree: dict[str, Any]) -> Any:
        return self._class(content)(*map(self.decode, tree["items"]))

    def _dtype(self, content: str, _: dict[str, Any]) -> Any:
        return np.dtype(content)

    def _generator(self, content: Any, _: dict[str, Any]) -> Any:
        state = self.decode(content)
        bits = getattr(np.random, state["bit_generator"])()
        bits.state = state
        return np.random.Generator(bits)

    def _random_state(self, content: Any, _: dict[str, Any]) -> Any:
        generator = np.random.RandomState()
        generator.set_state(self.decode(content))
        return generator

    def _tensor(self, content: str, tree: dict[str, Any]) -> Any:
        torch = importlib.import_module("torch")

        dtype = getattr(torch, tree["dtype"].rpartition(".")[2])
        tensor = torch.from_numpy(self.arrays[content].copy()).to(dtype)
        if tree.get("parameter"):
            return torch.nn.Parameter(tensor, requires_grad=tree["grad"])
        return tensor.requires_grad_(tree["grad"])

    def _object(self, content: str, tree: dict[str, Any]) -> Any:
        kind = self._class(content)
        built = object.__new__(kind)
        for name, item in tree["state"].items():
            value = self.decode(item)
            if not isinstance(value, Opaque):
                own = getattr(built, "__dict__", None)
                if own is not None:
                    own[name] = value
                else:
                    object.__setattr__(built, name, value)
        return built
