"""The true value of what a run computes, by running the same code in exact arithmetic.

Ziv's strategy (ACM TOMS 1991): compute with few bits and a bound of the error; where the
bound does not certify the result, or a comparison on the way could not be decided, compute
again with more. At the last precision values that still cannot be told apart are taken for
equal, and it is said so. Without error bounds (mpmath) two precisions must agree.

The inputs are those that the run in the format received, already rounded, so that the
true value is that of the very same numbers. Where exact arithmetic does not reach
(compiled code, unsupported functions) extended precision serves, code in torch is run
again in float64, and where that is no wider there is no true value, with the reason.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import exact, leaves
from .arithmetic import Arithmetic
from .compare import TrueArray, shown
from .exact.arrays import ExactArray
from .formats import FLOAT64, Format
from .harness import Harness, Outcome
from .stubs import installed

PRECISIONS = (128, 256, 800, 3200)
CERTAIN = -66.0
"""Base-2 logarithm of the relative error below which a number is certain: 1e-20."""
VANISHING = -1200.0
"""Base-2 logarithm below which a number is zero in every format."""
UNDEFINED = (ZeroDivisionError, OverflowError, FloatingPointError, ValueError, np.linalg.LinAlgError)
ROUNDED = 1e-12
"""Numbers of a run in float64 that are smaller than this may be what rounding leaves of numbers near 1."""
DIRECTORY: list[str] = []
"""Where mpmath lies when the interpreter has neither it nor python-flint."""


@dataclass
class Truth:
    """True values of one input.

    Attributes
    ----------
    outputs : dict of str to TrueArray
        By the path of the leaf, such as ``"return[0]"`` or ``"self.weights"``.
    sites : list
        Values of the flagged expression, structure kept, leaves replaced by `TrueArray`.
    precision : int
        Bits; 0 when the value is not exact.
    defined : bool
        Whether every number of the sites (of the outputs where there are no sites) has a value.
    reason : str
        Why it is undefined, or why there is none.
    kind : str
        ``"exact 256 bits"``, ``"extended"``, ``"none: reason"``.
    pole : bool
        Undefined because of a pole (division by zero, logarithm of zero, a singular matrix), not
        because an argument lies outside a domain.
    assumed : int
        Comparisons that no precision decided.
    """

    outputs: dict[str, TrueArray] = field(default_factory=dict)
    sites: list[Any] = field(default_factory=list)
    precision: int = 0
    defined: bool = False
    reason: str = ""
    kind: str = "none"
    pole: bool = False
    assumed: int = 0

    def output(self, path: str) -> TrueArray | None:
        """True value of an output by its path; None where there is none."""
        return self.outputs.get(path)

    def shown_site(self, number: int) -> Any:
        """A value of the flagged expression for a reader."""
        if not -len(self.sites) <= number < len(self.sites):
            return None
        return leaves.mapped(shown, self.sites[number])


def true_value(
    harness: Harness, inputs: dict[str, Any] | None = None, seconds: float = 2.0, form: Format = FLOAT64
) -> Truth:
    """The true value of what `harness` computes on `inputs`.

    Parameters
    ----------
    harness : Harness
    inputs : dict of str to Any
        As the run in the format received them.
    seconds : float
        For all precisions together.
    form : Format
        In which the run to be judged was computed, and objects are prepared for this one too: what
        `fit` computes is an input of `predict`. Code in torch, where exact numbers do not reach, is its
        own reference in float64, for narrower formats only.

    Returns
    -------
    Truth
    """
    end = time.monotonic() + seconds
    try:
        truth = _exact(harness, inputs, end, form)
    except ImportError:
        truth = Truth(kind="none: neither python-flint nor mpmath is installed")
    if truth.kind.startswith("none"):
        left = max(end - time.monotonic(), 0.1)
        wider = _wide(harness, inputs, left, form) if _uses_torch(harness) else _extended(harness, inputs, left, form)
        truth = wider if wider is not None else truth
    return truth


def _exact(harness: Harness, inputs: dict[str, Any] | None, end: float, form: Format) -> Truth:
    directory = DIRECTORY[0] if DIRECTORY else ""
    previous: Truth | None = None
    for bits in PRECISIONS:
        left = end - time.monotonic()
        if left <= 0:
            break
        last = bits == PRECISIONS[-1]
        arithmetic = Exact(bits, form, exact.field(bits, assume=last, directory=directory))
        outcome = harness.run(inputs, arithmetic, left)
        account = arithmetic.account
        if account.unsupported:
            return _none(f"exact arithmetic has no {account.unsupported[0]}")
        if isinstance(outcome.raised, TimeoutError):
            break
        if account.undecided:
            continue
        if outcome.raised is not None and not isinstance(outcome.raised, UNDEFINED):
            return _none(f"{type(outcome.raised).__name__}: {outcome.raised}")
        truth, certain = _truth(outcome, arithmetic)
        if not arithmetic.numbers.certified:
            certain = previous is not None and _agree(previous, truth)
            previous = truth
        if certain:
            return truth
    return _none("no precision within the time certifies the result")


def _none(reason: str) -> Truth:
    return Truth(kind=f"none: {reason}", reason=reason)


def _truth(outcome: Outcome, arithmetic: exact.Exact) -> tuple[Truth, bool]:
    """The truth of an exact run, and whether its precision suffices."""
    account = arithmetic.account
    truth = Truth(precision=arithmetic.numbers.bits, kind=arithmetic.name, assumed=account.assumed)
    before = arithmetic.numbers.enter()
    certain = True

    def lowered(value: Any) -> Any:
        nonlocal certain
        true, sure = true_array(value)
        certain = certain and sure
        return true

    try:
        truth.sites = [leaves.mapped(lowered, site) for site in outcome.sites]
        for name, value in outcome.outputs.items():
            for path, leaf in leaves.leaves(value, name):
                truth.outputs[path] = lowered(leaf)
    finally:
        arithmetic.numbers.leave(before)
    judged = [leaf for site in truth.sites for _, leaf in leaves.leaves(site)] or list(truth.outputs.values())
    truth.defined = outcome.raised is None and all(bool(np.all(leaf.defined)) for leaf in judged)
    if outcome.raised is not None and judged and truth.sites:
        truth.defined = all(bool(np.all(leaf.defined)) for leaf in judged)
    if not truth.defined:
        error = outcome.raised
        events = account.undefined or ([f"{type(error).__name__}: {error}"] if error is not None else [])
        truth.reason = events[0] if events else "undefined on this input"
        truth.pole = bool(events) and not any(
            "negative" in text or "outside" in text or "domain" in text for text in events
        )
    elif account.assumed:
        truth.reason = f"{account.assumed} comparisons taken for equalities"
    return truth, certain


def true_array(value: Any) -> tuple[TrueArray, bool]:
    """True values of one leaf, and whether each of them is certain."""
    if not isinstance(value, ExactArray):
        array = np.asarray(value)
        if array.dtype == object:
            return TrueArray.of(np.full(array.shape, np.nan)), True
        return TrueArray.of(array.real if array.dtype.kind == "c" else array), True
    numbers = exact.active()
    count = value.size
    high, low, size = np.zeros(count), np.zeros(count), np.zeros(count)
    certain = True
    for i, x in enumerate(value.objects.ravel()):
        high[i] = numbers.to_float(x)
        size[i] = numbers.log2_size(x)
        if math.isfinite(high[i]) and math.isfinite(size[i]):
            low[i] = numbers.to_float(x - numbers.of(high[i]))
        if numbers.certified and not (numbers.is_nan(x) or numbers.is_infinite(x)):
            radius = numbers.log2_radius(x)
            below = max(radius, size[i]) < VANISHING
            certain = certain and (below or radius == -math.inf or radius - size[i] < CERTAIN)
            if below and radius >= size[i] + CERTAIN:
                high[i], low[i], size[i] = 0.0, 0.0, -math.inf
        elif not numbers.certified and size[i] < VANISHING and numbers.bits >= PRECISIONS[-1]:
            high[i], low[i], size[i] = 0.0, 0.0, -math.inf
    shape = value.shape
    defined = ~np.isnan(size) & ~np.isposinf(size)
    return TrueArray.of(high.reshape(shape), low.reshape(shape), size.reshape(shape), defined.reshape(shape)), certain


def _agree(first: Truth, second: Truth) -> bool:
    """Whether the results of two precisions are the same to nearly all digits of a pair of float64."""
    ours, theirs = _leaves(first), _leaves(second)
    if len(ours) != len(theirs):
        return False
    for a, b in zip(ours, theirs):
        if a.shape != b.shape or not np.array_equal(a.defined, b.defined):
            return False
        with np.errstate(all="ignore"):
            apart = np.abs((a.plain() - b.plain()) + (a.low - b.low)) > 2.0**CERTAIN * np.abs(b.plain())
            sizes = ~(np.abs(a.log2abs - b.log2abs) < 1e-9) & (a.log2abs != b.log2abs)
        if np.any((apart | sizes) & b.defined):
            return False
    return True


def _leaves(truth: Truth) -> list[TrueArray]:
    return [leaf for site in truth.sites for _, leaf in leaves.leaves(site)] + list(truth.outputs.values())


class Exact(exact.Exact):
    """Exact arithmetic for code that sees float64, on objects that were prepared in another format."""

    def __init__(self, bits: int, form: Format, numbers: Any) -> None:
        super().__init__(bits, FLOAT64, numbers)
        self.prepared = form


class Extended(Arithmetic):
    """Native arithmetic on inputs of numpy's longest floating-point type."""

    def __init__(self, form: Format = FLOAT64) -> None:
        super().__init__(form)
        self.name = "extended"

    def _lift_leaf(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return value.astype(np.longdouble) if value.dtype.kind == "f" else value.copy()
        return np.longdouble(value) if isinstance(value, (float, np.floating)) else value


def _extended(harness: Harness, inputs: dict[str, Any] | None, seconds: float, form: Format) -> Truth | None:
    """True values in extended precision; None where it is no better than float64, or was lost on the way."""
    if np.finfo(np.longdouble).eps >= np.finfo(np.float64).eps:
        return None
    outcome = harness.run(inputs, Extended(form), seconds)
    if outcome.raised is not None:
        return None
    found = list(leaves.leaves(outcome.sites)) + list(leaves.leaves(outcome.outputs))
    floating = [np.asarray(leaf) for _, leaf in found if leaves.is_floating(leaf)]
    if not floating or any(leaf.dtype != np.longdouble for leaf in floating):
        return None
    truth = Truth(kind="extended")
    truth.sites = [leaves.mapped(_from_longdouble, site) for site in outcome.sites]
    for name, value in outcome.outputs.items():
        for path, leaf in leaves.leaves(value, name):
            truth.outputs[path] = _from_longdouble(leaf)
    truth.defined = all(bool(np.all(leaf.defined)) for leaf in _leaves(truth))
    truth.reason = "" if truth.defined else "not finite in extended precision"
    return truth


def _uses_torch(harness: Harness) -> bool:
    torch = installed("torch")
    return torch is not None and any(
        value is torch or getattr(value, "__module__", "").partition(".")[0] == "torch"
        for module in harness.modules
        for value in list(vars(module).values())
    )


def _wide(harness: Harness, inputs: dict[str, Any] | None, seconds: float, form: Format) -> Truth:
    """Values of the same torch code in float64 throughout; none where the format is no narrower, or it cannot run."""
    from .autograd import Wide, ready

    ready()
    wide = Wide(form)
    outcome = harness.run(inputs, wide, seconds)
    if outcome.raised is not None or not outcome.sites:
        said = f": {type(outcome.raised).__name__}: {outcome.raised}" if outcome.raised is not None else ""
        return _none(f"the code does not run in float64 throughout{said}")
    pole = bool(wide.undefined) and not any("negative" in text for text in wide.undefined)
    if form.precision >= FLOAT64.precision and not pole:
        return _none("torch computes in nothing wider than float64")
    truth = Truth(kind="torch in float64")
    truth.sites = [leaves.mapped(_from_float64, site) for site in outcome.sites]
    for name, value in outcome.outputs.items():
        for path, leaf in leaves.leaves(value, name):
            truth.outputs[path] = _from_float64(leaf)
    truth.defined = all(bool(np.all(leaf.defined)) for leaf in _leaves(truth))
    if not truth.defined:
        truth.reason, truth.pole = next(iter(wide.undefined), "not finite in float64 either"), pole
    return truth


def _from_float64(value: Any) -> TrueArray:
    """Float64 numbers as true ones; what may be left of rounding errors beside 1 is taken for zero."""
    array = np.asarray(value, dtype=np.float64)
    with np.errstate(all="ignore"):
        return TrueArray.of(np.where(np.abs(array) < ROUNDED, 0.0, array))


def _from_longdouble(value: Any) -> TrueArray:
    array = np.asarray(value).astype(np.longdouble)
    with np.errstate(all="ignore"):
        high = array.astype(np.float64)
        low = np.where(np.isfinite(high), (array - high).astype(np.float64), 0.0)
        size = np.log2(np.abs(array)).astype(np.float64)
    return TrueArray.of(high, low, size, np.isfinite(array))
