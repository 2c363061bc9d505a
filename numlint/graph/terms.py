"""Sums and products seen flat: what rules match instead of trees of binary operations."""

from __future__ import annotations

from typing import NamedTuple

from numlint.graph.value import Value


class Term(NamedTuple):
    """A summand with its sign, +1 or -1."""

    sign: int
    value: Value


class Product(NamedTuple):
    """A product: constant coefficient, factors above and below the fraction bar."""

    coefficient: float
    numerator: tuple[Value, ...]
    denominator: tuple[Value, ...]


def terms(value: Value) -> tuple[Term, ...]:
    """Flatten sums and differences: ``1 - a + b`` gives ``+1, -a, +b``.

    Layout operations are looked through; every summand is returned as it stands.
    """
    found: list[Term] = []
    stack = [Term(1, value)]
    while stack and len(found) < 64:
        sign, current = stack.pop()
        inner = current.core
        if inner.op == "add":
            stack.append(Term(sign, inner.args[1]))
            stack.append(Term(sign, inner.args[0]))
        elif inner.op == "sub":
            stack.append(Term(-sign, inner.args[1]))
            stack.append(Term(sign, inner.args[0]))
        elif inner.op == "neg":
            stack.append(Term(-sign, inner.args[0]))
        elif inner.number is not None and inner.number < 0:
            found.append(Term(-sign, inner))
        else:
            found.append(Term(sign, inner))
    return tuple(found)


def constant_term(value: Value) -> float:
    """Sum of the literal summands of a sum."""
    return sum(term.sign * abs(term.value.number) for term in terms(value) if term.value.number is not None)


def variable_terms(value: Value) -> tuple[Term, ...]:
    """Summands that are not literals."""
    return tuple(term for term in terms(value) if term.value.number is None)


def product(value: Value) -> Product:
    """Flatten products, quotients and negations."""
    coefficient = 1.0
    above: list[Value] = []
    below: list[Value] = []
    stack = [(value, False)]
    while stack and len(above) + len(below) < 64:
        current, inverted = stack.pop()
        inner = current.core
        number = inner.number
        if number is not None:
            if inverted:
                coefficient = coefficient / number if number else float("inf")
            else:
                coefficient *= number
        elif inner.op == "neg":
            coefficient = -coefficient
            stack.append((inner.args[0], inverted))
        elif inner.op == "mul":
            stack.append((inner.args[1], inverted))
            stack.append((inner.args[0], inverted))
        elif inner.op == "div" and len(inner.args) == 2:
            stack.append((inner.args[1], not inverted))
            stack.append((inner.args[0], inverted))
        elif inverted:
            below.append(inner)
        else:
            above.append(inner)
    return Product(coefficient, tuple(above), tuple(below))


def factors(value: Value) -> tuple[float, tuple[Value, ...]]:
    """Literal coefficient and factors of a product; quotients are kept whole, other than by a literal.

    ``2 * m * x / 3`` gives ``2/3`` and ``(m, x)``, whatever ``m`` was computed from.
    """
    coefficient = 1.0
    found: list[Value] = []
    stack = [value]
    while stack and len(found) < 32:
        inner = stack.pop().core
        if inner.number is not None:
            coefficient *= inner.number
        elif inner.op == "neg":
            coefficient = -coefficient
            stack.append(inner.args[0])
        elif inner.op == "mul":
            stack.extend(reversed(inner.args))
        elif inner.op == "div" and inner.args[1].core.number:
            coefficient /= inner.args[1].core.number or 1.0
            stack.append(inner.args[0])
        else:
            found.append(inner)
    return coefficient, tuple(found)


def negated(value: Value) -> Value | None:
    """Return ``y`` when `value` is ``-y`` up to layout: ``neg(y)``, or ``a - b`` for ``b - a``."""
    inner = value.core
    return inner.args[0] if inner.op == "neg" else None


def one_minus(value: Value) -> Value | None:
    """Return ``p`` when `value` is ``1 - p``."""
    inner = value.core
    if inner.op == "sub" and inner.args[0].core.number == 1:
        return inner.args[1].core
    return None


def one_plus(value: Value) -> Value | None:
    """Return ``x`` when `value` is ``1 + x``."""
    inner = value.core
    if inner.op == "add":
        left, right = inner.args
        if left.core.number == 1:
            return right.core
        if right.core.number == 1:
            return left.core
    return None


_MASKS = frozenset({"lt", "le", "eq", "ne", "and", "or", "not", "isnan", "isfinite", "isclose"})


def mask_of(index: Value) -> Value | None:
    """Return the condition that an index selects by: a mask, or what is true at the positions; None for others."""
    inner = index.core
    if inner.op == "index" and inner.args[0].core.op == "nonzero" and inner.args[1].number == 0:
        inner = inner.args[0].core
    if inner.op == "nonzero":
        return inner.args[0].core
    return inner if inner.op in _MASKS else None


_MAYBE_NONE = frozenset(
    "param attr unknown call name phi join index element carried self global mutated dict store".split()
)


def decided(condition: Value) -> bool | None:
    """Whether a condition holds, when the values in it say so: ``which == "mean"`` with a literal for `which`."""
    op, args = condition.op, condition.args
    if op == "const":
        return bool(condition.constant)
    if op == "not":
        inner = decided(args[0])
        return None if inner is None else not inner
    if op in ("and", "or"):
        known = [decided(argument) for argument in args]
        if (op == "or") in known:
            return op == "or"
        return None if None in known else op == "and"
    if op in ("is", "isnot") and args[1].op == "const" and args[1].constant is None:
        if args[0].op == "const":
            return (args[0].constant is None) == (op == "is")
        return None if args[0].op in _MAYBE_NONE else op == "isnot"
    if op in ("eq", "ne") and args[0].op == args[1].op == "const":
        return bool(args[0].constant == args[1].constant) == (op == "eq")
    if op in ("in", "notin") and args[0].op == "const" and args[1].op in ("list", "tuple"):
        members = [member.constant for member in args[1].args if member.op == "const"]
        if args[0].constant in members:
            return op == "in"
        return (op == "notin") if len(members) == len(args[1].args) else None
    return None
