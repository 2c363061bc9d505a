"""Two folders of results side by side, where they may be compared.

Two runs belong together when they differ in nothing but what is being compared. What that
is follows from the sweeps, or is named; any other difference between two results makes the
comparison meaningless, and it is refused with the differences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numlint.lab.results import BOUNDARY, GRID, Results
from numlint.lab.task import spelled, written
from numlint.runtime.lab.configuration import ALIASES, Configuration, differences
from numlint.runtime.lab.record import Run


class UnmatchedError(Exception):
    """The results differ in more than what was swept; the message lists in what."""


@dataclass(frozen=True)
class Comparison:
    """Pairs of matched runs.

    Attributes
    ----------
    task : str
    names : tuple of str
        Settings that tell the pairs apart.
    across : tuple of str
        Settings in which the two runs of a pair differ.
    pairs : tuple of (Run, Run)
    alone : tuple of int
        Runs on either side that have no counterpart.
    surroundings : dict of str to tuple
        What differs in the environments, with both sides: python, numpy, kernels.
    """

    task: str
    names: tuple[str, ...]
    across: tuple[str, ...]
    pairs: tuple[tuple[Run, Run], ...]
    alone: tuple[int, int]
    surroundings: dict[str, tuple[str, str]]

    @property
    def changed(self) -> list[tuple[Run, Run]]:
        """The pairs that did not end the same way."""
        return [(one, other) for one, other in self.pairs if one.status != other.status]


def compare(one: Results, other: Results, across: Sequence[str] = ()) -> Comparison:
    """Match the runs of two folders.

    Parameters
    ----------
    one, other : Results
    across : sequence of str
        Settings in which they may differ, besides those that each of them swept over one value.

    Raises
    ------
    UnmatchedError
    """
    swept = {*one.asked.sweep.names, *other.asked.sweep.names}
    allowed = {ALIASES.get(name, name) for name in across}
    first, second = one.runs(GRID, BOUNDARY), other.runs(GRID, BOUNDARY)
    for side, runs in ((one, first), (other, second)):
        if not runs:
            raise UnmatchedError(f"{side.folder} holds no runs; make them with --resume {side.folder}")
    values = [_values(first), _values(second)]
    for name in swept - allowed:
        mine, theirs = values[0].get(name, set()), values[1].get(name, set())
        if len(mine) == len(theirs) == 1 and mine != theirs:
            allowed.add(name)
    unmatched = {
        name: pair
        for name, pair in differences(first[0].configuration, second[0].configuration).items()
        if name not in swept | allowed
    }
    if unmatched:
        lines = [f"  {spelled(name)}: {_shown(a)} and {_shown(b)}" for name, (a, b) in unmatched.items()]
        able = [spelled(name) for name in unmatched if name != "task"]
        way = f"; to compare just that, add --across {','.join(able)}" if able and "task" not in unmatched else ""
        raise UnmatchedError(
            f"{one.folder} and {other.folder} differ in more than what was swept:\n"
            + "\n".join(lines)
            + f"\nso a difference of the results has no one cause{way}"
        )
    theirs_by_key = {_key(run.configuration, allowed): run for run in second}
    pairs = [(run, theirs_by_key[key]) for run in first if (key := _key(run.configuration, allowed)) in theirs_by_key]
    if not pairs:
        raise UnmatchedError(
            f"{one.folder} and {other.folder} have no run in common: sweep both over the same values of"
            f" {', '.join(map(spelled, sorted(swept - allowed))) or 'nothing'}"
        )
    names = tuple(name for name in (*one.asked.sweep.names, *other.asked.sweep.names) if name not in allowed)
    differing = tuple(
        name
        for name in sorted(allowed)
        if any(a.configuration.settings.get(name) != b.configuration.settings.get(name) for a, b in pairs)
    )
    return Comparison(
        task=first[0].configuration.task,
        names=tuple(dict.fromkeys(names)),
        across=differing,
        pairs=tuple(pairs),
        alone=(len(first) - len(pairs), len(second) - len(pairs)),
        surroundings=surroundings(first[0], second[0]),
    )


def surroundings(one: Run, other: Run) -> dict[str, tuple[str, str]]:
    """In what the environments of two runs differ, as far as results depend on it."""
    found = {}
    mine, theirs = _surrounding(one.environment), _surrounding(other.environment)
    for name in sorted(mine.keys() | theirs.keys()):
        if mine.get(name) != theirs.get(name):
            found[name] = (mine.get(name, "unknown"), theirs.get(name, "unknown"))
    return found


def _surrounding(environment: dict[str, Any]) -> dict[str, str]:
    shown = {
        name: str(environment[name])
        for name in ("python", "numpy", "torch", "architecture", "kernel")
        if environment.get(name)
    }
    libraries = environment.get("libraries")
    if isinstance(libraries, list):
        kernels = [f"{item.get('name', '')} {item.get('version', '')} {item.get('kernel', '')}" for item in libraries]
        shown["linear algebra"] = ", ".join(dict.fromkeys(" ".join(kernel.split()) for kernel in kernels))
    return shown


def _values(runs: Sequence[Run]) -> dict[str, set[Any]]:
    found: dict[str, set[Any]] = {}
    for run in runs:
        for name, value in run.configuration.settings.items():
            found.setdefault(name, set()).add(value)
    return found


def _key(configuration: Configuration, ignored: set[str]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted((name, value) for name, value in configuration.settings.items() if name not in ignored))


def _shown(value: Any) -> str:
    return written(value)
