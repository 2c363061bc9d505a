"""Does training twice give the same model?

With the same configuration a training function must give the same losses and the same
weights, bit by bit: else no result can be reproduced, and no two runs can be compared.
A generator that is not seeded, the order of a set, and sums in the order in which threads
finish are the usual causes (P. Nagarajan, G. Warnell and P. Stone, Deterministic
Implementations for Reproducibility in Deep Reinforcement Learning, 2018).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..answers import DEFECT, HEALTHY, Answer
from ..tasks import State
from ..values import scalar
from . import Probe
from .subject import Subject, arrays

EPOCHS = 20
SEED = "seed all generators in the training function itself; for torch also torch.use_deterministic_algorithms(True)"


def history(subject: Subject, epochs: int = EPOCHS, **changes: Any) -> tuple[list[float], dict[str, Any]]:
    """Losses of the first epochs, and the parameters after them."""
    losses: list[float] = []
    state: State = {}
    with subject.training(**changes) as states:
        for state in states:
            losses.append(scalar(state["loss"]))
            if len(losses) >= epochs:
                break
        return losses, arrays(state)


def departure(one: list[float], other: list[float]) -> int | None:
    """The first epoch in which two histories differ; None where they do not."""
    pairs = enumerate(zip(one, other))
    differs = (number for number, (a, b) in pairs if a != b and not (math.isnan(a) and math.isnan(b)))
    return next(differs, None if len(one) == len(other) else min(len(one), len(other)))


def distance(one: dict[str, Any], other: dict[str, Any]) -> tuple[float, str]:
    """Largest relative difference of two sets of arrays, and the array in which it is."""
    found = (0.0, "")
    for name in one.keys() & other.keys():
        a, b = one[name], other[name]
        if a.shape != b.shape:
            return math.inf, name
        size = float(np.abs(a).max(initial=0.0)) or 1.0
        apart = float(np.nan_to_num(np.abs(a - b), nan=0.0).max(initial=0.0)) / size
        found = max(found, (apart, name))
    return found


def ask(subject: Subject) -> Answer:
    first, second = history(subject), history(subject)
    epoch = departure(first[0], second[0])
    apart, name = distance(first[1], second[1])
    figures = {"epochs": float(len(first[0])), "largest relative difference": apart}
    if epoch is None and not apart:
        weights = sum(item.size for item in first[1].values())
        said = f"trained twice, the losses of {len(first[0])} epochs and {weights} weights are the same bit for bit"
        return Answer("", HEALTHY, said, figures=figures)
    if epoch is None:
        return Answer("", DEFECT, f"the losses agree, and {name} differs by {apart:.2g} of its size", SEED, figures)
    pairs = list(zip(first[0], second[0]))
    losses = f"{pairs[epoch][0]:.9g} and {pairs[epoch][1]:.9g}" if epoch < len(pairs) else "one has ended"
    besides = f"; after {len(first[0])} epochs {name} differs by {apart:.2g} of its size" if name and apart else ""
    figures["first epoch that differs"] = float(epoch)
    return Answer(
        "", DEFECT, f"trained twice, the losses differ from epoch {epoch} on: {losses}{besides}", SEED, figures
    )


PROBE = Probe("repeatable", "Does training twice give the same model?", ask)
