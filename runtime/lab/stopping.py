"""When to stop training: not at the first small step.

``if abs(previous - loss) < tolerance: break`` stops on a plateau, depends on the unit of the
loss, runs on for ever where the tolerance is below the spacing of the numbers, and never
sees a nan, since every comparison with nan is false. `RobustStopping` asks for three things
together, for several epochs in a row: a small relative change of the loss, a gradient that
is small beside the largest one seen, and finite numbers. That the function values settle
faster than the gradient, and the exponents 1 and 1/3 of their tolerances, are from Gill,
Murray and Wright, Practical Optimization, 1981, section 8.2.3.2; the scale of the gradient is
taken from the run itself, so that the unit of the loss does not matter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

from .configuration import Configuration

PATIENCE = 5
NONE, SINGLE_STEP, GRADIENT, ROBUST = "none", "single-step", "gradient", "robust"


class Rule(Protocol):
    """Asked after every epoch."""

    reason: str

    def update(self, loss: float, gradient_norm: float | None = None) -> bool:
        """Whether to stop now."""


class RobustStopping:
    """Stop when loss and gradient have both settled, and say why.

    Parameters
    ----------
    tolerance : float
        Of the relative change of the loss. That of the gradient is its cube root.
    patience : int
        In so many epochs in a row. As many that are not finite end the run too.
    resolution : float
        Spacing at 1 of the format in which the loss is computed (``np.finfo(dtype).eps``):
        a tolerance below twice of it cannot be met, and is raised to that.
    gradient_tolerance : float, optional
        Largest gradient norm at which to stop, relative to the largest one seen.

    Attributes
    ----------
    reason : str
        Why to stop; empty until then.
    converged : bool

    Examples
    --------
    >>> from numlint.stopping import RobustStopping
    >>> stop, w = RobustStopping(), 1.0
    >>> for epoch in range(1000):
    ...     loss, gradient = w * w, 2 * w
    ...     if stop.update(loss + 1, abs(gradient)):
    ...         break
    ...     w -= 0.1 * gradient
    >>> stop.converged, epoch < 60, abs(w) < 1e-3
    (True, True, True)
    """

    def __init__(
        self,
        tolerance: float = 1e-6,
        patience: int = PATIENCE,
        resolution: float = 2.0**-52,
        gradient_tolerance: float | None = None,
    ) -> None:
        if not (tolerance > 0 and patience >= 1):
            raise ValueError(f"tolerance must be above 0 and patience at least 1, not {tolerance!r} and {patience!r}")
        self.tolerance = max(tolerance, 2.0 * resolution)
        self.gradient_tolerance = tolerance ** (1 / 3) if gradient_tolerance is None else gradient_tolerance
        self.patience = patience
        self.reason = ""
        self.converged = False
        self._previous = math.nan
        self._largest = 0.0
        self._settled = 0
        self._broken = 0

    def update(self, loss: Any, gradient_norm: Any = None) -> bool:
        """Take note of an epoch.

        Parameters
        ----------
        loss : float
        gradient_norm : float, optional
            Without it the relative change alone decides, for three times the patience.

        Returns
        -------
        bool
            Whether to stop.
        """
        loss = float(loss)
        length = None if gradient_norm is None else float(gradient_norm)
        if not math.isfinite(loss) or (length is not None and not math.isfinite(length)):
            self._broken, self._settled = self._broken + 1, 0
            if self._broken >= self.patience:
                what = f"the loss is {loss}" if not math.isfinite(loss) else f"the gradient norm is {length}"
                self.reason = f"{what}, for {self._broken} epochs"
            return self._broken >= self.patience
        self._broken = 0
        change = settled_change(self._previous, loss)
        self._previous = loss
        if length is not None:
            self._largest = max(self._largest, length)
        small = length is None or length <= self.gradient_tolerance * self._largest
        self._settled = self._settled + 1 if change <= self.tolerance and small else 0
        needed = self.patience if length is not None else 3 * self.patience
        if self._settled >= needed:
            gradient = "" if length is None else f", gradient norm {length:.2g} of {self._largest:.2g} at most"
            self.reason = f"relative change at most {self.tolerance:.1g} for {needed} epochs{gradient}"
            self.converged = True
        return self.converged


def settled_change(previous: float, loss: float) -> float:
    """Relative change of the loss; infinite before there is a previous one, 0 where both are 0."""
    if math.isnan(previous):
        return math.inf
    size = max(abs(previous), abs(loss))
    return abs(previous - loss) / size if size else 0.0


class Never:
    """Train for all epochs."""

    reason = ""

    def update(self, loss: float, gradient_norm: float | None = None) -> bool:
        return False


class SingleStep:
    """The rule to be shown wrong: stop when one step changed the loss by less than the tolerance."""

    def __init__(self, tolerance: float) -> None:
        self.tolerance = tolerance
        self.reason = ""
        self._previous = math.nan

    def update(self, loss: float, gradient_norm: float | None = None) -> bool:
        change, self._previous = abs(self._previous - loss), loss
        if change < self.tolerance:
            self.reason = f"one step changed the loss by {change:.2g}, less than {self.tolerance:.2g}"
        return change < self.tolerance


class SmallGradient:
    """Stop when the norm of the gradient is below an absolute tolerance."""

    def __init__(self, tolerance: float) -> None:
        self.tolerance = tolerance
        self.reason = ""

    def update(self, loss: float, gradient_norm: float | None = None) -> bool:
        small = gradient_norm is not None and gradient_norm < self.tolerance
        if small:
            self.reason = f"the gradient norm {gradient_norm:.2g} is below {self.tolerance:.2g}"
        return small


def resolution(configuration: Configuration) -> float:
    """Spacing at 1 of the format that the passes are computed in."""
    from . import precision  # and with it numpy, which `numlint.stopping` does without

    return precision.of(configuration).working.eps


def rule(configuration: Configuration) -> Rule:
    """The stopping rule that a configuration asks for."""
    tolerance = float(configuration.settings.get("tolerance") or 1e-6)
    chosen = configuration.settings.get("stop", ROBUST)
    if chosen == SINGLE_STEP:
        return SingleStep(tolerance)
    if chosen == GRADIENT:
        return SmallGradient(tolerance)
    return RobustStopping(tolerance, resolution=resolution(configuration)) if chosen == ROBUST else Never()


def settled(losses: Sequence[float], gradients: Sequence[float], tolerance: float, eps: float) -> bool:
    """Whether the last epoch of a run meets the standard of `RobustStopping`, whatever rule ended the run.

    Without any gradient the relative change alone decides.
    """
    if len(losses) < 2 or not all(map(math.isfinite, losses[-2:])):
        return False
    if settled_change(losses[-2], losses[-1]) > max(tolerance, 2.0 * eps):
        return False
    known = [length for length in gradients if math.isfinite(length)]
    return not known or gradients[-1] <= tolerance ** (1 / 3) * max(known)
