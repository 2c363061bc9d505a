"""What a training run depends on, all of it: two runs of one configuration are the same run.

A configuration is plain data, so that it can be stored beside its result and compared
with another. Two runs may be compared where their configurations differ in nothing but
the settings that were swept; `differences` says in what they differ.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Union

Setting = Union[str, int, float, bool, None]

ALIASES = {"lambda": "l2", "learning_rate": "lr"}
"""Other names of settings, as people write them on a command line."""


@dataclass(frozen=True)
class Configuration(Mapping[str, Setting]):
    """A task with its settings.

    Settings are read as items and as attributes: ``config["lr"]`` is ``config.lr``.

    Attributes
    ----------
    task : str
        Name of a built-in task, or ``"package.module:function"``.
    settings : dict of str to (str, int, float, bool or None)
        Everything that the task reads: ``precision``, ``lr``, ``l2``, ``scale``, ``condition``,
        ``seed``, ``order``, ``stop``, ``loss``, ``clip``, ``solver``, ``epochs``, ``batch``,
        ``data``, ``backend``, and whatever a task of a user declares. Settings that the task
        does not read are not there.
    """

    task: str
    settings: dict[str, Setting] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Setting:
        return self.settings[ALIASES.get(name, name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self.settings)

    def __len__(self) -> int:
        return len(self.settings)

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["settings"][name]
        except KeyError:
            raise AttributeError(f"the configuration has no setting {name!r}") from None

    def changed(self, **settings: Setting) -> Configuration:
        """The same configuration with other values of some settings."""
        return Configuration(self.task, {**self.settings, **settings})

    @property
    def fingerprint(self) -> str:
        """A short digest: equal for equal configurations, whatever the order of their settings."""
        text = json.dumps([self.task, self.settings], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        return {"task": self.task, "settings": dict(self.settings)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Configuration:
        return cls(data["task"], dict(data.get("settings", {})))


def differences(one: Configuration, other: Configuration) -> dict[str, tuple[Any, Any]]:
    """The settings in which two configurations differ, with both values; ``"task"`` where the tasks do."""
    found: dict[str, tuple[Any, Any]] = {}
    if one.task != other.task:
        found["task"] = (one.task, other.task)
    for name in sorted({*one.settings, *other.settings}):
        values = (one.settings.get(name), other.settings.get(name))
        if values[0] != values[1]:
            found[name] = values
    return found
