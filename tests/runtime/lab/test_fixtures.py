"""Each signature and each phase is named in a run that shows it, at its epoch, and never in the stable twin."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from numlint.runtime.lab import signatures
from numlint.runtime.lab.configuration import Configuration, differences
from numlint.runtime.lab.record import PHASES, SIGNATURES, Run
from numlint.runtime.lab.training import Options, train

FOLDER = Path(__file__).resolve().parents[3] / "fixtures" / "lab"
RUNS: dict[str, dict[str, Any]] = json.loads((FOLDER / "runs.json").read_text())


@functools.cache
def trained(configuration: Configuration) -> Run:
    return train(configuration, Options(path=(str(FOLDER),)))


def run(data: dict[str, Any]) -> Run:
    return trained(Configuration.from_json(data))


def test_every_signature_and_phase_has_a_fixture() -> None:
    assert RUNS["signatures"].keys() == set(SIGNATURES)
    assert {"healthy", *RUNS["phases"]} == set(PHASES)
    assert {item.name for item in signatures.load()} == set(SIGNATURES)


def test_twins_differ_in_one_thing() -> None:
    for cases in RUNS.values():
        for name, case in cases.items():
            found = differences(*(Configuration.from_json(case[twin]) for twin in ("unstable", "stable")))
            assert len(found) == 1, name


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_signature_is_named_with_figure_and_epoch(name: str) -> None:
    case = RUNS["signatures"][name]
    found = {item.signature: item for item in run(case["unstable"]).findings}
    assert found[name].epoch == case["epoch"]
    assert any(letter.isdigit() for letter in found[name].figure)


@pytest.mark.parametrize("name", RUNS["phases"])
def test_a_phase_is_found_where_it_begins(name: str) -> None:
    case = RUNS["phases"][name]
    phases = run(case["unstable"]).phases
    begun = next(phase for phase in phases if phase.name == name)
    assert begun.first == case["epoch"]
    assert begun.evidence
    # The phases tile the run.
    assert [phase.first for phase in phases] == [0, *(phase.last + 1 for phase in phases[:-1])]


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, cases in RUNS.items() for name in cases])
def test_the_stable_twin_gives_no_alarm(kind: str, name: str) -> None:
    twin = run(RUNS[kind][name]["stable"])
    assert twin.epochs, twin.reason
    assert [phase.name for phase in twin.phases] == ["healthy"]
    assert twin.findings == []
