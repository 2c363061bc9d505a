"""Mitigations are tried, combined when none cures alone, and what did not help is kept."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from numlint.lab.mitigations import mitigations
from numlint.lab.recommend import Remedy, remedy, representatives
from numlint.lab.task import Parameter, Task
from numlint.runtime.lab.configuration import Configuration
from numlint.runtime.lab.record import SIGNATURES, Conditions, Finding, Phase, Run
from tests.lab.conftest import Bench, ran

Make = Callable[..., Bench]


def tried(place: Bench, task: Task, run: Run, budget: int = 20) -> Remedy:
    [(_, found)] = place.laboratory.search([remedy(run, task, 1, budget)])
    return found


def cured_by(**needed: Any) -> Callable[[Configuration], Run]:
    """Training that goes well with these settings, and diverges later for each of them that is right."""

    def train(configuration: Configuration) -> Run:
        right = sum(configuration.settings[name] == value for name, value in needed.items())
        if right == len(needed):
            return ran(configuration, 1.0, 0.1)
        return ran(configuration, *[1.0] * (1 + right), math.inf)

    return train


def test_one_that_cures_alone_is_recommended_alone(bench: Make, task: Task) -> None:
    place = bench(cured_by(standardise="two-pass"))
    found = tried(place, task, ran(task.configuration({"lr": 1.0}), 1.0, math.inf))
    assert found.best is not None
    assert (found.best.name, found.best.settings) == ("scale features", {"standardise": "two-pass"})
    failed = {trial.name for trial in found.trials if trial.verdict == "no help"}
    assert failed == {"use the stable loss", "lower lr", "clip the gradient", "add L2"}


def test_they_are_combined_where_none_cures_alone(bench: Make, task: Task) -> None:
    place = bench(cured_by(standardise="two-pass", l2=1e-3))
    found = tried(place, task, ran(task.configuration({}), 1.0, math.inf))
    assert found.best is not None
    assert found.best.verdict == "cured"
    assert found.best.name == "scale features + add L2"
    assert "another" in found.best.alters


def test_a_combination_keeps_only_what_it_needs(bench: Make, task: Task) -> None:
    def train(configuration: Configuration) -> Run:
        lengths = {"loss": 3, "standardise": 1, "l2": 1}
        changed = {name for name in lengths if configuration[name] != start[name]}
        if changed >= {"standardise", "l2"}:
            return ran(configuration, 1.0, 0.1)
        return ran(configuration, *[1.0] * (1 + sum(lengths[name] for name in changed)), math.inf)

    start = task.configuration({})
    found = tried(bench(train), task, ran(start, 1.0, math.inf))
    assert found.best is not None
    assert found.best.name == "scale features + add L2"


def test_a_lower_rate_is_lowered_again_where_that_helped(bench: Make, task: Task) -> None:
    place = bench(lambda item: ran(item, *[1.0] * (1 + round(2 / item.lr)), 0.1 if item.lr < 0.5 else math.inf))
    found = tried(place, task, ran(task.configuration({"lr": 10.0}), 1.0, math.inf))
    assert found.best is not None
    assert (found.best.name, found.best.settings) == ("lower lr", {"lr": 0.1})


def test_a_measured_curvature_gives_the_rate(bench: Make, task: Task) -> None:
    failing = ran(task.configuration({"lr": 1.0}), 1.0, math.inf, conditions=Conditions(1, 1, 1, 1, 500.0, 0.004))
    found = tried(bench(cured_by(lr=0.002)), task, failing)
    assert found.best is not None
    assert found.best.settings == {"lr": 0.002}


def test_no_cure_is_no_recommendation(bench: Make, task: Task) -> None:
    found = tried(bench(cured_by(epochs=0)), task, ran(task.configuration({}), 1.0, math.inf))
    assert found.best is None
    assert found.trials


def test_a_run_that_ends_higher_than_it_began_is_not_cured(bench: Make, task: Task) -> None:
    place = bench(lambda configuration: ran(configuration, 1.0, 70.0, status="exhausted"))
    found = tried(place, task, ran(task.configuration({}), 1.0, math.inf))
    assert {trial.verdict for trial in found.trials} == {"better", "no help"}
    assert found.best is not None
    assert found.best.verdict == "better"


def test_a_run_that_learns_nothing_is_not_cured(bench: Make, task: Task) -> None:
    plateau = [Phase("plateau", 0, 1)]
    place = bench(lambda configuration: ran(configuration, 1.0, 0.999, status="exhausted", phases=plateau))
    found = tried(place, task, ran(task.configuration({}), 1.0, math.inf))
    assert "cured" not in {trial.verdict for trial in found.trials}


def test_a_rate_that_became_too_low_is_set_again(bench: Make, task: Task) -> None:
    """Lowered for features of a large scale, it is far too low once they are scaled."""

    def train(configuration: Configuration) -> Run:
        scaled = configuration.standardise == "two-pass"
        conditions = Conditions(curvature=1.0, largest_stable_lr=2.0 if scaled else 2e-6)
        if configuration.lr > conditions.largest_stable_lr:
            return ran(configuration, 1.0, math.inf, conditions=conditions)
        if scaled and configuration.lr < 0.1:
            return ran(
                configuration, 1.0, 1.0, status="exhausted", phases=[Phase("plateau", 0, 1)], conditions=conditions
            )
        findings = [] if scaled else failing("ill-conditioned")
        return ran(configuration, 1.0, 0.5, status="exhausted", findings=findings, conditions=conditions)

    found = tried(bench(train), task, train(task.configuration({"lr": 5.0})))
    assert found.best is not None
    assert found.best.verdict == "cured"
    assert found.best.settings == {"lr": 1.0, "standardise": "two-pass"}


def test_the_budget_is_kept(bench: Make, task: Task) -> None:
    place = bench(cured_by(epochs=0))
    tried(place, task, ran(task.configuration({}), 1.0, math.inf), budget=3)
    assert len(place.site.jobs) == 3


def failing(signature: str) -> list[Finding]:
    return [Finding(signature, 3, "measured")]


def test_each_signature_has_something_to_try(task: Task) -> None:
    """Nothing in the settings makes a computation deterministic that is not."""
    parameters = {
        **task.parameters,
        "solver": Parameter("solver", "normal", choices=("normal", "lstsq")),
        "loss_scale": Parameter("loss_scale", None),
    }
    whole = Task("toy", "", parameters)
    start = whole.configuration({"precision": "float16"})
    covered = {
        signature
        for signature in SIGNATURES
        for item in mitigations()
        if signature in item.cures and item.change(ran(start, 1.0, findings=failing(signature)), whole)
    }
    assert covered == set(SIGNATURES) - {"non-determinism"}


@pytest.mark.parametrize("item", mitigations(), ids=lambda item: item.name)
def test_a_mitigation_in_force_is_not_applied_twice(task: Task, item: Any) -> None:
    assert item.cures <= set(SIGNATURES)
    settings = {
        "precision": "float64", "clip": 1.0, "loss": "stable", "stop": "robust", "standardise": "two-pass",
    }  # fmt: skip
    if not item.again and item.name != "add L2":
        assert item.change(ran(task.configuration(settings), 1.0), task) == {}


def test_one_failing_run_stands_for_those_like_it(task: Task) -> None:
    diverged = [ran(task.configuration({"lr": lr}), 1.0, math.inf) for lr in (1.0, 2.0, 3.0)]
    named = ran(task.configuration({"l2": 1.0}), 1.0, findings=failing("lost-update"))
    killed = ran(task.configuration({"l2": 2.0}), status="timed-out")
    healthy = ran(task.configuration({}), 1.0, 0.5)
    found = representatives([*diverged, named, killed, healthy], 3)
    assert [(run.configuration, number) for run, number in found] == [
        (diverged[1].configuration, 3),
        (named.configuration, 1),
    ]
