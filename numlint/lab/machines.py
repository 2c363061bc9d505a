"""The same run on other machines, each emulated in a process of its own.

A solver that inverts directions which are only rounding gives other weights on every kernel
set of the linear algebra library; one that does not gives the same. Each run is repeated
under the kernel sets that can be chosen here, and the largest weights stand side by side.
What was asked for is held against what a process says that it runs: a machine that was not
honoured is said so, and not counted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numlint.confirm.emulation import Emulation, emulations
from numlint.lab.laboratory import Experiment, Search
from numlint.lab.results import MACHINE
from numlint.runtime.lab.record import REFUSED, Run

MOST = 6
"""Runs that are repeated."""
SPREAD = 1.01
"""Ratio of the largest weights from which on they depend on the machine."""


@dataclass(frozen=True)
class Repeated:
    """A run on one machine.

    Attributes
    ----------
    machine : str
    honoured : bool
        Whether the process was that machine.
    run : Run
    """

    machine: str
    honoured: bool
    run: Run


@dataclass(frozen=True)
class Weights:
    """What the machines made of one run.

    Attributes
    ----------
    run : Run
    machines : tuple of Repeated
    """

    run: Run
    machines: tuple[Repeated, ...]

    @property
    def spread(self) -> float:
        """Ratio of the largest to the smallest of the largest weights; inf where one is not finite."""
        sizes = [item.run.largest_weight for item in self.machines if item.honoured]
        if len(sizes) < 2:
            return 1.0
        if not all(map(math.isfinite, sizes)):
            return math.inf if any(map(math.isfinite, sizes)) else 1.0
        least = min(sizes)
        return max(sizes) / least if least else math.inf if max(sizes) else 1.0

    @property
    def depends(self) -> bool:
        """Whether the weights depend on the machine."""
        return self.spread > SPREAD


def emulated(description: Mapping[str, Any]) -> tuple[list[Emulation], str]:
    """The machines that can be emulated where a process describes itself so, and what cannot be."""
    if not description.get("libraries"):
        return [], "the interpreter does not say which linear algebra it has"
    found, note = emulations(description)
    return [item for item in found if not item.name.startswith("numpy without")], note


def chosen(runs: Sequence[Run], names: Sequence[str]) -> list[Run]:
    """Runs worth repeating: of each value of the settings but lr and seed the one with the largest weights."""
    told = [name for name in names if name not in ("lr", "seed", "order")]
    groups: dict[tuple[Any, ...], list[Run]] = {}
    for run in runs:
        if run.status != REFUSED:
            key = tuple(run.configuration.settings.get(name) for name in told)
            groups.setdefault(key, []).append(run)
    worst = [max(group, key=_size) for group in groups.values()]
    if len(worst) <= MOST:
        return worst
    kept = {id(run) for run in sorted(worst, key=_size, reverse=True)[:MOST]}
    return [run for run in worst if id(run) in kept]


def _size(run: Run) -> float:
    return run.largest_weight if math.isfinite(run.largest_weight) else math.inf


def weights(run: Run, machines: Sequence[Emulation]) -> Search[Weights]:
    """Repeat a run on every machine."""
    repeated = []
    for machine in machines:
        again = yield Experiment(run.configuration, MACHINE, machine.name, dict(machine.environment))
        description = again.environment
        honoured = bool(description.get("libraries")) and machine.honoured(description)
        repeated.append(Repeated(machine.name, honoured, again))
    return Weights(run, tuple(repeated))
