"""Another order of the columns: the same algebra, another rounding.

A machine with other vector units sums in another order. Permuting the columns of a design
does the same in this process: the solution is the same up to the permutation, unless the
code keeps directions in which the data says nothing. Such directions are in every one-hot
design that keeps all levels (the columns of a feature sum to the intercept); what comes
out of them is rounding error divided by rounding error, and the norm of the weights jumps
by orders of magnitude from one order, or one processor, to the next.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import leaves, protocol
from ..formats import FLOAT64
from ..harness import Harness
from ..perturbations import is_real
from ..target import Role, Target
from ..verdict import Evidence, Figure, Sample
from . import Experiment, Result, Session

ORDERS = 8
JUMP = 1e3
"""Norms that differ by this factor are not rounding."""
LAYOUTS = ((80, (3, 2), 1), (80, (20, 10), 2), (80, (24, 12, 7), 3))
"""Distinct rows, levels of the categorical features, repetitions of each row."""


def one_hot_design(rows: int, levels: tuple[int, ...], repeats: int, generator: np.random.Generator) -> np.ndarray:
    """Intercept and one-hot groups that keep all levels; shape ``(rows * repeats, 1 + sum(levels))``."""
    groups = [np.eye(count)[generator.integers(0, count, rows)] for count in levels]
    return np.repeat(np.hstack([np.ones((rows, 1)), *groups]), repeats, axis=0)


class Order(Experiment):
    name = "order"
    signatures = ("ill-conditioned",)

    def applies(self, target: Target, harness: Harness) -> bool:
        return target.code.startswith("NL4") and bool(_design(harness))

    def run(self, harness: Harness, session: Session) -> Result:
        name = _design(harness)
        until = time.monotonic() + session.seconds * 0.3
        for inputs in _designs(harness, name, session.generator()):
            norms: list[float] = []
            for order in _orders(inputs[name].shape[1], session.generator()):
                if time.monotonic() > until:
                    break
                changed = {**inputs, name: inputs[name][:, order]}
                outcome = harness.run(changed)
                session.runs += 1
                norm = _norm(outcome.sites)
                if outcome.raised is None and outcome.reached and norm is not None:
                    norms.append(norm)
            if len(norms) > 1 and max(norms) > JUMP * max(min(norms), 1e-300):
                return Result(evidence=_evidence(inputs, name, norms), failing=[(FLOAT64, inputs)])
        return Result()


def _design(harness: Harness) -> str:
    """The input that is a design matrix."""
    for name, value in harness.inputs.items():
        kind = harness.roles.get(name, Role()).kind
        if isinstance(value, np.ndarray) and value.ndim == 2 and is_real(value) and kind in ("design", "any"):
            return name
    return ""


def _designs(harness: Harness, name: str, generator: np.random.Generator) -> Iterator[dict[str, Any]]:
    """One-hot designs of growing width, with every other input resized to fit."""
    rows, columns = harness.inputs[name].shape
    for count, levels, repeats in LAYOUTS:
        design = one_hot_design(count, levels, repeats, generator)
        sizes = {rows: design.shape[0], columns: design.shape[1]}
        fitted = {other: _fitted(value, sizes) for other, value in harness.inputs.items()}
        yield {**fitted, name: design}


def _fitted(value: Any, sizes: dict[int, int]) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    for axis, length in enumerate(value.shape):
        if length in sizes:
            value = np.take(value, np.arange(sizes[length]) % length, axis=axis)
    return value


def _orders(columns: int, generator: np.random.Generator) -> Iterator[np.ndarray]:
    yield np.arange(columns)
    for _ in range(ORDERS - 1):
        yield generator.permutation(columns)


def _norm(sites: list[Any]) -> float | None:
    """Largest magnitude of the flagged expression: a permutation does not change it."""
    found = [np.max(np.abs(leaf), initial=0.0) for _, leaf in leaves.leaves(sites) if np.size(leaf)]
    return float(max(found)) if found and np.all(np.isfinite(found)) else None


def _evidence(inputs: dict[str, Any], name: str, norms: list[float]) -> Evidence:
    shape = " x ".join(str(size) for size in inputs[name].shape)
    return Evidence(
        signature="ill-conditioned",
        realism="realistic",
        figure=Figure("largest entry over column orders", max(norms)),
        format="float64",
        knob=f"order of the columns of {name}",
        smallest=Sample(
            {name: f"one-hot design {shape}, all levels kept"},
            "float64",
            f"largest entry {max(norms):.3g} in one order of the columns",
            f"{min(norms):.3g} in another",
            exact=protocol.encode(inputs),
        ),
        note=f"the largest entry is between {min(norms):.3g} and {max(norms):.3g}, depending on the column order",
    )


EXPERIMENT = Order()
