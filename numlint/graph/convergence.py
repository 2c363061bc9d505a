"""What ends a loop: its ways out, as comparisons of something that gets small with a tolerance.

A loop is left through its condition, or through a ``break``, ``return`` or ``raise``.
Each way out is a conjunction of comparisons, whatever mixture of flags, helpers and
nested branches spells it: conditions are brought into disjunctive form, a flag that is
carried to the next iteration stands for the value that it was given, and the boolean result of an
inlined helper for the conditions that lead to it.

What is compared is then read as a change: the difference between a value of this
iteration and the same value of the previous one, two items of a history, the two
ends of a bracket, or the step by which a variable moves.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from numlint.graph.frame import Path
from numlint.graph.site import Exit, Loop
from numlint.graph.terms import product, terms
from numlint.graph.value import Value

MAX_ALTERNATIVES = 24
MAX_DEPTH = 24

Atom = tuple[Value, bool]
"""A condition that is no combination of others, and whether it holds or fails."""

_MAGNITUDES = frozenset(
    {"abs", "norm", "max", "sum", "mean", "median", "sqrt", "square", "neg", "std", "float", "any", "all"}
)
"""Operations that keep it small whether a difference is small."""

_SIZES = frozenset({"const", "len", "shape", "param", "attr", "name", "self"})


class Comparison(NamedTuple):
    """A comparison that holds where a loop is left: `small` is below `large`."""

    value: Value
    small: Value
    large: Value
    holds: bool


class WayOut(NamedTuple):
    """A way out of a loop.

    Attributes
    ----------
    loop : Loop
    node : ast.stmt
        The ``break``, ``return`` or ``raise``, or the loop itself for its condition.
    comparisons : tuple of Comparison
    others : tuple of Atom
        Conditions of another kind.
    env : dict
        What the names are bound to there.
    """

    loop: Loop
    node: ast.stmt
    comparisons: tuple[Comparison, ...]
    others: tuple[Atom, ...]
    env: dict[str, Value]


class Change(NamedTuple):
    """What is asked to be small.

    Attributes
    ----------
    kind : str
        ``"successive"`` (this iteration's value and the previous one's), ``"history"``
        (two items of a sequence), ``"bracket"`` (two carried values that close in on each
        other) or ``"step"`` (by which a carried value moves).
    new, old : Value
    scales : tuple of Value
        What the difference is divided by.
    """

    kind: str
    new: Value
    old: Value
    scales: tuple[Value, ...]


def ways_out(loop: Loop) -> Iterator[WayOut]:
    """Iterate over the ways out of a loop, the alternatives of each condition apart."""
    if loop.condition is not None and loop.condition.op != "const":
        ends = {name: end for name, (_, _, end) in loop.carried.items()}
        for atoms in alternatives(loop.condition, False, loop):
            yield _way(loop, loop.node, atoms, ends)
    for leaving in loop.exits:
        for atoms in _conditions(loop, leaving):
            yield _way(loop, leaving.node, atoms, leaving.env)


def _way(loop: Loop, node: ast.stmt, atoms: tuple[Atom, ...], env: dict[str, Value]) -> WayOut:
    comparisons, others = [], []
    for value, holds in atoms:
        if value.op in ("lt", "le") and len(value.args) == 2:
            small, large = value.args if holds else value.args[::-1]
            comparisons.append(Comparison(value, small, large, holds))
        else:
            others.append((value, holds))
    return WayOut(loop, node, tuple(comparisons), tuple(others), env)


def _conditions(loop: Loop, leaving: Exit) -> list[tuple[Atom, ...]]:
    """Alternatives under which an exit is reached, the loop's own condition apart."""
    found: list[tuple[Atom, ...]] = [()]
    path: Path | None = leaving.path
    while path is not None and path is not loop.entry:
        if path.kind == "cond" and path.value is not None and path.value is not loop.condition:
            found = _both(alternatives(path.value, path.holds, loop), found)
        path = path.parent
    return found


def _both(one: list[tuple[Atom, ...]], other: list[tuple[Atom, ...]]) -> list[tuple[Atom, ...]]:
    return [(*a, *b) for a in one for b in other][:MAX_ALTERNATIVES]


def alternatives(value: Value, holds: bool, loop: Loop | None = None, depth: int = 0) -> list[tuple[Atom, ...]]:
    """Bring a condition into disjunctive form: sets of atoms, each of which makes it hold (or fail)."""
    inner = value.core
    op, args = inner.op, inner.args
    if depth > MAX_DEPTH:
        return [((inner, holds),)]
    if op == "const" and isinstance(inner.constant, (bool, int)):
        return [()] if bool(inner.constant) == holds else []
    if op == "not":
        return alternatives(args[0], not holds, loop, depth + 1)
    if op in ("and", "or"):
        parts = [alternatives(argument, holds, loop, depth + 1) for argument in args]
        if (op == "and") != holds:
            return [atoms for part in parts for atoms in part][:MAX_ALTERNATIVES]
        found: list[tuple[Atom, ...]] = [()]
        for part in parts:
            found = _both(found, part)
        return found
    if op == "phi" and len(args) == 3:
        yes = _both(alternatives(args[0], True, loop, depth + 1), alternatives(args[1], holds, loop, depth + 1))
        no = _both(alternatives(args[0], False, loop, depth + 1), alternatives(args[2], holds, loop, depth + 1))
        return [*yes, *no][:MAX_ALTERNATIVES]
    if op == "join":
        return [atoms for argument in args for atoms in alternatives(argument, holds, loop, depth + 1)][
            :MAX_ALTERNATIVES
        ]
    if op in ("any", "all") and args:
        return alternatives(args[0], holds, loop, depth + 1)
    if op == "carried" and loop is not None:
        for _, head, end in loop.carried.values():
            if head is inner and end.core is not inner:
                return alternatives(end, holds, None, depth + 1)
    return [((inner, holds),)]


def settled(value: Value, loop: Loop) -> Value:
    """Value that a condition at the head of a loop sees: that of the end of the iteration before."""
    inner = value.core
    for _, head, end in loop.carried.values():
        if head is inner:
            return _given(end, head)
    return value


def _given(end: Value, head: Value) -> Value:
    """Value that a variable is given in an iteration, where it is given one only under a condition."""
    if end.op in ("phi", "join"):
        branches = [branch for branch in end.args[end.op == "phi" :] if branch.core is not head]
        if len(branches) == 1:
            return _given(branches[0], head)
    return end


def change(quantity: Value, way: WayOut) -> Change | None:
    """Read a compared quantity as a change, if it is one."""
    loop = way.loop
    if way.node is loop.node:
        quantity = settled(quantity, loop)
    for inner, scales in _sized(quantity):
        found = difference(inner.args[0], inner.args[1], way) if inner.op == "sub" else None
        if inner.op == "add":  # old - (-loss) stands as old + loss
            found = _negated_difference(inner.args[0], inner.args[1], way)
        if found is not None:
            return found._replace(scales=scales)
        for _, head, end in loop.carried.values():
            if _moves(_given(end, head), head, inner):
                return Change("step", inner, head, scales)
    return None


def _sized(quantity: Value) -> Iterator[tuple[Value, tuple[Value, ...]]]:
    """Iterate over what a quantity is the size of, norms, means and factors stripped one by one, with the divisors."""
    inner = quantity.core
    scales: tuple[Value, ...] = ()
    for _ in range(MAX_DEPTH):
        yield inner, scales
        if (inner.op in _MAGNITUDES and inner.args) or (
            inner.op == "matmul" and inner.args[0].core is inner.args[1].core
        ):
            inner = inner.args[0].core
        elif inner.op == "div" and len(inner.args) == 2:
            scales = (*scales, inner.args[1].core)
            inner = inner.args[0].core
        elif inner.op == "mul" and any(argument.core.op == "const" for argument in inner.args):
            inner = next(argument.core for argument in inner.args if argument.core.op != "const")
        elif inner.op in ("phi", "join"):
            branches = [branch.core for branch in inner.args[inner.op == "phi" :] if branch.core.op != "const"]
            if len(branches) != 1:
                return
            inner = branches[0]
        else:
            return


def _negated_difference(one: Value, other: Value, way: WayOut) -> Change | None:
    """Read a sum as a change: of a name's last value and the opposite of its new one."""
    heads = {head: name for name, (_, head, _) in way.loop.carried.items()}
    for new, old in ((one.core, other.core), (other.core, one.core)):
        name = heads.get(old)
        if name is not None and any(value.op == "neg" and value.args[0].core is new for value in _values(way, name)):
            return Change("successive", new, old, ())
    return None


def difference(one: Value, other: Value, way: WayOut) -> Change | None:
    """Read the difference of two values as a change."""
    a, b = one.core, other.core
    heads = {head: name for name, (_, head, _) in way.loop.carried.items()}
    for new, old in ((a, b), (b, a)):
        name = heads.get(old)
        if name is not None and new in _values(way, name) and new is not old:
            return Change("successive", new, old, ())
    for new, old in ((a, b), (b, a)):
        if old.op == "index" and _kept(old.args[0], new, way):
            return Change("successive", new, old, ())
    if a in heads and b in heads:
        return Change("bracket", a, b, ())
    return history(a, b)


def _values(way: WayOut, name: str) -> list[Value]:
    """Values that a variable is bound to at the end of an iteration, or where the loop is left."""
    found: list[Value] = []
    stack = [way.loop.carried[name][2], way.env.get(name)]
    while stack and len(found) < MAX_DEPTH:
        value = stack.pop()
        if value is not None and value.core.op in ("phi", "join"):
            stack.extend(value.core.args[value.core.op == "phi" :])
        if value is not None:
            found.append(value.core)
    return found


def _kept(sequence: Value, item: Value, way: WayOut) -> bool:
    """Whether an iteration puts `item` into the sequence that the other operand is read from."""
    root = _root(sequence)
    candidates = [sequence.core, *(end.core for _, head, end in way.loop.carried.values() if head is root)]
    for value in candidates:
        while value.op in ("appended", "store"):
            if value.args[-1].core is item:
                return True
            value = value.args[0].core
    return False


def _root(sequence: Value) -> Value:
    value = sequence.core
    while value.op in ("appended", "store", "mutated"):
        value = value.args[0].core
    return value


def history(a: Value, b: Value) -> Change | None:
    """Read two values as neighbouring items of one sequence: ``errors[-1]`` and ``errors[-2]``."""
    one, other = a.core, b.core
    if one.op != "index" or other.op != "index" or _root(one.args[0]) is not _root(other.args[0]):
        return None
    distance = _offset(one.args[1], other.args[1])
    ends = [part.args[1].number for part in (one, other)]
    if distance not in (1, -1) or any(end is not None and end >= 0 for end in ends):
        return None  # `pair[0] - pair[1]` are two things, not one thing at two times
    new, old = (one, other) if distance == 1 else (other, one)
    return Change("history", new, old, ())


def _offset(one: Value, other: Value) -> float | None:
    """Difference of two indices, where it is a literal."""
    rest: dict[Value, int] = {}
    constant = 0.0
    for sign, value in ((1, one), (-1, other)):
        for term in terms(value):
            number = term.value.number
            if number is not None:
                constant += sign * term.sign * abs(number)
            else:
                rest[term.value] = rest.get(term.value, 0) + sign * term.sign
    return None if any(rest.values()) else constant


def _moves(end: Value, head: Value, step: Value) -> bool:
    """Whether a variable ends an iteration at ``head + step`` or ``head - step``, and the step depends on it."""
    parts = [part.value for part in terms(end)]
    if len(parts) != 2 or head not in parts:
        return False
    other = parts[0] if parts[1] is head else parts[1]
    moved = step is other or (other.op in ("mul", "neg") and step in [argument.core for argument in other.args])
    return moved and depends(step, head)


def depends(value: Value, on: Value) -> bool:
    """Whether a value is computed from another."""
    return any(inner is on for inner in value.walk(400))


def varies(value: Value, loop: Loop) -> bool:
    """Whether a value can change from one iteration to the next."""
    heads = {head for _, head, _ in loop.carried.values()}
    return any(
        inner in heads or inner.op in ("element", "draw", "unknown", "mutated", "carried") for inner in value.walk(400)
    )


def is_tolerance(bound: Value, loop: Loop) -> bool:
    """Whether a value can be a tolerance: given from outside the loop, and less than 1 where it is a literal."""
    number = bound.core.number
    return not varies(bound, loop) and (number is None or 0 < number < 1)


def absolute(tolerance: Value, loop: Loop) -> bool:
    """Whether a tolerance is a number of its own, not scaled by the data or by an iterate."""
    if not is_tolerance(tolerance, loop):
        return False
    parts = product(tolerance)
    factors = [factor for factor in (*parts.numerator, *parts.denominator) if factor.op not in ("len", "shape")]
    return len(factors) <= 1 and all(_is_size(factor) for factor in factors)


def _is_size(value: Value, depth: int = 0) -> bool:
    inner = value.core
    if inner.op in _SIZES or inner.op == "finfo":
        return True
    if inner.op in ("phi", "join", "maximum", "minimum", "index", "pow", "sqrt") and depth < 8:
        return all(_is_size(argument, depth + 1) for argument in inner.args[inner.op == "phi" :])
    return False


def is_counter(value: Value, loop: Loop) -> bool:
    """Whether a value counts iterations, or anything else, by whole numbers."""
    inner = value.core
    if inner.op == "element":
        return True
    for entry, head, end in loop.carried.values():
        if head is inner or _given(end, head).core is inner:
            steps = [part.value for part in terms(_given(end, head)) if part.value is not head]
            whole = all(step.op == "const" and isinstance(step.constant, int) for step in steps)
            return bool(steps) and whole and isinstance(entry.constant, int)
    return False


def is_patient(value: Value, loop: Loop) -> bool:
    """Whether a value counts under a condition: successes in a row, not iterations."""
    inner = value.core
    return any(
        (head is inner or end.core is inner or inner in [branch.core for branch in end.core.args])
        and end.core.op in ("phi", "join")
        for _, head, end in loop.carried.values()
    )


def shrinks(quantity: Value, loop: Loop) -> bool:
    """Whether a quantity is multiplied by something in each iteration: a step that is halved, the term of a series."""
    inner = quantity.core
    for _, head, end in loop.carried.values():
        given = _given(end, head).core
        if given is inner or head is inner or any(part in (given, head) for part, _ in _sized(inner)):
            parts = product(given)
            if head in parts.numerator and len(parts.numerator) + len(parts.denominator) + (parts.coefficient != 1) > 1:
                return True
    return False


def measures(quantity: Value) -> bool:
    """Whether a value is the size of something: a norm, an absolute value, a largest or mean deviation."""
    inner = quantity.core
    if inner.op in ("phi", "join"):
        return any(measures(branch) for branch in inner.args[inner.op == "phi" :] if branch.core.op != "const")
    if inner.op in ("norm", "abs", "sqrt"):
        return True
    sized = inner.op in ("max", "sum", "mean", "median") and bool(inner.args)
    return sized and (inner.args[0].core.op in ("abs", "square") or measures(inner.args[0]))


def has_range(loop: Loop) -> bool:
    """Whether a loop goes over something finite: any ``for`` but that over `itertools.count`."""
    iterable = loop.iterable.core if loop.iterable is not None else None
    if iterable is None or iterable.op != "call":
        return iterable is not None
    return str(iterable.args[0].attr("name")) != "itertools.count"


def is_squared(quantity: Value, way: WayOut) -> bool:
    """Whether a compared quantity is a square of a change, whose resolution is that of the change, squared."""
    inner = settled(quantity, way.loop).core
    while inner.op in ("sum", "mean", "max", "phi", "join") and inner.args:
        inner = inner.args[-1 if inner.op in ("phi", "join") else 0].core
    return inner.op in ("square", "matmul")
