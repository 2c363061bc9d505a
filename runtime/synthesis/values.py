"""The kinds of value that a parameter can be given: a distribution over a small shape, or an object.

A kind makes its value from a generator, so that a seed determines it. Numeric kinds are
plain numpy arrays and numbers, which a perturbation can change; what the code receives
(a tensor, a data frame, a list) is made of them at the call. Sizes are small: 8 samples,
3 features, 2 classes.
"""

from __future__ import annotations

import importlib
import types
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..stubs import installed
from ..tensors import tensor

N, D, K = 8, 3, 2


@dataclass(frozen=True)
class Kind:
    """One way to make a value.

    Attributes
    ----------
    name : str
    make : callable
        From a `numpy.random.Generator`.
    role : str
        What numbers of this kind stand for, as in `target.KINDS`; empty for what is no number.
    ndim : int
        Of the array; 0 for a number, -1 for what is neither.
    form : str
        What the code receives: ``""`` as made, ``"tensor"``, ``"frame"``, ``"series"``, ``"list"``, ``"sparse"``.
    shape : tuple of int
        Of an array; empty for what has none.
    distribution : str
        What its entries are drawn from, as in `DISTRIBUTIONS`.
    """

    name: str
    make: Callable[[np.random.Generator], Any]
    role: str = ""
    ndim: int = -1
    form: str = ""
    shape: tuple[int, ...] = ()
    distribution: str = ""

    @property
    def numeric(self) -> bool:
        return self.ndim >= 0

    def received_as(self, form: str) -> Kind:
        return replace(self, name=f"{self.name} as {form}", form=form)

    def of_rows(self, rows: int) -> Kind:
        """The same with another number of samples."""
        if rows == N or N not in self.shape:
            return self
        shape = tuple(rows if side == N else side for side in self.shape)
        draw = DISTRIBUTIONS[self.distribution]
        return replace(self, make=lambda generator: draw(generator, shape), shape=shape)


def _real(generator: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return generator.normal(size=shape)


def _positive(generator: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return generator.random(shape) + 0.1


def _probability(generator: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return generator.random(shape) * 0.8 + 0.1


def _simplex(generator: np.random.Generator, shape: tuple[int, ...]) -> Any:
    values = generator.random(shape) + 0.1
    return values / values.sum(axis=-1, keepdims=True)


def _spd(generator: np.random.Generator, shape: tuple[int, ...]) -> Any:
    root = generator.normal(size=shape)
    return root @ np.swapaxes(root, -1, -2) + np.eye(shape[-1])


def _label(generator: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return np.resize(np.arange(K), shape)


def _onehot(generator: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return np.eye(shape[-1])[np.resize(np.arange(shape[-1]), shape[0])]


def _count(generator: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return generator.integers(1, 5, size=shape)


def _index(generator: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return np.arange(int(np.prod(shape))).reshape(shape)


def _sign(generator: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return np.resize(np.array([-1.0, 1.0]), shape)


def _distance(generator: np.random.Generator, shape: tuple[int, ...]) -> Any:
    points = generator.normal(size=(shape[0], D))
    return np.sqrt(((points[:, None] - points[None]) ** 2).sum(-1))


DISTRIBUTIONS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], Any]] = {
    "any": _real,
    "positive": _positive,
    "probability": _probability,
    "simplex": _simplex,
    "spd": _spd,
    "label": _label,
    "onehot": _onehot,
    "count": _count,
    "index": _index,
    "sign": _sign,
    "distance": _distance,
}
ROLES = {"sign": "label"}
"""Distributions whose numbers stand for what another kind of role is called."""


def _groups(size: int) -> Callable[[np.random.Generator], Any]:
    """Every row in one group: the numbers 0, 1, ... dealt out in turn."""
    return lambda _: [list(range(first, N, size)) for first in range(size)]


def array(role: str, *shape: int) -> Kind:
    """Arrays of a role and shape."""
    draw = DISTRIBUTIONS[role]
    letters = {N: "n", D: "d", K: "k"}
    sides = ", ".join(letters.get(side, str(side)) for side in shape)
    return Kind(
        f"{role} ({sides})",
        lambda generator: draw(generator, shape),
        ROLES.get(role, role),
        len(shape),
        shape=shape,
        distribution=role,
    )


def number(value: Any, role: str = "any") -> Kind:
    return Kind(repr(value), lambda _: value, role, 0)


def constant(value: Any) -> Kind:
    """A fixed value that is not perturbed: a string, a flag, None."""
    return Kind(repr(value), lambda _: value)


def made(name: str, make: Callable[[], Any]) -> Kind:
    """An object, made anew for every run."""
    return Kind(name, lambda _: make())


def halved(*arguments: Any, **_: Any) -> Any:
    """A function for callbacks: half of the first argument."""
    return (arguments[0] if arguments else 1.0) * 0.5


def _summed(*arguments: Any, **_: Any) -> Any:
    return (arguments[0] * arguments[0]).sum() if hasattr(arguments[0], "sum") else arguments[0] ** 2


ABSENT = Kind("absent", lambda _: None)
"""The parameter is left at its default."""
DUCK = made("object with the attributes in use", types.SimpleNamespace)
RECORD = made("dictionary of the items in use", dict)
RECORDS = made("list of dictionaries of the items in use", list)
"""Both are filled with the values of slots of their own, one for each item."""

NUMBERS = {
    "0.7": number(0.7, "any"),
    "0.5": number(0.5, "positive"),
    "0.001": number(0.001, "tolerance"),
    "3": number(D, "size"),
    "1": number(1, "size"),
    "2": number(K, "size"),
    "0": number(0, "size"),
    "10": number(10, "size"),
}
OBJECTS = {
    "none": constant(None),
    "true": constant(True),
    "false": constant(False),
    "string": constant("a"),
    "cpu": constant("cpu"),
    "halved": made("x -> x / 2", lambda: halved),
    "squares": made("x -> sum(x**2)", lambda: _summed),
    "half": made("x -> 0.5", lambda: lambda *_, **__: 0.5),
    "state": made("RandomState(0)", lambda: np.random.RandomState(0)),  # what old code takes
    "generator": made("default_rng(0)", lambda: np.random.default_rng(0)),
    "dict": made("{}", dict),
    "list": made("[]", list),
    "shape2": constant((N, D)),
    "shape1": constant((D,)),
    "pair": constant((2, 2)),
    "shape3": constant((1, 6, 6)),
    "shape4": constant((2, 1, 6, 6)),
    "duck": DUCK,
    "sizes": made("[3, 4, 2]", lambda: [D, 4, K]),
}
ARRAYS = {
    "X": array("any", N, D),
    "vector": array("any", N),
    "features": array("any", D),
    "classes": array("any", K),
    "XT": array("any", D, N),
    "scores": array("any", N, K),
    "weights": array("any", D, K),
    "centers": array("any", K, D),
    "square": array("any", D, D),
    "gram": array("any", N, N),
    "column": array("any", N, 1),
    "row": array("any", 1, D),
    "columnd": array("any", D, 1),
    "positives": array("positive", N),
    "positived": array("positive", D),
    "positivem": array("positive", N, D),
    "positivekd": array("positive", K, D),
    "probabilities": array("probability", N),
    "unit2": array("probability", N, 2),
    "proba": array("simplex", N, K),
    "simplex": array("simplex", K),
    "transition": array("simplex", K, K),
    "labels": array("label", N),
    "labelcolumn": array("label", N, 1),
    "signs": array("sign", N),
    "onehot": array("onehot", N, K),
    "counts": array("count", N, D),
    "countv": array("count", N),
    "index": array("index", N),
    "indexk": array("index", K),
    "indexcolumn": array("index", N, 1),
    "spd": array("spd", D, D),
    "spdn": array("spd", N, N),
    "spdk": array("spd", K, K),
    "spds": array("spd", K, D, D),
    "distance": array("distance", N, N),
    "sequence": array("any", 2, 4, D),
    "images": array("any", 2, 1, 6, 6),
    "imageslast": array("any", 2, 6, 6, 1),
    "images28": array("any", 2, 1, 28, 28),
    "images32": array("any", 2, 3, 32, 32),
    "images64": array("any", 2, 3, 64, 64),
    "pixels784": array("any", 2, 784),
    "noise100": array("any", 2, 100, 1, 1),
    "long": array("any", 100),
}
FRAMES = {
    "frame": array("any", N, D).received_as("frame"),
    "series": array("any", N).received_as("series"),
    "list": array("any", N).received_as("list"),
    "lists": array("any", N, D).received_as("list"),
    "arrays": array("any", K, N, D).received_as("list"),
    "columns": array("any", K, D, 1).received_as("list"),
    "sparse": array("any", N, D).received_as("sparse"),
}
GROUPS = {
    "groups": Kind(f"{K} groups of rows", _groups(K), "groups", 1),
    "groups3": Kind(f"{D} groups of rows", _groups(D), "groups", 1),
    "members": Kind("numbers of rows", lambda _: list(range(0, N, K)), "index", 1),
    "rows": Kind("array of numbers of rows", lambda _: np.arange(0, N, K), "index", 1),
}
AS_FORMS = {f"{name}*": kind for name, kind in FRAMES.items()}
KINDS: dict[str, Kind] = {**NUMBERS, **OBJECTS, **ARRAYS, **GROUPS, **AS_FORMS}


def kinds(text: str) -> list[Kind]:
    """Kinds by their names, separated by spaces."""
    return [KINDS[name] for name in text.split()]


EXPLORED = kinds(
    "X vector 0.7 3 features spd labels probabilities positives column onehot proba halved positivem gram spdn none "
    "weights centers classes 1 duck images string index unit2 false list* square labelcolumn sequence spds state "
    "imageslast pair frame* counts true indexcolumn squares 0.001 signs shape2 sizes arrays* columns* transition "
    "half columnd row dict XT distance series* 10 groups members"
)
"""What is tried, in this order, where nothing speaks for anything."""


def received(value: Any, form: str) -> Any:
    """What the code is given: an array in the form that it expects; other things as they are."""
    if form == "list":
        return list(value)
    if form == "tensor" and isinstance(value, np.ndarray) and hasattr(value, "plain"):
        value = value.plain()  # traced: torch follows its tensors by itself
    if not isinstance(value, np.ndarray) or value.dtype.kind == "O" or type(value) is not np.ndarray or not form:
        return value
    if form == "tensor":
        torch = installed("torch")
        return tensor(value) if torch is None else torch.from_numpy(np.ascontiguousarray(value))
    if form == "sparse":
        sparse: Any = importlib.import_module("scipy.sparse")
        return sparse.csr_matrix(value)
    pandas: Any = importlib.import_module("pandas")
    if form == "series":
        return pandas.Series(value)
    return pandas.DataFrame(value, columns=[f"c{number}" for number in range(value.shape[1])])
