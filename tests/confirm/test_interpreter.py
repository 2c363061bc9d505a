"""Which interpreter runs the code, and what is said when it cannot."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from numlint.confirm.interpreter import InterpreterError, choose, clean, find, probe

pytestmark = pytest.mark.skipif(os.name == "nt", reason="makes interpreters of shell scripts")


def fake(folder: Path, says: str = "", name: str = "python") -> str:
    """An environment whose interpreter prints what it is told to."""
    (folder / "bin").mkdir(parents=True)
    file = folder / "bin" / name
    file.write_text(f"#!/bin/sh\necho '{says}'\n")
    file.chmod(0o755)
    return str(file)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    (project / "src" / "package").mkdir(parents=True)
    (project / "pyproject.toml").touch()
    return project


def chosen(project: Path, python: str = "", **environment: str) -> str:
    return choose(str(project / "src" / "package"), python, environment)[0]


def test_the_nearest_wish_decides(project: Path, tmp_path: Path) -> None:
    assert chosen(project) == sys.executable
    conda = fake(tmp_path / "conda")
    assert chosen(project, CONDA_PREFIX=str(tmp_path / "conda")) == conda
    beside = fake(project / "venv")
    assert chosen(project, CONDA_PREFIX=str(tmp_path / "conda")) == beside
    hidden = fake(project / ".venv")
    assert chosen(project) == hidden
    active = fake(tmp_path / "active", name="python3")
    assert chosen(project, VIRTUAL_ENV=str(tmp_path / "active")) == active
    asked = fake(tmp_path / "asked")
    assert chosen(project, asked, VIRTUAL_ENV=str(tmp_path / "active")) == asked


def test_an_environment_that_is_gone_is_passed_over(project: Path) -> None:
    assert chosen(project, VIRTUAL_ENV="/no/such/folder") == sys.executable


def test_it_may_be_named_by_its_folder_or_by_its_name_on_the_path(project: Path, tmp_path: Path) -> None:
    path = fake(tmp_path / "one", name="python3")
    assert chosen(project, str(tmp_path / "one")) == path
    assert chosen(project, "python3", PATH=str(tmp_path / "one" / "bin")) == path


def test_the_one_of_the_tests_will_do(project: Path) -> None:
    found = find(project, sys.executable)
    assert found.version == sys.version_info[:3]
    assert found.numpy
    assert str(found).startswith("Python 3.")
    assert "as asked for" in str(found)


def test_it_is_asked_without_what_would_change_how_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/no/such/folder")
    assert probe(sys.executable, "by this test").numpy
    assert clean({"PYTHONPATH": "x", "PATH": "y"}) == {"PATH": "y"}


@pytest.mark.parametrize(
    ("says", "message"),
    [
        ('[[3, 7, 4], "1.21.0", ""]', r"is Python 3\.7\.4, and numlint runs code in Python 3\.9 or newer"),
        ('[[3, 9, 4], "", "ModuleNotFoundError: numpy"]', r"has no numpy.*-m pip install numpy"),
        ('[[3, 9, 4], "", "ImportError: libgfortran"]', r"cannot import numpy \(ImportError: libgfortran\)"),
        ('[[3, 9, 4], "1.19.5", ""]', r"has numpy 1\.19\.5, and numlint needs 1\.21 or newer"),
        ("Segmentation fault", r"is no Python that works"),
        ("", r"is no Python that works: exit status 0"),
    ],
)
def test_what_cannot_run_the_code_says_why_and_what_to_do(
    project: Path, tmp_path: Path, says: str, message: str
) -> None:
    with pytest.raises(InterpreterError, match=message) as caught:
        find(project, fake(tmp_path / "env", says))
    assert "--python" in str(caught.value)


def test_what_is_not_there_says_so(project: Path, tmp_path: Path) -> None:
    for wish, message in (
        (str(tmp_path / "nothing"), "there is no interpreter"),
        (str(project), "holds no Python interpreter"),
        (str(project / "pyproject.toml"), "is not executable"),
    ):
        with pytest.raises(InterpreterError, match=message) as caught:
            find(project, wish)
        assert wish in str(caught.value)
