"""The lab's conclusions as people read them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import pytest

from numlint.lab.boundary import Boundary
from numlint.lab.conclusion import Conclusion
from numlint.lab.machines import Repeated, Weights
from numlint.lab.mitigations import mitigations
from numlint.lab.recommend import Remedy, Trial
from numlint.lab.results import Asked
from numlint.lab.sweep import read
from numlint.lab.task import Parameter, Task
from numlint.report import lab
from numlint.runtime.lab.record import Conditions, Epoch, Finding, Phase, Run

TASK = Task(
    "logistic_regression",
    "two classes",
    {
        item.name: item
        for item in (
            Parameter("precision", "float64", choices=("float64", "float32")),
            Parameter("lr", 0.1),
            Parameter("l2", 0.0),
            Parameter("standardise", "none", choices=("none", "two-pass")),
        )
    },
)
SWEEP = read(TASK, ["precision", "lr=0.01,0.2", "lambda=0,1e-3"])


def run(status: str = "converged", losses: Sequence[float] = (0.7, 0.2), changes: Any = None, **more: Any) -> Run:
    settings = {"precision": "float64", "lr": 0.01, "l2": 1e-3, **(changes or {})}
    epochs = [Epoch(number, loss) for number, loss in enumerate(losses)]
    return Run(TASK.configuration(settings), status, epochs=epochs, **more)


GOOD = run(conditions=Conditions(gram=2.4e7))
BAD = run(
    "diverged",
    (0.7, 3.0, math.inf),
    {"precision": "float32", "lr": 0.2, "l2": 0.0},
    conditions=Conditions(gram=2.4e7, largest_stable_lr=0.05),
    phases=[Phase("healthy", 0, 0), Phase("exploding", 1, 2, "the loss grew 4 times in an epoch")],
    findings=[Finding("overflow", 2, "exp(89.1) is inf", where="losses.py:31")],
)


def remedy(verdict: str = "cured", failing: Run = BAD, number: int = 1) -> Remedy:
    named = {item.name: item for item in mitigations()}
    scaled = Trial((named["scale features"],), {"standardise": "two-pass"}, run("exhausted"), verdict)
    clipped = Trial((named["clip the gradient"],), {"clip": 1.0}, run("diverged", (1.0, math.nan)), "no help")
    return Remedy(failing, number, (clipped, scaled))


def shown(*runs: Run, width: int = 100, detail: int = 1, **more: Any) -> str:
    conclusion = Conclusion(Asked(SWEEP), runs, **{"seconds": 1.5, "folder": "results", **more})
    return lab.render("text", conclusion, color=False, width=width, detail=detail)


def test_it_begins_with_the_runs_the_condition_and_the_recommendation() -> None:
    assert shown(GOOD, BAD, remedies=(remedy(),)).splitlines()[:4] == [
        "Run float64 lr=0.01 lambda=1e-3: converged",
        "Run float32 lr=0.2 lambda=0: diverged (loss=inf at epoch 2); overflow",
        "Condition number(X^T X): 2.4e7",
        "Recommendation: scale features",
    ]


def test_the_evidence_follows() -> None:
    text = shown(GOOD, BAD, remedies=(remedy(),))
    assert "healthy 0, exploding 1-2 (the loss grew 4 times in an epoch)" in text
    assert "overflow  1 run  epoch 2  float32 lr=0.2 lambda=0: exp(89.1) is inf [losses.py:31]" in text
    tried = text.split("Tried for ")[1].splitlines()
    assert [" ".join(line.split()) for line in tried[:4]] == [
        "float32 lr=0.2 lambda=0",
        "before diverged (loss=inf at epoch 2); overflow",
        "cured scale features standardise=two-pass not converged (loss=0.2)",
        "no help clip the gradient clip=1 diverged (loss=nan at epoch 1)",
    ]
    assert "2 runs: 1 converged, 1 diverged in 1.5 s" in text
    assert "2 mitigations tried: 1 helped, 1 of them cured" in text


def test_what_helps_and_does_not_cure_is_told_apart() -> None:
    helped = "Recommendation: scale features (for float32 lr=0.2 lambda=0; it helps, and is no cure)"
    assert helped.split() == " ".join(shown(BAD, remedies=(remedy("better"),)).splitlines()[2:3]).split()
    assert "Recommendation: none; nothing that was tried helped" in shown(BAD, remedies=(remedy("no help"),))


def test_each_way_of_failing_has_its_recommendation() -> None:
    other = run("failed", (), {"lr": 0.2}, reason="ValueError: no")
    text = shown(BAD, other, remedies=(remedy(number=3), remedy("better", other)))
    assert "Recommendation: scale features (for float32 lr=0.2 lambda=0 and 2 like it)" in " ".join(text.split("\n"))
    assert text.count("it helps, and is no cure") == 1
    assert "failed (ValueError: no)" in text


def test_many_runs_are_sampled_and_failures_among_them_shown() -> None:
    runs = [run(changes={"lr": 0.001 * number}) for number in range(60)]
    text = shown(*runs, BAD)
    lines = [line for line in text.splitlines() if line.startswith("Run ")]
    assert len(lines) == 20
    assert any("diverged" in line for line in lines)
    assert "... and 41 runs: 41 converged; -v shows all" in text
    assert len([line for line in shown(*runs, BAD, detail=2).splitlines() if line.startswith("Run ")]) == 61


def test_a_boundary_stands_beside_the_bound() -> None:
    found = Boundary("lr", TASK.configuration({"precision": "float32"}), 0.049, 0.051, 0.05, 10)
    adaptive = Conclusion(Asked(read(TASK, ["precision"], [], "lr=0.01:1")), (GOOD,), (found,))
    lines = lab.render("text", adaptive, color=False, width=100, detail=1).splitlines()
    heads = next(line for line in lines if "2/lambda_max" in line)
    assert heads.split() == ["holds", "at", "fails", "at", "boundary", "2/lambda_max", "ratio"]
    assert lines[lines.index(heads) + 1].split() == ["float32", "0.049", "0.051", "0.05", "0.05", "1"]


def test_a_grid_says_only_between_which_values_it_lies() -> None:
    found = Boundary("lr", TASK.configuration({"precision": "float32"}), 0.1, 100.0, 0.05, 10)
    text = shown(GOOD, boundaries=(found,))
    assert "ratio" not in text
    assert ["float32", "lambda=0", "0.1", "100", "0.05"] in [line.split() for line in text.splitlines()]


def test_weights_stand_in_a_column_for_each_run() -> None:
    sized = [run(largest_weight=size) for size in (2.13, 5.75e11)]
    weights = Weights(GOOD, (Repeated("Haswell", True, sized[0]), Repeated("SkylakeX", True, sized[1])))
    text = shown(GOOD, weights=(weights,))
    assert "  Haswell   2.13\n  SkylakeX  5.8e11\n            differs\n" in text


def test_what_is_left_can_be_resumed() -> None:
    assert "3 runs left: numlint lab --resume results" in shown(GOOD, left=3)


@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    long = run("failed", (), reason="ValueError: " + "an explanation at length " * 8)
    found = Boundary("lr", GOOD.configuration, 0.049, 0.051, 0.05, 10)
    weights = Weights(GOOD, (Repeated("Haswell", True, GOOD),))
    text = shown(GOOD, BAD, long, remedies=(remedy(),), boundaries=(found,), weights=(weights,), width=width)
    assert [line for line in text.splitlines() if len(line) > width] == []


def test_json_has_it_all_and_is_json() -> None:
    conclusion = Conclusion(Asked(SWEEP), (GOOD, BAD), remedies=(remedy(),), seconds=1.0, folder="results")
    text = lab.render("json", conclusion, color=False, width=80)
    data = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert [item["end"] for item in data["runs"]] == ["converged", "diverged (loss=inf at epoch 2)"]
    assert data["recommendations"] == [{"do": "scale features", "runs": 1}]
    assert data["healthy"] is False
    assert data["sweep"]["lr"] == [0.01, 0.2]
