"""`numlint explain`: the page of a rule and its evidence."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Numlint


@pytest.mark.parametrize("name", ["naive-softmax", "NL101", "nl101", "Naive-Softmax"])
def test_a_rule_is_explained_by_name_and_by_code(numlint: Numlint, name: str) -> None:
    done = numlint("explain", name)
    assert done.status == 0
    assert done.out.startswith("naive-softmax (NL101)  exp, log and probabilities")


def test_the_page_holds_threshold_cure_and_evidence(numlint: Numlint) -> None:
    page = numlint("explain", "naive-softmax").out
    for part in ("88.7", "\nCure\n", "\nWhen it is fine\n", "\nReferences\n", "fixable"):
        assert part in page
    assert "\nBad: found, and it fails\n" in page
    assert "\nGood: not found, and it holds\n" in page
    assert "\nAt the limit: looks bad, is not found, and holds\n" in page
    assert "    softmax(np.array([0.0, 1000.0]))\n" in page
    assert "# numlint: ignore[naive-softmax] reason" in page


def test_code_is_shown_in_colours_on_a_terminal(numlint: Numlint, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = numlint("explain", "naive-softmax").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = numlint("explain", "naive-softmax").out
    assert "\x1b[" in coloured
    assert "\x1b[" not in plain


def test_programs_get_the_same(numlint: Numlint) -> None:
    rule = json.loads(numlint("explain", "naive-softmax", "--output-format", "json").out)
    assert (rule["name"], rule["code"], rule["family"]) == ("naive-softmax", "NL101", "exp, log and probabilities")
    assert rule["page"].startswith(rule["summary"])
    assert {"bad", "good", "limit"} == rule["evidence"].keys()
    assert {"code", "call", "fixed", "note", "requires"} == rule["evidence"]["bad"][0].keys()


def test_the_rule_about_comments_is_explained(numlint: Numlint) -> None:
    assert "suppresses nothing" in numlint("explain", "unused-suppression").out
