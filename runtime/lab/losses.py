"""The losses of classification with their gradients, as written in textbooks and as they can be computed.

Two classes, naive: p = exp(z) / (1 + exp(z)) is inf / inf = nan above z = 709 in float64, 88.7
in float32 and 11.1 in float16, and log(1 - p) is log(0) from z = 36.7, 16.6 and 8.3 on. Stable:
max(z, 0) - y z + log1p(exp(-|z|)) neither overflows nor cancels.

More classes, naive: exp(z) / sum(exp(z)) overflows in the same way, and log(p) is log(0) where
a logit is 745, 104 or 17.3 below the largest. Stable: the largest is subtracted first, and the
logarithm is taken of the sum (Blanchard, Higham and Higham, Accurately computing the log-sum-exp
and softmax functions, IMA Journal of Numerical Analysis, 2021).

The gradient by the logits is p - y in each case. Each function returns probabilities and mean loss.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Loss = Callable[[Any, Any], tuple[Any, Any]]


def naive_binary(z: Any, y: Any) -> tuple[Any, Any]:
    e = np.exp(z)
    p = e / (1.0 + e)
    return p, -(y * np.log(p) + (1.0 - y) * np.log(1.0 - p)).mean()


def stable_binary(z: Any, y: Any) -> tuple[Any, Any]:
    e = np.exp(-np.abs(z))
    p = ((z >= 0) + (z < 0) * e) / (1.0 + e)
    return p, (np.maximum(z, 0.0) - y * z + np.log1p(e)).mean()


def naive_classes(z: Any, onehot: Any) -> tuple[Any, Any]:
    e = np.exp(z)
    p = e / e.sum(axis=1, keepdims=True)
    return p, -(onehot * np.log(p)).sum(axis=1).mean()


def stable_classes(z: Any, onehot: Any) -> tuple[Any, Any]:
    shifted = z - z.max(axis=1, keepdims=True)
    e = np.exp(shifted)
    total = e.sum(axis=1, keepdims=True)
    return e / total, (np.log(total[:, 0]) - (onehot * shifted).sum(axis=1)).mean()


BINARY: dict[str, Loss] = {"naive": naive_binary, "stable": stable_binary}
CLASSES: dict[str, Loss] = {"naive": naive_classes, "stable": stable_classes}
