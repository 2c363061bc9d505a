"""A training function as probes see it: it can be run again, with other settings, for as long as it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..configuration import Configuration, Setting
from ..hooks import Hooks, state_of
from ..tasks import State, Task
from ..values import Numbers, numbers


class CannotAsk(Exception):
    """A question that this task gives no means to ask: why, and what would make it possible."""

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(why)
        self.why = why
        self.remedy = remedy


@dataclass(frozen=True)
class Subject:
    """A task with its settings.

    Attributes
    ----------
    task : Task
    configuration : Configuration
        All settings of the task.
    """

    task: Task
    configuration: Configuration

    def setting(self, *names: str) -> str:
        """The first of these settings that the task reads; empty where it reads none of them."""
        return next((name for name in names if name in self.task.options), "")

    @contextmanager
    def training(self, **changes: Any) -> Iterator[Iterator[State]]:
        """The states of a new run; settings that the task does not read are not changed."""
        known = {name: value for name, value in changes.items() if name in self.task.options}
        states = self.task.train(self.configuration.changed(**known))
        try:
            with np.errstate(all="ignore"):
                yield _states(states)
        finally:
            close = getattr(states, "close", None)
            if close is not None:
                close()

    def last(self, epochs: int, **changes: Setting) -> State:
        """The state after some epochs, or after all where there are fewer.

        Raises
        ------
        CannotAsk
            There is none.
        """
        found: State = {}
        with self.training(**changes) as states:
            for number, state in enumerate(states, 1):
                found = state
                if number >= epochs:
                    break
        if not found:
            raise CannotAsk("the training function yields nothing", "yield once per epoch")
        return found

    def model(self, epochs: int, needed: str) -> tuple[Any, tuple[Any, ...], State]:
        """The module of torch after some epochs, with the inputs of its last forward pass.

        Parameters
        ----------
        epochs : int
            At least 2: the inputs are seen by a hook that is there from the first state on.
        needed : str
            What to yield where there is no module, for the remedy.

        Raises
        ------
        CannotAsk
        """
        hooks: Hooks | None = None
        try:
            with self.training() as states:
                for number, state in enumerate(states, 1):
                    model = state.get("model")
                    if model is None:
                        raise CannotAsk("the training function yields no model", needed)
                    hooks = hooks or Hooks(model)
                    if number >= max(2, epochs) and hooks.inputs:
                        return hooks.model, hooks.inputs, state
            if hooks is None or not hooks.inputs:
                raise CannotAsk("the model is not called after the first epoch", "train for two epochs at least")
            return hooks.model, hooks.inputs, state
        finally:
            if hooks is not None:
                hooks.close()


def _states(states: Any) -> Iterator[State]:
    for state in states:
        yield state if isinstance(state, Mapping) else {"loss": state}


def arrays(state: State, name: str = "parameters") -> dict[str, Any]:
    """Parameters or gradients of a state as float64 arrays, copied: training functions change theirs in place."""
    model = state.get("model")
    found: Mapping[str, Any] = state.get(name) or (state_of(model)[name] if model is not None else {})
    return {key: numbers(item).values.copy() for key, item in found.items()}


def eps(state: State) -> float:
    """Spacing at 1 of the coarsest format among the parameters."""
    model = state.get("model")
    found: Mapping[str, Any] = state.get("parameters") or (state_of(model)["parameters"] if model is not None else {})
    forms: Sequence[Numbers] = [numbers(item) for item in found.values()]
    return max((item.form.eps for item in forms), default=2.0**-52)
