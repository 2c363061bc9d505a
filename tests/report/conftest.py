"""A report as a run would give it, with the kinds of findings that formats must cope with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import pytest

from numlint.finding import Confidence, Edit, Finding, Problem, Rewrite, Safety, Severity, Span, Step
from numlint.rule import Rule

MODEL = """\
import numpy as np


def attention(scores, mask):
    z = scores + mask
    e = np.exp(z)
    if mask is None:
        return None
    total = e.sum(axis=1, keepdims=True)

    return e / total  # rows sum to one


def weights(X, y):
    return np.linalg.inv(X.T @ X) @ X.T @ y


def fit(X, y, step):
    w = np.zeros(X.shape[1])
    while np.abs(step(w)).max() > 1e-18:
        w = w - step(w)
    return w
"""


def span(text: str, part: str) -> Span:
    """Where `part` first stands in `text`."""
    start = text.index(part)

    def place(offset: int) -> tuple[int, int]:
        return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)

    return Span(*place(start), *place(start + len(part)))


@dataclass(frozen=True)
class Outcome:
    """What a run hands to a format."""

    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    files: int = 0
    skipped: int = 0
    suppressed: int = 0
    sources: Mapping[str, str] = field(default_factory=dict)


def rule(name: str, code: str, severity: Severity) -> Rule:
    return Rule(
        name=name,
        code=code,
        summary=f"What {name} is about.",
        page=f"What {name} is about.\n\nWhy, with the first failing number.",
        triggers=frozenset({"exp"}),
        signature="overflow",
        severity=severity,
        check=lambda function: (),
    )


RULES = (
    rule("naive-softmax", "NL101", Severity.ERROR),
    rule("explicit-inverse", "NL401", Severity.WARNING),
    rule("tolerance-below-resolution", "NL503", Severity.NOTE),
)

SOFTMAX = Finding(
    rule="naive-softmax",
    code="NL101",
    path="src/model.py",
    span=span(MODEL, "e / total"),
    function="attention",
    message=(
        "softmax is computed as exp(z) / sum(exp(z)) without subtracting the maximum: exp overflows to inf, "
        "and inf / inf is nan"
    ),
    confidence=Confidence.LIKELY,
    severity=Severity.ERROR,
    signature="overflow",
    framework="numpy",
    threshold="float64 fails from max|z| = 709.8, float32 from 88.7, float16 from 11.1",
    origin=(
        Step(span(MODEL, "scores + mask"), "z comes from here; nothing bounds it"),
        Step(span(MODEL, "np.exp(z)"), "exp(z) overflows here"),
    ),
    rewrite=Rewrite(
        "scipy.special.softmax subtracts the maximum first",
        (Edit(span(MODEL, "e / total"), "softmax(z, axis=1)"),),
        ("scipy.special.softmax",),
    ),
    fingerprint="0123456789abcdef",
)

INVERSE = Finding(
    rule="explicit-inverse",
    code="NL401",
    path="src/model.py",
    span=span(MODEL, "np.linalg.inv(X.T @ X) @ X.T @ y"),
    function="weights",
    message="the normal equations square the condition number of X, and no solver of them can take that back",
    confidence=Confidence.CERTAIN,
    severity=Severity.WARNING,
    signature="ill-conditioned",
    framework="numpy",
    threshold="no correct digit from cond(X) = 1e8 in float64, 1e4 in float32",
    rewrite=Rewrite(
        "least squares by singular values",
        (Edit(span(MODEL, "np.linalg.inv(X.T @ X) @ X.T @ y"), "lstsq(X, y, rcond=None)[0]"),),
        ("numpy.linalg.lstsq",),
        Safety.UNSAFE,
        "on a rank-deficient X it returns the weights of smallest norm, where inv raises or returns noise",
    ),
    fingerprint="fedcba9876543210",
)

TOLERANCE = Finding(
    rule="tolerance-below-resolution",
    code="NL503",
    path="src/model.py",
    span=span(MODEL, "np.abs(step(w)).max() > 1e-18"),
    function="fit",
    message="the loop waits for a change that float64 cannot represent beside numbers of size 1",
    confidence=Confidence.POSSIBLE,
    severity=Severity.NOTE,
    signature="never-stops",
    framework="numpy",
    rewrite=Rewrite(
        "choose a tolerance above eps * max|w|", safety=Safety.DISPLAY, reason="the scale of w is not known"
    ),
    fingerprint="00ff00ff00ff00ff",
)

PROBLEMS = (
    Problem("src/old.py", "not valid Python 3: Missing parentheses in call to 'print'", "exclude it, or port it", 3, 5),
    Problem("data/blob.py", "it holds null bytes: not a text file", "exclude it"),
)


@pytest.fixture(scope="session")
def outcome() -> Outcome:
    """Three findings in one file, two problems."""
    return Outcome((SOFTMAX, INVERSE, TOLERANCE), PROBLEMS, 12, 3, 1, {"src/model.py": MODEL})


@pytest.fixture(scope="session")
def rules() -> tuple[Rule, ...]:
    return RULES


@pytest.fixture(scope="session")
def empty() -> Outcome:
    return Outcome(files=12)


@pytest.fixture(scope="session")
def single() -> Callable[..., Outcome]:
    """``single(text, part, {step: label}, ...)``: one finding at `part` of a file with that text."""

    def make(text: str, part: str, steps: Mapping[str, str] | None = None, **changes: object) -> Outcome:
        origin = tuple(Step(span(text, where), label) for where, label in (steps or {}).items())
        finding = replace(SOFTMAX, span=span(text, part), origin=origin, rewrite=None)
        finding = replace(finding, **changes)  # type: ignore[arg-type]
        return Outcome((finding,), files=1, sources={finding.path: text})

    return make
