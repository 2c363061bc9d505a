"""Whether a rewrite cures: it is run on the inputs on which the original failed.

First it must mean the same: on benign inputs, in exact arithmetic, original and rewrite
agree; if they do not, the rewrite changes the semantics (an added epsilon, a ridge) and is
shown as such, never applied. Then both run on the failing inputs in every format, and the
errors before and after stand side by side. A look-alike that does not help is rejected
with its figure.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from .arithmetic import Arithmetic
from .compare import disagreement
from .formats import Format
from .harness import Harness
from .oracle import true_value
from .target import Candidate
from .trial import Judge
from .verdict import CureResult

EQUAL = 1e-13
"""Exact values of original and rewrite on benign inputs may differ by this: constants such as
``np.log(2 * np.pi)`` are evaluated in float64 before the exact arithmetic sees them."""


def verify(
    harness: Harness,
    candidate: Candidate,
    failing: Sequence[tuple[Format, dict[str, Any]]],
    judge: Judge,
    until: float,
) -> CureResult:
    """Run one candidate on the failing inputs.

    Parameters
    ----------
    harness : Harness
    candidate : Candidate
    failing : sequence of (Format, inputs)
        Inputs on which the original fails.
    judge : Judge
        The one that judged the original.
    until : float
        `time.monotonic` at which to stop.
    """
    result = CureResult(candidate.summary, "not-run", text=candidate.text, safety=candidate.safety)
    if harness.rewritten is None or not candidate.source:
        result.reason = "advice only: there is no edit to run"
        return result
    benign = harness.inputs
    before = harness.run(benign)
    exact_before = true_value(harness, benign, 2.0)
    with harness.rewritten(candidate.source, candidate.region) as cured:
        if cured is None:
            result.reason = "the rewritten function does not fit the place of the original"
            return result
        after = cured.run(benign)
        if after.raised is not None and before.raised is None:
            result.status, result.reason = "rejected", f"raises {type(after.raised).__name__}: {after.raised}"
            return result
        apart = _apart(before, after, exact_before, true_value(cured, benign, 2.0))
        if apart > EQUAL:
            result.status = "changes-semantics"
            result.reason = f"differs from the original by {apart:.1g} on a benign input in exact arithmetic"
    _measure(harness, candidate, failing, judge, until, result)
    if result.status == "not-run":
        cured = result.inputs and result.failed_after == 0
        result.status = "verified" if cured else "rejected"
        if not cured:
            result.reason = f"still fails on {result.failed_after} of {result.inputs} inputs"
    return result


def _apart(before: Any, after: Any, exact_before: Any, exact_after: Any) -> float:
    """Difference of the outputs on a benign input: in exact arithmetic where there is one, else in float64."""
    names = set(exact_before.outputs) & set(exact_after.outputs)
    if names and exact_before.kind.startswith("exact") and exact_after.kind.startswith("exact"):
        return max(disagreement(exact_before.outputs[name], exact_after.outputs[name], False) for name in names)
    shared = set(before.outputs) & set(after.outputs)
    if not shared:
        return 0.0
    native = max(disagreement(before.outputs[name], after.outputs[name], False) for name in shared)
    return 0.0 if native < 1e-6 else native


def _measure(
    harness: Harness,
    candidate: Candidate,
    failing: Sequence[tuple[Format, dict[str, Any]]],
    judge: Judge,
    until: float,
    result: CureResult,
) -> None:
    assert harness.rewritten is not None
    for form, inputs in failing:
        if time.monotonic() > until and result.inputs:
            break
        truth = true_value(harness, Arithmetic(form).lift(inputs), judge.seconds)
        error_before = judge.error(inputs, form, truth)
        with harness.rewritten(candidate.source, candidate.region) as cured:
            error_after = judge.error(inputs, form, truth, cured) if cured else None
        if error_before is None or error_after is None:
            continue
        result.inputs += 1
        limit = math.sqrt(form.eps)
        result.failed_before += error_before > limit
        result.failed_after += error_after > limit
        old = result.by_format.get(form.name, (0.0, 0.0))
        result.by_format[form.name] = (max(old[0] or 0.0, error_before), max(old[1] or 0.0, error_after))
        result.error_before = max(result.error_before or 0.0, error_before)
        result.error_after = max(result.error_after or 0.0, error_after)
