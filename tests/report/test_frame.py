"""The source frame: which lines, and what is underlined, in terminal cells."""

from __future__ import annotations

from dataclasses import astuple
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from numlint.finding import Span, Step
from numlint.fix.source import Source
from numlint.report._frame import frame


def framed(text: str, span: Span, *steps: Step, width: int = 60) -> str:
    rows = frame(Source(text), span, steps, width)
    return "".join("".join(part for part, _ in row) + "\n" for row in rows)


NUMBERED = "".join(f"line{number}\n" for number in range(1, 21))


def test_two_lines_around_the_finding_are_shown() -> None:
    assert framed(NUMBERED, Span(10, 1, 10, 5)) == (
        " 8 | line8\n 9 | line9\n10 | line10\n   | ^^^^\n11 | line11\n12 | line12\n"
    )


def test_context_ends_with_the_file_and_before_blank_lines() -> None:
    assert framed("\n\nx = 1\n\n\n", Span(3, 1, 3, 2)) == "3 | x = 1\n  | ^\n"
    assert framed("y\n\nx = 1\n\nz\n", Span(3, 1, 3, 2)) == "1 | y\n2 |\n3 | x = 1\n  | ^\n4 |\n5 | z\n"


def test_a_step_elsewhere_is_shown_with_its_text_and_the_gap_is_marked() -> None:
    assert framed(NUMBERED, Span(10, 1, 10, 7), Step(Span(2, 2, 2, 4), "z comes from here")) == (
        " 2 | line2\n   |  -- z comes from here\n...\n"
        " 8 | line8\n 9 | line9\n10 | line10\n   | ^^^^^^\n11 | line11\n12 | line12\n"
    )


def test_a_gap_of_one_line_is_shown_instead() -> None:
    text = framed(NUMBERED, Span(10, 1, 10, 7), Step(Span(6, 1, 6, 5), "here"))
    assert text.startswith(" 6 | line6\n   | ---- here\n 7 | line7\n 8 | line8\n")


def test_steps_in_the_line_of_the_finding_stand_below_it_in_order() -> None:
    text = "y = log(sum(exp(x)))\n"
    steps = Step(Span(1, 13, 1, 19), "overflows"), Step(Span(1, 9, 1, 20), "adds")
    assert framed(text, Span(1, 5, 1, 21), *steps) == (
        "1 | y = log(sum(exp(x)))\n"
        "  |     ^^^^^^^^^^^^^^^^\n"
        "  |         ----------- adds\n"
        "  |             ------ overflows\n"
    )


def test_a_step_at_the_finding_itself_labels_its_underline() -> None:
    assert framed("y = exp(x)\n", Span(1, 5, 1, 11), Step(Span(1, 5, 1, 11), "overflows")) == (
        "1 | y = exp(x)\n  |     ^^^^^^ overflows\n"
    )


def test_a_long_label_is_wrapped_below_its_underline() -> None:
    step = Step(Span(1, 5, 1, 11), "overflows where x is above 709.8 in float64")
    assert framed("y = exp(x) + 1\n", Span(1, 1, 1, 2), step, width=36) == (
        "1 | y = exp(x) + 1\n  | ^\n  |     ------\n  |     overflows where x is above\n  |     709.8 in float64\n"
    )


def test_a_finding_over_several_lines_is_underlined_in_each() -> None:
    assert framed("y = (a +\n     b *  # two\n     c)\n", Span(1, 6, 3, 7)) == (
        "1 | y = (a +\n  |      ^^^\n2 |      b *  # two\n  |      ^^^^^^^^^^\n3 |      c)\n  |      ^\n"
    )


def test_of_a_finding_over_many_lines_the_first_and_the_last_are_shown() -> None:
    text = framed(NUMBERED, Span(2, 1, 19, 4))
    assert [line for line in text.splitlines() if "|" in line and "^" not in line] == [
        *(f"{number:2} | line{number}" for number in (1, 2, 3, 4, 5, 6, 7, 18, 19, 20)),
    ]
    assert " 7 | line7\n   | ^^^^^\n...\n18 | line18\n" in text


def test_tabs_wide_characters_and_combining_marks_are_counted_in_cells() -> None:
    assert framed("\tx = f('日本', 'e\u0301', z)\n", Span(1, 20, 1, 21)) == (
        "1 |     x = f('日本', 'e\u0301', z)\n  | " + " " * 23 + "^\n"
    )
    assert framed("a\tb\n", Span(1, 3, 1, 4)) == "1 | a   b\n  |     ^\n"


def test_control_characters_are_shown_harmless() -> None:
    assert framed("x\x0c = '\x1b[31m\u202e'\n", Span(1, 1, 1, 2)) == "1 | x  = '\ufffd[31m\ufffd'\n  | ^\n"


def test_a_long_line_is_cut_around_the_finding() -> None:
    text = "a + " * 50 + "exp(z)" + " + b" * 50
    start = text.index("exp") + 1
    assert framed(text, Span(1, start, 1, start + 6), width=40) == (
        "1 | ...a + a + a + exp(z) + b + b + b...\n  |                ^^^^^^\n"
    )


def test_the_beginning_of_a_long_line_is_not_cut_without_need() -> None:
    assert framed("exp(z)" + " + b" * 50, Span(1, 1, 1, 7), width=30).startswith("1 | exp(z) + b + b + b +...\n")


def test_a_finding_wider_than_the_window_is_shown_from_its_beginning() -> None:
    text = "w = f(" + "a, " * 40 + "z)"
    assert framed(text, Span(1, 5, 1, len(text) + 1), width=36) == (
        "1 | w = f(a, a, a, a, a, a, a,...\n  |     ^^^^^^^^^^^^^^^^^^^^^^\n"
    )
    text = "a + " * 20 + text
    assert framed(text, Span(1, 85, 1, len(text) + 1), width=36) == (
        "1 | ...f(a, a, a, a, a, a, a, a, ...\n  |    ^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
    )


def test_a_step_too_far_from_the_finding_in_a_long_line_gets_a_view_of_its_own() -> None:
    text = "exp(y)" + " + b" * 50 + " + exp(z)"
    start = text.index("exp(z)") + 1
    assert framed(text, Span(1, start, 1, start + 6), Step(Span(1, 1, 1, 7), "first"), width=30) == (
        "1 | ...+ b + b + b + exp(z)\n  |                  ^^^^^^\n1 | exp(y) + b + b + b +...\n  | ------ first\n"
    )


def test_a_line_of_a_megabyte_is_cut_at_once() -> None:
    text = "日本語 = 1; " * 150_000 + "exp(z)\n"
    start = len(text) - 6
    lines = framed(text, Span(1, start, 1, start + 6)).splitlines()
    assert lines[0].startswith("1 | ...")
    assert lines[0].endswith("; exp(z)")
    assert cell_len(lines[0]) <= 60


def test_an_empty_span_still_points_at_its_place() -> None:
    assert framed("x\n", Span(1, 1, 1, 1)) == "1 | x\n  | ^\n"
    assert framed("x\n", Span(1, 2, 1, 2)) == "1 | x\n  |  ^\n"


def test_what_lies_outside_of_the_file_is_not_shown() -> None:
    assert framed("x\n", Span(7, 1, 7, 2)) == ""
    assert framed("x\n", Span(1, 1, 1, 2), Step(Span(7, 1, 7, 2), "gone")) == "1 | x\n  | ^\n"
    assert framed("x\n", Span(1, 1, 9, 2)) == "1 | x\n  | ^\n"


CHARACTERS = st.sampled_from([*list("ab (=+"), "\t", "ü", "日", "́", "😀", "\x1b", "\u3000"])


@given(st.data(), st.text(CHARACTERS, min_size=1, max_size=200), st.integers(20, 90))
def test_what_is_underlined_is_the_span(data: st.DataObject, text: str, width: int) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    stop = data.draw(st.integers(start + 1, len(text)))
    rows = ["".join(part for part, _ in row) for row in frame(Source(text), Span(1, start + 1, 1, stop + 1), (), width)]
    assert all(cell_len(row) <= max(width, 24) for row in rows)
    line, underline = rows
    starts = list(accumulate(map(cell_len, line), initial=0))
    first, last = underline.index("^"), len(underline)
    below = "".join(char for char, at in zip(line, starts, strict=False) if first <= at < last)
    wanted = "".join("\ufffd" if char == "\x1b" else " " if char == "\u3000" else char for char in text[start:stop])
    if not squeezed(wanted):
        return
    if "..." not in line:
        assert squeezed(below) == squeezed(wanted)
    elif len(wanted) * 4 < width - 12:
        assert squeezed(wanted) in squeezed(below)


def squeezed(text: str) -> str:
    """Without what has no fixed number of cells: tabs, spaces and combining marks."""
    return "".join(char for char in text if char not in " \t\u0301")


@given(st.text(CHARACTERS | st.just("\n"), max_size=300), st.lists(st.tuples(*[st.integers(1, 12)] * 4), max_size=5))
def test_any_spans_of_any_text_can_be_framed(text: str, places: list[tuple[int, int, int, int]]) -> None:
    spans = [Span(*place) for place in places] or [Span(1, 1, 1, 1)]
    ordered = [span for span in spans if astuple(span)[:2] <= astuple(span)[2:]] or [Span(1, 1, 1, 1)]
    frame(Source(text), ordered[0], [Step(span, "label") for span in ordered], 60)
