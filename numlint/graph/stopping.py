"""Stopping tests: which comparisons end a loop, and what they compare.

A test ends a loop when an exit (a ``break`` or ``return`` inside it) needs it to
hold, or when it is the condition of a ``while`` and fails. Read as "the quantity is
below the bound", whichever way round it is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from numlint.graph.frame import Path
from numlint.graph.site import Loop, Site
from numlint.graph.terms import product
from numlint.graph.value import Value

Carried = dict[int, tuple[Value, Value]]

_SIZES = frozenset(
    {"abs", "norm", "max", "sum", "mean", "sqrt", "square", "cast", "view", "transpose", "any", "all", "median"}
)


class StopTest(NamedTuple):
    """A comparison that ends a loop when `quantity` falls below `bound`.

    Attributes
    ----------
    site : Site
        The comparison.
    loop : Loop
    quantity, bound : Value
    others : tuple of Value
        Conditions that must hold besides, for this exit.
    continues : bool
        Whether it is the condition of a ``while``, which goes on while the comparison holds: then nan ends it.
    """

    site: Site
    loop: Loop
    quantity: Value
    bound: Value
    others: tuple[Value, ...]
    continues: bool


def stop_tests(sites: list[Site], loops: list[Loop]) -> Iterator[StopTest]:
    """Iterate over the comparisons that end loops."""
    by_value: dict[int, Site] = {}
    for site in sites:
        if site.value.op in ("lt", "le"):
            by_value.setdefault(site.value.id, site)
    for loop in loops:
        ways = [(list(_conditions(exit_.path, loop.entry, loop.condition)), False) for exit_ in loop.exits]
        if loop.condition is not None:
            ways += [([pair], True) for pair in _failing(loop.condition)]
        seen: set[int] = set()
        for way, at_head in ways:
            for condition, holds in way:
                found = by_value.get(condition.id)
                if (
                    found is None
                    or condition.id in seen
                    or (loop not in found.loops and not isinstance(loop.condition, Value))
                ):
                    continue
                seen.add(condition.id)
                quantity, bound = condition.args if holds else condition.args[::-1]
                others = tuple(other for other, _ in way if other is not condition)
                yield StopTest(found, loop, quantity, bound, others, at_head and not holds)


def _conditions(path: Path | None, entry: Path | None, skipped: Value | None) -> Iterator[tuple[Value, bool]]:
    """Conditions between the head of a loop and an exit, conjunctions taken apart."""
    while path is not None and path is not entry:
        if path.kind == "cond" and path.value is not None and path.value is not skipped:
            yield from _parts(path.value, path.holds)
        path = path.parent


def _parts(condition: Value, holds: bool) -> Iterator[tuple[Value, bool]]:
    inner = condition.core
    if inner.op == "not":
        yield from _parts(inner.args[0], not holds)
    elif (inner.op == "and" and holds) or (inner.op == "or" and not holds):
        for argument in inner.args:
            yield from _parts(argument, holds)
    elif (inner.op == "all" and holds) or (inner.op == "any" and not holds):
        yield from _parts(inner.args[0], holds)
    else:
        yield inner, holds


def _failing(condition: Value) -> Iterator[tuple[Value, bool]]:
    """Ways in which the condition of a ``while`` can fail: each conjunct alone ends the loop."""
    inner = condition.core
    if inner.op == "and":
        for argument in inner.args:
            yield from _failing(argument)
    elif inner.op == "any":
        yield from _failing(inner.args[0])
    elif inner.op == "not":
        yield from _parts(inner.args[0], True)
    else:
        yield inner, False


def size_of(value: Value) -> Value:
    """What a quantity measures the size of: ``norm(new - old)`` gives ``new - old``."""
    inner = value.core
    for _ in range(8):
        if inner.op in _SIZES and inner.args:
            inner = inner.args[0].core
        else:
            break
    return inner


def is_step(value: Value, carried: Carried) -> bool:
    """Whether a quantity is the change from the previous iteration to this one.

    A difference of which one side is a name's value at the head of the loop and the
    other the value that it gets in the iteration; or two neighbours of a history.
    """
    return difference_of(value, carried) is not None


def difference_of(value: Value, carried: Carried) -> Value | None:
    """Return the difference between neighbouring iterations that a quantity measures, or None."""
    candidates = [size_of(value)]
    if candidates[0].op == "carried" and candidates[0].id in carried:
        candidates += [size_of(part) for part in _alternatives(carried[candidates[0].id][1])]
    for inner in candidates:
        if inner.op not in ("sub", "add"):
            continue
        left, right = inner.args[0].core, inner.args[1].core
        if inner.op == "add":  # old - (-loss) stands as old + loss
            if _is_next(left, right, carried, negated=True) or _is_next(right, left, carried, negated=True):
                return inner
            continue
        if _is_next(left, right, carried) or _is_next(right, left, carried) or are_neighbours(left, right):
            return inner
    return None


def _is_next(new: Value, old: Value, carried: Carried, negated: bool = False) -> bool:
    while old.op in ("store", "mutated"):
        old = old.args[0].core
    if old.op != "carried" or old.id not in carried:
        return False
    end = carried[old.id][1].core
    if end is old:
        return False
    if negated:
        return any(part.op == "neg" and part.args[0].core is new for part in _alternatives(end))
    return any(part is new for part in _alternatives(end)) or _changes(new, old)


def _alternatives(value: Value) -> Iterator[Value]:
    """Values that a join can be, itself included."""
    stack: list[Value] = [value.core]
    seen: set[int] = set()
    while stack and len(seen) < 32:
        current = stack.pop()
        if current.id in seen:
            continue
        seen.add(current.id)
        yield current
        if current.op in ("phi", "join"):
            stack.extend(argument.core for argument in current.args)


def _changes(new: Value, old: Value) -> bool:
    """Whether a value is the old one with items stored into it, or updated within an inner loop."""
    for part in _alternatives(new):
        while part.op in ("store", "mutated"):
            part = part.args[0].core
        if part is old and part is not new:
            return True
        if part.op == "carried" and part.args and part is not old and part.args[0].core is old:
            return True
    return False


def are_last_two(one: Value, other: Value) -> bool:
    """Whether two values are the last two items of a sequence."""
    if one.op != "index" or other.op != "index" or len(one.args) != 2 or one.args[0].core is not other.args[0].core:
        return False
    return {one.args[1].core.constant, other.args[1].core.constant} == {-1, -2}


def are_neighbours(one: Value, other: Value) -> bool:
    """Whether two values are items of one sequence at indices that differ by one."""
    if one.op != "index" or other.op != "index" or len(one.args) != 2 or one.args[0].core is not other.args[0].core:
        return False
    first, second = one.args[1].core, other.args[1].core
    if isinstance(first.constant, int) and isinstance(second.constant, int):
        return are_last_two(one, other)
    for low, high in ((first, second), (second, first)):
        if low.op == "sub" and low.args[0].core is high and low.args[1].number == 1:
            return True
        if high.op == "add" and low in [argument.core for argument in high.args]:
            return any(argument.number == 1 for argument in high.args)
    return False


def is_relative(quantity: Value, bound: Value, carried: Carried) -> bool:
    """Whether a test scales with what it compares: a quotient, or a bound with a computed factor."""
    for part in [quantity.core, *(_alternatives(carried[quantity.core.id][1]) if quantity.core.id in carried else ())]:
        inner = part
        while inner.op == "div" or (inner.op in _SIZES and inner.args):
            if inner.op == "div" and inner.args[1].core.number is None and not counting(inner.args[1]):
                return True
            inner = inner.args[0].core
    factors = product(bound).numerator
    if len(factors) > 1:
        return True
    compared = {part.id for part in size_of(quantity).walk(200) if part.op not in ("const", "param", "self")}
    if any(part.id in compared for factor in factors for part in factor.walk(200)):
        return True
    measured = [factor for factor in factors if factor.op not in ("param", "attr", "const", "name", "index", "unknown")]
    return bool(measured) or bound.core.op == "add"


def counting(value: Value) -> bool:
    """Whether a value is a size: of an array, of a list."""
    return value.core.op in ("len", "shape") or (value.core.op == "index" and value.core.args[0].core.op == "shape")


def counts(value: Value, carried: Carried) -> bool:
    """Whether a value is a counter: carried over iterations and moved by a constant step."""
    inner = value.core
    if inner.op in ("add", "sub"):
        return any(counts(argument, carried) for argument in inner.args)
    if inner.op == "len":
        return True
    if inner.op != "carried" or inner.id not in carried:
        return False
    for part in _alternatives(carried[inner.id][1]):
        stepped = part.op in ("add", "sub") and any(argument.core is inner for argument in part.args)
        if stepped and any(argument.core.number is not None for argument in part.args):
            return True
    return False


def is_update(value: Value, loop: Loop, carried: Carried) -> bool:
    """Whether a quantity is what an iteration adds to a carried name: the ``d`` of ``x = x - d``."""
    inner = size_of(value)
    candidates = {part.id for part in _alternatives(inner)}
    if inner.op == "carried" and inner.id in carried:
        candidates |= {part.id for part in _alternatives(carried[inner.id][1])}
    for _, head, end in loop.carried.values():
        for part in _alternatives(end):
            others = [argument.core.id for argument in part.args if argument.core is not head]
            if part.op in ("add", "sub") and len(others) == 1 and others[0] in candidates:
                return True
    return False
