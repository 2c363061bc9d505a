"""Weights that are made of rounding errors, or that descent cannot reach, since the design is ill-conditioned.

Weights that were solved for at once are compared with the least squares solution of smallest norm
in float64. For descent, the epochs that it needs grow as the condition number of X^T X.
"""

from __future__ import annotations

import math

import numpy as np

from ..record import CONVERGED, Finding
from . import Case, Signature

WRONG = 1e-2
SLOW = 1e3
"""Condition number of X^T X in epochs that were run: what descent leaves out below it hardly matters to the loss."""


def examine(case: Case) -> Finding | None:
    if "design" in case.state:
        return _solved(case)
    gram, epochs = case.run.conditions.gram, len(case.history)
    if case.run.status == CONVERGED or case.phase("exploding") or not math.isfinite(gram) or gram < SLOW * epochs:
        return None
    if case.run.phases and case.run.phases[-1].name not in ("healthy", "plateau", "stalled", "oscillating"):
        return None
    figure = f"condition number of X^T X {gram:.2g}: descent needs as many epochs, and {epochs} were run"
    return Finding("ill-conditioned", epochs - 1, figure, gram)


def _solved(case: Case) -> Finding | None:
    X, y = (np.asarray(case.state[name], dtype=np.float64) for name in ("design", "target"))
    w = np.concatenate([np.asarray(item, dtype=np.float64).ravel() for item in case.state["parameters"].values()])
    l2 = float(case.state.get("l2", 0.0))
    augmented = np.vstack([X, math.sqrt(len(X) * l2) * np.eye(X.shape[1])])
    exact = np.linalg.lstsq(augmented, np.concatenate([y, np.zeros(X.shape[1])]), rcond=None)[0]
    error = float(np.linalg.norm(w - exact) / np.linalg.norm(exact))
    if error <= WRONG:
        return None
    condition = case.run.conditions.gram if case.state.get("solved") == "gram" else case.run.conditions.design
    figure = (
        f"the weights are off by {error:.2g} of their norm: condition number {condition:.2g} "
        f"times the spacing {case.eps:.2g}; largest weight {np.abs(w).max():.3g}"
    )
    return Finding("ill-conditioned", len(case.history) - 1, figure, condition)


SIGNATURE = Signature("ill-conditioned", examine)
