"""The search finds the units that cost too much, alone or together, and no more than these."""

from __future__ import annotations

import math
from collections.abc import Collection

import pytest

from numlint.runtime.lab.answers import Policy, Unit
from numlint.runtime.lab.configuration import Configuration
from numlint.runtime.lab.data import Refused
from numlint.runtime.lab.policy import Measured, policy, search
from numlint.runtime.lab.probes.subject import Subject
from numlint.runtime.lab.training_function import of_function, task_of


class Sums:
    """Errors of units add up; a pair may overflow that does not alone."""

    backend, device = "torch", "cpu"

    def __init__(self, costs: dict[str, float], pair: tuple[str, str] = ("", "")) -> None:
        self.costs = costs
        self.pair = set(pair)
        self.units = [Unit(name) for name in costs]
        self.runs = 0

    def measure(self, low: Collection[str]) -> Measured:
        self.runs += 1
        if self.pair <= set(low):
            return Measured(math.inf, max(self.pair), "overflow")
        error = 1e-7 + sum(self.costs[name] for name in low)
        return Measured(error, "", "rounding" if math.isfinite(error) else "overflow")


def test_what_costs_too_much_alone_stays_in_float32() -> None:
    found = search(Sums({"a": 0.001, "b": math.inf, "c": 0.2}), "float16", 0.05)
    assert found.wide == ["b", "c"]
    assert [unit.why for unit in found.units] == ["", "overflow", "rounding"]
    assert found.error == pytest.approx(0.001, rel=1e-3)


def test_what_costs_too_much_together_is_given_up_from_the_costliest_on() -> None:
    assert search(Sums({"a": 0.01, "b": 0.03, "c": 0.04}), "float16", 0.05).wide == ["c"]


def test_of_what_overflows_together_the_origin_is_given_up() -> None:
    assert search(Sums({"a": 0.001, "b": 0.0, "c": 0.0}, ("b", "c")), "float16", 0.05).wide == ["c"]


def test_what_fits_again_is_taken_back() -> None:
    # Together 0.06; without c, 0.03: then a, which was not to blame, stays.
    assert search(Sums({"a": 0.02, "b": 0.01, "c": 0.03}), "float16", 0.05).wide == ["c"]


def test_an_error_that_float32_has_already_is_no_fault_of_a_unit() -> None:
    bench = Sums({"a": 0.0})
    bench.measure = lambda low: Measured(0.09 if low else 0.08)  # type: ignore[method-assign]
    assert search(bench, "float16", 0.05).wide == []


def test_when_the_time_is_up_the_rest_stays_in_float32() -> None:
    assert search(Sums({"a": 0.001, "b": 0.001}), "float16", 0.05, seconds=-1.0).wide == ["a", "b"]


def test_policies_survive_json() -> None:
    found = search(Sums({"a": 0.001, "b": math.inf}), "float16", 0.05)
    assert Policy.from_json(found.to_json()) == found


def test_a_task_without_a_model_is_told_what_to_yield() -> None:
    def train() -> object:
        yield 1.0

    task = of_function("a:train", train)
    with pytest.raises(Refused, match="to make it possible, yield gradient_of"):
        policy(Subject(task, Configuration("a:train")), "float16", 0.05)
    mlp = task_of("mlp")
    with pytest.raises(Refused, match="not for float8"):
        policy(Subject(mlp, mlp.completed(Configuration("mlp"))), "float8", 0.05)
