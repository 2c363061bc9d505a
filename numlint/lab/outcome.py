"""What became of a run: how well it went, and how to say it in a line."""

from __future__ import annotations

import math

from numlint.lab.task import numeral
from numlint.runtime.lab.record import (
    CONVERGED,
    DIED,
    DIVERGED,
    EXHAUSTED,
    FAILED,
    REFUSED,
    STOPPED,
    TIMED_OUT,
    Epoch,
    Run,
)

BROKEN = (DIVERGED, FAILED, TIMED_OUT, DIED, REFUSED)
_RANK = {CONVERGED: 0, STOPPED: 1, EXHAUSTED: 1, DIVERGED: 3, FAILED: 4, TIMED_OUT: 4, DIED: 4, REFUSED: 5}
UNSTABLE = ("diverged", "exploding", "oscillating")
"""Phases that a step that is too long ends in."""
IDLE = ("plateau", "stalled", "vanishing", "saturating", "dead")
"""Phases in which nothing is learnt."""


def sick(run: Run) -> bool:
    """Whether a run needs a cure: it did not get through, or a signature of failure was named in it."""
    return run.status in BROKEN or bool(run.findings)


def unstable(run: Run) -> bool:
    """Whether the steps of a run were too long: it diverged, ends oscillating, or higher than it began."""
    if run.status in BROKEN:
        return True
    if run.status == CONVERGED:
        return False
    if run.phases and run.phases[-1].name in UNSTABLE:
        return True
    losses = [epoch.loss for epoch in run.epochs]
    return bool(losses) and not losses[-1] <= losses[0]


def descends(run: Run) -> bool:
    """Whether a run is a descent, with a learning rate that matters; a solver in closed form is not."""
    return str(run.configuration.settings.get("solver", "gd")) == "gd"


def idle(run: Run) -> bool:
    """Whether a run ended without having got anywhere, and was still not at its goal."""
    return run.status in (EXHAUSTED, STOPPED) and bool(run.phases) and run.phases[-1].name in IDLE


def severity(run: Run) -> tuple[int, int]:
    """Smaller is better: first how it ended, then how many signatures were named."""
    rank = _RANK.get(run.status, 5)
    return (2 if rank < 2 and (unstable(run) or idle(run)) else rank), len(
        {finding.signature for finding in run.findings}
    )


def signatures(run: Run) -> tuple[str, ...]:
    """The signatures named in a run, in the order of their epochs, each once."""
    ordered = sorted(run.findings, key=lambda finding: finding.epoch)
    return tuple(dict.fromkeys(finding.signature for finding in ordered))


def end(run: Run, *, brief: bool = False) -> str:
    """How a run ended: ``diverged (loss=inf at epoch 14)``; brief without the number of epochs that all have."""
    if run.status == CONVERGED:
        return "converged"
    if run.status == DIVERGED:
        worst = _worst(run)
        return f"diverged (loss={numeral(worst.loss)} at epoch {worst.epoch})" if worst else "diverged"
    if run.status in (EXHAUSTED, STOPPED):
        length = _epochs(len(run.epochs))
        verb = (
            f"stopped after {length}"
            if run.status == STOPPED
            else "not converged"
            if brief
            else f"not converged in {length}"
        )
        phase = run.phases[-1].name if run.phases else "healthy"
        besides = f", {phase}" if phase != "healthy" and phase not in signatures(run) else ""
        return f"{verb} (loss={numeral(last_loss(run))}{besides})"
    reason = " ".join(run.reason.split())
    return f"{run.status.replace('-', ' ')} ({reason})" if reason else run.status


def last_loss(run: Run) -> float:
    loss = run.final_loss if not math.isnan(run.final_loss) or not run.epochs else run.epochs[-1].loss
    return float(loss)


def _worst(run: Run) -> Epoch | None:
    """The epoch that shows a divergence: the first whose loss is not finite, else the one with the largest loss."""
    broken = next((epoch for epoch in run.epochs if not math.isfinite(epoch.loss)), None)
    return broken or max(run.epochs, key=lambda epoch: epoch.loss, default=None)


def _epochs(number: int) -> str:
    return f"{number} epoch" if number == 1 else f"{number} epochs"
