"""The lines that a rewrite changes."""

from __future__ import annotations

from numlint.finding import Edit, Span
from numlint.fix import Fitted
from numlint.fix.source import Source
from numlint.report._patch import Change, changes


def changed(text: str, *edits: Edit) -> list[Change]:
    return changes(Source(text), Fitted(edits))


def test_only_the_lines_that_differ_are_changes() -> None:
    text = "f(\n    a,\n    b,\n)\n"
    assert changed(text, Edit(Span(1, 1, 4, 2), "f(\n    a,\n    c,\n)")) == [Change(3, ("    b,",), ("    c,",))]


def test_edits_of_one_line_are_one_change_and_others_are_apart() -> None:
    text = "a = b + c\nd = e\nf = g\n"
    edits = Edit(Span(1, 5, 1, 6), "B"), Edit(Span(1, 9, 1, 10), "C"), Edit(Span(3, 5, 3, 6), "G")
    assert changed(text, *edits) == [
        Change(1, ("a = b + c",), ("a = B + C",)),
        Change(3, ("f = g",), ("f = G",)),
    ]


def test_a_removed_line_has_nothing_in_its_place() -> None:
    assert changed("a\nb\nc\n", Edit(Span(2, 1, 3, 1), "")) == [Change(2, ("b",), ())]


def test_an_inserted_line_removes_nothing() -> None:
    assert changed("a\nc\n", Edit(Span(2, 1, 2, 1), "b\n")) == [Change(2, (), ("b",))]


def test_windows_line_ends_are_no_change() -> None:
    assert changed("a\r\nb\r\n", Edit(Span(1, 1, 2, 2), "a\r\nB")) == [Change(2, ("b",), ("B",))]


def test_an_edit_that_changes_nothing_is_no_change() -> None:
    assert changed("a\n", Edit(Span(1, 1, 1, 2), "a")) == []
