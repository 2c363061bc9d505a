"""The verdict file, and findings that get their verdicts back."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from numlint.confirm import verdicts
from numlint.confirm.confirmation import Confirmation
from numlint.confirm.verdicts import Unusable, digest, finite, joined, restored
from numlint.report import verdict as formats
from numlint.runtime.verdict import Verdict
from tests.confirm.conftest import REFUTED, SOFTMAX, UNKNOWN, Check, overflow

Confirm = Callable[..., Confirmation]


def written(confirmation: Confirmation, file: str = "verdicts.json") -> str:
    Path(file).write_text(formats.render("json", confirmation, (), color=False, width=100))
    return file


def test_a_verdict_is_read_back_as_it_was(confirmed: Confirm) -> None:
    confirmation = confirmed(overflow())
    (record,) = verdicts.read(written(confirmation)).records.values()
    before, after = confirmation.results[0].verdict, Verdict.from_json(dict(record.verdict))
    assert json.dumps(after.to_json()) == json.dumps(before.to_json())
    assert record.is_sure


def test_infinities_are_no_obstacle_to_other_readers_of_json() -> None:
    data = {"a": math.inf, "b": [-math.inf, 1.5, (2,)], "exact": {"$": "float", "value": "inf"}}
    text = json.dumps(finite(data), allow_nan=False)
    assert restored(json.loads(text)) == {**data, "b": [-math.inf, 1.5, [2]]}
    assert math.isnan(restored(finite(math.nan)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "No such file or directory; `numlint confirm --verdicts absent.json` writes it"),
        ("{", "not JSON"),
        ('{"findings": []}', "these are findings"),
        ('{"version": 99, "verdicts": []}', "version 99 of the file, and this numlint reads 1"),
        ('{"version": 1, "verdicts": [{}]}', "a verdict without fingerprint"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_reason(check: Check, text: str | None, message: str) -> None:
    check(SOFTMAX)
    if text is not None:
        Path("absent.json").write_text(text)
    with pytest.raises(Unusable, match=r"absent\.json: ") as caught:
        verdicts.read("absent.json")
    assert message in str(caught.value)


def test_only_what_fails_on_inputs_to_be_expected_is_confirmed(confirmed: Confirm) -> None:
    for verdict, kept in ((overflow(), 1), (REFUTED, 0), (UNKNOWN, 0)):
        confirmation = confirmed(verdict)
        findings = [confirmation.results[0].case.finding]
        known = verdicts.read(written(confirmation))
        found, changed = joined(findings, confirmation.sources, known, confirmed_only=True)
        assert (len(found), changed) == (kept, ())
        found, _ = joined(findings, confirmation.sources, known, confirmed_only=False)
        assert [finding.verdict["status"] for finding in found if finding.verdict] == [verdict.status]


def test_an_extreme_input_convinces_nobody(confirmed: Confirm) -> None:
    verdict = overflow()
    verdict.evidence.realism = "extreme"
    confirmation = confirmed(verdict)
    known = verdicts.read(written(confirmation))
    findings = [confirmation.results[0].case.finding]
    assert joined(findings, confirmation.sources, known, confirmed_only=True) == ((), ())


def test_a_function_that_changed_since_is_named(confirmed: Confirm) -> None:
    confirmation = confirmed(overflow())
    known = verdicts.read(written(confirmation))
    finding = confirmation.results[0].case.finding
    moved = SOFTMAX.replace("def softmax", "# a comment\n\n\ndef softmax  ")
    changed = SOFTMAX.replace("np.exp(z)", "np.exp(z * 2)")
    line = moved.splitlines().index("    return e / e.sum(axis=1, keepdims=True)") + 1
    from dataclasses import replace

    later = replace(finding, span=replace(finding.span, line=line, end_line=line))
    assert joined([later], {finding.path: moved}, known, confirmed_only=True)[1] == ()
    assert joined([finding], {finding.path: changed}, known, confirmed_only=True)[1] == (finding,)


def test_verdicts_about_none_of_the_findings_are_stale(confirmed: Confirm) -> None:
    from dataclasses import replace

    confirmation = confirmed(overflow())
    known = verdicts.read(written(confirmation))
    other = replace(confirmation.results[0].case.finding, fingerprint="f" * 16)
    with pytest.raises(Unusable, match="none of its verdicts is about these findings any more"):
        joined([other], confirmation.sources, known, confirmed_only=True)


def test_the_digest_of_code_outside_functions_is_that_of_its_lines(check: Check) -> None:
    source = "import numpy as np\nz = np.loadtxt('z')\np = np.exp(z) / np.exp(z).sum()\n"
    finding = check(source)[0].finding
    assert digest(finding, source) == digest(finding, source + "\nmore = 1\n")
    assert digest(finding, source) != digest(finding, source.replace("sum", "max"))
