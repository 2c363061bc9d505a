"""What a sweep came to: all that the output formats show."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from numlint.lab.boundary import Boundary
from numlint.lab.machines import Weights
from numlint.lab.outcome import descends, severity, sick, signatures, unstable
from numlint.lab.recommend import Remedy
from numlint.lab.results import Asked
from numlint.lab.sweep import Axis, Sweep
from numlint.lab.task import Task
from numlint.runtime.lab.configuration import Setting
from numlint.runtime.lab.record import REFUSED, Finding, Run


@dataclass(frozen=True)
class Conclusion:
    """Runs, and what follows from them.

    Attributes
    ----------
    asked : Asked
    runs : tuple of Run
        In the order of the grid.
    boundaries : tuple of Boundary
    remedies : tuple of Remedy
    weights : tuple of Weights
    notes : tuple of str
        What a reader must know besides.
    left : int
        Runs that were asked for and not made: the time was up, or Ctrl-C came.
    seconds : float
    folder : str
    """

    asked: Asked
    runs: tuple[Run, ...]
    boundaries: tuple[Boundary, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    weights: tuple[Weights, ...] = ()
    notes: tuple[str, ...] = ()
    left: int = 0
    seconds: float = 0.0
    folder: str = ""

    @property
    def task(self) -> Task:
        return self.asked.sweep.task

    @property
    def names(self) -> tuple[str, ...]:
        """The settings that tell the runs apart."""
        return self.asked.sweep.names

    @property
    def is_healthy(self) -> bool:
        return not any(map(sick, self.runs)) and not any(item.depends for item in self.weights)

    @property
    def was_refused(self) -> bool:
        """Whether no run could be made as it was asked for."""
        return bool(self.runs) and all(run.status == REFUSED for run in self.runs)

    def recommendations(self) -> Iterator[tuple[str, list[Remedy]]]:
        """What cured, or else helped, with the failing runs that it helped; for the worst failures first."""
        found: dict[tuple[str, str], list[Remedy]] = {}
        for remedy in self.remedies:
            if remedy.best is not None:
                found.setdefault((remedy.best.name, remedy.best.verdict), []).append(remedy)

        def worth(remedies: list[Remedy]) -> tuple[int, int]:
            worst = max(severity(remedy.failing)[0] for remedy in remedies)
            return (-worst, -sum(remedy.stands_for for remedy in remedies))

        for (name, _), remedies in sorted(found.items(), key=lambda item: worth(item[1])):
            yield name, remedies

    def named(self) -> Iterator[tuple[str, list[tuple[Run, Finding]]]]:
        """Each signature with the runs in which it was named and its first finding there; the most frequent first."""
        found: dict[str, list[tuple[Run, Finding]]] = {}
        for run in self.runs:
            for signature in signatures(run):
                first = min((item for item in run.findings if item.signature == signature), key=lambda item: item.epoch)
                found.setdefault(signature, []).append((run, first))
        yield from sorted(found.items(), key=lambda item: -len(item[1]))

    def conditions(self, name: str) -> tuple[float, float]:
        """The smallest and the largest of a condition number over all runs; nan where none was measured."""
        values = [getattr(run.conditions, name) for run in self.runs]
        known = [value for value in values if not math.isnan(value)]
        return (min(known), max(known)) if known else (math.nan, math.nan)


def ordered(runs: Sequence[Run], sweep: Sweep) -> tuple[Run, ...]:
    """Runs in the order of the grid; along a setting whose boundary was searched, by its value."""

    def place(run: Run) -> tuple[float, ...]:
        return tuple(_place(run.configuration.settings.get(axis.name), axis, sweep.adaptive) for axis in sweep.axes)

    return tuple(sorted(runs, key=place))


def _place(value: Setting, axis: Axis, adaptive: str) -> float:
    if axis.name == adaptive and isinstance(value, (int, float)):
        return float(value)
    return float(axis.values.index(value)) if value in axis.values else float(len(axis.values))


def bracketed(runs: Sequence[Run], names: Sequence[str], setting: str = "lr") -> tuple[Boundary, ...]:
    """What a grid says of a boundary: between which two of its values it lies, for each combination of the others."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        known = isinstance(run.configuration.settings.get(setting), (int, float))
        if known and run.status != REFUSED and descends(run):
            groups.setdefault(run.configuration.changed(**{setting: None}).fingerprint, []).append(run)
    found = []
    for group in groups.values():
        group.sort(key=lambda run: float(run.configuration[setting] or 0))
        values = [float(run.configuration[setting] or 0) for run in group]
        failed = [unstable(run) for run in group]
        fails = next((value for value, broken in zip(values, failed, strict=True) if broken), math.nan)
        holds = max(
            (value for value, broken in zip(values, failed, strict=True) if not broken and not value > fails),
            default=math.nan,
        )
        held = [run for run, broken in zip(group, failed, strict=True) if not broken] or group
        theory = held[-1].conditions.largest_stable_lr
        found.append(Boundary(setting, group[0].configuration, holds, fails, theory, len(group)))
    return tuple(found)
