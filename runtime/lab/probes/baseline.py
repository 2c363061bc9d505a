"""Does the model do better than one that any reader can check?

Two baselines on the training data: the constant (the mean, or the most frequent class), and a
linear model by least squares, on indicators where there are classes. A model that loses to
the constant has learnt nothing; one that loses to a straight line, which is among the models
that most networks contain, is not trained as it could be (T. Hastie, R. Tibshirani and
J. Friedman, The Elements of Statistical Learning, 2009, section 4.2).
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..answers import DEFECT, HEALTHY, Answer
from ..values import numbers
from . import Probe
from .subject import CannotAsk, Subject

EPOCHS = 10_000
MARGIN = 0.02
"""By how much a model may do worse than the line: it is regularised, or stops early, for a reason."""
CLASSES = 50
"""Whole numbers with no more values than this are classes."""
NEEDED = "yield predictions and target for the training data, and design (the features) for the comparison with a line"


@dataclass(frozen=True)
class Data:
    """Outputs of a model, what they should be, and the features."""

    outputs: Any
    target: Any
    design: Any = None

    @property
    def classes(self) -> bool:
        values = np.unique(self.target)
        return bool((self.target == np.rint(self.target)).all()) and 2 <= len(values) <= min(
            CLASSES, len(self.target) // 2
        )


def ask(subject: Subject) -> Answer:
    state = subject.last(EPOCHS)
    if "model" in state and "objective" not in state and "target" in state and "predictions" not in state:
        state = _called(subject, state)
    data = _data(state)
    if not np.isfinite(data.outputs).all():
        return Answer("", DEFECT, "the model's outputs are not finite", "see which signature the lab names", {})
    measure, score = ("share of right classes", _share) if data.classes else ("R^2", _determination)
    mine = score(data.outputs, data)
    constant = max(float((data.target == c).mean()) for c in np.unique(data.target)) if data.classes else 0.0
    figures = {measure: mine, "of a constant": constant}
    if data.design is not None:
        line = figures["of a line"] = score(_fitted(data), data)
    else:
        line = constant
    shown = ", ".join(f"{name} {value:.3g}" for name, value in figures.items())
    if mine <= constant:
        return Answer(
            "", DEFECT, f"no better than a constant: {shown}", "nothing was learnt: probe overfit next", figures
        )
    if mine < line - MARGIN:
        said = f"worse than a line through the same data: {shown}"
        return Answer("", DEFECT, said, "train longer or with another rate; scale the features; probe overfit", figures)
    return Answer("", HEALTHY, shown, figures=figures)


def _called(subject: Subject, state: Mapping[str, Any]) -> Mapping[str, Any]:
    """The state with what the module of torch makes of its last inputs."""
    torch = importlib.import_module("torch")
    model, inputs, state = subject.model(EPOCHS, NEEDED)
    was = model.training
    with torch.no_grad():
        made = model.eval()(*inputs)
    model.train(was)
    outputs = made[0] if isinstance(made, (tuple, list)) else made
    if len(outputs) != len(state["target"]):
        raise CannotAsk(f"the model's last inputs are {len(outputs)} of {len(state['target'])} examples", NEEDED)
    features = {"design": inputs[0]} if "design" not in state and inputs[0].is_floating_point() else {}
    return {**features, **state, "predictions": outputs}


def _data(state: Mapping[str, Any]) -> Data:
    objective = state.get("objective")
    if objective is not None:  # a built-in task
        y = np.asarray(objective.data.y)
        target = y.argmax(axis=1) if y.ndim == 2 else y
        names = state.get("parameters") or dict(state["model"].named_parameters())
        shown = objective.activations({name: numbers(item).values for name, item in names.items()})
        return Data(np.asarray(list(shown.values())[-1]), target, np.asarray(objective.data.X))
    if "target" not in state:
        raise CannotAsk("it yields no target to compare with", NEEDED)
    target = numbers(state["target"]).values
    outputs: Any = state.get("predictions")
    if outputs is None and "predict" in state and "inputs" in state:
        outputs = state["predict"](state["inputs"])
    if outputs is None and "design" in state and "parameters" in state:
        weights = [numbers(item).values for item in state["parameters"].values()]
        design = numbers(state["design"]).values
        if len(weights) == 1 and weights[0].shape[:1] == design.shape[1:]:
            outputs = design @ weights[0]
    if outputs is None:
        raise CannotAsk("it yields no predictions", NEEDED)
    design = state.get("design")
    if target.ndim == 2 and target.shape[1] > 1 and set(np.unique(target)) <= {0.0, 1.0}:
        target = target.argmax(axis=1).astype(np.float64)
    elif target.ndim > 1:
        target = target.reshape(len(target), -1)[:, 0]
    return Data(numbers(outputs).values, target, None if design is None else numbers(design).values)


def _share(outputs: Any, data: Data) -> float:
    """Share of right classes; outputs are classes, probabilities or logits."""
    if outputs.ndim == 2 and outputs.shape[1] > 1:
        return float((np.unique(data.target)[outputs.argmax(axis=1)] == data.target).mean())
    flat = outputs.reshape(len(data.target), -1)[:, 0]
    values = np.unique(data.target)
    if set(np.unique(flat)) <= set(values):
        return float((flat == data.target).mean())
    # One number for two classes is a probability or a logit: whichever threshold belongs to it.
    middle = 0.5 if flat.min() >= 0 and flat.max() <= 1 else 0.0
    return float(((flat > middle) == (data.target == values[-1])).mean())


def _determination(outputs: Any, data: Data) -> float:
    residual = outputs.reshape(len(data.target), -1)[:, 0] - data.target
    around = data.target - data.target.mean()
    return 1.0 - float(residual @ residual) / (float(around @ around) or 1.0)


def _fitted(data: Data) -> Any:
    """What a line gives for the same data: of classes a column of indicators each."""
    design = data.design.reshape(len(data.target), -1)
    deviation = design.std(axis=0)
    X = np.hstack([(design - design.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0), np.ones((len(design), 1))])
    y = (data.target[:, None] == np.unique(data.target)).astype(np.float64) if data.classes else data.target
    return X @ np.linalg.lstsq(X, y, rcond=None)[0]


PROBE = Probe("baseline", "Does the model do better than a constant, and than a line?", ask)
