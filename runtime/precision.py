"""The error of an expression before and after its rewrite, in each floating-point format.

Both are run on the confirming input, rounded to the format, and laid beside the exact value
for the numbers that are left after rounding. numpy code runs with every operation rounded
(`rounding`): a format is more than the type of its inputs. torch code runs in the format
natively. A Python number is a float64, and code that names its format has no other.

An input that a format cannot hold is brought into its range: 1e200 is to float64 what 1e25
is to float32, by the share of the exponents that it uses; 1e-10 what 1e-4 is, by the share
of the digits, where digits are what is lost. Where numbers that differ become equal even
so, there is nothing to be measured.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from .arithmetic import Arithmetic
from .autograd import Given, Wide
from .exhibit import Exhibit, harness_of
from .formats import FLOAT16, FLOAT32, FLOAT64, FORMATS, Format
from .harness import Harness, Outcome
from .leaves import leaves, mapped
from .rounding import Rounded
from .symptoms import Expected, numbers

RANGE = frozenset({"overflow", "underflow", "nan", "nan-gradient"})
"""Signatures that come of a format's range; the others come of its digits."""
NOT_MEASURED = frozenset({"non-determinism", "premature-stop", "never-stops"})
UNFOLLOWED = (TypeError, AttributeError, NotImplementedError)
Truths = Callable[[Harness, "dict[str, Any]"], Expected]


class Narrow(Given):
    """torch in one format: its default, and that of the inputs."""

    def __init__(self, form: Format) -> None:
        super().__init__(form)
        self.name = f"torch in {form.name}"

    def lift(self, value: Any) -> Any:
        import torch

        kind = getattr(torch, self.format.name)

        def lifted(leaf: Any) -> Any:
            if isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f":
                return torch.from_numpy(np.array(self.format.round(leaf))).to(kind)
            return super(Narrow, self)._lift_leaf(leaf) if isinstance(leaf, float) else leaf

        return mapped(lifted, value)

    @contextmanager
    def patched(self, modules: Iterable[ModuleType]) -> Iterator[None]:
        import torch

        before = torch.get_default_dtype()
        torch.set_default_dtype(getattr(torch, self.format.name))
        try:
            yield
        finally:
            torch.set_default_dtype(before)


def measured(exhibit: Exhibit, truths: Truths, seconds: float) -> dict[str, dict[str, Any]]:
    """The error before and after a rewrite, by the name of the format.

    Parameters
    ----------
    exhibit : Exhibit
        A rewrite; `original` is what it was made of.
    truths : callable
        True values of a harness, by inputs.
    seconds : float
        For each run.

    Returns
    -------
    dict
        ``{"float32": {"before": "nan", "after": 1.2e-07, "at": 1000.0}}``: a relative error, or how it
        fails; `at` is the largest magnitude among the inputs, where it is not that of the example.
    """
    if NOT_MEASURED & set(exhibit.signatures) or "jax" in exhibit.requires:
        return {}
    before = harness_of(exhibit.original, exhibit.call, requires=exhibit.requires)
    after = harness_of(exhibit.code, exhibit.call, requires=exhibit.requires)
    found = {}
    for form in _formats(exhibit, before):
        inputs = fitted(before.inputs, form, exhibit.signatures)
        if inputs is None:
            continue
        renamed = {name: inputs.get(name, value) for name, value in after.inputs.items()}
        wide = {name: mapped(_wide, value) for name, value in inputs.items()}
        truth = truths(before, wide)
        if not truth.defined:
            truth = truths(after, {name: mapped(_wide, value) for name, value in renamed.items()})
        errors = [
            _error(exhibit, _run(exhibit, harness, given, form, seconds), truth, form)
            for harness, given in ((before, inputs), (after, renamed))
        ]
        if None in errors:
            continue
        row: dict[str, Any] = dict(zip(("before", "after"), errors))
        if _largest(inputs) != _largest(before.inputs):
            row["at"] = _largest(inputs)
        found[form.name] = row
    return found


def _formats(exhibit: Exhibit, harness: Harness) -> Iterator[Format]:
    """The formats in which the code can run."""
    named = re.search(r"half\(|float16|float32", exhibit.original)
    if named:
        yield FLOAT32 if named.group() == "float32" else FLOAT16
    elif "torch" not in exhibit.requires and not re.search(r"\bnumpy\b|\bscipy\b", exhibit.original):
        yield FLOAT64
    else:
        yield from FORMATS.values()


def fitted(inputs: dict[str, Any], form: Format, signatures: Iterable[str]) -> dict[str, Any] | None:
    """The inputs in a format, brought into its range where it does not hold them; None where it cannot tell them apart.

    Examples
    --------
    >>> fitted({"x": 1e200}, FLOAT32, ["overflow"])  # doctest: +SKIP
    {"x": 1.07e25}
    """
    if not inputs or _held(inputs, form):
        return {name: mapped(lambda leaf: _rounded(leaf, form), value) for name, value in inputs.items()}
    ratio = math.log2(form.largest) / 1024 if RANGE & set(signatures) else form.precision / FLOAT64.precision

    def moved(leaf: Any) -> Any:
        array = np.asarray(leaf, np.float64)
        with np.errstate(all="ignore"):
            return _rounded(type(leaf)(_power(array, ratio)) if np.ndim(leaf) == 0 else _power(array, ratio), form)

    changed = {
        name: mapped(lambda leaf: moved(leaf) if _is_real(leaf) else leaf, item) for name, item in inputs.items()
    }
    return changed if _distinct(changed) == _distinct(inputs) and _held(changed, form) else None


def _power(array: Any, ratio: float) -> Any:
    return np.sign(array) * np.abs(array) ** ratio


def _is_real(leaf: Any) -> bool:
    return isinstance(leaf, (float, np.floating)) or (isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f")


def _rounded(leaf: Any, form: Format) -> Any:
    if isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f":
        return form.round(leaf)
    return float(form.round(leaf)) if isinstance(leaf, float) else leaf


def _wide(leaf: Any) -> Any:
    return leaf.astype(np.float64) if isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f" else leaf


def _held(inputs: dict[str, Any], form: Format) -> bool:
    """Whether the inputs stay finite, nonzero and different from each other in a format."""
    reals = [np.asarray(leaf, np.float64) for _, leaf in leaves(inputs) if _is_real(leaf)]
    rounded = [form.round(item).astype(np.float64) for item in reals]
    return all(
        np.array_equal(np.isfinite(one), np.isfinite(other)) and np.array_equal(one == 0, other == 0)
        for one, other in zip(reals, rounded)
    ) and [len(np.unique(item)) for item in reals] == [len(np.unique(item)) for item in rounded]


def _distinct(inputs: dict[str, Any]) -> list[int]:
    return [len(np.unique(np.asarray(leaf))) for _, leaf in leaves(inputs) if _is_real(leaf)]


def _largest(inputs: dict[str, Any]) -> float:
    sizes = [float(np.abs(np.asarray(leaf, np.float64)).max()) for _, leaf in leaves(inputs) if np.size(leaf)]
    return float(f"{max(sizes, default=0.0):.3g}")


def _run(exhibit: Exhibit, harness: Harness, inputs: dict[str, Any], form: Format, seconds: float) -> Outcome:
    """One run in a format."""
    arithmetic: Arithmetic = Narrow(form) if exhibit.requires else Given() if form is FLOAT64 else Rounded(form)
    if form.name in ("float16", "float32") and re.search(r"half\(|float16|float32", exhibit.original):
        arithmetic = Given()
    return harness.run(inputs, arithmetic, seconds)


def _error(exhibit: Exhibit, run: Outcome, truth: Expected, form: Format) -> float | str | None:
    """The relative error, or how it fails; None where the run is none of this format, or nothing tells."""
    if run.raised is not None:
        unfollowed = isinstance(run.raised, UNFOLLOWED) or "not implemented" in str(run.raised)
        return None if unfollowed else "raises"
    worst, said = None, ""
    got, true = list(numbers(run.outputs)), list(numbers(truth.outputs))
    if not truth.defined or [item.shape for item in got] != [item.shape for item in true]:
        bad = [item for item in got if not np.isfinite(item).all()]
        return None if not bad else "nan" if any(np.isnan(item).any() for item in bad) else "inf"
    for one, other in zip(got, true):
        there = np.abs(other) <= form.largest
        if np.isnan(one[there]).any():
            return "nan"
        if np.isinf(one[there]).any():
            said = "inf"
        if there.any() and not said:
            worst = max(worst or 0.0, _relative(one[there], other[there], form, exhibit.elementwise))
    return said or (None if worst is None else float(f"{worst:.3g}"))


def _relative(got: Any, true: Any, form: Format, elementwise: bool) -> float:
    kind = complex if "c" in (got.dtype.kind, true.dtype.kind) else np.longdouble
    size = np.abs(true.astype(kind))
    least = form.tiny / form.eps
    largest = max(float(size.max()), least) if size.any() else 1.0
    scale = np.where(size > least, size, largest) if elementwise else largest
    with contextlib.suppress(OverflowError), np.errstate(all="ignore"):
        return float((np.abs(got.astype(kind) - true.astype(kind)) / scale).max())
    return math.inf
