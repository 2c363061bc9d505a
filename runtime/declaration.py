"""Harnesses of inputs that a user has declared in a file.

The file says for a function what its arguments are: numbers, .npy and .npz files, or
expressions, which are evaluated here, in the contained process, among the names of the
function's module. A declaration may use the names declared before it, so that
``self = "Model().fit(X, y)"`` makes the object from inputs that a perturbation changes.
"""

from __future__ import annotations

import inspect
import json
import math
import os
from collections.abc import Iterator
from types import FunctionType
from typing import Any

import numpy as np

from . import leaves
from .harness import Harness
from .instrument import plain_function
from .invocation import called
from .loading import Loaded
from .observation import install, rewritten
from .target import Role, Target

DOMAINS = {
    "probability": (0.0, 1.0),
    "simplex": (0.0, 1.0),
    "onehot": (0.0, 1.0),
    "cosine": (-1.0, 1.0),
    "image": (0.0, 255.0),
    "size": (1.0, math.inf),
    **dict.fromkeys(("positive", "nonnegative", "count", "label", "distance", "tolerance"), (0.0, math.inf)),
}


class DeclarationError(Exception):
    """A declared input that cannot be made: which one, and why."""


def declared(loaded: Loaded, target: Target) -> Iterator[Harness]:
    """Harnesses of the inputs that are declared for a target.

    Parameters
    ----------
    loaded : Loaded
    target : Target
        Its `declared` is a JSON file, or a TOML file where this Python reads TOML.

    Raises
    ------
    DeclarationError
        A declared input cannot be made.
    """
    entries = [entry for entry in entries_of(target.declared) if fits(str(entry.get("function", "")), target)]
    if not entries:
        return
    observer, functions = install(loaded, target)
    if not functions:
        return
    for entry in entries:
        yield _harness(entry, loaded, target, functions, observer)


def entries_of(file: str) -> list[dict[str, Any]]:
    """The declarations in a file; none when there is no file, or none that this Python reads."""
    if not file or not os.path.isfile(file):
        return []
    with open(file, "rb") as stream:
        content = stream.read()
    if file.endswith(".json"):
        return list(json.loads(content)["inputs"])
    try:
        import tomllib
    except ImportError:  # before Python 3.11
        return []
    return list(tomllib.loads(content.decode())["inputs"])


def fits(name: str, target: Target) -> bool:
    """Whether a declaration is for the target; ``pkg.mod:Model.fit``, ``src/mod.py::Model.fit`` or ``Model.fit``."""
    where, _, qualname = name.replace("::", ":").rpartition(":")
    own = [part for part in target.qualname.split(".") if part != "<locals>"]
    if own[: len(qualname.split("."))] != qualname.split("."):
        return False
    path = target.path.replace(os.sep, "/")
    dotted = f".{target.module}".endswith(f".{where}")
    return not where or dotted or f"/{path}".endswith("/" + where.replace(os.sep, "/"))


def _harness(
    entry: dict[str, Any], loaded: Loaded, target: Target, functions: list[FunctionType], observer: Any
) -> Harness:
    function = functions[0]
    parameters = inspect.signature(function, follow_wrapped=False).parameters
    owner, built_by = _owner(loaded, target, next(iter(parameters), ""))
    given = {name: item for name, item in entry.items() if name != "function"}
    folder = str(entry.get("folder", os.path.dirname(target.declared)))
    given.pop("folder", None)
    inputs: dict[str, Any] = {}
    made: dict[str, str] = {}
    for name, item in given.items():
        expression = item.get("value") if isinstance(item, dict) else item
        if name == owner:
            made[owner] = str(expression)
            continue
        value = _value(name, item, folder, {**vars(loaded.module), **inputs})
        if leaves.is_numeric(value) or isinstance(value, (list, tuple)) or not isinstance(expression, str):
            inputs[name] = value
        else:
            made[name] = expression  # an object: made anew for each run
    if owner and owner not in made:
        made[owner] = built_by

    def prepare(chosen: dict[str, Any]) -> Any:
        names = {**vars(loaded.module), **chosen}
        built: dict[str, Any] = {}
        for name, expression in made.items():
            built[name] = evaluated(name, expression, {**names, **built})
        return built

    def run(built: dict[str, Any], chosen: dict[str, Any]) -> dict[str, Any]:
        arguments = {name: value for name, value in {**built, **chosen}.items() if name in parameters}
        return called(function, arguments, owner)

    shown = ", ".join(name for name in parameters if name != owner and name in {**inputs, **made})
    harness = Harness(
        rung="declared",
        description=f"{made[owner] + '.' if owner else ''}{function.__name__}({shown})",
        inputs=inputs,
        roles={name: role_of(given[name], target.roles.get(name, Role())) for name in inputs},
        prepare=prepare,
        call=run,
        observer=observer,
        modules=[loaded.module],
    )
    harness.rewritten = lambda source, region: rewritten(harness, loaded, functions, source, region)
    return harness


def _owner(loaded: Loaded, target: Target, first: str) -> tuple[str, str]:
    """The parameter that takes the object or class of a method, and the expression that makes it by default."""
    owner, _, name = target.qualname.split(".<locals>")[0].rpartition(".")
    found: Any = loaded.module
    for part in owner.split(".") if owner else ():
        found = getattr(found, part, None)
    member = inspect.getattr_static(found, name, None) if inspect.isclass(found) else None
    if plain_function(member) is None or isinstance(member, staticmethod):
        return "", ""
    return first, owner if isinstance(member, classmethod) else f"{owner}()"


def _value(name: str, item: Any, folder: str, names: dict[str, Any]) -> Any:
    if isinstance(item, dict) and "file" in item:
        return _loaded(name, os.path.join(folder, item["file"]), item.get("key", name))
    plain = item.get("value") if isinstance(item, dict) else item
    if isinstance(plain, str) and plain.endswith((".npy", ".npz")):
        return _loaded(name, os.path.join(folder, plain), name)
    return evaluated(name, plain, names) if isinstance(plain, str) else plain


def _loaded(name: str, file: str, key: str) -> Any:
    try:
        held = np.load(file, allow_pickle=False)
        return held if isinstance(held, np.ndarray) else held[key]
    except (OSError, ValueError, KeyError) as error:
        raise DeclarationError(f"{name}: {file} cannot be loaded: {error}") from None


def evaluated(name: str, expression: str, names: dict[str, Any]) -> Any:
    """The value of an expression among `names`, numpy as ``np``, and ``math``.

    Raises
    ------
    DeclarationError
    """
    try:
        return eval(compile(expression, f"<input {name}>", "eval"), {"np": np, "math": math, **names})
    except Exception as error:
        raise DeclarationError(f"{name} = {expression}: {type(error).__name__}: {error}") from None


def role_of(item: Any, known: Role) -> Role:
    """The declared role of an input, else the one that is known of it."""
    if not isinstance(item, dict) or not {"role", "low", "high"} & set(item):
        return known
    kind = item.get("role", known.kind)
    low, high = DOMAINS.get(kind, (-math.inf, math.inf))
    return Role(kind, float(item.get("low", low)), float(item.get("high", high)), known.shape, "declared")
