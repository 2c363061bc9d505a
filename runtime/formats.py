"""Floating-point formats, and rounding to them.

The four formats that machine learning computes in. numpy holds the first three;
bfloat16 numbers are held in float32 arrays, since the upper 16 bits of a float32 are
a bfloat16: rounding to nearest, ties to even, is an addition on the bit pattern.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Format:
    """A floating-point format.

    Attributes
    ----------
    name : str
    precision : int
        Bits of the significand, the hidden one included.
    eps : float
        Spacing at 1.
    largest : float
    tiny : float
        Least positive subnormal number.
    storage : numpy.dtype
        Type of the arrays that hold its numbers.
    """

    name: str
    precision: int
    eps: float
    largest: float
    tiny: float
    storage: Any

    def round(self, values: Any) -> Any:
        """Round to nearest; an array of `storage`, infinite beyond `largest`."""
        with np.errstate(all="ignore"):
            stored = np.asarray(values).astype(self.storage)
            return _round_bfloat16(stored) if self.name == "bfloat16" else stored

    def holds(self, magnitude: float) -> bool:
        """Whether a number of this magnitude is representable: not infinite, not flushed to zero."""
        return magnitude == 0 or self.tiny <= abs(magnitude) <= self.largest


def _round_bfloat16(stored: Any) -> Any:
    bits = np.atleast_1d(stored).view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) & np.uint32(0xFFFF0000)
    # The carry would turn a nan's significand into another number.
    rounded = np.where(np.isnan(np.atleast_1d(stored)), bits, rounded).astype(np.uint32)
    return rounded.view(np.float32).reshape(np.shape(stored))


FLOAT64 = Format("float64", 53, 2.0**-52, float(np.finfo(np.float64).max), 5e-324, np.dtype(np.float64))
FLOAT32 = Format("float32", 24, 2.0**-23, float(np.finfo(np.float32).max), 2.0**-149, np.dtype(np.float32))
FLOAT16 = Format("float16", 11, 2.0**-10, 65504.0, 2.0**-24, np.dtype(np.float16))
BFLOAT16 = Format("bfloat16", 8, 2.0**-7, float(np.float32(3.3895314e38)), 2.0**-133, np.dtype(np.float32))
FORMATS = {item.name: item for item in (FLOAT64, FLOAT32, FLOAT16, BFLOAT16)}
