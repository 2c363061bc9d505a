"""What probes and the search for a precision policy found, as plain data that the runtime and the host share."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from .record import worded

HEALTHY, DEFECT, UNASKED = "healthy", "defect", "cannot be asked"
VERDICTS = (HEALTHY, DEFECT, UNASKED)


@dataclass
class Answer:
    """What a probe says of a training function.

    Attributes
    ----------
    probe : str
    verdict : str
        ``"healthy"``, ``"defect"`` or ``"cannot be asked"``.
    said : str
        What was found, or why the question cannot be asked of this task.
    remedy : str
        What to look for where there is a defect; what makes the question possible where it cannot be asked.
    figures : dict of str to float
        What was measured.
    question : str
    seconds : float
    """

    probe: str
    verdict: str
    said: str
    remedy: str = ""
    figures: dict[str, float] = field(default_factory=dict)
    question: str = ""
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        written: dict[str, Any] = worded(asdict(self))
        return written

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Answer:
        figures = {name: float(value) for name, value in data.get("figures", {}).items()}
        texts = ("probe", "verdict", "said", "remedy", "question")
        return cls(**{name: data.get(name, "") for name in texts}, figures=figures, seconds=data.get("seconds", 0.0))


@dataclass
class Unit:
    """A part of a model that has a precision of its own: a module of torch, or an operation of numpy with its line.

    Attributes
    ----------
    name : str
        Module path, or ``"model.py:31 exp"``.
    kind : str
        Class of the module, or ``"operation"``.
    low : bool
        Whether it may run in the low format.
    error : float
        Of outputs and gradients when it alone runs in the low format, relative to float64.
    why : str
        What goes wrong there: ``"overflow"``, ``"underflow"`` or ``"rounding"``; empty where nothing does.
    """

    name: str
    kind: str = ""
    low: bool = True
    error: float = math.nan
    why: str = ""


@dataclass
class Policy:
    """Which units may run in a low format.

    Attributes
    ----------
    format : str
        ``"float16"`` or ``"bfloat16"``.
    backend : str
        ``"torch"`` or ``"numpy"``.
    units : list of Unit
        In the order of the forward pass.
    error, error_all, error_wide : float
        Relative to float64: under the policy, with everything in the low format, and in float32.
    tolerance : float
        What `error` may be.
    loss_scale : float
        With which the gradients were measured.
    device : str
    """

    format: str
    backend: str
    units: list[Unit] = field(default_factory=list)
    error: float = math.nan
    error_all: float = math.nan
    error_wide: float = math.nan
    tolerance: float = math.nan
    loss_scale: float = 1.0
    device: str = "cpu"

    @property
    def wide(self) -> list[str]:
        """The units that need float32."""
        return [unit.name for unit in self.units if not unit.low]

    def to_json(self) -> dict[str, Any]:
        written: dict[str, Any] = worded({**asdict(self), "float32": self.wide})
        return written

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Policy:
        numeric = ("error", "error_all", "error_wide", "tolerance", "loss_scale")
        units = [Unit(**{**item, "error": float(item["error"])}) for item in data["units"]]
        values = {name: float(data[name]) for name in numeric}
        return cls(data["format"], data["backend"], units, device=data.get("device", "cpu"), **values)
