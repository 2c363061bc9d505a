"""The units of a torch module: each module with a forward pass of its own, under autocast or outside of it.

What is measured is what is recommended: a unit in the low format runs under `torch.autocast`,
one in float32 in a region in which autocast is disabled, with its inputs cast to float32
(torch documentation, Automatic Mixed Precision, "autocast(enabled=False)").
"""

from __future__ import annotations

import copy
import importlib
import math
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from ..answers import Unit
from ..probes.subject import CannotAsk, Subject
from . import Measured

EPOCHS = 5
"""After so many the model is taken: it is no longer as it was initialised, and its inputs are known."""
SCALES = 17
"""Powers of two of the loss scale, from 2**16 down to 1."""
SHARE = 1e-3
"""Gradients of an array that is smaller than this beside all of them are compared with all of them."""
FLUSHED = 0.01
"""Share of the gradients that are 0, and not 0 in the shadow, from which on the loss is by underflow."""
ROOT = "(model)"
NEEDED = "yield the model of torch, and train for two epochs at least"


def bench(subject: Subject, form: str) -> Modules:
    """The units of the model of a task, with its last inputs and the gradient of its loss by its outputs."""
    torch = importlib.import_module("torch")
    seen: dict[str, Any] = {}

    def tap(module: Any, inputs: Any, output: Any) -> None:
        seen["inputs"] = inputs
        if hasattr(output, "register_hook") and output.requires_grad:
            output.register_hook(lambda grad: seen.__setitem__("cotangent", (grad.detach().clone(), len(inputs[0]))))

    handle = None
    model = None
    try:
        with subject.training() as states:
            for number, state in enumerate(states, 1):
                model = state.get("model")
                if model is None:
                    raise CannotAsk("it yields no model", NEEDED)
                handle = handle or model.register_forward_hook(tap)
                if number >= EPOCHS and "inputs" in seen:
                    break
    finally:
        if handle is not None:
            handle.remove()
    if "inputs" not in seen:
        raise CannotAsk("its model is not called after the first epoch", NEEDED)
    cotangent, rows = seen.get("cotangent", (None, 0))
    same = cotangent is not None and rows == len(seen["inputs"][0])
    return Modules(torch, model, seen["inputs"], cotangent if same else None, getattr(torch, form))


class Modules:
    """A module with its inputs, and what it computes in float64.

    Parameters
    ----------
    torch : module
    model : torch.nn.Module
    inputs : tuple
    cotangent : torch.Tensor or None
        Gradient of the loss by the outputs; a random one is taken where it is not known.
    dtype : torch.dtype
    """

    backend = "torch"

    def __init__(self, torch: Any, model: Any, inputs: Any, cotangent: Any, dtype: Any) -> None:
        self.torch = torch
        self.dtype = dtype
        parameter = next(iter(model.parameters()), None)
        self.device = parameter.device.type if parameter is not None else "cpu"
        self.model = self._twin(model).float()
        self.inputs = self._cast(inputs, torch.float32)
        self.units = [
            Unit(name or ROOT, type(module).__name__) for name, module in self.model.named_modules() if _runs(module)
        ]
        shadow = self._twin(model).double()
        self.outputs = self._tensors(shadow(*self._cast(inputs, torch.float64)))
        self.cotangents = self._cotangents(cotangent)
        self.gradients = self._gradients(shadow, self.outputs, 1.0)
        self.outputs = [item.detach() for item in self.outputs]

    def measure(self, low: Collection[str]) -> Measured:
        """See `Bench`."""
        origin: list[str] = []
        with self._arranged(set(low), origin):
            outputs = self._tensors(self.model(*self.inputs))
            error = max(
                (_relative(item.double() - exact, exact) for item, exact in zip(outputs, self.outputs)), default=0.0
            )
            if not math.isfinite(error):
                return Measured(math.inf, origin[0] if origin else "", "overflow")
            for power in range(SCALES - 1, -1, -1) if self.dtype is self.torch.float16 and low else (0,):
                scale = 2.0**power
                gradients = self._gradients(self.model, outputs, scale)
                wrong = self._compared(gradients)
                if math.isfinite(wrong):
                    break
        if not math.isfinite(wrong):
            return Measured(math.inf, "", "overflow", scale)
        return Measured(max(error, wrong), "", self._why(gradients), scale)

    @contextmanager
    def _arranged(self, low: set[str], origin: list[str]) -> Iterator[None]:
        """Each unit's forward pass in its format, for as long as the block lasts."""
        units = [(name or ROOT, module) for name, module in self.model.named_modules() if _runs(module)]
        for name, module in units:
            module.forward = self._wrapped(name, module.forward, name in low, origin)
        try:
            yield
        finally:
            for _, module in units:
                del module.forward

    def _wrapped(self, name: str, forward: Any, low: bool, origin: list[str]) -> Any:
        torch = self.torch

        def run(*arguments: Any, **named: Any) -> Any:
            if low:
                with torch.autocast(self.device, dtype=self.dtype, cache_enabled=False):
                    output = forward(*arguments, **named)
            else:
                with torch.autocast(self.device, enabled=False):
                    output = forward(*self._cast(arguments, torch.float32), **self._cast(named, torch.float32))
            if not origin and not all(bool(torch.isfinite(item).all()) for item in self._tensors(output)):
                origin.append(name)
            return output

        return run

    def _gradients(self, model: Any, outputs: list[Any], scale: float) -> list[Any]:
        """By the parameters, in float64 and without the scale."""
        torch = self.torch
        parameters = [p for p in model.parameters() if p.requires_grad]
        able = [(item, c) for item, c in zip(outputs, self.cotangents) if item.requires_grad]
        if not parameters or not able:
            return []
        found = torch.autograd.grad(
            [item for item, _ in able],
            parameters,
            [(c * scale).to(item.dtype) for item, c in able],
            retain_graph=True,
            allow_unused=True,
        )
        return [
            torch.zeros_like(p, dtype=torch.float64) if g is None else g.double() / scale
            for p, g in zip(parameters, found)
        ]

    def _cotangents(self, known: Any) -> list[Any]:
        torch = self.torch
        if known is not None and len(self.outputs) == 1 and known.shape == self.outputs[0].shape:
            return [known.double()]
        generator = torch.Generator().manual_seed(0)
        return [
            torch.randn(item.shape, generator=generator, dtype=torch.float64).to(item.device) / max(1, item.numel())
            for item in self.outputs
        ]

    def _compared(self, gradients: list[Any]) -> float:
        """The largest relative error of an array of gradients."""
        whole = math.sqrt(sum(float(exact.square().sum()) for exact in self.gradients))
        return max(
            (
                _relative(found - exact, exact, SHARE * whole)
                for found, exact in zip(gradients, self.gradients)
                if whole > 0
            ),
            default=0.0,
        )

    def _why(self, gradients: list[Any]) -> str:
        zeros = sum(int(((found == 0) & (exact != 0)).sum()) for found, exact in zip(gradients, self.gradients))
        total = sum(exact.numel() for exact in self.gradients)
        return "underflow" if zeros > FLUSHED * max(total, 1) else "rounding"

    def _cast(self, item: Any, dtype: Any) -> Any:
        """Floating tensors in a format, in whatever they are packed."""
        if isinstance(item, (tuple, list)):
            return type(item)([self._cast(part, dtype) for part in item])
        if isinstance(item, dict):
            return {key: self._cast(part, dtype) for key, part in item.items()}
        floating = isinstance(item, self.torch.Tensor) and item.is_floating_point()
        return item.to(dtype) if floating else item

    def _tensors(self, item: Any) -> list[Any]:
        if isinstance(item, (tuple, list)):
            return [tensor for part in item for tensor in self._tensors(part)]
        if isinstance(item, dict):
            return self._tensors(list(item.values()))
        return [item] if isinstance(item, self.torch.Tensor) and item.is_floating_point() else []

    @staticmethod
    def _twin(model: Any) -> Any:
        """A copy without hooks, as in evaluation: no dropout, and normalisation by what was learnt."""
        twin = copy.deepcopy(model)
        for module in twin.modules():
            module._forward_hooks.clear()
            module._forward_pre_hooks.clear()
        return twin.eval()


def _runs(module: Any) -> bool:
    """Whether a module computes something itself, and does not only call those that it holds."""
    return type(module).__name__ not in ("Sequential", "ModuleList", "ModuleDict", "Identity")


def _relative(error: Any, exact: Any, least: float = 0.0) -> float:
    size = max(float(exact.detach().norm()), least)
    apart = float(error.detach().norm())
    if not math.isfinite(apart):
        return math.inf
    return apart / size if size else 0.0 if not apart else math.inf
