"""The signatures of failure: what went wrong in a run, in one figure each.

One object in one file; a module that defines ``SIGNATURE`` is found by walking this package.
A signature is named only where harm was done: an overflow whose infinity is divided away again,
or an underflow beside a larger term, is how sound code works.
"""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..monitor import Observation
from ..phases import small_gradient
from ..record import Finding, Run
from ..stopping import resolution
from ..watch import Birth


@dataclass(frozen=True)
class Repetition:
    """Two trainings of one configuration that came apart: where, and the two losses."""

    epoch: int
    first: float
    second: float


@dataclass
class Case:
    """A run that has ended, with all that was seen of it.

    Attributes
    ----------
    run : Run
        With status, phases and conditions.
    history : list of Observation
    state : mapping
        What the training function yielded last.
    repetition : Repetition or None
    """

    run: Run
    history: Sequence[Observation]
    state: Mapping[str, Any] = field(default_factory=dict)
    repetition: Repetition | None = None

    @property
    def eps(self) -> float:
        """Spacing at 1 of the format of the passes."""
        return resolution(self.run.configuration)

    @property
    def arrived(self) -> bool:
        """Whether the gradient was small in the end."""
        return bool(self.history) and small_gradient(self.history)

    def setting(self, name: str, default: Any = None) -> Any:
        return self.run.configuration.settings.get(name, default)

    def phase(self, name: str) -> Any:
        """The first phase of a name; None where there is none."""
        return next((phase for phase in self.run.phases if phase.name == name), None)

    def births(self, kind: str, *operations: str) -> list[tuple[Observation, Birth]]:
        """Births of a kind, of the operations named or of any, in order."""
        return [
            (observed, birth)
            for observed in self.history
            for birth in observed.births
            if birth.kind == kind and (not operations or birth.operation in operations)
        ]

    def harmed(self, epoch: int) -> bool:
        """Whether in this epoch or the next the loss, the gradient or the weights are not finite."""
        return any(
            not math.isfinite(value)
            for observed in self.history[epoch : epoch + 2]
            for value in (observed.epoch.loss, *_known(observed))
        )

    def exploding_before(self, epoch: int) -> bool:
        """Whether the loss had been rising before: then what follows is a consequence."""
        phase = self.phase("exploding")
        return phase is not None and phase.first < epoch - 1


def _known(observed: Observation) -> list[float]:
    """Norms of the gradient and the weights, of those that are logged; nan counts where its layers have it."""
    epoch = observed.epoch
    if any(layer.out_of_range == "overflow" for layer in epoch.layers):
        return [math.inf]
    return [value for value in (epoch.gradient_norm, epoch.weight_norm) if math.isinf(value)]


@dataclass(frozen=True)
class Signature:
    """One kind of failure."""

    name: str
    examine: Callable[[Case], Finding | None]


def load() -> tuple[Signature, ...]:
    """All signatures, sorted by name."""
    found = {}
    for info in pkgutil.iter_modules(__path__):
        item: Any = getattr(importlib.import_module(f"{__name__}.{info.name}"), "SIGNATURE", None)
        if isinstance(item, Signature):
            found[item.name] = item
    return tuple(found[name] for name in sorted(found))


def named(case: Case) -> list[Finding]:
    """The signatures of a run, in the order in which they appeared."""
    findings = [signature.examine(case) for signature in load()]
    return sorted((item for item in findings if item is not None), key=lambda item: item.epoch)
