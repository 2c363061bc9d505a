"""Verdicts for programs: JSON, SARIF and the annotations of GitHub."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import jsonschema
import pytest

from numlint.confirm.confirmation import Confirmation
from numlint.finding import Problem
from numlint.report import verdict as formats
from tests.confirm.conftest import OUTSIDE, REFUTED, UNKNOWN, overflow

Confirm = Callable[..., Confirmation]
PROBLEM = Problem("old.py", "syntax error", "", 3, 5)


def rendered(name: str, confirmation: Confirmation, known: Sequence[Any] = ()) -> str:
    return formats.render(name, confirmation, known, color=False, width=80)


def test_the_formats_are_the_modules_of_the_package() -> None:
    assert formats.formats() == ("github", "json", "sarif", "text")
    with pytest.raises(ValueError, match="no output format 'xml'; one of github, json"):
        rendered("xml", Confirmation())


class TestJson:
    def test_it_holds_the_whole_verdict_and_what_the_finding_said(self, confirmed: Confirm) -> None:
        document = json.loads(rendered("json", confirmed(overflow(), REFUTED, problems=(PROBLEM,), python="python3")))
        assert (document["version"], document["python"]) == (1, "python3")
        assert document["summary"] == {
            "confirmed": 1, "refuted": 1, "outside-domain": 0, "inconclusive": 0, "left": 0, "seconds": 14.2,
        }  # fmt: skip
        first = document["verdicts"][0]
        assert first["evidence"]["boundary"]["fails_from"]["float32"] == 88.73
        assert (first["confidence"], first["severity"], first["end_column"]) == ("likely", "error", 44)
        assert first["fingerprint"]
        assert first["digest"]
        assert document["problems"][0]["path"] == "old.py"

    def test_it_is_strict_json(self, confirmed: Confirm) -> None:
        def refuse(constant: str) -> None:
            raise AssertionError(constant)

        json.loads(rendered("json", confirmed(overflow())), parse_constant=refuse)


class TestSarif:
    def test_it_follows_the_schema(
        self, confirmed: Confirm, rules: Sequence[Any], validator: jsonschema.Draft7Validator
    ) -> None:
        confirmation = confirmed(overflow(), REFUTED, OUTSIDE, UNKNOWN, problems=(PROBLEM,))
        document = json.loads(rendered("sarif", confirmation, rules))
        assert [error.message for error in validator.iter_errors(document)] == []

    def test_each_finding_has_its_verdict(self, confirmed: Confirm) -> None:
        document = json.loads(rendered("sarif", confirmed(overflow(), REFUTED, OUTSIDE, UNKNOWN)))
        results = document["runs"][0]["results"]
        assert [(item["kind"], item["level"]) for item in results] == [
            ("fail", "error"),
            ("pass", "none"),
            ("notApplicable", "none"),
            ("review", "none"),
        ]
        assert results[0]["properties"]["verdict"]["status"] == "confirmed"
        text = results[0]["message"]["text"]
        assert text.endswith(
            "confirmed, realistic: overflow -> nan: float32 from max|z| = 88.73, float16 from 11.1, float64 from 709.8"
        )


class TestGithub:
    def test_what_is_confirmed_is_an_error_or_a_warning_and_the_rest_a_notice(self, confirmed: Confirm) -> None:
        lines = rendered("github", confirmed(overflow(), REFUTED, problems=(PROBLEM,))).splitlines()
        assert [line.partition(" ")[0] for line in lines] == ["::error", "::notice", "::error"]
        assert "title=NL101 naive-softmax [confirmed%2C realistic]" in lines[0]
        assert "float32 from max|z| = 88.73" in lines[0]

    def test_a_margin_is_a_notice(self, confirmed: Confirm) -> None:
        verdict = overflow()
        verdict.evidence.realism = "extreme"
        assert rendered("github", confirmed(verdict)).startswith("::notice ")
