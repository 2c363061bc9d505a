"""Verdicts for people: the lines, their width, and what is left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from numlint.confirm.confirmation import Confirmation
from numlint.finding import Problem
from numlint.report import verdict as formats
from numlint.runtime.verdict import Boundary, CureResult, Evidence, Figure, Machine, Verdict
from tests.confirm.conftest import OUTSIDE, REFUTED, UNKNOWN, overflow

Confirm = Callable[..., Confirmation]


def shown(confirmation: Confirmation, width: int = 120, **options: Any) -> str:
    return formats.render("text", confirmation, (), color=False, width=width, **options)


def test_a_confirmed_finding(confirmed: Confirm) -> None:
    assert (
        shown(confirmed(overflow()))
        == """\
model.py:6:12 naive-softmax (NL101) in softmax                                  CONFIRMED  realistic
  overflow -> nan        float32 from max|z| = 88.73   float16 from 11.1   float64 from 709.8
  began at line 5        np.exp(z): input 89.0, result inf
  smallest input         z = [[0., 89.]] float32   got [[0., nan]]   true [[2.2273639e-39, 1.]]
  cure                   scipy.special.softmax(z, axis=1)
                         largest relative error 1.2e-7 on 412 inputs (before: nan on 37)
  rejected               np.log1p(np.exp(z))   still nan, fails on 9 of 12 inputs (before: nan on 12)
  machines               Haswell   max|w| = 2.13
                         SkylakeX  max|w| = 5.75e11
  run as                 synthesised call: softmax(z)
  replay                 numlint confirm model.py:6 --seed 0

1 finding: 1 confirmed (1 realistic)
run in 14.2 s: 1 synthesised call
1 verified rewrite: --fix applies them
"""
    )


def test_the_other_verdicts_say_why(confirmed: Confirm) -> None:
    assert (
        shown(confirmed(REFUTED, OUTSIDE, UNKNOWN), 80)
        == """\
model.py:6:12 naive-softmax (NL101) in softmax                           REFUTED
  because           no failure within the fair range
  tried             240 inputs, 700 runs   float64, float32, float16
                    true values by exact (240)
                    scale, shift, outlier, column order
  run as            recorded call: spread(x)

model.py:6:12 naive-softmax (NL101) in softmax                    OUTSIDE DOMAIN
  because           log of a negative number
  run as            slice: expression of line 6

model.py:6:12 naive-softmax (NL101) in softmax                      INCONCLUSIVE
  because           the module cannot be imported: No module named 'tensorflow'
  to run it         pip install tensorflow

3 findings: 1 refuted, 1 outside domain, 1 inconclusive
run in 14.2 s: 1 recorded call, 1 slice
"""
    )


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal(confirmed: Confirm, width: int) -> None:
    text = shown(confirmed(overflow(), REFUTED, OUTSIDE, UNKNOWN), width, detail=2)
    assert max(map(len, text.splitlines())) <= width
    assert all(line == line.rstrip() for line in text.splitlines())


def test_colour_repeats_what_the_words_say(confirmed: Confirm) -> None:
    import re

    confirmation = confirmed(overflow(), REFUTED)
    coloured = formats.render("text", confirmation, (), color=True, width=100)
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == shown(confirmation, 100)
    assert coloured != shown(confirmation, 100)


def test_a_format_that_does_not_fail_is_named(confirmed: Confirm) -> None:
    verdict = overflow()
    verdict.evidence.boundary = Boundary("max|z|", {"float64": None, "float32": 204.0})
    assert "float32 from max|z| = 204   not float64" in shown(confirmed(verdict))


def test_a_knob_with_forms_is_said_in_words(confirmed: Confirm) -> None:
    verdict = overflow()
    assert verdict.evidence is not None
    fails: dict[str, float | None] = {"float64": None, "float32": 3.0, "float16": 3.0}
    verdict.evidence.boundary = Boundary("a and b agree", fails, "a and b agree to 1e-4")
    assert "float32 and float16 where a and b agree to 1e-4   not float64\n" in shown(confirmed(verdict))
    verdict.evidence.boundary = Boundary("number of features", {"float32": 117.0})
    assert "float32 from 117 features\n" in shown(confirmed(verdict))
    verdict.evidence.boundary = Boundary("y divided by", {"float32": 1.608})
    assert "float32 from y divided by 1.608\n" in shown(confirmed(verdict))


def test_machines_that_agree_are_one_line(confirmed: Confirm) -> None:
    machines = [Machine(name, {}, name, True, "nan") for name in ("Haswell", "SkylakeX")]
    text = shown(confirmed(overflow(machines=[*machines, Machine("Zen", {}, honoured=False)])))
    assert "  machines               the same on all 2 that could be tried   (Haswell, SkylakeX)\n" in text


def test_what_would_make_it_run_is_said_where_it_did_not(confirmed: Confirm) -> None:
    assert "to run it" not in shown(confirmed(overflow(remedy="more memory")))


def test_a_rejected_rewrite_names_the_formats_in_which_it_fails(confirmed: Confirm) -> None:
    cure = CureResult(
        "a floor", "rejected", text="np.maximum(x, 1e-30)", inputs=7, failed_before=4, failed_after=1,
        error_before=float("inf"), error_after=float("inf"),
        by_format={"float64": (float("inf"), 1e-16), "float16": (float("inf"), float("inf"))},
    )  # fmt: skip
    text = shown(confirmed(overflow(cures=[cure])))
    assert "still nan, fails in float16 on 1 of 7 inputs (before: nan on 4)" in text


def test_without_a_knob_the_figure_stands_alone(confirmed: Confirm) -> None:
    evidence = Evidence("ill-conditioned", "plain", Figure("condition number", 2.4e12), "float64")
    text = shown(confirmed(overflow(evidence=evidence, cures=[], machines=[])))
    assert "  ill-conditioned        condition number 2.4e12   float64\n" in text


def test_an_extreme_input_is_a_margin(confirmed: Confirm) -> None:
    verdict = overflow()
    verdict.evidence.realism = "extreme"
    text = shown(confirmed(verdict))
    assert "CONFIRMED  extreme" in text
    assert "a margin, no warning" in text
    assert "--fix" not in text


def test_a_rewrite_that_changes_the_meaning_says_by_how_much(confirmed: Confirm) -> None:
    cure = CureResult(
        "an epsilon",
        "changes-semantics",
        "differs by 1e-5",
        "x + eps",
        error_before=0.5,
        error_after=1e-5,
        inputs=3,
        failed_before=3,
    )
    text = shown(confirmed(overflow(cures=[cure])))
    said = "x + eps   largest relative error 1.0e-5 on 3 inputs (before: 5.0e-1 on 3)   differs by 1e-5"
    assert f"  not equal              {said}\n" in text


def test_quiet_shows_what_is_confirmed_and_verbose_what_was_tried(confirmed: Confirm) -> None:
    confirmation = confirmed(overflow(), REFUTED)
    assert "REFUTED" not in shown(confirmation, detail=0)
    assert "412 inputs, 903 runs" not in shown(confirmation, detail=1)
    assert "412 inputs, 903 runs" in shown(confirmation, detail=2)


def test_what_was_stubbed_is_said(confirmed: Confirm) -> None:
    assert "slice: expression of line 6   without tensorflow" in shown(
        confirmed(replace_stubs(OUTSIDE, ["tensorflow"]))
    )


def replace_stubs(verdict: Verdict, stubbed: list[str]) -> Verdict:
    found: Verdict = replace(verdict, stubbed=stubbed)
    return found


def test_problems_and_an_interruption_are_said(confirmed: Confirm) -> None:
    problem = Problem("old.py", "syntax error: invalid syntax", "numlint reads Python 3", 3, 5)
    text = shown(confirmed(overflow(), problems=(problem,), left=4))
    assert "old.py:3:5 not checked\n  syntax error: invalid syntax\n  numlint reads Python 3\n" in text
    assert "interrupted: 4 findings without a verdict\n1 not checked\n" in text


def test_nothing_to_confirm() -> None:
    assert shown(Confirmation()) == "nothing to confirm\n"


def test_what_the_code_prints_cannot_control_the_terminal(confirmed: Confirm) -> None:
    text = shown(confirmed(replace(UNKNOWN, reason="raised \x1b[31mred\nand more")))
    assert "\x1b" not in text
    assert "raised \N{REPLACEMENT CHARACTER}[31mred and more" in text
