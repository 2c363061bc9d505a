"""What to confirm: files, functions, lines, and the findings of an earlier check."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from numlint.config import Config
from numlint.confirm.selection import Chosen, Place, UnknownPlace, choose, place, recall
from numlint.finding import Confidence
from numlint.rule import load
from numlint.selection import Layer, Selection

MODEL = """\
import numpy as np


def shares(z):
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)


class Model:
    def excess(self, x):
        return np.log(1 + np.exp(x))

    def clean(self, x):
        return x + 1
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL)
    return tmp_path


def chosen(*arguments: str, layer: Layer = Layer(), least: Confidence = Confidence.LIKELY) -> Chosen:  # noqa: B008
    rules = load()
    selection = Selection(rules, (layer,), override=least)
    everything = Selection(rules, (layer,), override=Confidence.POSSIBLE)
    return choose([place(item) for item in arguments], Config(), selection, everything=everything)


def rules_of(found: Chosen) -> list[str]:
    return [finding.rule for finding in found.findings]


def test_an_argument_is_a_path_a_function_or_a_line() -> None:
    assert place("model.py") == Place("model.py")
    assert place("model.py:6") == place("model.py:6:12") == Place("model.py", 6)
    assert place("model.py::Model.excess") == Place("model.py", function="Model.excess")
    assert [str(place(text)) for text in ("model.py:6", "model.py::shares", ".")] == [
        "model.py:6",
        "model.py::shares",
        ".",
    ]


@pytest.mark.parametrize(
    ("argument", "found"),
    [
        (".", ["naive-softmax", "naive-softplus"]),
        ("model.py", ["naive-softmax", "naive-softplus"]),
        ("model.py:6", ["naive-softmax"]),
        ("model.py::shares", ["naive-softmax"]),
        ("model.py::Model", ["naive-softplus"]),
        ("model.py::Model.excess", ["naive-softplus"]),
    ],
)
def test_what_is_named_is_confirmed(argument: str, found: list[str]) -> None:
    assert rules_of(chosen(argument)) == found


def test_a_finding_that_is_named_twice_is_confirmed_once() -> None:
    assert rules_of(chosen("model.py:6", "model.py::shares")) == ["naive-softmax"]


def test_rules_are_selected_as_for_a_check() -> None:
    assert rules_of(chosen("model.py", layer=Layer(select=("NL101",)))) == ["naive-softmax"]


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("modle.py", "no such file or folder 'modle.py'; did you mean 'model.py'?"),
        ("modle.py:6", "no such file or folder 'modle.py'; did you mean 'model.py'?"),
        (
            "model.py:1",
            r"model.py:1: no finding at this line; the nearest: line 6 \(naive-softmax\), line 11 \(naive-softplus\)",
        ),
        ("model.py::share", r"model.py::share: no such function; did you mean model.py::shares\?"),
        ("model.py::excess", r"no such function; did you mean model.py::Model.excess\?"),
        ("model.py::zzz", "no such function; it defines shares, Model.excess, Model.clean, Model"),
    ],
)
def test_what_does_not_exist_is_an_error_with_what_was_probably_meant(argument: str, message: str) -> None:
    with pytest.raises(UnknownPlace, match=message):
        chosen(argument)


def test_a_function_without_findings_is_remarked() -> None:
    assert chosen("model.py::Model.clean").remarks == ("model.py::Model.clean: nothing to confirm",)


def test_what_the_confidence_leaves_out_is_remarked(project: Path) -> None:
    (project / "model.py").write_text("import numpy as np\n\n\ndef f(p):\n    return np.log(1 - p)\n")
    found = chosen("model.py:5", least=Confidence.CERTAIN)
    assert found.findings == ()
    assert found.remarks[0].endswith("includes it")


def report(*fingerprints: tuple[str, str]) -> str:
    findings = [{"fingerprint": key, "path": path, "line": 6, "rule": "naive-softmax"} for key, path in fingerprints]
    return json.dumps({"version": 1, "findings": findings})


def recalled(text: str) -> Chosen:
    return recall(text, "findings.json", Config(), Selection(load(), override=Confidence.POSSIBLE))


def test_findings_are_found_again_after_lines_have_moved(project: Path) -> None:
    key = chosen("model.py:6").findings[0].fingerprint
    (project / "model.py").write_text("# one more line\n" + MODEL)
    found = recalled(report((key, "model.py")))
    assert [(finding.rule, finding.span.line) for finding in found.findings] == [("naive-softmax", 7)]


def test_a_finding_that_is_gone_is_remarked_and_if_all_are_that_is_an_error() -> None:
    key = chosen("model.py:6").findings[0].fingerprint
    assert recalled(report((key, "model.py"), ("0" * 16, "model.py"))).remarks == (
        "not found any more: model.py:6 naive-softmax",
    )
    with pytest.raises(UnknownPlace, match="none of its findings is found any more"):
        recalled(report(("0" * 16, "model.py")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "findings.json: not JSON"),
        ("[]", "`numlint check --output-format json` writes what --from reads"),
        ('{"verdicts": []}', "these are verdicts"),
        ('{"findings": [{"path": "model.py"}]}', "without its path or its fingerprint"),
        (report(("0" * 16, "gone.py")), "no such file 'gone.py'"),
    ],
)
def test_what_is_no_report_of_a_check_is_refused(text: str, message: str) -> None:
    with pytest.raises(UnknownPlace, match=message):
        recalled(text)
