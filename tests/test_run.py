"""Many files in one run: what is reported, what is fixed, and what happens when a file is no good."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from numlint import linter, packs, pool
from numlint.config import Config, load
from numlint.finding import Confidence, Finding, Problem, Severity, Span
from numlint.function import Function
from numlint.graph.project import Project
from numlint.rule import Hazard, Rule
from numlint.run import PARALLEL_FROM, Fixing, Report, run, run_text
from numlint.selection import Layer, PathSettings, Selection
from numlint.suspect import Suspects

HAZARD = """\
import numpy as np


def probabilities(z):
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)
"""
CURED = """\
import numpy as np
from scipy.special import softmax


def probabilities(z):
    return softmax(z, axis=1)
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def rules() -> tuple[Rule, ...]:
    return packs.load(load(""))


@pytest.fixture
def selection(rules: tuple[Rule, ...]) -> Selection:
    """Everything that there is."""
    return Selection(rules)


@pytest.fixture
def config(project: Path) -> Config:
    return load("")


def write(**files: str) -> None:
    for name, content in files.items():
        Path(f"{name}.py").write_text(content)


def places(report: Report) -> list[tuple[str, int, str]]:
    return [(finding.path, finding.span.line, finding.rule) for finding in report.findings]


class TestReport:
    def test_findings_come_in_the_order_of_files_and_lines(self, config: Config, selection: Selection) -> None:
        twice = HAZARD + "\n\ndef again(z):\n    return np.exp(z) / np.exp(z).sum()\n"
        write(b=HAZARD, a=twice, c="x = 1\n")
        report = run(["."], config, selection)
        assert places(report) == [
            ("a.py", 6, "naive-softmax"),
            ("a.py", 10, "naive-softmax"),
            ("b.py", 6, "naive-softmax"),
        ]
        assert (report.files, report.problems, report.failed) == (3, (), False)

    def test_the_text_of_files_with_findings_is_kept(self, config: Config, selection: Selection) -> None:
        write(a=HAZARD, b="x = 1\n")
        assert run(["."], config, selection).sources == {"a.py": HAZARD}

    def test_what_is_excluded_is_counted(self, config: Config, selection: Selection) -> None:
        write(a=HAZARD, b=HAZARD)
        report = run(["."], replace(config, extend_exclude=("b.py",)), selection)
        assert (report.files, report.skipped) == (1, 1)


class TestSelection:
    def test_rules_that_are_not_selected_do_not_run(self, config: Config, rules: tuple[Rule, ...]) -> None:
        write(a=HAZARD)
        assert run(["a.py"], config, Selection(rules, [Layer(select=("unused-suppression",))])).findings == ()

    def test_settings_of_a_path_hold_for_its_files(self, config: Config, rules: tuple[Rule, ...]) -> None:
        Path("tests").mkdir()
        write(**{"a": HAZARD, "tests/a": HAZARD})
        per_path = [PathSettings("tests/**", Layer(ignore=("naive-softmax",)))]
        layers = [Layer(select=("naive-softmax",))]
        assert places(run(["."], config, Selection(rules, layers, per_path))) == [("a.py", 6, "naive-softmax")]

    def test_the_command_line_decides_on_confidence(self, config: Config, rules: tuple[Rule, ...]) -> None:
        write(a=HAZARD)
        certain = [PathSettings("**", min_confidence=Confidence.CERTAIN)]
        assert run(["."], config, Selection(rules, per_path=certain)).findings == ()
        chosen = Selection(rules, per_path=certain, override=Confidence.LIKELY)
        assert len(run(["."], config, chosen).findings) == 1


class TestSuppression:
    def test_a_comment_suppresses_and_is_counted(self, config: Config, selection: Selection) -> None:
        write(a=HAZARD.replace("True)", "True)  # numlint: ignore[naive-softmax] bounded"))
        report = run(["a.py"], config, selection)
        assert (report.findings, report.suppressed) == ((), 1)

    def test_an_unused_comment_is_found_even_where_nothing_is_suspected(
        self, config: Config, selection: Selection
    ) -> None:
        write(a="x = 1  # numlint: ignore[naive-softmax]\n")
        assert places(run(["."], config, selection)) == [("a.py", 1, "unused-suppression")]

    def test_a_comment_for_a_finding_of_low_confidence_is_used(self, config: Config, rules: tuple[Rule, ...]) -> None:
        write(a=HAZARD.replace("True)", "True)  # numlint: ignore[naive-softmax] bounded"))
        assert run(["."], config, Selection(rules, override=Confidence.CERTAIN)).findings == ()

    def test_nothing_is_called_unused_in_a_file_that_could_not_be_checked(
        self, config: Config, selection: Selection
    ) -> None:
        write(a="import numpy as np\nnp.exp(  # numlint: ignore\n")
        report = run(["a.py"], config, selection)
        assert report.findings == ()
        assert len(report.problems) == 1


class TestBadInput:
    @pytest.mark.parametrize(
        ("content", "line", "message"),
        [
            (b"import numpy as np\nnp.exp(\n", 2, "syntax error: '(' was never closed"),
            (b"x = 1\nx = = 2\n", 2, "syntax error: invalid syntax"),
            (b"import numpy as np\nprint np.exp(1)\n", 2, "syntax error: "),
            (b"import math\ns = 'caf\xe9'\nmath.exp(1)\n", 2, "byte 0xe9 is not valid UTF-8"),
            (b"x = " + b"-" * 100_000 + b"1\n", 0, "an expression is nested too deeply"),
            (b"# coding: klingon\nx = 1\n", 1, "unknown encoding: klingon"),
            (b"\x7fELF\x00\x01\n", 1, "not Python source: the file contains null bytes"),
            ("x = 1\n".encode("utf-16"), 1, "the file is UTF-16"),
        ],
        ids=["syntax", "syntax, not suspect", "python 2", "encoding", "depth", "codec", "binary", "utf-16"],
    )
    def test_it_is_a_problem_with_a_place_and_the_others_are_checked(
        self, config: Config, selection: Selection, content: bytes, line: int, message: str
    ) -> None:
        Path("bad.py").write_bytes(content)
        write(good=HAZARD)
        report = run(["bad.py", "."], config, selection)
        (problem,) = report.problems
        assert (problem.path, problem.line) == ("bad.py", line)
        assert problem.message.startswith(message)
        assert places(report) == [("good.py", 6, "naive-softmax")]
        assert (report.files, report.failed) == (2, False)

    def test_a_missing_path_is_a_mistake_of_the_call(self, config: Config, selection: Selection) -> None:
        write(good=HAZARD)
        report = run(["absent.py", "good.py"], config, selection)
        assert [problem.path for problem in report.problems] == ["absent.py"]
        assert (len(report.findings), report.failed) == (1, True)

    def test_an_empty_file_is_clean(self, config: Config, selection: Selection) -> None:
        write(a="")
        report = run(["a.py"], config, selection)
        assert (report.findings, report.problems, report.files) == ((), (), 1)

    def test_a_crash_costs_its_file_only(
        self, config: Config, selection: Selection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write(a=HAZARD, b=HAZARD)
        check = linter.check_source

        def crash(
            source: bytes, path: str, rules: Suspects, project: Project | None, identity: str = ""
        ) -> tuple[list[Finding], list[Problem]]:
            if path == "a.py":
                raise KeyError("z")
            return check(source, path, rules, project)

        monkeypatch.setattr(linter, "check_source", crash)
        report = run(["."], config, selection)
        (problem,) = report.problems
        assert problem.path == "a.py"
        assert problem.message.startswith("internal error: KeyError: 'z' (test_run.py:")
        assert problem.hint.startswith("this is a defect of numlint")
        assert (places(report), report.failed) == ([("b.py", 6, "naive-softmax")], True)

    def test_a_rule_that_fails_is_a_defect_and_the_other_rules_run(
        self, config: Config, rules: tuple[Rule, ...]
    ) -> None:
        def fail(function: Function) -> Iterable[Hazard]:
            raise ZeroDivisionError

        write(a=HAZARD)
        softmax = next(rule for rule in rules if rule.name == "naive-softmax")
        broken = replace(softmax, name="broken", code="XX1", check=fail)
        report = run(["."], config, Selection([softmax, broken]))
        (problem,) = report.problems
        assert "broken failed on probabilities: ZeroDivisionError" in problem.message
        assert (len(report.findings), report.failed) == (1, True)

    def test_a_generated_file_of_ten_megabytes_is_checked(self, config: Config, selection: Selection) -> None:
        numbers = "# 0.123456789 1.234567890 2.345678901 3.456789012\n" * 200_000
        write(a=numbers, b=HAZARD + numbers)
        report = run(["."], config, selection)
        assert (report.problems, report.files) == ((), 2)
        assert places(report) == [("b.py", 6, "naive-softmax")]


class TestManyFiles:
    @pytest.fixture
    def crowd(self) -> int:
        """More files than one process is left with; every third has nothing in it."""
        count = 2 * PARALLEL_FROM
        for number in range(count):
            write(**{f"m{number:03}": HAZARD if number % 3 else "x = 1\n"})
        return count

    def test_several_processes_report_what_one_does(self, config: Config, selection: Selection, crowd: int) -> None:
        alone, together = (run(["."], config, selection, jobs=jobs) for jobs in (1, 3))
        assert alone == together
        assert len(alone.findings) == crowd - crowd // 3

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
    def test_a_file_that_kills_its_process_is_a_problem(
        self, config: Config, selection: Selection, crowd: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        check = linter.check_source

        def die(
            source: bytes, path: str, rules: Suspects, project: Project | None, identity: str = ""
        ) -> tuple[list[Finding], list[Problem]]:
            if path == "m100.py":
                os._exit(3)
            return check(source, path, rules, project)

        monkeypatch.setattr(linter, "check_source", die)
        report = run(["."], config, selection, jobs=2)
        (problem,) = report.problems
        assert (problem.path, problem.message) == ("m100.py", "the process that checked the file died: exit status 3")
        assert (len(report.findings), report.failed) == (crowd - crowd // 3 - 1, True)

    def test_fresh_processes_report_the_same(
        self, config: Config, selection: Selection, crowd: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        forked = run(["."], config, selection, jobs=2)
        monkeypatch.setattr(pool, "_fork", pool._spawn)
        assert run(["."], config, selection, jobs=2) == forked


class TestFixing:
    def test_safe_fixes_are_written_and_the_rest_is_reported(self, config: Config, selection: Selection) -> None:
        write(a=HAZARD + "\n\nx = 1  # numlint: ignore[naive-sofmax]\n", b="y = 2\n")
        report = run(["."], config, selection, fixing=Fixing.SAFE)
        assert Path("a.py").read_text() == CURED + "\n\nx = 1  # numlint: ignore[naive-sofmax]\n"
        assert (report.fixed, [change.path for change in report.changes]) == (1, ["a.py"])
        assert places(report) == [("a.py", 9, "unused-suppression")]
        assert report.sources["a.py"] == Path("a.py").read_text()

    def test_an_unused_comment_is_removed(self, config: Config, selection: Selection) -> None:
        write(a="x = 1  # numlint: ignore[naive-softmax] bounded\ny = 2\n")
        report = run(["."], config, selection, fixing=Fixing.SAFE)
        assert (Path("a.py").read_text(), report.findings) == ("x = 1\ny = 2\n", ())

    def test_without_writing_the_file_stays(self, config: Config, selection: Selection) -> None:
        write(a=HAZARD)
        (change,) = run(["."], config, selection, fixing=Fixing.SAFE, write=False).changes
        assert (change.before, change.after) == (HAZARD, CURED)
        assert Path("a.py").read_text() == HAZARD

    def test_encoding_and_line_ends_are_kept(self, config: Config, selection: Selection) -> None:
        head = "# coding: latin-1\n# é\n"
        Path("a.py").write_bytes((head + HAZARD).replace("\n", "\r\n").encode("latin-1"))
        run(["a.py"], config, selection, fixing=Fixing.SAFE)
        assert Path("a.py").read_bytes() == (head + CURED).replace("\n", "\r\n").encode("latin-1")

    def test_a_byte_order_mark_is_kept(self, config: Config, selection: Selection) -> None:
        Path("a.py").write_bytes(b"\xef\xbb\xbf" + HAZARD.encode())
        report = run(["a.py"], config, selection, fixing=Fixing.SAFE)
        assert Path("a.py").read_bytes() == b"\xef\xbb\xbf" + CURED.encode()
        assert report.findings == ()

    def test_a_suppressed_finding_is_not_fixed(self, config: Config, selection: Selection) -> None:
        source = HAZARD.replace("True)", "True)  # numlint: ignore[naive-softmax] bounded")
        write(a=source)
        assert run(["."], config, selection, fixing=Fixing.UNSAFE).fixed == 0
        assert Path("a.py").read_text() == source

    def test_a_fix_that_never_ends_is_ended(
        self, config: Config, selection: Selection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from numlint.finding import Edit, Rewrite

        def restless(
            source: bytes, path: str, rules: Suspects, project: Project | None, identity: str = ""
        ) -> tuple[list[Finding], list[Problem]]:
            edit = Edit(Span(1, 1, 1, 1), "# again\n")
            found = Finding("naive-softmax", "NL101", path, Span(1, 1, 1, 2), "", "", Confidence.CERTAIN,
                            Severity.ERROR, "nan", "", rewrite=Rewrite("again", (edit,)))  # fmt: skip
            return [found], []

        monkeypatch.setattr(linter, "check_source", restless)
        write(a=HAZARD)
        assert run(["."], config, selection, fixing=Fixing.SAFE).fixed == 10

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
    def test_a_file_that_cannot_be_written_is_a_problem(self, config: Config, selection: Selection) -> None:
        write(a=HAZARD)
        original = open

        def full(path: str, mode: str = "r", **options: object) -> object:
            return original("/dev/full" if mode == "wb" else path, mode, **options)  # type: ignore[call-overload]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("builtins.open", full)
            report = run(["a.py"], config, selection, fixing=Fixing.SAFE)
        (problem,) = report.problems
        assert problem.message == "the fixes cannot be written: No space left on device"
        assert (len(report.findings), report.fixed, Path("a.py").read_text()) == (1, 0, HAZARD)


class TestText:
    def test_source_without_a_file_is_checked_as_the_path_that_it_is_given(
        self, config: Config, rules: tuple[Rule, ...]
    ) -> None:
        per_path = [PathSettings("tests/**", Layer(ignore=("all",)))]
        selection = Selection(rules, per_path=per_path)
        report, after = run_text(HAZARD.encode(), "src/a.py", config, selection)
        assert (places(report), after) == ([("src/a.py", 6, "naive-softmax")], HAZARD.encode())
        report, _ = run_text(HAZARD.encode(), "tests/a.py", config, selection)
        assert report.findings == ()

    def test_the_fixed_source_is_given_back(self, config: Config, selection: Selection) -> None:
        report, after = run_text(HAZARD.encode(), "", config, selection, fixing=Fixing.SAFE)
        assert (after.decode(), report.findings, report.fixed) == (CURED, (), 1)

    def test_bytes_that_are_no_source_are_a_problem(self, config: Config, selection: Selection) -> None:
        report, after = run_text(b"\xff\xfe\x00", "a.py", config, selection, fixing=Fixing.SAFE)
        assert (len(report.problems), after) == (1, b"\xff\xfe\x00")
