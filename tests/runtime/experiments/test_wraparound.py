"""Integers that wrap around, and those that are widened first."""

from __future__ import annotations

import numpy as np

from numlint.runtime.experiments.wraparound import EXPERIMENT
from numlint.runtime.target import Role
from tests.runtime.experiments.conftest import Experimenting

IMAGES = {"a": np.array([[3, 200], [90, 7]], dtype=np.uint8), "b": np.array([[9, 100], [80, 90]], dtype=np.uint8)}
ROLES = {"a": Role("image", 0, 255), "b": Role("image", 0, 255)}


def test_the_difference_of_two_images(experimenting: Experimenting) -> None:
    code = """
    def difference(a, b):
        return a - b
    """
    evidence = experimenting(EXPERIMENT, "wraparound", code, "a - b", IMAGES, ROLES).evidence
    assert evidence is not None
    assert evidence.realism == "realistic"
    assert evidence.figure.value == 256
    assert evidence.format == "uint8"


def test_a_difference_that_is_widened_first(experimenting: Experimenting) -> None:
    code = """
    def difference(a, b):
        wide = a if a.dtype == object else a.astype(np.int64)
        return (wide - b) // 2
    """
    result = experimenting(EXPERIMENT, "wraparound", code, "(wide - b) // 2", IMAGES, ROLES)
    assert result.evidence is None
    assert result.note == ""


def test_squares_of_counts(experimenting: Experimenting) -> None:
    code = """
    def energy(n):
        return n * n
    """
    inputs = {"n": np.array([1, 2, 3], dtype=np.int32)}
    evidence = experimenting(EXPERIMENT, "wraparound", code, "n * n", inputs, {"n": Role("count", 0, np.inf)}).evidence
    assert evidence is not None
    assert evidence.smallest is not None
    assert evidence.smallest.got != evidence.smallest.true
