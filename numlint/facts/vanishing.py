"""Why a computed value can be zero.

A range says that zero is not excluded; it says so of every unknown number, too. A
rule about logarithms needs a reason: which operation underflows, saturates, counts
nothing or is zero by design, and whether that happens for ordinary inputs. The
search walks down the expression graph along the operations through which a zero
passes: a product vanishes with one factor, a sum of nonnegative terms with all of
them, one minus p where p rounds to 1. Branches are followed under their conditions,
and every step asks the ranges first, so that a guard anywhere on the way ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from numlint.facts.interpreter import Facts
from numlint.facts.provenance import presumed_sign
from numlint.facts.selection import Arguments, Loops, occurs_in_data, tested
from numlint.graph.frame import Path
from numlint.graph.probability import as_sigmoid, as_softmax, distribution_call
from numlint.graph.terms import mask_of, one_minus, one_plus, product, terms
from numlint.graph.value import Value

SINGLE_PRECISION = frozenset({"torch", "jax", "tensorflow", "mxnet"})
MAX_DEPTH = 60

UNDERFLOW, SATURATION, TAIL, DENSITY = "underflow", "saturation", "tail", "density"
ATTAINED, COUNT, SHARE, DRAW, UNKNOWN = "attained", "count", "share", "draw", "unknown"
PENDING = "pending"


class Zero(NamedTuple):
    """How a value comes to be zero.

    Attributes
    ----------
    kind : str
        ``"underflow"``, ``"density"``, ``"tail"``, ``"saturation"`` (1 - p with p rounded
        to 1), ``"attained"`` (relu, abs, a clip at 0), ``"count"``, ``"share"`` (of a
        total), ``"draw"``, or ``"unknown"`` (nothing is known of it).
    source : Value
        Operation in which it happens.
    sure : bool
        Whether ordinary inputs reach it.
    """

    kind: str
    source: Value
    sure: bool


_PENDING = Zero(PENDING, Value("const", (), (("value", 0),), -1, ""), True)
"""A value under search that a loop leads back to: it vanishes if everything else does."""


def why_zero(value: Value, path: Path | None, facts: Facts, loops: Loops, arguments: Arguments) -> Zero | None:
    """Return why `value` can be zero where the conditions of `path` hold, or None when nothing speaks for it.

    Parameters
    ----------
    value : Value
    path : Path or None
    facts : Facts
    loops : dict
        Id of each loop-carried value to its value on entry and at the end of an iteration.
    arguments : callable
        What the callers pass for a parameter, each with the path of the call.
    """
    found = _Search(facts, loops, arguments).zero(value, path, 0)
    if found is None or found.kind == PENDING or (found.kind != UNKNOWN and tested(found.source, path, sizes=False)):
        return None
    return found


class _Search:
    def __init__(self, facts: Facts, loops: Loops, arguments: Arguments) -> None:
        self.facts = facts
        self.loops = loops
        self.arguments = arguments
        self.known: dict[tuple[int, int], Zero | None] = {}

    def zero(self, value: Value, path: Path | None, depth: int) -> Zero | None:
        key = (value.id, path.id if path is not None else 0)
        if key in self.known:
            return self.known[key]
        if depth > MAX_DEPTH or not self.facts.range(value, path).can_be_zero:
            return None
        self.known[key] = _PENDING
        found = self._explain(value, path, depth + 1)
        if found is not None and found.kind == PENDING:
            del self.known[key]
        else:
            self.known[key] = found
        return found

    def _explain(self, value: Value, path: Path | None, depth: int) -> Zero | None:
        if as_softmax(value) is not None:
            return Zero(UNDERFLOW, value, True)
        if as_sigmoid(value) is not None:
            return Zero(SATURATION if one_minus(value) is not None else UNDERFLOW, value, True)
        distribution = distribution_call(value)
        if distribution:
            return Zero(TAIL if distribution in ("cdf", "sf") else DENSITY, value, True)
        steps = _STEPS.get(value.op)
        return steps(self, value, path, depth) if steps is not None else None

    def any_of(self, found: Iterator[Zero | None]) -> Zero | None:
        """Return the best reason: one is enough."""
        best: Zero | None = None
        for zero in found:
            if zero is not None and (best is None or _weight(zero) > _weight(best)):
                best = zero
        return best

    def all_of(self, found: Iterator[Zero | None]) -> Zero | None:
        """Return the weakest reason, when there is one for each."""
        worst = _PENDING
        for zero in found:
            if zero is None or zero.kind == UNKNOWN:
                return None
            if zero.kind != PENDING and (worst.kind == PENDING or _weight(zero) < _weight(worst)):
                worst = zero
        return worst


def _weight(zero: Zero) -> int:
    return -1 if zero.kind == PENDING else 0 if zero.kind == UNKNOWN else 2 if zero.sure else 1


Step = Callable[[_Search, Value, "Path | None", int], "Zero | None"]


def _through(search: _Search, value: Value, path: Path | None, depth: int) -> Zero | None:
    return search.zero(value.args[0], path, depth) if value.args else None


def _either(search: _Search, value: Value, path: Path | None, depth: int) -> Zero | None:
    return search.any_of(search.zero(argument, path, depth) for argument in value.args)


def _unknown(search: _Search, value: Value, path: Path | None, depth: int) -> Zero | None:
    return Zero(UNKNOWN, value, False)


def _parameter(search: _Search, value: Value, path: Path | None, depth: int) -> Zero | None:
    """A parameter: unknown, unless every caller in the module passes what cannot vanish, or one passes what does."""
    passed = search.arguments(value)
    if not passed:
        return Zero(UNKNOWN, value, False)
    found = search.any_of(
        Zero(UNKNOWN, value, False) if _is_example(argument) else search.zero(argument, where, depth)
        for argument, where in passed
    )
    if found is None or found.kind in (UNKNOWN, PENDING):
        return found
    return found._replace(source=value, sure=found.sure and found.source.op != "const")


def _is_example(argument: Value) -> bool:
    """Whether a caller passes literals only, as a demonstration does: that is no promise."""
    return all(part.op in ("const", "list", "tuple", "view", "cast", "slice") for part in argument.walk(60))


def _constant(kind: str, sure: bool) -> Step:
    return lambda search, value, path, depth: Zero(kind, value, sure)


def _literal(search: _Search, value: Value, path: Path | None, depth: int) -> Zero | None:
    return Zero(ATTAINED, value, True) if value.number == 0 and not isinstance(value.constant, bool) else None


def _quotient(search: _Search, value: Value, path: Path | None, depth: int) -> Zero | None:
    above, below = value.args[0].core, value.args[1].core
    found = search.zero(value.args[0], path, depth)
    if found is not None and below.op == "sum" and below.args[0].core is above:
        return found._replace(kind=SHARE) if found.kind == UNKNOWN else found._replace(sure=True)
    return found


def _sum_of_terms(search: _Search, value: Value, path: Path | None, depth: int) -> Zero | None:
    raised = one_plus(value)
    if raised is not None and raised.op in ("erf", "tanh"):
        return Zero(TAIL if raised.op == "erf" else UNDERFLOW, value, True)
    if len({argument.core.id for argument in value.args}) == 1:  # A + A.T
        return search.zero(value.args[0], path, depth)
    return search.all_of(search.zero(argument, path, depth) for argument in value.args)


def _difference(search: _Search, value: Value, path: Path | None, depth: int) -> Zero | None:
    complement = one_minus(value)
    if complement is None:
        return None
    inner = complement
    while inner.op in ("index", "take", "split", "view", "transpose", "cast", "max", "square", "abs"):
        inner = inner.args[0]
    if as_softmax(inner) is not None or as_sigmoid(inner) is not None or inner.op in ("tanh", "erf"):
        return Zero(SATURATION, value, True)
    if distribution_call(inner):
        return Zero(TAIL, value, True)
    return Zero(UNKNOWN, value, False) if inner.op in ("param", "attr", "call", "unknown", "join", "phi") else None


def _exponential(search: _Search, value: Value, path: Path | None, depth: int) -> Zero | None:
    """An exponential: likely where the exponent is negative by its form, or single precision makes -104 enough."""
    exponent = value.args[0]
    sign = presumed_sign(exponent, lambda part: search.facts.range(part, path))
    negative = sign < 0 or (sign == 0 and product(exponent).coefficient < 0)
    return Zero(UNDERFLOW, value, negative or value.framework in SINGLE_PRECISION or _is_likelihood(exponent))


def _is_likelihood(exponent: Value) -> bool:
    """Whether an exponent adds up log-probabilities."""
    for term in terms(exponent):
        summed = term.value.args[0].core if term.value.op == "sum" else term.value
        if summed.op in ("logpdf", "log_softmax", "logsigmoid") or (summed.op == "log" and summed is not term.value):
            return True
    return False


def _power(search: _Search, value: Value, path: Path | None, depth: int) -> Zero | None:
    found = search.zero(value.args[0], path, depth)
    if found is not None:
        return found
    exponent = value.args[1] if len(value.args) > 1 else None
    return Zero(UNDERFLOW, value, False) if exponent is not None and exponent.number is None else None


def _magnitude(search: _Search, value: Value, path: Path | None, depth: int) -> Zero | None:
    found = search.zero(value.args[0], path, depth)
    return found if found is not None and found.kind != UNKNOWN else Zero(ATTAINED, value, False)


def _aggregate(search: _Search, value: Value, path: Path | None, depth: int) -> Zero | None:
    """Sum or mean: zero when every term is, so that a count of what does not occur is the usual case."""
    inner = value.args[0]
    if inner.core.op in ("eq", "ne", "lt", "le", "and", "or", "not", "isnan", "in"):
        return None if occurs_in_data(inner) else Zero(COUNT, value, False)
    found = search.zero(inner, path, depth)
    if found is None or _is_shifted(found.source):
        return None
    return found._replace(sure=False) if as_softmax(inner) is not None else found


def _is_shifted(value: Value) -> bool:
    """Whether a value is ``exp(x - max)``: some term of a sum over it is 1, up to weights."""
    exponent = value.args[0].core if value.op == "exp" else value
    return exponent.op == "sub" and exponent.args[1].core.op == "max"


def _contraction(search: _Search, value: Value, path: Path | None, depth: int) -> Zero | None:
    if len(value.args) < 2 or search.facts.range(value, path).lo < 0:
        return None
    found = search.any_of(search.zero(argument, path, depth) for argument in value.args)
    if found is None or found.source.op not in ("exp", "pdf", "call") or _is_shifted(found.source):
        return None
    return found


def _largest(search: _Search, value: Value, path: Path | None, depth: int) -> Zero | None:
    found = search.zero(value.args[0], path, depth)
    return None if found is None or as_softmax(value.args[0]) is not None else found._replace(sure=False)


def _bounded_below(search: _Search, value: Value, path: Path | None, depth: int) -> Zero | None:
    """A clip or a maximum: at a bound of 0, zero is attained; an unknown bound is a guard."""
    if value.op == "maximum":
        bounds = [argument for argument in value.args if argument.core.number is not None]
        operand = next((argument for argument in value.args if argument.core.number is None), value.args[0])
        bound = bounds[0].core if bounds else None
    else:
        operand = value.args[0]
        bound = value.args[1].core if len(value.args) > 1 else None
        if bound is None or (bound.op == "const" and bound.constant is None):
            return search.zero(operand, path, depth)
    if bound is None or bound.number is None:
        return None
    if bound.number == 0:
        return Zero(ATTAINED, value, True)
    if bound.number > 0:  # and yet the range holds 0: the dtype cannot hold the bound
        return Zero(UNDERFLOW, value, True)
    found = search.zero(operand, path, depth)
    return found if found is not None and found.kind != UNKNOWN else None


def _branches(search: _Search, value: Value, path: Path | None, depth: int) -> Zero | None:
    if len(value.args) < 3:
        return None
    condition, yes, no = value.args[:3]
    found = [
        search.zero(yes, search.facts.under(path, condition, True), depth),
        search.zero(no, search.facts.under(path, condition, False), depth),
    ]
    # A helper that returns 0 in one case is not known to be called in that case.
    if value.op == "phi":
        found = [zero and zero._replace(sure=zero.sure and zero.source.op != "const") for zero in found]
    return search.any_of(iter(found))


def _merged(search: _Search, value: Value, path: Path | None, depth: int) -> Zero | None:
    """Several values that meet; a literal 0 among them is a start, not a result."""
    return search.any_of(search.zero(argument, path, depth) for argument in value.args if argument.op != "const")


def _carried(search: _Search, value: Value, path: Path | None, depth: int) -> Zero | None:
    entry, end = search.loops.get(value.id, (None, None))
    if end is None or entry is None:
        return None
    return search.any_of(search.zero(one, None, depth) for one in (entry, end) if one.op != "const")


def _stored(search: _Search, value: Value, path: Path | None, depth: int) -> Zero | None:
    return search.any_of(search.zero(argument, path, depth) for argument in (value.args[0], value.args[2]))


def _selected(search: _Search, value: Value, path: Path | None, depth: int) -> Zero | None:
    base = value.args[0]
    if base.op in ("shape", "unique"):
        return None
    if len(value.args) > 1 and base.core.op == "call":
        callee = base.core.args[0]
        histogram = callee.op == "ref" and str(callee.attr("name")).rpartition(".")[2] in (
            "histogram",
            "histogram2d",
            "histogramdd",
        )
        if histogram:
            return Zero(COUNT, value, True) if value.args[1].number == 0 else None
    index = value.args[1] if len(value.args) > 1 else None
    if index is not None:
        if index.op == "element" and index.args[0].core is base.core:
            return None  # a dictionary's value for its own key: a count of what occurs
        mask = mask_of(index)
        if mask is not None:
            path = search.facts.under(path, mask, True)
    return search.zero(base, path, depth)


def _drawn(search: _Search, value: Value, path: Path | None, depth: int) -> Zero | None:
    if not value.attr("unit"):
        return Zero(UNKNOWN, value, False)
    return Zero(DRAW, value, value.attr("source") in SINGLE_PRECISION)


def _distances(search: _Search, value: Value, path: Path | None, depth: int) -> Zero | None:
    same = len(value.args) == 1 or value.args[0].core is value.args[1].core
    return Zero(ATTAINED, value, value.op == "cdist" and same)


def _product(search: _Search, value: Value, path: Path | None, depth: int) -> Zero | None:
    return search.any_of(search.zero(argument, path, depth) for argument in value.args)


_STEPS: dict[str, Step] = {
    **dict.fromkeys("view transpose cast sqrt split take element comprehension".split(), _through),
    **dict.fromkeys("diag nan_to_num min minimum".split(), _through),
    **dict.fromkeys("list tuple joined appended".split(), _merged),
    **dict.fromkeys("attr call unknown name mutated self global".split(), _unknown),
    **dict.fromkeys("abs square norm std var ptp hypot mse median".split(), _magnitude),
    **dict.fromkeys("sum mean cumsum".split(), _aggregate),
    **dict.fromkeys("exp exp2 exp10".split(), _exponential),
    **dict.fromkeys("where phi".split(), _branches),
    **dict.fromkeys("clip maximum".split(), _bounded_below),
    **dict.fromkeys("cdist pdist".split(), _distances),
    "param": _parameter,
    "const": _literal,
    "relu": _constant(ATTAINED, True),
    "erfc": _constant(TAIL, True),
    "bincount": _constant(COUNT, True),
    "count_nonzero": _constant(COUNT, False),
    "mul": _product,
    "div": _quotient,
    "add": _sum_of_terms,
    "sub": _difference,
    "pow": _power,
    "matmul": _contraction,
    "max": _largest,
    "join": _merged,
    "carried": _carried,
    "store": _stored,
    "index": _selected,
    "draw": _drawn,
}  # fmt: skip
