"""Loops that stop too early, or never.

The flagged test is watched while the function runs. The answer that it gave last, when
the loop ended, is withheld in a second run: the loop goes on, as long again as it took.
What the result still moves is the way that was left when it stopped; measured against
the whole way from its first pass, so that a loss that goes to zero does not count as far
from it. A third run, twice as long, must agree better with the second than the first
did, else the iteration does not settle at all and nothing is said. A test with an
absolute tolerance depends on the unit of the data: inputs are multiplied and divided.

A loop never stops when it is still running at the deadline, or has come to its limit of
passes, while the change that it compares with its tolerance gets no smaller any more.
"""

from __future__ import annotations

import ast
import contextlib
import math
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import leaves, protocol
from ..arithmetic import Arithmetic
from ..boundary import bisect
from ..formats import FLOAT64, FORMATS, Format
from ..harness import Harness, Outcome
from ..instrument import Transform
from ..perturbations import INTEGRAL, STRUCTURED, is_real
from ..target import Region, Role, Target
from ..variant import varied
from ..verdict import Boundary, Evidence, Figure, Sample
from . import Experiment, Result, Session

GATE = "__numlint_gate__"
PROBE = "__numlint_probe__"
PREMATURE, ENDLESS = "premature-stop", "never-stops"
MOVED = 0.05
"""Share of the way that may be left when a loop stops."""
FACTORS = (0.1, 10.0, 0.01, 100.0, 1e-3, 1e3, 1e-4, 1e4)
REALISTIC, STRESS = 100.0, 1e4
RUN = 1.5
STUCK = 64
"""Passes without progress that count as no progress."""


@dataclass
class Gate:
    """Stands in the place of a test: counts, remembers, and withholds an answer.

    Attributes
    ----------
    answer : bool or None
        The answer that ends the loop; None while it is not known.
    withheld : int
        How many times it is withheld.
    at_once : bool
        Give it at the first evaluation instead.
    """

    answer: bool | None = None
    withheld: int = 0
    at_once: bool = False
    count: int = 0
    last: bool | None = None

    def __call__(self, value: Any) -> Any:
        try:
            self.last = bool(value)
        except (TypeError, ValueError, RuntimeError):  # an array: not a test
            return value
        self.count += 1
        if self.at_once:
            return self.answer
        if self.last == self.answer and self.withheld > 0:
            self.withheld -= 1
            return not self.answer
        return value


@dataclass
class Probe:
    """Keeps the latest sizes that tests compare with their tolerances."""

    sizes: dict[int, deque[float]] = field(default_factory=dict)
    count: int = 0

    def __call__(self, number: int, value: Any) -> Any:
        self.count += 1
        with contextlib.suppress(TypeError, ValueError, RuntimeError):
            self.sizes.setdefault(number, deque(maxlen=2 * STUCK)).append(float(value))
        return value

    def stuck(self) -> float | None:
        """A size that has stopped to shrink; None where all of them still do, or where too little was seen."""
        for sizes in self.sizes.values():
            seen = np.abs(np.array(sizes))
            if len(seen) < 2 * STUCK:
                continue
            earlier, later = seen[:STUCK], seen[STUCK:]
            if np.isnan(later).all():
                return math.nan
            if np.min(later) >= np.min(earlier) * 0.999 and np.min(later) > 0 and np.ptp(seen) < 1e3 * np.min(later):
                return float(np.median(later))
        return None


def gated(target: Target) -> Transform:
    """Transform: the flagged test asks the gate."""

    def transform(tree: ast.Module) -> ast.Module:
        test = test_at(tree, target.region)
        if test is not None:
            _Replace(test, lambda node: [node], GATE).visit(tree)
            ast.fix_missing_locations(tree)
        return tree

    return transform


def probed(target: Target) -> Transform:
    """Transform: the sides of the comparisons that leave the loop are seen by the probe."""

    def transform(tree: ast.Module) -> ast.Module:
        loop = loop_at(tree, target.region)
        number = 0
        for test in _tests(loop) if loop is not None else ():
            for node in ast.walk(test):
                if isinstance(node, ast.Compare) and len(node.ops) == 1:
                    sides = [node.left, node.comparators[0]]
                    for place, side in enumerate(sides):
                        if not isinstance(side, ast.Constant):
                            sides[place] = _call(PROBE, [ast.Constant(number), side], side)
                            number += 1
                    node.left, node.comparators = sides[0], [sides[1]]
        return ast.fix_missing_locations(tree)

    return transform


def _call(name: str, arguments: list[ast.expr], at: ast.AST) -> ast.expr:
    return ast.copy_location(ast.Call(ast.Name(name, ast.Load()), arguments, []), at)


class _Replace(ast.NodeTransformer):
    def __init__(self, target: ast.expr, arguments: Any, name: str) -> None:
        self.target, self.arguments, self.name = target, arguments, name

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self.target:
            return _call(self.name, self.arguments(node), node)
        return self.generic_visit(node)


def test_at(tree: ast.Module, region: Region) -> ast.expr | None:
    """The test at a region: the comparison itself, else the condition around it or of the loop around it."""
    holding = [node for node in ast.walk(tree) if isinstance(node, ast.expr) and _holds(node, region)]
    tests = [node for node in holding if isinstance(node, (ast.Compare, ast.BoolOp, ast.Call))]
    exact = [node for node in tests if (node.lineno, node.end_lineno) == (region.line, region.end_line)]
    around = [
        node.test
        for node in ast.walk(tree)
        if isinstance(node, (ast.If, ast.While, ast.IfExp)) and _holds(node.test, region)
    ]
    for found in (exact, around):
        if found:
            return min(found, key=_extent)
    loop = loop_at(tree, region)
    return next(iter(_tests(loop)), None) if loop is not None else None


def loop_at(tree: ast.Module, region: Region) -> ast.For | ast.While | None:
    """The innermost loop around a region."""
    loops = [node for node in ast.walk(tree) if isinstance(node, (ast.For, ast.While)) and _holds(node, region)]
    return min(loops, key=_extent, default=None)


def _tests(loop: ast.For | ast.While) -> Iterator[ast.expr]:
    """Conditions on which a loop is left."""
    if isinstance(loop, ast.While) and not isinstance(loop.test, ast.Constant):
        yield loop.test
    for node in ast.walk(loop):
        if isinstance(node, ast.If) and any(isinstance(part, (ast.Break, ast.Return)) for part in ast.walk(node)):
            yield node.test


def _holds(node: Any, region: Region) -> bool:
    """Whether a node contains a region, by lines and, where the lines are ASCII, by columns."""
    start, end = (node.lineno, node.col_offset + 1), (node.end_lineno, node.end_col_offset + 1)
    return start <= (region.line, region.column) and (region.end_line, region.end_column) <= end


def _extent(node: Any) -> tuple[int, int]:
    return node.end_lineno - node.lineno, node.end_col_offset - node.col_offset


@dataclass(frozen=True)
class Unit:
    """Inputs measured in another unit: some of them multiplied by a factor."""

    names: tuple[str, ...]
    factor: float

    def of(self, inputs: dict[str, Any]) -> dict[str, Any]:
        scaled = {name: leaves.mapped(self._scaled, inputs[name]) for name in self.names}
        return {**inputs, **scaled}

    def _scaled(self, value: Any) -> Any:
        return type(value)(value * self.factor) if isinstance(value, float) else value * self.factor

    @property
    def magnitude(self) -> float:
        return max(self.factor, 1 / self.factor)

    @property
    def knob(self) -> str:
        return f"{' and '.join(self.names)} {'divided' if self.factor < 1 else 'multiplied'} by"

    def at(self, magnitude: float) -> Unit:
        return Unit(self.names, 1 / magnitude if self.factor < 1 else magnitude)


def units(harness: Harness, endless: bool = False) -> Iterator[Unit]:
    """Other units, ordinary ones first; a number inside a bounded domain has no other unit."""
    free = [name for name, value in harness.inputs.items() if _is_free(value, harness.roles.get(name, Role()))]
    arrays = tuple(name for name in free if isinstance(harness.inputs[name], np.ndarray))
    subjects = [(name,) for name in free] + ([arrays] if len(arrays) > 1 else [])
    for factor in FACTORS:
        if not endless or factor > 1:
            yield from (Unit(names, factor) for names in subjects)


def _is_free(value: Any, role: Role) -> bool:
    bounded = role.high < math.inf or role.low > 0 or (role.low > -math.inf and role.low < 0)
    return is_real(value) and not bounded and role.kind not in STRUCTURED | INTEGRAL


def grade(magnitude: float, form: Format) -> str:
    """How ordinary a change of unit is; half precision is a choice."""
    found = "plain" if magnitude == 1 else "realistic" if magnitude <= REALISTIC else "stress"
    found = found if magnitude <= STRESS else "extreme"
    return "stress" if form.precision < 24 and found in ("plain", "realistic") else found


@dataclass
class Stop:
    """What became of a loop that was run on."""

    left: float
    passes: int
    further: int
    stopped: Outcome
    on: Outcome


@dataclass
class Loop:
    """Runs one harness with its flagged test watched."""

    harness: Harness
    session: Session
    until: float

    def run(self, gate: Gate, inputs: dict[str, Any], form: Format) -> Outcome | None:
        """One run with the gate in the place of the test; None where it cannot be put there."""
        with varied(self.harness, self.session.target, (gated(self.session.target),), {GATE: gate}) as fits:
            if not fits:
                return None
            self.session.runs += 1
            return self.harness.run(inputs, Arithmetic(form), RUN)

    def stop(self, inputs: dict[str, Any], form: Format) -> Stop | None:
        """Run to the stop, and on; None where the loop does not end by the flagged test."""
        self.session.inputs += 1
        first = Gate()
        started = time.monotonic()
        stopped = self.run(first, inputs, form)
        used = time.monotonic() - started
        if stopped is None or stopped.raised is not None or first.last is None:
            return None
        answer, passes = first.last, first.count
        in_time = int(passes * 0.2 * RUN / max(used, 1e-4))  # a third run goes twice as far
        withheld = min(max(10 * passes, 500), max(3 * passes, in_time), 20_000)
        gates = [Gate(answer, withheld), Gate(answer, 2 * withheld), Gate(answer, at_once=True)]
        on, longer, begun = (self.run(gate, inputs, form) for gate in gates)
        if on is None or longer is None or begun is None or gates[0].count <= passes:
            return None
        if not _finite(stopped):
            return Stop(math.inf, passes, gates[0].count, stopped, on)
        if on.raised is not None or longer.raised is not None or begun.raised is not None:
            return None
        left, still = _left(stopped, longer, begun), _left(on, longer, begun)
        return Stop(left if still <= 0.7 * left else 0.0, passes, gates[1].count, stopped, longer)

    def endless(self, inputs: dict[str, Any], form: Format) -> tuple[Probe, float, Outcome] | None:
        """The probe of a loop that does not end, and the size that it is stuck at."""
        self.session.inputs += 1
        probe, gate = Probe(), Gate()
        names = {PROBE: probe, GATE: gate}
        with varied(self.harness, self.session.target, (probed(self.session.target),), names) as fits:
            if not fits:
                return None
            self.session.runs += 1
            outcome = self.harness.run(inputs, Arithmetic(form), RUN)
        late = isinstance(outcome.raised, TimeoutError)
        stuck = probe.stuck() if late or outcome.raised is None else None
        if stuck is None or (math.isnan(stuck) and form is not FLOAT64):
            return None  # nan in a narrower format may be that of a number which the format cannot hold
        return probe, stuck, outcome


def _finite(outcome: Outcome) -> bool:
    return all(
        np.all(np.isfinite(np.asarray(leaf))) for _, leaf in leaves.leaves(outcome.outputs) if leaves.is_floating(leaf)
    )


def _left(stopped: Outcome, on: Outcome, begun: Outcome) -> float:
    """The share of the way from `begun` to `on` that `stopped` has not gone; the largest over the outputs."""
    results = [dict(leaves.leaves(outcome.outputs)) for outcome in (stopped, on, begun)]
    worst = 0.0
    for name, one in results[0].items():
        pair = [np.asarray(result.get(name)) for result in results]
        if not leaves.is_floating(one) or len({item.shape for item in pair}) > 1 or pair[1].dtype.kind != "f":
            continue
        here, there, start = (item.astype(np.float64) for item in pair)
        whole = max(float(np.linalg.norm(there - start)), float(np.linalg.norm(there)))
        if whole > 0 and np.isfinite(whole):
            worst = max(worst, float(np.linalg.norm(there - here)) / whole)
    return worst


class Stopping(Experiment):
    name = "stopping"
    signatures = (PREMATURE, ENDLESS)

    def run(self, harness: Harness, session: Session) -> Result:
        loop = Loop(harness, session, time.monotonic() + session.seconds * 0.6)
        session.perturbations.append("unit")
        with varied(harness, session.target, (), {}) as fits:
            if not fits:
                return Result(note="a loop can only be judged within its whole function")
        return self.endless(loop) if session.target.signature == ENDLESS else self.premature(loop)

    def premature(self, loop: Loop) -> Result:
        """Look for a stop that leaves more than a little of the way, in the unit of the data, then in others."""
        judged = False
        for unit in (Unit((), 1.0), *units(loop.harness)):
            if time.monotonic() > loop.until:
                break
            stop = loop.stop(unit.of(loop.harness.inputs), FLOAT64)
            judged |= stop is not None
            if stop is not None and stop.left > MOVED:
                return Result(self._early(loop, unit, stop))
        return Result(note="" if judged else "the loop did not end by the flagged test")

    def _early(self, loop: Loop, unit: Unit, stop: Stop) -> Evidence:
        def fails(magnitude: float) -> bool:
            found = loop.stop(unit.at(magnitude).of(loop.harness.inputs), FLOAT64)
            return found is not None and found.left > MOVED

        boundary, magnitude = None, unit.magnitude
        if unit.names:
            magnitude = bisect(fails, 1.0, magnitude, min(loop.until, time.monotonic() + 1.5))
            boundary = Boundary(unit.knob, {"float64": magnitude}, realistic=REALISTIC, stress=STRESS)
        if math.isinf(stop.left):
            figure, note = Figure("passes until nan", stop.passes), "the loop takes nan for convergence"
        else:
            figure = Figure("way left at the stop", 100 * stop.left, "%")
            note = f"it stops after {stop.passes} passes; run on for {stop.further}, the result moves on"
        return self._evidence(loop, PREMATURE, unit, FLOAT64, figure, boundary, magnitude, note, stop.stopped, stop.on)

    def endless(self, loop: Loop) -> Result:
        """Look for data on which the test never passes, in float64 first, then in the narrower formats."""
        for unit in (Unit((), 1.0), *units(loop.harness, endless=True)):
            for form in [FORMATS[name] for name in loop.session.formats if name in FORMATS]:
                if time.monotonic() > loop.until:
                    return Result()
                found = loop.endless(unit.of(loop.harness.inputs), form)
                if found is not None:
                    return Result(self._never(loop, unit, form, *found))
        return Result()

    def _never(self, loop: Loop, unit: Unit, form: Format, probe: Probe, stuck: float, outcome: Outcome) -> Evidence:
        def fails(magnitude: float) -> bool:
            return loop.endless(unit.at(magnitude).of(loop.harness.inputs), form) is not None

        boundary, magnitude = None, unit.magnitude
        if unit.names:
            magnitude = bisect(fails, 1.0, magnitude, min(loop.until, time.monotonic() + 1.5))
            boundary = Boundary(unit.knob, {form.name: magnitude}, realistic=REALISTIC, stress=STRESS)
        how = "is still running" if outcome.raised is not None else "runs to its limit"
        note = f"the loop {how} after {probe.count} tests: what it compares stays at {stuck:.3g}"
        figure = Figure("change that no longer shrinks", stuck)
        return self._evidence(loop, ENDLESS, unit, form, figure, boundary, magnitude, note, outcome, None)

    def _evidence(
        self,
        loop: Loop,
        signature: str,
        unit: Unit,
        form: Format,
        figure: Figure,
        boundary: Boundary | None,
        magnitude: float,
        note: str,
        got: Outcome,
        true: Outcome | None,
    ) -> Evidence:
        inputs = unit.at(magnitude).of(loop.harness.inputs) if unit.names else loop.harness.inputs
        sample = Sample(
            {name: protocol.literal(value) for name, value in inputs.items()},
            form.name,
            protocol.literal(got.outputs.get("return")) if got.raised is None else str(got.raised),
            protocol.literal(true.outputs.get("return")) if true is not None else "",
            exact=protocol.encode(inputs),
        )
        return Evidence(
            signature=signature,
            realism=grade(magnitude, form),
            figure=figure,
            format=form.name,
            knob=boundary.knob if boundary else "",
            magnitude=magnitude if boundary else None,
            smallest=sample,
            boundary=boundary,
            note=note,
        )


EXPERIMENT = Stopping()
