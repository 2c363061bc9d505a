"""Sums and sums of squares of the same data: far from zero, compared with its spread.

A function that is handed both, such as the last step of an algorithm in one pass, takes
their difference. Turned one by one they would belong to no data at all; so they are made
together, with the count and the mean where these are inputs too: every number of `n`
values with mean `m` and variance 1 has the sum `n m` and the sum of squares `n (m**2 + 1)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..target import Role
from . import Perturbation, array, is_real, like

VALUES = 16
SQUARED = r"(\*\*2|_?2|_?sq|_?sqs|_?squares?|_?squared|_of_squares)$"
BEFORE = r"^(sq_?|squares?_?(of_)?|squared_)"
COUNTS = re.compile(r"(?i)^(n|m|count\w*|n_\w+|num_\w+|nobs|post|posteriors?|weight_?sum|total_weight|denom)$")
MEANS = re.compile(r"(?i)^(mean|means|mu|avg|average|x_?bar)_?$")


class Moments(Perturbation):
    def subjects(self, inputs: dict[str, Any], roles: dict[str, Role]) -> Iterator[str]:
        for first, second in pairs(inputs):
            yield f"{first} and {second}"

    def turned(
        self,
        inputs: dict[str, Any],
        roles: dict[str, Role],
        subject: str,
        magnitude: float,
        generator: np.random.Generator,
    ) -> dict[str, Any]:
        first, second = next(pair for pair in pairs(inputs) if f"{pair[0]} and {pair[1]}" == subject)
        made = {first: VALUES * magnitude, second: VALUES * (magnitude**2 + 1)}
        for name in inputs:
            if name not in made and COUNTS.search(_last(name)):
                made[name] = VALUES
            elif name not in made and MEANS.search(_last(name)):
                made[name] = magnitude
        return {name: _filled(value, made[name]) if name in made else value for name, value in inputs.items()}


def _filled(value: Any, number: float) -> Any:
    """All entries the same; an integer stays one."""
    if isinstance(value, np.ndarray):
        return np.full_like(value, number) if value.dtype.kind in "fiu" else value
    if isinstance(value, list):
        return like(value, np.full_like(array(value), number))
    return int(number) if isinstance(value, int) else float(number)


def pairs(inputs: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Names of a sum and of the sum of squares that goes with it."""
    real = [name for name, value in inputs.items() if is_real(value)]
    for first in real:
        for second in real:
            if first != second and _owner(first) == _owner(second) and _squares(_last(first), _last(second)):
                yield first, second


def _squares(first: str, second: str) -> bool:
    plain, square = first.lower().strip("_"), second.lower().strip("_")
    if square == f"{plain}**2" or square == f"{plain}*{plain}":
        return True
    stems = {re.sub(SQUARED, "", square), re.sub(BEFORE, "", square), re.sub(r"^sum_?sq\w*", "sum", square)}
    return plain in stems - {square}


def _last(name: str) -> str:
    """The key or identifier at the end of a name: ``obs`` of ``stats['obs']``."""
    key = re.search(r"\[['\"](.*)['\"]\]$", name)
    return key.group(1) if key else name.rpartition(".")[2]


def _owner(name: str) -> str:
    last = _last(name)
    return name[: name.rfind(last)]


PERTURBATION = Moments("moments", "mean/std in {name}", (30, 100, 300, 1000, 1e4, 1e6, 1e8), 100, 1e8)
