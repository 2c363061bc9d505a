"""The value from which on training fails."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from numlint.lab import boundary
from numlint.lab.boundary import Boundary, bisection
from numlint.lab.conclusion import bracketed, ordered
from numlint.lab.laboratory import Experiment
from numlint.lab.sweep import read
from numlint.lab.task import Task
from numlint.runtime.lab.configuration import Configuration
from numlint.runtime.lab.record import Conditions, Phase, Run
from tests.lab.conftest import Bench, ran

Make = Callable[..., Bench]


def descends_below(limit: float) -> Callable[[Configuration], Run]:
    def train(configuration: Configuration) -> Run:
        last = 0.5 if configuration.lr < limit else math.inf
        return ran(configuration, 1.0, last, conditions=Conditions(largest_stable_lr=limit))

    return train


def find(place: Bench, task: Task, low: float, high: float) -> Boundary:
    [(_, found)] = place.laboratory.search([bisection(task.configuration({}), "lr", low, high)])
    return found


@pytest.mark.parametrize("limit", [0.0321, 0.5, 7.7])
def test_it_is_found_within_five_per_cent_in_few_runs(bench: Make, task: Task, limit: float) -> None:
    found = find(bench(descends_below(limit)), task, 1e-3, 10.0)
    assert found.holds < limit <= found.fails
    assert found.fails / found.holds <= boundary.WITHIN
    assert found.theory == limit
    assert found.runs <= 12


@pytest.mark.parametrize("limit", [1e-6, 5e4])
def test_the_ends_move_outwards_until_they_enclose_it(bench: Make, task: Task, limit: float) -> None:
    found = find(bench(descends_below(limit)), task, 0.1, 1.0)
    assert found.holds < limit <= found.fails


@pytest.mark.parametrize(("limit", "expected"), [(0.0, (True, False)), (math.inf, (False, True))])
def test_where_there_is_none_it_says_so(bench: Make, task: Task, limit: float, expected: tuple[bool, bool]) -> None:
    found = find(bench(descends_below(limit)), task, 0.1, 1.0)
    assert (math.isnan(found.holds), math.isnan(found.fails)) == expected
    assert not found.is_found


def test_a_run_fails_when_it_oscillates_to_the_end_or_rises(bench: Make, task: Task) -> None:
    def train(configuration: Configuration) -> Run:
        if configuration.lr > 2:
            return ran(configuration, 1.0, 1.5, status="exhausted")
        phases = [Phase("oscillating", 0, 1)] if configuration.lr > 1 else []
        return ran(configuration, 1.0, 0.9, status="exhausted", phases=phases)

    assert find(bench(train), task, 0.1, 10.0).value == pytest.approx(1.0, rel=0.05)


def test_one_search_for_each_combination_of_the_others(task: Task) -> None:
    sweep = read(task, ["precision", "lambda"], [], "lr=0.01:10")
    assert len(list(boundary.searches(sweep))) == boundary.combinations(sweep) == 9


def test_a_grid_tells_between_which_values_it_lies(bench: Make, task: Task) -> None:
    sweep = read(task, ["precision=float64,float32", "lr=0.1,1,10"])
    runs = bench(descends_below(2.0)).laboratory.runs(map(Experiment, sweep.configurations()))
    found = bracketed(ordered(list(runs), sweep), sweep.names)
    assert [(item.configuration.precision, item.holds, item.fails, item.theory) for item in found] == [
        ("float64", 1.0, 10.0, 2.0),
        ("float32", 1.0, 10.0, 2.0),
    ]
