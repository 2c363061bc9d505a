"""Tracing torch: every operation below autograd, with its source line and layer.

A `TorchDispatchMode` sees each operation that is really computed, backward ones
included. The true value of a tensor is a float64 tensor, kept as long as the tensor
itself (weak keys); views of a tensor have views of its true value, so that writing in
place is seen through both. Each storage remembers the version that its true value
belongs to: a write that was not seen makes the true value start anew. Operations that
draw random numbers are never computed twice. float64 tensors have no wider type in
torch: for them ranges and births are recorded alone.

A backward operation is attributed to the forward line it belongs to, by autograd's
sequence number: the node that runs backward was made by the operation that ran just
before with that number.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch  # type: ignore[import-not-found,unused-ignore]
from torch.utils._python_dispatch import TorchDispatchMode  # type: ignore[import-not-found,unused-ignore]
from torch.utils._pytree import tree_flatten, tree_map  # type: ignore[import-not-found,unused-ignore]
from torch.utils.weak import WeakTensorKeyDictionary  # type: ignore[import-not-found,unused-ignore]

from .events import Birth, Event, Ledger
from .position import Place

REMEMBERED = 100_000
"""Forward operations whose lines are kept for the backward pass."""
NARROW = (torch.float32, torch.float16, torch.bfloat16)
MOVES = set(
    "view _unsafe_view reshape t transpose permute expand slice select unsqueeze squeeze clone detach copy_ alias"
    " cat stack split unbind as_strided index gather _to_copy lift_fresh empty zeros ones full zeros_like ones_like"
    " empty_like new_zeros new_ones new_empty fill_ zero_ arange scalar_tensor embedding where masked_fill".split()
)
SOURCES = ("empty", "empty_like", "new_empty", "empty_strided")
POLES = ("div", "reciprocal", "log", "log2", "log10", "log1p", "rsqrt", "pow", "atanh")
AWAY = {"log1p": (-1.0,), "atanh": (-1.0, 1.0)}
"""Poles that are not at zero."""
NEVER_ZERO = ("exp", "exp2")
DIFFERENCES = ("add", "sub", "rsub")


class Layers:
    """Path of the module whose forward is running, by global hooks."""

    def __init__(self) -> None:
        self._stack: list[tuple[Any, str]] = []
        self._hooks: list[Any] = []

    def __enter__(self) -> Layers:
        hooks = torch.nn.modules.module
        self._hooks = [
            hooks.register_module_forward_pre_hook(self._enter),
            hooks.register_module_forward_hook(self._leave, always_call=True),
        ]
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def _enter(self, module: Any, _: Any) -> None:
        self._stack.append((module, self._name(module)))

    def _leave(self, module: Any, *_: Any) -> None:
        if self._stack and self._stack[-1][0] is module:
            self._stack.pop()

    def _name(self, module: Any) -> str:
        kind = type(module).__name__
        if not self._stack:
            return kind
        parent, path = self._stack[-1]
        for name, child in parent.named_modules():
            if child is module and name:
                return f"{path}.{name}"
        return f"{path}.{kind}"

    @property
    def path(self) -> str:
        return self._stack[-1][1] if self._stack else ""


class Tracer(TorchDispatchMode):  # type: ignore[misc,unused-ignore]
    """Records in a ledger, with a shadow where the ledger asks for one."""

    def __init__(self, ledger: Ledger, layers: Layers) -> None:
        super().__init__()
        self.ledger = ledger
        self.layers = layers
        self.shadow = ledger.shadow
        self._truths: Any = WeakTensorKeyDictionary()
        self._versions: dict[int, int] = {}
        self._forward: OrderedDict[int, tuple[Place, str]] = OrderedDict()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = str(func.overloadpacket.__name__) if hasattr(func, "overloadpacket") else str(func)
        inputs = [item for item in tree_flatten((args, kwargs))[0] if isinstance(item, torch.Tensor)]
        if any(not _is_plain(item) for item in inputs):
            return func(*args, **kwargs)
        true_args: Any = None
        true_kwargs: Any = {}
        if self.shadow and _is_repeatable(func, inputs) and name not in SOURCES:
            true_args, true_kwargs = tree_map(self._true, args), tree_map(self._true, kwargs)
        mutable = bool(getattr(getattr(func, "_schema", None), "is_mutable", False))
        before = [_span(item) if _is_real(item) else None for item in inputs] if mutable else None
        near = self._near(func, args, kwargs, name) if true_args is not None and not mutable else None
        result = func(*args, **kwargs)
        outputs = [item for item in tree_flatten(result)[0] if isinstance(item, torch.Tensor)]
        true = None
        if true_args is not None:
            try:
                true = func(*true_args, **true_kwargs)
            except Exception as error:
                self.ledger.lost[f"aten.{name}: {type(error).__name__}"] += 1
        true_outputs = [item for item in tree_flatten(true)[0] if isinstance(item, torch.Tensor)]
        if len(true_outputs) != len(outputs):
            true_outputs = [None] * len(outputs)
        for output, wide in zip(outputs, true_outputs):
            self._keep(output, wide)
        if name not in MOVES:
            nears = [item for item in tree_flatten(near)[0] if isinstance(item, torch.Tensor)]
            nears = nears if len(nears) == len(outputs) else [None] * len(outputs)
            self._record(name, inputs, before, outputs, true_outputs, nears)
        return result

    def _true(self, value: Any) -> Any:
        """The true value of a tensor; float64 in place of a narrower type."""
        if isinstance(value, torch.Tensor) and value.dtype in NARROW:
            kept = self._truths.get(value)
            if kept is not None and kept.shape == value.shape and self._is_current(value):
                return kept
            wide = value.double()
            self._keep(value, wide)
            return wide
        return torch.float64 if isinstance(value, torch.dtype) and value in NARROW else value

    def _near(self, func: Any, args: Any, kwargs: Any, name: str) -> Any:
        """The operation on the true operands rounded to their own formats."""
        if name in MOVES:
            return None

        def rounded(value: Any) -> Any:
            known = isinstance(value, torch.Tensor) and value.dtype in NARROW
            return self._true(value).to(value.dtype) if known else value

        try:
            return func(*tree_map(rounded, args), **tree_map(rounded, kwargs))
        except Exception:  # a figure less
            return None

    def _keep(self, tensor: Any, wide: Any) -> None:
        if not self.shadow or tensor.dtype not in NARROW:
            return
        if wide is not None and wide.shape == tensor.shape and wide.dtype == torch.float64:
            self._truths[tensor] = wide
            self._versions[_storage(tensor)] = _version(tensor)
        else:
            self._truths.pop(tensor, None)

    def _is_current(self, tensor: Any) -> bool:
        return self._versions.get(_storage(tensor), -1) == _version(tensor)

    def _where(self) -> tuple[Place, str, str]:
        """Place, layer, and whether it is a backward operation."""
        node = torch._C._current_autograd_node() if hasattr(torch._C, "_current_autograd_node") else None
        if node is not None:
            known = self._forward.get(node._sequence_nr())
            if known is not None:
                return known[0], known[1], "backward:"
            return self.ledger.scope.place(2), self.layers.path, "backward:"
        place, layer = self.ledger.scope.place(2), self.layers.path
        if torch.is_grad_enabled():
            self._forward[torch.autograd._get_sequence_nr() - 1] = place, layer
            if len(self._forward) > REMEMBERED:
                self._forward.popitem(last=False)
        return place, layer, ""

    def _record(self, name: str, inputs: Any, before: Any, outputs: Any, truths: Any, nears: Any) -> None:
        floating = [
            (output, wide, near)
            for output, wide, near in zip(outputs, truths, nears)
            if _is_real(output) and output.numel()
        ]
        decided = [(output, wide) for output, wide in zip(outputs, truths) if not _is_real(output) and wide is not None]
        if not floating and not decided:
            return
        place, layer, direction = self._where()
        event = self.ledger.event(f"{direction}{name}", place, layer)
        for output, wide in decided:
            if output.shape == wide.shape and bool((output != wide).any()):
                event.flips += 1
        spans = before or [_span(item) if _is_real(item) else None for item in inputs]
        for low, high in (span for span in spans if span is not None):
            if high - low < np.inf:
                event.operands.widen(low, high)
        for output, wide, near in floating:
            self._observe(event, name, inputs, spans, output, wide, near)

    def _observe(self, event: Event, name: str, inputs: Any, spans: Any, output: Any, wide: Any, near: Any) -> None:
        event.eps = torch.finfo(output.dtype).eps
        low, high = _span(output)
        finite = high - low < np.inf
        base = name.rstrip("_")
        if finite:
            event.result.widen(low, high)
        elif _is_born(spans, output):
            self._birth(event, base, inputs, spans, output, wide, near)
        if low <= 0 <= high:
            self._zeros(event, base, spans, output, wide)
        if wide is None or wide.shape != output.shape:
            return
        event.total = max(event.total, _error(output, wide))
        if near is not None:
            local = _error(near, wide)
            if local > event.local:
                event.local, event.worst = local, (_shown(spans), _shown([(low, high)]))
        if base in DIFFERENCES and finite:
            size = max((max(abs(a), abs(b)) for a, b in (span for span in spans if span)), default=0.0)
            largest = max(abs(low), abs(high))
            if 0 < largest < size:
                event.cancelled = max(event.cancelled, float(np.log2(size / largest)))

    def _birth(self, event: Event, base: str, inputs: Any, spans: Any, output: Any, wide: Any, near: Any) -> None:
        nan = _has_nan(output)
        operand = spans[-1] if base == "div" and spans else spans[0] if spans else None
        zero = operand is not None and any(operand[0] <= at <= operand[1] for at in AWAY.get(base, (0.0,)))
        kind = "nan" if nan else "pole" if base in POLES and zero else "overflow"
        event.nans += kind == "nan"
        event.poles += kind == "pole"
        event.overflows += kind == "overflow"
        if event.birth is not None:
            return
        true_is_finite = None
        if wide is not None and wide.shape == output.shape:
            true_is_finite = bool((torch.isfinite(wide) & ~torch.isfinite(output)).any())
        false_zero = any(
            kept is not None and bool(((item == 0) & (kept != 0)).any())
            for item, kept in ((item, self._truths.get(item)) for item in inputs if item.dtype in NARROW)
            if kept is None or kept.shape == item.shape
        )
        result = "nan" if nan else "inf" if float(_span(output)[1]) == np.inf else "-inf"
        inherited = near is not None and bool(torch.isfinite(near[~torch.isfinite(output)]).all())
        event.birth = Birth(self.ledger.number, kind, _shown(spans), result, true_is_finite, false_zero, inherited)

    def _zeros(self, event: Event, base: str, spans: Any, output: Any, wide: Any) -> None:
        if wide is not None and wide.shape == output.shape:
            false = bool(((output == 0) & (wide != 0)).any())
        else:
            false = base in NEVER_ZERO and all(span is None or span[0] > -np.inf for span in spans)
            false = false and bool((output == 0).any())
        if false:
            event.underflows += 1
            event.zero = event.zero or Birth(self.ledger.number, "underflow", _shown(spans), "0.0", True)


def _is_plain(tensor: Any) -> bool:
    return type(tensor) in (torch.Tensor, torch.nn.Parameter) and not tensor.is_meta and tensor.layout == torch.strided


def _is_real(tensor: Any) -> bool:
    return _is_plain(tensor) and tensor.is_floating_point()


def _is_repeatable(func: Any, inputs: Any) -> bool:
    """Whether it has tensors to start from, narrow ones, and draws no random numbers."""
    seeded = torch.Tag.nondeterministic_seeded in getattr(func, "tags", ())
    return not seeded and any(item.dtype in NARROW for item in inputs)


def _is_born(spans: Any, output: Any) -> bool:
    """Whether inf or nan was made here, and not handed on."""
    known = [span for span in spans if span is not None]
    if all(high - low < np.inf for low, high in known):
        return True
    return _has_nan(output) and not any(np.isnan(low) for low, _ in known)


def _storage(tensor: Any) -> int:
    return int(tensor.untyped_storage()._cdata)


def _version(tensor: Any) -> int:
    return -2 if tensor.is_inference() else int(tensor._version)


def _span(tensor: Any) -> tuple[float, float]:
    if not tensor.numel():
        return (0.0, 0.0)
    low, high = torch.aminmax(tensor.detach())
    return float(low), float(high)


def _has_nan(tensor: Any) -> bool:
    return bool(torch.isnan(tensor).any())


def _shown(spans: Any) -> str:
    """Operands in words, as `measure.render` does."""
    words = []
    for span in spans:
        if span is not None:
            low, high = span
            words.append(f"{low:.6g}" if low == high else f"max {max(abs(low), abs(high)):.4g}")
    return ", ".join(words)


def _error(values: Any, truth: Any) -> float:
    """Largest error relative to the largest true value; an infinity is right beyond the format."""
    limits = torch.finfo(values.dtype)
    wide, true = values.detach().double(), truth.detach()
    beyond = ~torch.isfinite(true) | (true.abs() > limits.max)
    if bool((~torch.isfinite(wide) & ~beyond).any()):
        return float("inf")
    comparable = torch.isfinite(wide) & ~beyond
    if not bool(comparable.any()):
        return 0.0
    zero = torch.zeros((), dtype=torch.float64)
    scale = torch.where(comparable, true.abs(), zero).max().clamp_min(limits.tiny)
    return float((torch.where(comparable, (wide - true).abs(), zero) / scale).max())


@contextmanager
def tracing(ledger: Ledger) -> Iterator[Tracer]:
    """Record every torch operation of the ``with`` block in `ledger`."""
    with Layers() as layers, Tracer(ledger, layers) as tracer:
        yield tracer
