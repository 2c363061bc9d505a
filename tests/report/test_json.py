"""The JSON layout that other programs rely on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from numlint import __version__
from numlint.report import Report, render
from numlint.rule import Rule


def test_the_document_holds_all_that_is_known_in_a_stable_order(outcome: Report, rules: Sequence[Rule]) -> None:
    document = json.loads(render("json", outcome, rules, color=False, width=80))
    assert list(document) == ["version", "numlint", "findings", "problems", "summary"]
    assert (document["version"], document["numlint"]) == (1, __version__)
    assert document["summary"] == {"findings": 3, "problems": 2, "files": 12, "skipped": 3, "suppressed": 1}
    first = document["findings"][0]
    assert list(first.items()) == [
        ("path", "src/model.py"),
        ("line", 11),
        ("column", 12),
        ("end_line", 11),
        ("end_column", 21),
        ("rule", "naive-softmax"),
        ("code", "NL101"),
        ("function", "attention"),
        ("message", outcome.findings[0].message),
        ("confidence", "likely"),
        ("severity", "error"),
        ("signature", "overflow"),
        ("framework", "numpy"),
        ("threshold", "float64 fails from max|z| = 709.8, float32 from 88.7, float16 from 11.1"),
        (
            "origin",
            [
                {
                    "line": 5,
                    "column": 9,
                    "end_line": 5,
                    "end_column": 22,
                    "text": "z comes from here; nothing bounds it",
                },
                {"line": 6, "column": 9, "end_line": 6, "end_column": 18, "text": "exp(z) overflows here"},
            ],
        ),
        (
            "rewrite",
            {
                "summary": "scipy.special.softmax subtracts the maximum first",
                "safety": "safe",
                "reason": "",
                "edits": [{"line": 11, "column": 12, "end_line": 11, "end_column": 21, "text": "softmax(z, axis=1)"}],
                "imports": ["scipy.special.softmax"],
            },
        ),
        ("fingerprint", "0123456789abcdef"),
    ]


def test_a_finding_without_a_rewrite_says_so(outcome: Any) -> None:
    report = replace(outcome, findings=(replace(outcome.findings[0], rewrite=None),))
    assert json.loads(render("json", report, (), color=False, width=80))["findings"][0]["rewrite"] is None


def test_problems_keep_their_place_and_their_remedy(outcome: Report) -> None:
    assert json.loads(render("json", outcome, (), color=False, width=80))["problems"][0] == {
        "path": "src/old.py",
        "line": 3,
        "column": 5,
        "message": "not valid Python 3: Missing parentheses in call to 'print'",
        "hint": "exclude it, or port it",
    }


def test_any_path_survives(outcome: Any) -> None:
    """File names need not be text; the output is ASCII, and reading it gives the name back."""
    path = "größe/\udcff日本.py"
    report = replace(outcome, findings=(replace(outcome.findings[0], path=path),))
    text = render("json", report, (), color=False, width=80)
    assert text.isascii()
    assert json.loads(text)["findings"][0]["path"] == path
