"""Applying rewrites: what changes, what is kept, and what is not applied."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlint.finding import Confidence, Edit, Finding, Rewrite, Safety, Severity, Span
from numlint.fix import diff, fix_text

Found = Callable[..., Finding]

SOFTMAX = """\
import numpy as np


def f(z):
    return np.exp(z) / np.exp(z).sum()  # the gate
"""


def test_only_the_span_changes_and_the_import_is_added(found: Found) -> None:
    finding = found(SOFTMAX, ("np.exp(z) / np.exp(z).sum()", "softmax(z)"), imports=("scipy.special.softmax",))
    text, applied = fix_text(SOFTMAX, [finding], unsafe=False)
    assert applied == [finding]
    assert text == (
        "import numpy as np\nfrom scipy.special import softmax\n\n\ndef f(z):\n    return softmax(z)  # the gate\n"
    )


@pytest.mark.parametrize(
    ("safety", "unsafe", "applied"),
    [
        (Safety.SAFE, False, True),
        (Safety.SAFE, True, True),
        (Safety.UNSAFE, False, False),
        (Safety.UNSAFE, True, True),
        (Safety.DISPLAY, False, False),
        (Safety.DISPLAY, True, False),
    ],
)
def test_safety_decides_what_is_applied(safety: Safety, unsafe: bool, applied: bool, found: Found) -> None:
    finding = found("y = log(1 + x)\n", ("log(1 + x)", "log1p(x)"), safety=safety)
    text, done = fix_text("y = log(1 + x)\n", [finding], unsafe=unsafe)
    assert (text, done) == (("y = log1p(x)\n", [finding]) if applied else ("y = log(1 + x)\n", []))


def test_findings_without_an_edit_change_nothing(found: Found) -> None:
    assert fix_text(SOFTMAX, [found(SOFTMAX)], unsafe=True) == (SOFTMAX, [])
    assert fix_text(SOFTMAX, [], unsafe=True) == (SOFTMAX, [])


def test_of_two_overlapping_rewrites_the_first_in_source_order_wins(found: Found) -> None:
    text = "y = log(exp(x) - 1)\n"
    outer = found(text, ("log(exp(x) - 1)", "x + log1p(-exp(-x))"))
    inner = found(text, ("exp(x) - 1", "expm1(x)"))
    assert fix_text(text, [inner, outer], unsafe=False) == ("y = x + log1p(-exp(-x))\n", [outer])


def test_a_rewrite_inside_the_region_of_another_waits(found: Found) -> None:
    """The first removes `e`, which the second still reads."""
    text = "e = exp(z)\nt = e * (exp(d) - 1)\np = e / sum(e)\n"
    first = found(text, ("e = exp(z)\n", ""), ("e / sum(e)", "softmax(z)"))
    second = found(text, ("exp(d) - 1", "expm1(d)"))
    assert fix_text(text, [first, second], unsafe=False)[1] == [first]


def test_a_rewrite_is_applied_as_a_whole(found: Found) -> None:
    text = "a = exp(x) - 1\nb = 2\nc = exp(y) - 1\n"
    both = found(text, ("exp(x) - 1", "expm1(x)"), ("exp(y) - 1", "expm1(y)"))
    assert fix_text(text, [both], unsafe=False)[0] == "a = expm1(x)\nb = 2\nc = expm1(y)\n"


def test_a_rewrite_that_loses_a_comment_stays_unapplied(found: Found) -> None:
    text = "y = log(  # natural\n    1 + x)\n"
    finding = found(text, ("log(  # natural\n    1 + x)", "log1p(x)"))
    assert fix_text(text, [finding], unsafe=True) == (text, [])


def test_a_rewrite_that_keeps_the_comment_is_applied(found: Found) -> None:
    text = "y = log(  # natural\n    1 + x)\n"
    finding = found(text, ("log(  # natural\n    1 + x)", "log1p(  # natural\n    x)"))
    assert fix_text(text, [finding], unsafe=False)[0] == "y = log1p(  # natural\n    x)\n"


def test_a_rewrite_of_nothing_but_a_comment_is_applied(found: Found) -> None:
    text = "y = 1  # stale\nz = 2\n# stale too\n"
    finding = found(text, ("  # stale", ""), ("# stale too\n", ""))
    assert fix_text(text, [finding], unsafe=False)[0] == "y = 1\nz = 2\n"


def test_a_hash_in_a_string_is_no_comment(found: Found) -> None:
    text = "y = log(1 + table['# of rows'])\n"
    finding = found(text, ("log(1 + table['# of rows'])", "log1p(table['n'])"))
    assert fix_text(text, [finding], unsafe=False)[0] == "y = log1p(table['n'])\n"


def test_a_result_that_is_no_python_is_dropped_and_the_others_are_applied(found: Found) -> None:
    text = "a = exp(x) - 1\nb = exp(y) - 1\nc = exp(z) - 1\n"
    good, broken = found(text, ("exp(x) - 1", "expm1(x)")), found(text, ("exp(y) - 1", "expm1(y"))
    last = found(text, ("exp(z) - 1", "expm1(z)"), imports=("numpy.expm1",))
    result, applied = fix_text(text, [good, broken, last], unsafe=False)
    assert applied == [good, last]
    assert result == "from numpy import expm1\n\na = expm1(x)\nb = exp(y) - 1\nc = expm1(z)\n"


def test_an_import_of_a_dropped_rewrite_is_not_relied_on(found: Found) -> None:
    text = "a = log(1 + x)\nb = log(1 + y)\n"
    broken = found(text, ("log(1 + x)", "log1p(x"), imports=("numpy.log1p",))
    good = found(text, ("log(1 + y)", "log1p(y)"), imports=("numpy.log1p",))
    result, applied = fix_text(text, [broken, good], unsafe=False)
    assert applied == [good]
    assert result == "from numpy import log1p\n\na = log(1 + x)\nb = log1p(y)\n"


def test_an_edit_beyond_the_file_is_dropped(found: Found) -> None:
    finding = found(SOFTMAX, ("np.exp(z)", "e"))
    assert fix_text("x = 1\n", [finding], unsafe=True) == ("x = 1\n", [])


def test_text_that_is_no_python_is_left_alone(found: Found) -> None:
    text = "print 'log(1 + x)'\n"
    assert fix_text(text, [found(text, ("log(1 + x)", "log1p(x)"))], unsafe=True) == (text, [])


def test_windows_line_ends_stay(found: Found) -> None:
    text = SOFTMAX.replace("\n", "\r\n")
    finding = found(
        text,
        ("return np.exp(z) / np.exp(z).sum()", "w = z - z.max()\nreturn softmax(w)"),
        imports=("scipy.special.softmax",),
    )
    result, _ = fix_text(text, [finding], unsafe=False)
    assert result == (
        "import numpy as np\r\nfrom scipy.special import softmax\r\n\r\n\r\n"
        "def f(z):\r\n    w = z - z.max()\r\n    return softmax(w)  # the gate\r\n"
    )


def test_byte_order_mark_encoding_declaration_and_tabs_stay(found: Found) -> None:
    text = (
        "\ufeff# -*- coding: utf-8 -*-\n'''Größen.'''\nfrom __future__ import annotations\n\n"
        "def f(größe):\n\treturn log(1 + größe), 'ß'\n"
    )
    finding = found(text, ("log(1 + größe)", "log1p(größe)"), imports=("math.log1p",))
    result, _ = fix_text(text, [finding], unsafe=False)
    assert result == (
        "\ufeff# -*- coding: utf-8 -*-\n'''Größen.'''\nfrom __future__ import annotations\n"
        "from math import log1p\n\ndef f(größe):\n\treturn log1p(größe), 'ß'\n"
    )


def test_a_byte_order_mark_does_not_count_as_a_column(found: Found) -> None:
    text = "\ufefflog(1 + x)\n"
    assert fix_text(text, [found(text, ("log(1 + x)", "log1p(x)"))], unsafe=False)[0] == "\ufefflog1p(x)\n"


def test_a_file_without_a_last_line_end_stays_so(found: Found) -> None:
    text = "y = log(1 + x)"
    assert fix_text(text, [found(text, ("log(1 + x)", "log1p(x)"))], unsafe=False)[0] == "y = log1p(x)"


def test_an_import_is_added_to_the_one_of_the_same_module(found: Found) -> None:
    text = "from scipy.special import expit\n\ny = a / b\n"
    finding = found(text, ("a / b", "softmax(z)"), imports=("scipy.special.softmax",))
    assert fix_text(text, [finding], unsafe=False)[0] == "from scipy.special import softmax, expit\n\ny = softmax(z)\n"


@pytest.mark.parametrize("rest", ["y = a / b\n  # odd\n    ", "y = a / b\rx = 2\r"])
def test_text_that_libcst_does_not_keep_is_kept(rest: str, found: Found) -> None:
    text = f"import os\n{rest}"
    finding = found(text, ("a / b", "softmax(z)"), imports=("scipy.special.softmax",))
    result, _ = fix_text(text, [finding], unsafe=False)
    assert result == f"import os\nfrom scipy.special import softmax\n{rest}".replace("a / b", "softmax(z)")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_two_rewrites_at_once_give_what_two_passes_give(end: str, found: Found) -> None:
    text = f"import numpy as np{end}{end}a = log(1 + x){end}b = exp(x) - 1{end}"

    def first(text: str) -> Finding:
        return found(text, ("log(1 + x)", "log1p(x)"), imports=("math.log1p",))

    def second(text: str) -> Finding:
        return found(text, ("exp(x) - 1", "expm1(x)"), imports=("math.expm1",))

    once, applied = fix_text(text, [second(text), first(text)], unsafe=False)
    assert len(applied) == 2
    half, _ = fix_text(text, [second(text)], unsafe=False)
    twice, _ = fix_text(half, [first(half)], unsafe=False)
    assert sorted(re.findall(r"\w+", once)) == sorted(re.findall(r"\w+", twice))
    assert once.splitlines()[-2:] == twice.splitlines()[-2:]


# Fixing again after a check

NAIVE = {
    re.compile(r"np\.exp\((\w+)\) / np\.exp\(\1\)\.sum\(\)"): ("softmax({})", "scipy.special.softmax"),
    re.compile(r"np\.log\(1 \+ (\w+)\)"): ("log1p({})", "numpy.log1p"),
    re.compile(r"np\.log\(np\.exp\((\w+)\)\.sum\(\)\)"): ("logsumexp({})", "scipy.special.logsumexp"),
}
STATEMENTS = st.sampled_from(
    [
        "p = np.exp(z) / np.exp(z).sum()",
        "p = np.log(1 + z)  # small",
        "q = np.log(np.exp(z).sum()) + np.log(1 + w)",
        "softmax = 3",
        "u = 'ü' * 3; q = np.log(1 + w)",
        "pass",
        "m = [np.log(1 + t) for t in z]",
        "softmax = np.exp(w) / np.exp(w).sum()",
    ]
)
HEADERS = st.sampled_from(
    [
        "import numpy as np",
        '"""A module."""\n\nfrom __future__ import annotations\n\nimport numpy as np',
        "import numpy as np\nfrom scipy import special",
        "import numpy as np\nimport scipy.special as sc",
        "import numpy as np\nfrom scipy.special import expit",
        "import numpy as np\nfrom mylib import softmax",
        "import numpy as np\nfrom mylib import *",
        "# a licence\n\ntry:\n    import numpy as np\nexcept ImportError:\n    raise",
    ]
)


def check(text: str, found: Found) -> list[Finding]:
    """A stand-in for the linter: recognises a few formulas as they are written in `STATEMENTS`."""
    return [
        found(text, (match.group(), new.format(match.group(1))), imports=(dotted,))
        for pattern, (new, dotted) in NAIVE.items()
        if (match := pattern.search(text))
    ]


@given(header=HEADERS, body=st.lists(STATEMENTS, min_size=1, max_size=6), end=st.sampled_from(["\n", "\r\n"]))
def test_fixing_what_is_fixed_changes_nothing(header: str, body: list[str], end: str, found: Found) -> None:
    text = "\n".join([header, "", "", "def f(z, w):", *(f"    {line}" for line in body), "    return z", ""])
    text = text.replace("\n", end)
    for _ in range(3 * len(body)):
        fixed, applied = fix_text(text, check(text, found), unsafe=False)
        if not applied:
            break
        text = fixed
    ast.parse(text)
    assert check(text, found) == []
    assert fix_text(text, check(text, found), unsafe=False) == (text, [])
    assert text.count("\n") == text.count(end)
    imports = [line for line in text.splitlines() if line.startswith(("import ", "from "))]
    assert len(imports) == len(set(imports))


# Random text and random edits

ATOMS = st.sampled_from(["a", "größe", "名前", "x1", "1", "2.5", "'日本'", '"\\t"', "f(x)", "[1, 2]"])
SPACES = st.sampled_from([" ", "  ", "\t", "   "])


@st.composite
def edited_programs(draw: st.DrawFn) -> tuple[str, list[Finding], str]:
    """A program of assignments, findings that replace some of its values, and the expected result."""
    end = draw(st.sampled_from(["\n", "\r\n"]))
    before, after, findings = draw(st.sampled_from(["", "\ufeff"])), "", []
    after = before
    for number in range(1, draw(st.integers(1, 8)) + 1):
        head = f"v{number}{draw(SPACES)}={draw(SPACES)}"
        line_before = line_after = head
        for index, atom in enumerate(draw(st.lists(ATOMS, min_size=1, max_size=4))):
            joint = f"{draw(SPACES)}+{draw(SPACES)}" if index else ""
            line_before, line_after = line_before + joint, line_after + joint
            new = draw(st.one_of(st.none(), ATOMS))
            if new is not None:
                column = len(line_before) + 1
                findings.append(_replacement(Span(number, column, number, column + len(atom)), new))
            line_before, line_after = line_before + atom, line_after + (atom if new is None else new)
        tail = draw(st.sampled_from(["", "  # ü", "\t# \x0c form feed", ";"])) + end
        before, after = before + line_before + tail, after + line_after + tail
    return before, draw(st.permutations(findings)), after


def _replacement(span: Span, text: str) -> Finding:
    rewrite = Rewrite("", (Edit(span, text),))
    return Finding("r", "NL1", "a.py", span, "", "", Confidence.CERTAIN, Severity.NOTE, "nan", "numpy", rewrite=rewrite)


@given(edited_programs())
def test_all_text_outside_of_the_edits_is_kept(case: tuple[str, list[Finding], str]) -> None:
    before, findings, after = case
    result, applied = fix_text(before, findings, unsafe=False)
    assert result == after
    assert applied == sorted(findings, key=lambda finding: finding.span)


# Differences


def test_a_diff_can_be_applied_with_patch(tmp_path: Path) -> None:
    before = "a = 1\r\nb = 2\r\nc = 3"
    after = "a = 1\r\nb = 20\r\nc = 30"
    (tmp_path / "model.py").write_bytes(before.encode())
    patch = diff("model.py", before, after)
    done = subprocess.run(["git", "apply", "-p0", "-"], cwd=tmp_path, input=patch.encode(), capture_output=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "model.py").read_bytes() == after.encode()


def test_a_diff_names_the_file_and_marks_the_missing_line_end() -> None:
    assert diff("a/model.py", "x = 1", "x = 2") == (
        "--- a/model.py\n+++ a/model.py\n@@ -1 +1 @@\n"
        "-x = 1\n\\ No newline at end of file\n+x = 2\n\\ No newline at end of file\n"
    )


LINES = st.lists(st.sampled_from(["\n", "\n", "a = 1\n", "b = 2\n", "    return\n", "ü\r\n"]), max_size=300)


@given(LINES, LINES, st.sampled_from(["", "end"]))
def test_a_diff_leads_from_one_text_to_the_other(old: list[str], new: list[str], last: str) -> None:
    before, after = "".join(old) + last, "".join(new)
    assert patched(before, diff("a.py", before, after)) == after


def patched(text: str, patch: str) -> str:
    """What ``patch`` makes of a text, by the hunk headers alone."""
    lines, result, position, kept = re.findall(r"[^\n]*\n|[^\n]+$", text), [], 0, False
    for row in re.findall(r"[^\n]*\n", patch)[2:]:
        if header := re.match(r"@@ -(\d+)(?:,(\d+))? ", row):
            start = int(header[1]) - (header[2] != "0")
            result += lines[position:start]
            position = start
        elif row[0] == "\\":
            result += [result.pop().removesuffix("\n")] if kept else []
        else:
            kept = row[0] in " +"
            position += row[0] in " -"
            result += [row[1:]] if kept else []
    return "".join([*result, *lines[position:]])


def test_blank_lines_at_the_end_of_a_hunk_are_equal() -> None:
    """difflib takes frequent lines of long files for noise, and shows them as changed."""
    before = "x = 1\n\n" * 200 + "y = 2\n\n        return\n"
    rows = diff("model.py", before, before.replace("y = 2", "y = 3")).splitlines()
    assert [row for row in rows[2:] if row[0] in "+-"] == ["-y = 2", "+y = 3"]


def test_equal_texts_have_no_diff() -> None:
    assert diff("model.py", SOFTMAX, SOFTMAX) == ""


def test_a_form_feed_does_not_end_a_line_of_a_diff() -> None:
    assert "-x = 1  # \x0c page\n" in diff("model.py", "x = 1  # \x0c page\n", "x = 2\n")
