"""Places in a file: what ends a line, what a column counts, and where comments are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlint.finding import Span
from numlint.fix.source import Source


def test_only_what_python_ends_a_line_at_ends_a_line() -> None:
    source = Source("a\x0cb\u2028c\x1cd\ne\r\nf\rg")
    assert [source.line(number) for number in range(1, source.lines + 1)] == ["a\x0cb\u2028c\x1cd", "e", "f", "g"]


def test_lines_outside_of_the_file_are_empty() -> None:
    assert [Source("a\n").line(number) for number in (0, 1, 2, 3)] == ["", "a", "", ""]


def test_the_line_end_is_the_one_in_use_there() -> None:
    source = Source("a\r\nb\nc")
    assert [source.line_end(number) for number in (1, 2, 3)] == ["\r\n", "\n", "\n"]
    assert Source("a").line_end(1) == "\n"


@given(st.text(alphabet="aü日\U0001f600 \t\r\n#'"), st.data())
def test_a_place_and_its_offset_are_the_same(text: str, data: st.DataObject) -> None:
    source = Source(text)
    line = data.draw(st.integers(1, source.lines))
    column = data.draw(st.integers(1, len(source.line(line)) + 1))
    offset = source.offset(line, column)
    assert source.place(offset) == (line, column)
    assert source.text[offset:].startswith(source.line(line)[column - 1 :])


@pytest.mark.parametrize("span", [Span(0, 1, 1, 1), Span(1, 0, 1, 1), Span(1, 1, 1, 9), Span(1, 1, 5, 1)])
def test_a_span_outside_of_the_file_is_refused(span: Span) -> None:
    with pytest.raises(ValueError, match="no line"):
        Source("abc\n").interval(span)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_comments_are_told_from_strings(end: str) -> None:
    source = Source(f"ü = '# no'  # yes{end}# also{end}")
    assert [source.text[begin:stop] for begin, stop in source.comments] == ["# yes", "# also"]


def test_what_cannot_be_tokenized_is_taken_to_be_a_comment() -> None:
    source = Source("x = (\n'# maybe'")
    assert [source.text[begin:stop] for begin, stop in source.comments] == ["# maybe'"]
