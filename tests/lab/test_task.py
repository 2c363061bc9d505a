"""Settings as people read them."""

from __future__ import annotations

import pytest

from numlint.lab.task import Task, numeral, phrase, written


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.01, "0.01"),
        (1e-3, "1e-3"),
        (0.2, "0.2"),
        (0.0, "0"),
        (1.0, "1"),
        (100.0, "100"),
        (2.4e7, "2.4e7"),
        (0.6666666, "0.6667"),
        (1234567.0, "1.235e6"),
        (1000.0, "1000"),
        (20000.0, "20000"),
        (-0.001, "-1e-3"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
    ],
)
def test_a_number_takes_as_few_characters_as_it_can(value: float, text: str) -> None:
    assert numeral(value) == text


def test_a_configuration_is_named_by_what_tells_it_apart(task: Task) -> None:
    configuration = task.configuration({"precision": "float32", "lr": 0.2})
    assert phrase(configuration, ("precision", "lr", "l2", "clip")) == "float32 lr=0.2 lambda=0 clip=none"
    assert written(True) == "true"


def test_a_task_is_read_as_it_was_written(task: Task) -> None:
    assert Task.from_json(task.to_json()) == task
