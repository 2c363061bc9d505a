"""Whether a rewrite cures: it is run on the inputs on which the original failed.

First it must mean the same: on benign inputs, in exact arithmetic, original and rewrite
agree; if they do not, the rewrite changes the semantics (an added epsilon, a ridge) and is
shown as such, never applied. Then both run on the failing inputs in every format, and the
errors before and after stand side by side. A look-alike that does not help is rejected
with its figure.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .arithmetic import Arithmetic
from .compare import disagreement
from .formats import FLOAT32, Format
from .harness import Outcome
from .oracle import Truth, true_value
from .target import Candidate
from .trial import Judge
from .verdict import CureResult

EQUAL = 1e-13
"""Exact values of original and rewrite on benign inputs may differ by this: constants such as
``np.log(2 * np.pi)`` are evaluated in float64 before the exact arithmetic sees them."""


@dataclass(frozen=True)
class Case:
    """One input in one format, with its true value and the error of the original."""

    form: Format
    inputs: dict[str, Any]
    truth: Truth
    error: float

    @property
    def failed(self) -> bool:
        return self.error > math.sqrt(self.form.eps)


def cases(judge: Judge, inputs: Iterable[tuple[Format, dict[str, Any]]], until: float) -> Iterator[Case]:
    """Judge the original on inputs; what has no true value to compare with is left out."""
    for form, given in inputs:
        if time.monotonic() > until:
            return
        truth = true_value(judge.harness, Arithmetic(form).lift(given), judge.seconds, form)
        error = judge.error(given, form, truth)
        if error is not None:
            yield Case(form, given, truth, error)


def verify(judge: Judge, candidate: Candidate, tried: Iterable[Case], until: float) -> CureResult:
    """Run one candidate on the inputs of the original.

    Parameters
    ----------
    judge : Judge
        Of the original.
    candidate : Candidate
    tried : iterable of Case
        Failing inputs, and others on which the original is right.
    until : float
        `time.monotonic` at which to stop.
    """
    harness = judge.harness
    result = CureResult(candidate.summary, "not-run", text=candidate.text, safety=candidate.safety)
    if harness.rewritten is None or not candidate.source:
        result.reason = "advice only: there is no edit to run"
        return result
    try:
        return _verified(judge, candidate, list(tried), until, result)
    except ImportError as error:
        library = (error.name or str(error)).partition(".")[0]
        result.reason = f"it needs {library}, which {sys.executable} does not have"
        return result


def _verified(
    judge: Judge, candidate: Candidate, tried: Iterable[Case], until: float, result: CureResult
) -> CureResult:
    harness = judge.harness
    assert harness.rewritten is not None
    before, exact_before = harness.run(), true_value(harness)
    with harness.rewritten(candidate.source, candidate.region) as cured:
        if cured is None:
            result.reason = "the rewritten function does not fit the place of the original"
            return result
        after = cured.run()
        if after.raised is not None and before.raised is None:
            result.status, result.reason = "rejected", f"raises {type(after.raised).__name__}: {after.raised}"
            return result
        apart = _apart(before, after, exact_before, true_value(cured))
        cases = list(tried)
        beyond = 0
        for case in cases:
            if time.monotonic() > until and result.inputs:
                break
            error = judge.error(case.inputs, case.form, case.truth, cured)
            beyond += _account(
                result, case, error, case.form.precision >= FLOAT32.precision or case.form is cases[0].form
            )
    if apart > EQUAL:
        result.status = "changes-semantics"
        result.reason = f"differs from the original by {apart:.1g} on a benign input in exact arithmetic"
    elif not result.failed_before:
        result.reason = "no failing input could be compared"
    elif result.failed_after:
        result.status = "rejected"
        result.reason = f"still fails on {result.failed_after} of {result.inputs} inputs"
    else:
        result.status = "verified"
        if beyond:
            result.reason = f"not in {', '.join(sorted(_narrow(cases)))}, which has too few digits or too small a range"
    return result


def _narrow(cases: list[Case]) -> set[str]:
    return {case.form.name for case in cases if case.form.precision < FLOAT32.precision}


def _account(result: CureResult, case: Case, error: float | None, decides: bool) -> bool:
    """Add one input to the account of a candidate; give whether it fails where that does not decide.

    A guard of 1e-30 is none in float16, and `numpy.linalg` has no float16 at all: who chooses a
    narrow format chooses its range. It decides only where the failure itself was found in it.
    """
    if error is None:
        return False
    failed = error > math.sqrt(case.form.eps)
    if failed and not decides:
        return True
    result.inputs += 1
    result.failed_before += case.failed
    result.failed_after += failed
    old = result.by_format.get(case.form.name, (0.0, 0.0))
    result.by_format[case.form.name] = (max(old[0] or 0.0, case.error), max(old[1] or 0.0, error))
    result.error_before = max(result.error_before or 0.0, case.error)
    result.error_after = max(result.error_after or 0.0, error)
    return False


def _apart(before: Outcome, after: Outcome, exact_before: Truth, exact_after: Truth) -> float:
    """Difference of the outputs on a benign input: in exact arithmetic where there is one, else in float64."""
    names = set(exact_before.outputs) & set(exact_after.outputs)
    if names and exact_before.kind.startswith("exact") and exact_after.kind.startswith("exact"):
        return max(disagreement(exact_before.outputs[name], exact_after.outputs[name], False) for name in names)
    shared = set(before.outputs) & set(after.outputs)
    if not shared:
        return 0.0
    native = max(disagreement(before.outputs[name], after.outputs[name], False) for name in shared)
    return 0.0 if native < 1e-6 else native
