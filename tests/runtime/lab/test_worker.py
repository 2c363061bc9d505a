"""The worker speaks JSON lines, whatever a training function prints."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from numlint import runtime
from numlint.runtime.lab.record import Run

START = Path(next(iter(runtime.__path__)), "start.py")
TALKATIVE = """\
import os, sys

def train(config):
    print("garbage")
    os.write(1, b"{}\\n")
    for loss in (2.0, 1.0, float("inf")):
        yield loss

def broken(lr=0.1):
    yield {"loss": 1.0}
    raise RuntimeError("no more data")

def endless(lr=0.1):
    yield {"loss": 1.0}
    while True:
        pass

def returns(lr=0.1):
    return 3.0
"""


def asked(*requests: dict[str, Any], folder: Path | None = None) -> list[dict[str, Any]]:
    if folder is not None:
        (folder / "talkative.py").write_text(TALKATIVE)
    done = subprocess.run(
        [sys.executable, "-u", "-B", str(START), "--lab"],
        input="".join(json.dumps(request) + "\n" for request in requests),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def request(task: str, folder: Path, **options: Any) -> dict[str, Any]:
    return {
        "id": task,
        "op": "run",
        "configuration": {"task": f"talkative:{task}", "settings": {}},
        "options": {"path": [str(folder)], **options},
    }


def test_runs_tasks_and_descriptions_are_answered_in_order() -> None:
    configuration = {"task": "logistic_regression", "settings": {"epochs": 3, "lambda": 0.1}}
    lines = asked(
        {"id": 1, "op": "run", "configuration": configuration},
        {"id": 2, "op": "tasks"},
        {"id": 3, "op": "describe", "task": "mlp"},
        {"op": "exit"},
    )
    assert lines[0]["hello"]["numpy"]
    assert {line["id"] for line in lines[1:] if "event" in line} == {1}
    results = {line["id"]: line["result"] for line in lines if "result" in line}
    run = Run.from_json(results[1])
    assert (len(run.epochs), run.status, run.configuration.l2) == (3, "exhausted", 0.1)
    assert [task["name"] for task in results[2]] == [
        "linear_regression",
        "logistic_regression",
        "mlp",
        "rnn",
        "softmax_regression",
    ]
    assert results[3]["settings"]["precision"]["choices"][0] == "float64"
    assert all(setting["about"] for setting in results[3]["settings"].values())


def test_what_cannot_be_understood_is_refused_and_the_next_is_answered() -> None:
    lines = asked({"id": 1, "op": "dance"}, {"id": 2, "op": "describe", "task": "nothing"}, {"id": 3, "op": "tasks"})
    results = [line["result"] for line in lines[1:]]
    assert "no operation 'dance'" in results[0]["refused"]
    assert "no task 'nothing'" in results[1]["refused"]
    assert len(results[2]) == 5


def test_what_a_training_function_prints_does_not_disturb(tmp_path: Path) -> None:
    lines = asked(request("train", tmp_path), folder=tmp_path)
    events = [line["event"]["epoch"] for line in lines if "epoch" in line.get("event", {})]
    assert events[0]["loss"] == 2.0
    run = Run.from_json(lines[-1]["result"])
    assert (run.status, run.reason) == ("diverged", "loss=inf at epoch 2")


def test_what_raises_hangs_or_is_no_generator_is_a_result(tmp_path: Path) -> None:
    requests = (request("broken", tmp_path), request("endless", tmp_path, seconds=0.5), request("returns", tmp_path))
    lines = asked(*requests, request("missing", tmp_path), folder=tmp_path)
    runs = {line["id"]: Run.from_json(line["result"]) for line in lines if "result" in line}
    assert (runs["broken"].status, len(runs["broken"].epochs)) == ("failed", 1)
    assert "RuntimeError: no more data (talkative.py:11)" in runs["broken"].reason
    assert (runs["endless"].status, len(runs["endless"].epochs)) == ("timed-out", 1)
    assert runs["returns"].status == "failed"
    assert "generator" in runs["returns"].reason
    assert (runs["missing"].status, runs["missing"].reason) == ("refused", "talkative has no function 'missing'")
