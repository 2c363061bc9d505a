"""The graph read upwards, and the selections that a value's uses pass through."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from numlint.function import Function
from numlint.graph.value import Value

Lower = Callable[..., Function]


def exponential(function: Function) -> Value:
    return next(function.sites("exp")).value


def program(lower: Lower, body: str) -> Function:
    lines = "\n".join("    " + line for line in body.splitlines())
    return lower(f"import numpy as np\ndef f(x, y):\n{lines}\n")


def test_consumers_are_seen_through_layout(lower: Lower) -> None:
    function = program(lower, "e = np.exp(x).reshape(-1, 1)\nreturn e.T + y, e * y")
    assert sorted(user.op for user in function.uses.of(exponential(function))) == ["add", "mul"]


@pytest.mark.parametrize(
    ("body", "selections"),
    [
        ("return np.where(x > 0, y, np.exp(x))", [("lt", False)]),
        ("return np.where(x > 0, 1 + 2 * np.exp(x), y)", [("lt", True)]),
        ("e = np.exp(x)\nreturn np.where(x > 0, y, e), np.where(y > 0, e, x)", [("lt", False), ("lt", True)]),
        ("return np.exp(x)[x < 1]", [("lt", True)]),
        ("e = np.exp(x)\ne[x > 5] = y[x > 5]\nreturn e", [("lt", False)]),
        ("e = np.exp(x)\nreturn np.where(x > 0, y, e) + e", []),
        ("return np.where(np.exp(x) > 1, x, y)", []),
        ("return np.exp(x)", []),
    ],
)
def test_selections_are_those_that_every_use_passes(
    lower: Lower, body: str, selections: list[tuple[str, bool]]
) -> None:
    function = program(lower, body)
    found = function.uses.selections(exponential(function))
    assert sorted((condition.op, holds) for condition, holds in found) == selections


def test_the_kept_range_is_that_of_the_selected_branch(lower: Lower) -> None:
    function = program(lower, "return np.where(x > 3, y, np.exp(x))")
    site = next(function.sites("exp"))
    kept = function.range_kept(site.value.args[0], site)
    assert kept is not None
    assert kept.hi == 3
    assert function.range(site.value.args[0], site).unknown
