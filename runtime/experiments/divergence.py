"""Iterations that blow up: from which scale of the data, or rate of learning, the result grows without bound.

A fixed step of gradient descent is stable up to ``2 / lambda_max`` of the Hessian; on
features that nobody has scaled, a usual rate is beyond it, and the weights grow by a
factor in every pass. Each real input is multiplied, ordinary factors first, until the
outputs are not finite or a million times what they were in proportion; bisection gives the
factor from which they do. Where a design matrix is among the inputs, the bound is told.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import leaves, protocol
from ..arithmetic import Arithmetic
from ..boundary import bisect
from ..formats import FLOAT64, FORMATS, Format
from ..harness import Harness, Outcome
from ..target import Target
from ..verdict import Boundary, Evidence, Figure, Sample
from . import Experiment, Result, Session
from .stopping import REALISTIC, STRESS, Unit, grade, units

GROWTH = 1e6
"""How much more than the factor itself the outputs may grow."""


def growth(before: Outcome, after: Outcome) -> float:
    """Factor by which the largest output has grown; infinite where one is not finite any more."""
    sizes = [_size(outcome) for outcome in (before, after)]
    if not np.isfinite(sizes[1]):
        return float("inf")
    return sizes[1] / max(sizes[0], 1e-300) if sizes[0] else 1.0


def _size(outcome: Outcome) -> float:
    arrays = [
        np.asarray(leaf, dtype=np.float64) for _, leaf in leaves.leaves(outcome.outputs) if leaves.is_floating(leaf)
    ]
    if any(not np.all(np.isfinite(item)) for item in arrays):
        return float("inf")
    return max((float(np.max(np.abs(item), initial=0.0)) for item in arrays), default=0.0)


def stable_rate(inputs: dict[str, Any]) -> tuple[str, float] | None:
    """The name of a design matrix among the inputs, and ``2 / lambda_max`` of its mean Gram matrix."""
    for name, value in inputs.items():
        if (
            isinstance(value, np.ndarray)
            and value.ndim == 2
            and value.dtype.kind == "f"
            and value.shape[0] > value.shape[1]
        ):
            largest = float(np.linalg.norm(value.astype(np.float64), 2)) ** 2 / len(value)
            if np.isfinite(largest) and largest > 0:
                return name, 2 / largest
    return None


class Divergence(Experiment):
    name = "divergence"
    signatures = ("divergence",)

    def applies(self, target: Target, harness: Harness) -> bool:
        iterates = target.code[:3] in ("NL5", "NL9") and target.signature in ("overflow", "nan")
        return super().applies(target, harness) or iterates

    def run(self, harness: Harness, session: Session) -> Result:
        until = time.monotonic() + session.seconds * 0.4
        session.perturbations.append("unit")
        for form in [FORMATS[name] for name in session.formats if FORMATS[name].precision >= 24]:
            before = harness.run(arithmetic=Arithmetic(form))
            if before.raised is not None:
                return Result(note=f"no input could be judged: {type(before.raised).__name__}: {before.raised}")
            if not np.isfinite(_size(before)):
                return Result(self._evidence(harness, session, None, form, before, float("inf"), None))
            for unit in self._units(harness, until):
                after = harness.run(unit.of(harness.inputs), Arithmetic(form))
                session.runs += 1
                session.inputs += 1
                found = growth(before, after)
                # What is linear in its input grows as the input does, a square as its square.
                if after.raised is None and found > GROWTH * unit.magnitude**2:
                    return Result(self._bounded(harness, session, unit, form, before, until))
        return Result()

    def _units(self, harness: Harness, until: float) -> Iterator[Unit]:
        for unit in units(harness, endless=True):
            if time.monotonic() > until:
                return
            yield unit

    def _bounded(
        self, harness: Harness, session: Session, unit: Unit, form: Format, before: Outcome, until: float
    ) -> Evidence:
        def fails(magnitude: float) -> bool:
            session.runs += 1
            after = harness.run(unit.at(magnitude).of(harness.inputs), Arithmetic(form))
            return after.raised is None and growth(before, after) > GROWTH * magnitude**2

        edge = bisect(fails, 1.0, unit.magnitude, max(until, time.monotonic() + 0.5))
        after = harness.run(unit.at(edge).of(harness.inputs), Arithmetic(form))
        boundary = Boundary(unit.knob, {form.name: edge}, realistic=REALISTIC, stress=STRESS)
        return self._evidence(harness, session, unit.at(edge), form, after, growth(before, after), boundary)

    def _evidence(
        self,
        harness: Harness,
        session: Session,
        unit: Unit | None,
        form: Format,
        outcome: Outcome,
        found: float,
        boundary: Boundary | None,
    ) -> Evidence:
        inputs = unit.of(harness.inputs) if unit is not None else harness.inputs
        bound = stable_rate(inputs)
        note = (
            f"a fixed step is stable up to 2 / lambda_max = {bound[1]:.3g} of {bound[0]}" if bound is not None else ""
        )
        return Evidence(
            signature="divergence",
            realism=grade(unit.magnitude if unit is not None else 1.0, form),
            figure=Figure("growth of the result", found),
            format=form.name,
            knob=boundary.knob if boundary is not None else "",
            magnitude=unit.magnitude if unit is not None else None,
            smallest=Sample(
                {name: protocol.literal(value) for name, value in inputs.items()},
                form.name,
                protocol.literal(outcome.outputs.get("return")),
                exact=protocol.encode(inputs),
            ),
            boundary=boundary,
            chain=("divergence", "overflow") if form is FLOAT64 and np.isinf(found) else (),
            note=note,
        )


EXPERIMENT = Divergence()
