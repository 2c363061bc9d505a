"""When something began and ended, seen while it goes on: Page's cumulative sums.

Each epoch shows a symptom or does not. In a healthy run it does so with a small probability
p0, by chance; in a phase of training that has the symptom, with a large one, p1. The log
likelihood ratio of an epoch is

    r = ln(p1 / p0) if the symptom is there, ln((1 - p1) / (1 - p0)) if not,

and the change is announced when S_t = max(0, S_(t-1) + r_t) exceeds h (Page, Continuous Inspection
Schemes, Biometrika 41, 1954; for yes and no Reynolds and Stoumbos, Journal of Quality Technology 31,
1999). The most likely epoch of the change is the first one after S was last 0. The mean time to
a false alarm is at least e^h epochs (Lorden, Annals of Mathematical Statistics 42, 1971), which
sets h; no procedure with that mean time has a smaller worst mean delay (Moustakides, Annals of
Statistics 14, 1986). The end of a phase is found by the same sum with p0 and p1 exchanged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

CHANCE, CERTAIN = 0.02, 0.6
"""Probability of a symptom in an epoch of a healthy run, and in a phase that has it."""
EPOCHS_TO_FALSE_ALARM = 1e4
HEIGHT = math.log(EPOCHS_TO_FALSE_ALARM)
SHOWN = math.log(CERTAIN / CHANCE)
ABSENT = math.log((1 - CERTAIN) / (1 - CHANCE))


@dataclass
class Stretch:
    """Epochs with a symptom; `last` is None while it goes on."""

    first: int
    last: int | None = None


class Detector:
    """One symptom, epoch by epoch.

    Attributes
    ----------
    stretches : list of Stretch
        What was announced, in order.
    suspected : int or None
        The epoch since when the symptom is under suspicion, not announced yet.
    """

    def __init__(self) -> None:
        self.stretches: list[Stretch] = []
        self.suspected: int | None = None
        self._sum = 0.0
        self._quiet: int | None = None

    @property
    def active(self) -> bool:
        return bool(self.stretches) and self.stretches[-1].last is None

    def update(self, epoch: int, shown: bool) -> bool:
        """Take note of an epoch; whether the symptom is announced now."""
        ratio = SHOWN if shown else ABSENT
        if self.active:
            self._leave(epoch, -ratio)
            return False
        if self._sum == 0 and ratio > 0:
            self.suspected = epoch
        self._sum = max(0.0, self._sum + ratio)
        if self._sum == 0:
            self.suspected = None
        if self._sum <= HEIGHT:
            return False
        self.announce(epoch)
        return True

    def announce(self, epoch: int) -> None:
        """The stretch began when the suspicion did, or now if there was none."""
        self.stretches.append(Stretch(epoch if self.suspected is None else self.suspected))
        self.suspected, self._sum, self._quiet = None, 0.0, None

    def _leave(self, epoch: int, ratio: float) -> None:
        if self._sum == 0 and ratio > 0:
            self._quiet = epoch
        self._sum = max(0.0, self._sum + ratio)
        if self._sum > HEIGHT and self._quiet is not None:
            self.stretches[-1].last = self._quiet - 1
            self._sum = 0.0
