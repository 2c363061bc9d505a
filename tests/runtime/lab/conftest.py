"""Training runs, named shortly."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from numlint.runtime.lab.configuration import Configuration
from numlint.runtime.lab.record import Run
from numlint.runtime.lab.training import Options, train

Training = Callable[..., Run]


@functools.cache
def _trained(task: str, options: Options, settings: tuple[tuple[str, Any], ...]) -> Run:
    return train(Configuration(task, dict(settings)), options)


def trained(task: str, options: Options | None = None, **settings: Any) -> Run:
    """The run of a task; the same settings are trained once."""
    return _trained(task, options or Options(), tuple(sorted(settings.items())))


@pytest.fixture(name="trained")
def trained_fixture() -> Training:
    return trained
