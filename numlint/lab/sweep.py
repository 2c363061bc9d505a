"""Which runs: settings that are fixed, and settings that run through values.

Runs are matched by construction. Each configuration holds all settings of its task, those
that nobody named at their defaults, so two runs of a sweep differ in nothing but the
settings that were swept.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from numlint.lab.task import Parameter, SettingError, Task, spelled, written
from numlint.runtime.lab.configuration import Configuration, Setting

_RANGE = re.compile(r"(?P<start>[^:]+):(?P<stop>[^:]+)(?::(?P<spacing>[^:]*))?(?::(?P<number>[^:]*))?")
_FORMS = "ranges are written 0:4 (whole numbers), 1e-4:1:log:9 or 0:1:lin:5, both ends included"
LARGEST = 100_000
"""Runs of a grid: more are a slip of the pen."""


@dataclass(frozen=True)
class Axis:
    """A setting that is swept, and the values that it runs through."""

    name: str
    values: tuple[Setting, ...]


@dataclass(frozen=True)
class Sweep:
    """The runs that are asked for.

    Attributes
    ----------
    task : Task
    fixed : dict of str to (str, int, float, bool or None)
        Settings with one value that is not the default.
    axes : tuple of Axis
        The first changes slowest.
    adaptive : str
        Setting whose boundary is searched instead of filling the grid along it; empty for a grid.
    """

    task: Task
    fixed: dict[str, Setting] = field(default_factory=dict)
    axes: tuple[Axis, ...] = ()
    adaptive: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The settings that are swept."""
        return tuple(axis.name for axis in self.axes)

    @property
    def size(self) -> int:
        return math.prod(len(axis.values) for axis in self.axes)

    def configurations(self) -> Iterator[Configuration]:
        """Those of the grid, in the order of their settings."""
        for values in itertools.product(*(axis.values for axis in self.axes)):
            yield self.task.configuration({**self.fixed, **dict(zip(self.names, values, strict=True))})

    def without(self, name: str) -> Sweep:
        """The same sweep, at the default of one setting."""
        return Sweep(self.task, self.fixed, tuple(axis for axis in self.axes if axis.name != name))

    def axis(self, name: str) -> Axis | None:
        return next((axis for axis in self.axes if axis.name == name), None)


def read(task: Task, sweeps: Sequence[str] = (), settings: Sequence[str] = (), adaptive: str | None = None) -> Sweep:
    """Read the settings that a user wrote.

    Parameters
    ----------
    task : Task
    sweeps : sequence of str
        Such as ``"precision,lr"``, ``"precision=float64,float32"``, ``"lr=1e-4:1:log:9,lambda=0,1e-3"``.
        A word without ``=`` is one more value of the setting before it, unless that setting
        cannot take it and it names a setting itself.
    settings : sequence of str
        Such as ``"epochs=50"``.
    adaptive : str, optional
        Name of a setting, with or without bounds: ``"lr"``, ``"lr=1e-3:10"``.

    Raises
    ------
    SettingError
    """
    axes: dict[str, tuple[Setting, ...]] = {}
    for text in sweeps:
        for parameter, words in _settings(task, text):
            if parameter.name in axes:
                raise SettingError(f"{spelled(parameter.name)} is swept twice; give all its values at once")
            axes[parameter.name] = _values(task, parameter, words)
    fixed = dict(_fixed(task, settings))
    both = sorted(axes.keys() & fixed.keys())
    if both:
        raise SettingError(f"{spelled(both[0])} is both swept and set; leave one of the two out")
    searched = ""
    if adaptive is not None:
        name, _, bounds = adaptive.partition("=")
        parameter = task.parameter(name.strip())
        searched = parameter.name
        if bounds:
            axes[searched] = _bounds(parameter, bounds)
        elif searched not in axes:
            axes[searched] = _values(task, parameter, [])
        if searched in fixed:
            raise SettingError(f"{spelled(searched)} is both searched and set; leave one of the two out")
        numbers = [value for value in axes[searched] if isinstance(value, (int, float)) and value > 0]
        if len(numbers) < 2:
            raise SettingError(
                f"--adaptive {spelled(searched)}: the search is in the logarithm of a positive number, and needs"
                f" bounds, as in --adaptive {spelled(searched)}=1e-4:10"
            )
    made = Sweep(task, fixed, tuple(Axis(name, values) for name, values in axes.items()), searched)
    if made.size > LARGEST:
        raise SettingError(f"the grid has {made.size:,} runs; more than {LARGEST:,} are not made, so sweep less")
    return made


def _fixed(task: Task, settings: Iterable[str]) -> Iterator[tuple[str, Setting]]:
    for text in settings:
        name, equals, value = text.partition("=")
        parameter = task.parameter(name.strip())
        if not equals:
            raise SettingError(f"--set {text}: write a value, as in --set {name}={written(parameter.default)}")
        yield parameter.name, parameter.read(value.strip())


def _settings(task: Task, text: str) -> Iterator[tuple[Parameter, list[str]]]:
    """The settings of one option, each with the words of its values; no words for a name alone."""
    found: list[tuple[Parameter, list[str]]] = []
    opened = False
    for part in (part.strip() for part in text.split(",")):
        if not part:
            raise SettingError(f"--sweep {text}: nothing stands between two commas")
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if equals:
            if not value:
                raise SettingError(f"--sweep {text}: {name}= has no value")
            found.append((task.parameter(name), [value]))
            opened = True
        elif opened and (_takes(found[-1][0], part) or not task.knows(part)):
            found[-1][1].append(part)
        else:
            found.append((task.parameter(part), []))
            opened = False
    yield from found


def _takes(parameter: Parameter, word: str) -> bool:
    """Whether a word is a value of a setting for certain, so that it cannot be meant as a name."""
    return any(word == written(choice) for choice in parameter.choices)


def _values(task: Task, parameter: Parameter, words: Sequence[str]) -> tuple[Setting, ...]:
    """All values, each once; numbers in their order, names in that in which they were given."""
    if not words:
        if len(parameter.values) < 2:
            able = ", ".join(spelled(other.name) for other in task.parameters.values() if len(other.values) > 1)
            raise SettingError(
                f"{spelled(parameter.name)}: {task.name} knows no values to sweep it over; write them, as in"
                f" --sweep {spelled(parameter.name)}=A,B (by name alone: {able or 'none'})"
            )
        found = list(parameter.values)
    else:
        found = [value for word in words for value in _range(parameter, word)]
    unique = list(dict.fromkeys(found))
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in unique):
        unique.sort(key=lambda value: float(value or 0))
    return tuple(unique)


def _range(parameter: Parameter, word: str) -> list[Setting]:
    match = _RANGE.fullmatch(word)
    if match is None or not _numeric(match["start"]) or not _numeric(match["stop"]):
        return [parameter.read(word)]
    shown = f"{spelled(parameter.name)}={word}"
    start, stop = float(match["start"]), float(match["stop"])
    if match["spacing"] is None:
        if not (start.is_integer() and stop.is_integer() and start <= stop):
            raise SettingError(f"{shown}: {_FORMS}")
        if stop - start > LARGEST:
            raise SettingError(f"{shown}: more than {LARGEST:,} values")
        return [parameter.read(str(value)) for value in range(int(start), int(stop) + 1)]
    number = match["number"] or ""
    if match["spacing"] not in ("lin", "log") or not number.isdigit() or int(number) < 2:
        raise SettingError(f"{shown}: {_FORMS}")
    if match["spacing"] == "log" and (start <= 0 or stop <= 0):
        raise SettingError(f"{shown}: a logarithmic range starts and ends above 0; give 0 besides, as a value")
    return [parameter.read(_exactly(value)) for value in _spaced(start, stop, match["spacing"], int(number))]


def _spaced(start: float, stop: float, spacing: str, number: int) -> Iterator[float]:
    """Evenly spaced values; those of a logarithmic range rounded to twelve digits, so that decades are exact."""
    for step in range(number):
        share = step / (number - 1)
        if spacing == "lin":
            yield float(f"{start + (stop - start) * share:.12g}")
        else:
            yield float(f"{math.exp(math.log(start) * (1 - share) + math.log(stop) * share):.12g}")


def _bounds(parameter: Parameter, text: str) -> tuple[Setting, ...]:
    parts = text.split(":")
    if len(parts) != 2 or not all(map(_numeric, parts)):
        raise SettingError(f"--adaptive {spelled(parameter.name)}={text}: bounds are written 1e-4:10")
    low, high = sorted(map(float, parts))
    return (low, high)


def _exactly(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _numeric(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def selected(configurations: Sequence[Configuration], number: int | None) -> list[Configuration]:
    """At most that many, spread over the grid, in its order.

    They are chosen by their fingerprints: as good as at random, the same every time, and
    among those of any larger number.
    """
    if number is None or len(configurations) <= number:
        return list(configurations)
    kept = {item.fingerprint for item in sorted(configurations, key=lambda item: item.fingerprint)[:number]}
    return [item for item in configurations if item.fingerprint in kept]
