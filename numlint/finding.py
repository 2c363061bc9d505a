"""What numlint says about code: findings, rewrites and problems.

These types are the vocabulary that the rules, the linter, the fixer and every
output format share. They depend on nothing else in the package.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Any

SIGNATURES = (
    "overflow",
    "nan",
    "underflow",
    "cancellation",
    "absorption",
    "ill-conditioned",
    "backward-error",
    "nan-gradient",
    "divergence",
    "premature-stop",
    "never-stops",
    "non-determinism",
    "wraparound",
)
"""The closed list of failure signatures."""


class Confidence(IntEnum):
    """How sure the analysis is that the hazard is unguarded."""

    POSSIBLE = 1
    LIKELY = 2
    CERTAIN = 3

    @property
    def label(self) -> str:
        return self.name.lower()


class Severity(str, Enum):
    """What the failure costs: a wrong result, a risk, or only a warning at run time."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Safety(str, Enum):
    """Whether `--fix` applies a rewrite.

    SAFE rewrites are equal in exact arithmetic. UNSAFE ones may change shape,
    dtype or semantics. DISPLAY ones are shown and never applied.
    """

    SAFE = "safe"
    UNSAFE = "unsafe"
    DISPLAY = "display"


@dataclass(frozen=True, order=True)
class Span:
    """A region of a file: lines and columns from 1, columns in characters, end exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True)
class Edit:
    """Replace the text of `span` by `text`."""

    span: Span
    text: str


@dataclass(frozen=True)
class Rewrite:
    """A stable replacement: edits of the source, and the imports that they need.

    Attributes
    ----------
    summary : str
        One line: what the cure does.
    edits : tuple of Edit
        Non-overlapping, in source order. Empty when the cure cannot be spelt as an edit.
    imports : tuple of str
        Dotted names the new text relies on, such as ``"scipy.special.softmax"``:
        ``from scipy.special import softmax`` is added when it is missing.
    safety : Safety
    reason : str
        Why it is not safe, when it is not.
    """

    summary: str
    edits: tuple[Edit, ...] = ()
    imports: tuple[str, ...] = ()
    safety: Safety = Safety.SAFE
    reason: str = ""


@dataclass(frozen=True)
class Step:
    """A place that the dangerous value passed through, with what happens there."""

    span: Span
    text: str


@dataclass(frozen=True)
class Finding:
    """One warning, ready to be shown, fixed, suppressed or confirmed."""

    rule: str
    code: str
    path: str
    span: Span
    function: str
    message: str
    confidence: Confidence
    severity: Severity
    signature: str
    framework: str
    threshold: str = ""
    origin: tuple[Step, ...] = ()
    rewrite: Rewrite | None = None
    fingerprint: str = ""
    verdict: Mapping[str, Any] | None = field(default=None, compare=False)
    """What running it showed, as a verdict file has it; None when it was not run."""


@dataclass(frozen=True)
class Problem:
    """A file or a region that could not be checked: what happened, why, and what to do."""

    path: str
    message: str
    hint: str = ""
    line: int = 0
    column: int = 0


def fingerprint(rule: str, path: str, function: str, snippet: str, occurrence: int) -> str:
    """Identify a finding independently of line numbers.

    The same statement in the same function keeps its fingerprint when lines move;
    `occurrence` counts equal snippets within the function.
    """
    text = "\0".join((rule, path, function, " ".join(snippet.split()), str(occurrence)))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
