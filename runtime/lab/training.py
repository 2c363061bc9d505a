"""One training run from its configuration to its record."""

from __future__ import annotations

import importlib.util
import math
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..containment import Interrupted, deadline
from . import conditions, stopping
from .configuration import Configuration
from .data import Refused
from .monitor import Monitor, Observation
from .phases import Phases, small_gradient
from .record import CONVERGED, DIVERGED, EXHAUSTED, FAILED, REFUSED, STOPPED, TIMED_OUT, Run
from .signatures import Case, Repetition, named
from .tasks import State, Task
from .torch_watch import TorchWatch
from .training_function import task_of
from .values import numbers, scalar
from .watch import Watch

BROKEN = 3
"""A run is ended when its loss was not finite in so many epochs in a row: none of what follows would be new."""
GROWN = 1e6
"""A loss beyond so many times the first one has grown beyond all bounds."""

REPEATED = 2
"""Epochs of a training function of the user that are run again, for non-determinism."""
TOO_LONG = 2.0
"""Seconds that these may take."""


@dataclass(frozen=True)
class Options:
    """How a run is observed; none of it changes the run.

    Attributes
    ----------
    log_every : int
        Report every so many epochs.
    layers : bool
        Log each layer.
    shadow : bool
        Compare the activations with a float64 shadow.
    seconds : float
        Time limit.
    path : tuple of str
        Directories in which the module of a training function is looked for first.
    repeat : int
        Train so many epochs again and compare, for non-determinism; None: 2 for a function of the user.
    trace : bool
        Count births of inf, nan and zeros in torch operation by operation, with their lines.
    """

    log_every: int = 1
    layers: bool = True
    shadow: bool = False
    seconds: float = 60.0
    path: tuple[str, ...] = ()
    repeat: Any = None
    trace: bool = False

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Options:
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        return cls(**{**known, "path": tuple(known.get("path", ()))})


Say = Callable[[dict[str, Any]], None]


def train(configuration: Configuration, options: Options, say: Say = lambda event: None) -> Run:
    """Train, and say what came of it.

    Parameters
    ----------
    configuration : Configuration
        Settings that are missing take the defaults of the task; the record has them all.
    options : Options
    say : callable
        Takes the events: ``{"epoch": Epoch}``, ``{"phase": Phase}``, ``{"finding": Finding}``.
    """
    started = time.perf_counter()
    run = Run(configuration, environment=environment())
    training = None
    try:
        task = task_of(configuration.task, options.path)
        run.configuration = task.completed(configuration)
        training = Training(run, options, say)
        with deadline(options.seconds):
            training.follow(task.train(run.configuration))
            training.conclude()
            training.repeat(task)
    except Refused as error:
        run.status, run.reason = REFUSED, str(error)
    except Interrupted:
        run.status, run.reason = TIMED_OUT, f"ended after {options.seconds:g} s"
    except Exception as error:
        run.status, run.reason = FAILED, _told(error)
    if training is not None:
        training.close()
    run.seconds = time.perf_counter() - started
    return run


class Training:
    """Follows a training function epoch by epoch."""

    def __init__(self, run: Run, options: Options, say: Say) -> None:
        self.run = run
        self.options = options
        self.say = say
        self.monitor = Monitor(run.configuration, options.layers, options.shadow)
        self.phases = Phases()
        self.repetition: Repetition | None = None
        self.history: list[Observation] = []
        self.state: State = {}

    def follow(self, states: Iterator[State]) -> None:
        watch = Watch()
        torch_watch = TorchWatch() if self.options.trace and importlib.util.find_spec("torch") else None
        until = time.monotonic() + self.options.seconds
        broken = 0
        with watch.watching(), torch_watch.watching() if torch_watch else nullcontext():
            started = time.perf_counter()
            for number, state in enumerate(_checked(states)):
                seconds = time.perf_counter() - started
                births = [*watch.taken(), *(torch_watch.taken() if torch_watch else ())]
                observed = self.monitor.observe(number, state, births, seconds)
                if torch_watch:
                    torch_watch.taken()  # what the monitor computed is not of the run
                self.state = state
                self.history.append(observed)
                self.run.epochs.append(observed.epoch)
                if number % self.options.log_every == 0:
                    self.say({"epoch": observed.epoch})
                for phase in self.phases.update(self.history):
                    self.say({"phase": phase})
                self.measure(number, last=False)
                broken = 0 if math.isfinite(observed.epoch.loss) else broken + 1
                if broken >= BROKEN:
                    return
                if time.monotonic() > until:
                    raise Interrupted
                started = time.perf_counter()

    def conclude(self) -> None:
        """The status of a run that came to its end."""
        run = self.run
        run.status, run.reason = self.outcome()
        self.measure(len(self.history) - 1, last=True)
        for phase in self.phases.conclude(run.status, run.reason, bool(self.history) and small_gradient(self.history)):
            self.say({"phase": phase})

    def measure(self, number: int, last: bool) -> None:
        """Log conditions: of the design once, of the Hessian in epochs that are powers of 4, and in the end."""
        if not (last or number == 0 or (number & (number - 1) == 0 and number.bit_length() % 2)) or not self.history:
            return
        started = time.thread_time()
        found = self.run.conditions
        if number == 0 and not last:
            X = self.state.get("design")
            if X is None and "objective" in self.state:
                X = conditions.with_intercept(self.state["objective"].data.X)
            if X is not None:
                found.design = conditions.design(X)
                found.gram = found.design**2
        start = number == 0 and not last and "before" in self.state
        at = {name: numbers(item).values for name, item in self.state["before"].items()} if start else {}
        values = {name: item.values for name, item in self.monitor.parameters.items()}
        spectrum = conditions.hessian(self.state, at or values)
        if number == 0:
            found.hessian_start = spectrum.condition
        if last:
            found.hessian_end = spectrum.condition
        if math.isfinite(spectrum.largest) and not found.curvature >= spectrum.largest:
            found.curvature = spectrum.largest
            found.largest_stable_lr = 2.0 / spectrum.largest if spectrum.largest > 0 else math.inf
        self.monitor.seconds += time.thread_time() - started

    def repeat(self, task: Task) -> None:
        """Train the first epochs again, and compare the losses bit by bit."""
        wanted = self.options.repeat
        if wanted is None:
            wanted = REPEATED if ":" in task.name else 0
        if not wanted or not self.history or sum(item.epoch.seconds for item in self.history[:wanted]) > TOO_LONG:
            return
        with np.errstate(all="ignore"):
            for number, state in zip(
                range(min(wanted, len(self.history))), _checked(task.train(self.run.configuration))
            ):
                first, second = self.history[number].epoch.loss, scalar(state["loss"])
                if first != second and not (math.isnan(first) and math.isnan(second)):
                    self.repetition = Repetition(number, first, second)
                    return

    def outcome(self) -> tuple[str, str]:
        epochs = self.run.epochs
        settings = self.run.configuration.settings
        if not epochs:
            return FAILED, "the training function yielded nothing"
        losses, last = [item.loss for item in epochs], epochs[-1]
        bad = next((item.epoch for item in epochs if not math.isfinite(item.loss)), None)
        if not math.isfinite(last.loss) and bad is not None:
            return DIVERGED, f"loss={losses[bad]} at epoch {bad}"
        if last.loss - min(losses) > GROWN * max(abs(losses[0]), abs(min(losses))):
            return DIVERGED, f"loss={last.loss:.3g} at epoch {last.epoch}, from {losses[0]:.3g}"
        tolerance = float(settings.get("tolerance") or 1e-6)
        gradients = [item.gradient_norm for item in epochs]
        if "converged" in self.state:
            equations = f"gradient norm {last.gradient_norm:.3g}"
            solved = bool(self.state["converged"])
            return (
                (CONVERGED, equations)
                if solved
                else (EXHAUSTED, f"the weights do not solve the equations: {equations}")
            )
        if last.loss <= losses[0] and stopping.settled(
            losses, gradients, max(tolerance, 1e-6), stopping.resolution(self.run.configuration)
        ):
            return CONVERGED, f"loss={last.loss:.6g} after {len(epochs)} epochs"
        if len(epochs) < int(settings.get("epochs") or 0):
            return STOPPED, f"at epoch {last.epoch} with gradient norm {last.gradient_norm:.3g}"
        return EXHAUSTED, f"loss={last.loss:.6g}, gradient norm {last.gradient_norm:.3g} after {len(epochs)} epochs"

    def close(self) -> None:
        """What is known of the run, however it ended."""
        run = self.run
        self.monitor.close()
        run.phases = self.phases.found
        if self.history:
            started = time.thread_time()
            run.findings = named(Case(run, self.history, self.state, self.repetition))
            self.monitor.seconds += time.thread_time() - started
        for finding in run.findings:
            self.say({"finding": finding})
        run.logging_seconds = self.monitor.seconds
        if run.epochs:
            run.final_loss = run.epochs[-1].loss
            run.metrics = dict(run.epochs[-1].metrics)
            sizes = [np.abs(item.values).max(initial=0.0) for item in self.monitor.parameters.values()]
            run.largest_weight = float(np.max(sizes)) if sizes else math.nan


def _checked(states: Iterator[State]) -> Iterator[State]:
    """States of a training function, with an error where it does not keep to the protocol."""
    if not hasattr(states, "__next__") and not hasattr(states, "__iter__"):
        raise TypeError(f"a training function is a generator; this one returned {type(states).__name__}")
    for state in states:
        if not isinstance(state, Mapping):
            state = {"loss": state}
        scalar(state["loss"])
        yield state


def _told(error: Exception) -> str:
    """An exception with the last line of its traceback that is not of the lab."""
    here = os.path.dirname(os.path.abspath(__file__))
    places = [item for item in traceback.extract_tb(error.__traceback__) if not item.filename.startswith(here)]
    where = f" ({os.path.basename(places[-1].filename)}:{places[-1].lineno})" if places else ""
    return f"{type(error).__name__}: {error}{where}"


def environment() -> dict[str, Any]:
    """What the run may depend on besides its configuration."""
    loaded: dict[str, Any] = {
        name: getattr(sys.modules[name], "__version__", "") for name in ("torch", "scipy") if name in sys.modules
    }
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
        "system": platform.system(),
        "processors": os.cpu_count(),
        "threads": os.environ.get("OMP_NUM_THREADS", ""),
        **loaded,
    }
