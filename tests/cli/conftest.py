"""The command line, called as a user does, without the cost of a process."""

from __future__ import annotations

import gc
import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from numlint.cli import main

HAZARD = """\
import numpy as np


def probabilities(z):
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)
"""


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    status: int
    out: str
    err: str


Numlint = Callable[..., Result]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with one file that has a hazard and one that has none."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "bad.py").write_text(HAZARD)
    (folder / "good.py").write_text("x = 1\n")
    monkeypatch.chdir(folder)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def numlint(project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Numlint]:
    """Runs a command in the project."""

    def call(*arguments: str, stdin: str = "") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capfd.readouterr()
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        captured = capfd.readouterr()
        assert isinstance(caught.value.code, int)
        return Result(caught.value.code, captured.out, captured.err)

    threshold = gc.get_threshold()
    yield call
    gc.unfreeze()
    gc.set_threshold(*threshold)
