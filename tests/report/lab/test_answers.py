"""Answers of probes and precision policies as people and programs read them."""

from __future__ import annotations

import json
import math

from numlint.report.lab._answers import render, render_policies
from numlint.runtime.lab.answers import DEFECT, HEALTHY, UNASKED, Answer, Policy, Unit

ANSWERS = [
    Answer("gradient", DEFECT, "the gradient by w[0] is 1, by differences of the loss 2", "look at the factor"),
    Answer("restart", UNASKED, "it has no parameter checkpoint", "add checkpoint=None"),
    Answer("overfit", HEALTHY, "4 examples: the loss falls to 1 % of 0.693"),
]
UNITS = [Unit("embed", "Linear", True, 0.0064), Unit("wide", "Linear", False, math.inf, "overflow")]
POLICY = Policy("float16", "torch", UNITS, 0.0064, math.inf, 2.6e-7, 0.05, 65536.0)


def test_each_answer_has_its_verdict_its_evidence_and_what_to_do() -> None:
    lines = render(ANSWERS, "fit:train", "text", color=False, width=100).splitlines()
    assert lines[:4] == [
        "gradient  defect",
        "          the gradient by w[0] is 1, by differences of the loss 2",
        "          look: look at the factor",
        "restart   cannot be asked",
    ]
    assert "          to make it possible: add checkpoint=None" in lines
    assert lines[-1] == "3 probes of fit:train: 1 defect, 1 healthy, 1 not asked"


def test_no_line_is_wider_than_the_terminal() -> None:
    long = Answer("restart", UNASKED, "a reason at length " * 20, "a way out " * 20)
    assert max(map(len, render([long], "a:b", "text", color=False, width=80).splitlines())) <= 80


def test_a_policy_names_what_needs_float32_and_what_it_costs() -> None:
    text = render_policies([POLICY], "fit:train", "text", color=False, width=100, detail=1)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines == [
        "float16: 1 of 2 modules may run in it",
        "module runs in error alone",
        "embed Linear float16 0.0064",
        "wide Linear float32 inf overflow",
        "error of outputs and gradients 0.0064 (all in float16: inf; float32: 2.6e-7)",
        "with a loss scale of 65536, as a GradScaler would find",
    ]


def test_of_operations_only_those_that_need_float32_are_listed() -> None:
    policy = Policy("float16", "numpy", [Unit("a.py:1 exp", "operation", False, math.inf, "overflow"), *UNITS[:1]])
    text = render_policies([policy], "fit:train", "text", color=False, width=100, detail=1)
    assert "a.py:1 exp" in text
    assert "embed" not in text
    assert "embed" in render_policies([policy], "fit:train", "text", color=False, width=100, detail=2)


def test_where_float32_is_not_enough_it_is_said() -> None:
    policy = Policy("float16", "torch", UNITS, math.inf, math.inf, math.inf, 0.05)
    text = render_policies([policy], "fit:train", "text", color=False, width=100, detail=1)
    assert "float32 itself is not enough" in text


def test_json_is_json() -> None:
    def refused(name: str) -> None:
        raise AssertionError(name)

    data = json.loads(render_policies([POLICY], "a:b", "json", color=False, width=80, detail=1), parse_constant=refused)
    assert data["policies"][0]["float32"] == ["wide"]
    assert json.loads(render(ANSWERS, "a:b", "json", color=False, width=80))["answers"][0]["verdict"] == DEFECT
