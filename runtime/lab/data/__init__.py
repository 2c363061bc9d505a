"""Where the examples come from: one module for each kind of source.

Data are a function of their own settings and of the seed alone. Each use of random numbers
has a stream of its own (`stream`), so the same seed gives the same data and the same initial
weights whatever else is swept: runs are matched by construction.

A module that defines ``SOURCE`` is found by walking this package.
"""

from __future__ import annotations

import importlib
import pkgutil
import zlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..configuration import Configuration

REGRESSION, BINARY, CLASSES = "regression", "binary", "classes"
"""What the target is: a number, 0 or 1, a class from 0."""


class Refused(Exception):
    """The configuration cannot be run here; the message says what to do."""


@dataclass(frozen=True)
class Data:
    """Examples in float64.

    Attributes
    ----------
    X : ndarray of shape (n, d)
    y : ndarray of shape (n,)
        Numbers, or classes counted from 0.
    name : str
    """

    X: Any
    y: Any
    name: str

    @property
    def classes(self) -> int:
        return int(self.y.max()) + 1


class Source:
    """One kind of source."""

    name = ""
    about = ""

    def has(self, data: str) -> bool:
        """Whether the setting ``data`` names something of this source."""
        raise NotImplementedError

    def load(self, configuration: Configuration, kind: str) -> Data:
        raise NotImplementedError


def stream(seed: Any, purpose: str) -> np.random.Generator:
    """Random numbers for one purpose: independent of those for any other under the same seed."""
    return np.random.default_rng([int(seed or 0), zlib.crc32(purpose.encode())])


def sources() -> tuple[Source, ...]:
    """All sources, sorted by name."""
    found = {}
    for info in pkgutil.iter_modules(__path__):
        item: Any = getattr(importlib.import_module(f"{__name__}.{info.name}"), "SOURCE", None)
        if isinstance(item, Source):
            found[item.name] = item
    return tuple(found[name] for name in sorted(found))


def load(configuration: Configuration, kind: str) -> Data:
    """The data that a configuration asks for, with the features multiplied by ``scale`` and shifted by ``offset``.

    Parameters
    ----------
    configuration : Configuration
        Its settings ``data``, ``seed``, ``scale``, ``offset``, and those that the source reads.
    kind : {"regression", "binary", "classes"}

    Raises
    ------
    Refused
        There is no such source, or what it needs is missing.
    """
    settings = configuration.settings
    wanted = str(settings.get("data") or "synthetic")
    for source in sources():
        if source.has(wanted):
            data = suited(source.load(configuration, kind), kind)
            X = data.X * float(settings.get("scale") or 1.0) + float(settings.get("offset") or 0.0)
            return replace(data, X=np.ascontiguousarray(X))
    offered = "; ".join(source.about for source in sources())
    raise Refused(f"there is no data {wanted!r}: {offered}")


def suited(data: Data, kind: str) -> Data:
    """Data whose target is of the kind that a task takes.

    A regression takes classes as numbers. A classification into two takes the most frequent
    class against the rest, or the target above its median.
    """
    y = np.asarray(data.y)
    if kind == REGRESSION:
        return replace(data, y=y.astype(np.float64))
    values, codes = np.unique(y, return_inverse=True)
    few = len(values) <= max(2, min(100, len(y) // 4)) and (
        y.dtype.kind not in "f" or (values == np.rint(values)).all()
    )
    if kind == BINARY and len(values) != 2:
        ones = codes == np.bincount(codes).argmax() if few else y > np.median(y)
        return replace(data, y=ones.astype(np.int64))
    if not few:
        codes = np.searchsorted(np.quantile(y, [1 / 3, 2 / 3]), y)
    return replace(data, y=codes.reshape(-1).astype(np.int64))
