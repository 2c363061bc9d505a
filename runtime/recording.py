"""Harnesses of real calls: those that `numlint record` has kept, and those that a user has declared.

A recorded call is rebuilt for every run: the object with its attributes, the arguments,
the state of a random generator that was passed. What is numeric in it, attributes of the
object included (``"self.weights"``), is an input that a perturbation may change; a tensor
is seen as an array, and is a tensor again at the call.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from . import leaves
from .declaration import declared as declared
from .harness import Harness
from .instrument import Observer
from .invocation import called
from .loading import Loaded
from .observation import install, rewritten
from .recorder.calls import Call, folder_of, read
from .recorder.values import Decoder, Opaque
from .target import Role, Target

ITEMS = 64
"""Items of a container that are looked at."""


@dataclass
class Invocation:
    """What a run starts from: the arguments by parameter, made anew for it."""

    arguments: dict[str, Any] = field(default_factory=dict)


def harnesses(loaded: Loaded, target: Target) -> Iterator[Harness]:
    """Harnesses of the recorded calls of a target, the most complete and smallest first.

    Parameters
    ----------
    loaded : Loaded
    target : Target
        Its `recordings` are folders that `numlint record` wrote.
    """
    calls = [call for folder in target.recordings for call in _calls(folder, target)]
    if not calls:
        return
    observer, functions = install(loaded, target)
    if not functions:
        return
    for call in calls:
        harness = _recorded(call, loaded, target, functions, observer)
        if harness is not None:
            yield harness


def _calls(folder: str, target: Target) -> list[Call]:
    found = folder_of(Path(folder), target.path, target.qualname)
    return list(read(found)) if found is not None else []


def _recorded(
    call: Call, loaded: Loaded, target: Target, functions: list[FunctionType], observer: Observer
) -> Harness | None:
    """A recorded call as a harness; None when it does not fit the function any more, or lacks an argument."""
    function = functions[0]
    try:
        arrays = call.arrays()
        parameters = inspect.signature(function, follow_wrapped=False).parameters
    except (OSError, ValueError):
        return None
    aliases = dict.fromkeys(("__main__", call.module), loaded.module.__name__)

    def made() -> dict[str, Any]:
        decoder = Decoder(arrays, aliases)
        return {name: decoder.decode(tree) for name, tree in call.arguments.items()}

    arguments = made()
    left_out = {name for name, value in arguments.items() if isinstance(value, Opaque)}
    needed = {name for name, parameter in parameters.items() if parameter.default is parameter.empty}
    if set(arguments) != set(parameters) or needed & left_out:
        return None
    owner = next(iter(parameters), "") if "." in target.qualname else ""
    inputs, tensors = _inputs(arguments, owner)

    def prepare(_: dict[str, Any]) -> Invocation:
        return Invocation({name: value for name, value in made().items() if name not in left_out})

    def run(invocation: Invocation, given: dict[str, Any]) -> dict[str, Any]:
        chosen = dict(invocation.arguments)
        for name, value in given.items():
            received = tensors[name](value) if name in tensors else value
            if name in chosen:
                chosen[name] = received
            else:
                vars(chosen[owner])[name.partition(".")[2]] = received
        return called(function, chosen, owner)

    shown = ", ".join(name for name in parameters if name != owner)
    harness = Harness(
        rung="recorded",
        description=f"{call.qualname}({shown})",
        inputs=inputs,
        roles=_roles(inputs, target.roles),
        prepare=prepare,
        call=run,
        observer=observer,
        modules=[loaded.module],
    )
    harness.tensors = frozenset(tensors)
    harness.rewritten = lambda source, region: rewritten(harness, loaded, functions, source, region)
    return harness


def _inputs(arguments: dict[str, Any], owner: str) -> tuple[dict[str, Any], dict[str, Callable[[Any], Any]]]:
    """What is numeric in the arguments and in the attributes of the object; and how arrays become tensors again."""
    named = {name: value for name, value in arguments.items() if name != owner or leaves.is_numeric(value)}
    if owner and owner not in named and not isinstance(arguments[owner], type):
        attributes = getattr(arguments[owner], "__dict__", {})
        named.update({f"{owner}.{name}": value for name, value in attributes.items()})
    inputs: dict[str, Any] = {}
    tensors: dict[str, Callable[[Any], Any]] = {}
    for name, value in named.items():
        if hasattr(value, "detach") and hasattr(value, "requires_grad"):
            inputs[name], tensors[name] = _as_array(value)
        elif _is_data(value):
            inputs[name] = value
    return inputs, tensors


def _is_data(value: Any) -> bool:
    """Whether numbers are all that a value is made of."""
    if isinstance(value, (bool, np.bool_)):
        return False
    if isinstance(value, (list, tuple)):
        return len(value) > 0 and all(_is_data(item) for item in value[:ITEMS])
    if type(value) is dict:
        return len(value) > 0 and all(_is_data(item) for item in list(value.values())[:ITEMS])
    return leaves.is_numeric(value) and not getattr(getattr(value, "dtype", None), "hasobject", False)


def _as_array(tensor: Any) -> tuple[Any, Callable[[Any], Any]]:
    torch = importlib.import_module("torch")

    kind, gradient = tensor.dtype, bool(tensor.requires_grad)
    plain = tensor.detach().cpu()
    array = (plain.float() if kind == torch.bfloat16 else plain).numpy()

    def back(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return value
        made = torch.as_tensor(np.ascontiguousarray(value))
        # Inputs cast to another format keep it: that is what the run is about.
        made = made if array.dtype != np.asarray(value).dtype else made.to(kind)
        return made.requires_grad_(gradient) if made.is_floating_point() else made

    return array, back


def _roles(inputs: dict[str, Any], known: dict[str, Role]) -> dict[str, Role]:
    """Roles of the inputs; where a real argument lies outside, the role was read wrongly."""
    found = {}
    for name, value in inputs.items():
        role = known.get(name, Role())
        inside = all(_within(np.asarray(leaf), role) for _, leaf in leaves.leaves(value))
        found[name] = role if inside else Role(shape=role.shape, why="recorded outside of what its name suggests")
    return found


def _within(array: Any, role: Role) -> bool:
    if array.dtype.kind not in "fiu" or not array.size:
        return True
    return bool(np.nanmin(array) >= role.low and np.nanmax(array) <= role.high) if not np.isnan(array).all() else True
