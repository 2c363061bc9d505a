"""Perturbations: what is done to benign inputs until a function fails, or does not.

One object in one file each. A perturbation turns one knob: it changes the inputs by a
magnitude, and says in the knob's own unit from which magnitude on an input is no longer
ordinary. A module of this package that defines ``PERTURBATION`` is one; so is one of a
package named in ``perturbation-packs``. They are walked; there is no list to edit.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..target import Role


@dataclass(frozen=True)
class Perturbation:
    """One way to make inputs harder.

    Attributes
    ----------
    name : str
        Such as ``"scale"``.
    knob : str
        What the magnitude is, as a reader sees it: ``"max|{name}|"``, ``"mean/std of {name}"``, ``"n"``.
    magnitudes : sequence of float
        Tried in this order, ordinary ones first.
    realistic, stress : float
        Up to which magnitude an input is ordinary, and up to which it is stress.
    continuous : bool
        Whether a magnitude between two others makes sense: then the boundary is bisected.
    """

    name: str
    knob: str
    magnitudes: Sequence[float]
    realistic: float
    stress: float
    continuous: bool = True

    def applies(self, value: Any, role: Role) -> bool:
        """Whether this input can be perturbed in this way within its role."""
        raise NotImplementedError

    def apply(self, value: Any, magnitude: float, role: Role, generator: np.random.Generator) -> Any:
        """The perturbed input, a new object of the same structure."""
        raise NotImplementedError

    def realism(self, magnitude: float) -> str:
        """``"realistic"``, ``"stress"`` or ``"extreme"``."""
        size = abs(magnitude)
        return "realistic" if size <= self.realistic else "stress" if size <= self.stress else "extreme"


def load(packs: Iterable[str] = ()) -> tuple[Perturbation, ...]:
    """The built-in perturbations and those of `packs`, sorted by name."""
    found = {}
    for pack in (__name__, *packs):
        package = importlib.import_module(pack)
        for info in pkgutil.iter_modules(getattr(package, "__path__", [])):
            item = getattr(importlib.import_module(f"{pack}.{info.name}"), "PERTURBATION", None)
            if isinstance(item, Perturbation):
                found[item.name] = item
    return tuple(found[name] for name in sorted(found))
