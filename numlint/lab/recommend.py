"""What would have helped, tried.

For a failing run, every mitigation that may cure one of its signatures is applied, and the
run is repeated with nothing else changed. Where none cures it alone, they are combined,
greedily: the one that came closest is kept, and each of the others is added to it; a change
is always made from what was measured in the run that it is added to. What a combination
does not need is taken out again. What did not help is kept too, to be said.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from numlint.lab.laboratory import Experiment, Search
from numlint.lab.mitigations import Mitigation, mitigations, symptoms
from numlint.lab.outcome import BROKEN, idle, last_loss, severity, sick, unstable
from numlint.lab.results import MITIGATION
from numlint.lab.task import Task
from numlint.runtime.lab.configuration import Setting
from numlint.runtime.lab.record import CONVERGED, DIED, REFUSED, TIMED_OUT, Run

DEEPEST = 4
"""Mitigations in a combination, at most."""
PROGRESS = 0.99
"""Part of its loss that a run must come below, to be cured of what it did not diverge of."""
CURED, BETTER, NO_HELP = "cured", "better", "no help"


@dataclass(frozen=True)
class Trial:
    """A failing run, repeated with some mitigations.

    Attributes
    ----------
    mitigations : tuple of Mitigation
        In the order in which they were added.
    settings : dict
        What they changed.
    run : Run
    verdict : str
        ``"cured"``, ``"better"`` or ``"no help"``; of a combination, what its last one did for the others.
    """

    mitigations: tuple[Mitigation, ...]
    settings: dict[str, Setting]
    run: Run
    verdict: str

    @property
    def name(self) -> str:
        return " + ".join(dict.fromkeys(item.name for item in self.mitigations))

    @property
    def alters(self) -> str:
        return "; ".join(dict.fromkeys(item.alters for item in self.mitigations if item.alters))

    @property
    def rank(self) -> tuple[object, ...]:
        """Smaller is better: how it ended, how far it came, what it costs."""
        loss = last_loss(self.run)
        price = sum(item.price for item in self.mitigations)
        reached = 0 if self.verdict == CURED else -len(self.run.epochs)
        return (self.verdict != CURED, severity(self.run), reached, price, loss if math.isfinite(loss) else math.inf)


@dataclass(frozen=True)
class Remedy:
    """What was tried for one failing run.

    Attributes
    ----------
    failing : Run
    stands_for : int
        How many runs of the sweep failed in the same way.
    trials : tuple of Trial
        In the order in which they were made.
    """

    failing: Run
    stands_for: int
    trials: tuple[Trial, ...]

    @property
    def best(self) -> Trial | None:
        """The cheapest that cured it, else the one that helped most; None where none helped."""
        helped = [trial for trial in self.trials if trial.verdict != NO_HELP]
        return min(helped, key=lambda trial: trial.rank, default=None)


def representatives(runs: Sequence[Run], number: int) -> list[tuple[Run, int]]:
    """Failing runs that stand for those that failed in the same way, with how many those are.

    A run that was killed has shown nothing to start from, and is left out.
    """
    groups: dict[tuple[object, ...], list[Run]] = {}
    for run in runs:
        if sick(run) and run.status not in (TIMED_OUT, DIED, REFUSED):
            groups.setdefault((run.status, symptoms(run)), []).append(run)
    largest = sorted(groups.values(), key=len, reverse=True)[:number]
    # In the middle of its group a run fails neither by a hair nor beyond all help.
    return [(group[len(group) // 2], len(group)) for group in largest]


def remedy(run: Run, task: Task, stands_for: int = 1, budget: int = 12) -> Search[Remedy]:
    """Try mitigations on a failing run, at most `budget` times."""
    trials: list[Trial] = []
    tried: set[str] = {run.configuration.fingerprint}

    def attempt(base: Run, before: tuple[Mitigation, ...], added: Mitigation) -> Search[Trial | None]:
        changes = added.change(base, task)
        configuration = base.configuration.changed(**changes)
        if not changes or configuration.fingerprint in tried or len(trials) >= budget:
            return None
        tried.add(configuration.fingerprint)
        repeated = yield Experiment(configuration, MITIGATION)
        trial = _judged(run, base, (*before, added), repeated)
        trials.append(trial)
        for item in before if idle(repeated) else ():
            # What was right for the run as it was may be too much now that `added` has changed it.
            settled = repeated.configuration.changed(**(item.settle(repeated, task) if item.settle else {}))
            if settled.fingerprint not in tried and len(trials) < budget:
                tried.add(settled.fingerprint)
                again = _judged(run, base, (*before, added), (yield Experiment(settled, MITIGATION)))
                trials.append(again)
                trial = min(trial, again, key=lambda one: one.rank)
        return trial

    def each(base: Run, before: tuple[Mitigation, ...]) -> Search[list[Trial]]:
        """Add each that may cure: alone, all of them; to others, until one cures, those that helped alone first."""
        found = []
        shown = symptoms(base) | symptoms(run)
        helped = {trial.mitigations[0] for trial in trials if len(trial.mitigations) == 1 and trial.verdict != NO_HELP}
        for item in sorted(
            mitigations(), key=lambda item: bool(before) and (item in before) * 2 + (item not in helped)
        ):
            if (item.again or item not in before) and item.cures & shown:
                trial = yield from attempt(base, before, item)
                if trial is not None and trial.run.status != REFUSED:
                    found.append(trial)
                    if before and trial.verdict == CURED:
                        break
        return found

    round_ = yield from each(run, ())
    while round_:
        best = min(round_, key=lambda trial: trial.rank)
        if best.verdict == CURED:
            yield from _pruned(run, best, task, trials, tried, budget)
            break
        if len(best.mitigations) >= DEEPEST or len(trials) >= budget:
            break
        round_ = yield from each(best.run, best.mitigations)
    return Remedy(run, stands_for, tuple(trials))


def _pruned(run: Run, cure: Trial, task: Task, trials: list[Trial], tried: set[str], budget: int) -> Search[None]:
    """Take out of a combination of three or more what it does not need; of two, each was tried alone."""
    while len(set(cure.mitigations)) > 2:
        for item in dict.fromkeys(cure.mitigations[:-1]):
            kept = tuple(other for other in cure.mitigations if other is not item)
            settings = dict(cure.settings)
            for name in item.change(run, task):
                settings.pop(name, None)
            configuration = run.configuration.changed(**settings)
            if configuration.fingerprint in tried or len(trials) >= budget:
                continue
            tried.add(configuration.fingerprint)
            trial = _judged(run, run, kept, (yield Experiment(configuration, MITIGATION)))
            trials.append(trial)
            if trial.verdict == CURED:
                cure = trial
                break
        else:
            return


def _judged(failing: Run, base: Run, applied: tuple[Mitigation, ...], after: Run) -> Trial:
    """The trial, by what the last mitigation did for the run that it was added to."""
    old, new = failing.configuration.settings, after.configuration.settings
    settings = {name: value for name, value in new.items() if old.get(name) != value}
    better = BETTER if severity(after) < severity(base) else NO_HELP
    # A run that no longer overflows is not cured while it rises, or learns nothing; and a signature
    # that is gone from a run that ends where it ended before was not what held it up.
    ill = sick(after) or unstable(after) or idle(after)
    if failing.status not in BROKEN and after.status != CONVERGED:
        ill = ill or not last_loss(after) < PROGRESS * last_loss(failing)
    return Trial(applied, settings, after, better if ill else CURED)
