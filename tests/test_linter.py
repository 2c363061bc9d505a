"""Checking one file: what is found, what cannot be checked, and that nothing makes it fall over."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from numlint.finding import Confidence, Finding, Problem
from numlint.linter import check_source, most_specific
from numlint.rule import Hazard, Rule, load

RULES = load()
ROOT = Path(__file__).resolve().parent.parent
SOFTMAX = b"import numpy as np\ndef softmax(z):\n    e = np.exp(z)\n    return e / e.sum()\n"


def check(source: bytes | str) -> tuple[list[Finding], list[Problem]]:
    return check_source(source.encode() if isinstance(source, str) else source, "program.py", RULES)


def test_a_finding_says_where_what_and_how_sure() -> None:
    findings, problems = check(SOFTMAX)
    assert problems == []
    (finding,) = [item for item in findings if item.rule == "naive-softmax"]
    assert (finding.span.line, finding.span.column) == (4, 12)
    assert finding.function == "softmax"
    assert finding.confidence >= Confidence.LIKELY
    assert "709.8" in finding.threshold
    assert finding.framework == "numpy"


def test_fingerprints_survive_moved_lines_and_differ_between_places() -> None:
    twice = SOFTMAX + SOFTMAX.replace(b"def softmax", b"\n\ndef other").replace(b"import numpy as np\n", b"")
    before = {item.fingerprint for item in check(SOFTMAX)[0]}
    moved = {item.fingerprint for item in check(b"# a comment\n\n" + SOFTMAX)[0]}
    both = [item.fingerprint for item in check(twice)[0]]
    assert before == moved
    assert before < set(both)
    assert len(set(both)) == len(both)


def test_one_mistake_is_reported_once() -> None:
    rules = [item.rule for item in check(SOFTMAX)[0]]
    assert rules == ["naive-softmax"]


def test_the_hazard_that_explains_another_one_is_kept() -> None:
    findings, _ = check(SOFTMAX)
    assert all(finding.rule == "naive-softmax" for finding in findings)
    assert most_specific([]) == []


@pytest.mark.parametrize(
    ("source", "message", "line"),
    [
        (b"import numpy as np\nx = np.exp(1\n", "syntax error", 2),
        (b"import numpy as np\nprint np.exp(1)\n", "syntax error", 2),
        (b"# -*- coding: utf-9 -*-\nimport numpy\nexp = 1\n", "cannot read", 1),
        (b"import numpy as np\ns = '\xff\xfe'\nnp.exp(s)\n", "cannot decode", 2),
        (b"import numpy\nexp\0\0\0", "binary", 0),
        (b"import numpy as np\nx = np.exp(" + b"(" * 500 + b"1" + b")" * 500 + b")\n", "", None),
    ],
    ids=["syntax", "python 2", "coding line", "encoding", "binary", "nesting"],
)
def test_what_cannot_be_read_is_a_problem_with_its_line(source: bytes, message: str, line: int | None) -> None:
    _, problems = check(source)
    assert len(problems) == 1
    assert message in problems[0].message
    if line is not None:
        assert problems[0].line == line


def test_python_2_is_named() -> None:
    _, problems = check(b"import numpy as np\nprint np.exp(1)\n")
    assert "Python 2" in problems[0].hint


@pytest.mark.parametrize("source", ["", "\n", "# numpy exp\n", "x = 1\n", "'''import numpy\nexp'''\n"])
def test_nothing_is_found_in_nothing(source: str) -> None:
    assert check(source) == ([], [])


def test_a_very_long_sum_is_checked() -> None:
    source = "import numpy as np\ndef f(x):\n    return np.log(" + " + ".join(["x"] * 900) + ")\n"
    assert check(source)[1] == []


def test_a_sum_beyond_all_depth_is_a_problem_and_the_rest_is_checked() -> None:
    deep = "def f(x):\n    return np.log(" + "+".join(["x"] * 20_000) + ")\n"
    findings, problems = check(SOFTMAX.decode() + deep)
    assert [item.rule for item in findings] == ["naive-softmax"] or problems
    assert all("deep" in problem.message for problem in problems)


def test_other_line_endings_tabs_and_wide_characters_keep_columns() -> None:
    source = "import numpy as np\r\ndef softmax(z):\r\n\te = np.exp(z)\r\n\tname = 'ünï'; return e / e.sum()\r\n"
    (finding,) = [item for item in check(source)[0] if item.rule == "naive-softmax"]
    assert (finding.span.line, finding.span.column) == (4, 23)


def test_a_rule_that_fails_is_a_problem_and_the_others_run() -> None:
    def broken(function: object) -> list[Hazard]:
        raise KeyError("defect")

    rule = Rule("broken", "NL999", "", "", frozenset({"exp"}), "nan", RULES[0].severity, broken)
    findings, problems = check_source(SOFTMAX, "program.py", [rule, *RULES])
    assert any(item.rule == "naive-softmax" for item in findings)
    assert "broken failed on softmax" in problems[0].message
    assert "report" in problems[0].hint


def _mutated(text: str, seed: int) -> str:
    """Text after a few random edits: characters and lines removed, doubled, exchanged, moved."""
    rng = random.Random(seed)
    lines = text.splitlines(keepends=True)
    for _ in range(rng.randint(1, 6)):
        if not lines:
            break
        here, there = rng.randrange(len(lines)), rng.randrange(len(lines))
        kind = rng.randrange(5)
        if kind == 0:
            del lines[here]
        elif kind == 1:
            lines.insert(there, lines[here])
        elif kind == 2:
            lines[here], lines[there] = lines[there], lines[here]
        elif kind == 3 and len(lines[here]) > 2:
            column = rng.randrange(len(lines[here]) - 1)
            lines[here] = lines[here][:column] + lines[here][column + 1 :]
        else:
            words = lines[here].split(" ")
            rng.shuffle(words)
            lines[here] = " ".join(words)
    return "".join(lines)


FILES = sorted([*(ROOT / "fixtures").rglob("*.py"), *(ROOT / "rules").rglob("*.py"), *(ROOT / "numlint").rglob("*.py")])


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(FILES), st.integers(0, 2**32))
def test_no_mutation_of_a_real_file_makes_it_fall_over(file: Path, seed: int) -> None:
    source = _mutated(file.read_text(), seed)
    _, problems = check(source)
    assert not [problem for problem in problems if "defect of numlint" in problem.hint], problems


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_no_mutation_of_an_example_makes_its_rule_fall_over(rule: Rule) -> None:
    for example in (*rule.bad, *rule.good, *rule.limit):
        for seed in range(10):
            _, problems = check(_mutated(example.code, seed))
            assert not [problem for problem in problems if "defect of numlint" in problem.hint], problems
