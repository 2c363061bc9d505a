"""The page of verdicts: everything that was measured stands in it, and nothing that it shows can break it."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from numlint.report.page import render, write
from numlint.report.page._plot import plot
from numlint.report.page._source import excerpt
from numlint.runtime.verdict import (
    CONFIRMED,
    INCONCLUSIVE,
    OUTSIDE,
    REFUTED,
    Boundary,
    CureResult,
    Evidence,
    Figure,
    Machine,
    Origin,
    Sample,
    Verdict,
)

SOURCE = "import numpy as np\n\n\ndef softmax(z):\n    e = np.exp(z)\n    return e / e.sum()\n"
VOID = {"br", "col", "meta"}


def confirmed() -> Verdict:
    evidence = Evidence(
        "overflow",
        "realistic",
        Figure("largest exponent", 89.0),
        "float32",
        smallest=Sample({"z": "[[0., 88.73]] float32"}, "float32", "[[0., nan]]", "[[2.9e-39, 1.]]"),
        origin=Origin(5, "e = np.exp(z)", "exp", "88.73", "inf"),
        boundary=Boundary("max|z|", {"float64": 709.78, "float32": 88.72, "float16": None}, "", 100.0, 1e4),
        chain=("overflow", "nan"),
        curve={
            "float64": [[1.0, 2e-16, 1e-16], [1e3, math.inf, 1e-16]],
            "float32": [[1.0, 1e-7, -1], [100.0, math.nan, -1]],
        },
    )
    cures = [
        CureResult(
            "add an epsilon", "rejected", "the numerator overflows first", inputs=12, failed_before=12, failed_after=12
        ),
        CureResult(
            "scipy.special.softmax", "verified", text="softmax(z)", inputs=12, failed_before=12, error_after=1e-7
        ),
    ]
    machines = [
        Machine("Haswell", {"OPENBLAS_CORETYPE": "Haswell"}, "Haswell", True, "2.13", 2.13),
        Machine("SkylakeX", {"OPENBLAS_CORETYPE": "SkylakeX"}, "Haswell", False, "5.75e11", 5.75e11),
    ]
    return Verdict(
        CONFIRMED,
        "model.py",
        6,
        12,
        "naive-softmax",
        "NL101",
        "softmax",
        rung="synthesised",
        harness="softmax(z)",
        replay="numlint confirm model.py:6 --seed 7",
        evidence=evidence,
        cures=cures,
        machines=machines,
        tried={"inputs": 48, "perturbations": ["scale", "shift"], "oracle": "balls"},
        seed=7,
    )


class Outline(HTMLParser):
    """Checks that elements are closed in order, and keeps tags, attributes and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("style", "script"):
            self.text.append(data)


def outline(page: str) -> Outline:
    parsed = Outline()
    parsed.feed(page)
    parsed.close()
    assert parsed.open == []
    return parsed


def words(page: str) -> str:
    return " ".join("".join(outline(page).text).split())


def test_a_confirmed_finding_shows_all_that_was_measured() -> None:
    said = words(render([confirmed()], {"model.py": SOURCE}))
    for expected in (
        "1 of 1 finding confirmed",
        "Fails in float32 from max|z| = 88.72 (float64 from 709.8, not float16): largest exponent 89.",
        "e = np.exp(z)",
        "exp(88.73) = inf",
        "[[0., 88.73]] float32",
        "[[2.9e-39, 1.]]",
        "not within what was tried",
        "OPENBLAS_CORETYPE=SkylakeX",
        "not honoured",
        "the numerator overflows first",
        "scale, shift",
        "numlint confirm model.py:6 --seed 7",
    ):
        assert expected in said
    assert said.index("verified") < said.index("rejected")


def test_the_page_needs_nothing_else() -> None:
    parsed = outline(render([confirmed()], {"model.py": SOURCE}))
    loaded = [value for _, attributes in parsed.tags for key, value in attributes.items() if key in ("src", "href")]
    assert [value for value in loaded if value is None or not value.startswith("#")] == []
    assert not re.search(r"url\(|@import|https?://", render([confirmed()], {}))
    assert {tag for tag, _ in parsed.tags} & {"link", "img", "iframe", "object"} == set()


def test_what_others_see_is_said_in_words_too() -> None:
    """Plots have a name and a description, tables have captions and headers, levels of headings have no gaps."""
    parsed = outline(render([confirmed()], {"model.py": SOURCE}))
    tags = [tag for tag, _ in parsed.tags]
    drawings = [attributes for tag, attributes in parsed.tags if tag == "svg"]
    assert all("aria-label" in attributes or attributes.get("aria-hidden") == "true" for attributes in drawings)
    assert tags.count("caption") == tags.count("table") > 0
    assert all("scope" in attributes for tag, attributes in parsed.tags if tag == "th")
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert parsed.tags[0] == ("html", {"lang": "en"})
    identities = [attributes["id"] for _, attributes in parsed.tags if "id" in attributes]
    assert len(set(identities)) == len(identities)


def test_the_surest_come_first() -> None:
    extreme = Verdict(
        CONFIRMED, "a.py", 1, 1, "third", evidence=Evidence("nan", "extreme", Figure("x", 1.0), "float64")
    )
    plain = Verdict(CONFIRMED, "z.py", 9, 1, "second", evidence=Evidence("nan", "plain", Figure("x", 1.0), "float64"))
    others = [Verdict(status, "a.py", 1, 1, status) for status in (INCONCLUSIVE, OUTSIDE, REFUTED)]
    said = words(render([*others, extreme, plain], {}))
    order = [said.index(f"{rule} in") if f"{rule} in" in said else said.rindex(rule) for rule in ("second", "third")]
    assert order == sorted(order)


def test_a_verdict_without_evidence_says_why_and_what_to_do() -> None:
    verdict = Verdict(
        INCONCLUSIVE, "a.py", 3, 1, "log-of-det", reason="no object could be made", remedy="numlint record"
    )
    said = words(render([verdict], {}))
    assert "could not be decided" in said.lower()
    assert "Why: no object could be made" in said
    assert "To decide it: numlint record" in said


def test_an_empty_run_has_a_page(tmp_path: Path) -> None:
    write(tmp_path / "page.html", [], {})
    assert "nothing to confirm" in words((tmp_path / "page.html").read_text(encoding="utf-8"))


@given(st.text(max_size=40))
def test_no_text_can_leave_its_place(text: str) -> None:
    """Whatever the code under test is named, holds or returns: the elements of the page stay the same."""

    def page(said: str) -> list[str]:
        verdict = confirmed()
        verdict.function, verdict.reason, verdict.harness = f"f{said}", f"r{said}", f"h{said}"
        assert verdict.evidence is not None
        assert verdict.evidence.smallest is not None
        verdict.evidence.smallest.got = said
        verdict.evidence.smallest.arguments = {f"x{said}": said}
        return [
            tag
            for tag, _ in outline(render([verdict], {"model.py": f"# {' '.join(said.split())}\n"})).tags
            if tag != "span"
        ]

    assert page(text + "<script>\"'&</title>") == page("")


@given(
    st.lists(
        st.tuples(
            st.floats(allow_nan=True) | st.none(),
            st.floats(min_value=0.0, allow_nan=False) | st.none() | st.just(-1.0) | st.just(math.nan),
            st.floats(min_value=0.0) | st.just(-1.0) | st.none(),
        ),
        max_size=8,
    ),
    st.none() | st.floats(),
)
def test_any_curve_is_drawn_inside_the_picture(rows: list[tuple[float | None, ...]], threshold: float | None) -> None:
    drawn = plot({"float32": rows}, "max|z|", {"float32": threshold}, 100.0, 1e4)
    if drawn is None:
        return
    root = ElementTree.fromstring(drawn)
    picture = next(item for item in root.iter("svg") if item.get("role") == "img")
    width, height = (float(part) for part in (picture.get("viewBox") or "").split()[2:])
    for line in picture.iter("polyline"):
        for pair in (line.get("points") or "").split():
            x, y = (float(part) for part in pair.split(","))
            assert 0 <= x <= width
            assert 0 <= y <= height


def test_what_is_nan_or_infinite_lies_on_the_rail_above_all_numbers() -> None:
    drawn = plot({"float64": [[1.0, 1e-16, -1], [10.0, 5.0, -1], [1e3, math.inf, -1], [1e4, math.nan, -1]]}, "n", {})
    assert drawn is not None
    (line,) = re.findall(r'points="([^"]+)" class="curve before', drawn)
    heights = [float(pair.split(",")[1]) for pair in line.split()]
    assert heights[0] > heights[1] > heights[2] == heights[3]
    assert "nan / inf" in drawn


def test_an_excerpt_marks_the_flagged_line_and_the_line_where_it_began() -> None:
    shown = excerpt(SOURCE, 6, 5, "exp(89) = inf")
    rows = [row for row in ElementTree.fromstring(shown).iter("span") if (row.get("class") or "").startswith("row")]
    said = {row.get("class"): "".join(row.itertext()) for row in rows}
    assert "e = np.exp(z)" in said["row origin"]
    assert "return e / e.sum()" in said["row site"]
    assert said["row note"] == "exp(89) = inf"


def test_what_is_no_python_is_shown_as_it_is() -> None:
    assert "def (\x00".replace("\x00", "\ufffd") in words(excerpt("def (\x00\n'''", 1))
