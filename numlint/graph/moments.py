"""Second moments taken as differences: ``E[x**2] - E[x]**2`` in its many spellings.

A variance in one pass is a positive term that sums squares and a negative one that squares
sums; a covariance the same with products; the M-step of a mixture ``S2 - 2*m*S1 + m**2*S0``;
a posterior scale ``y'y - m'Am``. Sums are recognised as calls, as quotients by a count and as
what a loop adds up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from numlint.graph.matrices import chain
from numlint.graph.terms import Term, factors, terms
from numlint.graph.value import Value

Loops = dict[int, tuple[Value, Value]]

_SUMS = frozenset({"sum", "mean", "cumsum"})
_FILTERS = frozenset({"linear", "call"})
_STATISTICS = frozenset({"sum", "mean", "cumsum", "matmul", "einsum", "outer", "index", "carried", "join"})


class Moment(NamedTuple):
    """A second central moment that is computed as a difference.

    Attributes
    ----------
    kind : str
        ``"variance"``, ``"covariance"``, ``"filtered"`` (within a moving window),
        ``"scatter"`` (of sums with a mean taken from elsewhere) or ``"quadratic"`` (y'y
        minus a quadratic form).
    data : Value or None
        What is squared, where it can be told.
    squares, squared : Value
        The positive and the negative term.
    """

    kind: str
    data: Value | None
    squares: Value
    squared: Value


def second_moment(value: Value, loops: Loops) -> Moment | None:
    """Return the second moment that a sum or difference of terms is, or None."""
    parts = terms(value)
    above = [part for part in parts if part.sign > 0 and part.value.number is None]
    below = [part for part in parts if part.sign < 0 and part.value.number is None]
    if not above or not below or len(parts) > 8:
        return None
    for plus in above:
        for minus in below:
            found = _variance(plus, minus, loops) or _quadratic(plus, minus)
            if found is not None:
                return found
    return _expanded(above, below)


def _variance(plus: Term, minus: Term, loops: Loops) -> Moment | None:
    """Mean of squares minus square of the mean, of x or of two variables."""
    squared = _squared(minus.value)
    if squared is None:
        return None
    one, other = squared
    if _is_filtered(plus.value.core, one, other):
        return Moment("filtered", None, plus.value, minus.value)
    left, right = (None if item is None else _data(item) for item in (_summand(one, loops), _summand(other, loops)))
    for total in _sums(plus.value):
        inner = _summand(total, loops)
        if inner is None:
            continue
        pair = _pair(inner)
        if pair is None:
            continue
        if pair[0] is pair[1]:
            if one is other and left in (None, pair[0]):
                return Moment("variance", pair[0], plus.value, minus.value)
        elif (left, right) in (pair, pair[::-1]):
            return Moment("covariance", None, plus.value, minus.value)
    for product in _products(plus.value):
        operands = [factor.value for factor in chain(product)]
        averaged = [item for item in (left, right) if item is not None]
        if len(operands) == 2 and any(item in averaged for item in operands):
            data = operands[0] if operands[0] is operands[1] else None
            return Moment("covariance", data, plus.value, minus.value)
    # a/n - (b/n)**2: whatever a and b are, they are sums over the same n.
    count, mean = plus.value, one
    same_count = count.op == "div" and mean.op == "div" and count.args[1].core is mean.args[1].core
    if (
        one is other
        and same_count
        and count.args[1].core.number is None
        and count.args[0].core is not mean.args[0].core
    ):
        return Moment("variance", None, plus.value, minus.value)
    return None


def _squared(value: Value) -> tuple[Value, Value] | None:
    """The two means whose product a term is: ``m**2``, ``m1 * m2``, ``outer(m, m)``, ``n * m**2``, ``s**2 / n``."""
    inner = value.core
    if inner.op == "div":
        return _squared(inner.args[0])
    _, found = factors(inner)
    for factor in found:
        if factor.op == "square":
            return factor.args[0].core, factor.args[0].core
        if factor.op == "div" and factor.args[0].core.op == "square":
            return _squared(factor)
        if factor.op in ("outer", "matmul") and len(factor.args) == 2:
            one, other = (argument.core for argument in factor.args)
            return one, other
    filtered = [factor for factor in found if factor.op in _FILTERS]
    if len(filtered) == 2:
        return filtered[0], filtered[1]
    sums = [factor for factor in found if _is_sum(factor)]
    return (sums[0], sums[1]) if len(sums) == 2 else None


def _is_sum(value: Value) -> bool:
    inner = value.core
    if inner.op == "div":
        return _is_sum(inner.args[0])
    return inner.op in _SUMS or inner.op in ("carried", "join")


def _sums(value: Value) -> Iterator[Value]:
    """Sums and means that are factors of a term, or of its numerator."""
    inner = value.core
    if inner.op == "div":
        yield from _sums(inner.args[0])
        return
    _, found = factors(inner)
    for factor in found:
        if factor.op == "div" and factor is not inner:
            yield from _sums(factor)
        elif factor.op in _SUMS or factor.op in ("carried", "join", "phi"):
            yield factor


def _products(value: Value) -> Iterator[Value]:
    inner = value.core
    if inner.op == "div":
        yield from _products(inner.args[0])
    else:
        yield from (factor for factor in factors(inner)[1] if factor.op in ("matmul", "einsum"))


def _summand(value: Value, loops: Loops, depth: int = 0) -> Value | None:
    """What is summed or averaged: by a call, by a count, or by a loop."""
    inner = value.core
    if depth > 6:
        return None
    if inner.op in _SUMS and inner.args:
        summed = inner.args[0].core
        return summed.args[0].core if summed.op == "comprehension" else summed
    if inner.op == "div":
        return _summand(inner.args[0], loops, depth + 1)
    if inner.op == "mul":
        found = [_summand(factor, loops, depth + 1) for factor in factors(inner)[1] if _is_sum(factor)]
        return found[0] if len(found) == 1 else None
    if inner.op == "join":
        found = [_summand(part, loops, depth + 1) for part in inner.args if part.op == "add" or part.op == "phi"]
        return next((item for item in found if item is not None), None)
    if inner.op == "phi":
        found = [_summand(part, loops, depth + 1) for part in inner.args[1:] if part.op == "add"]
        return next((item for item in found if item is not None), None)
    if inner.op == "carried" and inner.id in loops:
        return _summand(loops[inner.id][1], loops, depth + 1)
    if inner.op == "add":
        heads = [part for part in inner.args if part.core.op in ("carried", "attr")]
        rest = [part.core for part in inner.args if part.core.op not in ("carried", "attr")]
        if len(heads) == 1 and len(rest) == 1:
            return rest[0].args[0].core if rest[0].op == "sum" else rest[0]
    return None


def _pair(value: Value) -> tuple[Value, Value] | None:
    """The factors of ``x * y``; of ``x**2`` twice the same."""
    inner = value.core
    if inner.op == "square":
        return _data(inner.args[0]), _data(inner.args[0])
    _, found = factors(inner)
    return (_data(found[0]), _data(found[1])) if len(found) == 2 else None


def _data(value: Value) -> Value:
    """The collection that an element stands for."""
    inner = value.core
    while inner.op in ("element", "comprehension") and inner.args:
        inner = inner.args[0].core
    return inner


def _is_filtered(product: Value, one: Value, other: Value) -> bool:
    """Whether a linear filter, such as a convolution with a window, is applied to ``x * y``, and to x and y alone."""
    operands = []
    for mean in (one, other):
        same = mean.op == product.op and mean.attrs == product.attrs and len(mean.args) == len(product.args)
        changed = [(p, m) for p, m in zip(product.args, mean.args, strict=False) if p.core is not m.core]
        if not same or product.op not in _FILTERS or len(changed) != 1:
            return False
        operands.append((changed[0][0].core, changed[0][1].core))
    (filtered, x), (again, y) = operands
    if filtered is not again:
        return False
    if filtered.op == "square":
        return x is y is filtered.args[0].core
    return filtered.op == "mul" and set(factors(filtered)[1]) == {x, y}


def _quadratic(plus: Term, minus: Term) -> Moment | None:
    """``y'y - m'Am``, and ``y'y - b'X'y``."""
    energy, form = chain(plus.value), chain(minus.value)
    if len(energy) != 2 or energy[0].value is not energy[1].value or len(form) < 3:
        return None
    response = energy[0].value
    if form[0].value is form[-1].value or response in (form[0].value, form[-1].value):
        return Moment("quadratic", response, plus.value, minus.value)
    return None


def _expanded(above: list[Term], below: list[Term]) -> Moment | None:
    """``S2 - 2*m*S1 + m**2*S0``, and ``S2 - P - P.T + m m' * S0``."""
    if len(above) < 2:
        return None
    for plus in above:
        _, found = factors(plus.value)
        means = [factor.args[0].core for factor in found if factor.op == "square"]
        outer = [factor for factor in found if factor.op == "outer" and factor.args[0].core is factor.args[1].core]
        for mean in means:
            for minus in below:
                coefficient, mixed = factors(minus.value)
                rest = [factor for factor in mixed if factor is not mean]
                others = [part.value for part in above if part is not plus]
                if coefficient != 2 or len(rest) != len(mixed) - 1 or not all(map(_is_statistic, rest)):
                    continue
                if any(map(_is_statistic, others)) and not _is_expanded_square(rest, others):
                    return Moment("scatter", None, others[0], plus.value)
        for factor in outer:
            mean = factor.args[0].core
            cross = [minus.value for minus in below if mean in (argument.core for argument in minus.value.args)]
            if len(cross) == 2 and cross[0].core is cross[1].core:
                return Moment("scatter", None, next(part.value for part in above if part is not plus), plus.value)
    return None


def _is_statistic(value: Value) -> bool:
    """Whether a term is a sum over data, or an entry of a collection of such sums, and no polynomial."""
    inner = value.core
    if inner.op == "phi":
        return any(_is_statistic(branch) for branch in inner.args[1:])
    if inner.op == "matmul":
        return True
    return inner.op in _STATISTICS


def _is_expanded_square(rest: list[Value], others: list[Value]) -> bool:
    """Whether the sum is ``(a - b)**2`` written out, or the law of cosines: nothing is summed up."""
    return any(
        factor.op == "square" and factor.args[0].core in rest for value in others for factor in factors(value)[1]
    )


def is_centred(value: Value) -> bool:
    """Whether a value is data minus its own mean."""
    inner = value.core
    if inner.op == "sub":
        return any(
            part.op in ("mean", "median", "sum") and part.args[0].core is inner.args[0].core
            for part in inner.args[1].walk(12)
        )
    return inner.op in ("index", "mul", "div") and is_centred(inner.args[0])
