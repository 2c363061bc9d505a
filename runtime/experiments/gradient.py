"""Gradients that are nan where the function is smooth, or at least continuous.

Automatic differentiation multiplies local derivatives. Where one of them is infinite (the
root at zero) or belongs to a branch that was not taken (``where``), and another is zero, the
product is nan although the value is right: no forward run shows it. The inputs become leaves
of a gradient, the sum of the outputs is differentiated, and a component that is nan or
infinite is compared with the same gradient in float64, or with the difference quotient
(f(x + h d) - f(x)) / h of the float64 function, whose limit it should be.

Judged in torch. The cure is run on the same inputs: same value, finite gradient.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import leaves
from ..autograd import Tracked, Wide, ready
from ..compare import disagreement
from ..formats import FLOAT16, FLOAT32, FLOAT64, Format
from ..harness import Harness, Outcome
from ..stubs import installed
from ..target import Candidate, Target
from ..trial import FAILURE, INVALID, OUTSIDE, SOUND, Judge, Trial
from ..verdict import CureResult
from . import Result, Session
from .value import Value

STEPS = (1e-4, 1e-6)
"""Of the difference quotients; where they grow like a power of 1/h, the derivative itself is infinite."""
EQUAL = 1e-6


class GradientJudge(Judge):
    """Judges the gradient of the sum of the outputs with respect to all floating-point inputs."""

    def trial(self, inputs: dict[str, Any], form: Format) -> Trial:
        if form is FLOAT16:
            return Trial(INVALID, note="torch has few operations in float16 on a processor")
        ready()
        run, gradients = self.gradients(inputs, form)
        if run.raised is not None:
            return Trial(INVALID, note=f"{type(run.raised).__name__}: {run.raised}")
        if not run.reached:
            return Trial(INVALID, note="the flagged expression was not evaluated")
        if not gradients:
            return Trial(INVALID, note="the result does not depend on a differentiable input")
        if not _is_finite(run.outputs):
            return Trial(OUTSIDE, note="the value itself is not finite")
        bad = {name: value for name, value in gradients.items() if not np.isfinite(value).all()}
        if not bad:
            return Trial(SOUND)
        name, got = next(iter(bad.items()))
        kind = "nan" if np.isnan(got).any() else "inf"
        true = None
        if form is not FLOAT64:
            true = self.gradients(inputs, FLOAT64)[1].get(name)
            self._count("torch in float64")
        if true is None or not np.isfinite(true).all():
            quotient = self._quotient(inputs, name, got)
            self._count("difference quotient")
            if quotient is None or (kind == "inf" and not np.isfinite(quotient).all()):
                return Trial(OUTSIDE, note="the derivative itself is infinite here")
            true = None  # taken on one side, on some axes: it decides, and is nothing to show
        return Trial(FAILURE, kind, math.inf, 16.0, got, true, f"gradient with respect to {name}")

    def gradients(self, inputs: dict[str, Any], form: Format) -> tuple[Outcome, dict[str, Any]]:
        """A run with its gradients by the name of the input; None of it where nothing can be differentiated."""
        torch = installed("torch")
        arithmetic = Tracked(form)
        self.runs += 1
        run = self.harness.run(inputs, arithmetic, self.seconds)
        results = [item.sum() for item in arithmetic.results if item.is_floating_point()]
        if run.raised is not None or not results or not arithmetic.tracked:
            return run, {}
        names, wanted = zip(*arithmetic.tracked.items())
        found = torch.autograd.grad(sum(results), wanted, allow_unused=True)
        return run, {name: item.cpu().double().numpy() for name, item in zip(names, found) if item is not None}

    def _quotient(self, inputs: dict[str, Any], name: str, got: Any) -> Any:
        """Difference quotients along the axes on which the gradient is bad; infinite where they have no limit."""
        base = self._total(inputs)
        if base is None:
            return None
        found = np.zeros(np.shape(got))
        for index in list(zip(*np.nonzero(~np.isfinite(np.atleast_1d(got)))))[:4]:
            quotients = []
            for step in STEPS:
                moved = np.array(inputs[name], dtype=np.float64)
                np.atleast_1d(moved)[index] += step
                there = self._total({**inputs, name: moved})
                quotients.append(math.nan if there is None else (there - base) / step)
            first, second = quotients
            if not (math.isfinite(first) and math.isfinite(second)):
                return None
            diverges = abs(second) > 4 * abs(first) + 1e-9
            np.atleast_1d(found)[index] = math.copysign(math.inf, second) if diverges else second
        return found

    def _total(self, inputs: dict[str, Any]) -> float | None:
        self.runs += 1
        run = self.harness.run(inputs, Wide(), self.seconds)
        if run.raised is not None or not _is_finite(run.outputs):
            return None
        return sum(float(np.sum(leaf)) for _, leaf in leaves.leaves(run.outputs) if leaves.is_floating(leaf))

    def _count(self, oracle: str) -> None:
        self.oracles[oracle] = self.oracles.get(oracle, 0) + 1


def _is_finite(outputs: dict[str, Any]) -> bool:
    return all(bool(np.isfinite(leaf).all()) for _, leaf in leaves.leaves(outputs) if leaves.is_floating(leaf))


class Gradient(Value):
    name = "gradient"
    signatures = ("nan-gradient",)

    def applies(self, target: Target, harness: Harness) -> bool:
        return target.signature in self.signatures and installed("torch") is not None

    def judge(self, harness: Harness, target: Target) -> Judge:
        return GradientJudge(harness)

    def run(self, harness: Harness, session: Session) -> Result:
        before = session.formats
        session.formats = (FLOAT32.name, FLOAT64.name)  # torch's own format first
        try:
            result = super().run(harness, session)
        finally:
            session.formats = before
        if result.evidence is not None:
            result.cures = list(_cures(harness, session.target, result.failing))
        return result


SMALL = 1e-5
"""Beside numbers of this size a constant of 1e-12 under a root shows."""


def _cures(harness: Harness, target: Target, failing: list[tuple[Format, dict[str, Any]]]) -> Iterator[CureResult]:
    """Each rewrite on the failing inputs: the same value, and a gradient that is finite."""
    for candidate in target.candidates:
        yield _cure(harness, candidate, failing)


def _cure(harness: Harness, candidate: Candidate, failing: list[tuple[Format, dict[str, Any]]]) -> CureResult:
    result = CureResult(candidate.summary, "not-run", text=candidate.text, safety=candidate.safety)
    if harness.rewritten is None or not candidate.source:
        result.reason = "advice only: there is no edit to run"
        return result
    small = {name: value * SMALL if leaves.is_floating(value) else value for name, value in harness.inputs.items()}
    before, before_small = harness.run(), harness.run(small)
    original = GradientJudge(harness)
    judged = [(form, inputs, original.trial(inputs, form).failed) for form, inputs in failing]
    with harness.rewritten(candidate.source, candidate.region) as cured:
        if cured is None:
            result.reason = "the rewritten function does not fit the place of the original"
            return result
        after, after_small = cured.run(), cured.run(small)
        if after.raised is not None and before.raised is None:
            result.status, result.reason = "rejected", f"raises {type(after.raised).__name__}: {after.raised}"
            return result
        judge = GradientJudge(cured)
        for form, inputs, failed in judged:
            result.inputs += 1
            result.failed_before += failed
            result.failed_after += judge.trial(inputs, form).failed
    pairs = [(before, after)]
    if _is_finite(before_small.outputs) and before_small.raised is None:
        pairs.append((before_small, after_small))  # a constant that is added shows beside small numbers
    apart = max(
        (
            disagreement(one.outputs[name], other.outputs[name], False)
            for one, other in pairs
            for name in set(one.outputs) & set(other.outputs)
        ),
        default=0.0,
    )
    if apart > EQUAL:
        result.status = "changes-semantics"
        result.reason = f"differs from the original by {apart:.1g} on a benign input"
    elif result.failed_after:
        result.status, result.reason = "rejected", f"still fails on {result.failed_after} of {result.inputs} inputs"
    else:
        result.status = "verified"
    return result


EXPERIMENT = Gradient()
