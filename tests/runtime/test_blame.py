"""The operation to blame is the guilty line of classic functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numlint.runtime.blame import blame
from numlint.runtime.formats import FLOAT32, FLOAT64
from numlint.runtime.harness import Harness
from numlint.runtime.instrument import Observer
from tests.runtime.trace import subjects

POINT = np.array([[1.2, 0.3, -0.5]])
GENERATOR = np.random.default_rng(0)

CASES: dict[str, tuple[Any, ...]] = {
    "softmax": (np.array([0.0, 800.0]),),
    "logsumexp": (np.array([0.0, 800.0]),),
    "variance": (GENERATOR.normal(size=100) + 1e6,),
    "log_determinant": (np.eye(200) * 1e-3,),
    "least_squares": (np.c_[np.ones(20), GENERATOR.normal(size=20) + 1e6], GENERATOR.normal(size=20)),
    "cross_entropy": (np.array([40.0, 1.0]),),
    "cosine": (np.full(2, 1e-100), np.full(2, 1e-100)),
    "softplus": (np.array([-40.0]),),
    "quadratic_root": (1.0, 1e9, 1.0),
    "power_iteration": (np.eye(3) * 100, np.ones(3)),
    "distance": (POINT + 1e4, POINT + 1e4 + 1e-5),
    "likelihood": (np.full(2000, 0.1),),
    "expm1_quotient": (np.array([1e-13]),),
    "harmonic": (np.array([1.0, 800.0]),),
    "normalise": ([1e-320, -1e-320],),
    "scalar_loop": ([1e-200, 1e-200],),
}


def harness(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Harness:
    names = list(inspect.signature(function).parameters)
    return Harness(
        "synthesised",
        function.__name__,
        dict(zip(names, arguments, strict=True)),
        {},
        prepare=lambda inputs: None,
        call=lambda state, inputs: {"return": getattr(subjects, function.__name__)(**inputs)},
        observer=Observer(),
        modules=[subjects],
    )


def guilty(function: Callable[..., Any]) -> int:
    lines, start = inspect.getsourcelines(function)
    return start + next(number for number, line in enumerate(lines) if "# guilty" in line)


@pytest.mark.parametrize("name", CASES)
def test_the_guilty_line_is_named(name: str) -> None:
    function = getattr(subjects, name)
    runnable = harness(function, CASES[name])
    origin = blame(runnable, runnable.inputs, FLOAT64)
    assert origin is not None
    assert origin.line == guilty(function)
    assert origin.operation
    assert origin.operand


def test_the_operand_is_the_number_that_overflows() -> None:
    runnable = harness(subjects.softmax, (np.array([0.0, 89.0]),))
    origin = blame(runnable, runnable.inputs, FLOAT32)
    assert origin is not None
    assert (origin.operation, origin.operand, origin.result) == ("exp", "89.0", "inf")


def test_a_sound_function_has_nothing_to_blame() -> None:
    runnable = harness(subjects.softmax, (np.array([0.0, 1.0]),))
    assert blame(runnable, runnable.inputs, FLOAT64) is None
