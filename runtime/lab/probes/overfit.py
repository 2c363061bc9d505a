"""Can the model learn a few examples by heart?

A model with more weights than examples can, whatever they are: the loss must come close to
its least value. Where it does not, gradients do not reach the weights, labels are shuffled
against inputs, the loss is not that of the target, or the rate is far off (Karpathy, A Recipe
for Training Neural Networks, 2019: "overfit a single batch").
"""

from __future__ import annotations

import importlib
import math
from typing import Any

from ..answers import DEFECT, HEALTHY, Answer
from ..values import scalar
from . import Probe
from .subject import CannotAsk, Subject

ROWS, EPOCHS = 4, 500
REACHED = 0.05
"""Part of its first value below which the loss counts as overfitted."""
FACTORS = (1.0, 10.0, 0.1)
"""Of the learning rate: the probe is about the model, not about a rate that suits other data."""
LARGEST = 256
"""Examples of a closure that a model can be asked to learn by heart."""
SETTINGS = ("rows", "examples", "samples", "n_samples", "limit", "subset")
LOOK = (
    "look whether every weight gets a gradient, whether inputs and targets are still in the same order, and whether"
    " the loss takes what the model gives (logits or probabilities)"
)


def ask(subject: Subject) -> Answer:
    name = subject.setting(*SETTINGS)
    if name:
        return _by_setting(subject, name)
    state = subject.last(2)
    if "closure" not in state or "model" not in state:
        raise CannotAsk(
            "it can neither be told to train on a few examples, nor does it yield a closure",
            f"add a parameter rows=None that trains on the first rows only; or, in torch, yield the model and closure,"
            f" a function that returns the loss on one batch of at most {LARGEST} examples",
        )
    return _by_closure(subject)


def _by_setting(subject: Subject, name: str) -> Answer:
    settings = subject.configuration.settings
    if settings.get("data", "synthetic") != "synthetic" and ":" not in subject.task.name:
        raise CannotAsk("the rows of this data set are all used", f"--set data=synthetic, which {name} belongs to")
    lr, columns = settings.get("lr"), settings.get("columns")
    # A synthetic design has as many rows as columns at least; with an intercept there are still more weights.
    rows = max(ROWS, columns) if isinstance(columns, int) and columns else ROWS
    tried: list[tuple[float, float, float]] = []
    for factor in FACTORS if isinstance(lr, (int, float)) else (1.0,):
        changes: dict[str, Any] = {name: rows, "epochs": EPOCHS, "batch": None, "l2": 0.0, "stop": "none"}
        if isinstance(lr, (int, float)):
            changes["lr"] = lr * factor
        least = first = math.nan
        with subject.training(**changes) as states:
            for number, state in enumerate(states):
                loss = scalar(state["loss"])
                first = loss if number == 0 else first
                least = loss if not least <= loss else least
                if not math.isfinite(loss) or loss <= REACHED * first or number >= EPOCHS:
                    break
        tried.append((least / first if first else 0.0, first, factor))
        if tried[-1][0] <= REACHED:
            break
    share, first, factor = min(tried, key=lambda item: item[0] if math.isfinite(item[0]) else math.inf)
    return _judged(share, first, f"{rows} examples", f" with lr times {factor:g}" if factor != 1 else "")


def _by_closure(subject: Subject) -> Answer:
    torch = importlib.import_module("torch")
    model, inputs, state = subject.model(2, "yield the model")
    rows = len(inputs[0]) if hasattr(inputs[0], "__len__") else 1
    if rows > LARGEST:
        raise CannotAsk(
            f"the closure is over {rows} examples, which a right model need not be able to learn by heart",
            f"yield a closure over one batch of at most {LARGEST} examples",
        )
    closure = state["closure"]
    losses = []
    # Adam is indifferent to the scale of the gradients (Kingma and Ba, ICLR 2015): no rate has to be found.
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    model.train()
    for _ in range(EPOCHS):
        optimiser.zero_grad()
        loss = closure()
        if not loss.requires_grad:
            return Answer("", DEFECT, "the loss has no gradient: it is detached from the weights", LOOK)
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
        if not math.isfinite(losses[-1]) or losses[-1] <= REACHED * losses[0]:
            break
    least = min((loss for loss in losses if math.isfinite(loss)), default=math.nan)
    return _judged(least / losses[0] if losses[0] else 0.0, losses[0], f"a batch of {rows} examples", " by Adam")


def _judged(share: float, first: float, what: str, how: str) -> Answer:
    figures = {"first loss": first, "share of it that is left": share}
    if share <= REACHED:
        return Answer(
            "", HEALTHY, f"{what}: the loss falls to {100 * share:.2g} % of {first:.3g}{how}", figures=figures
        )
    if math.isnan(share):
        return Answer("", DEFECT, f"{what}: the loss is not finite{how}", LOOK, figures)
    said = f"{what} are not learnt by heart: {100 * share:.3g} % of the loss, {first:.3g}, is left after {EPOCHS} steps"
    return Answer("", DEFECT, said, LOOK, figures)


PROBE = Probe("overfit", "Can the model learn a few examples by heart?", ask)
