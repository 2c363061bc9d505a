"""Counts of what occurs are at least 1."""

from __future__ import annotations

import ast

import pytest

from numlint.facts.range import Range
from numlint.function import Function
from numlint.graph.frame import Analysis
from numlint.graph.lowering import lower_function
from numlint.graph.module import Module


def range_of(program: str) -> Range:
    """Range of the argument of the last logarithm in the program."""
    source = "import numpy as np\nfrom collections import Counter\ndef f(y, x, k):\n" + program
    module = Module(ast.parse(source), source, "program.py")
    function = Function(lower_function(Analysis(module), module.functions["f"]))
    site = list(function.sites("log"))[-1]
    return function.range(site.value.args[0], site)


OCCURRING = [
    "    for c in np.unique(y): np.log(len(y[y == c]) / len(y))\n",
    "    for c in np.unique(y): np.log(np.sum(y == c))\n",
    "    for c in set(y): np.log(np.mean(y == c))\n",
    "    for c in set(y): np.log(y.count(c) / len(y))\n",
    "    for c in np.unique(y): np.log(x[y == c].shape[0] / x.shape[0])\n",
    "    values, n = np.unique(y, return_counts=True); np.log(n / n.sum())\n",
    "    values, i = np.unique(y, return_inverse=True); np.log(np.bincount(i) / len(y))\n",
    "    for n in Counter(y).values(): np.log(n / len(y))\n",
    "    for c, n in Counter(y).items(): np.log(n / len(y))\n",
    "    np.log(x.value_counts(normalize=True))\n",
]
PERHAPS_NOT = [
    "    np.log(np.sum(y == k))\n",
    "    for c in np.unique(x): np.log(np.sum(y == c))\n",
    "    for c in range(k): np.log(len(y[y == c]))\n",
    "    np.log(np.bincount(y))\n",
]


@pytest.mark.parametrize("program", OCCURRING)
def test_a_label_that_occurs_is_counted_at_least_once(program: str) -> None:
    assert not range_of(program).can_be_zero


@pytest.mark.parametrize("program", PERHAPS_NOT)
def test_a_label_that_may_not_occur_can_have_the_count_zero(program: str) -> None:
    assert range_of(program).can_be_zero
