"""Selections of data: which can be empty, and which conditions are about a value.

``X[labels == k]`` may hold no row, ``len`` of it may be 0, and its mean nan. A label
that was taken from the data (``for k in np.unique(labels)``) does occur in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from numlint.graph.frame import Path
from numlint.graph.value import Value

Loops = dict[int, tuple[Value, Value]]
Arguments = Callable[[Value], tuple[tuple[Value, "Path | None"], ...]]

MASKS = frozenset({"lt", "le", "eq", "ne", "and", "or", "not", "isnan", "isfinite", "isinf", "isclose", "in", "notin"})
_THROUGH = frozenset(
    "view transpose cast sqrt square abs neg pow sum mean max min norm std var ptp count_nonzero any all median diag "
    "cumsum".split()
)
_SIZES = frozenset({"len", "shape", "index"})
_ELEMENTWISE = frozenset({"sqrt", "square", "abs", "neg", "add", "sub", "mul", "div", "exp", "log"})


def is_mask(index: Value) -> bool:
    """Whether an index selects by a condition."""
    inner = index.core
    if inner.op == "tuple":
        return any(is_mask(part) for part in inner.args)
    return inner.op in MASKS or inner.op == "nonzero" or (inner.op == "index" and inner.args[0].op == "nonzero")


def selection_of(value: Value, depth: int = 0) -> Value | None:
    """Return the selection that the elements of a value are, when it can be empty: by a mask, or filtered."""
    inner = value.core
    if depth > 8:
        return None
    if inner.op == "comprehension":
        return inner if inner.attr("filtered") else selection_of(inner.args[1], depth + 1)
    if inner.op == "nonzero":
        return None if occurs_in_data(inner) else inner
    if inner.op in ("index", "take") and len(inner.args) > 1:
        if is_mask(inner.args[1]):
            return None if occurs_in_data(inner.args[1]) else inner
        return selection_of(inner.args[0], depth + 1) if inner.args[1].core.op == "tuple" else None
    if inner.op in _ELEMENTWISE:
        found = [selection_of(argument, depth + 1) for argument in inner.args]
        return next((selection for selection in found if selection is not None), None)
    return None


def occurs_in_data(mask: Value) -> bool:
    """Whether a mask is ``y == k`` for a label `k` that was taken from data: then it selects something."""
    inner = mask.core
    if inner.op == "tuple":
        return any(occurs_in_data(part) for part in inner.args)
    if inner.op in ("nonzero", "index") and inner.args:
        return occurs_in_data(inner.args[0])
    return inner.op == "eq" and any(_is_label(side) for side in inner.args)


def _is_label(value: Value) -> bool:
    inner = value.core
    for _ in range(6):
        if inner.op == "unique":
            return True
        if inner.op == "arange":  # of the number of distinct labels
            return any(part.op == "unique" for argument in inner.args for part in argument.walk(12))
        if inner.op not in ("element", "index", "view", "cast", "comprehension") or not inner.args:
            return False
        inner = inner.args[0].core
    return False


class Emptiness(NamedTuple):
    """A selection that can be empty, and whether ordinary data makes it so."""

    selection: Value
    sure: bool


def emptiness(value: Value, path: Path | None, loops: Loops, arguments: Arguments) -> Emptiness | None:
    """Return the selection that a value is, when it can be empty and no condition of the path asks for that.

    Parameters
    ----------
    value : Value
    path : Path or None
    loops : dict
        Id of each loop-carried value to its value on entry and at the end of an iteration.
    arguments : callable
        What callers pass for a parameter.
    """
    if tested(value, path, sizes=True):
        return None
    selection = selection_of(value)
    if selection is not None:
        if tested(selection, path, sizes=True) or _labels_compared(selection, path):
            return None
        return Emptiness(selection, _by_group(selection, arguments))
    inner = value.core
    if _Lists(loops, arguments).empty(inner):
        return Emptiness(inner, True)
    while inner.op == "index" and inner.args[1].core.op in ("const", "tuple"):
        rows = inner.args[1].core.args[:1]
        if rows and _Lists(loops, arguments).empty(rows[0]):
            return Emptiness(inner, True)
        inner = inner.args[0].core
    if inner.op in ("index", "take") and len(inner.args) > 1 and _Lists(loops, arguments).empty(inner.args[1]):
        return Emptiness(inner, True)
    return None


def _labels_compared(selection: Value, path: Path | None) -> bool:
    """Whether a condition is about the distinct labels of which one is selected: ``assert set(y) == {0, 1}``."""
    labels = {side.core.id for part in selection.args[-1].walk(12) if part.op == "eq" for side in part.args}
    while path is not None:
        if path.kind == "cond" and path.value is not None:
            distinct = [part for part in path.value.walk(20) if part.op == "unique"]
            if any(part.args[0].core.id in labels for part in distinct):
                return True
        path = path.parent
    return False


def _by_group(selection: Value, arguments: Arguments) -> bool:
    """Whether a mask compares with each of several numbers in turn, so that one of them may not occur."""
    mask = selection.args[-1].core
    for part in mask.walk(12):
        if part.op == "eq":
            for side in part.args:
                counted = (
                    [side.core, *(given.core for given, _ in arguments(side.core))]
                    if side.core.op == "param"
                    else [side.core]
                )
                if any(value.op == "element" and value.args[0].core.op in ("arange", "enumerate") for value in counted):
                    return True
    return False


class _Lists:
    """Whether a list of indices can still be as empty as it was made."""

    def __init__(self, loops: Loops, arguments: Arguments) -> None:
        self._loops = loops
        self._arguments = arguments
        self._under_way: set[int] = set()

    def empty(self, value: Value) -> bool:
        inner = value.core
        if inner.id in self._under_way or len(self._under_way) > 40:
            return False
        self._under_way.add(inner.id)
        if inner.op == "list":
            return not inner.args
        if inner.op == "phi":
            return any(self.empty(branch) for branch in inner.args[1:])
        if inner.op == "param":
            return any(self.empty(given) for given, _ in self._arguments(inner))
        if inner.op in ("element", "index"):
            return any(self.empty(item) for item in self.elements(inner.args[0]))
        return False

    def elements(self, value: Value) -> Iterator[Value]:
        """What a list holds."""
        inner = value.core
        if inner.id in self._under_way or len(self._under_way) > 40:
            return
        self._under_way.add(inner.id)
        if inner.op in ("comprehension", "mul"):
            yield inner.args[0]
        elif inner.op in ("list", "tuple"):
            yield from inner.args
        elif inner.op in ("phi", "join"):
            for part in inner.args:
                yield from self.elements(part)
        elif inner.op == "param":
            for given, _ in self._arguments(inner):
                yield from self.elements(given)
        elif inner.op in ("store", "mutated", "appended"):
            yield from self.elements(inner.args[0])
        elif inner.op == "carried" and inner.id in self._loops:
            yield from self.elements(self._loops[inner.id][0])


def collected(value: Value, depth: int = 0) -> bool:
    """Whether a value was collected one by one, so that it may hold one element only: an appended list, for one."""
    inner = value.core
    if depth > 6:
        return False
    if inner.op == "appended":
        return True
    if inner.op == "comprehension":
        return inner.args[1].core.op not in ("arange", "list", "tuple") and inner.args[0].op not in ("comprehension",)
    if inner.op in ("join", "phi"):
        return any(collected(part, depth + 1) for part in inner.args)
    return False


def tested(source: Value, path: Path | None, *, sizes: bool) -> bool:
    """Whether a condition of the path compares `source`, or what it is computed from, with something.

    Parameters
    ----------
    source : Value
    path : Path or None
    sizes : bool
        Whether a condition on the number of elements counts: it guards an empty
        selection, and does not guard a norm.
    """
    wanted = origins(source)
    while path is not None:
        if path.kind == "cond" and path.value is not None and mentions(path.value, wanted, sizes=sizes):
            return True
        path = path.parent
    return False


def mentions(condition: Value, wanted: set[int], *, sizes: bool, depth: int = 0) -> bool:
    """Whether a condition is about one of the values `wanted` (ids), up to norms, sums, signs and layout."""
    inner = condition.core
    if condition.id in wanted or inner.id in wanted:
        return True
    if depth > 8:
        return False
    if inner.op in MASKS or inner.op in _THROUGH or (sizes and inner.op in _SIZES):
        return any(mentions(argument, wanted, sizes=sizes, depth=depth + 1) for argument in inner.args)
    if inner.op == "call":
        return any(mentions(argument, wanted, sizes=sizes, depth=depth + 4) for argument in inner.args[1:])
    return False


def origins(source: Value) -> set[int]:
    """Ids of the value and of what it is zero with: the vector of a norm, the data of a deviation."""
    found: set[int] = set()
    stack = [source]
    while stack and len(found) < 40:
        value = stack.pop()
        inner = value.core
        found.update((value.id, inner.id))
        masked = inner.op == "index" and is_mask(inner.args[1])
        if masked or inner.op in ("sub", "mul", "and", "take", "comprehension", "tuple"):
            stack.extend(argument for argument in inner.args if argument.op not in ("const", "slice"))
        elif (inner.op in _THROUGH or inner.op in ("len", "shape", "index")) and inner.args:
            stack.append(inner.args[0])
    return found
