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
from .autograd import Given
from .cause import real
from .exhibit import Exhibit, harness_of
from .formats import FLOAT16, FLOAT32, FLOAT64, FORMATS, Format
from .harness import Harness, Outcome
from .leaves import leaves, mapped
from .rounding import Rounded
from .symptoms import Expected, distance, numbers

RANGE = frozenset({"overflow", "underflow", "nan", "nan-gradient"})
"""Signatures that come of a format's range; the others come of its digits."""
NOT_MEASURED = frozenset({"non-determinism", "premature-stop", "never-stops"})
NAMED = re.compile(r"half\(|float16|float32")
ROOTS = re.compile(r"sqrt|a(?:rc)?cos\b")
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

    Of code that is ill-conditioned there is no error to speak of: the true value of the rounded
    input is another one. There it is how far one rounding error in the input moves the result.

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
        fails, or ``"finite"`` where nothing is known of the true value; `at` is the largest magnitude
        among the inputs, where it is not that of the example.
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
        pairs = ((before, inputs), (after, renamed))
        if "ill-conditioned" in exhibit.signatures:
            errors = [_moved(exhibit, harness, given, form, seconds) for harness, given in pairs]
        else:
            truth = _truth(exhibit, pairs, truths, form)
            errors = [
                _error(exhibit, _run(exhibit, harness, given, form, seconds), truth, form, _largest(given))
                for harness, given in pairs
            ]
        if None in errors or errors == ["finite", "finite"]:
            continue
        row: dict[str, Any] = dict(zip(("before", "after"), errors))
        if _largest(inputs) != _largest(before.inputs):
            row["at"] = _largest(inputs)
        found[form.name] = row
    return found


def _truth(exhibit: Exhibit, pairs: Any, truths: Truths, form: Format) -> Expected:
    """What both should give: the original's true value, else that of the rewrite.

    The reference of torch is torch in float64, where the original is no better than it is, and which
    says nothing of float64 itself.
    """
    if exhibit.requires and form is FLOAT64:
        return Expected()
    for harness, inputs in reversed(pairs) if exhibit.requires else pairs:
        truth = truths(harness, {name: mapped(_wide, value) for name, value in inputs.items()})
        if truth.defined:
            return truth
    return Expected()


def _formats(exhibit: Exhibit, harness: Harness) -> Iterator[Format]:
    """The formats in which the code can run."""
    named = NAMED.search(exhibit.original)
    if named:
        yield FLOAT32 if named.group() == "float32" else FLOAT16
    elif "torch" not in exhibit.requires and not re.search(r"\bnumpy\b|\bscipy\b", exhibit.original):
        kinds = {str(np.asarray(leaf).dtype) for _, leaf in leaves(harness.inputs) if _is_real(leaf)}
        yield from (FORMATS[name] for name in kinds & set(FORMATS))
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
    real = _together(inputs)
    rounded = form.round(real).astype(np.float64)
    same = np.array_equal(np.isfinite(real), np.isfinite(rounded)) and np.array_equal(real == 0, rounded == 0)
    return same and len(np.unique(real)) == len(np.unique(rounded))


def _distinct(inputs: dict[str, Any]) -> int:
    return len(np.unique(_together(inputs)))


def _together(inputs: dict[str, Any]) -> Any:
    """All real numbers of the inputs in one array."""
    parts = [np.asarray(leaf, np.float64).reshape(-1) for _, leaf in leaves(inputs) if _is_real(leaf)]
    return np.concatenate(parts) if parts else np.zeros(0)


def _largest(inputs: dict[str, Any]) -> float:
    sizes = [float(np.abs(np.asarray(leaf, np.float64)).max()) for _, leaf in leaves(inputs) if np.size(leaf)]
    return float(f"{max(sizes, default=0.0):.3g}")


def _run(exhibit: Exhibit, harness: Harness, inputs: dict[str, Any], form: Format, seconds: float) -> Outcome:
    """One run in a format; `raised` is `NotImplementedError` where the code computes in another one."""
    run = Outcome(raised=NotImplementedError("no result in this format"))
    for arithmetic in _arithmetics(exhibit, form):
        run = harness.run(inputs, arithmetic, seconds)
        kinds = {item.dtype for item in numbers(run.outputs) if item.dtype.kind == "f"}
        if NAMED.search(exhibit.original) or not kinds - {form.storage}:
            return run
        run.raised = NotImplementedError("the result is of another format")
    return run


def _arithmetics(exhibit: Exhibit, form: Format) -> Iterator[Arithmetic]:
    """In which the code may run, the most natural first.

    The linear algebra of numpy and scipy knows no half formats.
    """
    if exhibit.requires and not NAMED.search(exhibit.original):
        yield Narrow(form)
        return
    native = form in (FLOAT64, FLOAT32) or NAMED.search(exhibit.original) is not None
    if native:
        yield Given()
    if native or not re.search(r"linalg|\bcov\b", exhibit.original):
        yield Rounded(form)


def _moved(
    exhibit: Exhibit, harness: Harness, inputs: dict[str, Any], form: Format, seconds: float
) -> float | str | None:
    """How far the computed result moves when the inputs move by one rounding error of the format."""
    here = _run(exhibit, harness, inputs, form, seconds)
    widest = 0.0
    for seed in range(2):
        generator = np.random.default_rng(seed)

        def nudged(item: Any, generator: Any = generator) -> Any:
            return form.round(item.astype(np.float64) * (1 + form.eps * generator.choice([-1.0, 1.0], item.shape)))

        moved = {name: mapped(lambda leaf: real(leaf, nudged), value) for name, value in inputs.items()}
        there = _run(exhibit, harness, moved, form, seconds)
        for run in (here, there):
            if run.raised is not None:
                return None if _is_unfollowed(run.raised) else "raises"
        pairs = zip(numbers(here.outputs), numbers(there.outputs))
        widest = max([widest, *(distance(one, other) for one, other in pairs if one.shape == other.shape)])
    return _short(widest)


def _error(exhibit: Exhibit, run: Outcome, truth: Expected, form: Format, largest: float) -> float | str | None:
    """The relative error, or how it fails; None where the run is none of this format."""
    if run.raised is not None:
        return None if _is_unfollowed(run.raised) else "raises"
    got, true = list(numbers(run.outputs)), list(numbers(truth.outputs))
    if not truth.defined or [item.shape for item in got] != [item.shape for item in true]:
        bad = [item for item in got if not np.isfinite(item).all()]
        return "finite" if not bad else "nan" if any(np.isnan(item).any() for item in bad) else "inf"
    worst, infinite = None, False
    # What gave nan was a root or an angle of something that is zero in truth.
    rooted = "nan" in exhibit.signatures and ROOTS.search(exhibit.original) is not None
    for one, other in zip(got, true):
        there = np.abs(other) <= form.largest
        if np.isnan(one[there]).any():
            return "nan"
        infinite = infinite or bool(np.isinf(one[there]).any())
        if there.any() and not infinite:
            error = _relative(one[there], other[there], form, exhibit.elementwise, largest, rooted)
            worst = max(worst or 0.0, error)
    return "inf" if infinite else None if worst is None else _short(worst)


def _is_unfollowed(error: BaseException) -> bool:
    """Whether an exception says that the code does not run in this format at all."""
    return isinstance(error, UNFOLLOWED) or "not implemented" in str(error)


def _short(value: float) -> float:
    """Two digits: more would differ between processors. What is less than any rounding error is zero."""
    return 0.0 if value < 1e-17 else float(f"{value:.2g}")


def _relative(got: Any, true: Any, form: Format, elementwise: bool, inputs: float, rooted: bool) -> float:
    """Relative to the true value; when `rooted`, to the inputs where that is the root of a rounding error of theirs."""
    kind = complex if "c" in (got.dtype.kind, true.dtype.kind) else np.longdouble
    size = np.abs(true.astype(kind))
    least = form.tiny / form.eps
    largest = max(float(size.max()), least) if size.any() else 1.0
    if rooted and largest <= 8 * math.sqrt(form.eps) * inputs:
        elementwise, largest = False, inputs
    scale = np.where(size > least, size, largest) if elementwise else largest
    with contextlib.suppress(OverflowError), np.errstate(all="ignore"):
        return float((np.abs(got.astype(kind) - true.astype(kind)) / scale).max())
    return math.inf
