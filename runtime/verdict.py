"""The result of confirming one finding, as plain data that both sides share.

A verdict says what fails, on which smallest input, from which magnitude on in each
format, where it began, and which rewrite, run on the same inputs, repairs it; or what
was tried in vain; or why nothing could be run.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

CONFIRMED, REFUTED, OUTSIDE, INCONCLUSIVE = "confirmed", "refuted", "outside-domain", "inconclusive"
STATUSES = (CONFIRMED, REFUTED, OUTSIDE, INCONCLUSIVE)
REALISM = ("plain", "realistic", "stress", "extreme")
"""How ordinary the failing input is, most ordinary first; ``extreme`` is reported without a warning."""
RUNGS = ("recorded", "declared", "synthesised", "slice")


@dataclass
class Figure:
    """The measured number of a signature, such as ``Figure("condition number", 2e12)``."""

    name: str
    value: float
    unit: str = ""


@dataclass
class Origin:
    """Where the failure began."""

    line: int
    text: str = ""
    operation: str = ""
    operand: str = ""
    result: str = ""
    digits_lost: float = 0.0


@dataclass
class Sample:
    """One input with what came out: literals as text, such as ``[[0., 89.]]``."""

    arguments: dict[str, str]
    format: str
    got: str
    true: str = ""
    exact: dict[str, Any] = field(default_factory=dict)
    """The inputs themselves, encoded by `protocol`, to be replayed."""


@dataclass
class Boundary:
    """The magnitude of one knob from which each format fails; None: not within what was tried."""

    knob: str
    fails_from: dict[str, float | None] = field(default_factory=dict)
    form: str = ""
    """Where the knob has forms instead of a magnitude: which one it is, in words."""
    realistic: float = 0.0
    stress: float = 0.0


@dataclass
class CureResult:
    """One candidate rewrite after it was run.

    `status` is ``verified``, ``rejected``, ``changes-semantics``, ``not-run``.
    Errors are the largest relative errors over the inputs, infinite for nan and inf.
    """

    summary: str
    status: str
    reason: str = ""
    text: str = ""
    safety: str = ""
    inputs: int = 0
    failed_before: int = 0
    failed_after: int = 0
    error_before: float | None = None
    error_after: float | None = None
    by_format: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)


@dataclass
class Machine:
    """One emulated machine: environment, the kernel set that really ran, and what came out."""

    name: str
    environment: dict[str, str]
    kernel: str = ""
    honoured: bool = True
    result: str = ""
    figure: float | None = None


@dataclass
class Evidence:
    """What an experiment found: one failure, measured."""

    signature: str
    realism: str
    figure: Figure
    format: str
    knob: str = ""
    magnitude: float | None = None
    smallest: Sample | None = None
    origin: Origin | None = None
    boundary: Boundary | None = None
    chain: tuple[str, ...] = ()
    """How it went on, such as ``("overflow", "nan")``."""
    curve: dict[str, list[list[float]]] = field(default_factory=dict)
    """By format: ``[magnitude, error before, error after or -1]``."""
    reaches_output: bool = True
    note: str = ""


@dataclass
class Verdict:
    """What became of one finding."""

    status: str
    path: str = ""
    line: int = 0
    column: int = 0
    rule: str = ""
    code: str = ""
    function: str = ""
    fingerprint: str = ""
    rung: str = ""
    harness: str = ""
    """The call in words: ``"Softmax()(z)"``, ``"expression of line 41"``."""
    reason: str = ""
    remedy: str = ""
    evidence: Evidence | None = None
    cures: list[CureResult] = field(default_factory=list)
    machines: list[Machine] = field(default_factory=list)
    tried: dict[str, Any] = field(default_factory=dict)
    """``inputs``, ``runs``, ``formats``, ``perturbations``, ``oracle``."""
    seconds: float = 0.0
    seed: int = 0
    stubbed: list[str] = field(default_factory=list)
    replay: str = ""
    """The command line that reaches this verdict again."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Verdict:
        values = _known(cls, data)
        evidence = values.get("evidence")
        if evidence:
            evidence = _known(Evidence, evidence)
            evidence["figure"] = Figure(**evidence["figure"])
            for key, kind in (("smallest", Sample), ("origin", Origin), ("boundary", Boundary)):
                if evidence.get(key):
                    evidence[key] = kind(**_known(kind, evidence[key]))
            evidence["chain"] = tuple(evidence.get("chain", ()))
            values["evidence"] = Evidence(**evidence)
        values["cures"] = [CureResult(**_known(CureResult, item)) for item in values.get("cures", ())]
        values["machines"] = [Machine(**_known(Machine, item)) for item in values.get("machines", ())]
        return cls(**values)


def _known(kind: type, data: dict[str, Any]) -> dict[str, Any]:
    names = {item.name for item in fields(kind)}
    return {key: value for key, value in data.items() if key in names}
