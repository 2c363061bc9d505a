"""Sums of exponentials, however they are written: reductions, pairs, weighted sums, loops, comprehensions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from numlint.graph.terms import product, terms
from numlint.graph.value import Value

MAX_DEPTH = 12

Carried = dict[int, tuple[Value, Value]]


class ExpSum(NamedTuple):
    """A sum of exponentials.

    Attributes
    ----------
    values : tuple of Value
        The ``exp(x)`` in it.
    totals : tuple of Value
        The sums that it is made of, the outermost first.
    summed : bool
        Whether anything is summed: a single ``exp(x)`` and a product with one are not.
    """

    values: tuple[Value, ...]
    totals: tuple[Value, ...]
    summed: bool


def exp_sum(value: Value, carried: Carried, depth: int = 0) -> ExpSum | None:
    """Return the exponentials that a value is the sum of, weighted or not, beside constants; None for other values."""
    inner = value.core
    if inner.op == "exp":
        return ExpSum((inner,), (), False)
    if depth > MAX_DEPTH:
        return None
    if inner.op in ("sum", "mean", "cumsum"):
        return _united(inner, inner.args[:1], carried, depth, summed=True)
    if inner.op == "matmul":
        return _united(inner, inner.args, carried, depth, summed=True)
    if inner.op in ("comprehension", "index", "take", "element", "clip"):
        return exp_sum(inner.args[0], carried, depth + 1)
    if inner.op in ("list", "tuple", "maximum", "join"):
        return _united(inner, inner.args, carried, depth)
    if inner.op in ("where", "phi") and len(inner.args) == 3:
        return _united(inner, inner.args[1:], carried, depth)
    if inner.op == "add":
        return _of_terms(inner, carried, depth)
    if inner.op in ("mul", "div"):
        return _of_product(inner, carried, depth)
    return None


def _united(
    total: Value, parts: Iterable[Value], carried: Carried, depth: int, *, summed: bool = False
) -> ExpSum | None:
    found = [part for value in parts if (part := exp_sum(value, carried, depth + 1)) is not None]
    if not found:
        return None
    values = tuple(dict.fromkeys(value for part in found for value in part.values))
    totals = tuple(inner for part in found for inner in part.totals)
    return ExpSum(values, (total, *totals), summed or any(part.summed for part in found))


def _of_terms(total: Value, carried: Carried, depth: int) -> ExpSum | None:
    """Return the exponentials of ``a + b``, when every term has some, is a constant, or is the sum of a loop so far."""
    parts = terms(total)
    variable = [part.value for part in parts if part.value.number is None]
    known = [value for value in variable if value.op != "carried"]
    if any(part.sign < 0 for part in parts) or any(exp_sum(value, carried, depth + 1) is None for value in known):
        return None
    if any(value.op == "carried" and value.id not in carried for value in variable):
        return None
    return _united(total, known, carried, depth, summed=len(variable) > 1)


def _of_product(total: Value, carried: Carried, depth: int) -> ExpSum | None:
    """Return the exponentials of a product, and those of the sums that it is divided by."""
    _, above, below = product(total)
    sums = [value for value in below if (part := exp_sum(value, carried, depth + 1)) is not None and part.summed]
    if sums and depth:
        return None  # shares of a sum, which are normalised
    return _united(total, [*(value for value in above if value is not total), *sums], carried, depth)
