"""Layout of replacements, what stands in the way of a rewrite, and edits that are complete in themselves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from numlint.finding import Edit, Finding, Rewrite, Span
from numlint.fix import Fitted, Fitter


def fit(text: str, finding: Finding) -> Fitted:
    assert finding.rewrite is not None
    return Fitter(text).fit(finding.rewrite)


def test_further_lines_take_the_indentation_of_the_statement(found: Callable[..., Finding]) -> None:
    text = "def f(z):\n\tif z:\n\t\treturn HERE\n"
    new = "softmax(\n    z,\n    axis=1,\n)"
    assert fit(text, found(text, ("HERE", new))).edits[0].text == "softmax(\n\t\t    z,\n\t\t    axis=1,\n\t\t)"


def test_statements_take_it_too(found: Callable[..., Finding]) -> None:
    text = "def f(z):\n    return HERE\n"
    new = "if big:\n    return shifted\nreturn plain"
    assert fit(text, found(text, ("return HERE", new))).edits[0].text == (
        "if big:\n        return shifted\n    return plain"
    )


def test_lines_that_were_copied_from_the_source_stay(found: Callable[..., Finding]) -> None:
    text = "def f(z):\n    return exp(dot(a,\n                   b))\n"
    assert fit(text, found(text, ("exp(dot(a,\n                   b))", "g(a,\n                   b)"))).edits[
        0
    ].text == ("g(a,\n                   b)")


def test_lines_of_a_string_stay(found: Callable[..., Finding]) -> None:
    text = "def f(z):\n    return HERE\n"
    new = 'g("""a\nb""")\nh()'
    assert fit(text, found(text, ("return HERE", new))).edits[0].text == 'g("""a\nb""")\n    h()'


def test_blank_lines_stay_blank(found: Callable[..., Finding]) -> None:
    text = "def f(z):\n    HERE\n"
    assert fit(text, found(text, ("HERE", "a\n\nb"))).edits[0].text == "a\n\n    b"


@pytest.mark.parametrize(
    ("text", "rewrite", "reason"),
    [
        ("y = 1\n", Rewrite("rethink"), "cannot be written as an edit"),
        ("y = 1\n", Rewrite("", (Edit(Span(9, 1, 9, 2), "z"),)), "does not fit the text"),
        ("y = 1\n", Rewrite("", (Edit(Span(1, 5, 1, 40), "z"),)), "does not fit the text"),
        ("y = 1\n", Rewrite("", (Edit(Span(1, 5, 1, 2), "z"),)), "does not fit the text"),
        ("y = 12\n", Rewrite("", (Edit(Span(1, 5, 1, 7), "a"), Edit(Span(1, 6, 1, 7), "b"))), "edits overlap"),
        ("y = (1,  # one\n)\n", Rewrite("", (Edit(Span(1, 5, 2, 2), "1"),)), "comment"),
        (
            "softmax = 1\ny = softmax + 1\n",
            Rewrite("", (Edit(Span(2, 5, 2, 16), "softmax(softmax)"),), ("scipy.special.softmax",)),
            "softmax means something else here",
        ),
        (
            "def f(softmax, scipy):\n    return z\n",
            Rewrite("", (Edit(Span(2, 12, 2, 13), "softmax(z)"),), ("scipy.special.softmax",)),
            "the names to write scipy.special.softmax with mean something else here",
        ),
        ("print 1\n", Rewrite("", (Edit(Span(1, 7, 1, 8), "exp(1)"),), ("numpy.exp",)), "cannot be parsed"),
    ],
)
def test_what_stands_in_the_way_is_said(text: str, rewrite: Rewrite, reason: str) -> None:
    assert reason in Fitter(text).fit(rewrite).obstacle


def test_an_import_that_the_text_does_not_use_is_not_added(found: Callable[..., Finding]) -> None:
    text = "y = HERE\n"
    assert fit(text, found(text, ("HERE", "z - z.max()"), imports=("scipy.special.softmax",))).imports == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("y = HERE\n", "from numpy import log1p\ny = log1p(x)\n"),
        ("import os\nimport sys\n\ny = HERE\n", "import os\nimport sys\nfrom numpy import log1p\n\ny = log1p(x)\n"),
        ("'''Doc.'''\nimport os\ny = HERE", "'''Doc.'''\nimport os\nfrom numpy import log1p\ny = log1p(x)"),
        ("#!/bin/py\n\n@jit\ndef f(x): HERE\n", "#!/bin/py\n\nfrom numpy import log1p\n@jit\ndef f(x): log1p(x)\n"),
        ("import os; y = HERE", "from numpy import log1p\nimport os; y = log1p(x)"),
        ("x = 1\r\ny = HERE\r\n", "from numpy import log1p\r\nx = 1\r\ny = log1p(x)\r\n"),
    ],
)
def test_complete_edits_bring_their_import(before: str, after: str, found: Callable[..., Finding]) -> None:
    finding = found(before, ("HERE", "log1p(x)"), imports=("numpy.log1p",))
    assert finding.rewrite is not None
    fitter = Fitter(before)
    edits = fitter.complete(fitter.fit(finding.rewrite))
    assert len(edits) == 2
    assert fitter.source.replaced(edits) == after
