"""The main experiment: turn every knob until the flagged expression is wrong.

Perturbations are tried in rounds, ordinary magnitudes of all knobs before strained ones
of any, and float64 before the narrower formats, so that the first failure found is the
most ordinary one. Then the knob is turned back: bisection gives the magnitude from which
each format fails, and greedy reduction the smallest input. An input counts only while it
stays inside the domains of its roles.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import leaves, perturbations, protocol
from ..arithmetic import Arithmetic
from ..boundary import bisect
from ..compare import compare
from ..formats import FORMATS, Format
from ..harness import Harness
from ..minimise import minimise
from ..oracle import true_value
from ..perturbations import Perturbation
from ..synthesis.values import received
from ..target import Role, Target
from ..trial import CONTAINED, INVALID, OUTSIDE, Judge, Trial
from ..verdict import Boundary, Evidence, Figure, Sample
from . import Experiment, Result, Session

ORDER = ("plain", "realistic", "stress", "extreme")
KIND_SIGNATURE = {
    "nan": "nan",
    "inf": "overflow",
    "zero": "underflow",
    "digits": "cancellation",
    "sign": "cancellation",
}
FAMILIES = {
    "nan": {"nan", "overflow", "underflow", "nan-gradient"},
    "overflow": {"overflow", "nan", "divergence", "underflow"},  # the logarithm of what became zero is infinite
    "underflow": {"underflow", "nan"},
    "digits": {"cancellation", "absorption", "ill-conditioned", "backward-error"},
}
BEYOND = ("nan", "inf", "zero", "OverflowError")
"""Kinds of failure that come of leaving the range of a format, so that the magnitude decides."""
AFFORDABLE = 3.0
"""Seconds that one trial may be expected to take."""
LIKELY = {
    "overflow": ("scale", "saturate"),
    "underflow": ("size",),
    "cancellation": ("moments", "shift", "coincide"),
    "ill-conditioned": ("collinear", "badly-scaled"),
    "nan": ("zeros", "vacant", "constant"),
}
"""Knobs that come first, by what the rule claims: what they show is that, and no weakness of a line before."""
LOST = 12
"""Suspicious inputs without a true value after which a shorter slice is the better judge."""
DRAWS = 3
SAMPLES = 12
"""Failing inputs kept for the cure to be tried on."""


@dataclass(frozen=True)
class Turn:
    """One knob at one magnitude, for one subject."""

    perturbation: Perturbation
    subject: str
    magnitude: float

    @property
    def realism(self) -> str:
        return self.perturbation.realism(self.magnitude)


@dataclass
class Failure:
    """A failing input, with how it was reached."""

    inputs: dict[str, Any]
    form: Format
    trial: Trial
    turn: Turn | None
    realism: str


@dataclass
class Search:
    """The search for a failing input of one harness."""

    harness: Harness
    session: Session
    judge: Judge
    until: float
    failures: list[Failure] = field(default_factory=list)
    outside: str = ""
    invalid: str = ""
    unjudged: str = ""
    lost: int = 0
    """How many inputs looked wrong and have no true value."""
    broken: str = ""
    """Why the base inputs do not run to the end."""
    sound: int = 0
    contained: int = 0
    hidden: list[Turn] = field(default_factory=list)
    """Where the flagged expression was wrong and, on these data, nobody noticed."""
    spent: dict[tuple[str, str], tuple[int, float]] = field(default_factory=dict)
    """By knob: how many numbers the last input had, and how many seconds it took."""

    def inputs(self, turn: Turn, base: dict[str, Any] | None = None) -> dict[str, Any]:
        given = self.harness.inputs if base is None else base
        return turn.perturbation.turned(
            given, self.harness.roles, turn.subject, turn.magnitude, self.session.generator()
        )

    def role(self, subject: str) -> Role:
        return self.harness.roles.get(subject, Role())

    def attempt(self, inputs: dict[str, Any], form: Format, turn: Turn | None) -> Failure | None:
        """One trial, and the account of it."""
        self.session.inputs += 1
        trial = self.judge.trial(inputs, form)
        if trial.failed:
            failure = Failure(inputs, form, trial, turn, realism(turn, form))
            self.failures.append(failure)
            return failure
        if trial.status == OUTSIDE:
            ordinary = realism(turn, form) != "extreme"
            self.outside = self.outside or (trial.note if ordinary else "")
        elif trial.status == INVALID:
            self.invalid = trial.note
            self.unjudged = trial.note if trial.oracle else self.unjudged
            self.lost += bool(trial.oracle)
        else:
            claim = self.session.target.signature
            claimed = trial.note == CONTAINED and signature_of(claim, trial)[0] == claim
            self.contained += claimed and realism(turn, form) != "extreme"
            self.sound += 1
            if turn is not None and trial.note == CONTAINED and turn not in self.hidden:
                self.hidden.append(turn)
        return None

    def affordable(self, turn: Turn, inputs: dict[str, Any]) -> bool:
        """Whether an input can be judged in time: work grows at least with the square of how much there is."""
        count, seconds = self.spent.get((turn.perturbation.name, turn.subject), (0, 0.0))
        return not count or seconds * (_entries(inputs) / count) ** 2 <= AFFORDABLE

    def turns(self, grade: str) -> Iterator[Turn]:
        """All knobs at the magnitudes of one grade of realism, round robin: over the likely ones, then over others."""
        queues = []
        for item in perturbations.load(self.session.packs):
            magnitudes = [value for value in item.magnitudes if item.realism(value) == grade]
            for subject in item.subjects(self.harness.inputs, self.harness.roles):
                queues.append([Turn(item, subject, value) for value in magnitudes])
        likely = LIKELY.get(self.session.target.signature, ())
        first = [queue for queue in queues if queue and queue[0].perturbation.name in likely]
        for some in (first, [queue for queue in queues if queue not in first]):
            for level in range(max((len(queue) for queue in some), default=0)):
                yield from (queue[level] for queue in some if level < len(queue))

    def first(self, formats: list[Format]) -> Failure | None:
        """The most ordinary failure, or None within the budget."""
        running = []  # a model whose weights are of one format takes no other
        for form in formats:
            self.invalid = ""
            failure = self.attempt(self.harness.inputs, form, None)
            if failure:
                return failure
            if not self.invalid:
                running.append(form)
            self.broken = self.broken or self.invalid
        if running:
            self.broken, formats = "", running
        best: Failure | None = None
        for grade in ORDER[1:]:
            for turn in self.turns(grade):
                if time.monotonic() > self.until or (self.lost > LOST and best is None):
                    return best
                try:
                    changed = self.inputs(turn)
                except Exception as error:  # a perturbation that does not fit these inputs is no failure
                    self.invalid = f"{turn.perturbation.name}: {error}"
                    continue
                if not self.affordable(turn, changed):
                    self.invalid = f"{turn.perturbation.name} at {turn.magnitude:g}: it would take too long"
                    continue
                for form in formats:
                    started = time.monotonic()
                    failure = self.attempt(changed, form, turn)
                    used = time.monotonic() - started
                    self.spent[turn.perturbation.name, turn.subject] = max(1, _entries(changed)), used
                    if failure and failure.realism == grade:
                        return failure
                    if failure and (best is None or ORDER.index(failure.realism) < ORDER.index(best.realism)):
                        best = failure
            if best is not None and ORDER.index(best.realism) <= ORDER.index(grade):
                return best
            let_out = self.redrawn(formats, grade)
            if let_out is not None:
                return let_out
        return best

    def redrawn(self, formats: list[Format], grade: str) -> Failure | None:
        """A failure that other data of the same kinds let out: a wrong score can still win by chance."""
        harness = self.harness
        hidden = [turn for turn in self.hidden if turn.realism == grade]
        if harness.redrawn is None or not hidden:
            return None
        before = dict(harness.inputs)
        for seed in range(1, DRAWS + 1):
            harness.inputs.update(harness.redrawn(self.session.seed + seed))
            for turn in hidden:
                for form in formats[:2]:
                    if time.monotonic() > self.until:
                        harness.inputs.update(before)
                        return None
                    failure = self.attempt(self.inputs(turn), form, turn)
                    if failure is not None and failure.realism == grade:
                        return failure
        harness.inputs.update(before)
        return None


def realism(turn: Turn | None, form: Format) -> str:
    """How ordinary a failing input is; float16 and bfloat16 are a choice, so they never make it realistic."""
    grade = turn.realism if turn else "plain"
    if form.precision < 24 and grade in ("plain", "realistic"):
        return "stress"
    return grade


class Value(Experiment):
    name = "value"

    def applies(self, target: Target, harness: Harness) -> bool:
        return target.signature not in ("non-determinism", "premature-stop", "never-stops", "nan-gradient")

    def judge(self, harness: Harness, target: Target) -> Judge:
        """Who tells whether an input fails."""
        return Judge.of(harness, target)

    def run(self, harness: Harness, session: Session) -> Result:
        start = time.monotonic()
        judge = self.judge(harness, session.target)
        session.end = session.end or start + session.seconds
        search = Search(harness, session, judge, start + max(1.0, (session.end - start) * 0.6))
        formats = [FORMATS[name] for name in session.formats if name in FORMATS]
        failure = search.first(formats)
        session.runs += judge.runs
        session.oracle = ", ".join(f"{kind} ({count})" for kind, count in judge.oracles.items())
        session.perturbations = sorted({item.name for item in perturbations.load(session.packs)})
        if failure is None:
            return Result(outside=search.outside, unjudged=_undecided(search), contained=search.contained > 0)
        return self.evidence(harness, session, search, failure, formats, start + session.seconds * 0.85)

    def evidence(
        self,
        harness: Harness,
        session: Session,
        search: Search,
        failure: Failure,
        formats: list[Format],
        until: float,
    ) -> Result:
        """Turn a failure into evidence: the boundary per format, the smallest input, the figure."""
        magnitude = None
        boundary = None
        first, turn = failure, failure.turn
        if turn is not None:
            knob = turn.perturbation
            edges = {form.name: _edge(search, turn, form, until) for form in formats}
            magnitude = edges.get(failure.form.name) or turn.magnitude
            if knob.continuous:
                failure = self.at(search, turn, magnitude, failure)
            if "|" in knob.knob:
                edges = {name: None if edge is None else abs(edge) for name, edge in edges.items()}
            boundary = Boundary(
                knob.knob.format(name=turn.subject),
                edges,
                knob.form(turn.subject, turn.magnitude),
                realistic=knob.realistic,
                stress=knob.stress,
            )
        smallest, trial = _smallest(search, (failure, first), min(until, time.monotonic() + 0.8))
        sharper = _sharper(search, failure, smallest, formats, min(until, time.monotonic() + 1.0))
        if sharper is not None:
            boundary, magnitude = sharper, sharper.fails_from[failure.form.name]
        signature, chain = signature_of(session.target.signature, trial)
        evidence = Evidence(
            signature=signature,
            realism=failure.realism,
            figure=figure_of(trial),
            format=failure.form.name,
            knob=boundary.knob if boundary else "",
            magnitude=magnitude,
            smallest=Sample(
                {name: protocol.literal(value) for name, value in Arithmetic(failure.form).lift(smallest).items()},
                failure.form.name,
                protocol.literal(trial.got),
                protocol.literal(trial.true) if trial.true is not None else "",
                exact=protocol.encode({**_given(harness, smallest), **_expected(search, smallest, failure.form)}),
            ),
            boundary=boundary,
            chain=chain,
            reaches_output=trial.reaches_output,
            note=trial.note,
        )
        failing = [(failure.form, smallest), *_samples(search, failure, formats)]
        return Result(evidence=evidence, failing=failing, turn=turn)

    def at(self, search: Search, turn: Turn, magnitude: float, failure: Failure) -> Failure:
        """The failure at the boundary, where it still is one."""
        nearer = Turn(turn.perturbation, turn.subject, magnitude)
        found = search.attempt(search.inputs(nearer), failure.form, nearer)
        return found or failure


def _edge(search: Search, turn: Turn, form: Format, until: float, base: dict[str, Any] | None = None) -> float | None:
    """The magnitude from which a format fails under one knob; None where it does not fail."""
    knob = turn.perturbation
    sign = math.copysign(1.0, turn.magnitude)
    passes = 0.0
    for magnitude in sorted((value for value in knob.magnitudes if value * sign > 0), key=abs):
        if time.monotonic() > until:
            return None
        further = Turn(knob, turn.subject, magnitude)
        if search.attempt(search.inputs(further, base), form, further):
            if not knob.continuous:
                return magnitude

            def fails(size: float) -> bool:
                return search.judge.trial(search.inputs(Turn(knob, turn.subject, size), base), form).failed

            edge = bisect(fails, passes, magnitude, min(until, time.monotonic() + 0.6))
            return float(math.ceil(edge)) if knob.integral else edge
        passes = magnitude
    return None


def _given(harness: Harness, inputs: dict[str, Any]) -> dict[str, Any]:
    """The inputs as the code is given them: tensors where it takes tensors."""
    return {name: received(value, "tensor") if name in harness.tensors else value for name, value in inputs.items()}


def _expected(search: Search, inputs: dict[str, Any], form: Format) -> dict[str, Any]:
    """For a test: the true value of what the call returns, where it is wrong, and whether entry by entry.

    Empty where it is not known in full, or where what is returned is right but for a few digits.
    """
    rounded = Arithmetic(form).lift(inputs)
    run = search.harness.run(rounded, Arithmetic(form), search.judge.seconds)
    truth = true_value(search.harness, rounded, search.judge.seconds, form)
    returned = list(leaves.leaves(run.outputs.get("return"), "return"))
    expected = [(leaf, true) for path, leaf in returned if (true := truth.output(path)) is not None]
    if not expected or len(expected) < len(returned) or not all(true.defined.all() for _, true in expected):
        return {}
    for entrywise in (False, True):
        if any(compare(leaf, true, form, entrywise).failed for leaf, true in expected):
            whole = np.concatenate([np.ravel(true.plain()) for _, true in expected])
            return {"<true>": whole, "<entrywise>": entrywise} if np.isfinite(whole).all() else {}
    return {}


def _undecided(search: Search) -> str:
    """Why the search without a failure decides nothing; empty when it does."""
    if search.outside and not (search.broken or search.sound):
        return ""  # whatever is given, the expression is asked for what does not exist
    if search.broken or not search.sound:
        return f"no input could be judged: {search.broken or search.invalid or search.outside}"
    doubtful = search.judge.oracles
    if search.unjudged and 2 * doubtful.get("none", 0) > sum(doubtful.values()):
        return f"what looked wrong could not be judged: {search.unjudged}"
    return ""


def _sharper(
    search: Search, failure: Failure, smallest: dict[str, Any], formats: list[Format], until: float
) -> Boundary | None:
    """The boundary in the magnitude of the smallest input, where that is what decides: the number of the textbooks."""
    turn = failure.turn
    scale = next((item for item in perturbations.load(search.session.packs) if item.name == "scale"), None)
    if turn is None or not turn.perturbation.continuous or scale is None or failure.trial.kind not in BEYOND:
        return None
    if turn.subject not in smallest or not scale.applies(smallest[turn.subject], search.role(turn.subject)):
        return None
    edges: dict[str, float | None] = {}
    for form in formats:
        edge = _edge(search, Turn(scale, turn.subject, 1.0), form, until, smallest)
        edges[form.name] = edge
    edge = edges[failure.form.name]
    if edge is None or not 1 < edge <= 1.01 * float(np.max(np.abs(smallest[turn.subject]))):
        return None
    if ORDER.index(scale.realism(edge)) > ORDER.index(failure.realism):
        return None
    return Boundary(scale.knob.format(name=turn.subject), edges, "", realistic=scale.realistic, stress=scale.stress)


def _smallest(search: Search, failures: tuple[Failure, Failure], until: float) -> tuple[dict[str, Any], Trial]:
    """The smallest input that fails like these do: at the boundary, or well beyond it where that needs less."""
    best: tuple[dict[str, Any], Trial] | None = None
    for number, failure in enumerate(failures):
        form = failure.form

        def fails(inputs: dict[str, Any], form: Format = form, first: Trial = failure.trial) -> bool:
            return _is_alike(search.judge.trial(inputs, form), first)

        share = (until - time.monotonic()) / (len(failures) - number)
        smallest = minimise(failure.inputs, search.harness.roles, fails, time.monotonic() + share)
        if best is None or _entries(smallest) < _entries(best[0]):
            trial = search.judge.trial(smallest, form)
            best = (smallest, trial) if trial.failed else best or (failure.inputs, failure.trial)
        if _entries(best[0]) <= 2:
            break
    assert best is not None
    return best


def _is_alike(trial: Trial, first: Trial) -> bool:
    """Whether a smaller input fails in the same way: a value that exists, or a pole; the same exception."""
    same = trial.failed and trial.kind == first.kind and (trial.true is None) == (first.true is None)
    return same and (not isinstance(first.got, str) or trial.got == first.got)


def _entries(inputs: dict[str, Any]) -> int:
    return sum(value.size for value in inputs.values() if isinstance(value, np.ndarray))


def _samples(search: Search, first: Failure, formats: list[Format]) -> list[tuple[Format, dict[str, Any]]]:
    """Inputs for the cure to be tried on: the decisive one, the same knob further on, and benign ones."""
    kept = [(first.form, first.inputs)]
    for failure in search.failures:
        if failure is not first and _further(failure, first) and len(kept) < SAMPLES:
            kept.append((failure.form, failure.inputs))
    return [*kept, *((form, search.harness.inputs) for form in formats)]


def _further(failure: Failure, first: Failure) -> bool:
    """Whether a failure is the first one with the same knob turned further, or in another format."""
    turn, other = failure.turn, first.turn
    if turn is None or other is None or failure.realism == "extreme":
        return False
    same = turn.perturbation is other.perturbation and turn.subject == other.subject
    return same and (turn.perturbation.continuous or turn.magnitude == other.magnitude)


def signature_of(declared: str, trial: Trial) -> tuple[str, tuple[str, ...]]:
    """The signature of a failure: the declared one where what was seen belongs to its family."""
    if trial.kind in ("LinAlgError",):
        return ("ill-conditioned" if declared in FAMILIES["digits"] else declared), ()
    seen = KIND_SIGNATURE.get(trial.kind, "overflow" if trial.kind == "OverflowError" else "nan")
    family = FAMILIES.get("digits" if seen == "cancellation" else seen, set())
    if declared in family:
        return declared, () if declared == seen else (declared, seen)
    return seen, ()


def figure_of(trial: Trial) -> Figure:
    """The measured number: digits lost where there are some left, else the relative error."""
    if math.isfinite(trial.error):
        return Figure("relative error", trial.error)
    return Figure("relative error", math.inf)


EXPERIMENT = Value()
