"""Confirm one finding: climb down the ladder, run the experiments, verify the cures.

Each rung of the ladder gives a harness (a recorded call, a synthesised one, a slice of the
function); each experiment looks for a failure of its kind. The first failure on ordinary
inputs decides. A failure only on extreme inputs is kept and reported as such; where no
failure is found, the verdict says on which rung that was and what was tried; where nothing
could be run, why, and the line that would make it run.
"""

from __future__ import annotations

import ast
import contextlib
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import experiments, oracle, perturbations
from .autograd import ready
from .cure import Case, cases, verify
from .experiments import Experiment, Result, Session
from .formats import FORMATS
from .harness import Harness
from .ladder import Options, ladder
from .loading import Loaded, load
from .perturbations import OutsideDomain
from .stubs import installed
from .target import Candidate, Target
from .trial import Judge
from .verdict import CONFIRMED, INCONCLUSIVE, OUTSIDE, REFUTED, RUNGS, CureResult, Evidence, Verdict

EXPERIMENTS = experiments.load()
Emit = Callable[[dict[str, Any]], None]
FRAMEWORKS = frozenset(["torch", "tensorflow", "jax"])
CURVE = (1.0, 10.0, 30.0, 100.0, 300.0, 1e3, 1e4, 1e6, 1e8)


def confirm(payload: dict[str, Any], emit: Emit) -> dict[str, Any]:
    """The operation behind ``numlint confirm``: target and options in, verdict out.

    Parameters
    ----------
    payload : dict
        ``target`` (see `Target.to_json`) and ``options``: ``seed``, ``seconds``,
        ``formats``, ``packs``, ``rungs``.
    emit : callable
        Receives what is known so far, to be kept if this process is killed.
    """
    start = time.monotonic()
    target = Target.from_json(payload["target"])
    options = payload.get("options") or {}
    if options.get("mpmath"):
        oracle.DIRECTORY[:] = [options["mpmath"]]
    session = Session(
        target,
        seed=int(options.get("seed", 0)),
        seconds=float(options.get("seconds", 6.0)),
        formats=tuple(options.get("formats") or Session.formats),
        packs=tuple(options.get("packs") or ()),
    )
    verdict = Verdict(
        INCONCLUSIVE,
        target.path,
        target.region.line,
        target.region.column,
        target.rule,
        target.code,
        target.qualname,
        target.fingerprint,
        seed=session.seed,
    )
    try:
        rungs = tuple(options.get("rungs") or RUNGS)
        loaded = payload.get("loaded") or load(target)
        perturbations.load(session.packs)
        if "torch" in sys.modules:
            ready()
        _decide(verdict, loaded, session, emit, rungs)
    except ImportError as error:
        if not any(name.partition(".")[0] == error.name for name in session.packs):
            raise
        verdict.reason = f"--perturbations: {sys.executable} has no package {error.name}"
        verdict.remedy = "put it beside your code, or on PYTHONPATH"
    except MemoryError:
        if verdict.status == INCONCLUSIVE:
            verdict.reason = "out of memory"
            verdict.remedy = "declare smaller inputs: numlint confirm --inputs FILE"
    verdict.seconds = round(time.monotonic() - start, 3)
    verdict.tried.update(
        inputs=session.inputs,
        runs=session.runs,
        formats=list(session.formats),
        perturbations=session.perturbations,
        oracle=session.oracle,
        notes=session.notes,
    )
    return dict(verdict.to_json())


def _decide(verdict: Verdict, loaded: Loaded, session: Session, emit: Emit, climbed: tuple[str, ...] = RUNGS) -> None:
    """Fill the verdict from the first rung that settles the matter."""
    target = session.target
    verdict.stubbed = list(loaded.stubbed)
    rungs = ladder(loaded, target, Options(climbed, session.seconds / 2, session.seed))
    until = time.monotonic() + session.seconds
    best: tuple[Evidence, Result, Harness] | None = None
    ran: list[Harness] = []
    account = Account()
    for harness in rungs:
        ran.append(harness)
        emit({"rung": harness.rung, "harness": harness.description})
        for experiment in _fitting(target, harness):
            result = _run(experiment, harness, session)
            account.add(result)
            if result.note:
                session.notes.append(f"{harness.rung}, {experiment.name}: {result.note}")
            evidence = result.evidence
            if evidence is None:
                continue
            if result.failing and evidence.origin is None:
                evidence.origin = _blame(harness, result, evidence, session)
            if _is_upstream(evidence.origin, target, loaded.tree):
                account.upstream = account.upstream or _began(evidence)
                continue
            if best is None or _rank(evidence) < _rank(best[0]):
                best = (evidence, result, harness)
            if evidence.realism != "extreme":
                _confirmed(verdict, *best, session)
                return
        # Alone, without what follows it, a contained error would look like a failure.
        if account.contained or time.monotonic() > until:
            break
    if best is not None:
        _confirmed(verdict, *best, session)
    elif not ran:
        verdict.reason = "; ".join(f"{rung}: {reason}" for rung, reason, _ in rungs.reasons)
        verdict.remedy = next((remedy for _, _, remedy in reversed(rungs.reasons) if remedy), "")
    else:
        verdict.rung, verdict.harness = ran[0].rung, ran[0].description
        verdict.status, verdict.reason, verdict.remedy = account.decision(target)
    if verdict.status == INCONCLUSIVE:
        missing = sorted({name.split(".")[0] for name in loaded.stubbed} & FRAMEWORKS)
        if missing or (target.framework in FRAMEWORKS and installed(target.framework) is None):
            library = target.framework if target.framework in FRAMEWORKS else missing[0]
            verdict.remedy = f"--python PATH: an interpreter that has {library}; {sys.executable} has none"


@dataclass
class Account:
    """What the experiments without a failure came to, over all harnesses."""

    settled: int = 0
    outside: str = ""
    unjudged: str = ""
    upstream: str = ""
    contained: bool = False
    note: str = ""

    def add(self, result: Result) -> None:
        self.outside = self.outside or result.outside
        self.unjudged = self.unjudged or result.unjudged
        self.note = self.note or result.note
        self.contained = self.contained or result.contained
        self.settled += not (result.unjudged or result.note or result.evidence)

    def decision(self, target: Target) -> tuple[str, str, str]:
        """Status, reason and remedy."""
        if self.unjudged or not (self.settled or self.upstream or self.outside):
            missing = f"nothing here shows {target.signature or 'its failure'}"
            if target.signature == "nan-gradient":
                missing = "gradients are judged in torch, which this interpreter does not have"
            remedy = "numlint record -- COMMAND keeps real calls to start from" if self.unjudged or self.note else ""
            return INCONCLUSIVE, self.unjudged or self.note or missing, remedy
        if self.upstream:
            return REFUTED, f"no failure of its own: {self.upstream}", ""
        if self.contained:
            return REFUTED, "where the flagged expression goes wrong, what comes out is right", ""
        if self.outside:
            return OUTSIDE, self.outside, ""
        return REFUTED, "no failure within the fair range", ""


def _is_upstream(origin: Any, target: Target, tree: ast.Module) -> bool:
    """Whether a failure began before the flagged expression, in the same function, in code that is not part of it."""
    if origin is None or not target.lines or not origin.line or origin.line in target.lines:
        return False
    region = target.region
    inner = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    around = [node for node in ast.walk(tree) if isinstance(node, inner) and _spans(node, region.line)]
    scope: ast.AST = max(around, key=lambda node: node.lineno) if around else tree
    if not any(
        _spans(node, origin.line) for node in ast.walk(scope) if isinstance(node, ast.stmt) and node is not scope
    ):
        return False
    return bool(origin.line < min(target.lines))


def _spans(node: Any, line: int) -> bool:
    return bool(node.lineno <= line <= (node.end_lineno or node.lineno))


def _began(evidence: Evidence) -> str:
    origin = evidence.origin
    assert origin is not None
    return f"what goes wrong begins at line {origin.line}, {origin.text}" if origin.text else f"line {origin.line}"


def _fitting(target: Target, harness: Harness) -> list[Experiment]:
    """The experiments for a target: those of its declared signature first."""
    fitting = [item for item in EXPERIMENTS if item.applies(target, harness)]
    return sorted(fitting, key=lambda item: (target.signature not in item.signatures, item.name))


def _run(experiment: Experiment, harness: Harness, session: Session) -> Result:
    """Run one experiment; what it stumbles over is a note, not the end."""
    try:
        return experiment.run(harness, session)
    except Exception as error:
        return Result(note=f"{type(error).__name__}: {error}")


def _rank(evidence: Evidence) -> int:
    return ("plain", "realistic", "stress", "extreme").index(evidence.realism)


def _confirmed(verdict: Verdict, evidence: Evidence, result: Result, harness: Harness, session: Session) -> None:
    """Fill a confirmed verdict: blame, cures, and the curve of the error before and after."""
    verdict.status = CONFIRMED
    verdict.rung, verdict.harness = harness.rung, harness.description
    verdict.evidence = evidence
    until = time.monotonic() + max(1.0, session.seconds * 0.3)
    judge = Judge.of(harness, session.target)
    if result.cures:
        verdict.cures = result.cures
    elif result.failing:
        tried = list(cases(judge, result.failing, until))
        verdict.cures = [verify(judge, candidate, tried, until) for candidate in session.target.candidates]
    _draw(verdict, judge, result, session, until)


def _blame(harness: Harness, result: Result, evidence: Evidence, session: Session) -> Any:
    form, inputs = result.failing[0]
    try:
        from .blame import blame

        return blame(harness, inputs, form, session.target.region)
    except Exception as error:
        session.notes.append(f"blame: {type(error).__name__}: {error}")
        return None


def _draw(verdict: Verdict, judge: Judge, result: Result, session: Session, until: float) -> None:
    """Error against magnitude in each format, before and after the first verified cure."""
    turn, evidence = result.turn, verdict.evidence
    if turn is None or evidence is None or not turn.perturbation.continuous:
        return
    harness = judge.harness
    sign = math.copysign(1.0, turn.magnitude)
    magnitudes = turn.perturbation.magnitudes if turn.perturbation.integral else (*CURVE, *turn.perturbation.magnitudes)
    grid = sorted({abs(value) for value in magnitudes if abs(value) <= 1e8})

    def at(size: float) -> dict[str, Any]:
        generator = session.generator()
        return dict(turn.perturbation.turned(harness.inputs, harness.roles, turn.subject, sign * size, generator))

    drawn: list[tuple[float, Case]] = []
    for name in session.formats:
        for size in grid:
            with contextlib.suppress(OutsideDomain):
                drawn += [(size, case) for case in cases(judge, [(FORMATS[name], at(size))], until)]
    after = [-1.0] * len(drawn)
    cured = next((item for item in session.target.candidates if _is_verified(verdict.cures, item)), None)
    if cured is not None and harness.rewritten is not None:
        with harness.rewritten(cured.source, cured.region) as other:  # verified, so its imports are there
            if other is not None:
                errors = [judge.error(case.inputs, case.form, case.truth, other) for _, case in drawn]
                after = [-1.0 if error is None else error for error in errors]
    for (size, case), error in zip(drawn, after):
        evidence.curve.setdefault(case.form.name, []).append([size, case.error, error])


def _is_verified(cures: list[CureResult], candidate: Candidate) -> bool:
    return any(item.status == "verified" and item.summary == candidate.summary for item in cures)
