"""`numlint confirm`: options, exit codes and files; and one run of the whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from numlint.confirm import interpreter
from numlint.confirm.confirmation import Request
from numlint.runtime.verdict import Verdict
from tests.cli.conftest import HAZARD, Numlint
from tests.confirm.conftest import OUTSIDE, REFUTED, UNKNOWN, overflow

Answers = Callable[..., list[Request]]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """``answers(verdict, ...)``: what the interpreter of the code says, in this order; gives what it was asked."""
    asked: list[Request] = []

    def give(*verdicts: Verdict, interrupted: bool = False) -> list[Request]:
        def exchange(requests: Iterable[Request]) -> Iterator[tuple[Request, dict[str, Any]]]:
            given = iter(verdicts)
            for request in requests:
                asked.append(request)
                verdict = next(given, None)
                if verdict is None and interrupted:
                    raise KeyboardInterrupt
                yield request, (verdict or REFUTED).to_json()

        monkeypatch.setattr("numlint.cli.confirm._exchange", lambda *_: exchange)
        monkeypatch.setattr(interpreter, "probe", lambda path, why: interpreter.Interpreter(path, (3, 11), "2.0", why))
        return asked

    return give


@pytest.mark.parametrize(
    ("verdict", "status"), [(overflow(), 1), (REFUTED, 0), (OUTSIDE, 0), (UNKNOWN, 0)], ids=lambda item: str(item)[:20]
)
def test_the_exit_status_says_whether_something_is_confirmed(
    numlint: Numlint, answers: Answers, verdict: Verdict, status: int
) -> None:
    answers(verdict)
    assert numlint("confirm", "bad.py").status == status


def test_a_margin_is_no_failure(numlint: Numlint, answers: Answers) -> None:
    verdict = overflow()
    verdict.evidence.realism = "extreme"
    answers(verdict)
    assert numlint("confirm", "bad.py").status == 0


def test_a_file_without_findings_needs_no_run(numlint: Numlint, answers: Answers) -> None:
    asked = answers()
    done = numlint("confirm", "good.py")
    assert (done.status, done.out, done.err) == (0, "nothing to confirm\n", "note: good.py: nothing to confirm\n")
    assert asked == []


def test_what_cannot_be_parsed_is_shown_and_counts(numlint: Numlint, answers: Answers, project: Path) -> None:
    (project / "bad.py").write_text("import math\nmath.exp(\n")
    answers()
    done = numlint("confirm", "bad.py")
    assert done.status == 1
    assert "bad.py:2:9 not checked" in done.out


def test_options_reach_the_runtime(numlint: Numlint, answers: Answers) -> None:
    asked = answers()
    numlint(
        "confirm",
        "--seed",
        "7",
        "--seconds",
        "2",
        "--formats",
        "float32,bfloat16",
        "--perturbations",
        "mine",
        "--no-machines",
    )
    (request,) = asked
    assert request["options"] == {
        "seed": 7, "seconds": 2.0, "formats": ("float32", "bfloat16"), "machines": False, "packs": ("mine",),
    }  # fmt: skip


def test_settings_of_the_configuration_hold_where_no_option_is_given(
    numlint: Numlint, answers: Answers, project: Path
) -> None:
    (project / "numlint.toml").write_text('[confirm]\nseed = 3\nseconds = 4\nperturbation-packs = ["mine"]\n')
    asked = answers()
    numlint("confirm", "--seconds", "2")
    options = asked[0]["options"]
    assert (options["seed"], options["seconds"], options["packs"]) == (3, 2.0, ("mine",))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("absent.py",), "no such file or folder 'absent.py'"),
        (("bad.py::probability",), "did you mean bad.py::probabilities?"),
        (("bad.py:1",), "no finding at this line; the nearest: line 6 (naive-softmax)"),
        (("--select", "naive-softmx"), "did you mean 'naive-softmax'?"),
        (("--formats", "float8"), "no format 'float8'; they are float64, float32, float16, bfloat16"),
        (("--formats", ","), "name at least one of float64"),
        (("--python", "/no/such/python"), "--python: there is no interpreter /no/such/python"),
        (("--inputs", "absent.toml"), "--inputs: absent.toml: cannot be read"),
        (("--from", "absent.json"), "--from: absent.json: No such file"),
        (("--from", "findings.json", "bad.py"), "--from and paths exclude each other"),
        (("--fix", "--diff"), "--fix and --diff exclude each other"),
        (("--quiet", "--verbose"), "--quiet and --verbose exclude each other"),
        (("--report", "no/such/folder/page.html"), "--report: no/such/folder/page.html: No such file"),
        (("--output-file", "no/such/folder/x"), "--output-file: no/such/folder/x: No such file"),
    ],
)
def test_wrong_calls(numlint: Numlint, answers: Answers, arguments: tuple[str, ...], message: str) -> None:
    answers()
    done = numlint("confirm", *arguments)
    assert done.status == 2
    assert message in done.err


def test_the_findings_of_a_check_are_confirmed(numlint: Numlint, answers: Answers, project: Path) -> None:
    found = numlint("check", "--output-format", "json", "bad.py").out
    asked = answers(overflow())
    assert numlint("confirm", "--from", "-", stdin=found).status == 1
    (project / "findings.json").write_text(found)
    assert numlint("confirm", "--from", "findings.json").status == 1
    assert [request["target"]["rule"] for request in asked] == ["naive-softmax"] * 2


def test_after_an_interruption_what_was_proved_is_shown(numlint: Numlint, answers: Answers, project: Path) -> None:
    (project / "worse.py").write_text(HAZARD)
    answers(overflow(), interrupted=True)
    done = numlint("confirm", "bad.py", "worse.py", "--verdicts", "v.json")
    assert done.status == 130
    assert "CONFIRMED" in done.out
    assert "interrupted: 1 finding without a verdict" in done.out
    assert json.loads((project / "v.json").read_text())["summary"]["left"] == 1


@pytest.mark.parametrize("name", ["text", "json", "sarif", "github"])
def test_output_goes_where_it_is_asked_to(numlint: Numlint, answers: Answers, project: Path, name: str) -> None:
    answers(overflow(), overflow())
    shown = numlint("confirm", "bad.py", "--output-format", name).out
    assert "naive-softmax" in shown
    done = numlint("confirm", "bad.py", "--output-format", name, "-o", "out.txt")
    assert (done.status, done.out) == (1, "")
    assert "naive-softmax" in (project / "out.txt").read_text()


def test_there_is_no_progress_where_there_is_no_terminal(numlint: Numlint, answers: Answers) -> None:
    answers(overflow())
    assert numlint("confirm", "bad.py").err == ""


def test_fix_applies_what_was_verified(numlint: Numlint, answers: Answers, project: Path) -> None:
    answers(overflow())
    done = numlint("confirm", "bad.py", "--fix")
    assert done.status == 0, "nothing that is confirmed remains"
    assert done.err == "Fixed 1 finding in 1 file.\n"
    assert "return softmax(z, axis=1)" in (project / "bad.py").read_text()


def test_fix_leaves_what_was_not_verified(numlint: Numlint, answers: Answers, project: Path) -> None:
    answers(overflow(cures=[]))
    done = numlint("confirm", "bad.py", "--fix")
    assert (done.status, done.err) == (1, "Fixed 0 findings in 0 files.\n")
    assert (project / "bad.py").read_text() == HAZARD


def test_diff_shows_the_change_and_makes_none(numlint: Numlint, answers: Answers, project: Path) -> None:
    answers(overflow())
    done = numlint("confirm", "bad.py", "--diff")
    assert done.status == 1
    assert "+    return softmax(z, axis=1)\n" in done.out
    assert done.err == "Would fix 1 finding in 1 file.\n"
    assert (project / "bad.py").read_text() == HAZARD


def test_a_page_and_tests_are_written(numlint: Numlint, answers: Answers, project: Path) -> None:
    answers(overflow())
    done = numlint("confirm", "bad.py", "--report", "page.html", "--emit-tests", "numerics")
    assert "Wrote 1 test to numerics.\n" in done.err
    assert "naive-softmax" in (project / "page.html").read_text()
    (file,) = (project / "numerics").iterdir()
    assert file.name.startswith("test_probabilities_naive_softmax_")


class TestVerdictsOfACheck:
    @pytest.fixture(autouse=True)
    def confirmed(self, numlint: Numlint, answers: Answers, project: Path) -> None:
        (project / "other.py").write_text(HAZARD)
        answers(overflow(), REFUTED)
        assert numlint("confirm", "bad.py", "other.py", "--verdicts", "v.json").status == 1

    def test_only_what_is_confirmed(self, numlint: Numlint) -> None:
        done = numlint("check", "--verdicts", "v.json", "--confirmed-only", "--output-format", "concise")
        assert (done.status, done.err) == (1, "")
        assert [line.partition(":")[0] for line in done.out.splitlines()] == ["bad.py"]

    def test_the_evidence_is_shown(self, numlint: Numlint) -> None:
        done = numlint("check", "--verdicts", "v.json")
        assert "  run:        confirmed, realistic: overflow -> nan: float32 from max|z| = 88.73" in done.out
        assert "  run:        refuted: no failure within the fair range" in done.out

    def test_the_evidence_is_in_the_output_for_programs(self, numlint: Numlint) -> None:
        done = numlint("check", "--verdicts", "v.json", "--confirmed-only", "--output-format", "json")
        (finding,) = json.loads(done.out)["findings"]
        assert finding["verdict"]["evidence"]["boundary"]["fails_from"]["float32"] == 88.73
        done = numlint("check", "--verdicts", "v.json", "--confirmed-only", "--output-format", "sarif")
        (result,) = json.loads(done.out)["runs"][0]["results"]
        assert result["properties"]["verdict"]["status"] == "confirmed"
        assert "float32 from max|z| = 88.73" in result["message"]["text"]

    def test_code_that_changed_since_is_named(self, numlint: Numlint, project: Path) -> None:
        (project / "bad.py").write_text(HAZARD.replace("np.exp(z)", "np.exp(z - 1)"))
        done = numlint("check", "--verdicts", "v.json", "--confirmed-only")
        assert done.status == 1
        assert "warning: changed since v.json was written: bad.py:6; run `numlint confirm` again" in done.err

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--confirmed-only",), "--confirmed-only needs the verdicts"),
            (("--verdicts", "absent.json"), "--verdicts: absent.json: No such file"),
            (("--verdicts", "good.py"), "--verdicts: good.py: not JSON"),
        ],
    )
    def test_wrong_calls(self, numlint: Numlint, arguments: tuple[str, ...], message: str) -> None:
        done = numlint("check", *arguments)
        assert done.status == 2
        assert message in done.err


def test_the_whole(numlint: Numlint, project: Path) -> None:
    """The code is run: a naive softmax fails from the logarithm of the largest number on, and its rewrite does not."""
    import sys

    done = numlint(
        "confirm", "bad.py", "--python", sys.executable, "--seconds", "6", "--output-format", "json", "-j", "1"
    )
    assert done.status == 1, done.out + done.err
    (verdict,) = json.loads(done.out)["verdicts"]
    assert (verdict["status"], verdict["rung"]) == ("confirmed", "synthesised")
    cures = {cure["summary"]: cure["status"] for cure in verdict["cures"]}
    assert cures["scipy.special.softmax shifts by the maximum"] == "verified"
