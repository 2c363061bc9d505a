"""Runs are made once, kept, and never lost to what one of them does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from numlint.lab.laboratory import Experiment, Search, once
from numlint.lab.sweep import Sweep, read
from numlint.lab.task import Task
from numlint.lab.workers import WorkerError
from numlint.runtime.lab.configuration import Configuration
from numlint.runtime.lab.record import Run
from tests.lab.conftest import Bench, ran

Make = Callable[..., Bench]


@pytest.fixture
def sweep(task: Task) -> Sweep:
    return read(task, ["precision,lr"])


def good(configuration: Configuration) -> Run:
    return ran(configuration, 1.0, 0.5)


def test_every_run_is_made_once_and_kept(bench: Make, sweep: Sweep) -> None:
    place = bench(good)
    experiments = [Experiment(item) for item in sweep.configurations()]
    assert len(list(place.laboratory.runs(experiments))) == sweep.size
    assert len(list(place.laboratory.runs(experiments))) == sweep.size
    assert len(place.site.jobs) == len(place.results.records) == sweep.size


def test_a_run_on_another_machine_is_another_run(bench: Make, sweep: Sweep) -> None:
    place = bench(good)
    configuration = next(sweep.configurations())
    list(place.laboratory.runs([Experiment(configuration)]))
    list(place.laboratory.runs([Experiment(configuration, "machine", "Haswell", {"OPENBLAS_CORETYPE": "Haswell"})]))
    assert [job.environment for job in place.site.jobs] == [{}, {"OPENBLAS_CORETYPE": "Haswell"}]


def test_a_search_decides_by_what_came_out(bench: Make, sweep: Sweep) -> None:
    def search(configuration: Configuration) -> Search[float]:
        run = yield Experiment(configuration)
        while run.epochs[-1].loss > 0.1:
            configuration = configuration.changed(lr=configuration.lr / 2)
            run = yield Experiment(configuration)
        return float(configuration.lr)

    place = bench(lambda configuration: ran(configuration, configuration.lr))
    starts = [item for item in sweep.configurations() if item.precision == "float64"]
    found = dict(place.laboratory.search(search(item) for item in starts))
    assert found == {0: 0.01, 1: 0.1, 2: 0.0625, 3: 0.078125, 4: 0.09765625}


def test_what_the_site_gives_up_is_a_result(bench: Make, sweep: Sweep) -> None:
    def train(configuration: Configuration) -> Run:
        if configuration.lr == 0.1:
            raise RuntimeError("the last worker died of it\nat length")
        return good(configuration)

    runs = list(bench(train).laboratory.runs(map(Experiment, sweep.configurations())))
    assert len(runs) == sweep.size
    assert {run.reason for run in runs if run.status == "died"} == {"RuntimeError: the last worker died of it"}


def test_an_interpreter_that_does_not_start_ends_it(bench: Make, sweep: Sweep) -> None:
    def train(configuration: Configuration) -> Run:
        raise WorkerError("no")

    place = bench(train)
    with pytest.raises(WorkerError):
        list(place.laboratory.runs(map(Experiment, sweep.configurations())))
    assert place.site.abandoned


def test_after_the_deadline_and_beyond_the_limit_nothing_begins(bench: Make, sweep: Sweep) -> None:
    place = bench(good, deadline=time.monotonic() - 1)
    assert list(place.laboratory.runs(map(Experiment, sweep.configurations()))) == []
    place.laboratory.deadline = float("inf")
    found = list(place.laboratory.search((once(Experiment(item)) for item in sweep.configurations()), most=4))
    assert len(found) == len(place.site.jobs) == 4


def test_ctrl_c_keeps_what_is_done(bench: Make, sweep: Sweep) -> None:
    def done(experiment: Experiment, run: Any) -> None:
        if len(place.results.records) == 3:
            raise KeyboardInterrupt

    place = bench(good, done=done)
    with pytest.raises(KeyboardInterrupt):
        list(place.laboratory.runs(map(Experiment, sweep.configurations())))
    assert place.site.abandoned
    assert len(place.results.records) == 3
