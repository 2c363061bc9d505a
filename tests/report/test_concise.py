"""One line for each finding and each problem."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from numlint.finding import Problem
from numlint.report import Report, concise
from numlint.rule import Rule


def test_each_finding_is_one_line_that_editors_can_read(outcome: Report, rules: Sequence[Rule]) -> None:
    lines = concise.render(outcome, rules, color=False, width=80).splitlines()
    assert lines == [
        "src/model.py:11:12: NL101 naive-softmax softmax is computed as exp(z) / sum(exp(z)) without subtracting "
        "the maximum: exp overflows to inf, and inf / inf is nan",
        "src/model.py:15:12: NL401 explicit-inverse the normal equations square the condition number of X, and no "
        "solver of them can take that back",
        "src/model.py:20:11: NL503 tolerance-below-resolution the loop waits for a change that float64 cannot "
        "represent beside numbers of size 1",
        "src/old.py:3:5: not checked not valid Python 3: Missing parentheses in call to 'print' "
        "(exclude it, or port it)",
        "data/blob.py: not checked it holds null bytes: not a text file (exclude it)",
    ]


def test_nothing_found_is_nothing_said(empty: Report) -> None:
    assert concise.render(empty, (), color=False, width=80) == ""


def test_colour_changes_no_character(outcome: Report) -> None:
    import re

    plain = concise.render(outcome, (), color=False, width=80)
    coloured = concise.render(outcome, (), color=True, width=80)
    assert coloured != plain
    assert re.sub("\033\\[\\d+m", "", coloured) == plain


def test_a_message_or_a_path_of_several_lines_stays_one_line(single: Callable[..., Report]) -> None:
    report = single("x = 1\n", "x", message="first\n  second\tthird", path="odd\nname\udcff\033.py")
    assert concise.render(report, (), color=False, width=80) == (
        "odd name\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}.py:1:1: NL101 naive-softmax first second third\n"
    )


def test_a_problem_with_a_line_and_no_column_points_at_its_beginning(empty: Report) -> None:
    report = replace(empty, problems=(Problem("a.py", "too deep", line=7),))  # type: ignore[type-var]
    assert concise.render(report, (), color=False, width=80) == "a.py:7:1: not checked too deep\n"
