"""Training in a format for real: every operation rounds to it.

numpy rounds each operation of float64, float32 and float16 itself, and accumulates sums of
float16 in float32, as hardware does; `Float16` does so for products of matrices. It has no
bfloat16: `Bfloat16` holds such numbers in float32 and rounds every result, sums and products
once at their end.

In mixed precision (Micikevicius et al., Mixed Precision Training, ICLR 2018) the weights are
kept in float32, the forward and the backward pass are computed in float16, and the loss is
multiplied by a loss scale so that small gradients stay above the least number of float16,
2**-24. With a scale of 1 they underflow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..formats import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, Format
from .configuration import Configuration

Parameters = dict[str, Any]


class Bfloat16(np.ndarray[Any, Any]):
    """An array of bfloat16 numbers, held in float32."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        out = kwargs.pop("out", None)
        kwargs.pop("dtype", None)
        result = getattr(ufunc, method)(*(_float32(item) for item in inputs), **kwargs)
        if method == "at" or isinstance(result, tuple):
            return result
        if np.asarray(result).dtype == np.float32:
            result = BFLOAT16.round(result).view(Bfloat16)
        if out is None:
            return result
        out[0][...] = result
        return out[0]


class Float16(np.ndarray[Any, Any]):
    """An array of float16 numbers. numpy rounds each operation itself; products of matrices go through BLAS.

    numpy multiplies float16 matrices by a loop that accumulates in float32. So does this, thirty times faster.
    """

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        plain = [item.view(np.ndarray) if isinstance(item, Float16) else item for item in inputs]
        out = kwargs.pop("out", None)
        if ufunc is np.matmul and method == "__call__":
            result = np.matmul(*(np.asarray(item, dtype=np.float32) for item in plain)).astype(np.float16)
        else:
            result = getattr(ufunc, method)(*plain, **kwargs)
        if isinstance(result, tuple) or method == "at":
            return result
        if isinstance(result, np.ndarray) and result.dtype == np.float16:
            result = result.view(Float16)
        if out is None:
            return result
        out[0][...] = result
        return out[0]


def _float32(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, Bfloat16) else value


@dataclass(frozen=True)
class Precision:
    """The formats of a run.

    Attributes
    ----------
    name : str
        ``"float64"``, ``"float32"``, ``"float16"``, ``"bfloat16"`` or ``"mixed"``.
    working : Format
        Of the forward and the backward pass.
    stored : Format
        Of the weights between two steps.
    """

    name: str
    working: Format
    stored: Format

    def array(self, values: Any) -> Any:
        """An array that computes in the working format."""
        return array(values, self.working)

    def weights(self, parameters: Mapping[str, Any]) -> Parameters:
        """Parameters as they are kept between two steps."""
        return {name: array(values, self.stored) for name, values in parameters.items()}

    def lowered(self, parameters: Mapping[str, Any]) -> Parameters:
        """The kept parameters as the forward pass takes them."""
        if self.working is self.stored:
            return dict(parameters)
        return {name: array(values, self.working) for name, values in parameters.items()}


def array(values: Any, form: Format) -> Any:
    """Values rounded to a format, in an array that rounds every operation to it."""
    plain = np.asarray(values)
    if plain.dtype.kind not in "fiub":
        raise TypeError(f"an array of {plain.dtype} has no floating-point format")
    if form is BFLOAT16:
        return BFLOAT16.round(plain).view(Bfloat16)
    rounded = plain.astype(form.storage)
    return rounded.view(Float16) if form is FLOAT16 else rounded


PRECISIONS = {
    "float64": Precision("float64", FLOAT64, FLOAT64),
    "float32": Precision("float32", FLOAT32, FLOAT32),
    "float16": Precision("float16", FLOAT16, FLOAT16),
    "bfloat16": Precision("bfloat16", BFLOAT16, BFLOAT16),
    "mixed": Precision("mixed", FLOAT16, FLOAT32),
}


def of(configuration: Configuration) -> Precision:
    """The precision that a configuration asks for; float64 where it asks for none that is known."""
    return PRECISIONS.get(str(configuration.settings.get("precision")), PRECISIONS["float64"])
