"""Laws that every perturbation keeps, the built-in ones and those of a user."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from numlint.runtime.perturbations import OutsideDomain, Perturbation, load
from numlint.runtime.target import Role

ALL = load()
ROLES = {
    "X": Role("design", shape="matrix"),
    "z": Role("logit", shape="vector"),
    "p": Role("probability", 0.0, 1.0, "vector"),
    "q": Role("simplex", 0.0, 1.0, "matrix"),
    "n": Role("count", 0.0),
    "y": Role("label", 0.0),
    "s": Role("positive", 1e-300),
    "scale": Role("positive", 1e-300, shape="scalar"),
    "K": Role("spd", shape="matrix"),
    "rows": Role("index", 0.0),
    "total": Role(),
    "total_sq": Role(),
}


def benign() -> dict[str, Any]:
    generator = np.random.default_rng(0)
    weights = generator.random((8, 3))
    factor = generator.normal(size=(3, 3))
    return {
        "X": generator.normal(size=(8, 3)),
        "z": generator.normal(size=8),
        "p": generator.random(8) * 0.8 + 0.1,
        "q": weights / weights.sum(axis=1, keepdims=True),
        "n": generator.integers(1, 5, size=8),
        "y": np.array([0, 1] * 4),
        "rows": np.array([0, 2, 5]),
        "total": generator.normal(size=3),
        "total_sq": generator.normal(size=3) + 5,
        "s": generator.random(8) + 0.5,
        "scale": 0.7,
        "K": factor @ factor.T + np.eye(3),
    }


def turned(item: Perturbation, subject: str, magnitude: float) -> dict[str, Any]:
    return dict(item.turned(benign(), ROLES, subject, magnitude, np.random.default_rng(1)))


def is_inside(item: Perturbation, subject: str, magnitude: float) -> bool:
    try:
        turned(item, subject, magnitude)
    except OutsideDomain:
        return False
    return True


TURNS = [
    pytest.param(item, subject, magnitude, id=f"{item.name}-{subject}-{magnitude:g}")
    for item in ALL
    for subject in item.subjects(benign(), ROLES)
    for magnitude in item.magnitudes
    if is_inside(item, subject, magnitude)
]


@pytest.mark.parametrize(("item", "subject", "magnitude"), TURNS)
def test_a_perturbed_input_stays_in_the_domain_of_its_role(item: Perturbation, subject: str, magnitude: float) -> None:
    for name, value in turned(item, subject, magnitude).items():
        role = ROLES[name]
        assert np.all(np.asarray(value) >= role.low), name
        assert np.all(np.asarray(value) <= role.high), name
        assert np.all(np.isfinite(value)), name


@pytest.mark.parametrize(("item", "subject", "magnitude"), TURNS)
def test_a_perturbation_leaves_the_original_alone_and_repeats_itself(
    item: Perturbation, subject: str, magnitude: float
) -> None:
    inputs, before = benign(), benign()
    first = item.turned(inputs, ROLES, subject, magnitude, np.random.default_rng(1))
    for name, value in before.items():
        np.testing.assert_array_equal(inputs[name], value)
    again = turned(item, subject, magnitude)
    for name, value in first.items():
        np.testing.assert_array_equal(value, again[name])
        assert type(value) is type(before[name])
        assert np.asarray(value).dtype == np.asarray(before[name]).dtype


@pytest.mark.parametrize("item", ALL, ids=lambda item: item.name)
def test_every_perturbation_turns_something_and_says_what(item: Perturbation) -> None:
    assert list(item.subjects(benign(), ROLES))
    assert item.knob
    assert item.realism(item.magnitudes[0]) == "realistic"
    assert item.realistic <= item.stress


def test_a_covariance_stays_symmetric_and_positive() -> None:
    collinear = next(item for item in ALL if item.name == "collinear")
    for magnitude in (1e2, 1e8):
        matrix = turned(collinear, "K", magnitude)["K"]
        np.testing.assert_array_equal(matrix, matrix.T)
        assert np.linalg.cond(matrix) == pytest.approx(magnitude, rel=1e-3)


def test_probabilities_of_a_simplex_keep_their_sum() -> None:
    for item in ALL:
        for subject in item.subjects(benign(), ROLES):
            for magnitude in item.magnitudes:
                if subject == "q" and is_inside(item, subject, magnitude):
                    np.testing.assert_allclose(turned(item, subject, magnitude)["q"].sum(axis=1), 1, rtol=1e-12)


def test_size_lets_all_inputs_with_the_axis_grow_together() -> None:
    size = next(item for item in ALL if item.name == "size")
    grown = turned(size, "samples", 100)
    assert {len(grown[name]) for name in ("X", "z", "p", "q", "n", "y", "s")} == {100}
    assert grown["K"].shape == (3, 3)


@given(arrays.arrays(np.float64, 6, elements=st.floats(-5, 5)), st.sampled_from([10.0, 100.0, 1e4]))
def test_scaling_gives_the_stated_maximum(value: np.ndarray, magnitude: float) -> None:
    scale = next(item for item in ALL if item.name == "scale")
    if scale.applies(value, Role()):
        changed = scale.apply(value, magnitude, Role(), np.random.default_rng(0))
        assert np.max(np.abs(changed)) == pytest.approx(magnitude)


def test_a_package_of_the_user_is_walked(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "knobs"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "negate.py").write_text(
        "from numlint.runtime.perturbations import Perturbation, is_real\n"
        "class Negate(Perturbation):\n"
        "    def applies(self, value, role):\n"
        "        return is_real(value)\n"
        "    def apply(self, value, magnitude, role, generator):\n"
        "        return -value\n"
        "PERTURBATION = Negate('negate', 'sign', (1,), 1, 1, continuous=False)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert "negate" in {item.name for item in load(["knobs"])}


def test_a_magnitude_that_leads_out_of_the_domain_is_refused() -> None:
    outlier = next(item for item in ALL if item.name == "outlier")
    with pytest.raises(OutsideDomain, match="outlier at -20"):
        turned(outlier, "s", -20)


def test_only_numbers_of_things_are_whole() -> None:
    assert [item.name for item in load() if item.integral] == ["size"]
