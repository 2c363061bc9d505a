"""The main experiment: other data where a wrong choice wins by chance, and inputs that would take too long."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from numlint.runtime.experiments import Session
from numlint.runtime.experiments.value import AFFORDABLE, Search, Turn
from numlint.runtime.formats import FLOAT64
from numlint.runtime.perturbations import load
from numlint.runtime.synthesis import synthesise
from numlint.runtime.trial import Judge
from tests.runtime.test_synthesis import HEAD, case  # noqa: F401 - the fixture

SIZE = next(item for item in load() if item.name == "size")
SCORES = HEAD + (
    "def winner(X):\n    scores = np.array([np.prod(np.exp(-X[0] ** 2) / 3), np.prod(np.exp(-X[1] ** 2) / 3)])\n"
    "    return int(np.argmax(scores))\n"
)
FLAGGED = "np.array([np.prod(np.exp(-X[0] ** 2) / 3), np.prod(np.exp(-X[1] ** 2) / 3)])"


def searching(case: Any) -> Search:  # noqa: F811
    loaded, target = case(SCORES, "winner", FLAGGED)
    harness: Any = synthesise(loaded, target)
    return Search(harness, Session(target), Judge(harness), until=np.inf)


def test_other_data_let_a_hidden_failure_out(case: Any) -> None:  # noqa: F811
    search = searching(case)
    right = search.harness.redrawn
    first_wins, second_wins = np.zeros((2, 3)), np.zeros((2, 3))
    first_wins[1] = second_wins[0] = 0.5
    search.harness.inputs["X"] = first_wins
    assert right is not None
    search.harness.redrawn = lambda seed: {"X": second_wins}
    turn = Turn(SIZE, "features", 1000)
    assert search.attempt(search.inputs(turn), FLOAT64, turn) is None
    assert search.hidden == [turn]
    found = search.redrawn([FLOAT64], "realistic")
    assert found is not None
    assert found.trial.kind == "zero"
    assert np.array_equal(search.harness.inputs["X"], second_wins)  # what follows starts from these data


def test_data_that_are_given_are_not_replaced(case: Any) -> None:  # noqa: F811
    search = searching(case)
    search.harness = dataclasses.replace(search.harness, redrawn=None)
    search.hidden = [Turn(SIZE, "features", 1000)]
    assert search.redrawn([FLOAT64], "realistic") is None


def test_an_input_that_would_take_too_long_is_left_out(case: Any) -> None:  # noqa: F811
    search = searching(case)
    turn = Turn(SIZE, "samples", 3000)
    assert search.affordable(turn, {"X": np.zeros((3000, 3))})
    search.spent[SIZE.name, "samples"] = (300 * 3, AFFORDABLE / 50)
    assert search.affordable(turn, {"X": np.zeros((1000, 3))})
    assert not search.affordable(turn, {"X": np.zeros((3000, 3))})


def test_the_knob_that_the_rule_speaks_of_comes_first(case: Any) -> None:  # noqa: F811
    search = searching(case)
    search.session.target = dataclasses.replace(search.session.target, signature="underflow")
    turns = list(search.turns("realistic"))
    sizes = [turn.perturbation.name == "size" for turn in turns]
    assert sizes == sorted(sizes, reverse=True)
    assert any(sizes)
    assert not all(sizes)


def test_a_search_without_true_values_gives_up_for_a_shorter_slice(case: Any) -> None:  # noqa: F811
    search = searching(case)
    search.lost = 1000
    assert search.first([FLOAT64]) is None
    assert len(search.spent) == 0
