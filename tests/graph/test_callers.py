"""What callers pass for a parameter."""

from __future__ import annotations

from collections.abc import Callable

from numlint.function import Function
from numlint.graph.value import Value

Lower = Callable[..., Function]

SOURCE = """
import numpy as np

def scaled(x, scale, shift=0.0):
    return x / scale + shift

def direct(x):
    return scaled(x, x.std())

def guarded(x):
    s = np.ptp(x)
    if s > 0:
        return scaled(x, shift=1.0, scale=s)

class Model:
    def step(self, x, rate):
        return x * rate

    def run(self, x):
        return [self.step(v, np.exp(v)) for v in x]

top = scaled(np.ones(3), 2.0)
"""


def parameter(function: Function, name: str) -> Value:
    return next(value for _, value in function.body.bindings[name] if value.op == "param")


def test_positional_and_keyword_arguments_of_all_callers(lower: Lower) -> None:
    function = lower(SOURCE, "scaled")
    passed = function.arguments(parameter(function, "scale"))
    assert [repr(argument.value) for argument in passed] == ["std(x)", "ptp(x)", "2.0"]
    assert [argument.path is not None for argument in passed] == [False, True, False]


def test_a_default_is_passed_by_nobody(lower: Lower) -> None:
    function = lower(SOURCE, "scaled")
    assert [repr(argument.value) for argument in function.arguments(parameter(function, "shift"))] == ["1.0"]


def test_methods_are_called_on_self(lower: Lower) -> None:
    function = lower(SOURCE, "Model.step")
    assert [argument.value.op for argument in function.arguments(parameter(function, "rate"))] == ["exp"]


def test_nobody_calls(lower: Lower) -> None:
    function = lower(SOURCE, "direct")
    assert function.arguments(parameter(function, "x")) == ()
