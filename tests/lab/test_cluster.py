"""The same grid on a Dask cluster: a scheduler and two workers, started here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from numlint.lab.cluster import Cluster, ClusterError
from numlint.lab.laboratory import Experiment, Laboratory, Recipe
from numlint.lab.results import Asked, Results
from numlint.lab.sweep import Sweep
from numlint.lab.task import Task
from numlint.runtime.lab.configuration import Configuration

distributed = pytest.importorskip("distributed")

TRAINING = """\
import time


def descend(lr=0.1):
    w = 1.0
    for epoch in range(3):
        w -= lr * w
        time.sleep(0.05)
        yield {"loss": w * w}
"""


@dataclass(frozen=True)
class Running:
    """A scheduler, with the processes of its workers."""

    address: str
    workers: list[subprocess.Popen[bytes]]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("dask")
    file = folder / "scheduler.json"
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}

    def start(kind: str, *more: str) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-m",
            f"distributed.cli.dask_{kind}",
            "--scheduler-file",
            str(file),
            "--no-dashboard",
        ]
        return subprocess.Popen([*command, *more], **quiet, start_new_session=True)

    processes = [start("scheduler", "--host", "127.0.0.1", "--port", "0")]
    # Without a nanny, a worker that is killed stays away.
    processes += [start("worker", "--nthreads", "1", "--no-nanny") for _ in range(2)]
    try:
        with distributed.Client(scheduler_file=str(file), timeout=30) as client:
            client.wait_for_workers(2, timeout=30)
            address = client.scheduler.address
        yield Running(address, processes[1:])
    finally:
        for process in processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_a_sweep_from_the_command_line(running: Running, tmp_path: Path) -> None:
    (tmp_path / "training.py").write_text(TRAINING)
    command = [sys.executable, "-m", "numlint", "lab", "--python", sys.executable, "--scheduler", running.address]
    arguments = ["--task", "training:descend", "--sweep", "lr=0.1,0.2,0.3", "-o", "results", "--output-format", "json"]
    done = subprocess.run([*command, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert [run["epochs"] for run in json.loads(done.stdout)["runs"]] == [3, 3, 3]
    assert len(Results.open(tmp_path / "results").records) == 3


def test_a_lost_worker_loses_no_result(running: Running, tmp_path: Path) -> None:
    (tmp_path / "training.py").write_text(TRAINING)
    killed: list[float] = []

    def done(experiment: Experiment, run: object) -> None:
        if len(results.records) == 4:
            os.killpg(running.workers[0].pid, signal.SIGKILL)
            killed.append(time.monotonic())

    wanted = [Configuration("training:descend", {"lr": 0.01 * step}) for step in range(1, 17)]
    results = Results.create(tmp_path / "results", Asked(Sweep(Task("training:descend"))))
    recipe = Recipe(sys.executable, 30.0, {"path": [str(tmp_path)]}, str(tmp_path))
    with Cluster(running.address) as site:
        assert site.capacity == 2
        runs = list(Laboratory(site, results, recipe, done=done).runs(map(Experiment, wanted)))
    assert killed
    assert {run.configuration.lr for run in runs} == {item.lr for item in wanted}
    assert {len(run.epochs) for run in runs} == {3}
    assert len(Results.open(results.folder).records) == 16


def test_an_address_where_nobody_answers_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numlint.lab.cluster.CONNECT_SECONDS", 1)
    with pytest.raises(ClusterError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1 .*dask scheduler"):
        Cluster("tcp://127.0.0.1:1")
