"""Which parts of a model may run in float16 or bfloat16, by measuring.

A model is run forwards and backwards in float64, the shadow, and then in float32 with some
of its units in the low format. A set of units is allowed while outputs and gradients stay
within a tolerance of the shadow. Each unit is tried alone first. Then all that were allowed
are taken together; while that is too much, one is given up: the one from which the first inf
or nan comes, or else the one without which the error is least. What was given up is tried
again at the end, so that no more units than needed stay in float32. That search is greedy,
as that of Precimonious (C. Rubio-Gonzalez et al., Precimonious: Tuning Assistant for
Floating-Point Precision, SC 2013) is for variables.

Gradients are measured with a loss scale, as training in float16 has it (P. Micikevicius et
al., Mixed Precision Training, ICLR 2018): the largest power of two with which they are finite.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Protocol

from ...formats import FORMATS
from ..answers import Policy, Unit
from ..data import Refused
from ..probes.subject import CannotAsk, Subject

LOW = ("float16", "bfloat16")
MOST = 48
"""Units up to which each is left out in turn to find the one that costs most."""


@dataclass(frozen=True)
class Measured:
    """What a choice of units costs.

    Attributes
    ----------
    error : float
        The larger of the relative errors of outputs and of gradients; inf where either is not finite.
    origin : str
        The first unit that gave an inf or nan where the shadow has none; empty where none did.
    why : str
        ``"overflow"``, ``"underflow"`` or ``"rounding"``; empty where nothing was lost.
    scale : float
        Of the loss.
    """

    error: float
    origin: str = ""
    why: str = ""
    scale: float = 1.0


class Bench(Protocol):
    """A model whose units can be run in one format or another."""

    backend: str
    device: str
    units: list[Unit]

    def measure(self, low: Collection[str]) -> Measured:
        """Run with these units in the low format, and compare with the shadow."""


def policy(subject: Subject, form: str, tolerance: float, seconds: float = 60.0) -> Policy:
    """Find the units of a model that may run in a low format.

    Parameters
    ----------
    subject : Subject
    form : str
        ``"float16"`` or ``"bfloat16"``.
    tolerance : float
        Largest relative error of outputs and gradients.
    seconds : float
        After these nothing more is tried, and what was not allowed yet stays in float32.

    Raises
    ------
    Refused
        The task yields no model that can be run so.
    """
    if form not in LOW:
        raise Refused(f"a policy is for {' or '.join(LOW)}, not for {form}")
    try:
        return search(_bench(subject, form), form, tolerance, seconds)
    except CannotAsk as reason:
        raise Refused(f"{reason.why}; to make it possible, {reason.remedy}") from reason
    except Refused:
        raise
    except Exception as error:
        raise Refused(f"its model cannot be measured: {type(error).__name__}: {error}") from error


def _bench(subject: Subject, form: str) -> Bench:
    from . import modules, operations

    state = subject.last(1)
    if "model" in state:
        return modules.bench(subject, form)
    return operations.bench(state, FORMATS[form])


def search(bench: Bench, form: str, tolerance: float, seconds: float = math.inf) -> Policy:
    """The largest set of units that was found within the tolerance."""
    until = time.monotonic() + seconds
    names = [unit.name for unit in bench.units]
    wide = bench.measure(())
    found = Policy(form, bench.backend, list(bench.units), tolerance=tolerance, device=bench.device)
    found.error_wide, found.error_all = wide.error, bench.measure(names).error
    found.units = []
    low: list[str] = []
    given_up: list[str] = []
    reasons: dict[str, str] = {}
    alone: dict[str, float] = {}
    # float32 itself may be further from the shadow than was asked for: that is no fault of a unit.
    allowed = max(tolerance, 2 * wide.error) if math.isfinite(wide.error) else tolerance
    for name in names:
        one = bench.measure([name]) if time.monotonic() < until else Measured(math.inf)
        alone[name] = one.error
        (low if one.error <= allowed else given_up).append(name)
        if one.error > allowed:
            reasons[name] = one.why
    together = bench.measure(low)
    while together.error > allowed and low:
        name = together.origin if together.origin in low else _costliest(bench, low, alone, until)
        reasons[name] = together.why
        low.remove(name)
        given_up.append(name)
        together = bench.measure(low)
    for name in sorted(given_up, key=alone.__getitem__):
        if time.monotonic() >= until:
            break
        again = bench.measure([*low, name])
        if again.error <= allowed:
            low.append(name)
            together = again
    for unit in bench.units:
        may = unit.name in low
        found.units.append(replace(unit, low=may, error=alone[unit.name], why="" if may else reasons[unit.name]))
    found.error, found.loss_scale = together.error, together.scale
    return found


def _costliest(bench: Bench, low: list[str], alone: dict[str, float], until: float) -> str:
    """The unit without which the error is least."""
    if len(low) > MOST or time.monotonic() >= until:
        return max(low, key=alone.__getitem__)
    without = {name: bench.measure([other for other in low if other != name]).error for name in low}
    least = min(without.values())
    if not math.isfinite(least):
        return max(low, key=alone.__getitem__)
    return min(low, key=without.__getitem__)
