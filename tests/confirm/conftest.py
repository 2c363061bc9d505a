"""Findings of small programs, and verdicts as a run would give them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from numlint.confirm.confirmation import Confirmation, Confirmed
from numlint.confirm.targets import Case, cases
from numlint.finding import Finding, Problem
from numlint.linter import check_source
from numlint.rule import load
from numlint.runtime.verdict import (
    Boundary,
    CureResult,
    Evidence,
    Figure,
    Machine,
    Origin,
    Sample,
    Verdict,
)

Check = Callable[..., list[Case]]

SOFTMAX = """\
import numpy as np


def softmax(z):
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)
"""


@pytest.fixture(scope="session")
def rules() -> Sequence[Any]:
    return [rule for rule in load() if rule.signature]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rules: Sequence[Any]) -> Check:
    """Write a module, check it, and give its cases; the current folder is that of the module."""
    monkeypatch.chdir(tmp_path)

    def run(source: str, name: str = "model.py") -> list[Case]:
        text = textwrap.dedent(source)
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
        findings, problems = check_source(text.encode(), name, rules)
        assert problems == []
        return cases(findings, {name: text})

    return run


def overflow(**changes: Any) -> Verdict:
    """What becomes of a naive softmax."""
    values: dict[str, Any] = {
        "rung": "synthesised",
        "harness": "softmax(z)",
        "evidence": Evidence(
            signature="nan",
            realism="realistic",
            figure=Figure("relative error", float("inf")),
            format="float32",
            knob="max|z|",
            magnitude=88.73,
            smallest=Sample(
                {"z": "[[0., 89.]]"},
                "float32",
                "[[0., nan]]",
                "[[2.2273639e-39, 1.]]",
                {"z": {"$": "array", "dtype": "<f8", "shape": [1, 2], "values": [0.0, 89.0]}},
            ),
            origin=Origin(5, "np.exp(z)", "exp", "89.0", "inf"),
            boundary=Boundary("max|z|", {"float64": 709.8, "float32": 88.73, "float16": 11.1}, "", 100, 1e4),
            chain=("overflow", "nan"),
        ),
        "cures": [
            CureResult(
                "scipy.special.softmax shifts by the maximum",
                "verified",
                text="softmax(z, axis=1)",
                safety="safe",
                inputs=412,
                failed_before=37,
                error_before=float("inf"),
                error_after=1.2e-7,
            ),
            CureResult(
                "log1p alone",
                "rejected",
                text="np.log1p(np.exp(z))",
                safety="display",
                inputs=12,
                failed_before=12,
                failed_after=9,
                error_before=float("inf"),
                error_after=float("inf"),
            ),
        ],
        "machines": [
            Machine("Haswell", {"OPENBLAS_CORETYPE": "Haswell"}, "Haswell", True, "max|w| = 2.13", 2.13),
            Machine("SkylakeX", {"OPENBLAS_CORETYPE": "SkylakeX"}, "SkylakeX", True, "max|w| = 5.75e11", 5.75e11),
        ],
        "tried": {"inputs": 412, "runs": 903, "formats": ["float64", "float32"], "perturbations": ["scale", "shift"]},
    }
    return Verdict("confirmed", **{**values, **changes})


REFUTED = Verdict(
    "refuted",
    rung="recorded",
    harness="spread(x)",
    reason="no failure within the fair range",
    tried={
        "inputs": 240,
        "runs": 700,
        "formats": ["float64", "float32", "float16"],
        "perturbations": ["scale", "shift", "outlier", "column order"],
        "oracle": "exact (240)",
    },
)
OUTSIDE = Verdict("outside-domain", rung="slice", harness="expression of line 6", reason="log of a negative number")
UNKNOWN = Verdict(
    "inconclusive",
    reason="the module cannot be imported: No module named 'tensorflow'",
    remedy="pip install tensorflow",
)


@pytest.fixture
def confirmed(check: Check) -> Callable[..., Confirmation]:
    """``confirmed(verdict, ...)``: what became of a softmax, one result for each verdict."""

    def make(
        *verdicts: Verdict, source: str = SOFTMAX, problems: tuple[Problem, ...] = (), **more: Any
    ) -> Confirmation:
        case = check(source)[0]
        return Confirmation(
            tuple(Confirmed(case, _named(verdict, case.finding)) for verdict in verdicts),
            problems,
            {case.finding.path: Path(case.finding.path).read_text()},
            seconds=14.2,
            **more,
        )

    return make


def _named(verdict: Verdict, finding: Finding) -> Verdict:
    data = verdict.to_json()
    data |= {"path": finding.path, "line": finding.span.line, "column": finding.span.column, "rule": finding.rule}
    data |= {"code": finding.code, "function": finding.function, "fingerprint": finding.fingerprint}
    data["replay"] = f"numlint confirm {finding.path}:{finding.span.line} --seed 0"
    return Verdict.from_json(data)
