"""From which value of a setting on training fails, by bisection.

A grid spends most of its runs far from the boundary. Bisection in the logarithm halves the
interval with each run: ten runs find a learning rate within five per cent in four decades.
It presumes that training fails above the boundary and holds below it, which is so for the
step of gradient descent; where the ends of the interval do not show that, they are moved
outwards by decades first.

For gradient descent on a quadratic the boundary is 2/lambda_max, the largest eigenvalue of
the Hessian [1]_; it is given beside the one that was found.

References
----------
.. [1] Y. Nesterov, Introductory Lectures on Convex Optimization, Kluwer, 2004, section 2.1.5.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from numlint.lab.laboratory import Experiment, Search
from numlint.lab.outcome import unstable
from numlint.lab.results import BOUNDARY
from numlint.lab.sweep import Sweep
from numlint.runtime.lab.configuration import Configuration
from numlint.runtime.lab.record import REFUSED, Run

WITHIN = 1.05
"""Ratio of the ends of the interval at which the search is over."""
DECADES = 6
"""How far the ends are moved outwards."""


@dataclass(frozen=True)
class Boundary:
    """Where training starts to fail.

    Attributes
    ----------
    setting : str
    configuration : Configuration
        All other settings.
    holds : float
        Largest value with which training held; nan where none did.
    fails : float
        Smallest value with which it failed; nan where none did.
    theory : float
        2/lambda_max of the last run that held, for a learning rate; nan where it is not known.
    runs : int
        How many runs that took.
    """

    setting: str
    configuration: Configuration
    holds: float
    fails: float
    theory: float = math.nan
    runs: int = 0

    @property
    def value(self) -> float:
        """The geometric mean of the two ends; nan where one is missing."""
        return math.sqrt(self.holds * self.fails)

    @property
    def is_found(self) -> bool:
        return math.isfinite(self.holds) and math.isfinite(self.fails)


def searches(sweep: Sweep) -> Iterator[Search[Boundary]]:
    """One search for each combination of the other settings."""
    axis = sweep.axis(sweep.adaptive)
    assert axis is not None
    numbers = [float(value) for value in axis.values if isinstance(value, (int, float)) and value > 0]
    for configuration in sweep.without(axis.name).configurations():
        yield bisection(configuration, axis.name, min(numbers), max(numbers))


def bisection(configuration: Configuration, setting: str, low: float, high: float) -> Search[Boundary]:
    """Search the boundary between two values; see the module."""
    made = 0
    theory = math.nan
    runs: dict[float, Run] = {}

    def trial(value: float) -> Search[bool]:
        nonlocal made, theory
        run = runs[value] = yield Experiment(configuration.changed(**{setting: value}), BOUNDARY)
        made += 1
        failed = unstable(run)
        if not failed and setting == "lr":
            theory = run.conditions.largest_stable_lr
        return failed

    def found(holds: float, fails: float) -> Boundary:
        known = theory
        if math.isnan(known) and setting == "lr" and runs:
            known = runs[min(runs)].conditions.largest_stable_lr
        return Boundary(setting, configuration, holds, fails, known, made)

    if (yield from trial(low)):
        if runs[low].status == REFUSED:
            return found(math.nan, math.nan)
        for _ in range(DECADES):
            low, high = _rounded(low / 10), low
            if not (yield from trial(low)):
                break
        else:
            return found(math.nan, low)
    elif not (yield from trial(high)):
        for _ in range(DECADES):
            low, high = high, _rounded(high * 10)
            if (yield from trial(high)):
                break
        else:
            return found(high, math.nan)
    while high / low > WITHIN:
        middle = _rounded(math.sqrt(low * high))
        if (yield from trial(middle)):
            high = middle
        else:
            low = middle
    return found(low, high)


def _rounded(value: float) -> float:
    """To four digits, so that the runs are named as they were made."""
    return float(f"{value:.4g}")


def combinations(sweep: Sweep) -> int:
    """How many searches there are."""
    return math.prod(len(axis.values) for axis in sweep.axes if axis.name != sweep.adaptive)
