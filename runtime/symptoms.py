"""Which failure signatures a run shows, each with its figure.

A run is laid beside the true values: of the outputs, and of the flagged expression at
each of its evaluations. A number counts as wrong only where the true one exists and the
format can hold it. Exceptions of Python's own arithmetic are failures as well: where
numpy returns ``inf``, `math.exp` raises.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .formats import FLOAT64, FORMATS, Format
from .harness import Outcome
from .leaves import leaves
from .verdict import Figure

INEXACT = "inexact"
"""A wrong number: the symptom. Which signature it has, its cause decides (`cause`)."""


@dataclass
class Expected:
    """What a run should have given.

    Attributes
    ----------
    outputs : dict of str to Any
    sites : list of Any
    source : str
        Where it is known from, such as ``"exact"``.
    """

    outputs: dict[str, Any] = field(default_factory=dict)
    sites: list[Any] = field(default_factory=list)
    source: str = ""

    @property
    def defined(self) -> bool:
        """Whether there is an output, and each is finite."""
        found = list(numbers(self.outputs))
        return bool(found) and all(np.all(np.isfinite(item)) for item in found)


def numbers(value: Any) -> Iterator[np.ndarray]:
    """Leaves of a structure as arrays of real or complex numbers."""
    for _, leaf in leaves(value):
        array = np.asarray(leaf)
        if array.dtype.kind == "O":
            try:
                array = array.astype(float)
            except (TypeError, ValueError):
                continue
        if array.dtype.kind in "fciub":
            yield array


def shown(
    run: Outcome, expected: Expected | None, normwise: bool = False, elementwise: bool = True
) -> dict[str, Figure]:
    """The signatures of one run; a wrong number is `INEXACT`, whatever its cause.

    Parameters
    ----------
    run : Outcome
    expected : Expected or None
        None where nothing is known: then only what is not a number counts.
    normwise : bool
        Measure errors by the norm, and do not look at single zeros: whether a caller would mind.
    elementwise : bool
        Whether each entry has a relative error of its own; the entries of a solution, an inverse or
        an eigenvector have not, whatever the algorithm.
    """
    found: dict[str, Figure] = {}
    if run.raised is not None:
        _merge(found, raised(run.raised, expected is not None and expected.defined))
    pairs = [(run.outputs, expected.outputs if expected else None)]
    if expected and not normwise and len(expected.sites) == len(run.sites):
        pairs += zip(run.sites, expected.sites)
    for got, true in pairs:
        for one, other in _aligned(got, true):
            _merge(found, compared(one, other, normwise, elementwise))
    if not normwise:
        _vanished(run, found)
        for said in run.warnings:
            if said.startswith("overflow"):
                found.setdefault("overflow", Figure("hardware flag", math.inf, said))
    return found


def _vanished(run: Outcome, found: dict[str, Figure]) -> None:
    """A flagged expression that is zero, or its logarithm, from which the failure of the output follows."""
    failed = run.raised is not None or any(not np.all(np.isfinite(item)) for item in numbers(run.outputs))
    sites = [item for item in numbers(run.sites) if item.dtype.kind in "fc"]
    vanished = sum(int(np.sum((item == 0) | np.isneginf(item.real))) for item in sites)
    if failed and vanished:
        found.setdefault("underflow", Figure("zero or its logarithm", float(vanished)))
    elif failed and any(said.startswith("divide by zero encountered in log") for said in run.warnings):
        found.setdefault("underflow", Figure("logarithm of zero", math.inf))


def raised(error: BaseException, defined: bool) -> dict[str, Figure]:
    """What an exception stands for."""
    name = type(error).__name__
    figure = Figure(name, math.inf, str(error).splitlines()[0][:80] if str(error) else "")
    if isinstance(error, np.linalg.LinAlgError) or name in ("LinAlgError", "_LinAlgError"):
        return {"ill-conditioned": figure}
    if isinstance(error, OverflowError):
        return {"overflow": figure}
    if isinstance(error, TimeoutError):
        return {"never-stops": figure}
    domain = isinstance(error, ValueError) and re.search("math domain|expected a|positive", str(error))
    if domain or isinstance(error, (ZeroDivisionError, FloatingPointError)):
        # A zero that is none in truth, or a difference that has lost its digits, met a logarithm or a division.
        return dict.fromkeys(("nan", INEXACT) if defined else ("nan",), figure)
    return {"exception": figure, INEXACT: figure} if defined else {"exception": figure}


def compared(
    got: np.ndarray, true: np.ndarray | None, normwise: bool = False, elementwise: bool = True
) -> dict[str, Figure]:
    """The signatures that one array shows beside its true value."""
    found: dict[str, Figure] = {}
    if true is None or true.shape != got.shape:
        if got.dtype.kind in "fc" and true is None:
            bad = ~np.isfinite(got)
            if np.any(np.isnan(got)):
                found["nan"] = Figure("nan", float(np.isnan(got).sum()), f"of {got.size}")
            elif bad.any():
                found["overflow"] = Figure("not finite", float(bad.sum()), f"of {got.size}")
        return found
    form = _format(got)
    defined = np.isfinite(true) & (np.abs(true) <= form.largest)
    nans = np.isnan(got) & defined
    if nans.any():
        found["nan"] = Figure("nan", float(nans.sum()), f"of {got.size}, true {_first(true, nans):.6g}")
    infinite = np.isinf(got) & defined
    if infinite.any():
        found["overflow"] = Figure(
            "not finite", float(infinite.sum()), f"of {got.size}, true {_first(true, infinite):.6g}"
        )
        if (got.real[infinite] < 0).any():
            found["underflow"] = Figure("-inf", float(infinite.sum()), f"true {_first(true, infinite):.6g}")
    beyond = np.isinf(got) & np.isfinite(true) & ~defined
    if beyond.any() and not normwise:
        found.setdefault("overflow", Figure("beyond the format", float(np.abs(true[beyond]).max())))
    zeros = (got == 0) & defined & (np.abs(true) > form.tiny)
    if zeros.any() and not normwise and got.dtype.kind in "fc":
        found["underflow"] = Figure("zero", float(zeros.sum()), f"of {got.size}, true {_first(true, zeros):.6g}")
    error = _error(got, true, defined, form, normwise or not elementwise)
    if error > math.sqrt(form.eps):
        found[INEXACT] = Figure("relative error", error)
    if (nans.any() or infinite.any()) and not normwise:
        found[INEXACT] = Figure("relative error", math.inf)
    if got.dtype.kind in "iu" and error > 0:
        found["wraparound"] = Figure("relative error", error)
    return found


def _error(got: np.ndarray, true: np.ndarray, defined: np.ndarray, form: Format, normwise: bool) -> float:
    """Largest relative error; relative to the least normal number where the true value is below it.

    A true zero has no relative error: it is measured against the largest true value, and against
    1 when that is zero too.
    """
    compared_at = defined & np.isfinite(got)
    if not compared_at.any():
        return 0.0
    kind = complex if "c" in (got.dtype.kind, true.dtype.kind) else np.longdouble
    one, other = got[compared_at].astype(kind), true[compared_at].astype(kind)
    difference, size = np.abs(one - other), np.abs(other)
    largest = max(float(size.max()), form.tiny / form.eps) if size.any() else 1.0
    if normwise:
        return float(difference.max() / largest)
    with np.errstate(all="ignore"):
        scale = np.where(size == 0, largest, np.maximum(size, form.tiny / form.eps))
        return float((difference / scale).max())


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Relative distance of two arrays, by the largest entry."""
    both = np.isfinite(one) & np.isfinite(other)
    if not both.all():
        return math.inf
    scale = max(float(np.abs(one).max()), float(np.abs(other).max())) if one.size else 0.0
    return float(np.abs(one - other).max() / scale) if scale else 0.0


def _first(values: np.ndarray, mask: np.ndarray) -> float:
    return float(values[mask].real.flat[0])


def _format(array: np.ndarray) -> Format:
    name = {"c8": "float32", "c16": "float64"}.get(f"{array.dtype.kind}{array.dtype.itemsize}", array.dtype.name)
    return FORMATS.get(name, FLOAT64)


def _aligned(got: Any, true: Any) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Arrays of two structures side by side; None where the other has no such part."""
    ones = list(numbers(got))
    others: list[Any] = list(numbers(true)) if true is not None else []
    others += [None] * (len(ones) - len(others))
    for one, other in zip(ones, others):
        if other is not None and other.shape != one.shape:
            other = np.broadcast_to(other, one.shape) if other.size == 1 else None
            if other is None:
                continue
        yield one, other


def _merge(found: dict[str, Figure], more: dict[str, Figure]) -> None:
    """Keep the larger figure of each signature."""
    for signature, figure in more.items():
        if signature not in found or found[signature].value < figure.value:
            found[signature] = figure


def worst(found: dict[str, Figure], wanted: Iterable[str]) -> tuple[str, Figure] | None:
    """The first of the wanted signatures that was found."""
    return next(((signature, found[signature]) for signature in wanted if signature in found), None)
