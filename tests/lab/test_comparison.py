"""Runs are compared where they differ in one thing, and not otherwise."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from numlint.lab.comparison import UnmatchedError, compare
from numlint.lab.results import Asked, Results
from numlint.lab.sweep import read
from numlint.lab.task import Task
from tests.lab.conftest import ran

Folder = Callable[..., Results]


@pytest.fixture
def folder(task: Task, tmp_path: Path) -> Folder:
    def make(name: str, sweeps: list[str], settings: list[str], **environment: Any) -> Results:
        sweep = read(task, sweeps, settings)
        results = Results.create(tmp_path / name, Asked(sweep))
        for item in sweep.configurations():
            last = math.inf if item.lr > 0.5 and item.loss == "naive" else 0.5
            results.add(ran(item, 1.0, last, environment=environment))
        return results

    return make


def test_equal_settings_are_paired(folder: Folder) -> None:
    found = compare(folder("a", ["lr=0.1,1"], []), folder("b", ["lr=0.1,1,10"], []))
    assert [(a.configuration.lr, b.configuration.lr) for a, b in found.pairs] == [(0.1, 0.1), (1.0, 1.0)]
    assert found.alone == (0, 1)
    assert found.changed == []


def test_more_differences_than_the_sweep_are_refused_and_listed(folder: Folder) -> None:
    one, other = folder("a", ["lr=0.1,1"], []), folder("b", ["lr=0.1,1"], ["loss=stable", "lambda=0.1"])
    with pytest.raises(UnmatchedError) as caught:
        compare(one, other)
    said = str(caught.value)
    assert "lambda: 0 and 0.1" in said
    assert "loss: naive and stable" in said
    assert "--across lambda,loss" in said


def test_what_is_compared_may_be_named(folder: Folder) -> None:
    found = compare(folder("a", ["lr=0.1,1"], []), folder("b", ["lr=0.1,1"], ["loss=stable"]), ["loss"])
    assert found.across == ("loss",)
    assert [(a.status, b.status) for a, b in found.changed] == [("diverged", "converged")]


def test_a_sweep_over_one_value_names_what_is_compared(folder: Folder) -> None:
    found = compare(folder("a", ["loss=naive", "lr=0.1,1"], []), folder("b", ["loss=stable", "lr=0.1,1"], []))
    assert found.across == ("loss",)
    assert found.names == ("lr",)
    assert len(found.pairs) == 2


def test_runs_of_other_values_have_no_counterpart(folder: Folder) -> None:
    with pytest.raises(UnmatchedError, match="no run in common"):
        compare(folder("a", ["lr=0.1,1"], []), folder("b", ["lr=0.2,2"], []))


def test_another_environment_is_told(folder: Folder) -> None:
    kernel = {"name": "openblas", "kernel": "Haswell", "version": "0.3"}
    one = folder("a", ["lr=0.1"], [], python="3.11.7", numpy="2.0", libraries=[kernel])
    other = folder("b", ["lr=0.1"], [], python="3.12.0", numpy="2.0", libraries=[{**kernel, "kernel": "SkylakeX"}])
    assert compare(one, other).surroundings == {
        "linear algebra": ("openblas 0.3 Haswell", "openblas 0.3 SkylakeX"),
        "python": ("3.11.7", "3.12.0"),
    }
