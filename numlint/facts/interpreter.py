"""Abstract interpretation of the expression graph: the range of each value, at each place.

The range of a value is that of its operation applied to the ranges of its operands
(`transfer`), met with what follows from operands being the same (`relations`) and
with the guards that hold at the place that asks (`conditions`). A loop-carried value
has the smallest of a few candidate ranges that is an inductive invariant: it holds
the value on entry, and one iteration leads from it into itself.

Source: P. Cousot, R. Cousot, Abstract Interpretation, POPL 1977.
"""

from __future__ import annotations

from numlint.facts.conditions import implied, ordered
from numlint.facts.precision import dtype_of
from numlint.facts.range import COUNT, INF, NONNEGATIVE, POSITIVE, TOP, UNIT, Range, point
from numlint.facts.relations import related
from numlint.facts.transfer import TRANSFER
from numlint.graph.frame import Path
from numlint.graph.terms import mask_of
from numlint.graph.value import Value

MAX_DEPTH = 150
MAX_BRANCHING = 6
MAX_STEPS = 30_000
"""Evaluations per function; beyond them values are unknown, so that no function takes for ever."""

LIMITS = {"float16": (5.9e-8, 65504.0), "bfloat16": (9.2e-41, 3.4e38), "float32": (1.4e-45, 3.4028235e38)}
"""Least positive and largest number of the formats narrower than float64."""

Constraints = dict[int, Range]


class Facts:
    """Ranges of the values of one analysed function.

    Parameters
    ----------
    carried : dict
        Id of each loop-carried value to its value on entry and at the end of an iteration.
    """

    def __init__(self, carried: dict[int, tuple[Value, Value]]) -> None:
        self._carried = carried
        self._assumed: Constraints = {}
        self._level = 0
        self._steps = [0]
        self._extensions: dict[tuple[int, int, bool], Path] = {}
        self._memo: dict[tuple[int, int], Range] = {}
        self._constraints: dict[int, Constraints] = {0: {}}
        self._invariants: dict[int, Range] = {}

    def _assuming(self, value: Value, candidate: Range) -> Facts:
        """Facts under the assumption that a loop-carried value has a range."""
        trial = Facts(self._carried)
        trial._assumed = {**self._assumed, value.id: candidate}
        trial._level = self._level + 1
        trial._steps = self._steps
        trial._extensions = self._extensions
        return trial

    def range(self, value: Value, path: Path | None = None) -> Range:
        """Range of `value` where the conditions of `path` hold."""
        return self._range(value, path, 0, 0)

    def _range(self, value: Value, path: Path | None, depth: int, branching: int) -> Range:
        key = (value.id, path.id if path is not None else 0)
        known = self._memo.get(key)
        if known is not None:
            return known
        self._steps[0] += 1
        if depth > MAX_DEPTH or self._steps[0] > MAX_STEPS:
            return TOP
        self._memo[key] = TOP  # while it is being computed
        result = self._compute(value, path, depth, branching)
        constraints = self._constraints_of(path, depth)
        guard = constraints.get(value.id)
        if guard is not None:
            result = result.meet(guard)
        self._memo[key] = result
        return result

    def _compute(self, value: Value, path: Path | None, depth: int, branching: int) -> Range:
        op = value.op
        if value.id in self._assumed:
            return self._assumed[value.id]
        if op == "const":
            number = value.number
            if number is None:
                return TOP
            return point(number, integer=isinstance(value.constant, int))
        if op == "param":
            return _of_default(value)
        if op == "carried":
            return self._invariant(value, depth)
        if op in ("phi", "where") and len(value.args) == 3:
            return self._selected(value, path, depth, branching)
        if op in ("index", "take") and len(value.args) == 2 and (mask := mask_of(value.args[1])) is not None:
            return self._range(value.args[0], self._extended(path, mask, True, branching), depth + 1, branching + 1)
        if op == "store":
            return self._stored(value, path, depth, branching)
        if op == "cast":
            return _cast(self._range(value.args[0], path, depth + 1, branching), str(value.attr("dtype")))
        transfer = TRANSFER.get(op)
        if transfer is None:
            return TOP
        if op in ("shape", "len", "draw", "call"):
            result = transfer(value, [])
        else:
            result = transfer(value, [self._range(arg, path, depth + 1, branching) for arg in value.args])
        dtype = dtype_of(value)
        if dtype in LIMITS:
            result = _cast(result, dtype)
        extra = related(value, lambda other: self._range(other, path, depth + 1, branching))
        if extra is not None:
            result = result.meet(extra)
        if op == "sub" and path is not None:
            order = ordered(value.args[0], value.args[1], path)
            result = result if order is None else result.meet(order)
        return result

    def under(self, path: Path | None, condition: Value, holds: bool = True) -> Path | None:
        """Path on which `condition` is known to hold, or to fail, as well."""
        return self._extended(path, condition, holds, 0)

    def _extended(self, path: Path | None, condition: Value, holds: bool, branching: int) -> Path | None:
        if branching >= MAX_BRANCHING or condition.op in ("const", "unknown"):
            return path
        key = (path.id if path is not None else 0, condition.id, holds)
        extended = self._extensions.get(key)
        if extended is None:
            extended = self._extensions[key] = Path(path, "cond", condition, holds)
        return extended

    def _selected(self, value: Value, path: Path | None, depth: int, branching: int) -> Range:
        condition, yes, no = value.args
        then = self._range(yes, self._extended(path, condition, True, branching), depth + 1, branching + 1)
        orelse = self._range(no, self._extended(path, condition, False, branching), depth + 1, branching + 1)
        return then.join(orelse)

    def _stored(self, value: Value, path: Path | None, depth: int, branching: int) -> Range:
        base, index, item = value.args
        mask = mask_of(index)
        if mask is not None:
            rest = self._range(base, self._extended(path, mask, False, branching), depth + 1, branching + 1)
        else:
            rest = self._range(base, path, depth + 1, branching)
        return rest.join(self._range(item, path, depth + 1, branching))

    def _constraints_of(self, path: Path | None, depth: int) -> Constraints:
        if path is None:
            return self._constraints[0]
        known = self._constraints.get(path.id)
        if known is not None:
            return known
        parent = self._constraints_of(path.parent, depth)
        if path.kind != "cond" or path.value is None:
            self._constraints[path.id] = parent
            return parent
        found = dict(parent)
        self._constraints[path.id] = found
        parent_path = path.parent
        outside = lambda other: self._range(other, parent_path, depth + 1, 0)  # noqa: E731
        for value, guard in implied(path.value, path.holds, outside):
            before = found.get(value.id)
            found[value.id] = guard if before is None else before.meet(guard)
            inner = value.core
            if inner is not value:
                before = found.get(inner.id)
                found[inner.id] = guard if before is None else before.meet(guard)
        return found

    def _invariant(self, value: Value, depth: int) -> Range:
        known = self._invariants.get(value.id)
        if known is not None:
            return known
        if value.id not in self._carried or self._level >= 2:
            return TOP
        self._invariants[value.id] = TOP
        entry, end = self._carried[value.id]
        initial = self._range(entry, None, depth + 1, 0)
        if initial.unknown and initial.nan:
            return TOP
        for candidate in _candidates(initial):
            if not initial.within(candidate):
                continue
            if self._assuming(value, candidate).range(end).within(candidate):
                self._invariants[value.id] = candidate
                return candidate
        return TOP


def _candidates(initial: Range) -> tuple[Range, ...]:
    up = initial._replace(hi=INF, hi_open=False)
    down = initial._replace(lo=-INF, lo_open=False)
    rising, falling = up._replace(nan=True), down._replace(nan=True)
    return tuple(dict.fromkeys((initial, UNIT, up, rising, COUNT, POSITIVE, NONNEGATIVE, falling, Range(hi=0.0))))


def _of_default(value: Value) -> Range:
    """Range of a parameter: one whose default is a positive number is taken to be positive."""
    default = value.attr("default")
    if isinstance(default, (int, float)) and not isinstance(default, bool) and default > 0:
        return Range(0.0, INF, lo_open=True, nonzero=True, nan=False)
    return TOP


def _cast(x: Range, dtype: str) -> Range:
    if dtype in LIMITS:
        least, largest = LIMITS[dtype]
        lo, hi = x.lo, x.hi
        if 0 < lo < least:
            lo = 0.0
        elif lo > largest:
            lo = largest
        if hi > largest:
            hi = INF
        if lo < -largest:
            lo = -INF
        scale = 2e-3 if dtype == "float16" else 1e-2 if dtype == "bfloat16" else 2e-7
        lo = lo - abs(lo) * scale if -INF < lo < INF and lo != round(lo) else lo
        hi = hi + abs(hi) * scale if -INF < hi < INF and hi != round(hi) else hi
        return Range(lo, hi, nan=x.nan, nonzero=lo > 0 or hi < 0, integer=x.integer)
    if "int" in dtype:
        if x.bounded:
            lo, hi = float(int(x.lo)), float(int(x.hi))
            return Range(lo, hi, nan=False, nonzero=lo >= 1 or hi <= -1 or (x.integer and x.nonzero), integer=True)
        low = float(int(x.lo)) if x.lo > -INF and x.nan is False else -INF
        return Range(low, INF, nan=False, nonzero=low >= 1, integer=True)
    if dtype == "bool":
        return Range(0.0, 1.0, nan=False, nonzero=not x.can_be_zero, integer=True)
    return x
