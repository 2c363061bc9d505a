"""What the host makes of recordings: functions, environment, and the place of what was kept."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from numlint.confirm import recordings
from numlint.finding import Confidence, Finding, Severity, Span


def finding(path: str, function: str) -> Finding:
    return Finding(
        "r", "NL101", path, Span(1, 1, 1, 2), function, "m", Confidence.LIKELY, Severity.ERROR, "nan", "numpy"
    )


def test_each_function_is_wanted_once_and_the_top_level_never(tmp_path: Path) -> None:
    file = str(tmp_path / "src" / "a.py")
    found = recordings.wanted([finding(file, "f"), finding(file, "f"), finding(file, "<module>")], str(tmp_path))
    assert found.count == 1
    assert found.settings("out", 3, 10) == {
        "folder": "out",
        "targets": {os.path.realpath(file): {"file": "src/a.py", "functions": ["f"]}},
        "calls": 3,
        "limit": 10,
    }


def test_a_file_outside_of_the_project_keeps_its_path(tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere" / "a.py"
    found = recordings.wanted([finding(str(outside), "f")], str(tmp_path / "project"))
    [target] = found.settings("out", 1, 1)["targets"].values()  # type: ignore[attr-defined]
    assert target["file"] == outside.as_posix().lstrip("/")


def test_the_users_own_path_comes_after_the_recorder() -> None:
    changed = recordings.environment({"PYTHONPATH": "src", "HOME": "h"}, "settings.json")
    first, second = changed["PYTHONPATH"].split(os.pathsep)
    assert Path(first, "sitecustomize.py").is_file()
    assert (second, changed["HOME"], changed["NUMLINT_RECORD"]) == ("src", "h", "settings.json")
    assert recordings.environment({}, "s")["PYTHONPATH"] == first


@pytest.mark.parametrize(("code", "status"), [("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 9)", 137)])
def test_the_status_is_that_of_the_command(tmp_path: Path, code: str, status: int) -> None:
    command = [sys.executable, "-c", code]
    assert recordings.record(command, recordings.Wanted(""), str(tmp_path / "kept")).status == status


def test_recordings_are_kept_out_of_git(tmp_path: Path) -> None:
    recordings.record([sys.executable, "-c", ""], recordings.Wanted(""), str(tmp_path))
    assert (tmp_path / ".gitignore").read_text().endswith("*\n")
    assert [path.name for path in tmp_path.iterdir()] == [".gitignore"]


WRITES = """\
import json, os, pathlib
folder = pathlib.Path(json.load(open(os.environ["NUMLINT_RECORD"]))["folder"], "a.py", "f")
folder.mkdir(parents=True)
(folder / "new.json").write_text('{"opaque": ["io:File"]}')
"""


def test_new_calls_take_the_place_of_earlier_ones(tmp_path: Path) -> None:
    for name in ("f", "g"):
        (tmp_path / "a.py" / name).mkdir(parents=True)
        (tmp_path / "a.py" / name / "old.json").write_text("{}")
    recording = recordings.record([sys.executable, "-c", WRITES], recordings.Wanted(""), str(tmp_path))
    assert recording.functions == (recordings.Recorded("a.py", "f", 1, ("io:File",)),)
    kept = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.json"))
    assert kept == ["a.py/f/new.json", "a.py/g/old.json"]


def test_settings_are_json(tmp_path: Path) -> None:
    found = recordings.wanted([finding("a.py", "f")], str(tmp_path))
    assert json.loads(json.dumps(found.settings("out", 1, 1)))["calls"] == 1
