"""Solutions of equations, judged by whether they satisfy them.

While the function runs, every matrix that is inverted or solved with, and every product,
is watched, and put together by identity: the product of the inverse of ``A`` with ``b``
claims to solve ``A x = b``; when ``A`` was computed as ``X.T @ X``, the claim is least
squares. A solution is judged without knowing the true one. Of a square system the
normwise backward error ``|b - A x| / (|A| |x| + |b|)`` is some eps for a solver, whatever
the condition number. Of a least-squares problem the residual must be the least one, the
weights those of `lstsq` where they are unique, and their norm least where they are not.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, sec. 7.1, 14.1, 20.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import leaves, perturbations, protocol
from ..arithmetic import Arithmetic
from ..boundary import bisect
from ..formats import FORMATS, Format
from ..harness import Harness, Outcome
from ..target import Candidate
from ..variant import CALLEE, WATCH, calling, multiplying, varied
from ..verdict import Boundary, CureResult, Evidence, Figure, Sample
from . import Experiment, Result, Session
from .value import ORDER, Turn

KNOBS = ("badly-scaled", "collinear", "duplicate", "one-hot")
BACKWARD = "normwise backward error"
WEIGHTS = "relative error of the weights"
EXCESS = "residual beyond the least one"
NORM = "norm of the weights over the least one"
RAISED = "least-squares problems refused"
SEEDS, MAGNITUDES, SECONDS = 3, 4, 2.0
"""How many further designs a cure is tried on, and the time for finding them."""


@dataclass(frozen=True)
class Solved:
    """A call of a linear-algebra function: the matrix, the right-hand side where there is one, the result."""

    function: str
    matrix: Any
    other: Any
    result: Any


@dataclass(frozen=True)
class Product:
    """A matrix product."""

    left: Any
    right: Any
    result: Any


@dataclass(frozen=True)
class Problem:
    """Equations that a value claims to solve; `squares` says that they are overdetermined."""

    matrix: Any
    right: Any
    solution: Any
    squares: bool


@dataclass
class Watch:
    """Keeps what is solved and multiplied during a run, by identity."""

    solved: list[Solved] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)

    def multiply(self, left: Any, right: Any) -> Any:
        result = left @ right
        self.products.append(Product(left, right, result))
        return result

    def callee(self, function: Any) -> Any:
        name = _solver(function)
        if name:
            return lambda *arguments, **named: self._solve(name, function, arguments, named)
        own = getattr(function, "__self__", None)
        if isinstance(own, np.ndarray) and getattr(function, "__name__", "") == "dot":
            return lambda other: self._multiply(function, own, other, (other,))
        if function is np.dot or function is np.matmul:
            return lambda left, right: self._multiply(function, left, right, (left, right))
        return function

    def _multiply(self, function: Any, left: Any, right: Any, arguments: tuple[Any, ...]) -> Any:
        result = function(*arguments)
        self.products.append(Product(left, right, result))
        return result

    def _solve(self, name: str, function: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        result = function(*arguments, **named)
        if arguments:
            other = arguments[1] if name == "solve" and len(arguments) > 1 else None
            self.solved.append(Solved(name, arguments[0], other, result))
        return result

    def problems(self) -> Iterator[Problem]:
        """What was solved, the last first; least squares before the equations that they were turned into."""
        for solved in reversed(self.solved):
            if not (isinstance(solved.matrix, np.ndarray) and solved.matrix.ndim == 2):
                continue
            design = self._design(solved.matrix)
            if design is not None:
                yield from self._least_squares(solved, design)
            if solved.function == "solve":
                yield Problem(solved.matrix, solved.other, solved.result, False)
            for product in self.products:
                if product.left is solved.result:
                    yield Problem(solved.matrix, product.right, product.result, solved.function == "pinv")
                elif product.right is solved.result and solved.function == "inv":
                    yield Problem(solved.matrix.T, np.transpose(product.left), np.transpose(product.result), False)

    def _design(self, gram: Any) -> Any:
        """The matrix whose Gram matrix it is."""
        for product in self.products:
            if product.result is gram and _transposed(product.left, product.right):
                return product.right
        return None

    def _least_squares(self, solved: Solved, design: Any) -> Iterator[Problem]:
        if solved.function == "solve":
            for product in self.products:
                if product.result is solved.other and _transposed(product.left, design):
                    yield Problem(design, product.right, solved.result, True)
            return
        for product in self.products:
            if product.left is not solved.result:
                continue
            for other in self.products:
                if _transposed(product.right, design) and other.left is product.result:
                    yield Problem(design, other.right, other.result, True)
                if other.result is product.right and _transposed(other.left, design):
                    yield Problem(design, other.right, product.result, True)


def _solver(function: Any) -> str:
    """``inv``, ``pinv`` or ``solve`` where the function is that of numpy or scipy."""
    for library in ("numpy.linalg", "scipy.linalg"):
        module = sys.modules.get(library)
        for name in ("inv", "pinv", "solve"):
            if module is not None and function is getattr(module, name, None):
                return name
    return ""


def _transposed(one: Any, other: Any) -> bool:
    if not (isinstance(one, np.ndarray) and isinstance(other, np.ndarray)) or one.shape != other.shape[::-1]:
        return False
    return bool(np.array_equal(one, other.T))


@dataclass(frozen=True)
class Judged:
    """How well a problem is solved: the measure, its value, that of a solver, and from where on it fails."""

    measure: str
    value: float
    reference: float
    limit: float

    @property
    def failed(self) -> bool:
        return not self.value <= self.limit


def judge(problem: Problem, form: Format) -> Judged | None:
    """Judge a solution; None where no solver has one to compare with."""
    matrix, right, solution = (
        np.asarray(item, dtype=np.float64) for item in (problem.matrix, problem.right, problem.solution)
    )
    if not all(item.size and np.all(np.isfinite(item)) for item in (matrix, right)) or solution.ndim != right.ndim:
        return None
    try:
        return _least(matrix, right, solution, form) if problem.squares else _square(matrix, right, solution, form)
    except np.linalg.LinAlgError:
        return None


def backward(matrix: Any, right: Any, solution: Any) -> float:
    """Normwise backward error, the residual in extended precision."""
    with np.errstate(all="ignore"):
        wide = [np.asarray(item, dtype=np.longdouble) for item in (matrix, right, solution)]
        residual = float(np.linalg.norm((wide[1] - wide[0] @ wide[2]).astype(np.float64)))
        size = float(np.linalg.norm(matrix) * np.linalg.norm(solution) + np.linalg.norm(right))
        return residual / size if size > 0 else 0.0


def _square(matrix: Any, right: Any, solution: Any, form: Format) -> Judged | None:
    if matrix.shape[0] != matrix.shape[1] or not np.linalg.cond(matrix) * form.eps < 1:
        return None  # singular for this format: there is nothing to be solved
    reference = backward(matrix, right, form.round(np.linalg.solve(matrix, right)))
    limit = max(1e4 * form.eps, 100 * reference)
    return Judged(BACKWARD, backward(matrix, right, solution), reference, limit)


def _least(matrix: Any, right: Any, solution: Any, form: Format) -> Judged:
    cutoff = max(matrix.shape) * form.eps
    best, _, rank, sizes = np.linalg.lstsq(matrix, right, rcond=cutoff)
    if rank == matrix.shape[1]:
        # The weights are unique, and known up to the condition number times eps.
        known = float(sizes[0] / sizes[-1]) * form.eps
        apart = _norm(solution - best) / max(_norm(best), 1e-300)
        return Judged(WEIGHTS, apart, known, max(math.sqrt(form.eps), 100 * known))
    least = _norm(right - matrix @ best)
    excess = (_norm(right - matrix @ solution) - least) / max(_norm(right), 1e-300)
    if not excess <= math.sqrt(form.eps):
        return Judged(EXCESS, excess, 0.0, math.sqrt(form.eps))
    return Judged(NORM, _norm(solution) / max(_norm(best), 1e-300), 1.0, 1e3)


def _norm(values: Any) -> float:
    with np.errstate(all="ignore"):
        return float(np.linalg.norm(values))


@dataclass
class Measured:
    """One run: the problem that the flagged expression solves, and how well."""

    judged: Judged
    problem: Problem | None
    outcome: Outcome
    inputs: dict[str, Any]


@dataclass
class Bench:
    """Runs one harness with its linear algebra watched."""

    harness: Harness
    session: Session
    until: float
    solved: int = 0

    def measure(self, inputs: dict[str, Any], form: Format) -> Measured | None:
        """Run, and judge what was solved; a second time with a right-hand side that has an ordinary solution.

        The solution for an arbitrary right-hand side is as large as the inverse, and hides
        the residual; for ``b = A @ 1`` it is not.
        """
        first = self._measured(inputs, form)
        problem = first.problem if first is not None else None
        if first is None or first.judged.failed or problem is None or problem.squares:
            return first
        for name, value in inputs.items():
            if isinstance(value, np.ndarray) and value.shape == np.shape(problem.right) and value.dtype.kind == "f":
                ones = np.ones_like(problem.solution)
                if np.array_equal(form.round(value), problem.right):
                    return self._measured({**inputs, name: problem.matrix @ ones}, form)
        return first

    def _measured(self, inputs: dict[str, Any], form: Format) -> Measured | None:
        watch = Watch()
        line = self.session.target.region.line
        names = {WATCH: watch.multiply, CALLEE: watch.callee}
        rounded = Arithmetic(form).lift(inputs)
        with varied(self.harness, self.session.target, (calling(line), multiplying(line)), names) as fits:
            if not fits:
                return None
            self.session.runs += 1
            self.session.inputs += 1
            outcome = self.harness.run(rounded, Arithmetic(form))
        if isinstance(outcome.raised, np.linalg.LinAlgError):
            return self._refused(watch, outcome, inputs)
        found: Measured | None = None
        for problem in watch.problems():
            judged = judge(problem, form)
            if judged is None:
                continue
            self.solved += 1
            measured = Measured(judged, problem, outcome, inputs)
            if _is_site(problem, outcome):
                return measured
            found = found or measured
        return found

    def _refused(self, watch: Watch, outcome: Outcome, inputs: dict[str, Any]) -> Measured | None:
        """An exception where least squares have an answer: the product before it was a Gram matrix."""
        if not any(_transposed(product.left, product.right) for product in watch.products):
            return None
        return Measured(Judged(RAISED, 1.0, 0.0, 0.5), None, outcome, inputs)

    def turned(self, turn: Turn, seed: int = 0) -> dict[str, Any]:
        generator = np.random.default_rng(self.session.seed + seed)
        return turn.perturbation.turned(
            self.harness.inputs, self.harness.roles, turn.subject, turn.magnitude, generator
        )

    def further(self, turn: Turn | None, form: Format, measure: str) -> Iterator[Measured]:
        """More inputs that fail by the same measure, of other numbers and magnitudes: one says little of a cure."""
        if turn is None:
            return
        knob = turn.perturbation
        beyond = [size for size in knob.magnitudes if size >= turn.magnitude and knob.realism(size) != "extreme"]
        sizes = beyond[:MAGNITUDES] or [turn.magnitude]
        for seed in range(1, SEEDS + 1):
            for size in sizes:
                if time.monotonic() > self.until + SECONDS:
                    return
                try:
                    inputs = self.turned(Turn(turn.perturbation, turn.subject, size), seed)
                except Exception:  # a perturbation that does not fit these inputs
                    continue
                measured = self.measure(inputs, form)
                if measured is not None and measured.judged.failed and measured.judged.measure == measure:
                    yield measured

    def turns(self) -> Iterator[Turn]:
        """The knobs of ill-conditioning, ordinary magnitudes first."""
        knobs = [item for item in perturbations.load(self.session.packs) if item.name in KNOBS]
        self.session.perturbations += [item.name for item in knobs]
        for wanted in ORDER[1:]:
            for knob in knobs:
                for subject in knob.subjects(self.harness.inputs, self.harness.roles):
                    yield from (Turn(knob, subject, size) for size in knob.magnitudes if knob.realism(size) == wanted)


def _is_site(problem: Problem, outcome: Outcome) -> bool:
    """Whether the flagged expression is the solution."""
    solution = np.asarray(problem.solution)
    return any(
        getattr(site, "shape", None) in (solution.shape, solution.T.shape)
        and (np.array_equal(site, solution) or np.array_equal(site, solution.T))
        for site in outcome.sites
    )


class Residual(Experiment):
    name = "residual"
    signatures = ("backward-error", "ill-conditioned")

    def run(self, harness: Harness, session: Session) -> Result:
        bench = Bench(harness, session, time.monotonic() + session.seconds * 0.4)
        formats = [FORMATS[name] for name in session.formats if name in FORMATS and FORMATS[name].precision >= 24]
        for form in formats:
            measured = bench.measure(harness.inputs, form)
            if measured is not None and measured.judged.failed:
                return self._result(bench, None, form, measured, formats)
        for turn in bench.turns():
            for form in formats:
                if time.monotonic() > bench.until:
                    return Result()
                try:
                    inputs = bench.turned(turn)
                except Exception:  # a perturbation that does not fit these inputs
                    continue
                measured = bench.measure(inputs, form)
                if measured is not None and measured.judged.failed:
                    return self._result(bench, turn, form, measured, formats)
        return Result()

    def _result(
        self,
        bench: Bench,
        turn: Turn | None,
        form: Format,
        measured: Measured,
        formats: list[Format],
    ) -> Result:
        boundary = _boundary(bench, turn, formats) if turn is not None else None
        judged, outcome, inputs = measured.judged, measured.outcome, measured.inputs
        got = outcome.raised if measured.problem is None else measured.problem.solution
        evidence = Evidence(
            signature="backward-error" if judged.measure == BACKWARD else "ill-conditioned",
            realism=turn.realism if turn is not None else "plain",
            figure=Figure(judged.measure, judged.value),
            format=form.name,
            knob=boundary.knob if boundary is not None else "",
            magnitude=(boundary.fails_from.get(form.name) or turn.magnitude) if boundary and turn else None,
            smallest=Sample(
                {name: protocol.literal(value) for name, value in inputs.items()},
                form.name,
                protocol.literal(got) if not isinstance(got, BaseException) else f"{type(got).__name__}: {got}",
                exact=protocol.encode(inputs),
            ),
            boundary=boundary,
            note=_note(judged),
        )
        failing = [measured, *bench.further(turn, form, judged.measure)]
        cures = [_cure(bench, item, form, failing) for item in bench.session.target.candidates]
        return Result(evidence, cures)


def _note(judged: Judged) -> str:
    if judged.measure == BACKWARD:
        return f"the result does not satisfy its equations; that of a solver does, to {judged.reference:.1g}"
    if judged.measure == WEIGHTS:
        return f"the data determine the weights to {judged.reference:.1g}"
    if judged.measure == RAISED:
        return "the least-squares problem has a solution, its normal equations have none"
    return "the columns are dependent: the weights should be those of least norm"


def _boundary(bench: Bench, turn: Turn, formats: list[Format]) -> Boundary:
    knob = turn.perturbation
    boundary = Boundary(
        knob.knob.format(name=turn.subject),
        form=knob.form(turn.subject, turn.magnitude),
        realistic=knob.realistic,
        stress=knob.stress,
    )
    until = bench.until + 1.0
    for form in formats:

        def fails(size: float, form: Format = form) -> bool:
            found = bench.measure(bench.turned(Turn(knob, turn.subject, size)), form)
            return found is not None and found.judged.failed

        passes = 0.0
        boundary.fails_from[form.name] = None
        for size in sorted(knob.magnitudes):
            if time.monotonic() > until:
                break
            if fails(size):
                limit = min(until, time.monotonic() + 0.4)
                boundary.fails_from[form.name] = bisect(fails, passes, size, limit) if knob.continuous else size
                break
            passes = size
    return boundary


def _cure(bench: Bench, candidate: Candidate, form: Format, failing: list[Measured]) -> CureResult:
    """Judge a rewrite by the equations that the original was to solve, on all inputs on which that fails."""
    result = CureResult(candidate.summary, "not-run", text=candidate.text, safety=candidate.safety)
    harness = bench.harness
    if harness.rewritten is None or not candidate.source:
        result.reason = "advice only: there is no edit to run"
        return result
    before, after = 0.0, 0.0
    with harness.rewritten(candidate.source, candidate.region) as cured:
        if cured is None:
            result.reason = "the rewritten function does not fit the place of the original"
            return result
        for measured in failing:
            outcome = cured.run(Arithmetic(form).lift(measured.inputs), Arithmetic(form))
            again = _judged_again(measured.problem, outcome, form) if measured.problem is not None else None
            if outcome.raised is None and again is None and measured.problem is not None:
                result.reason = "the rewritten expression gives another quantity"
                return result
            fails = outcome.raised is not None or (again is not None and again.failed)
            result.inputs += 1
            result.failed_before += 1
            result.failed_after += fails
            before = max(before, measured.judged.value if measured.problem is not None else math.inf)
            after = max(after, math.inf if outcome.raised is not None else again.value if again is not None else 0.0)
            if fails and not result.reason:
                raised = outcome.raised
                result.reason = f"raises {type(raised).__name__}: {raised}" if again is None else _measure(again)
    result.error_before, result.error_after = before, after
    result.by_format[form.name] = (before, after)
    result.status = "rejected" if result.failed_after else "verified"
    return result


def _measure(judged: Judged) -> str:
    return f"{judged.measure}: {judged.value:.1g}"


def _judged_again(problem: Problem, outcome: Outcome, form: Format) -> Judged | None:
    """The problem with the value of the rewritten expression, or what is returned, as its solution."""
    shape = np.shape(problem.solution)
    for value in [*outcome.sites[::-1], *(leaf for _, leaf in leaves.leaves(outcome.outputs))]:
        found = np.asarray(value)
        for solution in (found, found.T):
            if solution.shape == shape and solution.dtype.kind == "f":
                return judge(Problem(problem.matrix, problem.right, solution, problem.squares), form)
    return None


EXPERIMENT = Residual()
