"""torch as an arithmetic: the same code in float64 throughout, or with its inputs as leaves of a gradient.

torch code cannot compute on exact numbers, so its reference is itself in a wider format.
Lifting the inputs alone does not reach it: constants, ``torch.zeros(n)``, ``.half()`` and
autocast bring the narrow formats back. `Wide` therefore sets the default to float64 and
meets every operation on its way to the kernel (``TorchDispatchMode``), where a request
for a narrow format becomes one for float64; a backward pass is met there too.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import ModuleType
from typing import Any

import numpy as np

from . import leaves
from .arithmetic import Arithmetic
from .formats import FLOAT32, FLOAT64, Format
from .stubs import installed


def ready() -> None:
    """Import what torch imports when a dispatch mode is first used: seconds that no deadline should cut in two."""
    with suppress(Exception):
        importlib.import_module("torch._dynamo")


class Given(Arithmetic):
    """Native arithmetic on the inputs as they are: nothing is cast."""

    def lift(self, value: Any) -> Any:
        return leaves.mapped(lambda leaf: leaf.copy() if isinstance(leaf, np.ndarray) else leaf, value)


class Wide(Arithmetic):
    """Every floating-point number of torch in float64, whatever the code asks for.

    Parameters
    ----------
    form : Format
        What objects are prepared in, before the widening: layers draw other weights in another format.

    Attributes
    ----------
    undefined : list of str
        Operations on numbers for which they have no value, in order: ``"log(0)"`` is a pole,
        ``"log of a negative number"`` lies outside the domain.
    """

    exact = False

    def __init__(self, form: Format = FLOAT64) -> None:
        super().__init__(form)
        self.name = "torch in float64"
        self.undefined: list[str] = []

    def _lift_leaf(self, value: Any) -> Any:
        if isinstance(value, (np.ndarray, np.floating)) and value.dtype.kind == "f":
            return value.astype(np.float64)
        return value

    @contextmanager
    def patched(self, modules: Iterable[ModuleType]) -> Iterator[None]:
        torch = installed("torch")
        if torch is None:
            yield
            return
        before = torch.get_default_dtype()
        torch.set_default_dtype(torch.float64)
        try:
            with ExitStack() as stack:
                stack.enter_context(_widening(self.undefined))
                yield
        finally:
            torch.set_default_dtype(before)


class Tracked(Arithmetic):
    """Floating-point inputs as leaf tensors that ask for a gradient; the results keep their graph.

    Parameters
    ----------
    form : Format

    Attributes
    ----------
    tracked : dict of str to Tensor
        The leaves of the last `lift`, by the name of the input.
    results : list of Tensor
        What the last run returned that depends on them.
    """

    def __init__(self, form: Format = FLOAT32) -> None:
        super().__init__(form)
        self.name = f"torch gradients in {form.name}"
        self.tracked: dict[str, Any] = {}
        self.results: list[Any] = []

    def lower(self, value: Any) -> Any:
        for item in value if isinstance(value, (list, tuple)) else (value,):
            if getattr(item, "requires_grad", False) and getattr(item, "grad_fn", None) is not None:
                self.results.append(item)
        return value

    def lift(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return super().lift(value)
        self.tracked = {}
        lifted = {}
        for name, item in value.items():
            if isinstance(item, np.ndarray) and item.dtype.kind == "f":
                lifted[name] = self.tracked[name] = self._leaf(item)
            else:
                lifted[name] = super().lift(item)
        return lifted

    def _leaf(self, item: Any) -> Any:
        import torch

        rounded = torch.from_numpy(np.array(self.format.round(item)))
        return rounded.to(getattr(torch, self.format.name)).requires_grad_()

    @contextmanager
    def patched(self, modules: Iterable[ModuleType]) -> Iterator[None]:
        import torch

        before = torch.get_default_dtype()
        torch.set_default_dtype(getattr(torch, self.format.name))
        try:
            with ExitStack() as stack:
                if self.format is FLOAT64:
                    stack.enter_context(_widening())
                stack.enter_context(torch.enable_grad())
                yield
        finally:
            torch.set_default_dtype(before)


def _widening(undefined: list[str] | None = None) -> Any:
    """A dispatch mode in which no operation makes a number narrower than float64; it notes where there is no value."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_map

    narrow = {torch.float32, torch.float16, torch.bfloat16}

    def widened(item: Any) -> Any:
        if isinstance(item, torch.dtype) and item in narrow:
            return torch.float64
        if isinstance(item, torch.Tensor) and item.dtype in narrow:
            return item.to(torch.float64)
        return item

    class Widening(TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func is torch.ops.aten._to_copy.default and (kwargs or {}).get("dtype") is torch.float64:
                return func(*args, **(kwargs or {}))
            args = tree_map(widened, args)
            if undefined is not None:
                undefined.extend(_undefined(func.overloadpacket.__name__, args))
            return func(*args, **tree_map(widened, kwargs or {}))

    return Widening()


LOGARITHMS = ("log", "log2", "log10")
SPREADS = ("std", "var", "std_mean", "var_mean")
DIVISIONS = ("div", "true_divide", "reciprocal", "rsqrt")


def _undefined(name: str, args: Any) -> Iterator[str]:
    """What of an operation of torch has no value, in words."""
    import torch

    operand = args[-1] if name == "div" and len(args) > 1 else args[0] if args else None
    if isinstance(operand, (int, float)):
        operand = torch.tensor(float(operand))
    if not isinstance(operand, torch.Tensor) or operand.dtype.is_complex or operand.device.type == "meta":
        return
    if name in (*LOGARITHMS, "sqrt", "rsqrt") and bool((operand < 0).any()):
        yield f"{name} of a negative number"
    elif name in SPREADS and operand.numel() <= 1:
        yield f"{name} of {operand.numel()} numbers: 0 / 0"
    elif name == "mean" and operand.numel() == 0:
        yield "mean of nothing: 0 / 0"
    elif name in LOGARITHMS and bool((operand == 0).any()):
        yield f"{name}(0)"
    elif name in DIVISIONS and bool((operand == 0).any()):
        yield "division by zero"
