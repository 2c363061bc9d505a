"""Tasks and their settings, as the interpreter that runs them describes them."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numlint.runtime.lab.configuration import ALIASES, Configuration, Setting

WRITTEN = {"l2": "lambda"}
"""How settings are written for people, where that is not their name."""
USUAL: dict[str, tuple[Setting, ...]] = {
    "lr": (0.01, 0.1, 1.0, 10.0, 100.0),
    "l2": (0.0, 1e-3, 0.1),
    "scale": (1e-3, 1.0, 1e3),
    "condition": (1.0, 1e4, 1e8),
    "momentum": (0.0, 0.9),
    "clip": (None, 1.0),
    "batch": (None, 32),
    "seed": (0, 1, 2, 3, 4),
    "order": (0, 1, 2, 3, 4),
}
"""What a setting is swept over where nothing else is asked for: from harmless to harmful."""
BARE = ("precision",)
"""Settings whose values speak for themselves: ``float32``, not ``precision=float32``."""


class SettingError(ValueError):
    """A setting that a task does not have, or a value that it does not take; the message lists those that it does."""


@dataclass(frozen=True)
class Parameter:
    """A setting of a task.

    Attributes
    ----------
    name : str
    default : str, int, float, bool or None
    about : str
    choices : tuple
        All values that it takes; empty where they are not listed.
    """

    name: str
    default: Setting
    about: str = ""
    choices: tuple[Setting, ...] = ()

    @property
    def values(self) -> tuple[Setting, ...]:
        """What a sweep over the name alone runs through: all choices, or the usual values, or none."""
        return self.choices or USUAL.get(self.name, ())

    def to_json(self) -> dict[str, Any]:
        return {"default": self.default, "about": self.about, "choices": list(self.choices)}

    def read(self, text: str) -> Setting:
        """A value as it was written on a command line.

        Raises
        ------
        SettingError
        """
        if self.choices:
            for choice in self.choices:
                if text.casefold() == written(choice).casefold() or text == str(choice):
                    return choice
            shown = ", ".join(map(written, self.choices))
            raise SettingError(f"{spelled(self.name)}={text}: it is one of {shown}{_nearest(text, self.choices)}")
        value = _inferred(text)
        numeric = isinstance(self.default, (int, float)) and not isinstance(self.default, bool)
        if numeric and not isinstance(value, (int, float)):
            if value is None:
                return None
            raise SettingError(f"{spelled(self.name)}={text}: it is a number, such as {written(self.default)}")
        if isinstance(self.default, bool) and not isinstance(value, bool):
            raise SettingError(f"{spelled(self.name)}={text}: it is true or false")
        if isinstance(self.default, str) and value is not None:
            return text
        if isinstance(self.default, float) and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        return value


@dataclass(frozen=True)
class Task:
    """A task with its settings.

    Attributes
    ----------
    name : str
    about : str
        One line on what it trains.
    parameters : mapping of str to Parameter
    open : bool
        Whether it takes settings that it does not name: a training function of a user may.
    """

    name: str
    about: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    open: bool = False

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Task:
        """A task as the runtime describes it."""
        parameters = {
            name: Parameter(name, item.get("default"), item.get("about", ""), tuple(item.get("choices") or ()))
            for name, item in data.get("settings", {}).items()
        }
        return cls(data["name"], data.get("about", ""), parameters, bool(data.get("open", False)))

    def to_json(self) -> dict[str, Any]:
        settings = {name: parameter.to_json() for name, parameter in self.parameters.items()}
        return {"name": self.name, "about": self.about, "open": self.open, "settings": settings}

    def parameter(self, name: str) -> Parameter:
        """The setting of that name, or of that other name.

        Raises
        ------
        SettingError
            The task has none; the message says which was probably meant, and lists all.
        """
        own = ALIASES.get(name, name)
        if own in self.parameters:
            return self.parameters[own]
        known = [spelled(other) for other in self.parameters]
        if self.open and own.isidentifier() and not difflib.get_close_matches(name, known, n=1, cutoff=0.8):
            return Parameter(own, None)
        raise SettingError(f"{self.name} has no setting {name!r}{_nearest(name, known)}; it has {', '.join(known)}")

    def knows(self, name: str) -> bool:
        return ALIASES.get(name, name) in self.parameters

    def configuration(self, settings: Mapping[str, Setting]) -> Configuration:
        """All settings of the task: these, and the defaults of the others."""
        defaults = {name: parameter.default for name, parameter in self.parameters.items()}
        return Configuration(self.name, {**defaults, **settings})


def spelled(name: str) -> str:
    """A setting's name as people write it: ``lambda`` for ``l2``."""
    return WRITTEN.get(name, name)


def written(value: Setting) -> str:
    """A value as people write it: the shorter of ``0.001`` and ``1e-3``."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return numeral(value) if isinstance(value, float) else str(value)


def numeral(value: float) -> str:
    """A number in as few characters as four digits allow."""
    if not math.isfinite(value):
        return str(value)
    plain = f"{value:.4g}" if not 1e4 <= abs(value) < 1e5 else f"{value:.0f}"
    mantissa, _, exponent = f"{value:.3e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    scientific = f"{mantissa}e{int(exponent)}"
    if "e" in plain:
        return scientific
    return scientific if 0 < abs(value) < 1 and len(scientific) < len(plain) else plain


def phrase(configuration: Configuration, names: Iterable[str]) -> str:
    """What tells a configuration from others: ``float32 lr=0.2 lambda=0``."""
    words = []
    for name in names:
        value = configuration.settings.get(name)
        words.append(written(value) if name in BARE else f"{spelled(name)}={written(value)}")
    return " ".join(words)


def _inferred(text: str) -> Setting:
    words: dict[str, Setting] = {"true": True, "false": False, "on": True, "off": False, "none": None}
    if text.casefold() in words:
        return words[text.casefold()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _nearest(name: str, known: Sequence[Setting]) -> str:
    close = difflib.get_close_matches(name, [written(value) for value in known], n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""
