"""Workflow commands, escaped as the runner reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from numlint.finding import Span
from numlint.report import Report, github
from numlint.rule import Rule


def test_severity_place_and_title_become_an_annotation(outcome: Report, rules: Sequence[Rule]) -> None:
    lines = github.render(outcome, rules, color=False, width=80).splitlines()
    assert lines == [
        "::error file=src/model.py,line=11,col=12,endLine=11,endColumn=21,title=NL101 naive-softmax [likely]::"
        "softmax is computed as exp(z) / sum(exp(z)) without subtracting the maximum: exp overflows to inf, "
        "and inf / inf is nan%0Afloat64 fails from max|z| = 709.8, float32 from 88.7, float16 from 11.1",
        "::warning file=src/model.py,line=15,col=12,endLine=15,endColumn=44,title=NL401 explicit-inverse [certain]::"
        "the normal equations square the condition number of X, and no solver of them can take that back%0A"
        "no correct digit from cond(X) = 1e8 in float64, 1e4 in float32",
        "::notice file=src/model.py,line=20,col=11,endLine=20,endColumn=40,"
        "title=NL503 tolerance-below-resolution [possible]::"
        "the loop waits for a change that float64 cannot represent beside numbers of size 1",
        "::error file=src/old.py,line=3,col=5,title=numlint%3A not checked::"
        "not valid Python 3: Missing parentheses in call to 'print'%0Aexclude it, or port it",
        "::error file=data/blob.py,title=numlint%3A not checked::it holds null bytes: not a text file%0Aexclude it",
    ]


def test_an_annotation_of_several_lines_has_no_columns(single: Callable[..., Report]) -> None:
    """GitHub refuses the combination."""
    text = github.render(single("a\nb\n", "a", span=Span(1, 1, 2, 2)), (), color=False, width=80)
    assert text.startswith("::error file=src/model.py,line=1,endLine=2,title=")


def test_nothing_in_a_path_or_message_can_end_the_command(single: Callable[..., Report]) -> None:
    report = single("x\n", "x", path="a,b:c%.py", message="50 % :: a,b\r\nnext", threshold="")
    assert github.render(report, (), color=False, width=80) == (
        "::error file=a%2Cb%3Ac%25.py,line=1,col=1,endLine=1,endColumn=2,title=NL101 naive-softmax [likely]::"
        "50 %25 :: a,b%0D%0Anext\n"
    )
