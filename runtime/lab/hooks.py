"""What a torch module tells of itself: parameters, gradients, and activations by forward hooks.

The hooks are installed when a module is yielded for the first time, so activations are known
from the second epoch on. A module that is called several times in a forward pass, as the cell
of a recurrent network is, has all its outputs together.
"""

from __future__ import annotations

import copy
import importlib
from collections.abc import Mapping
from typing import Any

FUNCTIONS = {"Tanh": "tanh", "Sigmoid": "sigmoid", "ReLU": "relu", "Hardtanh": "hardtanh"}


class Hooks:
    """Watches the leaves of a module.

    Parameters
    ----------
    model : torch.nn.Module
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.inputs: tuple[Any, ...] = ()
        self._outputs: dict[str, list[Any]] = {}
        self._handles = [model.register_forward_pre_hook(self._begin), *watched(model, self._outputs)]

    def _begin(self, module: Any, inputs: tuple[Any, ...]) -> None:
        self._outputs.clear()
        self.inputs = inputs

    @property
    def activations(self) -> dict[str, Any]:
        """The outputs of the last forward pass, by module path."""
        return together(self._outputs)

    @property
    def bounds(self) -> dict[str, str]:
        """The functions of the modules that have bounds, by path."""
        kinds = {name: type(module).__name__ for name, module in self.model.named_modules()}
        return {name: FUNCTIONS[kind] for name, kind in kinds.items() if kind in FUNCTIONS}

    def shadow(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Activations on the last inputs in the module's own format, and in float64, both as in evaluation."""
        torch = importlib.import_module("torch")
        found = []
        for wide in (False, True):
            twin = copy.deepcopy(self.model)
            for module in twin.modules():
                module._forward_hooks.clear()
                module._forward_pre_hooks.clear()
            twin.eval()
            outputs: dict[str, list[Any]] = {}
            watched(twin, outputs)
            inputs = self.inputs
            if wide:
                twin.double()
                inputs = tuple(item.double() if getattr(item, "is_floating_point", bool)() else item for item in inputs)
            with torch.no_grad():
                twin(*inputs)
            found.append(together(outputs))
        return found[0], found[1]

    def close(self) -> None:
        for handle in self._handles:
            handle.remove()


def watched(model: Any, outputs: dict[str, list[Any]]) -> list[Any]:
    """Hooks on all leaves that keep their outputs; the handles by which they are removed."""

    def hook(name: str) -> Any:
        def keep(module: Any, inputs: Any, output: Any) -> None:
            if hasattr(output, "detach") and output.is_floating_point():
                outputs.setdefault(name, []).append(output.detach())

        return keep

    leaves = [(name, module) for name, module in model.named_modules() if name and not list(module.children())]
    return [module.register_forward_hook(hook(name)) for name, module in leaves]


def together(outputs: Mapping[str, list[Any]]) -> dict[str, Any]:
    """One tensor for each module: all its outputs of a forward pass, below each other where their shapes allow it."""
    torch = importlib.import_module("torch")
    found = {}
    for name, items in outputs.items():
        alike = len({tuple(item.shape[1:]) for item in items}) == 1
        found[name] = torch.cat(items) if alike and len(items) > 1 else items[-1]
    return found


def state_of(model: Any) -> dict[str, Any]:
    """Parameters and gradients of a module by name, as the monitor takes them."""
    named = list(model.named_parameters())
    return {
        "parameters": dict(named),
        "gradients": {name: p.grad for name, p in named if p.grad is not None},
    }
