"""`numlint lab`: real training, from the command line to the exit code."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from numlint.confirm.emulation import Emulation, kernel_set, one_thread
from numlint.lab.workers import CREW
from tests.cli.conftest import Numlint

TRAINING = """\
import time


def descend(lr=0.1, curvature=1.0, epochs=20, pause=0.0):
    \"\"\"Gradient descent on a parabola.\"\"\"
    w = 1.0
    for epoch in range(epochs):
        gradient = curvature * w
        yield {"loss": curvature * w * w / 2, "parameters": {"w": [w]}, "gradients": {"w": [gradient]}}
        w -= lr * gradient
        time.sleep(pause)
"""


@pytest.fixture(autouse=True)
def training(project: Path) -> Path:
    (project / "training.py").write_text(TRAINING)
    return project


@pytest.fixture
def lab(numlint: Numlint) -> Numlint:
    def call(*arguments: str, stdin: str = "") -> object:
        try:
            return numlint("lab", "--python", sys.executable, *arguments, stdin=stdin)
        finally:
            CREW.kill()

    return call  # type: ignore[return-value]


def records(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "runs.jsonl").read_text().splitlines()]


def test_a_sweep_of_a_function_of_ones_own(lab: Numlint, project: Path) -> None:
    result = lab("--task", "training:descend", "--sweep", "lr=0.5,300", "-o", "results")
    assert result.status == 1
    lines = result.out.splitlines()
    assert lines[0].startswith("Run lr=0.5: ")
    assert lines[1].startswith("Run lr=300: diverged (loss=")
    assert "Recommendation: lower lr" in lines
    assert "results in results" in lines
    kept = records(project / "results")
    assert [record["purpose"] for record in kept][:2] == ["grid", "grid"]
    assert {record["purpose"] for record in kept} == {"grid", "mitigation"}
    assert json.loads((project / "results" / "lab.json").read_text())["fixed"] == {}


def test_the_sketch(lab: Numlint) -> None:
    result = lab(
        "--task", "logistic_regression", "--sweep", "precision=float64,float32,lr,lambda=0", "--set", "epochs=5"
    )
    lines = result.out.splitlines()
    assert [line.split(":")[0] for line in lines if line.startswith("Run ")] == [
        f"Run {precision} lr={lr} lambda=0"
        for precision in ("float64", "float32")
        for lr in ("0.01", "0.1", "1", "10", "100")
    ]


def test_healthy_runs_exit_with_0(lab: Numlint) -> None:
    assert lab("--task", "training:descend", "--sweep", "lr=0.5,0.6").status == 0


def test_a_boundary_is_found_by_bisection(lab: Numlint, project: Path) -> None:
    result = lab(
        "--task",
        "training:descend",
        "--adaptive",
        "lr=0.1:10",
        "--sweep",
        "curvature=1,4",
        "--output-format",
        "json",
        "-o",
        "results",
    )
    found = json.loads(result.out)["boundaries"]
    assert [item["value"] for item in found] == pytest.approx([2.0, 0.5], rel=0.06)
    assert {record["purpose"] for record in records(project / "results")} >= {"boundary"}


def test_what_is_there_is_not_made_again(lab: Numlint, project: Path) -> None:
    lab("--task", "training:descend", "--sweep", "lr=0.1:0.5:lin:5", "--max-runs", "2", "-o", "results")
    assert len(records(project / "results")) == 2
    result = lab("--resume", "results", "--max-runs", "5")
    assert len(records(project / "results")) == 5
    assert "5 runs: " in result.out
    assert "Run lr=0.1: " in result.out.splitlines()[0]


def test_ctrl_c_keeps_what_is_done(project: Path) -> None:
    command = [sys.executable, "-m", "numlint", "lab", "--python", sys.executable, "--task", "training:descend"]
    arguments = ["--sweep", "lr=0.1:0.9:lin:9", "--set", "pause=0.03", "-j", "1", "-o", "results"]
    process = subprocess.Popen([*command, *arguments], cwd=project, stdout=subprocess.PIPE, text=True)
    file = project / "results" / "runs.jsonl"
    until = time.monotonic() + 30
    while not (file.exists() and file.read_text().count("\n") >= 2):
        assert time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    done = len(records(project / "results"))
    assert 2 <= done < 9
    assert f"{9 - done} runs left: numlint lab --resume results" in out


def test_two_results_are_compared_or_refused(lab: Numlint, numlint: Numlint) -> None:
    lab("--task", "training:descend", "--sweep", "lr=0.5,1.5", "-o", "one")
    lab("--task", "training:descend", "--sweep", "lr=0.5,1.5", "--set", "curvature=1000", "-o", "other")
    refused = numlint("lab", "compare", "one", "other")
    assert refused.status == 2
    assert "curvature: 1 and 1000" in refused.err
    allowed = numlint("lab", "compare", "one", "other", "--across", "curvature")
    assert allowed.status == 1
    assert "2 pairs: B is better in 0, worse in 2" in allowed.out
    assert numlint("lab", "compare", "one", "one").status == 0


def test_tasks_are_listed_with_their_settings(lab: Numlint) -> None:
    listed = lab("tasks")
    assert "logistic_regression  two classes" in listed.out
    assert "precision=float64, lr=0.1, lambda=0" in listed.out
    detailed = lab("tasks", "training:descend")
    assert "curvature" in detailed.out
    assert "Gradient descent on a parabola." in detailed.out
    assert json.loads(lab("tasks", "--output-format", "json").out)[0]["settings"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "numlint lab tasks"),
        (["--task", "logistic_regresion"], "there is no task 'logistic_regresion'"),
        (["--task", "training:nothing"], "no function 'nothing'"),
        (["--task", "training:descend", "--sweep", "curvture"], "did you mean 'curvature'?; it has lr, curvature"),
        (["--task", "training:descend", "--sweep", "curvature"], "knows no values"),
        (["--resume", "results", "--task", "x"], "leave --task"),
        (["--resume", "nowhere"], "no lab.json"),
        (["--task", "training:descend", "--scheduler", "tcp://127.0.0.1:1"], "--scheduler: no Dask scheduler"),
        (["-q", "-v", "--task", "x"], "exclude each other"),
    ],
)
def test_wrong_calls(lab: Numlint, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str) -> None:
    monkeypatch.setattr("numlint.lab.cluster.CONNECT_SECONDS", 1)
    result = lab(*arguments)
    assert (result.status, result.out) == (2, "")
    assert said in " ".join(result.err.split())


def test_an_interpreter_that_does_not_exist(numlint: Numlint) -> None:
    result = numlint("lab", "--task", "x", "--python", "/nowhere/python")
    assert result.status == 2
    assert "--python: there is no interpreter /nowhere/python" in result.err


def test_when_no_run_can_be_made_the_call_was_wrong(lab: Numlint) -> None:
    result = lab("--task", "logistic_regression", "--set", "data=nowhere.csv", "--trials", "0")
    assert result.status == 2
    assert "refused (" in result.out


def test_weights_on_emulated_machines(lab: Numlint, monkeypatch: pytest.MonkeyPatch) -> None:
    two = [Emulation("this machine", one_thread()), kernel_set("Nehalem")]
    monkeypatch.setattr("numlint.lab.machines.emulations", lambda description: (two, "no others in this test"))
    result = lab("--task", "linear_regression", "--sweep", "solver=normal,lstsq", "--machines", "--set", "rows=20")
    lines = result.out.splitlines()
    table = lines[lines.index("Largest weight on emulated machines") :]
    assert table[1].split() == ["normal", "lstsq"]
    assert [line.split()[0] for line in table[2:4]] == ["this", "Nehalem"]
    assert table[4].split() == ["same", "same"]


def test_a_page_is_written_of_what_is_there(lab: Numlint, project: Path) -> None:
    lab("--task", "training:descend", "--sweep", "lr=0.5,300", "-o", "results", "--trials", "0")
    assert lab("--resume", "results", "--trials", "0", "--report", "page.html", "-q").status == 1
    page = (project / "page.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "lr=300" in page
    assert lab("--resume", "results", "--trials", "0", "--report", "nowhere/page.html", "-q").status == 2


def test_probes_are_asked_of_a_function_of_ones_own(lab: Numlint) -> None:
    result = lab("probe", "--task", "training:descend", "--probe", "gradient", "--probe", "restart")
    assert result.status == 0
    assert [line.split()[:2] for line in result.out.splitlines() if not line.startswith(" ") and line] == [
        ["gradient", "healthy"],
        ["restart", "cannot"],
        ["2", "probes"],
    ]
    assert "--seconds" in lab("probe", "--task", "training:descend", "--set", "pause=9", "--seconds", "0.5").out
    wrong = lab("probe", "--task", "training:descend", "--probe", "dance")
    assert (wrong.status, "there is no probe 'dance'" in wrong.err) == (2, True)


def test_a_policy_is_written(lab: Numlint, project: Path) -> None:
    result = lab("policy", "--task", "mlp", "--format", "bfloat16", "-o", "policy.json")
    assert (result.status, result.out.splitlines()[0]) == (0, "bfloat16: 20 of 20 operations may run in it")
    data = json.loads((project / "policy.json").read_text())
    assert data["policies"][0]["float32"] == []
    refused = lab("policy", "--task", "training:descend")
    assert refused.status == 2
    assert "to make it possible, yield gradient_of" in " ".join(refused.err.split())
    code = lab("policy", "--task", "mlp", "--snippet", "mixed.py")
    assert (code.status, "is for models of torch" in code.err) == (2, True)
