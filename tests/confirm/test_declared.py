"""Inputs that a user declares: found, checked, and written for the runtime."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from numlint.confirm import declared

GOOD = """\
[[inputs]]
function = "pkg.model:Model.predict"
self = "Model(k=3)"
X = "np.random.default_rng(0).normal(size=(20, 3))"
p = { value = "np.full(20, 0.5)", role = "probability", high = 0.9 }
temperature = 2.0

[[inputs]]
function = "src/pkg/loss.py::entropy"
p = "p.npy"
"""


def test_a_good_file(tmp_path: Path) -> None:
    (tmp_path / "p.npy").touch()
    (tmp_path / declared.NAME).write_text(GOOD)
    found = declared.load(str(tmp_path / declared.NAME))
    assert found.functions == ("pkg.model:Model.predict", "src/pkg/loss.py::entropy")


def test_the_runtime_is_given_json(tmp_path: Path) -> None:
    (tmp_path / "p.npy").touch()
    (tmp_path / declared.NAME).write_text(GOOD)
    (tmp_path / "work").mkdir()
    written = declared.prepared(str(tmp_path / declared.NAME), str(tmp_path / "work"))
    entries = json.loads(Path(written).read_text())["inputs"]
    assert entries[0]["temperature"] == 2.0
    assert {entry["folder"] for entry in entries} == {str(tmp_path)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[inputs]\n", r"inputs\.toml: not TOML: "),
        ("[inputs]\nfunction = 'f'\n", r"declare inputs as tables \[\[inputs\]\]"),
        ("[[inputs]]\nX = '1'\n", "inputs 1: no 'function'"),
        ("[[inputs]]\nfunctoin = 'f'\n", "'functoin' should be 'function'"),
        ("[[inputs]]\nfunction = 'a b'\n", "function = 'a b' is no "),
        ("[[inputs]]\nfunction = 'f'\nX = 'np.ones('\n", r"inputs 1 \(f\): X = 'np.ones\(' is no Python expression"),
        ("[[inputs]]\nfunction = 'f'\nX = 1979-05-27\n", r"X must be an expression, a number, a list or a table"),
        ("[[inputs]]\nfunction = 'f'\np = { value = '1', rol = 'any' }\n", "unknown key 'rol'; did you mean 'role'?"),
        ("[[inputs]]\nfunction = 'f'\np = { value = '1', role = 'probabilty' }\n", "did you mean 'probability'?"),
        ("[[inputs]]\nfunction = 'f'\np = { role = 'any' }\n", "p: needs either 'value' or 'file'"),
        ("[[inputs]]\nfunction = 'f'\np = { value = 1, low = '0' }\n", "'low' must be a number, not '0'"),
        ("[[inputs]]\nfunction = 'f'\np = 'data.npz'\n", "p: there is no file .*data.npz"),
        ("[[inputs]]\nfunction = 'f'\np = { file = 'data.csv' }\n", r"'data.csv' is no .npy or .npz file"),
        ("[[input]]\nfunction = 'f'\n", r"declare inputs as tables"),
        ("other = 1\n[[inputs]]\nfunction = 'f'\n", "unknown key 'other'"),
    ],
)
def test_mistakes_name_the_file_and_the_key(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "inputs.toml"
    file.write_text(text)
    with pytest.raises(declared.DeclarationError, match=message) as caught:
        declared.load(str(file))
    assert str(caught.value).startswith(str(file))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(declared.DeclarationError, match="cannot be read: No such file"):
        declared.load(str(tmp_path / "none.toml"))


def test_the_nearest_file_within_the_project_is_found(tmp_path: Path) -> None:
    inner = tmp_path / "project" / "src"
    inner.mkdir(parents=True)
    (tmp_path / declared.NAME).touch()
    assert declared.find([str(inner)]) == str(tmp_path / declared.NAME)
    (tmp_path / "project" / "pyproject.toml").touch()
    assert declared.find([str(inner)]) == ""
    (tmp_path / "project" / declared.NAME).touch()
    assert declared.find([str(inner)]) == str(tmp_path / "project" / declared.NAME)
