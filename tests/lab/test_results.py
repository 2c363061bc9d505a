"""A folder of results: what is in it is not lost and not made again."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from numlint.lab.results import GRID, MITIGATION, Asked, Results, ResultsError
from numlint.lab.sweep import read
from numlint.lab.task import Task
from numlint.runtime.lab.record import Finding, Run
from tests.lab.conftest import ran


@pytest.fixture
def asked(task: Task) -> Asked:
    return Asked(read(task, ["lr=0.1,1"], ["epochs=7"], None), ("numlint", "lab"), "Python", "today", {"seconds": 3.0})


def test_a_folder_tells_all_that_was_asked_for(asked: Asked, tmp_path: Path) -> None:
    Results.create(tmp_path / "new", asked)
    assert Results.open(tmp_path / "new").asked == asked
    written = json.loads((tmp_path / "new" / "lab.json").read_text())
    assert written["command"] == ["numlint", "lab"]
    assert written["interpreter"] == "Python"


def test_one_run_is_one_line_that_is_there_at_once(asked: Asked, tmp_path: Path) -> None:
    results = Results.create(tmp_path / "new", asked)
    for number, configuration in enumerate(asked.sweep.configurations(), 1):
        results.add(ran(configuration, 1.0, float("inf"), environment={"python": "3"}))
        lines = (tmp_path / "new" / "runs.jsonl").read_text().splitlines()
        assert len(lines) == number
    record = json.loads(lines[0])
    assert record["configuration"]["settings"]["epochs"] == 7
    assert record["environment"] == {"python": "3"}
    assert record["epochs"][1]["loss"] == "inf"


def test_runs_are_found_again_by_their_configuration(asked: Asked, tmp_path: Path) -> None:
    first, second = asked.sweep.configurations()
    Results.create(tmp_path / "new", asked).add(ran(first, 1.0, 0.5))
    again = Results.open(tmp_path / "new")
    found = again.find(first)
    assert found is not None
    assert [epoch.loss for epoch in found.epochs] == [1.0, 0.5]
    assert again.find(second) is None
    assert again.find(first, "Haswell") is None


def test_a_line_that_was_cut_off_costs_one_run(asked: Asked, tmp_path: Path) -> None:
    first, second = asked.sweep.configurations()
    results = Results.create(tmp_path / "new", asked)
    results.add(ran(first, 1.0))
    with open(tmp_path / "new" / "runs.jsonl", "a") as stream:
        stream.write('{"configuration": {"task": "to')
    again = Results.open(tmp_path / "new")
    assert [run.configuration for run in again.runs(GRID)] == [first]
    again.add(ran(second, 1.0))
    assert [run.configuration for run in Results.open(tmp_path / "new").runs(GRID)] == [first, second]


def test_runs_are_told_apart_by_what_they_were_made_for(asked: Asked, tmp_path: Path) -> None:
    first, second = asked.sweep.configurations()
    results = Results.create(tmp_path / "new", asked)
    results.add(ran(first, 1.0))
    results.add(ran(second, 1.0), MITIGATION)
    results.add(ran(first, 1.0), GRID, "Haswell")
    assert len(results.runs(GRID)) == 1
    assert len(results.runs(GRID, MITIGATION)) == 2


def test_without_a_name_it_lies_where_git_does_not_look(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    one, other = Results.create(None, asked), Results.create(None, asked)
    assert one.folder != other.folder
    assert one.folder.name.startswith("toy-")
    assert (tmp_path / ".numlint" / "lab" / ".gitignore").read_text().endswith("*\n")


def test_what_cannot_be_used_is_said(asked: Asked, tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"no lab\.json"):
        Results.open(tmp_path)
    Results.create(tmp_path / "new", asked)
    with pytest.raises(ResultsError, match="--resume"):
        Results.create(tmp_path / "new", asked)
    (tmp_path / "new" / "lab.json").write_text("{}")
    with pytest.raises(ResultsError, match="cannot be read"):
        Results.open(tmp_path / "new")
    (tmp_path / "file").touch()
    with pytest.raises(ResultsError, match="-o"):
        Results.create(tmp_path / "file", asked)


def test_a_run_is_read_as_it_was_written(asked: Asked) -> None:
    first, _ = asked.sweep.configurations()
    findings = [Finding("nan", 1, "inf - inf", value=math.inf), Finding("overflow", 0, "exp(89.1)", value=89.1)]
    run = ran(first, 1.0, math.nan, findings=findings, largest_weight=-math.inf)
    again = Run.from_json(json.loads(json.dumps(run.to_json())))
    assert repr(again) == repr(run)
