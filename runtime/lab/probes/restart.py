"""Does training that restarts from a checkpoint go on as if it had not stopped?

A checkpoint that lacks the state of the optimiser, of the learning-rate schedule, of the
generators or the position in the data is loaded without complaint, and what follows is
another training run.
"""

from __future__ import annotations

import copy

from ..answers import DEFECT, HEALTHY, Answer
from ..values import scalar
from . import Probe
from .repeatable import departure, distance, history
from .subject import CannotAsk, Subject, arrays

BEFORE, AFTER = 3, 3
"""Epochs before the checkpoint, and after it."""
NEEDED = (
    "yield {'checkpoint': state} with all that training depends on (weights, optimiser, schedule, generators, epoch),"
    " and go on from there where the parameter checkpoint is not None"
)


def ask(subject: Subject) -> Answer:
    if not subject.setting("checkpoint"):
        raise CannotAsk("it has no parameter checkpoint", f"add checkpoint=None, {NEEDED}")
    whole, weights = history(subject, BEFORE + AFTER)
    if len(whole) <= BEFORE:
        raise CannotAsk(f"it trains for {len(whole)} epochs only", f"let it train for {BEFORE + AFTER} epochs at least")
    if departure(whole, history(subject, BEFORE + AFTER)[0]) is not None:
        raise CannotAsk("two runs without a restart differ already", "make it repeatable first: see that probe")
    with subject.training() as states:
        for number, state in enumerate(states, 1):
            kept = state.get("checkpoint")
            if number == BEFORE:
                break
        if kept is None:
            raise CannotAsk("it yields no checkpoint", NEEDED)
        kept = copy.deepcopy(kept)
    losses = []
    with subject.training(checkpoint=kept) as states:
        for state in states:
            losses.append(scalar(state["loss"]))
            if len(losses) == len(whole) - BEFORE:
                break
        apart, name = distance(weights, arrays(state) if losses else {})
    epoch = departure(whole[BEFORE:], losses)
    figures = {"epochs before": float(BEFORE), "epochs after": float(len(losses)), "largest relative difference": apart}
    if epoch is None and not apart:
        said = f"restarted after {BEFORE} epochs, the next {len(losses)} are the same bit for bit"
        return Answer("", HEALTHY, said, figures=figures)
    if epoch is not None and epoch < min(len(losses), len(whole) - BEFORE):
        pair = f": the loss is {losses[epoch]:.6g} instead of {whole[BEFORE + epoch]:.6g}"
        begun = f"in epoch {BEFORE + epoch}, {_nth(epoch)} after the restart{pair}"
    elif epoch is not None:
        begun = f"in length: {len(losses)} epochs instead of {len(whole) - BEFORE}"
    else:
        begun = f"in {name}, by {apart:.2g} of its size"
    # The first epoch tells what is missing: wrong there, the weights or the data; right there, what moves them.
    lacking = "weights, position in the data, or generators" if epoch == 0 else "optimiser, schedule, or generators"
    if epoch is not None:
        figures["first epoch that differs"] = float(BEFORE + epoch)
    return Answer(
        "", DEFECT, f"a restarted run departs from the whole one {begun}", f"the checkpoint lacks {lacking}", figures
    )


def _nth(number: int) -> str:
    return ("the first", "the second", "the third")[number] if number < 3 else f"number {number + 1}"


PROBE = Probe("restart", "Does training that restarts from a checkpoint continue identically?", ask)
