"""The phases of training, detected while it runs.

Each phase has a symptom that an epoch shows or does not; `changes` decides from when on it is no
chance. Where several hold, the one that explains the others counts: the order of `SYMPTOMS`.
All symptoms are free of units, since neither that of the loss nor that of the features matters.

The symptom of *exploding* is a theorem. If a loss that is not negative has curvature at most L
along the step, then |g|^2 <= 2 L loss, so lr |g|^2 / loss > 4 says that lr > 2 / L: the step
overshoots (from the descent lemma; Nesterov, Introductory Lectures on Convex Optimization, 2004,
section 2.1). A loss above all before it is the other. *Oscillating* is a step opposite to the last
without a fall of the loss, as happens at lr = 2 / L. A gradient counts as small when it
meets the tolerance of `stopping.RobustStopping`; what stands still there has arrived and is healthy.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .changes import Detector, Stretch
from .monitor import Observation
from .record import STOPPED, Phase

SMALL_GRADIENT = 0.01
OVERSHOOT = 10.0
"""Times the loss that a step promises to take away; more than 4 cannot be, and 10 is beyond the noise of batches."""
RECORD = 1.01
OPPOSITE = -0.5
STILL = 1e-5
"""Relative change of the loss in an epoch below which it stands still."""
WINDOW = 10
FADED = 1e-4
"""Ratio of the gradients of the first and the last layer below which those of the first have vanished."""
MOST = 0.5

History = Sequence[Observation]


@dataclass(frozen=True)
class Symptom:
    """What an epoch shows in a phase: `seen` gives the evidence in words, empty where there is none."""

    phase: str
    seen: Callable[[History], str]


def small_gradient(history: History) -> bool:
    """Whether the gradient is small beside the largest one seen; False where it is not known."""
    return history[-1].epoch.gradient_norm <= SMALL_GRADIENT * history[-1].largest_gradient


def _diverged(history: History) -> str:
    loss = history[-1].epoch.loss
    return "" if math.isfinite(loss) else f"the loss is {loss}"


def _exploding(history: History) -> str:
    epoch = history[-1].epoch
    promised = epoch.update_norm * epoch.gradient_norm
    if math.isfinite(promised) and epoch.loss > 0 and promised > OVERSHOOT * epoch.loss:
        return (
            f"a step of {epoch.update_norm:.3g} along a gradient of {epoch.gradient_norm:.3g} promises "
            f"{promised / epoch.loss:.3g} times the loss of {epoch.loss:.3g}"
        )
    if math.isinf(epoch.gradient_norm):
        return "the gradient is not finite"
    if not 0 < epoch.loss < math.inf or not epoch.loss > RECORD * history[-1].largest_loss:
        return ""
    falling = epoch.gradient_norm <= history[-2].epoch.gradient_norm
    return "" if falling else f"loss {epoch.loss:.3g}, above all before; gradient norm {epoch.gradient_norm:.3g}"


def _dead(history: History) -> str:
    observed = history[-1]
    epoch, first = observed.epoch, history[0].epoch
    if epoch.gradient_norm == 0 and epoch.loss > 0.9 * first.loss:
        return f"the gradient is 0 at loss {epoch.loss:.3g}"
    if observed.dead_units > 0.9:
        return f"{observed.dead_units:.0%} of the units of a layer are 0 for all examples"
    return ""


def _stalled(history: History) -> str:
    epoch = history[-1].epoch
    if not epoch.lost_updates > MOST or small_gradient(history):
        return ""
    return (
        f"{epoch.lost_updates:.0%} of the updates are lost: their median is {epoch.update_in_spacings:.2g} "
        f"spacings of the weights; gradient norm {epoch.gradient_norm:.3g}"
    )


def families(history: History) -> dict[str, list[tuple[str, float]]]:
    """Gradient norms of layers of the same kind in the order of the forward pass, by name without numbers."""
    found: dict[str, list[tuple[str, float]]] = {}
    for layer in history[-1].epoch.layers:
        if math.isfinite(layer.gradient_norm):
            found.setdefault(re.sub(r"\d+", "", layer.name), []).append((layer.name, layer.gradient_norm))
    return {name: items for name, items in found.items() if len(items) >= 3}


def _vanishing(history: History) -> str:
    for items in families(history).values():
        (first, faint), (last, strong) = items[0], items[-1]
        if 0 <= faint < FADED * strong:
            return f"gradient norm {faint:.2g} in {first} and {strong:.2g} in {last}"
    return ""


def _saturating(history: History) -> str:
    epoch = history[-1].epoch
    if not epoch.saturated > MOST or small_gradient(history):
        return ""
    return f"{epoch.saturated:.0%} of the activations are at a bound of their function"


def _oscillating(history: History) -> str:
    if len(history) < 3 or small_gradient(history):
        return ""
    observed, last, before = history[-1], history[-2].epoch.loss, history[-3].epoch.loss
    loss = observed.epoch.loss
    rise, earlier = loss - last, last - before
    if math.isnan(observed.reversal):
        if rise * earlier < 0 and min(abs(rise), abs(earlier)) > 0.05 * abs(loss):
            return f"the loss goes {before:.3g}, {last:.3g}, {loss:.3g}"
    elif observed.reversal < OPPOSITE and rise > -1e-3 * abs(last):
        return f"steps are opposite to the ones before (cosine {observed.reversal:.2f}), loss {last:.3g}, {loss:.3g}"
    return ""


def _plateau(history: History) -> str:
    if len(history) <= WINDOW:
        return ""
    now, then = history[-1].epoch, history[-1 - WINDOW].epoch
    if math.isnan(now.gradient_norm):  # who does not tell the gradient may have arrived
        return ""
    if now.gradient_norm <= 0.1 * history[-1].largest_gradient:
        return ""
    if abs(now.loss - then.loss) <= WINDOW * STILL * abs(now.loss):
        return f"loss {then.loss:.6g} and {now.loss:.6g} within {WINDOW} epochs, gradient norm {now.gradient_norm:.3g}"
    return ""


SYMPTOMS = (
    Symptom("exploding", _exploding),
    Symptom("dead", _dead),
    Symptom("stalled", _stalled),
    Symptom("vanishing", _vanishing),
    Symptom("saturating", _saturating),
    Symptom("oscillating", _oscillating),
    Symptom("plateau", _plateau),
)


class Phases:
    """Follows a run; `found` is the account of it so far."""

    def __init__(self) -> None:
        self._detectors = {symptom.phase: Detector() for symptom in SYMPTOMS}
        self._evidence: dict[tuple[str, int], str] = {}
        self._diverged: Phase | None = None
        self._stopped: Phase | None = None
        self._epochs = 0

    def update(self, history: History) -> list[Phase]:
        """Take note of the last epoch; the phases that are announced by it."""
        number = history[-1].epoch.epoch
        self._epochs = number + 1
        broken = _diverged(history)
        if broken:
            return self._broken(number, broken)
        if self._diverged is not None:
            self._diverged = None  # the loss came back
        announced = []
        for symptom in SYMPTOMS:
            detector = self._detectors[symptom.phase]
            evidence = symptom.seen(history)
            if detector.update(number, bool(evidence)):
                announced.append(self._noted(symptom.phase, detector.stretches[-1], evidence))
            elif evidence and detector.active:
                self._evidence.setdefault((symptom.phase, detector.stretches[-1].first), evidence)
        return announced

    def _broken(self, number: int, evidence: str) -> list[Phase]:
        if self._diverged is not None:
            self._diverged.last = number
            return []
        self._diverged = Phase("diverged", number, number, evidence)
        announced = [self._diverged]
        exploding = self._detectors["exploding"]
        if exploding.suspected is not None:  # it explains the end, however few its epochs
            exploding.announce(number)
            announced.insert(
                0, self._noted("exploding", exploding.stretches[-1], "the loss rose until it was not finite")
            )
        return announced

    def _noted(self, phase: str, stretch: Stretch, evidence: str) -> Phase:
        self._evidence[phase, stretch.first] = evidence
        return Phase(phase, stretch.first, self._epochs - 1, evidence)

    def conclude(self, status: str, reason: str, small: bool) -> list[Phase]:
        """Take note of the end of the run."""
        if status != STOPPED or small or not self._epochs:
            return []
        self._stopped = Phase("premature-stop", self._epochs - 1, self._epochs - 1, reason)
        return [self._stopped]

    @property
    def found(self) -> list[Phase]:
        """The phases from the first epoch to the last, healthy ones included."""
        phases: list[Phase] = []
        for number in range(self._epochs):
            name, key = self._label(number)
            if phases and phases[-1].name == name and (name != "healthy" or key == phases[-1].evidence):
                phases[-1].last = number
            else:
                phases.append(Phase(name, number, number, key))
        return phases

    def _label(self, number: int) -> tuple[str, str]:
        for special in (self._diverged, self._stopped):
            if special is not None and special.first <= number <= special.last:
                return special.name, special.evidence
        for symptom in SYMPTOMS:
            for stretch in self._detectors[symptom.phase].stretches:
                if stretch.first <= number and (stretch.last is None or number <= stretch.last):
                    return symptom.phase, self._evidence.get((symptom.phase, stretch.first), "")
        return "healthy", ""
