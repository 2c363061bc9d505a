"""Runs are matched by construction: the same seed is the same data, whatever else is swept."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlint.runtime.lab.configuration import Configuration
from numlint.runtime.lab.data import BINARY, CLASSES, REGRESSION, Data, Refused, load

from .conftest import Training


def data(kind: str = REGRESSION, **settings: Any) -> Data:
    return load(Configuration("any", settings), kind)


@given(st.integers(0, 50), st.floats(0, 12), st.sampled_from([REGRESSION, BINARY, CLASSES]))
def test_a_design_has_the_condition_number_that_was_asked_for(seed: int, digits: float, kind: str) -> None:
    X = data(kind, seed=seed, condition=10**digits, rows=30, columns=4).X
    assert np.linalg.cond(X) == pytest.approx(10**digits, rel=1e-2)


def test_the_condition_number_changes_nothing_but_the_singular_values() -> None:
    (U, _, V), (U2, _, V2) = (np.linalg.svd(data(condition=c).X, full_matrices=False) for c in (10.0, 100.0))
    assert np.abs(np.abs(np.sum(U * U2, axis=0)) - 1).max() < 1e-10
    assert np.abs(np.abs(np.sum(V * V2, axis=1)) - 1).max() < 1e-10


def test_scale_and_offset_are_of_the_features() -> None:
    assert np.array_equal(data(scale=4.0, offset=2.0).X, 4.0 * data().X + 2.0)
    assert np.array_equal(data(scale=4.0).y, data().y)


@pytest.mark.parametrize("changed", [{"lr": 0.2}, {"precision": "float32"}, {"order": 1, "batch": 50}, {"l2": 0.1}])
def test_what_is_swept_does_not_change_data_and_initial_weights(changed: dict[str, Any], trained: Training) -> None:
    one, other = trained("mlp", epochs=2, batch=50), trained("mlp", **{"epochs": 2, "batch": 50, **changed})
    assert one.conditions.design == other.conditions.design
    assert one.conditions.curvature > 0
    # The first epoch begins with the same weights.
    assert one.epochs[0].layers[0].name == other.epochs[0].layers[0].name
    full, swept = (trained("mlp", **{"epochs": 1, **c, "batch": None}) for c in ({}, changed))
    penalty = 0.0 if "l2" not in changed else swept.epochs[0].loss - full.epochs[0].loss
    assert swept.epochs[0].loss - penalty == pytest.approx(full.epochs[0].loss, rel=1e-5)


def test_a_configuration_is_trained_to_the_same_bits_again(trained: Training) -> None:
    def losses(seconds: float) -> list[float]:
        from numlint.runtime.lab.training import Options

        run = trained("mlp", Options(seconds=seconds), epochs=5, batch=20)
        return [epoch.loss for epoch in run.epochs]

    assert losses(50) == losses(51)


def test_the_one_hot_design_is_that_of_the_fixture(root: Path) -> None:
    spec = importlib.util.spec_from_file_location("onehot", root / "fixtures" / "onehot_ols" / "stable.py")
    assert spec is not None
    assert spec.loader is not None
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    X, y, _ = program.load()
    assert np.array_equal(data(data="onehot").X, X)
    assert np.array_equal(data(data="onehot").y, y)


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes", "digits", "iris", "wine"])
@pytest.mark.parametrize("kind", [REGRESSION, BINARY, CLASSES])
def test_bundled_data_suit_every_task(name: str, kind: str) -> None:
    pytest.importorskip("sklearn")
    found = data(kind, data=f"sklearn:{name}")
    assert len(found.X) == len(found.y)
    if kind != REGRESSION:
        assert set(np.unique(found.y)) == set(range(found.classes))


def test_what_is_missing_is_refused_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(Refused, match="-m pip install scikit-learn"):
        data(data="sklearn:iris")


def test_a_csv_file_with_a_target_column(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,kind,b,city\n1,yes,2.5,x\n2,no,,y\n3,no,4.5,z\n")
    found = data(BINARY, data=str(path), target="kind")
    assert found.X.tolist() == [[1.0, 2.5], [3.0, 4.5]]  # text is no feature, an incomplete row is left out
    assert found.y.tolist() == [1, 0]


def test_parquet_and_npz_hold_the_same(tmp_path: Path) -> None:
    X, y = np.arange(6.0).reshape(3, 2), np.array([1.0, 0.5, 2.0])
    np.savez(tmp_path / "table.npz", X=X, y=y)
    assert np.array_equal(data(data=str(tmp_path / "table.npz")).X, X)
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    pandas.DataFrame({"a": X[:, 0], "b": X[:, 1], "y": y}).to_parquet(tmp_path / "table.parquet")
    found = data(data=str(tmp_path / "table.parquet"))
    assert np.array_equal(found.X, X)
    assert np.array_equal(found.y, y)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"data": "nowhere.csv"}, "no file"),
        ({"data": "iris"}, "no data 'iris'"),
        ({"data": "sklearn:mnist"}, "of its own"),
        ({"rows": 3, "columns": 5}, "rows >= columns"),
    ],
)
def test_what_cannot_be_had_is_refused(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused, match=why):
        data(**settings)
