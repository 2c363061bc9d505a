"""The task of a name: a built-in one, or a training function of the user, ``"package.module:function"``."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .configuration import Configuration
from .data import Refused
from .tasks import Option, State, Task, builtin

WHOLE = ("configuration", "config")


def task_of(name: str, path: Sequence[str] = ()) -> Task:
    """The task of a name.

    Raises
    ------
    Refused
        There is no such task, module or function.
    """
    if ":" not in name:
        tasks = builtin()
        if name not in tasks:
            raise Refused(f"there is no task {name!r}: {', '.join(tasks)}, or package.module:function")
        return tasks[name]
    for entry in reversed(path):
        if entry not in sys.path:
            sys.path.insert(0, entry)
    module, _, qualname = name.partition(":")
    try:
        function: Any = importlib.import_module(module)
    except ImportError as error:
        raise Refused(f"{module} cannot be imported: {error}") from error
    for part in qualname.split("."):
        if not hasattr(function, part):
            raise Refused(f"{module} has no function {qualname!r}")
        function = getattr(function, part)
    return of_function(name, function)


def of_function(name: str, function: Callable[..., Any]) -> Task:
    """A training function as a task: its parameters with a default are its settings."""
    parameters = inspect.signature(function).parameters.values()
    named = [item for item in parameters if item.kind in (item.POSITIONAL_OR_KEYWORD, item.KEYWORD_ONLY)]
    required = [item.name for item in named if item.default is item.empty]
    whole = next(
        (item for item in required if item in WHOLE), required[0] if len(required) == 1 == len(named) else None
    )
    anything = any(item.kind is item.VAR_KEYWORD for item in parameters)
    options = {
        item.name: Option(item.default, "")
        for item in named
        if item.default is not item.empty and isinstance(item.default, (str, int, float, bool, type(None)))
    }
    options.update({item: Option(None, "has no default") for item in required if item != whole})

    def train(configuration: Configuration) -> Iterator[State]:
        settings = dict(configuration.settings)
        states: Iterator[State]
        if whole is None:
            states = function(**settings)
        else:
            states = function(**{whole: configuration}, **{key: settings[key] for key in options if key in settings})
        return states

    about = (inspect.getdoc(function) or "").partition("\n")[0]
    return Task(name, about, options, train, open=whole is not None or anything)
