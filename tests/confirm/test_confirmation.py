"""Requests and answers: what is sent for a finding, and what an answer becomes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from numlint.confirm.confirmation import Confirmed, Options, Request, answered, confirm
from numlint.confirm.cures import changes, verified
from numlint.finding import Safety
from numlint.runtime.verdict import CureResult
from tests.confirm.conftest import REFUTED, SOFTMAX, Check, overflow

TWO = SOFTMAX + "\n\ndef softplus(x):\n    return np.log(1 + np.exp(x))\n"


def backwards(requests: Iterable[Request]) -> Iterator[tuple[Request, dict[str, Any]]]:
    """Answers in another order than that of the requests."""
    for request in list(requests)[::-1]:
        yield request, REFUTED.to_json() | {"path": "/elsewhere.py", "line": 99}


def test_a_request_holds_the_target_and_how_hard_to_try(check: Check) -> None:
    seen: list[Request] = []

    def exchange(requests: Iterable[Request]) -> Iterator[tuple[Request, dict[str, Any]]]:
        for request in requests:
            seen.append(json.loads(json.dumps(request)))
            yield request, REFUTED.to_json()

    list(confirm(check(SOFTMAX), exchange, Options(seed=3, formats=("float32",))))
    (request,) = seen
    assert request["op"] == "confirm"
    assert request["target"]["qualname"] == "softmax"
    assert request["options"]["seed"] == 3
    assert request["options"]["formats"] == ["float32"]


def test_answers_belong_to_their_findings_in_any_order(check: Check) -> None:
    started: list[str] = []
    cases = check(TWO)
    results = list(confirm(cases, backwards, Options(seed=5), lambda case: started.append(case.finding.rule)))
    assert [result.case for result in results] == cases[::-1]
    assert started == ["naive-softmax", "naive-softplus"]
    verdict = results[-1].verdict
    assert (verdict.path, verdict.line, verdict.rule, verdict.function) == ("model.py", 6, "naive-softmax", "softmax")
    assert verdict.seed == 5


@pytest.mark.parametrize(
    ("answer", "reason", "remedy"),
    [
        ({}, "the runtime gave no verdict", ""),
        (
            {"status": "inconclusive", "failure": "timeout", "reason": "killed after 20 s"},
            "killed after 20 s",
            "--seconds",
        ),
        ({"status": "inconclusive", "failure": "memory", "reason": "too much"}, "too much", "--inputs FILE"),
        ({"status": "pong"}, "the runtime answered 'pong'", ""),
    ],
)
def test_an_answer_without_a_verdict_is_inconclusive(answer: dict[str, Any], reason: str, remedy: str) -> None:
    verdict = answered(answer)
    assert (verdict.status, verdict.reason) == ("inconclusive", reason)
    assert remedy in verdict.remedy


def test_what_was_known_before_the_end_is_kept() -> None:
    events = [{"phase": "import"}, {"rung": "synthesised", "harness": "f(x)"}]
    verdict = answered(
        {"status": "inconclusive", "failure": "crash", "reason": "segmentation fault", "emitted": events}
    )
    assert (verdict.rung, verdict.harness, verdict.reason) == ("synthesised", "f(x)", "segmentation fault")


class TestCures:
    def result(self, check: Check, *cures: CureResult, **changes: Any) -> Confirmed:
        return Confirmed(check(SOFTMAX)[0], overflow(cures=list(cures), **changes))

    def test_the_first_verified_rewrite_is_applied(self, check: Check) -> None:
        case = check(SOFTMAX)[0]
        summaries = [item.rewrite.summary for item in case.rewritten]
        assert len(summaries) > 1
        results = [CureResult(summaries[0], "rejected"), CureResult(summaries[1], "verified")]
        rewrite = verified(self.result(check, *results))
        assert rewrite is not None
        assert rewrite.summary == summaries[1]

    @pytest.mark.parametrize("status", ["rejected", "changes-semantics", "not-run"])
    def test_what_was_not_verified_is_not_applied(self, check: Check, status: str) -> None:
        result = self.result(check, CureResult(check(SOFTMAX)[0].rewritten[0].rewrite.summary, status))
        assert changes([result], {"model.py": SOFTMAX}) == ([], [])

    def test_a_look_alike_is_never_applied(self, check: Check) -> None:
        case = check(SOFTMAX)[0]
        shown = replace(case.rewritten[0].rewrite, safety=Safety.DISPLAY)
        case = replace(case, rewritten=(replace(case.rewritten[0], rewrite=shown),))
        assert verified(Confirmed(case, overflow())) is None

    def test_a_margin_is_no_reason_to_change_code(self, check: Check) -> None:
        verdict = overflow()
        verdict.evidence.realism = "extreme"
        assert changes([Confirmed(check(SOFTMAX)[0], verdict)], {"model.py": SOFTMAX}) == ([], [])

    def test_the_file_after_it(self, check: Check) -> None:
        (change,), applied = changes([Confirmed(check(SOFTMAX)[0], overflow())], {"model.py": SOFTMAX})
        assert "scipy.special.softmax(z, axis=1)" in change.after
        assert [finding.rule for finding in applied] == ["naive-softmax"]
