"""Arrays of any library as float64 numbers that remember their format."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..formats import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, FORMATS, Format
from .precision import Bfloat16


@dataclass(frozen=True)
class Numbers:
    """An array as float64, the format that it had, and whether another library than numpy made it."""

    values: Any
    form: Format
    foreign: bool = False

    @property
    def subnormal(self) -> bool:
        """Whether some numbers lie between zero and the normal numbers of the format."""
        size = np.abs(self.values)
        return bool(((size > 0) & (size < normal(self.form))).any())

    @property
    def lost(self) -> float:
        """Share of the numbers that are zero, or have lost digits below the normal numbers."""
        return float((np.abs(self.values) < normal(self.form)).mean())


def normal(form: Format) -> float:
    """Least positive normal number."""
    return form.tiny / form.eps


def numbers(item: Any) -> Numbers:
    """An array of numpy or a tensor of torch, or anything that can be made an array."""
    if isinstance(item, Numbers):
        return item
    if hasattr(item, "detach"):
        plain = item.detach().cpu()
        name = str(plain.dtype).rpartition(".")[2]
        return Numbers(plain.double().numpy(), FORMATS.get(name, FLOAT64), True)
    array = np.asarray(item).view(np.ndarray)
    form = BFLOAT16 if isinstance(item, Bfloat16) else _FORMATS.get(array.dtype, FLOAT64)
    return Numbers(array.astype(np.float64), form)


_FORMATS = {form.storage: form for form in (FLOAT64, FLOAT32, FLOAT16)}


def scalar(item: Any) -> float:
    return float(item.detach()) if hasattr(item, "detach") else float(np.asarray(item))


def length(arrays: Iterable[Numbers]) -> float:
    """Euclidean norm over all arrays."""
    return math.sqrt(sum(float(np.square(item.values).sum()) for item in arrays))


def spacings(weights: Any, form: Format) -> Any:
    """Distance from each weight to the next larger one of its format."""
    exponent = np.floor(np.log2(np.maximum(np.abs(weights), normal(form))))
    return np.exp2(exponent) * form.eps


def digits_lost(computed: Numbers, exact: Numbers) -> float:
    """Decimal digits between an array and its exact value: of the largest error, relative to the largest value.

    0 is an error of half a spacing, which the format makes anyway; all of them are lost where it is the value.
    """
    size = float(np.abs(exact.values).max(initial=0.0))
    error = float(np.abs(computed.values - exact.values).max(initial=0.0))
    unit = computed.form.eps / 2
    if not size or not math.isfinite(size):
        return math.nan
    relative = error / size if math.isfinite(error) else 1.0
    return math.log10(min(1.0, max(relative, unit)) / unit)
