"""Experiments: how each kind of failure is made visible.

Overflow, nan, cancellation and their kin show in one run compared with the true value
(`value`). Others need an arrangement of their own: a second run (non-determinism), a
disabled ``break`` (premature stop), a residual (backward error), a backward pass
(nan gradient). One object in one file each; a module that defines ``EXPERIMENT`` is one.
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..formats import Format
from ..harness import Harness
from ..target import Target
from ..verdict import CureResult, Evidence


@dataclass
class Session:
    """What an experiment works with besides the harness: budget, seed, and the account of what was tried."""

    target: Target
    seed: int = 0
    seconds: float = 6.0
    formats: tuple[str, ...] = ("float64", "float32", "float16")
    packs: tuple[str, ...] = ()
    runs: int = 0
    inputs: int = 0
    notes: list[str] = field(default_factory=list)
    perturbations: list[str] = field(default_factory=list)
    oracle: str = ""
    end: float = 0.0
    """`time.monotonic` at which the search over all harnesses should end; set by the first."""

    def generator(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)


@dataclass
class Result:
    """What an experiment came to: evidence, or why there is none.

    `outside` says that the only failures were on inputs where the true value is undefined
    or not representable, `unjudged` that something looked wrong with no true value to compare
    with, or that nothing ran at all, `contained` that the flagged expression went wrong and the
    results were right nevertheless. `failing` holds inputs with their formats on which the cures are
    tried, unless the experiment has tried them itself and filled `cures`.
    """

    evidence: Evidence | None = None
    cures: list[CureResult] = field(default_factory=list)
    outside: str = ""
    unjudged: str = ""
    contained: bool = False
    note: str = ""
    failing: list[tuple[Format, dict[str, Any]]] = field(default_factory=list)
    turn: Any = None
    """The knob that was turned, for the curve of error against magnitude."""


class Experiment:
    """One way to look for a failure."""

    name = ""
    signatures: tuple[str, ...] = ()

    def applies(self, target: Target, harness: Harness) -> bool:
        return target.signature in self.signatures

    def run(self, harness: Harness, session: Session) -> Result:
        raise NotImplementedError


def load() -> tuple[Experiment, ...]:
    """All experiments, sorted by name."""
    found = {}
    for info in pkgutil.iter_modules(__path__):
        item: Any = getattr(importlib.import_module(f"{__name__}.{info.name}"), "EXPERIMENT", None)
        if isinstance(item, Experiment):
            found[item.name] = item
    return tuple(found[name] for name in sorted(found))
