"""Counts for each rule, the most frequent first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from numlint.report import Report, statistics


def test_rules_are_counted_and_marked_by_what_fix_can_do(outcome: Any) -> None:
    first, second, third = outcome.findings
    report = replace(outcome, findings=(first, third, second, third, *[second] * 9), problems=())
    assert statistics.render(report, (), color=False, width=80) == (
        "10  NL401  [-] explicit-inverse\n"
        " 2  NL503  [ ] tolerance-below-resolution\n"
        " 1  NL101  [*] naive-softmax\n"
        "[*] fixable with --fix, [-] fixable with --unsafe-fixes\n"
    )


def test_equal_counts_are_sorted_by_code_and_problems_are_counted(outcome: Report) -> None:
    lines = statistics.render(outcome, (), color=False, width=80).splitlines()
    assert [line.split()[1] for line in lines[:3]] == ["NL101", "NL401", "NL503"]
    assert lines[-1] == "2 could not be checked"


def test_one_safe_fix_is_enough_for_the_mark(outcome: Any) -> None:
    first = outcome.findings[0]
    report = replace(outcome, findings=(replace(first, rewrite=None), first), problems=())
    assert statistics.render(report, (), color=False, width=80).startswith("2  NL101  [*] naive-softmax\n")


def test_nothing_found_is_nothing_counted(empty: Report) -> None:
    assert statistics.render(empty, (), color=False, width=80) == ""
