"""Relations: what follows from two operands being the same value, which intervals cannot see."""

from __future__ import annotations

from collections.abc import Callable

from numlint.facts.counting import occurring
from numlint.facts.range import Range
from numlint.graph.terms import product, terms, variable_terms
from numlint.graph.value import Value

RangeOf = Callable[[Value], Range]


def related(value: Value, range_of: RangeOf) -> Range | None:
    """Range of `value` that follows from how its operands are related, or None."""
    relation = _RELATIONS.get(value.op)
    return relation(value, range_of) if relation is not None else None


def is_shifted_by_max(value: Value) -> bool:
    """Whether a value is ``x - max(x)`` times something: 0 somewhere, so that its exponential is 1 there.

    ``max(x) - x``, ``x - min(x)`` and ``x / t - max(x) / t`` are 0 somewhere as well.
    """
    if any(_is_distance_from_extreme(factor) for factor in product(value).numerator):
        return True
    inner = value.core
    return inner.op == "sub" and _scaled_alike(inner.args[0], inner.args[1])


def _is_distance_from_extreme(value: Value) -> bool:
    if value.op != "sub":
        return False
    left, right = value.args[0].core, value.args[1].core
    for extreme, other in ((left, right), (right, left)):
        peaks = extreme.args[1:] if extreme.op == "phi" else (extreme,)  # another one where there is no element
        if any(peak.core.op in ("max", "min") and _same_elements(other, peak.core.args[0]) for peak in peaks):
            return True
    return False


def _scaled_alike(left: Value, right: Value) -> bool:
    """Whether `right` is `left` with a factor x replaced by max(x), as in ``x / t`` and ``max(x) / t``."""
    one, other = product(left), product(right)
    if one.coefficient != other.coefficient or one.denominator != other.denominator:
        return False
    rest = [factor for factor in other.numerator if factor not in one.numerator]
    replaced = [factor for factor in one.numerator if factor not in other.numerator]
    if len(rest) != 1 or len(replaced) != 1:
        return False
    return rest[0].op == "max" and _same_elements(replaced[0], rest[0].args[0])


def _same_elements(x: Value, y: Value) -> bool:
    one, other = x.core, y.core
    return one is other or (other.op in ("index", "list", "tuple") and any(arg.core is one for arg in other.args))


def _counted(value: Value, range_of: RangeOf) -> Range | None:
    return occurring(value)


def _difference(value: Value, range_of: RangeOf) -> Range | None:
    left, right = value.args[0].core, value.args[1].core
    if right.op == "max" and _same_elements(left, right.args[0]):
        return Range(hi=0.0)
    if right.op == "min" and _same_elements(left, right.args[0]):
        return Range(lo=0.0)
    if left.op == "max" and _same_elements(right, left.args[0]):
        return Range(lo=0.0)
    if left.op == "max" and right.op == "min" and left.args[0].core is right.args[0].core:
        return Range(lo=0.0)
    if right.op == "logsumexp" and _same_elements(left, right.args[0]):
        return Range(hi=1e-3)  # rounding: x - logsumexp(x) may exceed 0 by some ulps of x
    if right.op == "maximum" and left in [argument.core for argument in right.args]:
        return Range(hi=0.0)
    if right.op == "add" and _is_above(right, left, range_of):
        return Range(hi=0.0)
    return None


def _is_above(total: Value, x: Value, range_of: RangeOf) -> bool:
    """Whether a sum is ``max(x)`` and terms that are not negative, as in a logsumexp written out."""
    parts = terms(total)
    peaks = [
        part for part in parts if part.sign > 0 and part.value.op == "max" and _same_elements(x, part.value.args[0])
    ]
    return bool(peaks) and all(part is peaks[0] or (part.sign > 0 and range_of(part.value).lo >= 0) for part in parts)


def _total(value: Value, range_of: RangeOf) -> Range | None:
    counted = occurring(value)
    if counted is not None:
        return counted
    inner = value.args[0].core
    if inner.op == "exp" and is_shifted_by_max(inner.args[0]):
        return Range(lo=1.0, nonzero=True)  # one term is exp(0)
    if inner.op in ("list", "tuple") and inner.args:
        ranges = [range_of(argument) for argument in inner.args]
        if all(r.lo >= 0 for r in ranges) and any(not r.can_be_zero for r in ranges):
            return Range(lo=0.0, nonzero=True)
    if inner.op == "softmax":
        return Range(lo=0.0, nonzero=True)
    return None


def _fraction(value: Value, range_of: RangeOf) -> Range | None:
    above, below = value.args[0].core, value.args[1].core
    known = range_of(above)
    if below.op in ("sum", "max") and _same_elements(above, below.args[0]) and known.lo >= 0:
        return Range(0.0, 1.0, nonzero=known.lo > 0 and known.hi / known.lo < 1e290)  # at least lo / (n * hi)
    # x / norm(x) is left out: the squares in the norm underflow, and then the quotient is infinite.
    parts = terms(below)
    summed = len(parts) > 1 and all(part.sign > 0 for part in parts) and any(part.value is above for part in parts)
    if summed and all(range_of(part.value).lo >= 0 for part in parts):
        return Range(0.0, 1.0)
    return None


def _product(value: Value, range_of: RangeOf) -> Range | None:
    for one, other in (value.args, value.args[::-1]):
        if other.core.op == "sign" and other.core.args[0].core is one.core:
            return Range(lo=0.0)
    return None


def _sum_of_two(value: Value, range_of: RangeOf) -> Range | None:
    # a + b - 2*sqrt(a*b), squared differences and other perfect squares are left to intervals.
    parts = variable_terms(value)
    if len(parts) == 2 and parts[0].value.op == "abs" and parts[1].value is parts[0].value.args[0]:
        return Range(lo=0.0)
    return None


_RELATIONS: dict[str, Callable[[Value, RangeOf], Range | None]] = {
    "sub": _difference,
    "sum": _total,
    "div": _fraction,
    "mul": _product,
    "add": _sum_of_two,
    "len": _counted,
    "count_nonzero": _counted,
    "bincount": _counted,
    "mean": _counted,
    "index": _counted,
    "call": _counted,
}
