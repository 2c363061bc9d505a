"""A task, runs and a site that need no process."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from numlint.lab.laboratory import Laboratory, Recipe
from numlint.lab.results import Asked, Results
from numlint.lab.sweep import Sweep
from numlint.lab.task import Parameter, Task
from numlint.lab.workers import Job
from numlint.runtime.lab.configuration import Configuration
from numlint.runtime.lab.record import CONVERGED, DIVERGED, Conditions, Epoch, Run


@pytest.fixture
def task() -> Task:
    """A task with settings of every kind."""
    parameters = (
        Parameter("precision", "float64", choices=("float64", "float32", "float16")),
        Parameter("lr", 0.1),
        Parameter("l2", 0.0),
        Parameter("clip", None),
        Parameter("epochs", 100),
        Parameter("seed", 0),
        Parameter("loss", "naive", choices=("naive", "stable")),
        Parameter("stop", "none", choices=("none", "robust", "seed")),
        Parameter("standardise", "none", choices=("none", "two-pass")),
        Parameter("data", "synthetic"),
        Parameter("shuffle", False),
    )
    return Task("toy", "a toy", {item.name: item for item in parameters})


Train = Callable[[Configuration], Run]


@dataclass
class Instant:
    """A site at which a run is what a function says, at once."""

    train: Train
    capacity: int = 2
    jobs: list[Job] = field(default_factory=list)
    abandoned: bool = False

    def submit(self, job: Job) -> Future[dict[str, Any]]:
        self.jobs.append(job)
        future: Future[dict[str, Any]] = Future()
        try:
            future.set_result(self.train(job.configuration).to_json())
        except BaseException as error:
            future.set_exception(error)
        return future

    def abandon(self) -> None:
        self.abandoned = True


@dataclass(frozen=True)
class Bench:
    """A laboratory with its instant site."""

    laboratory: Laboratory
    site: Instant

    @property
    def results(self) -> Results:
        return self.laboratory.results


@pytest.fixture
def bench(task: Task, tmp_path: Path) -> Callable[..., Bench]:
    """Makes a laboratory whose runs are what a function says."""

    def make(train: Train, sweep: Sweep | None = None, **more: Any) -> Bench:
        site = Instant(train)
        results = Results.create(tmp_path / "results", Asked(sweep or Sweep(task)))
        return Bench(Laboratory(site, results, Recipe("python"), **more), site)

    return make


def ran(configuration: Configuration, *losses: float, status: str = "", **more: Any) -> Run:
    """A run with these losses: converged, or diverged where the last is not finite."""
    chosen = status or (CONVERGED if losses and losses[-1] < float("inf") else DIVERGED)
    epochs = [Epoch(number, loss) for number, loss in enumerate(losses)]
    conditions = more.pop("conditions", None) or Conditions()
    return Run(configuration, chosen, epochs=epochs, conditions=conditions, **more)
