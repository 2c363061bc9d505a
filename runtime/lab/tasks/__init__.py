"""The built-in training tasks: one module each, found by walking this package.

A task says which settings it reads and trains with them. Training is a generator: it yields
once per epoch what is to be known of that epoch (see `numlint.runtime.lab.monitor`).
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..configuration import ALIASES, Configuration, Setting
from ..data import Refused

State = Mapping[str, Any]
"""What a training function yields once per epoch."""


@dataclass(frozen=True)
class Option:
    """A setting that a task reads: its default, what it means, and its values where they are a closed list."""

    default: Setting
    about: str
    choices: tuple[Setting, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"default": self.default, "about": self.about, "choices": list(self.choices)}


@dataclass(frozen=True)
class Task:
    """Something that can be trained.

    Attributes
    ----------
    name : str
    about : str
        One line.
    options : dict of str to Option
        The settings that it reads.
    train : callable
        From a complete configuration to a generator of states.
    open : bool
        Whether it takes settings that `options` does not name.
    """

    name: str
    about: str
    options: Mapping[str, Option]
    train: Callable[[Configuration], Iterator[State]]
    open: bool = False

    def completed(self, configuration: Configuration) -> Configuration:
        """The configuration with every setting of the task.

        Raises
        ------
        Refused
            It has a setting that the task does not read, or a value that the setting does not take.
        """
        settings = {name: option.default for name, option in self.options.items()}
        for given, value in configuration.settings.items():
            name = ALIASES.get(given, given)
            if name not in self.options and not self.open:
                close = difflib.get_close_matches(name, self.options, 1)
                hint = f"; did you mean {close[0]!r}?" if close else f"; it reads {', '.join(sorted(self.options))}"
                raise Refused(f"{self.name} has no setting {given!r}{hint}")
            option = self.options.get(name)
            if option is not None and option.choices and value not in option.choices:
                offered = ", ".join(map(str, option.choices))
                raise Refused(f"{name} is one of {offered}, not {value!r}")
            if option is not None and not _suits(option.default, value):
                raise Refused(f"{name} is {_kind(option.default)}, not {value!r}")
            settings[name] = value
        return Configuration(configuration.task, settings)

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "about": self.about,
            "open": self.open,
            "settings": {name: option.to_json() for name, option in self.options.items()},
        }


def _suits(default: Setting, value: Setting) -> bool:
    """Whether a value is of the kind of a default; what has no default may be anything, and anything may be none."""
    if default is None or value is None or isinstance(value, type(default)):
        return True
    if isinstance(default, (bool, str)):
        return False
    return isinstance(value, (int, float)) and (isinstance(default, float) or float(value).is_integer())


def _kind(default: Setting) -> str:
    return {bool: "true or false", int: "a whole number", float: "a number"}.get(type(default), "a text")


def builtin() -> dict[str, Task]:
    """All built-in tasks by name."""
    found = {}
    for info in pkgutil.iter_modules(__path__):
        item: Any = getattr(importlib.import_module(f"{__name__}.{info.name}"), "TASK", None)
        if isinstance(item, Task):
            found[item.name] = item
    return {name: found[name] for name in sorted(found)}
