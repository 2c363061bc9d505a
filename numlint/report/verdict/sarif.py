"""SARIF 2.1.0: a result for each finding, with its verdict in the message and, whole, in the properties."""

from __future__ import annotations

import json
from collections.abc import Sequence

from numlint.confirm.confirmation import Confirmation
from numlint.confirm.verdicts import finite
from numlint.report.sarif import log, with_verdict
from numlint.rule import Rule

name = "sarif"

_KIND = {"confirmed": "fail", "refuted": "pass", "outside-domain": "notApplicable", "inconclusive": "review"}


def render(confirmation: Confirmation, rules: Sequence[Rule], *, color: bool, width: int, detail: int) -> str:
    """A SARIF log of one run."""
    document = log(
        [item.case.finding for item in confirmation.results], confirmation.problems, rules, confirmation.sources
    )
    for result, item in zip(document["runs"][0]["results"], confirmation.results, strict=True):
        with_verdict(result, finite(item.verdict.to_json()))
        result["kind"] = _KIND.get(item.verdict.status, "open")
        if not item.is_sure:
            # A result that is no failure has no level.
            result["level"] = "note" if result["kind"] == "fail" else "none"
    return json.dumps(document, indent=2) + "\n"
