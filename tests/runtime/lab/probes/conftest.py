"""A probe asked of a training function that stands in a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from numlint.runtime.lab.answers import Answer
from numlint.runtime.lab.configuration import Configuration
from numlint.runtime.lab.probes import answer, probes
from numlint.runtime.lab.probes.subject import Subject
from numlint.runtime.lab.tasks import Task
from numlint.runtime.lab.training_function import of_function, task_of

Asked = Callable[..., Answer]


def ask(name: str, function: Callable[..., Any] | str, seconds: float = 60.0, **settings: Any) -> Answer:
    """The answer of a probe about a function, or about a built-in task."""
    task: Task = task_of(function) if isinstance(function, str) else of_function("test:train", function)
    return answer(probes()[name], Subject(task, task.completed(Configuration(task.name, settings))), seconds)


@pytest.fixture
def asked() -> Asked:
    return ask
