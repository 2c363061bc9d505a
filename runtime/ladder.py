"""The ladder of harnesses: how a target can be run, most convincing first.

Recorded arguments come from real use, declared ones from the user, synthesised ones from
a search, and a slice is the flagged expression alone. Whoever climbs down takes what a
rung yields, and has the account of why the others gave nothing, with the one line that
would change it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .harness import Harness
from .loading import Loaded
from .target import Target
from .verdict import RUNGS


@dataclass
class Options:
    """How much may be spent on finding harnesses.

    Attributes
    ----------
    rungs : tuple of str
        Which are climbed.
    seconds : float
        For the search of arguments; slices have half of it.
    seed : int
    """

    rungs: tuple[str, ...] = RUNGS
    seconds: float = 4.0
    seed: int = 0


@dataclass
class Ladder:
    """The rungs for one target; iterate to climb down.

    Attributes
    ----------
    reasons : list of (rung, reason, remedy)
        Why a rung gave nothing.
    """

    loaded: Loaded
    target: Target
    options: Options = field(default_factory=Options)
    reasons: list[tuple[str, str, str]] = field(default_factory=list)
    _last_resort: Harness | None = None

    def __iter__(self) -> Iterator[Harness]:
        for rung in self.options.rungs:
            try:
                yield from getattr(self, f"_{rung}")()
            except Exception as error:  # a rung that breaks must not take the others with it
                self.reasons.append((rung, f"{type(error).__name__}: {str(error)[:200]}", ""))

    def _recorded(self) -> Iterator[Harness]:
        yield from self._of_recording("recorded", "harnesses", bool(self.target.recordings), "no call is recorded")

    def _declared(self) -> Iterator[Harness]:
        yield from self._of_recording("declared", "declared", bool(self.target.declared), "no inputs are declared")

    def _of_recording(self, rung: str, name: str, given: bool, reason: str) -> Iterator[Harness]:
        remedy = "numlint record -- pytest"
        if not given:
            self.reasons.append((rung, reason, remedy))
            return
        module: Any = importlib.import_module(".recording", __package__)
        source: Callable[[Loaded, Target], Iterable[Harness]] = getattr(module, name)
        count = 0
        for harness in source(self.loaded, self.target):
            count += 1
            yield harness
        if not count:
            self.reasons.append((rung, "no recording fits the function as it is now", remedy))

    def _synthesised(self) -> Iterator[Harness]:
        from .synthesis import Failure, synthesise

        found = synthesise(self.loaded, self.target, self.options.seconds, self.options.seed)
        if isinstance(found, Failure):
            self.reasons.append(("synthesised", found.reason, found.remedy))
        elif "slice" in self.options.rungs and _fails(found):
            self._last_resort = found  # it reaches the flagged expression, and no input could be judged by its result
        else:
            yield found

    def _slice(self) -> Iterator[Harness]:
        from .slices import slices

        count = 0
        for harness in slices(self.loaded, self.target, self.options.seconds / 2, self.options.seed):
            count += 1
            yield harness
        if not count:
            self.reasons.append(("slice", "no slice of the function runs", "numlint record -- pytest"))
            if self._last_resort is not None:
                yield self._last_resort


def _fails(harness: Harness) -> bool:
    """Whether the call ends in an exception that is no numerical one, on its benign inputs already."""
    raised = harness.run().raised
    return raised is not None and not isinstance(raised, (ArithmeticError, np.linalg.LinAlgError))


def ladder(loaded: Loaded, target: Target, options: Options | None = None) -> Ladder:
    """Harnesses for a target, most convincing first; `Ladder.reasons` tells why a rung gave none."""
    return Ladder(loaded, target, options or Options())
