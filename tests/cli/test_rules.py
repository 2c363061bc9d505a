"""`numlint rules`: what there is."""

from __future__ import annotations

import json

import pytest

from numlint import packs
from numlint.config import load
from tests.cli.conftest import Numlint


def test_every_rule_is_listed_below_its_family(numlint: Numlint) -> None:
    lines = numlint("rules").out.splitlines()
    for rule in packs.load(load("")):
        assert any(line.startswith(f"{rule.code}  {rule.name} ") for line in lines)
    family = lines.index("NL1  exp, log and probabilities")
    assert lines[family + 1].startswith("NL101  naive-softmax")


def test_lines_fit_the_terminal(numlint: Numlint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    assert max(map(len, numlint("rules").out.splitlines())) <= 72


def test_programs_get_everything(numlint: Numlint) -> None:
    rules = json.loads(numlint("rules", "--output-format", "json").out)
    assert [rule["code"] for rule in rules] == sorted(rule.code for rule in packs.load(load("")))
    assert all(rule["page"] for rule in rules)
