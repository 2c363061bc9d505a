"""What is logged of an epoch, from what a training function yields.

A training function is a generator. It takes a configuration (a parameter that is named
``configuration`` or ``config``, or is the only one without a default), or settings by name::

    def train(lr=0.1, epochs=100, seed=0):
        ...
        for epoch in range(epochs):
            ...
            yield {"loss": loss, "parameters": {"w": w, "b": b}, "gradients": {"w": dw, "b": db}}

and for a torch module one line is enough::

            yield {"loss": loss, "model": model}

Of the items of the dict only the loss is needed:

``loss``
    Of this epoch, a number or a tensor.
``parameters``, ``gradients``
    Arrays by name; dots separate layer and array, as in ``"encoder.0.weight"``.
``updates``, ``before``
    What the last step added, and to what. Without them the update is the change of the
    parameters since the last epoch; its intended size is lr times gradient where there is a setting lr.
``activations``
    Arrays by layer, in the order of the forward pass.
``errors``
    Norms of the gradient of the loss by the activations of a layer.
``bounds``
    By layer the name of its function (``"tanh"``, ``"sigmoid"``, ``"relu"``), for saturation.
``model``
    A `torch.nn.Module`: parameters, gradients and, from the second epoch on, activations by
    forward hooks. `closure`, a function that returns the loss on the data of the epoch, adds
    the curvature.
``metrics``
    Numbers by name, such as an accuracy; kept with the epoch.
``design``, ``target``
    The matrix of a linear model, and what it is fitted to.
``rows``
    The examples of the last step, where it was not made on all of them.
``statistics``
    Arrays that cannot be negative in exact arithmetic, such as variances.

Births of inf, nan and zeros are counted by `watch`, and in torch by `torch_watch` where that is asked
for. Otherwise the arrays of torch in which such numbers are count.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..formats import FLOAT64
from . import watch
from .configuration import Configuration
from .hooks import Hooks, state_of
from .layers import layers, saturated
from .record import Epoch, Layer
from .values import Numbers, digits_lost, length, numbers, scalar, spacings
from .watch import Birth


@dataclass
class Observation:
    """An epoch with what the detectors look at besides its record.

    Attributes
    ----------
    epoch : Epoch
    births : list of Birth
    largest_gradient : float
        Largest norm of the gradient so far, this epoch included.
    largest_loss : float
        Largest loss of the epochs before.
    negative : dict of str to float
        The least value of each statistic that cannot be negative, where it is.
    reversal : float
        Cosine between this update and the last.
    dead_units : float
        Share of the units that are 0 for all examples, in the layer with relu that has most of them.
    flushed : dict of str to float
        Share of the entries of each gradient that are 0 and not 0 in float64, where that was looked at.
    """

    epoch: Epoch
    births: list[Birth] = field(default_factory=list)
    largest_gradient: float = math.nan
    largest_loss: float = math.nan
    negative: dict[str, float] = field(default_factory=dict)
    reversal: float = math.nan
    dead_units: float = 0.0
    flushed: dict[str, float] = field(default_factory=dict)


class Monitor:
    """Makes an `Observation` of each state; `seconds` is the processor time that this took."""

    def __init__(self, configuration: Configuration, layers: bool = True, shadow: bool = False) -> None:
        lr = configuration.settings.get("lr")
        self.lr = float(lr) if isinstance(lr, (int, float)) and not isinstance(lr, bool) else math.nan
        self.layers = layers
        self.shadow = shadow
        self.seconds = 0.0
        self.parameters: dict[str, Numbers] = {}
        self._before: dict[str, Any] = {}
        self._largest_loss = math.nan
        self._largest_gradient = math.nan
        self._update: Any = None
        self._hooks: Hooks | None = None

    def observe(self, number: int, state: Mapping[str, Any], births: list[Birth], seconds: float) -> Observation:
        """Log one epoch."""
        started = time.thread_time()
        with np.errstate(all="ignore"):
            observed = self._observed(number, self._told(state), births)
        observed.epoch.seconds = seconds
        self.seconds += time.thread_time() - started
        return observed

    def _told(self, state: Mapping[str, Any]) -> Mapping[str, Any]:
        """A state with what its torch module tells in place of the module."""
        model = state.get("model")
        if model is None:
            return state
        if self._hooks is None or self._hooks.model is not model:
            self._hooks = Hooks(model)
        told: dict[str, Any] = {**state_of(model), "activations": self._hooks.activations, "bounds": self._hooks.bounds}
        return {**told, **{name: item for name, item in state.items() if item or name not in told}}

    def close(self) -> None:
        """Take the hooks off the module."""
        if self._hooks is not None:
            self._hooks.close()

    def _observed(self, number: int, state: Mapping[str, Any], births: list[Birth]) -> Observation:
        parameters = {name: numbers(item) for name, item in state.get("parameters", {}).items()}
        self.parameters = parameters
        gradients = {name: numbers(item) for name, item in state.get("gradients", {}).items()}
        activations = {name: numbers(item) for name, item in state.get("activations", {}).items()}
        epoch = Epoch(number, loss=scalar(state.get("loss", math.nan)))
        epoch.metrics = {name: scalar(item) for name, item in state.get("metrics", {}).items()}
        observed = Observation(epoch, births)
        self._norms(observed, state, parameters, gradients)
        self._counts(observed, births, [*activations.values(), *gradients.values()])
        observed.largest_loss = self._largest_loss
        self._largest_loss = np.fmax(self._largest_loss, epoch.loss)
        if math.isfinite(epoch.gradient_norm):
            self._largest_gradient = np.fmax(self._largest_gradient, epoch.gradient_norm)
        observed.largest_gradient = self._largest_gradient
        if any(item.form is not FLOAT64 and item.lost > 0.5 for item in gradients.values()):
            observed.flushed = flushed(state, gradients)
        bounds = state.get("bounds", {})
        shares = {name: saturated(item.values, bounds[name]) for name, item in activations.items() if name in bounds}
        sizes = {name: activations[name].values.size for name in shares if bounds[name] != "relu"}
        observed.dead_units = max((shares[name] for name in shares if bounds[name] == "relu"), default=0.0)
        if sizes:
            epoch.saturated = sum(shares[name] * sizes[name] for name in sizes) / max(1, sum(sizes.values()))
        for name, item in state.get("statistics", {}).items():
            least = float(np.min(numbers(item).values, initial=math.inf))
            if least < 0:
                observed.negative[name] = least
        if self.layers:
            epoch.layers = layers(parameters, gradients, activations, shares)
            errors = state.get("errors", {})
            for layer in epoch.layers:
                if layer.name in errors:
                    layer.gradient_norm = scalar(errors[layer.name])
            if self.shadow:
                self._shadow(epoch.layers, state, activations)
        return observed

    def _shadow(self, layers: list[Layer], state: Mapping[str, Any], activations: Mapping[str, Numbers]) -> None:
        """Digits that each layer has lost against a forward pass in float64."""
        if self._hooks is not None and self._hooks.inputs:
            computed, exact = self._hooks.shadow()
            pairs = {name: (numbers(computed[name]), numbers(item)) for name, item in exact.items() if name in computed}
        elif "objective" in state and "before" in state and self._hooks is None:
            exact = state["objective"].activations(state["before"], state.get("rows", slice(None)))
            pairs = {name: (activations[name], numbers(item)) for name, item in exact.items() if name in activations}
        else:
            return
        for layer in layers:
            if layer.name in pairs:
                layer.digits_lost = digits_lost(*pairs[layer.name])

    def _norms(
        self,
        observed: Observation,
        state: Mapping[str, Any],
        parameters: dict[str, Numbers],
        gradients: dict[str, Numbers],
    ) -> None:
        epoch = observed.epoch
        if gradients:
            epoch.gradient_norm = length(gradients.values())
        if not parameters:
            return
        epoch.weight_norm = length(parameters.values())
        before = {name: numbers(item) for name, item in state.get("before", self._before).items()}
        made = {name: item.values - before[name].values for name, item in parameters.items() if name in before}
        if "updates" in state:
            intended = {name: numbers(item).values for name, item in state["updates"].items()}
        elif math.isfinite(self.lr) and gradients:
            intended = {name: self.lr * item.values for name, item in gradients.items() if name in parameters}
        else:
            intended = made
        self._before = {name: item.values.copy() for name, item in parameters.items()} if "before" not in state else {}
        if made:
            epoch.update_norm = math.sqrt(sum(float(np.square(item).sum()) for item in made.values()))
            epoch.update_ratio = epoch.update_norm / epoch.weight_norm if epoch.weight_norm else math.nan
        if intended:
            self._against_spacing(epoch, intended, before or parameters, parameters)
            flat = np.concatenate([item.ravel() for item in intended.values()])
            whole = isinstance(state.get("rows", slice(None)), slice)  # steps on different examples differ by chance
            if whole and self._update is not None and self._update.shape == flat.shape:
                product = math.sqrt(float(flat @ flat) * float(self._update @ self._update))
                observed.reversal = float(flat @ self._update) / product if product > 0 else math.nan
            self._update = flat

    @staticmethod
    def _against_spacing(
        epoch: Epoch, intended: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Numbers]
    ) -> None:
        """How large the updates are beside the spacing of the weights, and which share left them as they were."""
        ratios, lost, counted = [], 0, 0
        for name, update in intended.items():
            weights = before[name] if isinstance(before[name], Numbers) else numbers(before[name])
            form = after[name].form
            spacing = spacings(weights.values, form)
            moved = update != 0
            placed = moved & (weights.values != 0)  # an update to a zero weight is never lost
            ratios.append(np.abs(update[placed]) / spacing[placed])
            lost += int((moved & (form.round(weights.values + update) == weights.values)).sum())
            counted += int(moved.sum())
        together = np.concatenate(ratios) if ratios else np.empty(0)
        epoch.update_in_spacings = float(np.median(together)) if together.size else math.nan
        epoch.lost_updates = lost / counted if counted else 0.0

    @staticmethod
    def _counts(observed: Observation, births: list[Birth], arrays: list[Numbers]) -> None:
        counts = dict.fromkeys((watch.OVERFLOW, watch.UNDERFLOW, watch.INVALID, watch.DIVIDE), 0)
        for birth in births:
            counts[birth.kind] += birth.count
        seen = [item for item in arrays if item.foreign]
        epoch = observed.epoch
        epoch.overflows = (
            counts[watch.OVERFLOW] + counts[watch.DIVIDE] + sum(int(np.isinf(a.values).any()) for a in seen)
        )
        epoch.nans = counts[watch.INVALID] + sum(int(np.isnan(a.values).any()) for a in seen)
        epoch.underflows = counts[watch.UNDERFLOW] + sum(int(a.subnormal) for a in seen)


def flushed(state: Mapping[str, Any], gradients: Mapping[str, Numbers]) -> dict[str, float]:
    """Share of each gradient's entries that are 0 and should not be, by a gradient in float64 where there is one.

    Without one, a gradient that is 0 altogether counts, unless all are.
    """
    if "objective" not in state or "before" not in state:
        zero = {name: 0.0 if item.values.any() else 1.0 for name, item in gradients.items()}
        return zero if any(share == 0 for share in zero.values()) else {}
    exact = state["objective"].gradient({name: numbers(item).values for name, item in state["before"].items()})
    found = {}
    for name, item in gradients.items():
        should = (exact[name] != 0).ravel()
        found[name] = float((item.values.ravel()[should] == 0).mean()) if should.any() else 0.0
    return found
