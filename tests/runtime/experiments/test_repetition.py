"""The same call twice: what draws, what is uninitialised, what has no order, and their repeatable twins."""

from __future__ import annotations

import numpy as np
import pytest

from numlint.runtime.experiments import Result, Session
from numlint.runtime.experiments.repetition import EXPERIMENT, difference, digest, draws
from numlint.runtime.harness import Harness, Outcome
from tests.runtime.experiments.conftest import Experimenting

ROWS = {"x": np.arange(100.0)}


def test_a_draw_from_the_global_generator(experimenting: Experimenting) -> None:
    code = """
    def sample(x):
        return np.random.permutation(x)[:5]
    """
    result = experimenting(
        EXPERIMENT, "non-determinism", code, "np.random.permutation", ROWS, fixed="np.random.default_rng(0).permutation"
    )
    assert result.evidence is not None
    assert result.evidence.realism == "plain"
    assert result.evidence.figure.value > 0
    assert "when the caller seeds the global generators, they agree" in result.evidence.note
    [cure] = result.cures
    assert (cure.status, cure.error_after) == ("verified", 0.0)


def test_a_generator_of_the_systems_entropy(experimenting: Experimenting) -> None:
    code = """
    def sample(x):
        return np.random.default_rng().permutation(x)[:5]
    """
    result = experimenting(
        EXPERIMENT, "non-determinism", code, "default_rng()", ROWS, fixed="default_rng( )"
    )  # the look-alike changes nothing
    assert result.evidence is not None
    assert "agree" not in result.evidence.note
    assert [cure.status for cure in result.cures] == ["rejected"]


def test_a_seeded_draw(experimenting: Experimenting) -> None:
    code = """
    def sample(x):
        return np.random.default_rng(0).permutation(x)[:5]
    """
    assert experimenting(EXPERIMENT, "non-determinism", code, "np.random.default_rng(0)", ROWS).evidence is None


SHUFFLED = """
def shuffled(x, seed=None):
    if {test}:
        np.random.seed(seed)
    return np.random.permutation(x)
"""


def test_seed_zero_that_is_taken_for_none(experimenting: Experimenting) -> None:
    inputs = {**ROWS, "seed": 1}
    code = SHUFFLED.format(test="seed")
    result = experimenting(EXPERIMENT, "non-determinism", code, "if seed:", inputs, fixed="if seed is not None:")
    assert result.evidence is not None
    assert result.evidence.smallest is not None
    assert result.evidence.smallest.arguments["seed"] == "0"
    assert [cure.status for cure in result.cures] == ["verified"]
    other = SHUFFLED.format(test="seed is not None")
    assert experimenting(EXPERIMENT, "non-determinism", other, "seed is not None", inputs).evidence is None


TOTAL = """
from numpy import {start} as begin

def total(x):
    found = begin(2)
    for row in x:
        found += row
    return found
"""


@pytest.mark.parametrize(("start", "fails"), [("empty", True), ("zeros", False)])
def test_a_sum_that_starts_from_uninitialised_memory(experimenting: Experimenting, start: str, fails: bool) -> None:
    code = TOTAL.format(start=start)
    result = experimenting(EXPERIMENT, "non-determinism", code, "found += row", {"x": np.ones((3, 2))})
    assert (result.evidence is not None) is fails


@pytest.mark.parametrize(
    ("names", "fails"),
    [("set(names)", True), ("{name for name in names}", True), ("sorted(set(names))", False), ("set(range(9))", False)],
)
def test_a_sum_over_a_set(experimenting: Experimenting, names: str, fails: bool) -> None:
    code = f"""
    def total(weights, names):
        found = 0.0
        for name in {names}:
            found = 0.7 * found + len(str(name)) * weights[0]
        return found
    """
    inputs = {"weights": np.array([0.1]), "names": ["a", "bb", "ccc", "dddd", "eeeee"]}
    result = experimenting(EXPERIMENT, "non-determinism", code, "found = 0.7", inputs)
    assert (result.evidence is not None) is fails


@pytest.mark.parametrize(("body", "expected"), [("np.random.permutation(x)", True), ("np.sort(x)", False)])
def test_whether_a_call_draws(experimenting: Experimenting, body: str, expected: bool) -> None:
    """A constructor that seeds and draws nothing tells nothing about a seed that is not taken."""
    seen = []

    class Asked(type(EXPERIMENT)):  # type: ignore[misc]
        def run(self, harness: Harness, session: Session) -> Result:
            seen.append(draws(harness))
            return Result()

    experimenting(Asked(), "non-determinism", f"def f(x):\n    return {body}\n", body, ROWS)
    assert seen == [expected]


def test_a_call_that_fails_is_not_judged(experimenting: Experimenting) -> None:
    code = """
    def sample(x):
        return np.random.permutation(x).nothing
    """
    result = experimenting(EXPERIMENT, "non-determinism", code, "np.random.permutation(x)", ROWS)
    assert result.evidence is None
    assert result.note.startswith("no input could be judged: AttributeError")


def test_difference_is_relative_to_the_largest() -> None:
    assert difference({"a": np.array([1.0, 100.0])}, {"a": np.array([2.0, 100.0])}) == 0.01
    assert difference([np.nan, 1], [np.nan, 1]) == 0.0
    assert difference([1.0], [1.0, 2.0]) == np.inf


def test_digests_name_results() -> None:
    one, other = Outcome({"return": np.array([1.0])}), Outcome({"return": np.array([1.0 + 2e-16])})
    assert digest(one) == digest(Outcome({"return": np.array([1.0])}))
    assert digest(one) != digest(other)
