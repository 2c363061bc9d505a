"""Features with mean 0 and variance 1, computed in the format of the run.

The one-pass variance mean(x*x) - mean(x)**2 cancels where the mean is large beside the
standard deviation: its relative error is about (mean / std)**2 eps, and it comes out negative
when that is above 1 (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 1.9).
"""

from __future__ import annotations

from typing import Any

import numpy as np

ONE_PASS, TWO_PASS, NONE = "one-pass", "two-pass", "none"


def variance(X: Any, how: str) -> Any:
    """Variance of each column, in the format of `X`."""
    mean = X.mean(axis=0)
    if how == ONE_PASS:
        return (X * X).mean(axis=0) - mean * mean
    centred = X - mean
    return (centred * centred).mean(axis=0)


def standardised(X: Any, how: str) -> Any:
    """Columns centred and divided by their standard deviation; a constant column is only centred."""
    if how == NONE:
        return X
    spread = np.sqrt(variance(X, how))
    if how == TWO_PASS:
        spread = spread + (spread == 0)
    return (X - X.mean(axis=0)) / spread
