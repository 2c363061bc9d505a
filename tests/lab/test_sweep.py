"""Which runs a user's words ask for."""

from __future__ import annotations

from typing import Any

import pytest

from numlint.lab.sweep import Sweep, read, selected
from numlint.lab.task import SettingError, Task
from numlint.runtime.lab.configuration import differences


def axes(sweep: Sweep) -> dict[str, list[Any]]:
    return {axis.name: list(axis.values) for axis in sweep.axes}


def test_a_name_alone_runs_through_all_its_choices_or_the_usual_values(task: Task) -> None:
    found = axes(read(task, ["precision,lr,lambda"]))
    assert found["precision"] == ["float64", "float32", "float16"]
    assert found["lr"] == [0.01, 0.1, 1.0, 10.0, 100.0]
    assert found["l2"] == [0.0, 1e-3, 0.1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("precision=float32,float64", {"precision": ["float32", "float64"]}),
        ("lr=1,0.1", {"lr": [0.1, 1.0]}),
        ("lr=1e-4:1:log:5", {"lr": [1e-4, 1e-3, 1e-2, 1e-1, 1.0]}),
        ("lr=0:1:lin:5", {"lr": [0.0, 0.25, 0.5, 0.75, 1.0]}),
        ("seed=0:3", {"seed": [0, 1, 2, 3]}),
        ("lambda=0,1e-3:1e-1:log:3", {"l2": [0.0, 1e-3, 1e-2, 1e-1]}),
        ("learning_rate=0.5", {"lr": [0.5]}),
        ("clip=none,1.5", {"clip": [None, 1.5]}),
        ("shuffle=true,false", {"shuffle": [True, False]}),
        ("data=a.csv,b.csv", {"data": ["a.csv", "b.csv"]}),
        ("loss,lr=0.1,1,lambda=0", {"loss": ["naive", "stable"], "lr": [0.1, 1.0], "l2": [0.0]}),
        ("lr=0.1,1,loss", {"lr": [0.1, 1.0], "loss": ["naive", "stable"]}),
        ("stop=none,seed", {"stop": ["none", "seed"]}),
    ],
)
def test_values_and_ranges(task: Task, text: str, expected: dict[str, list[Any]]) -> None:
    """A word after values is one more value, unless it is a name and the setting cannot take it."""
    assert axes(read(task, [text])) == expected


def test_options_may_be_repeated(task: Task) -> None:
    sweep = read(task, ["precision=float64,float32", "lr=0.1,1"], ["epochs=5"])
    assert [(c.precision, c.lr, c.epochs) for c in sweep.configurations()] == [
        ("float64", 0.1, 5),
        ("float64", 1.0, 5),
        ("float32", 0.1, 5),
        ("float32", 1.0, 5),
    ]


def test_runs_differ_in_what_was_swept_and_in_nothing_else(task: Task) -> None:
    runs = list(read(task, ["precision,lr"], ["lambda=1e-3"]).configurations())
    assert {name for run in runs for name in differences(runs[0], run)} == {"precision", "lr"}
    assert all(set(run.settings) == set(task.parameters) for run in runs)


def test_one_number_is_one_run_however_it_is_written(task: Task) -> None:
    fingerprints = {
        next(read(task, [text]).configurations()).fingerprint for text in ("lr=1", "lr=1.0", "learning_rate=1e0")
    }
    assert len(fingerprints) == 1


@pytest.mark.parametrize(
    ("sweeps", "settings", "adaptive", "said"),
    [
        (["precison"], [], None, "did you mean 'precision'?; it has precision, lr, lambda,"),
        (["precision=float31"], [], None, "it is one of float64, float32, float16; did you mean 'float32'?"),
        (["lr=fast"], [], None, "lr=fast: it is a number, such as 0.1"),
        (["lr=1e-4:1"], [], None, "1e-4:1:log:9"),
        (["lr=1e-4:1:cubic:3"], [], None, "1e-4:1:log:9"),
        (["lr=0:1:log:3"], [], None, "above 0"),
        (["lr=0.1,,1"], [], None, "between two commas"),
        (["lr=0.1", "lr=1"], [], None, "swept twice"),
        (["lr"], ["lr=1"], None, "both swept and set"),
        (["epochs"], [], None, "knows no values"),
        ([], ["lr"], None, "--set lr=0.1"),
        ([], ["shuffle=maybe"], None, "true or false"),
        (["seed=0:1000000"], [], None, "more than"),
        ([], [], "loss", "positive number"),
        ([], [], "epochs", "knows no values"),
        ([], [], "lr=1", "1e-4:10"),
        ([], ["lr=1"], "lr", "both searched and set"),
    ],
)
def test_mistakes_say_what_to_write(
    task: Task, sweeps: list[str], settings: list[str], adaptive: str | None, said: str
) -> None:
    with pytest.raises(SettingError) as caught:
        read(task, sweeps, settings, adaptive)
    assert said in str(caught.value)


def test_a_function_of_the_user_may_take_settings_that_it_does_not_name(task: Task) -> None:
    taking = Task("mine:train", parameters=task.parameters, open=True)
    assert axes(read(taking, ["width=8,16"])) == {"width": [8, 16]}
    with pytest.raises(SettingError, match="did you mean 'precision'"):
        read(taking, ["precisoin=float32"])


def test_fewer_runs_are_spread_over_the_grid_and_the_same_every_time(task: Task) -> None:
    everything = list(read(task, ["precision,lr,lambda"]).configurations())
    few, more = selected(everything, 10), selected(everything, 20)
    assert (len(few), len(more)) == (10, 20)
    assert selected(everything, 10) == few
    assert {run.fingerprint for run in few} < {run.fingerprint for run in more}
    assert len({run.precision for run in more}) == 3
    assert [run for run in everything if run in more] == more
