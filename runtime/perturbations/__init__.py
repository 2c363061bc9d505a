"""Perturbations: what is done to benign inputs until a function fails, or does not.

One object in one file each. A perturbation turns one knob: it changes the inputs by a
magnitude, and says in the knob's own unit from which magnitude on an input is no longer
ordinary. A module of this package that defines ``PERTURBATION`` is one; so is one of a
package named in ``perturbation-packs``. They are walked; there is no list to edit.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..target import Role

STRUCTURED = frozenset(["label", "index", "groups", "onehot", "simplex", "spd", "size", "image", "tolerance"])
"""Kinds whose values a change of magnitude would take out of their meaning."""
INTEGRAL = frozenset(["count", "label", "index", "groups", "size", "image"])


class OutsideDomain(ValueError):
    """A magnitude at which the input would leave the domain of its role."""


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
    forms : sequence of str
        Of a perturbation without a magnitude: what form 1, 2, ... is, such as ``"a column of {name} is constant"``.
    """

    name: str
    knob: str
    magnitudes: Sequence[float]
    realistic: float
    stress: float
    continuous: bool = True
    integral: bool = False
    """Whether the magnitude is a number of things."""
    forms: Sequence[str] = ()

    def form(self, subject: str, magnitude: float) -> str:
        """The form in words; empty where the magnitude is one."""
        number = round(magnitude)
        return self.forms[number - 1].format(name=subject) if 0 < number <= len(self.forms) else ""

    def applies(self, value: Any, role: Role) -> bool:
        """Whether this input can be perturbed in this way within its role."""
        raise NotImplementedError

    def apply(self, value: Any, magnitude: float, role: Role, generator: np.random.Generator) -> Any:
        """The perturbed input, a new object of the same structure."""
        raise NotImplementedError

    def subjects(self, inputs: dict[str, Any], roles: dict[str, Role]) -> Iterator[str]:
        """What can be perturbed: names of inputs, or a name for several of them together."""
        for name, value in inputs.items():
            if self.applies(value, roles.get(name, Role())):
                yield name

    def turned(
        self,
        inputs: dict[str, Any],
        roles: dict[str, Role],
        subject: str,
        magnitude: float,
        generator: np.random.Generator,
    ) -> dict[str, Any]:
        """The inputs with the knob at `magnitude`; values stay inside their roles' domains.

        Raises
        ------
        OutsideDomain
            When the magnitude leads out of the domain.
        """
        role = roles.get(subject, Role())
        changed = self.apply(inputs[subject], magnitude, role, generator)
        inside = within(changed, role)
        if self.continuous and not np.array_equal(np.asarray(inside), np.asarray(changed), equal_nan=True):
            raise OutsideDomain(f"{self.name} at {magnitude:g} leads out of [{role.low:g}, {role.high:g}]")
        return {**inputs, subject: inside}

    def realism(self, magnitude: float) -> str:
        """``"realistic"``, ``"stress"`` or ``"extreme"``."""
        size = abs(magnitude)
        return "realistic" if size <= self.realistic else "stress" if size <= self.stress else "extreme"


def is_real(value: Any) -> bool:
    """Whether an input holds real numbers that may change: floats, float arrays, lists of floats."""
    if isinstance(value, np.ndarray):
        return bool(value.dtype.kind == "f" and value.size)
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, float) for item in value)
    return isinstance(value, (float, np.floating))


def is_array(value: Any, rank: int = 1) -> bool:
    """Whether an input is an array of numbers of at least this many dimensions."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiu" and value.ndim >= rank and value.size > 0


def array(value: Any) -> np.ndarray:
    """A float64 copy."""
    return np.array(value, dtype=np.float64)


def like(original: Any, changed: np.ndarray) -> Any:
    """The changed numbers in the structure and type of the original."""
    if isinstance(original, list):
        return [float(item) for item in changed]
    if isinstance(original, np.ndarray):
        return changed.astype(original.dtype)
    return float(changed)


def within(value: Any, role: Role) -> Any:
    """Clip to the domain of the role."""
    if role.low == -np.inf and role.high == np.inf:
        return value
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiu":
        return np.clip(value, role.low, role.high).astype(value.dtype)
    if isinstance(value, list):
        return [within(item, role) for item in value]
    return type(value)(min(max(value, role.low), role.high)) if isinstance(value, (int, float)) else value


def spread(value: np.ndarray) -> float:
    """Standard deviation over all elements; 1 where there is none."""
    deviation = float(np.std(value)) if value.size > 1 else 0.0
    return deviation if deviation > 0 else 1.0


def load(packs: Iterable[str] = ()) -> tuple[Perturbation, ...]:
    """The built-in perturbations and those of `packs`, sorted by name."""
    return _load(tuple(packs))


@functools.cache
def _load(packs: tuple[str, ...]) -> tuple[Perturbation, ...]:
    found = {}
    for pack in (__name__, *packs):
        package = importlib.import_module(pack)
        for info in pkgutil.iter_modules(getattr(package, "__path__", [])):
            item = getattr(importlib.import_module(f"{pack}.{info.name}"), "PERTURBATION", None)
            if isinstance(item, Perturbation):
                found[item.name] = item
    return tuple(found[name] for name in sorted(found))
