"""Pages of rules as Markdown: what the docstring means survives, and what is found is shown beside each example."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from numlint.finding import Confidence, Safety, Severity
from numlint.function import Function
from numlint.pages import BEGIN, END, index, main, measured, overview, page, with_overview
from numlint.rule import Example, Hazard, Rule, load

TEXT = """\
Squares overflow.

p*q*r is large where x < 1e200, and from |x| = 1e154 on
> is no quotation, `x * y` is code.

Cure
----
Scale first.

References
----------
A. Author, A title that goes on, J. Numer.
Anal. 1 (2001), 1-2.
B. Author, Another title, 2002.
"""


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("square"):
        yield Hazard(
            site,
            "the square overflows",
            Confidence.CERTAIN,
            threshold="float64 from 1.3e154",
            rewrite=function.rewrite(
                site.node, "numpy.hypot(x, 0)", "hypot scales", safety=Safety.UNSAFE, reason="it takes the root"
            ),
            severity=Severity.NOTE,
        )


BAD = Example(
    "import numpy as np\n\ndef f(x):\n    return x * x\n",
    call="f(1e200)",
    fixed="import numpy as np\n\ndef f(x):\n    return np.hypot(x, 0)\n",
)
LIMIT = Example("def f(x):\n    return x + x\n", call="f(1e200)", note="a sum does not")
RULE = Rule(
    name="big-square",
    code="NL299",
    summary="Squares overflow.",
    page=TEXT.strip(),
    triggers=frozenset({"*"}),
    signature="overflow",
    severity=Severity.ERROR,
    check=check,
    bad=(BAD,),
    limit=(LIMIT,),
    module="numlint.rules.division.big_square",
)
FOLDER = Path("docs/rules")


def test_mathematics_is_no_markup() -> None:
    text = page(RULE, FOLDER)
    assert r"p\*q\*r is large where x \< 1e200" in text
    assert "\n\\> is no quotation, `x * y` is code." in text


def test_headings_and_references_are_marked_up() -> None:
    text = page(RULE, FOLDER)
    assert "\n## Cure\n\nScale first.\n" in text
    assert (
        "\n- A. Author, A title that goes on, J. Numer. Anal. 1 (2001), 1-2.\n- B. Author, Another title, 2002.\n"
        in text
    )


def test_a_page_says_at_a_glance_what_the_rule_is() -> None:
    text = page(RULE, FOLDER)
    assert (
        "| severity | error, note |\n| fails by | overflow |\n| confidence | certain |\n| fix | `--unsafe-fixes` |"
        in text
    )
    assert "| family | [division, roots and norms](README.md#division-roots-and-norms) |" in text
    assert "| defined in | [rules/division/big_square.py](../../rules/division/big_square.py) |" in text


def test_an_example_shows_what_is_found_and_how_it_is_rewritten() -> None:
    text = page(RULE, FOLDER)
    assert "Warns when it is run as `f(1e200)`.\n" in text
    assert "\n> line 4: note, certain: the square overflows\n>\n> threshold: float64 from 1.3e154\n" in text
    assert "\n> cure, with `--unsafe-fixes`: hypot scales (unsafe: it takes the root)\n" in text
    assert "\n def f(x):\n-    return x * x\n+    return np.hypot(x, 0)\n```" in text


def test_an_example_that_fails_says_so() -> None:
    def loud(function: Function) -> Iterator[Hazard]:
        return (replace(hazard, severity=None) for hazard in check(function))

    assert "Fails when it is run as `f(1e200)`.\n" in page(replace(RULE, check=loud), FOLDER)


def test_an_example_at_the_limit_says_why_it_holds() -> None:
    text = page(RULE, FOLDER)
    assert "## At the limit: looks bad, is not found, and holds\n" in text
    assert "Holds when it is run as `f(1e200)`: a sum does not.\n" in text
    assert "## Good" not in text


def test_the_index_and_the_overview_group_by_family() -> None:
    rules = (RULE, replace(RULE, name="late", code="NL499"))
    assert "\n## division, roots and norms\n" in index(rules)
    assert "| NL299 | [big-square](big-square.md) | Squares overflow. | `--unsafe-fixes` |" in index(rules)
    assert overview(rules, "docs/rules").splitlines()[2:] == [
        "| NL2 division, roots and norms | [big-square](docs/rules/big-square.md) |",
        "| NL4 linear algebra | [late](docs/rules/late.md) |",
    ]


def test_only_what_stands_between_the_marks_is_renewed() -> None:
    text = with_overview(f"before\n{BEGIN}\nold\n{END}\nafter\n", Path("README.md"), [RULE], FOLDER)
    assert text.startswith(f"before\n{BEGIN}\n| family | rules |\n")
    assert text.endswith(f"(docs/rules/big-square.md) |\n{END}\nafter\n")
    with pytest.raises(ValueError, match="has no line"):
        with_overview("no marks\n", Path("README.md"), [RULE], FOLDER)


def test_one_command_writes_all_pages_and_removes_stale_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "gone.md").write_text("an old rule\n")
    (tmp_path / "README.md").write_text(f"{BEGIN}\n{END}\n")
    assert main(["docs", "README.md"]) == 0
    assert {path.stem for path in (tmp_path / "docs").glob("*.md")} == {
        "README",
        "unused-suppression",
        *(rule.name for rule in load()),
    }
    assert "(docs/naive-softmax.md)" in (tmp_path / "README.md").read_text()


RECORD = [
    {
        "rule": "big-square",
        "code": "NL299",
        "proofs": [
            {"kind": "bad", "number": 1, "status": "passed", "signature": "overflow", "figure": "not finite 1 of 1"},
            {
                "kind": "fixed",
                "number": 1,
                "status": "passed",
                "errors": {
                    "float64": {"before": "inf", "after": 1.2e-16},
                    "float32": {"before": "inf", "after": 0.0, "at": 1.07e25},
                },
            },
        ],
    }
]


def test_what_was_measured_is_shown_by_format() -> None:
    text = measured([RULE], RECORD, "rules")
    assert (
        "| [big-square](rules/big-square.md) | `f(1e200)` | inf → 1.2e-16 | inf → 0 *at 1.07e+25* | – | – "
        "| float64 from 1.3e154 |" in text
    )
    assert "| [big-square](rules/big-square.md) | overflow | not finite 1 of 1 | 2 |" in text


def test_a_rewrite_without_an_error_shows_what_it_changes() -> None:
    proofs = [
        {"kind": "bad", "number": 1, "status": "passed", "signature": "non-determinism", "figure": "two differ"},
        {"kind": "fixed", "number": 1, "status": "passed"},
    ]
    text = measured([RULE], [{**RECORD[0], "proofs": proofs}], "rules")
    assert "| [big-square](rules/big-square.md) | non-determinism | two differ | two processes agree |" in text


def test_a_call_without_a_folder_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
