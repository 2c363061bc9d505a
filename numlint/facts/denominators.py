"""Why a denominator can be exactly zero: by what it means, where a range only says that it can.

The range of an unknown parameter holds zero as well, and a linter that said so of every
denominator would be switched off. This search looks for values that *become* zero on
ordinary data: a norm is zero for a zero vector, a deviation for constant data, a count for
an empty selection, a sum of densities once all of them underflow. It follows a value
through products, roots, selections, loops and attributes, and gives up where the range,
with the guards of the path, leaves zero out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from numlint.facts.interpreter import Facts
from numlint.facts.provenance import presumed_sign
from numlint.facts.range import INF
from numlint.facts.selection import (
    MASKS,
    Arguments,
    Loops,
    is_mask,
    mentions,
    occurs_in_data,
    origins,
    selection_of,
    tested,
)
from numlint.graph import randomness
from numlint.graph.frame import Path
from numlint.graph.moments import second_moment
from numlint.graph.terms import one_minus, terms
from numlint.graph.value import Value

WHEN = {
    "norm": "for a zero vector",
    "distance": "where the two are equal",
    "deviation": "when all values are equal",
    "error": "for a perfect fit",
    "range": "when all values are equal",
    "total": "when all terms are 0",
    "count": "when nothing is counted",
    "underflow": "once every density or exponential underflows",
    "probability": "once a probability rounds to 0 or 1",
    "determinant": "for a singular matrix, and when it underflows",
    "spectrum": "for a rank-deficient matrix",
    "freedom": "for a single observation",
    "limit": "at 0, where the quotient has a limit",
}
"""Kind of a vanishing value, and on which data it is zero."""

ALONE, ADDED, SUMMED = 0, 1, 2
"""Whether one element is asked for, or all that are added up at once."""

MAX_STEPS = 400


_SAME = frozenset({"view", "transpose", "cast", "diag", "triangle", "trace", "nan_to_num", "split", "cumsum", "round"})
_SATURATING = frozenset({"sigmoid", "softmax", "exp", "tanh", "erf", "cdf", "sf", "mean", "square", "sum"})
_REGULAR = frozenset({"expm", "qr", "eye", "ones", "softmax", "cholesky"})
_DECOMPOSITIONS = frozenset({"svd", "eigh", "eig"})
_GIVEN = frozenset({"param", "attr", "name", "unknown", "call", "draw", "mutated"})


class Zero(NamedTuple):
    """How a value can come to be zero.

    Attributes
    ----------
    source : Value
        The part that vanishes: what a guard has to test.
    kind : str
        A key of `WHEN`.
    sure : bool
        Whether ordinary data makes it zero, rather than data of which nothing is known.
    """

    source: Value
    kind: str
    sure: bool = True

    @property
    def when(self) -> str:
        """On which data it is zero."""
        return WHEN[self.kind]

    def tested(self, path: Path | None) -> bool:
        """Whether a condition of the path compares the source, or what it is computed from, with something."""
        return tested(self.source, path, sizes=self.kind in ("count", "freedom"))

    def mentioned(self, condition: Value) -> bool:
        """Whether a condition, such as the mask of a selection, is about the source."""
        return mentions(condition, origins(self.source), sizes=self.kind in ("count", "freedom"))


def vanishing(
    value: Value, facts: Facts, loops: Loops, path: Path | None = None, arguments: Arguments | None = None
) -> Zero | None:
    """Say how `value` can be exactly zero where the conditions of `path` hold, or None.

    A condition that compares the vanishing part with anything counts as its guard: how
    well it guards is the author's to judge.

    Parameters
    ----------
    value : Value
    facts : Facts
    loops : dict
        Id of each loop-carried value to its value on entry and at the end of an iteration.
    path : Path, optional
    arguments : callable, optional
        What the callers pass for a parameter, each with its own path.
    """
    zero = _Search(facts, loops, arguments).zero(value, path, ALONE)
    return None if zero is None or zero.tested(path) else zero


class _Search:
    """One question: with the values under way, so that loops end."""

    def __init__(self, facts: Facts, loops: Loops, arguments: Arguments | None) -> None:
        self.facts = facts
        self.range = facts.range
        self.loops = loops
        self.arguments = arguments
        self.under_way: set[tuple[int, int]] = set()
        self.steps = 0

    def zero(self, value: Value, path: Path | None, mode: int) -> Zero | None:
        """How `value` vanishes: one element (ALONE), or all elements at once (ADDED, SUMMED)."""
        key = (value.id, mode)
        rule = _RULES.get(value.op)
        self.steps += 1
        if rule is None or key in self.under_way or self.steps > MAX_STEPS or not self.range(value, path).can_be_zero:
            return None
        self.under_way.add(key)
        try:
            return rule(self, value, path, mode)
        finally:
            self.under_way.discard(key)

    def first(self, values: tuple[Value, ...], path: Path | None, mode: int) -> Zero | None:
        """The surest way in which one of several values vanishes."""
        best: Zero | None = None
        for value in values:
            found = self.zero(value, path, mode)
            if found is not None and (best is None or (found.sure and not best.sure)):
                best = found
        return best


Rule = Callable[[_Search, Value, "Path | None", int], "Zero | None"]


def _inner(search: _Search, value: Value, path: Path | None, mode: int) -> Zero | None:
    return search.zero(value.args[0], path, mode) if value.args else None


def _index(search: _Search, value: Value, path: Path | None, mode: int) -> Zero | None:
    base, index = value.args[0], value.args[-1]
    inner = base.core
    if index.core.op == "slice" and inner.op == "index" and inner.args[0].op in _DECOMPOSITIONS:
        return None  # the first few of a spectrum
    if inner.op in _DECOMPOSITIONS and mode == ALONE:
        return Zero(value, "spectrum") if index.constant == (1 if inner.op == "svd" else 0) else None
    zero = search.zero(base, path, mode)
    if zero is None or (is_mask(index) and zero.mentioned(index)):
        return None
    return zero._replace(source=value) if zero.source.core is inner else zero


def _power(search: _Search, value: Value, path: Path | None, mode: int) -> Zero | None:
    base = value.args[0]
    exponent = value.args[1].number if value.op == "pow" else 2
    if exponent is None or exponent <= 0:
        return None
    found = search.zero(base, path, mode)
    if found is not None or mode == ALONE or value.op == "sqrt" or not search.range(base, path).can_be_zero:
        return found
    if exponent not in (2, 4, 6) or _random(base):
        return None
    spectrum = base.core.op == "index" and base.core.args[0].op in _DECOMPOSITIONS
    return Zero(value, _kind_of(base), not spectrum and (mode == SUMMED or base.core.op not in _GIVEN))


def _kind_of(x: Value) -> str:
    """What a sum of squares (or magnitudes) of `x` is."""
    inner = x.core
    if inner.op != "sub":
        return "norm"
    centre = [part for part in inner.args[1].walk(12) if part.op in ("mean", "median", "sum")]
    return "deviation" if any(part.args[0].core is inner.args[0].core for part in centre) else "distance"


def _random(value: Value) -> bool:
    """Whether a value is drawn: noise is not all equal, and not all zero."""
    inner = value.core
    for _ in range(6):
        if inner.op == "draw" or (inner.op == "call" and inner.args[0].attr("name") in randomness.NUMPY):
            return True
        if inner.op not in ("add", "sub", "mul", "div", "index", "exp", "abs", "square") or not inner.args:
            return False
        drawn = [argument.core for argument in inner.args if argument.core.op == "draw"]
        inner = drawn[0] if drawn else inner.args[0].core
    return False


def _statistic(kind: str) -> Rule:
    """A statistic that vanishes on some data: a norm, a deviation."""

    def rule(search: _Search, value: Value, path: Path | None, mode: int) -> Zero | None:
        x = value.args[0].core
        if _random(x) or x.op == "const" or (kind == "norm" and x.op in _REGULAR):
            return None
        if value.op == "hypot":  # of given numbers, as the real and the imaginary part of one, nothing is known
            return Zero(value, kind, all(side.core.op not in _GIVEN for side in value.args))
        if x.op in ("list", "tuple", "join", "joined") and any(
            not search.range(part, path).can_be_zero for part in x.args
        ):
            return None  # (x, 1) is no zero vector
        return Zero(value, "distance" if kind == "norm" and x.op == "sub" else kind)

    return rule


def _always(kind: str) -> Rule:
    return lambda search, value, path, mode: Zero(value, kind)


def _mask(search: _Search, value: Value, path: Path | None, mode: int) -> Zero | None:
    # Added to others, a mask selects one of several cases; summed, it counts.
    return None if mode != SUMMED or occurs_in_data(value) else Zero(value, "count")


def _exp(search: _Search, value: Value, path: Path | None, mode: int) -> Zero | None:
    # Alone in a denominator, exp is small when the quotient is large: nothing is lost but range.
    if mode == ALONE or search.range(value, path).lo > 0:
        return None
    exponent = value.args[0].core
    if exponent.op not in ("mul", "div", "neg"):
        return Zero(value, "underflow")
    return Zero(value, "underflow", presumed_sign(exponent, lambda part: search.range(part, path)) < 0)


def _rectified(search: _Search, value: Value, path: Path | None, mode: int) -> Zero | None:
    if value.op == "maximum":
        found = [search.zero(argument, path, mode) for argument in value.args]
        if all(found):
            return found[0]
    return Zero(value, "total") if mode == SUMMED and search.range(value, path).lo == 0 else None


def _sum(search: _Search, value: Value, path: Path | None, mode: int) -> Zero | None:
    inner = value.args[0].core
    selection = selection_of(inner) if value.op == "sum" else None
    if selection is not None:
        # Entries that are left out for being 0 themselves are rarely all of them.
        by_itself = len(selection.args) > 1 and selection.args[0].core.id in origins(selection.args[1])
        return None if tested(selection, path, sizes=True) else Zero(value, "count", not by_itself)
    if inner.op in MASKS and occurs_in_data(inner):
        return None
    found = search.zero(inner, path, SUMMED)
    if found is not None:
        kind = "error" if found.kind == "distance" and value.op == "mean" else found.kind
        return None if found.tested(path) else Zero(value, kind, found.sure and found.kind != "spectrum")
    if value.op == "mean" or search.range(inner, path).positive or _random(inner):
        return None
    if (
        inner.op == "param"
        and search.arguments is not None
        and any(_random(given) for given, _ in search.arguments(inner))
    ):
        return None
    return Zero(value, "total", False)


def _histogram(search: _Search, value: Value, path: Path | None, mode: int) -> Zero | None:
    labels = value.args[0].core
    if labels.op == "index" and labels.args[0].op == "unique":
        return None  # numbered by what occurs
    return Zero(value, "count", value.attr("minlength") is not None)


def _extreme(search: _Search, value: Value, path: Path | None, mode: int) -> Zero | None:
    inner = value.args[0].core
    found = search.zero(inner, path, SUMMED)
    if found is not None:
        return found._replace(source=value)
    if (
        value.op == "min"
        or len(value.args) > 1
        or _random(inner)
        or inner.op in ("list", "tuple", "arange", "const", "element")
    ):
        return None
    known = search.range(inner, path)
    if inner.op == "abs" and known.can_be_zero:
        return Zero(value, "norm")
    return Zero(value, "norm", False) if known.lo in (0.0, -INF) else None


def _median(search: _Search, value: Value, path: Path | None, mode: int) -> Zero | None:
    inner = value.args[0].core
    if inner.op == "abs" and _kind_of(inner.args[0]) == "deviation":
        return Zero(value, "deviation")
    found = search.zero(inner, path, SUMMED)
    return None if found is None else Zero(value, found.kind, False)


def _len(search: _Search, value: Value, path: Path | None, mode: int) -> Zero | None:
    selection = selection_of(value.args[0])
    return None if selection is None or tested(selection, path, sizes=True) else Zero(value, "count")


def _add(search: _Search, value: Value, path: Path | None, mode: int) -> Zero | None:
    found = []
    for term in terms(value):
        zero = search.zero(term.value, path, max(mode, ADDED)) if term.sign > 0 else None
        if zero is None:
            return None
        found.append(zero)
    kinds = {zero.kind for zero in found}
    return Zero(value, kinds.pop() if len(kinds) == 1 else "total", all(zero.sure for zero in found))


def _sub(search: _Search, value: Value, path: Path | None, mode: int) -> Zero | None:
    left, right = value.args[0].core, value.args[1].core
    moment = second_moment(value, search.loops)
    if moment is not None and moment.kind == "variance":
        return Zero(value, "deviation")
    if _is_spread(left, right):
        return None if _random(left.args[0]) else Zero(value, "range")
    if right.number == 1 and is_size(left):
        return Zero(value, "freedom", False)
    if left.number == 1 and right.op in _SATURATING:
        known = search.range(right, path)
        if known.hi == 1 and not known.hi_open and known.lo >= -1:
            return Zero(value, "probability", mode != SUMMED)
    return None


def _is_spread(left: Value, right: Value) -> bool:
    """Whether ``left - right`` is a range: largest minus smallest, or one quantile minus another."""
    if left.op == "index" and right.op == "index":
        return left.args[0] is right.args[0] and left.args[0].core.op == "percentile"
    if (left.op, right.op) not in (("max", "min"), ("percentile", "percentile")):
        return False
    return len(left.args) == len(right.args) and left.args[0].core is right.args[0].core


def is_size(value: Value) -> bool:
    """Whether a value is a number of elements: ``len(x)``, ``x.shape[i]``."""
    inner = value.core
    return inner.op == "len" or (inner.op == "index" and inner.args[0].op == "shape")


def _mul(search: _Search, value: Value, path: Path | None, mode: int) -> Zero | None:
    factors = _factors(value)
    for factor in factors:
        complement = one_minus(factor)
        if complement is not None and any(item.core is complement for item in factors):
            known = search.range(complement, path)
            if not known.can_be_zero and known.hi < 1:
                return None
            return Zero(value, "probability", complement.op not in _GIVEN and complement.op != "index")
    return search.first(factors, path, mode)


def _factors(value: Value) -> tuple[Value, ...]:
    inner = value.core
    if inner.op == "mul":
        return tuple(factor for argument in inner.args for factor in _factors(argument))
    return (value,)


def _matmul(search: _Search, value: Value, path: Path | None, mode: int) -> Zero | None:
    operands = [argument.core for argument in value.args if argument.op != "const"]
    if len(operands) < 2:
        return None
    left, right = operands[0], operands[-1]
    if left is right:
        return None if _random(left) else Zero(value, _kind_of(left))
    found = search.first((left, right), path, SUMMED)
    return found if found is not None and found.kind in ("count", "deviation", "underflow") else None


def _prod(search: _Search, value: Value, path: Path | None, mode: int) -> Zero | None:
    inner = value.args[0].core
    known = search.range(inner, path)
    if inner.op in ("shape", "list", "tuple") or known.integer:
        return None
    found = search.zero(inner, path, ADDED)
    if found is not None:
        return found._replace(source=value)
    if known.lo >= 0 and known.hi <= 1:
        return Zero(value, "underflow")
    return Zero(value, "underflow", False) if value.attr("axis") is not None and mode != ALONE else None


def _branches(search: _Search, value: Value, path: Path | None, mode: int) -> Zero | None:
    if len(value.args) != 3:
        return None
    condition, *branches = value.args
    found = [
        search.zero(branch, search.facts.under(path, condition, branch is branches[0]), mode) for branch in branches
    ]
    for zero, other in zip(found, reversed(branches), strict=True):
        if zero is not None and not zero.mentioned(condition) and not _repairs(other, zero):
            return zero
    return None


def _repairs(value: Value, zero: Zero) -> bool:
    """Whether a value is another one with its zeros replaced: ``n[n == 0] = 1`` on one branch speaks for both."""
    inner = value.core
    return inner.op in ("store", "where") and zero.mentioned(inner.args[1 if inner.op == "store" else 0])


def _parts(search: _Search, value: Value, path: Path | None, mode: int) -> Zero | None:
    if mode == SUMMED and value.op in ("list", "tuple"):
        found = [search.zero(argument, path, SUMMED) for argument in value.args]
        return found[0] if found and all(found) else None
    return search.first(value.args, path, mode)


def _store(search: _Search, value: Value, path: Path | None, mode: int) -> Zero | None:
    base, index, item = value.args
    found = search.zero(item, path, mode)
    if found is not None:
        return found
    if not is_mask(index):
        return search.zero(base, path, mode)
    found = search.zero(base, search.facts.under(path, index, False), mode)
    return None if found is None or found.mentioned(index) else found


def _appended(search: _Search, value: Value, path: Path | None, mode: int) -> Zero | None:
    return search.zero(value.args[-1], path, mode) or search.zero(value.args[0], path, mode)


def _carried(search: _Search, value: Value, path: Path | None, mode: int) -> Zero | None:
    ends = search.loops.get(value.id)
    if ends is None:
        return None
    entry, end = ends
    if entry.core.number == 0 and any(part.op == "add" and value in part.args for part in end.walk(200)):
        return Zero(value, "count")  # nothing was added yet
    return search.zero(entry, path, mode) or search.zero(end, path, mode)


def _param(search: _Search, value: Value, path: Path | None, mode: int) -> Zero | None:
    if search.arguments is None:
        return None
    for argument, given in search.arguments(value):
        found = search.zero(argument, given, mode)
        if found is not None and not found.tested(given):
            return found._replace(source=value)
    return None


_RULES: dict[str, Rule] = {
    "param": _param,
    **dict.fromkeys((*_SAME, "neg", "element", "comprehension", "div"), _inner),
    **dict.fromkeys(MASKS, _mask),
    **dict.fromkeys(("sqrt", "square", "abs", "pow"), _power),
    **dict.fromkeys(("sum", "mean"), _sum),
    **dict.fromkeys(("max", "min"), _extreme),
    **dict.fromkeys(("maximum", "clip", "relu"), _rectified),
    **dict.fromkeys(("phi", "where"), _branches),
    **dict.fromkeys(("join", "list", "tuple", "joined"), _parts),
    **dict.fromkeys(("matmul", "einsum", "outer"), _matmul),
    **dict.fromkeys(("index", "take"), _index),
    **dict.fromkeys(("norm", "hypot"), _statistic("norm")),
    **dict.fromkeys(("std", "var", "cov"), _statistic("deviation")),
    "count_nonzero": _always("count"),
    "bincount": _histogram,
    **dict.fromkeys(("pdf", "cdf", "sf"), _always("underflow")),
    "ptp": _statistic("range"),
    "median": _median,
    "mse": _always("error"),
    "det": _always("determinant"),
    "cdist": _always("distance"),
    "exp": _exp,
    "prod": _prod,
    "len": _len,
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "minimum": lambda search, value, path, mode: search.first(value.args, path, mode),
    "store": _store,
    "appended": _appended,
    "carried": _carried,
}
