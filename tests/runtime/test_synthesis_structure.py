"""Inputs with structure: groups of rows, dictionaries, samples with their answers, counts; and calls that return."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from numlint.runtime import perturbations
from numlint.runtime.formats import FLOAT64
from numlint.runtime.synthesis import Failure, synthesise
from numlint.runtime.trial import FAILURE, Judge
from tests.runtime.test_synthesis import HEAD, case, run  # noqa: F401 - the fixture

VACANT = next(item for item in perturbations.load() if item.name == "vacant")


def test_a_call_that_returns_is_preferred_to_one_that_raises_after_the_flagged_line(case: Any) -> None:  # noqa: F811
    text = HEAD + (
        "def f(a, b):\n    e = np.exp(a)\n    if np.ndim(b) != 2:\n        raise RuntimeError('later')\n"
        "    return e.sum() + b.sum()\n"
    )
    harness, outcome = run(case, text, "f", "np.exp(a)")
    assert outcome.raised is None
    assert harness.inputs["b"].ndim == 2


CENTERS = HEAD + (
    "class Clusters:\n"
    "    def __init__(self, k=2):\n        self.k = k\n"
    "    def centers(self, clusters, X):\n"
    "        found = np.zeros((self.k, X.shape[1]))\n"
    "        for i, members in enumerate(clusters):\n"
    "            found[i] = np.mean(X[members], axis=0)\n"
    "        return found\n"
)


def test_what_is_iterated_and_picks_rows_is_a_list_of_groups(case: Any) -> None:  # noqa: F811
    harness, _ = run(case, CENTERS, "Clusters.centers", "np.mean(X[members], axis=0)")
    assert harness.roles["clusters"].kind == "groups"
    members = [row for group in harness.inputs["clusters"] for row in group]
    assert sorted(members) == list(range(len(harness.inputs["X"])))


def test_a_group_without_members_is_a_mean_of_nothing(case: Any) -> None:  # noqa: F811
    harness, _ = run(case, CENTERS, "Clusters.centers", "np.mean(X[members], axis=0)")
    generator = np.random.default_rng(0)
    assert list(VACANT.subjects(harness.inputs, harness.roles)) == ["clusters"]
    for magnitude in VACANT.magnitudes[:2]:
        turned = VACANT.turned(harness.inputs, harness.roles, "clusters", magnitude, generator)
        assert sorted(row for group in turned["clusters"] for row in group) == list(range(8))
        assert [] in turned["clusters"]
        assert Judge(harness).trial(turned, FLOAT64).status == FAILURE
    assert harness.inputs["clusters"] == [[0, 2, 4, 6], [1, 3, 5, 7]]


@pytest.mark.parametrize("body", ["np.mean(np.take(X[:, 0], rows))", "X[rows].mean(axis=0)"])
def test_what_picks_rows_is_a_list_of_their_numbers(case: Any, body: str) -> None:  # noqa: F811
    text = HEAD + f"def f(X, rows):\n    if len(rows) > len(X):\n        return None\n    return {body}\n"
    harness, _ = run(case, text, "f", body)
    assert harness.roles["rows"].kind == "index"
    assert all(0 <= row < len(harness.inputs["X"]) for row in harness.inputs["rows"])
    empty = VACANT.turned(harness.inputs, harness.roles, "rows", 1, np.random.default_rng(0))
    assert len(empty["rows"]) == 0


def test_numbers_that_are_looked_up_one_by_one_are_no_groups(case: Any) -> None:  # noqa: F811
    text = (
        HEAD
        + "def f(x, order):\n    total = 0.0\n    for i in order:\n        total += np.exp(x[i])\n    return total\n"
    )
    harness, _ = run(case, text, "f", "np.exp(x[i])")
    assert harness.roles["order"].kind == "index"


BAYES = HEAD + (
    "import math\n"
    "class Bayes:\n"
    "    def fit(self, X, y):\n"
    "        self.classes = np.unique(y)\n        self.found = []\n"
    "        for c in self.classes:\n"
    "            rows = X[np.where(y == c)]\n"
    "            self.found.append([{'mean': column.mean(), 'var': column.var() + 0.1} for column in rows.T])\n"
    "    def classify(self, sample):\n"
    "        scores = []\n"
    "        for i, c in enumerate(self.classes):\n"
    "            score = 0.5\n"
    "            for value, found in zip(sample, self.found[i]):\n"
    "                score *= math.exp(-(value - found['mean']) ** 2 / found['var'])\n"
    "            scores.append(score)\n"
    "        return self.classes[np.argmax(scores)]\n"
)


def test_samples_come_with_their_labels_and_share_their_features(case: Any) -> None:  # noqa: F811
    harness, _ = run(case, BAYES, "Bayes.classify", "math.exp(-(value - found['mean']) ** 2 / found['var'])")
    X, y, sample = (harness.inputs[name] for name in ("fit.X", "fit.y", "sample"))
    assert X.ndim == 2
    assert y.shape == X.shape[:1]
    assert y.dtype.kind == "i"
    assert sample.shape == X.shape[1:]
    size = next(item for item in perturbations.load() if item.name == "size")
    turned = size.turned(harness.inputs, harness.roles, "features", 100, np.random.default_rng(0))
    assert turned["fit.X"].shape[1] == turned["sample"].shape[0] == 100


def test_items_taken_by_name_are_inputs_of_their_own(case: Any) -> None:  # noqa: F811
    text = HEAD + (
        "def f(stats):\n    count = stats['count'][:, None]\n"
        "    return stats['sum of x*x'] / count - (stats['sum'] / count) ** 2\n"
    )
    harness, outcome = run(case, text, "f", "stats['sum of x*x'] / count - (stats['sum'] / count) ** 2")
    assert set(harness.inputs) == {"stats['count']", "stats['sum']", "stats['sum of x*x']"}
    assert harness.description == "f(stats)"
    assert outcome.raised is None


def test_an_item_that_only_a_function_below_takes_is_found_by_its_absence(case: Any) -> None:  # noqa: F811
    text = HEAD + (
        "def below(parameters):\n    return parameters['shift'] * 2\n"
        "def f(parameters):\n    return np.exp(parameters['scale'] * below(parameters))\n"
    )
    harness, _ = run(case, text, "f", "np.exp(parameters['scale'] * below(parameters))")
    assert "parameters['shift']" in harness.inputs


def test_a_list_of_dictionaries(case: Any) -> None:  # noqa: F811
    text = HEAD + (
        "def f(x, parts):\n    total = 0.0\n    for part in parts:\n"
        "        total = total + np.exp(-((x - part['mean']) ** 2) / part['var'])\n    return total\n"
    )
    flagged = "np.exp(-((x - part['mean']) ** 2) / part['var'])"
    harness, outcome = run(case, text, "f", flagged)
    assert {"parts['mean']", "parts['var']"} <= set(harness.inputs)
    assert len(outcome.sites) == 2


def test_a_string_that_is_asked_for_letters_holds_them(case: Any) -> None:  # noqa: F811
    text = HEAD + (
        "def f(x, params):\n    if 'm' in params and 'c' in params:\n        return np.exp(x)\n    return x\n"
    )
    run(case, text, "f", "np.exp(x)")


def test_what_is_looked_up_in_a_mass_function_is_a_count(case: Any) -> None:  # noqa: F811
    text = HEAD + (
        "from scipy.stats import poisson\ndef f(X, rates):\n    return poisson.pmf(X, rates).prod(axis=-1)\n"
    )
    harness, outcome = run(case, text, "f", "poisson.pmf(X, rates).prod(axis=-1)")
    assert harness.roles["X"].kind == "count"
    assert np.all(np.asarray(harness.inputs["rates"]) > 0)
    assert np.all(outcome.sites[0] > 0)


def test_fewer_iterations_where_they_take_long(case: Any) -> None:  # noqa: F811
    text = HEAD + (
        "def f(X, iterations=20000):\n    w = np.zeros(X.shape[1])\n    for _ in range(iterations):\n"
        "        w = w + 1e-3 * np.exp(X @ w).mean()\n    return w\n"
    )
    harness, _ = run(case, text, "f", "np.exp(X @ w)")
    assert harness.inputs["iterations"] < 100


LOOP = HEAD + (
    "class Iteration:\n"
    "    def __init__(self, tolerance=1e-3):\n        self.tolerance, self.values = tolerance, []\n"
    "    def fit(self, X):\n"
    "        self.center = X[0]\n"
    "        for _ in range(500):\n"
    "            self.center = self.center + 0.1 * (X.mean(axis=0) - self.center)\n"
    "            self.values.append(float(np.sum((X - self.center) ** 2)))\n"
    "            if self.stops():\n                break\n"
    "        return self.center\n"
    "    def stops(self):\n"
    "        return len(self.values) > 1 and self.values[-2] - self.values[-1] < self.tolerance\n"
)
TEST = "self.values[-2] - self.values[-1] < self.tolerance"


def test_a_test_in_a_helper_is_reached_through_the_loop_that_it_ends(case: Any) -> None:  # noqa: F811
    harness, _ = run(case, LOOP, "Iteration.stops", TEST, signature="premature-stop")
    assert harness.description == "Iteration().fit(X) (reaches stops)"
    assert len(harness.inputs["X"]) > 8  # enough for an iteration to have a way to go


def test_other_failures_of_the_helper_are_looked_for_directly(case: Any) -> None:  # noqa: F811
    harness, _ = run(case, LOOP, "Iteration.stops", TEST)
    assert "reaches" not in harness.description or harness.description.endswith("(reaches stops)")


def test_other_data_of_the_same_kinds_can_be_drawn(case: Any) -> None:  # noqa: F811
    harness, _ = run(case, HEAD + "def f(x):\n    return np.exp(x)\n", "f", "np.exp(x)")
    first, second = harness.redrawn(0), harness.redrawn(1)
    assert np.array_equal(first["x"], harness.inputs["x"])
    assert first["x"].shape == second["x"].shape
    assert not np.array_equal(first["x"], second["x"])


def test_an_updated_name_is_seen_after_the_update(case: Any) -> None:  # noqa: F811
    text = HEAD + "def f(p):\n    total = 1.0\n    for item in p:\n        total *= item * 1.0\n    return total\n"
    loaded, target = case(text, "f", "item * 1.0")
    region = target.region
    region = type(region)(region.line, region.column - len("total *= "), region.line, region.end_column)
    harness = synthesise(loaded, type(target)(**{**vars(target), "region": region}))
    assert not isinstance(harness, Failure)
    outcome = harness.run({"p": np.array([0.5] * 100)})
    assert outcome.sites[0] == 0.5
    assert outcome.sites[-1] == 0.5**100


def test_a_wrong_choice_among_scores_that_vanish_is_a_failure(case: Any) -> None:  # noqa: F811
    text = HEAD + "def f(p, q):\n    scores = np.array([np.prod(p), np.prod(q)])\n    return int(np.argmax(scores))\n"
    harness, _ = run(case, text, "f", "np.array([np.prod(p), np.prod(q)])")
    low, high = np.full(400, 0.001), np.full(400, 0.01)
    judge = Judge(harness)
    assert judge.trial({"p": low, "q": high}, FLOAT64).status == FAILURE  # the second is right, the first is taken
    assert judge.trial({"p": high, "q": low}, FLOAT64).status != FAILURE
