"""What a person reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len

from numlint.finding import Edit, Problem, Rewrite, Safety, Span
from numlint.report import Report, full
from numlint.rule import Rule

REPORT = """\
src/model.py:11:12 NL101 naive-softmax  [error, likely] in attention

   5 |     z = scores + mask
     |         ------------- z comes from here; nothing bounds it
   6 |     e = np.exp(z)
     |         --------- exp(z) overflows here
  ...
   9 |     total = e.sum(axis=1, keepdims=True)
  10 |
  11 |     return e / total  # rows sum to one
     |            ^^^^^^^^^

  softmax is computed as exp(z) / sum(exp(z)) without subtracting the maximum:
  exp overflows to inf, and inf / inf is nan
  threshold:  float64 fails from max|z| = 709.8, float32 from 88.7, float16 from
              11.1
  cure:       scipy.special.softmax subtracts the maximum first
              applied by --fix

     + from scipy.special import softmax
  11 -     return e / total  # rows sum to one
     +     return softmax(z, axis=1)  # rows sum to one

src/model.py:15:12 NL401 explicit-inverse  [warning, certain] in weights

  14 | def weights(X, y):
  15 |     return np.linalg.inv(X.T @ X) @ X.T @ y
     |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

  the normal equations square the condition number of X, and no solver of them
  can take that back
  threshold:  no correct digit from cond(X) = 1e8 in float64, 1e4 in float32
  cure:       least squares by singular values
              only with --unsafe-fixes: on a rank-deficient X it returns the
              weights of smallest norm, where inv raises or returns noise

  15 -     return np.linalg.inv(X.T @ X) @ X.T @ y
     +     return np.linalg.lstsq(X, y, rcond=None)[0]

src/model.py:20:11 NL503 tolerance-below-resolution  [note, possible] in fit

  18 | def fit(X, y, step):
  19 |     w = np.zeros(X.shape[1])
  20 |     while np.abs(step(w)).max() > 1e-18:
     |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  21 |         w = w - step(w)
  22 |     return w

  the loop waits for a change that float64 cannot represent beside numbers of
  size 1
  cure:       choose a tolerance above eps * max|w|
              shown only: the scale of w is not known

src/old.py:3:5 not checked
  not valid Python 3: Missing parentheses in call to 'print'
  what to do: exclude it, or port it

data/blob.py not checked
  it holds null bytes: not a text file
  what to do: exclude it

to learn more: numlint explain naive-softmax
3 findings: 1 error, 1 warning, 1 note; 2 not checked
12 files checked, 3 skipped; 1 finding suppressed
1 fixable with --fix, 1 more with --unsafe-fixes
"""


def rendered(report: Report, width: int = 80) -> str:
    return full.render(report, (), color=False, width=width)


def test_the_whole_report(outcome: Report, rules: Sequence[Rule]) -> None:
    assert full.render(outcome, rules, color=False, width=80) == REPORT


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_it_fits_the_terminal(width: int, outcome: Report, rules: Sequence[Rule]) -> None:
    """The headings may be wider: a place that is broken over two lines cannot be clicked."""
    text = full.render(outcome, rules, color=False, width=width)
    headings = re.compile(r"(src|data)/|to learn more|\d+ f")
    assert [line for line in text.splitlines() if cell_len(line) > width and not headings.match(line)] == []
    assert re.sub(r"\s+", " ", text).count("exp overflows to inf, and inf / inf is nan") == 1


def test_colour_changes_no_character(outcome: Report, rules: Sequence[Rule]) -> None:
    coloured = full.render(outcome, rules, color=True, width=80)
    assert re.sub(r"\033\[[\d;]*m", "", coloured) == REPORT
    assert "\033[1;31m^^^^^^^^^" in coloured  # of an error
    assert "\033[1;33m^^^^^^^^^" in coloured  # of a warning
    assert "\033[32m+     return softmax(z, axis=1)" in coloured


def test_colour_does_not_depend_on_the_environment(
    outcome: Report, rules: Sequence[Rule], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether to colour is decided by the caller, who knows about NO_COLOR."""
    coloured = full.render(outcome, rules, color=True, width=80)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "20")
    assert full.render(outcome, rules, color=True, width=80) == coloured


def test_a_clean_run_says_how_much_it_looked_at(empty: Report) -> None:
    assert rendered(empty) == "no findings\n12 files checked\n"


def test_a_run_over_nothing_says_so(empty: Any) -> None:
    assert rendered(replace(empty, files=0)) == "no findings\nno files checked\n"


def test_a_finding_without_source_keeps_all_else(outcome: Any) -> None:
    text = rendered(replace(outcome, findings=outcome.findings[:1], problems=(), sources={}))
    assert text.startswith(
        "src/model.py:11:12 NL101 naive-softmax  [error, likely] in attention\n\n  softmax is computed as"
    )
    assert "  cure:       scipy.special.softmax subtracts the maximum first\n              applied by --fix\n" in text


def test_source_that_changed_since_is_not_shown(single: Callable[..., Report]) -> None:
    text = rendered(single("x = 1\n", "x", span=Span(9, 1, 9, 4)))
    assert "[error, likely] in attention\n\n  softmax" in text


@pytest.mark.parametrize(
    ("rewrite", "said"),
    [
        (Rewrite("better", (Edit(Span(1, 5, 1, 6), "2"),)), "applied by --fix"),
        (Rewrite("better", (Edit(Span(1, 5, 1, 6), "2"),), (), Safety.UNSAFE), "only with --unsafe-fixes"),
        (Rewrite("better", (), (), Safety.SAFE), "shown only: this takes a decision that numlint cannot make"),
        (Rewrite("better", (Edit(Span(1, 5, 1, 6), "2"),), (), Safety.DISPLAY, "a guess"), "shown only: a guess"),
        (
            Rewrite("better", (Edit(Span(1, 5, 2, 3), "2"),), (), Safety.UNSAFE, "shape"),
            "not applied by --fix: a comment in the replaced text would be lost",
        ),
        (
            Rewrite("better", (Edit(Span(9, 5, 9, 6), "2"),)),
            "not applied by --fix: it does not fit the text of the file, which may have changed",
        ),
    ],
)
def test_whether_a_cure_is_applied_is_said_with_the_reason(
    rewrite: Rewrite, said: str, single: Callable[..., Report]
) -> None:
    text = rendered(single("x = 1  # one\n  + 2\n", "1", rewrite=rewrite))
    assert f"cure: better {said} " in " ".join(text.split()) + " "
    assert ("fixable" in text) == (not said.startswith(("shown", "not applied")))


@pytest.mark.parametrize(
    ("column", "underline"), [(7, "    |       ^\n"), (0, "    | ^^^^^^^^^\n")], ids=["column", "line"]
)
def test_a_problem_is_shown_in_its_source(column: int, underline: str, empty: Any) -> None:
    problem = Problem("old.py", "not valid Python 3", "port it", 2, column)
    text = rendered(replace(empty, problems=(problem,), sources={"old.py": "x = 1\nprint 'x'\ny = 2\n"}))
    assert text == (
        f"old.py:2:{column or 1} not checked\n\n"
        f"  1 | x = 1\n  2 | print 'x'\n{underline}  3 | y = 2\n\n"
        "  not valid Python 3\n  what to do: port it\n\n"
        "no findings; 1 not checked\n12 files checked\n"
    )


def test_the_change_names_things_as_the_file_does(single: Callable[..., Report]) -> None:
    text = "import scipy.special as sc\np = e / e.sum()\n"
    rewrite = Rewrite("better", (Edit(Span(2, 5, 2, 16), "softmax(z)"),), ("scipy.special.softmax",))
    shown = rendered(single(text, "e / e.sum()", rewrite=rewrite))
    assert "  2 - p = e / e.sum()\n    + p = sc.softmax(z)\n" in shown
    assert "import softmax" not in shown


def test_a_change_far_to_the_right_is_in_view(single: Callable[..., Report]) -> None:
    text = "a = 1; " * 40 + "p = e / s; " + "b = 2; " * 40 + "\n"
    start = text.index("e / s") + 1
    rewrite = Rewrite("better", (Edit(Span(1, start, 1, start + 5), "softmax(z)"),))
    lines = rendered(single(text, "e / s", rewrite=rewrite)).splitlines()
    removed, added = (next(line for line in lines if line[4:6] == f"{sign} ") for sign in "-+")
    assert "p = e / s;" in removed
    assert "p = softmax(z);" in added


def test_only_rules_that_can_be_explained_are_offered_for_explanation(outcome: Report, rules: Sequence[Rule]) -> None:
    assert "numlint explain" not in full.render(outcome, (), color=False, width=80)
    assert "numlint explain explicit-inverse\n" in full.render(outcome, rules[1:2], color=False, width=80)


def test_names_from_the_source_cannot_control_the_terminal(single: Callable[..., Report]) -> None:
    report = single("x = '\033[31m'\n", "x", path="a\n\033[1m.py", function="f\u202e", message="m\033[2J")
    text = rendered(report)
    assert "\033" not in text
    assert "\u202e" not in text
    assert text.startswith("a \N{REPLACEMENT CHARACTER}[1m.py:1:1 NL101")
