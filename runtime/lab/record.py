"""What is known of a training run, as plain data that the runtime and the host share.

A run is stored as one line of JSON: configuration, environment, status, epochs, phases,
signatures, conditions. Numbers that are not finite are written as the texts ``"inf"``,
``"-inf"`` and ``"nan"``, since JSON has no words for them.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from .configuration import Configuration

CONVERGED, STOPPED, EXHAUSTED, DIVERGED, FAILED, TIMED_OUT, DIED, REFUSED = (
    "converged",  # the gradient, or the update, is at the resolution of the format or below the tolerance
    "stopped",  # the stopping rule of the task ended it away from a minimum
    "exhausted",  # all epochs were run without converging
    "diverged",  # the loss is not finite, or grew beyond all bounds
    "failed",  # the training function raised
    "timed-out",
    "died",  # the process ended: a crash, a signal, no memory
    "refused",  # the configuration cannot be run here: a library is missing, a setting is wrong
)
STATUSES = (CONVERGED, STOPPED, EXHAUSTED, DIVERGED, FAILED, TIMED_OUT, DIED, REFUSED)

PHASES = (
    "healthy",
    "oscillating",
    "plateau",
    "saturating",
    "stalled",  # by lost updates: they are below half the spacing of the weights
    "vanishing",
    "exploding",
    "diverged",
    "premature-stop",
    "dead",
)

SIGNATURES = (
    "overflow",
    "nan",
    "log-of-zero",
    "underflow",
    "ill-conditioned",
    "divergence",
    "lost-update",
    "cancellation",
    "premature-stop",
    "never-stops",
    "non-determinism",
    "gradient-underflow",
)


@dataclass
class Layer:
    """One layer, or one named array of parameters, in one epoch.

    Attributes
    ----------
    name : str
        Module path, such as ``"encoder.0"``, or the name of the parameter.
    largest, smallest : float
        Largest and smallest nonzero magnitude of its activations, or of its parameters where
        a task does not tell its activations.
    gradient_norm : float
    saturated : float
        Share of its activations at a bound of their function.
    digits_lost : float
        Decimal digits between the computed activations and a float64 shadow; nan when not measured.
    out_of_range : str
        ``"overflow"`` or ``"underflow"`` when its values or gradients leave the range of the format.
    """

    name: str
    largest: float = math.nan
    smallest: float = math.nan
    gradient_norm: float = math.nan
    saturated: float = 0.0
    digits_lost: float = math.nan
    out_of_range: str = ""


@dataclass
class Epoch:
    """What was logged in one epoch.

    Attributes
    ----------
    epoch : int
        From 0.
    loss, gradient_norm, update_norm, weight_norm : float
        Euclidean norms over all parameters.
    update_ratio : float
        ``update_norm / weight_norm``.
    update_in_spacings : float
        Median of |update| over the spacing (ulp) of the weight that it is added to; below 1/2 it is lost.
    lost_updates : float
        Share of the parameters whose nonzero update, lr times gradient, left them unchanged.
    saturated : float
        Share of the activations at a bound of their function.
    overflows, underflows, nans : int
        Births, from the tracer.
    seconds : float
    """

    epoch: int
    loss: float = math.nan
    gradient_norm: float = math.nan
    update_norm: float = math.nan
    weight_norm: float = math.nan
    update_ratio: float = math.nan
    update_in_spacings: float = math.nan
    lost_updates: float = 0.0
    saturated: float = 0.0
    overflows: int = 0
    underflows: int = 0
    nans: int = 0
    seconds: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)
    layers: list[Layer] = field(default_factory=list)


@dataclass
class Phase:
    """A stretch of training, from the first of its epochs to the last, and what speaks for it."""

    name: str
    first: int
    last: int
    evidence: str = ""


@dataclass
class Finding:
    """A signature of failure with its measured figure, and the epoch in which it was named."""

    signature: str
    epoch: int
    figure: str
    value: float = math.nan
    layer: str = ""
    where: str = ""
    """Source line, where the tracer knows it."""


@dataclass
class Conditions:
    """How hard the problem is.

    Attributes
    ----------
    design, gram : float
        Condition number (2-norm) of the design X and of X^T X; nan where there is no design.
    hessian_start, hessian_end : float
        Condition number of the Hessian of the loss.
    curvature : float
        Largest eigenvalue of the Hessian along the run.
    largest_stable_lr : float
        2 / curvature: the bound for gradient descent on a quadratic (Nesterov, Introductory Lectures
        on Convex Optimization, 2004, section 2.1.5).
    """

    design: float = math.nan
    gram: float = math.nan
    hessian_start: float = math.nan
    hessian_end: float = math.nan
    curvature: float = math.nan
    largest_stable_lr: float = math.nan


@dataclass
class Run:
    """One training run: one record of a results directory."""

    configuration: Configuration
    status: str = REFUSED
    reason: str = ""
    epochs: list[Epoch] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    conditions: Conditions = field(default_factory=Conditions)
    largest_weight: float = math.nan
    final_loss: float = math.nan
    metrics: dict[str, float] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    logging_seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)
        data["configuration"] = self.configuration.to_json()
        written: dict[str, Any] = worded(data)
        return written

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Run:
        values = _known(cls, _numbered(data))
        values["configuration"] = Configuration.from_json(data["configuration"])
        values["epochs"] = [
            Epoch(**{**_known(Epoch, item), "layers": [Layer(**_known(Layer, one)) for one in item.get("layers", ())]})
            for item in values.get("epochs", ())
        ]
        values["phases"] = [Phase(**_known(Phase, item)) for item in values.get("phases", ())]
        values["findings"] = [
            # Of the texts, one is called like a number that JSON has no word for: the signature "nan".
            Finding(**{**_known(Finding, item), "signature": str(item["signature"])})
            for item in values.get("findings", ())
        ]
        values["conditions"] = Conditions(**_known(Conditions, values.get("conditions", {})))
        return cls(**values)


def _known(kind: type, data: dict[str, Any]) -> dict[str, Any]:
    names = {item.name for item in fields(kind)}
    return {key: value for key, value in data.items() if key in names}


def worded(value: Any) -> Any:
    """A value of JSON with words in place of the numbers that JSON does not know."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: worded(item) for key, item in value.items()}
    return [worded(item) for item in value] if isinstance(value, (list, tuple)) else value


def _numbered(value: Any) -> Any:
    if value in ("inf", "-inf", "nan"):
        return float(value)
    if isinstance(value, dict):
        return {key: _numbered(item) for key, item in value.items()}
    return [_numbered(item) for item in value] if isinstance(value, list) else value
