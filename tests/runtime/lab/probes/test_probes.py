"""What holds for all probes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from numlint.runtime.lab.answers import DEFECT, HEALTHY, UNASKED, VERDICTS, Answer
from numlint.runtime.lab.configuration import Configuration
from numlint.runtime.lab.data import Refused
from numlint.runtime.lab.probes import answers, probes
from numlint.runtime.lab.probes.subject import Subject
from numlint.runtime.lab.training_function import task_of

NAMES = ["baseline", "gradient", "linearity", "overfit", "repeatable", "restart"]


def falling() -> Iterator[float]:
    """Yields a loss, and nothing else."""
    yield from (3.0, 2.0, 1.0)


def test_they_are_found() -> None:
    assert sorted(probes()) == NAMES
    assert all(probe.question.endswith("?") for probe in probes().values())


@pytest.mark.parametrize("name", NAMES)
def test_a_loss_alone_is_enough_to_ask_and_the_answer_says_what_is_missing(name: str, asked: Any) -> None:
    answer = asked(name, falling)
    if name == "repeatable":
        assert answer.verdict == HEALTHY
        return
    assert answer.verdict == UNASKED
    assert re.search(r"\b(yields?|parameter|closure|predicted|called)\b", f"{answer.said}; {answer.remedy}")
    assert answer.remedy


@pytest.mark.parametrize("name", NAMES)
def test_a_function_that_raises_is_an_answer(name: str, asked: Any) -> None:
    def broken(lr: float = 0.1, checkpoint: Any = None, rows: int = 5) -> Iterator[float]:
        raise RuntimeError("no data")
        yield 1.0

    answer = asked(name, broken)
    assert answer.verdict == UNASKED
    assert "RuntimeError: no data" in answer.said


def test_a_function_that_hangs_is_an_answer(asked: Any) -> None:
    def endless(lr: float = 0.1) -> Iterator[float]:
        yield 1.0
        while True:
            pass

    answer = asked("repeatable", endless, seconds=0.3)
    assert (answer.verdict, answer.said) == (UNASKED, "it took longer than 0.3 s")


@pytest.mark.parametrize("task", ["linear_regression", "logistic_regression", "softmax_regression", "mlp", "rnn"])
def test_built_in_tasks_have_no_defect(task: str) -> None:
    found = task_of(task)
    configuration = found.completed(Configuration(task, {"epochs": 100, "lr": 0.5}))
    said = {item.probe: item for item in answers(Subject(found, configuration))}
    # The last state of a recurrent network holds little of the first of twelve inputs: a line does better.
    expected = ["baseline"] if task == "rnn" else []
    assert [name for name, item in said.items() if item.verdict == DEFECT] == expected
    assert [name for name, item in said.items() if item.verdict == UNASKED] == ["restart"]


def test_names_that_do_not_exist_are_refused() -> None:
    task = task_of("mlp")
    with pytest.raises(Refused, match="no probe 'dance'"):
        list(answers(Subject(task, task.completed(Configuration("mlp"))), ["dance"]))


def test_answers_survive_json() -> None:
    answer = Answer("gradient", VERDICTS[1], "wrong", "look", {"error": float("inf")}, "Is it right?", 1.0)
    assert Answer.from_json(answer.to_json()) == answer
