"""What a condition says about values: guards, as ranges."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from numlint.facts.range import INF, Range
from numlint.graph.frame import Path
from numlint.graph.value import Value

RangeOf = Callable[[Value], Range]

_NONZERO = Range(nonzero=True)
_ZERO = Range(0.0, 0.0)
_NOT_NAN = Range(nan=False)


def implied(condition: Value, holds: bool, range_of: RangeOf, depth: int = 0) -> Iterator[tuple[Value, Range]]:
    """Yield values and the ranges that they have when `condition` holds (or fails).

    A comparison of arrays that holds under ``all``, or fails under ``any``, is known
    for each element.
    """
    if depth > 12:
        return
    op, args = condition.core.op, condition.core.args
    if op == "not":
        yield from implied(args[0], not holds, range_of, depth + 1)
    elif (op == "and" and holds) or (op == "or" and not holds):
        for argument in args:
            yield from implied(argument, holds, range_of, depth + 1)
    elif op in ("lt", "le"):
        yield from _order(args[0], args[1], op == "lt", holds, range_of)
    elif op in ("eq", "ne"):
        yield from _equality(args[0], args[1], (op == "eq") == holds, range_of)
    elif (op == "any" and not holds) or (op == "all" and holds):
        yield from implied(args[0], holds, range_of, depth + 1)
        if op == "any":
            yield from _about(args[0], _ZERO)
    elif op == "isnan":
        if not holds:
            yield from _about(args[0], _NOT_NAN)
    elif op == "isfinite":
        if holds:
            yield from _about(args[0], _NOT_NAN)
    elif op == "isclose":
        if not holds and args[1].number == 0:
            yield from _about(args[0], _NONZERO)
    elif op == "call" and args and str(args[0].attr("name")).rpartition(".")[2] in ("is_tensor", "isinstance"):
        return
    else:
        yield from _about(condition, _NONZERO if holds else _ZERO)


def _order(a: Value, b: Value, strict: bool, holds: bool, range_of: RangeOf) -> Iterator[tuple[Value, Range]]:
    if not holds:  # not (a < b): b <= a, nan apart
        a, b, strict = b, a, not strict
    left, right = range_of(a), range_of(b)
    # A comparison also fails when an operand is nan: then nothing is known of the other one.
    if right.hi < INF and (holds or not right.nan):
        nonzero = right.hi < 0 or (right.hi == 0 and (strict or right.hi_open))
        yield from _about(a, Range(hi=right.hi, hi_open=strict or right.hi_open, nonzero=nonzero, nan=not holds))
    if left.lo > -INF and (holds or not left.nan):
        nonzero = left.lo > 0 or (left.lo == 0 and (strict or left.lo_open))
        yield from _about(b, Range(lo=left.lo, lo_open=strict or left.lo_open, nonzero=nonzero, nan=not holds))


def _equality(a: Value, b: Value, equal: bool, range_of: RangeOf) -> Iterator[tuple[Value, Range]]:
    if equal:
        yield from _about(a, range_of(b))
        yield from _about(b, range_of(a))
        return
    for one, other in ((a, b), (b, a)):
        if other.core.number == 0:
            yield from _about(one, _NONZERO)
            known = range_of(one)
            if known.integer and known.lo == 0:
                yield one, Range(lo=1.0, nonzero=True)
        elif other.core.number == 1 and range_of(one).integer and range_of(one).lo >= 1:
            yield one, Range(lo=2.0, nonzero=True)


def _about(value: Value, known: Range) -> Iterator[tuple[Value, Range]]:
    """Yield the statement about a value, and what it says of the operand of abs, norm-like and layout operations."""
    for _ in range(6):
        yield value, known
        op = value.op
        if op in ("view", "transpose", "cast", "abs") and not (op == "abs" and not known.nonzero):
            known = Range(nonzero=known.nonzero, nan=known.nan) if op == "abs" else known
            value = value.args[0]
        elif op in ("sqrt", "square", "neg") and known.nonzero:
            value, known = value.args[0], _NONZERO
        elif op == "abs" and known.hi < INF:
            yield value.args[0], Range(-known.hi, known.hi, known.hi_open, known.hi_open, nan=known.nan)
            return
        elif op in ("max", "min") and len(value.args) == 1:
            if op == "max" and known.hi < INF:
                yield value.args[0], Range(hi=known.hi, hi_open=known.hi_open)
            if op == "min" and known.lo > -INF:
                yield value.args[0], Range(lo=known.lo, lo_open=known.lo_open, nonzero=known.lo > 0 or known.positive)
            return
        else:
            return


def ordered(left: Value, right: Value, path: Path | None) -> Range | None:
    """Range of ``left - right`` that a comparison of the two on the path says, or None.

    A difference of doubles has the sign of the comparison: subtraction does not underflow.
    """
    while path is not None:
        if path.kind == "cond" and path.value is not None:
            for smaller, larger, strict, nan in _comparisons(path.value, path.holds):
                if smaller is left.core and larger is right.core:
                    return Range(hi=0.0, hi_open=strict, nonzero=strict, nan=nan)
                if smaller is right.core and larger is left.core:
                    return Range(lo=0.0, lo_open=strict, nonzero=strict, nan=nan)
        path = path.parent
    return None


def _comparisons(condition: Value, holds: bool) -> Iterator[tuple[Value, Value, bool, bool]]:
    """Yield the smaller and the larger side, whether they differ, and whether one of them may be nan."""
    stack = [(condition.core, holds)]
    while stack:
        inner, true = stack.pop()
        if inner.op == "not":
            stack.append((inner.args[0].core, not true))
        elif (inner.op == "and" and true) or (inner.op == "or" and not true):
            stack.extend((argument.core, true) for argument in inner.args)
        elif inner.op in ("lt", "le"):
            one, other = inner.args[0].core, inner.args[1].core
            # inf <= inf holds, and inf - inf is nan.
            yield (one, other, inner.op == "lt", inner.op == "le") if true else (other, one, inner.op == "le", True)
