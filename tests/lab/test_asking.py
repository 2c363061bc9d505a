"""Questions that are asked in another interpreter."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from numlint.lab.asking import Interview
from numlint.lab.task import SettingError
from numlint.runtime.lab.answers import HEALTHY, UNASKED
from numlint.runtime.lab.configuration import Configuration

FATAL = """\
import os

def train(lr=0.1):
    yield 1.0
    os._exit(3)
"""


def test_probes_are_asked_one_by_one() -> None:
    interview = Interview(Configuration("logistic_regression", {"epochs": 30}), sys.executable)
    assert set(interview.probes()) >= {"gradient", "restart"}
    found = list(interview.answers(["repeatable", "gradient"]))
    assert [(item.probe, item.verdict) for item in found] == [("repeatable", HEALTHY), ("gradient", HEALTHY)]


def test_a_process_that_dies_of_a_question_costs_that_question(tmp_path: Path) -> None:
    (tmp_path / "fatal.py").write_text(FATAL)
    interview = Interview(Configuration("fatal:train"), sys.executable, options={"path": [str(tmp_path)]})
    found = list(interview.answers(["repeatable", "restart"]))
    assert found[0].verdict == UNASKED
    assert "the process ended" in found[0].said
    assert found[1].said == "it has no parameter checkpoint"


def test_a_policy_comes_back_as_it_was_found() -> None:
    policy = Interview(Configuration("mlp"), sys.executable).policy("bfloat16", 0.05)
    assert (policy.backend, policy.format, policy.wide) == ("numpy", "bfloat16", [])


def test_what_does_not_exist_is_refused() -> None:
    interview = Interview(Configuration("mlp"), sys.executable)
    with pytest.raises(SettingError, match="no probe 'dance'"):
        list(interview.answers(["dance"]))
    with pytest.raises(SettingError, match="not for float8"):
        interview.policy("float8", 0.05)
