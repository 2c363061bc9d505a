"""Why a number is wrong: which of the signatures of inaccuracy it has, each by a measurement of its own.

A relative error says that digits are lost, not how. Four measurements tell causes apart;
a result can show several of them, since a sum that cancels does so on an ill-conditioned
input:

cancellation, absorption, underflow
    The code is run once more with a wider value beside every number (`trace`). Cancellation: an
    operation on the true operands, merely rounded, loses half of the digits, as a difference of
    nearly equal numbers does and a logarithm near 1. Absorption: a term that changes nothing.
    Underflow: a zero that is none in truth, where Python raises instead of giving -inf.
ill-conditioned
    The computed result, when every input is moved by one rounding error: more than half of
    its digits change.
backward-error
    The true result, when every input is moved by one rounding error: the computed one is
    wrong by far more than that, so it is the answer to no nearby question (Higham, Accuracy
    and Stability of Numerical Algorithms, 2nd ed., sec. 1.5).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .autograd import Given
from .harness import Harness
from .leaves import mapped
from .symptoms import INEXACT, Expected, distance, numbers
from .trace.evaluate import adopt
from .trace.events import Event
from .trace.shadow import Shadow
from .verdict import Figure

EXCUSED = 100.0
"""A good algorithm is wrong by at most so many times what the rounding of its inputs explains."""
HALF = 2.0**-26
CANCELLED = 0.5
"""Share of the significand that an operation must lose to be called cancellation."""
PATTERNS = 5
TRACED = ("cancellation", "absorption", "underflow")
SIGNATURES = (*TRACED, "ill-conditioned", "backward-error")
Reference = Callable[[dict[str, Any]], Expected]


def causes(
    harness: Harness, reference: Reference, wanted: tuple[str, ...], found: dict[str, Figure], seconds: float
) -> dict[str, Figure]:
    """The causes of a wrong number among the `wanted` signatures, with what was measured.

    Parameters
    ----------
    harness : Harness
    reference : callable
        True values by inputs.
    wanted : tuple of str
        Measurements are dear: these are made and no others.
    found : dict of str to Figure
        What the run showed.
    seconds : float
        For each run.
    """
    measured: dict[str, Figure] = {}
    error = found.get(INEXACT)
    if "ill-conditioned" in wanted:
        moved = sensitivity(harness, seconds)
        if moved > HALF:
            measured["ill-conditioned"] = Figure("moved by one rounding error in the input", moved)
    if error is None:
        return measured
    if "backward-error" in wanted:
        explained = spread(harness.inputs, reference)
        if explained is not None and error.value > EXCUSED * explained:
            measured["backward-error"] = error
    if set(TRACED) & set(wanted):
        for signature in _traced(harness, seconds):
            if signature in wanted:
                measured[signature] = error
    return measured


def sensitivity(harness: Harness, seconds: float) -> float:
    """How far the computed result moves when the inputs move by one rounding error; infinite where there is none."""
    here = harness.run(harness.inputs, Given(), seconds)
    if here.raised is not None:
        return math.inf
    return max(
        (_apart(here.outputs, harness.run(inputs, Given(), seconds).outputs) for inputs in nearby(harness.inputs, 2)),
        default=0.0,
    )


def spread(inputs: dict[str, Any], reference: Reference) -> float | None:
    """How far the true result moves when the inputs move by one rounding error; None where it has none nearby."""
    here = reference(inputs)
    if not here.defined:
        return None
    widest = 0.0
    for changed in nearby(inputs, PATTERNS):
        there = reference(changed)
        if not there.defined:
            return None
        widest = max(widest, _apart(here.outputs, there.outputs))
    return widest


def _apart(one: dict[str, Any], other: dict[str, Any]) -> float:
    """Relative distance of two results; that from zero is measured against 1, as an error is."""
    widest = 0.0
    for left, right in zip(numbers(one), numbers(other)):
        if left.shape == right.shape and left.size:
            zero = not left.any() and bool(np.all(np.isfinite(right)))
            widest = max(widest, float(np.abs(right).max()) if zero else distance(left, right))
    return widest


def nearby(inputs: dict[str, Any], count: int) -> Iterator[dict[str, Any]]:
    """Inputs whose numbers are one rounding error away, up or down.

    Alternately first, then by chance: a function that is symmetric in its inputs, such as a
    variance, may not notice one regular pattern.
    """
    generator = np.random.default_rng(1)
    turn = itertools.count()

    def alternating(size: int) -> Any:
        return (np.arange(size) + next(turn)) % 2 == 0

    def drawn(size: int) -> Any:
        return generator.random(size) < 0.5

    for number in range(count):
        upward = drawn if number else alternating

        def moved(item: Any, upward: Callable[[int], Any] = upward) -> Any:
            toward = np.where(upward(item.size).reshape(item.shape), np.inf, -np.inf).astype(item.dtype)
            return np.nextafter(item, toward)

        yield {name: mapped(lambda leaf: real(leaf, moved), value) for name, value in inputs.items()}


def real(leaf: Any, function: Callable[[Any], Any]) -> Any:
    """A floating-point leaf with a function of arrays applied to it; other leaves stay."""
    if isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f":
        return function(leaf)
    if isinstance(leaf, float):
        return float(function(np.asarray(leaf, np.float64))[()])
    return leaf


class _Following(Shadow):
    """A shadow over the inputs as they are: nothing is cast."""

    def _lift_leaf(self, value: Any) -> Any:
        return adopt(value.copy() if isinstance(value, np.ndarray) else value)


def _traced(harness: Harness, seconds: float) -> tuple[str, ...]:
    """What the tracer saw in the sums and differences of the run.

    A term can be absorbed where no sum is seen: by a cast, by a constant that the format cannot
    hold, inside of a fused operation. So absorption is denied only when something else explains
    the wrong number, and neither is denied where the tracer cannot follow.
    """
    tracer = _Following()
    outcome = harness.run(harness.inputs, tracer, 2 * seconds)
    events = tracer.ledger.events
    seen = []
    if any(
        event.eps**CANCELLED < event.local < math.inf or _bits(event) > CANCELLED or _raised(event) for event in events
    ):
        seen.append("cancellation")
    if any(event.absorbed for event in events):
        seen.append("absorption")
    if any(event.zero or event.underflows for event in events):
        seen.append("underflow")
    if any(event.birth and event.birth.kind == "overflow" for event in events):
        return tuple(seen)
    followed = not isinstance(outcome.raised, (TypeError, AttributeError, RecursionError, TimeoutError))
    if not followed or tracer.ledger.lost or not events:
        return ("cancellation", "absorption", *seen)
    return (*seen, "absorption")


def _raised(event: Event) -> bool:
    """Whether Python raised at an operand that is a pole only because it was rounded."""
    return event.birth is not None and event.birth.kind == "raised" and not event.birth.from_false_zero


def _bits(event: Event) -> float:
    """Share of the significand that a difference took off."""
    return event.cancelled / -math.log2(event.eps)
