"""The steps that lead to a target: build an object, bring it into the state it needs, call.

The planner reads the class: which methods assign which attribute. When the target stops
at an attribute that is missing, or still None, the methods that assign it are called first,
``fit`` and its kin before others. An abstract class is replaced by a subclass. When no
object can be built, the target runs on a bare one whose attributes are inputs.
"""

from __future__ import annotations

import ast
import copy
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..stubs import installed
from ..target import Role
from .candidates import Slot, documentation, fill, items, slots_of
from .search import Assignment, Duck
from .use import dotted, use_of
from .values import halved

USUAL = (
    "fit",
    "_fit",
    "train",
    "initialize",
    "_initialize",
    "_init",
    "setup",
    "build",
    "forward",
    "fit_transform",
    "predict",
)


@dataclass
class Step:
    """One call on the way.

    Attributes
    ----------
    name : str
        ``"__init__"``, ``"fit"``.
    slots : list of Slot
    perform : callable
        ``perform(state, arguments) -> result``, arguments by the names of the slots.
    builds : bool
        Whether its result is the new state.
    tree : ast.AST or None
    """

    name: str
    slots: list[Slot]
    perform: Callable[[Any, dict[str, Any]], Any]
    builds: bool = False
    tree: ast.AST | None = None


@dataclass
class Plan:
    """Steps with the kinds of their arguments; the last one is the target."""

    steps: list[Step] = field(default_factory=list)
    kinds: Assignment = field(default_factory=dict)
    words: str = ""
    finished: bool = True
    """Whether the call returns, after it has reached the flagged expression."""

    def then(self, step: Step, kinds: Assignment, finished: bool = True) -> Plan:
        return Plan([*self.steps, step], {**self.kinds, **kinds}, self.words, finished)


def passed(slots: list[Slot], arguments: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Positional and keyword arguments, as long as positional ones have no gap."""
    positional: list[Any] = []
    named: dict[str, Any] = {}
    gap = False
    for slot in slots:
        if slot.parent:  # an item of an argument
            continue
        if slot.name not in arguments:
            gap = True
        elif gap or slot.keyword:
            named[slot.path] = arguments[slot.name]
        else:
            positional.append(arguments[slot.name])
    return positional, named


def copied(state: Any) -> Any:
    """A deep copy where one can be made."""
    try:
        return copy.deepcopy(state)
    except Exception:
        return state


def node_of(tree: ast.Module, function: Any) -> ast.AST | None:
    """The definition of a function in a tree, by name and line."""
    code = getattr(function, "__code__", None)
    if code is None:
        return None
    best = None
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            first = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", ()))])
            if first == code.co_firstlineno and getattr(node, "name", "<lambda>") == code.co_name:
                best = node
    return best


@dataclass
class Planner:
    """Makes steps for functions and classes of one module."""

    tree: ast.Module
    roles: dict[str, Role]
    tensors: bool = False

    def filled(self, slots: list[Slot], owner: ast.AST | None = None) -> list[Slot]:
        for slot in slots:
            if owner is not None:
                slot.use.literals += [
                    value for value in use_of(f"self.{slot.path}", owner).literals if value not in slot.use.literals
                ]
            fill(slot, self.tensors)
        return slots

    def step(self, function: Any, plain: Any, perform: Any, name: str = "", builds: bool = False) -> Step:
        """A step that calls `function`, whose parameters are used in the body of `plain`."""
        node = node_of(self.tree, plain)
        owner = self.class_around(node) if node is not None else None
        prefix = f"{name}." if name else ""
        slots = slots_of(function, node, {} if name else self.roles, prefix, inspect.getdoc(plain) or "")
        return Step(name, self.filled(slots, owner), perform, builds, node)

    def class_around(self, node: ast.AST) -> ast.ClassDef | None:
        for item in ast.walk(self.tree):
            if isinstance(item, ast.ClassDef) and node in item.body:
                return item
        return None

    def construct(self, kind: type) -> Step:
        """The step that builds an object."""

        def perform(_: Any, arguments: dict[str, Any]) -> Any:
            positional, named = passed(step.slots, arguments)
            return kind(*positional, **named)

        plain = kind.__init__  # type: ignore[misc]
        if plain is object.__init__ or not inspect.isfunction(inspect.unwrap(plain)):
            step = Step("__init__", [], perform, True)
        else:
            bound = _without_first(plain)
            step = self.step(bound, inspect.unwrap(plain), perform, "__init__", True)
            document = (inspect.getdoc(kind) or "") + "\n" + (inspect.getdoc(plain) or "")
            for slot in step.slots:
                slot.documented = slot.documented or documentation(document, slot.path)
                fill(slot, self.tensors)
        return step

    def method(self, state: Any, name: str, prefix: str) -> Step | None:
        """The step that calls a method of an object."""
        try:
            bound = getattr(state, name)
            plain = inspect.unwrap(getattr(bound, "__func__", bound))
        except Exception:
            return None
        if not callable(bound):
            return None

        def perform(state: Any, arguments: dict[str, Any]) -> Any:
            positional, named = passed(step.slots, arguments)
            return getattr(state, name)(*positional, **named)

        try:
            step = self.step(bound, plain, perform, prefix)
        except (TypeError, ValueError):
            return None
        return step

    def bare(self, kind: type, function: Any, name: str, perform: Any) -> Step | None:
        """The step that makes an object without its constructor; its attributes are slots."""
        paths = attributes_read(kind, function, self.tree)
        usual = defaults(kind)
        node = node_of(self.tree, function)
        owner = (self.class_around(node) if node is not None else None) or self.tree
        slots = []
        for path in [f"self.{attribute}" for attribute in paths if not hasattr(kind, attribute)]:
            slot = Slot(path, path, use_of(path, owner), role=self.roles.get(path))
            slot.usual = usual.get(path[5:].strip("_"))
            slots += [slot, *items(slot, owner, self.roles)]

        def build(_: Any, arguments: dict[str, Any]) -> Any:
            made = _blank(kind)
            for slot in slots:
                if slot.name in arguments and not slot.parent:
                    setattr(made, slot.path[5:], arguments[slot.name])
            return made

        return Step("", self.filled(slots), build, True)


def defaults(kind: type) -> dict[str, Any]:
    """What the constructor's parameters are by default: an attribute of that name is usually that."""
    try:
        parameters = inspect.signature(kind).parameters.values()
    except (TypeError, ValueError):
        return {}
    plain = (bool, int, float, str)
    return {item.name.strip("_"): item.default for item in parameters if isinstance(item.default, plain)}


def _blank(kind: type) -> Any:
    made: Any = object.__new__(concrete(kind))
    torch = installed("torch")
    if torch is not None and issubclass(kind, torch.nn.Module):
        torch.nn.Module.__init__(made)
    return made


def _without_first(function: Any) -> Any:
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())[1:]

    def bound() -> None: ...

    bound.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return bound


def concrete(kind: type) -> type:
    """The class itself, or one with its abstract methods filled by stand-ins."""
    missing = getattr(kind, "__abstractmethods__", None)
    if not missing:
        return kind
    body: dict[str, Any] = {name: lambda self, *arguments, **named: halved(*arguments) for name in missing}
    return type(kind.__name__, (kind,), body)


def subclasses(kind: type) -> Iterator[type]:
    """Subclasses of a class that are loaded, nearest first."""
    todo: list[type] = list(kind.__subclasses__())
    seen: set[type] = set()
    while todo:
        item = todo.pop(0)
        if item not in seen:
            seen.add(item)
            yield item
            todo += item.__subclasses__()


def classes_for(kind: type, method: str) -> list[type]:
    """Classes whose objects run this method: the class, and subclasses that keep it."""
    heirs = [item for item in subclasses(kind) if vars(item).get(method) is None and not inspect.isabstract(item)]
    if inspect.isabstract(kind):
        return [*heirs[:3], concrete(kind)]
    return sorted([kind, *heirs[:3]], key=_required)


def _required(kind: type) -> int:
    """How many arguments the constructor cannot do without."""
    try:
        parameters = inspect.signature(kind).parameters.values()
    except (TypeError, ValueError):
        return 0
    usual = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.KEYWORD_ONLY)
    return sum(item.default is inspect.Parameter.empty and item.kind in usual for item in parameters)


def assignments(kind: type, tree: ast.Module) -> dict[str, list[str]]:
    """By attribute: the methods that assign it on ``self``."""
    found: dict[str, list[str]] = {}
    for name, node in _methods(kind, tree):
        for item in ast.walk(node):
            if isinstance(item, ast.Attribute) and isinstance(item.ctx, ast.Store) and dotted(item.value) == "self":
                names = found.setdefault(item.attr, [])
                if name not in names:
                    names.append(name)
    return found


def _methods(kind: type, tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Methods of a class and its bases with their definitions, those in other files included."""
    seen = set()
    for owner in kind.__mro__:
        for name, value in vars(owner).items():
            function = inspect.unwrap(getattr(value, "__func__", getattr(value, "fget", None) or value))
            if name in seen or not inspect.isfunction(function):
                continue
            seen.add(name)
            node = node_of(tree, function) if function.__code__.co_filename == _file(tree, function) else None
            if node is None:
                node = _parsed(function)
            if node is not None:
                yield name, node


def _file(tree: ast.Module, function: Any) -> str:
    return str(getattr(tree, "path", function.__code__.co_filename))


def _parsed(function: Any) -> ast.AST | None:
    import textwrap

    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    except (OSError, TypeError, SyntaxError, IndexError):
        return None


def attributes_read(kind: type, function: Any, tree: ast.Module) -> list[str]:
    """Attributes of ``self`` that a method reads, itself or through other methods of the object."""
    methods = dict(_methods(kind, tree))
    start = node_of(tree, function)
    todo = [start] if start is not None else []
    seen: set[int] = set()
    found: dict[str, None] = {}
    while todo:
        node = todo.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        for item in ast.walk(node):
            if isinstance(item, ast.Attribute) and dotted(item.value) == "self" and isinstance(item.ctx, ast.Load):
                if item.attr in methods:
                    todo.append(methods[item.attr])
                else:
                    found[item.attr] = None
    return list(found)


def preparations(state: Any, function: Any, tree: ast.Module, exclude: set[str]) -> list[str]:
    """Methods that bring an object into the state which a method needs, most useful first."""
    kind = type(state)
    missing = set()
    for name in attributes_read(kind, function, tree):
        try:
            if getattr(state, name, None) is None:
                missing.add(name)
        except Exception:
            missing.add(name)
    assigned = assignments(kind, tree)
    worth: dict[str, int] = {}
    for attribute in missing:
        for method in assigned.get(attribute, ()):
            worth[method] = worth.get(method, 0) + 1
    for place, name in enumerate(USUAL):
        if callable(getattr(kind, name, None)):
            worth[name] = worth.get(name, 0) + (2 if place < 3 else 0)
    names = [name for name in worth if name not in exclude and name != "__init__"]
    return sorted(names, key=lambda name: (-worth[name], name.startswith("_"), name))


__all__ = ["Duck", "Plan", "Planner", "Step", "attributes_read", "classes_for", "concrete", "copied", "preparations"]
