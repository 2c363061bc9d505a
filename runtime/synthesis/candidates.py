"""Which kinds of value are tried for a parameter, and in which order.

Evidence in the order of its weight: the role that the static side read from the
mathematics, the annotation, the documented type and shape, what the body does with it,
and the names that the field gives to things. The order is only a beginning: measured,
the feedback of the search matters more than any prior, but good priors make the inputs
realistic. Behind the evidence follow all other kinds.
"""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass, field
from typing import Any

from ..target import Role
from .use import Use, items_of, use_of
from .values import ABSENT, DUCK, EXPLORED, KINDS, RECORD, RECORDS, Kind, array, constant, kinds, number
from .vocabulary import ANNOTATED, ANSWERS, CLASSIFYING, DATA, HINTS, NAMED, SIZES

EMPTY = inspect.Parameter.empty


@dataclass
class Slot:
    """A place that needs a value: a parameter, an attribute of a bare object, a missing global.

    Attributes
    ----------
    name : str
        In `Harness.inputs`: ``"X"``, ``"fit.X"``, ``"self.w"``.
    path : str
        As the body writes it: ``"X"``, ``"self.w"``, ``"args.lr"``.
    use : Use
    optional : bool
        Whether it can be left at its default.
    keyword : bool
        Passed by keyword.
    parent : str
        Name of the slot that this one is an item of, under `key`; empty for what is passed itself.
    beside : bool
        Data are passed in the same call.
    scope : str
        What the class and the function are called.
    usual : object
        A number, flag or string that it is in most cases; None when nothing is known.
    """

    name: str
    path: str
    use: Use = field(default_factory=Use)
    annotation: str = ""
    default: Any = EMPTY
    documented: str = ""
    role: Role | None = None
    keyword: bool = False
    kinds: list[Kind] = field(default_factory=list)
    parent: str = ""
    key: str = ""
    beside: bool = False
    scope: str = ""
    usual: Any = None

    @property
    def optional(self) -> bool:
        return self.default is not EMPTY


ROLE_KINDS = {
    "logit": "vector scores X",
    "probability": "probabilities proba 0.5 labels",
    "simplex": "proba simplex transition",
    "positive": "positives 0.5 positivem positived",
    "nonnegative": "positives 0.5 positivem positived",
    "count": "counts countv 3",
    "size": "3 1 10 2",
    "label": "labels onehot",
    "index": "members rows index",
    "groups": "groups groups3",
    "onehot": "onehot labels",
    "design": "X frame*",
    "spd": "spd spdn spds",
    "distance": "distance",
    "angle": "vector 0.7",
    "cosine": "probabilities 0.5",
    "weight": "features weights 0.7 centers",
    "image": "images images28",
    "tolerance": "0.001",
}
SHAPE_AXES = {"scalar": 0, "vector": 1, "matrix": 2, "tensor": 3}
STRUCTURAL = ("groups", "members", "counted", "share", "rate")
CLEAR = ("string", "list", "dict", "frame", "random")
MARKED = {
    "groups": "groups groups3",
    "members": "members rows",
    "counted": "counts countv 3",
    "share": "0.5 probabilities simplex",
    "rate": "positived positivekd 0.5 positives positivem",
    "called": "halved squares half",
    "square": "spd spdn spds square",
    "whole": "3 10 1",
    "log": "probabilities positives 0.5 positivem proba",
    "iterated": "vector X features list* arrays* columns* sizes",
    "matmul": "X features spd weights vector square columnd",
    "length": "vector X labels list*",
    "dict": "duck frame* dict",
    "list": "list list* arrays*",
    "string": "string",
    "random": "state generator",
    "frame": "frame*",
    "array": "X vector",
    "tested": "false true",
    "index": "0 index labels",
    "arithmetic": "vector 0.7 X 3 features",
}


def slots_of(
    function: Any, tree: ast.AST | None, roles: dict[str, Role], prefix: str = "", document: str = ""
) -> list[Slot]:
    """The parameters of a function, without ``self``.

    Parameters
    ----------
    function : callable
        Bound, or plain.
    tree : ast.AST or None
        Where the parameters are used.
    roles : dict of str to Role
        By local name.
    prefix : str
        Of the input names: ``"fit."``.
    document : str

    Raises
    ------
    ValueError, TypeError
        It has no signature.
    """
    found = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        name = parameter.name
        slot = Slot(
            prefix + name,
            name,
            use_of(name, tree) if tree is not None else Use(),
            ""
            if parameter.annotation is EMPTY
            else str(getattr(parameter.annotation, "__name__", parameter.annotation)),
            parameter.default,
            documentation(document, name),
            roles.get(name),
            parameter.kind is parameter.KEYWORD_ONLY,
        )
        found += [slot, *(items(slot, tree, roles) if tree is not None else ())]
    for slot in found:
        slot.beside = any(other is not slot and DATA.search(other.path) for other in found)
        slot.scope = getattr(function, "__qualname__", "")
    return found


def items(slot: Slot, tree: ast.AST, roles: dict[str, Role]) -> list[Slot]:
    """Slots for the items that the body takes by name: of a dictionary, or of each dictionary in a list."""
    found = [item_of(slot, key, slot.path, tree, roles) for key in slot.use.keys]
    for name in sorted(items_of(slot.path, tree)):
        keys = use_of(name, tree).keys
        if keys:
            slot.use.marks.add("records")
        found += [item_of(slot, key, name, tree, roles) for key in keys]
    return found


def item_of(slot: Slot, key: str, name: str, tree: ast.AST, roles: dict[str, Role]) -> Slot:
    """The slot of one item of a dictionary that the body calls `name`."""
    path = f"{name}[{key!r}]"
    return Slot(f"{slot.name}[{key!r}]", path, use_of(path, tree), role=roles.get(path), parent=slot.name, key=key)


def documentation(text: str, name: str) -> str:
    """What a numpydoc, Google or Sphinx docstring says of the type of a parameter."""
    found = re.search(rf"(?m)^\s*(?::param\s+)?[`*]*{re.escape(name)}[`*]*\s*[:(]\s*(.+(?:\n\s+.+)?)", text or "")
    return found.group(1) if found else ""


def fill(slot: Slot, tensors: bool = False, strings: tuple[str, ...] = ()) -> Slot:
    """Give a slot its kinds, best first. `tensors`: the code computes on tensors of torch."""
    ordered = evidence(slot) + [constant(text) for text in strings]
    axes = wanted_axes(slot)
    if axes > 0 and not slot.use.marks & {"groups", "records"}:  # what a subscript asks for is the least
        brief = axes == 1 and slot.path.islower() and len(slot.path) <= 2  # x[i], not X[i]
        exact = brief or (slot.role is not None and slot.role.shape != "")
        fitting = [kind for kind in ordered if kind.ndim == axes or (kind.ndim > axes and not exact)]
        fitting += [] if fitting or exact else [kind for kind in EXPLORED if kind.ndim == axes][:6]
        ordered = fitting + [kind for kind in ordered if kind not in fitting]
    ordered = [*dict.fromkeys(ordered), *EXPLORED]
    if tensors:
        as_tensors = [kind.received_as("tensor") if kind.ndim > 0 and not kind.form else kind for kind in ordered]
        ordered = [*as_tensors, *[kind for kind in ordered if kind.ndim > 0]]
    if slot.optional:
        ordered.insert(0, ABSENT)
    names: dict[str, Kind] = {}
    for kind in ordered:
        names.setdefault(kind.name, kind)
    slot.kinds = list(names.values())
    return slot


def wanted_axes(slot: Slot) -> int:
    if slot.role is not None and slot.role.shape:
        return SHAPE_AXES.get(slot.role.shape, -1)
    return slot.use.ndim


def evidence(slot: Slot) -> list[Kind]:
    """Kinds that something speaks for, in the order of the weight of what speaks."""
    last = slot.key or slot.path.rpartition(".")[2]
    use = slot.use
    ordered: list[Kind] = []
    if isinstance(slot.usual, (bool, str)):
        ordered.append(constant(slot.usual))
    elif slot.usual is not None:
        ordered.append(number(slot.usual, "size" if isinstance(slot.usual, int) else "any"))
    if use.held and not use.keys:
        ordered.append(constant("".join(use.held)))
    if slot.optional:
        ordered += _alternatives(slot.default)
    for mark in STRUCTURAL:
        if mark in use.marks:
            ordered += kinds(MARKED[mark])
    if slot.role is not None:
        ordered += kinds(ROLE_KINDS.get(slot.role.kind, ""))
    ordered += [constant(value) for value in use.literals if isinstance(value, str)]
    if use.keys and "frame" not in use.marks:
        ordered.append(RECORD)
    if "records" in use.marks:
        ordered.append(RECORDS)
    for mark in CLEAR:
        if mark in use.marks:
            ordered += kinds(MARKED[mark])
    for pattern, text in ANNOTATED:
        if slot.annotation and re.search(pattern, slot.annotation):
            ordered += kinds(text)
            break
    ordered += documented(slot.documented)
    used = [kind for mark in MARKED if mark in use.marks for kind in kinds(MARKED[mark])]
    if slot.beside and ANSWERS.search(last):
        ordered += kinds(_answers(slot))
    named = [kind for pattern, text in NAMED if re.search(pattern, last.lower()) for kind in kinds(text)]
    if use.attributes and not use.marks & {"array", "matmul", "arithmetic"} and use.ndim < 1:
        ordered.append(DUCK)
    common = {kind.name for kind in used}
    ordered += [kind for kind in named if kind.name in common] + named + used
    for value in use.literals:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            ordered.append(number(value, "size" if isinstance(value, int) else "any"))
    if use.attributes:
        ordered.append(DUCK)
    return ordered


def _answers(slot: Slot) -> str:
    """What belongs to each sample: its class, or a number."""
    if "classes" in slot.use.marks or CLASSIFYING.search(slot.scope):
        return "labels onehot labelcolumn signs vector"
    return "vector labels column onehot" if "arithmetic" in slot.use.marks else "labels vector onehot"


def _alternatives(default: Any) -> list[Kind]:
    """Values of the type of a default."""
    if isinstance(default, bool):
        return [constant(not default)]
    if isinstance(default, int):
        return kinds("3 1 0")
    if isinstance(default, float):
        return kinds("0.5 0.001 0.7")
    return []


SHAPES = {
    "n": "vector labels positives",
    "d": "features positived",
    "k": "classes simplex",
    "nd": "X positivem",
    "nk": "proba scores onehot",
    "kd": "centers positivekd",
    "dk": "weights",
    "dd": "spd square",
    "nn": "spdn gram",
    "kk": "transition spdk",
    "n1": "column labelcolumn",
    "d1": "columnd",
    "1d": "row",
    "kdd": "spds",
}


def documented(text: str) -> list[Kind]:
    """Kinds that a documented type speaks for: ``array-like of shape (n_samples, n_features)``."""
    if not text:
        return []
    lower = text.lower()
    found: list[Kind] = []
    shape = re.search(r"\(\s*`?([\w ,`*.]+)`?\s*\)", text[lower.find("shape") :] if "shape" in lower else text)
    if shape and ("shape" in lower or "array" in lower or "matrix" in lower):
        sides = [side.strip("` ") for side in shape.group(1).split(",") if side.strip("` ")]
        letters = "".join(map(_letter, sides))
        found += kinds(
            SHAPES.get(letters, {1: "vector", 2: "X", 3: "sequence spds", 4: "images imageslast"}.get(len(sides), ""))
        )
    for pattern, text_kinds in (
        (r"\bbool", "false true"),
        (r"\bint", "3 1"),
        (r"float|scalar", "0.5 0.7"),
        (r"callable|function", "halved squares"),
        (r"randomstate", "state"),
        (r"list", "list* sizes"),
        (r"dict", "dict"),
        (r"array|matrix|tensor", "X vector"),
        (r"dataframe", "frame*"),
    ):
        if re.search(pattern, lower):
            found += kinds(text_kinds)
    found += [constant(first or second) for first, second in re.findall(r"'([\w\-]+)'|\"([\w\-]+)\"", text)[:4]]
    return found


def _letter(side: str) -> str:
    if re.search(r"sampl|n_ex|obs|^[nNmMT]$|n_points|batch|len", side):
        return "n"
    if re.search(r"class|comp|cluster|topic|state|output|^[kKcC]$|n_out", side):
        return "k"
    return "1" if side == "1" else "d"


def hinted(message: str, present: Kind) -> list[Kind]:
    """Kinds that an error message asks for in the place of the present one."""
    sizes = [int(text) for text in re.findall(r"\d+", message)]
    if SIZES.search(message):
        wanted = [size for size in sizes if 0 < size <= 1024][:8]  # a product of larger ones takes too long
        if present.ndim == 1:
            return [array(present.role or "any", size).received_as(present.form) for size in dict.fromkeys(wanted)]
        if present.ndim == 2:
            return [array("any", rows, size) for rows in (8, 3) for size in dict.fromkeys(wanted)]
        return kinds("X vector features")
    for pattern, text in HINTS:
        if re.search(pattern, message):
            return kinds(text)
    return []


__all__ = ["ABSENT", "EMPTY", "KINDS", "Slot", "documentation", "evidence", "fill", "hinted", "slots_of"]
