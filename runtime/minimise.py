"""The smallest failing input: fewer rows and columns, then simpler numbers.

A greedy descent in the manner of delta debugging (Zeller and Hildebrandt, IEEE TSE 2002):
a change is kept when the input still fails. Axes that several inputs share are cut
together, so that shapes stay compatible.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .target import Role

Inputs = dict[str, Any]


def minimise(inputs: Inputs, roles: dict[str, Role], fails: Callable[[Inputs], bool], until: float) -> Inputs:
    """A smaller and simpler input that still fails.

    Parameters
    ----------
    inputs : dict of str to Any
        A failing input.
    roles : dict of str to Role
        Only kinds whose entries mean nothing to each other are simplified entry by entry.
    fails : callable
    until : float
        `time.monotonic` at which to stop.
    """
    progress = True
    while progress and time.monotonic() < until:
        progress = False
        for candidate in (*_fewer(inputs), *_simpler(inputs, roles)):
            if time.monotonic() > until:
                break
            if fails(candidate):
                inputs, progress = candidate, True
                break
    return inputs


def _fewer(inputs: Inputs) -> Iterator[Inputs]:
    """Half of an axis, or all but one entry of it: in all inputs with an axis of that length, then in one."""
    lengths = sorted(
        {size for value in inputs.values() if isinstance(value, np.ndarray) for size in value.shape if size > 1},
        reverse=True,
    )
    for length in lengths:
        halves = [slice(None, length // 2), slice(length // 2, None)] if length > 2 else []
        for kept in [*halves, slice(1, None), slice(None, length - 1)]:
            yield {name: _cut(value, length, kept) for name, value in inputs.items()}
    for name, value in inputs.items():
        if isinstance(value, np.ndarray):
            for axis, size in enumerate(value.shape):
                for kept in (slice(None, size // 2), slice(size // 2, None)) if size > 1 else ():
                    yield {**inputs, name: value[(slice(None),) * axis + (kept,)].copy()}


def _cut(value: Any, length: int, kept: slice) -> Any:
    if not isinstance(value, np.ndarray) or length not in value.shape:
        return value
    return value[tuple(kept if size == length else slice(None) for size in value.shape)].copy()


def _simpler(inputs: Inputs, roles: dict[str, Role]) -> Iterator[Inputs]:
    """Entries set to 0, or rounded to fewer digits."""
    for name, value in inputs.items():
        kind = roles.get(name, Role()).kind
        if isinstance(value, np.ndarray) and value.dtype.kind == "f" and kind not in ("spd", "simplex", "onehot"):
            largest = np.max(np.abs(value), initial=0.0, where=np.isfinite(value))
            small = (np.abs(value) < largest) & (value != 0)
            if np.any(small) and roles.get(name, Role()).low <= 0:
                yield {**inputs, name: np.where(small, value.dtype.type(0), value)}
            for digits in (1, 2, 3):
                rounded = _significant(value, digits)
                if not np.array_equal(rounded, value):
                    yield {**inputs, name: rounded}
                    break
        elif isinstance(value, float) and value:
            simple = float(f"{value:.2g}")
            if simple != value:
                yield {**inputs, name: simple}


def _significant(value: np.ndarray, digits: int) -> np.ndarray:
    text = np.array([f"{item:.{digits}g}" for item in value.reshape(-1).tolist()])
    return text.astype(np.float64).reshape(value.shape).astype(value.dtype)
