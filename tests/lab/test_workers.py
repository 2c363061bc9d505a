"""Processes that train: whatever a training function does, its run has one result."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from numlint.lab import workers
from numlint.lab.laboratory import Experiment, Laboratory, Local, Recipe
from numlint.lab.results import Asked, Results
from numlint.lab.sweep import Sweep
from numlint.lab.task import Task
from numlint.lab.workers import CREW, Crew, Job, Worker, WorkerError, perform
from numlint.runtime.lab.configuration import Configuration
from numlint.runtime.lab.record import Run

TRAINING = """\
import os
import signal
import time


def descend(lr=0.1, epochs=5, how="well"):
    w = 1.0
    for epoch in range(epochs):
        w -= lr * w
        print("printed, not in the way")
        yield {"loss": w * w}
        if how == "crash" and epoch == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "raise":
            raise ValueError("no such luck")
        if how == "sleep":
            time.sleep(60)
        if how == "hang":
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
            time.sleep(60)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "training.py").write_text(TRAINING)
    monkeypatch.setattr(workers, "GRACE", 0.3)
    yield tmp_path
    CREW.kill()


def job(folder: Path, seconds: float = 20.0, **settings: Any) -> Job:
    configuration = Configuration("training:descend", {"lr": 0.1, "epochs": 5, "how": "well", **settings})
    return Job(configuration, sys.executable, seconds, {"path": [str(folder)]}, folder=str(folder))


def test_a_run_is_followed_and_given_back(folder: Path) -> None:
    seen: list[dict[str, Any]] = []
    run = Run.from_json(perform(job(folder), lambda configuration, event: seen.append(event)))
    assert [epoch.loss for epoch in run.epochs] == pytest.approx([0.9 ** (2 * k) for k in range(1, 6)])
    assert any("epoch" in event for event in seen)
    assert run.environment["python"].startswith("3.")
    assert run.environment["libraries"]


def test_one_process_makes_many_runs(folder: Path) -> None:
    crew = Crew()
    with crew.lent(job(folder)) as first:
        first.run(job(folder))
    with crew.lent(job(folder)) as second:
        pass
    assert first is second
    crew.kill()
    assert not first.usable


def test_a_function_that_raises_failed(folder: Path) -> None:
    run = Run.from_json(perform(job(folder, how="raise")))
    assert (run.status, len(run.epochs)) == ("failed", 1)
    assert "no such luck" in run.reason


@pytest.mark.parametrize("how", ["sleep", "hang"])
def test_a_run_that_overstays_is_ended_with_its_epochs(folder: Path, how: str) -> None:
    """By itself where it can be; where it cannot, it is killed."""
    run = Run.from_json(perform(job(folder, seconds=1.0, how=how)))
    assert (run.status, len(run.epochs)) == ("timed-out", 1)
    assert Run.from_json(perform(job(folder))).status != "timed-out"


def test_a_process_that_dies_leaves_the_reason_and_another_takes_its_place(folder: Path) -> None:
    run = Run.from_json(perform(job(folder, how="crash")))
    assert run.status == "died"
    assert run.reason.startswith("killed by signal 9")
    assert run.epochs
    assert Run.from_json(perform(job(folder))).status != "died"


def test_what_cannot_be_started_says_so(folder: Path) -> None:
    with pytest.raises(WorkerError, match="cannot be started"):
        Worker(str(folder / "nowhere"), {}, str(folder))
    script = folder / "python"
    script.write_text("#!/bin/sh\necho 'this is no python' >&2\nexit 3\n")
    script.chmod(0o755)
    with pytest.raises(WorkerError, match=r"this is no python.*--python"):
        Worker(str(script), {}, str(folder)).ask({"op": "tasks"})


def test_two_at_a_time_of_which_one_crashes(folder: Path) -> None:
    results = Results.create(folder / "results", Asked(Sweep(Task("training:descend"))))
    recipe = Recipe(sys.executable, 20.0, {"path": [str(folder)]}, str(folder))
    with Local(2) as site:
        wanted = [
            Experiment(job(folder, lr=lr, how=how).configuration)
            for lr in (0.1, 0.2, 0.3)
            for how in ("well", "crash", "raise")
        ]
        list(Laboratory(site, results, recipe).runs(wanted))
    found = {
        (run.configuration.lr, run.configuration.how): run.status for run in Results.open(results.folder).runs("grid")
    }
    assert len(found) == 9
    assert {status for (_, how), status in found.items() if how == "crash"} == {"died"}
    assert {status for (_, how), status in found.items() if how == "raise"} == {"failed"}
    assert not {status for (_, how), status in found.items() if how == "well"} & {"died", "failed"}


def test_the_surroundings_of_a_process_are_those_that_were_asked_for() -> None:
    told = workers.surroundings(sys.executable, {"OPENBLAS_CORETYPE": "Nehalem"})
    kernels = {item["kernel"] for item in told["libraries"] if item["name"] == "openblas"}
    if not kernels:
        pytest.skip("numpy has no OpenBLAS here")
    assert kernels == {"Nehalem"}
    assert "OPENBLAS_CORETYPE" not in os.environ
