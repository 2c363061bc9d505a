"""Integers that wrap around, beside Python's, which do not.

Images and counts come in small types: the difference of two bytes is 254 where it should
be -2, and the square of 50,000 is negative in 32 bits. Integer inputs are cast to each of
these types, drawn near its limits within their roles, and the call is run a second time on
object arrays of Python integers. A flagged value that differs has wrapped.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import protocol
from ..harness import Harness
from ..target import Role, Target
from ..verdict import Evidence, Figure, Sample
from . import Experiment, Result, Session

TYPES = ("uint8", "int8", "int16", "int32", "int64")
SHARES = (0.01, 0.1, 0.5, 1.0)
"""Of the largest number of the type: how far the values reach."""
REALISTIC = {"uint8": 1.0, "int8": 1.0, "int16": 0.5, "int32": 0.01}
"""Shares that real data of the type has: a pixel is often 255, a 32-bit count seldom beyond 2e7."""


def integers(harness: Harness) -> list[str]:
    """The inputs that are arrays of integers."""
    kinds = ("image", "count", "any", "nonnegative", "label")
    return [
        name
        for name, value in harness.inputs.items()
        if isinstance(value, np.ndarray)
        and value.dtype.kind in "iu"
        and harness.roles.get(name, Role()).kind in kinds
        and value.size
    ]


def _drawn(
    value: Any, kind: np.dtype[Any], share: float, role: Role, generator: np.random.Generator, descending: bool
) -> Any:
    """Numbers up to a share of what the type holds, inside the role, from one end to the other."""
    limits = np.iinfo(kind)
    low, high = int(max(limits.min * share, role.low)), int(min(limits.max * share, role.high))
    drawn = generator.integers(low, high, size=value.shape, endpoint=True, dtype=np.int64).ravel()
    drawn[0], drawn[-1] = (high, low) if descending else (low, high)
    return drawn.astype(kind).reshape(value.shape)


def wrapped(native: list[Any], exact: list[Any]) -> tuple[int, Any, Any] | None:
    """The first number that differs from Python's: by how much, what it is and should be."""
    for one, other in zip(native, exact):
        here, there = np.asarray(one), np.asarray(other)
        if here.dtype.kind not in "iu" or here.shape != there.shape or there.dtype != object:
            continue
        for got, true in zip(here.ravel().tolist(), there.ravel().tolist()):
            if isinstance(true, int) and got != true:
                return abs(got - true), got, true
    return None


class Wraparound(Experiment):
    name = "wraparound"
    signatures = ("wraparound",)

    def applies(self, target: Target, harness: Harness) -> bool:
        return super().applies(target, harness) and bool(integers(harness))

    def run(self, harness: Harness, session: Session) -> Result:
        session.perturbations.append("integer type")
        note = "no input could be judged: the call does not run on Python integers"
        for share, name in _turns(harness):
            generator = session.generator()
            kind = np.dtype(name)
            drawn = {
                item: _drawn(
                    harness.inputs[item], kind, share, harness.roles.get(item, Role()), generator, bool(number % 2)
                )
                for number, item in enumerate(integers(harness))
            }
            inputs = {**harness.inputs, **drawn}
            native = harness.run(inputs)
            exact = harness.run({**inputs, **{item: value.astype(object) for item, value in drawn.items()}})
            session.runs += 2
            session.inputs += 1
            if native.raised is not None or exact.raised is not None:
                continue
            note = ""
            found = wrapped(native.sites, exact.sites)
            if found is not None:
                return Result(_evidence(inputs, name, share, found))
        return Result(note=note)


def _turns(harness: Harness) -> Iterator[tuple[float, str]]:
    """Shares and types, the types of the inputs themselves first."""
    own = {harness.inputs[name].dtype.name for name in integers(harness)}
    types = sorted(TYPES, key=lambda name: (name not in own, TYPES.index(name)))
    for share in SHARES:
        for name in types:
            yield share, name


def _evidence(inputs: dict[str, Any], name: str, share: float, found: tuple[int, Any, Any]) -> Evidence:
    apart, got, true = found
    grade = "realistic" if share <= REALISTIC.get(name, 0.0) else "stress"
    return Evidence(
        signature="wraparound",
        realism=grade,
        figure=Figure("difference from the true integer", float(apart)),
        format=name,
        knob=f"largest {name}",
        magnitude=float(np.iinfo(name).max * share),
        smallest=Sample(
            {item: protocol.literal(value) for item, value in inputs.items()},
            name,
            str(got),
            str(true),
            exact=protocol.encode(inputs),
        ),
        note=f"{true} does not fit into the type of the result and comes out as {got}",
    )


EXPERIMENT = Wraparound()
