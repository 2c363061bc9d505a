"""`numlint rules --prove`: evidence is executed, and a rule whose evidence is wrong does not pass."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Numlint, Result

NUMBER = itertools.count(101)
RULE = '''\
"""The logarithm of an exponential overflows."""

from numlint.rule import Example, Hazard

name = "log-of-exp"
code = "LAB{number}"
triggers = ("exp",)
signature = "{signature}"
BAD = [Example({bad!r}, call={bad_call!r}, fixed={fixed!r}, requires={requires!r})]
GOOD = [Example({good!r}, call={good_call!r})]


def check(function):
    for site in function.sites("log"):
        yield Hazard(site, "exp overflows", rewrite=function.rewrite(site.node, "x", "the two cancel"))
'''
BAD = "import numpy as np\n\ndef f(x):\n    return np.log(np.exp(x))\n"
FIXED = "import numpy as np\n\ndef f(x):\n    return x\n"


@pytest.fixture
def prove(numlint: Numlint, project: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Proves a pack of one rule, which is right but for what is given."""

    def call(*options: str, **wrong: str) -> Result:
        number = next(NUMBER)
        right = {
            "signature": "overflow",
            "bad": BAD,
            "bad_call": "f(np.array([1000.0, 3.0]))",
            "fixed": FIXED,
            "requires": "",
            "good": FIXED,
            "good_call": "f(np.array([1000.0, 3.0]))",
        }
        pack = project / f"lab_rules_{number}"
        pack.mkdir()
        (pack / "__init__.py").write_text('"""Rules of our lab."""\n')
        (pack / "rule.py").write_text(RULE.format(number=number, **{**right, **wrong}))
        (project / "numlint.toml").write_text(f'rule-packs = ["{pack.name}"]\n')
        monkeypatch.syspath_prepend(str(project))
        return numlint("rules", "--prove", f"LAB{number}", "-j", "1", *options)

    return call


def test_a_rule_that_is_right_proves_itself(prove) -> None:  # type: ignore[no-untyped-def]
    result = prove()
    assert result.status == 0, result.out
    assert "log-of-exp     1/1    1/1    1/1      - " in result.out
    assert "overflow: not finite 1 of 2, true 1000" in result.out
    assert "1 of 1 rules prove themselves; 3 examples run\n" in result.out


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param(
            {"bad_call": "f(np.array([1.0, 3.0]))"}, "bad 1: shows no failure, not overflow", id="does not fail"
        ),
        pytest.param(
            {"signature": "cancellation"},
            "bad 1: shows overflow (not finite 1 of 2, true 1000), ",
            id="fails in another way",
        ),
        pytest.param({"signature": "absorption"}, ", not absorption", id="overflow is no absorption"),
        pytest.param({"good": BAD}, "good 1: overflow (not finite 1 of 2, true 1000)", id="good fails"),
        pytest.param(
            {"good": BAD, "good_call": "f(np.array([400.0, 3.0]))"},
            "good 1: doubled: overflow (not finite 1 of 2, true 800)",
            id="good fails on inputs as ordinary",
        ),
        pytest.param(
            {"good": BAD.replace("np.log(np.exp(x))", "x + 1e-6 * np.sin(x)"), "good_call": "f(np.array([1.0]))"},
            "",
            id="good is another function, and right",
        ),
        pytest.param(
            {"fixed": BAD.replace("x))", "x)) + 0")}, "fixed 1: overflow (not finite 1 of 2", id="repairs nothing"
        ),
        pytest.param(
            {"fixed": FIXED.replace("return x", "return 0 * x")},
            "fixed 1: a wrong number (relative error 1)",
            id="a safe rewrite that gives another number",
        ),
        pytest.param({"bad_call": ""}, "no bad example can be run: none has a call", id="nothing to run"),
        pytest.param({"bad": f"{BAD}\nraise SystemExit\n"}, "bad 1: ", id="ends the interpreter"),
        pytest.param({"bad": f"{BAD}\nimport os; os._exit(0)\n"}, "bad 1: its process died", id="dies"),
    ],
)
def test_evidence_that_is_wrong_fails(prove, wrong: dict[str, str], said: str) -> None:  # type: ignore[no-untyped-def]
    result = prove(**wrong)
    assert result.status == (1 if said else 0), result.out
    assert said in result.out
    if said:
        assert "0 of 1 rules prove themselves" in result.out
        assert "these do not: log-of-exp\n" in result.out


def test_a_framework_that_is_missing_is_an_error_when_strict(prove) -> None:  # type: ignore[no-untyped-def]
    lenient = prove(requires="no_such_framework")
    assert lenient.status == 0
    assert "(needs no_such_framework: not run)" in lenient.out
    strict = prove("--strict", requires="no_such_framework")
    assert strict.status == 1
    assert "bad 1: needs no_such_framework: not run\n" in strict.out


def test_programs_get_what_was_measured(prove) -> None:  # type: ignore[no-untyped-def]
    result = prove("--output-format", "json")
    assert result.status == 0
    (entry,) = json.loads(result.out)
    bad, fixed, good = entry["proofs"]
    assert (bad["kind"], bad["signature"], bad["truth"]) == ("bad", "overflow", "exact 128 bits")
    assert fixed["errors"]["float16"] == {"before": "inf", "after": 0.0}
    assert good["status"] == "passed"
    assert "seconds" not in bad


def test_what_has_nothing_to_run_says_why(numlint: Numlint) -> None:
    result = numlint("rules", "--prove", "unused-suppression")
    assert result.status == 0
    assert "unused-suppression  about comments: there is nothing to run\n" in result.out


def test_an_unknown_name_is_explained(numlint: Numlint) -> None:
    result = numlint("rules", "--prove", "naive-softmax,no-such-rule")
    assert result.status == 2
    assert "no rule is named 'no-such-rule'" in result.err


def test_an_interpreter_that_cannot_be_started_is_said(numlint: Numlint) -> None:
    result = numlint("rules", "--prove", "naive-hypot", "--python", "/no/such/python")
    assert result.status == 2
    assert "/no/such/python: No such file" in result.err


def test_processes_are_compared_where_randomness_is_the_hazard(numlint: Numlint) -> None:
    result = numlint("rules", "--prove", "uninitialized-accumulator,unordered-reduction", "-j", "2")
    assert result.status == 0, result.out
    assert "non-determinism: two processes differ" in result.out
