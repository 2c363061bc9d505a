"""Sums of exponentials in every spelling."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from numlint.function import Function
from numlint.graph.exponentials import ExpSum, exp_sum

Lower = Callable[..., Function]


def found(lower: Lower, body: str) -> ExpSum | None:
    lines = "\n".join("    " + line for line in body.splitlines())
    function = lower(f"import math\nimport numpy as np\ndef f(x, y, w):\n{lines}\n")
    return exp_sum(function.body.returns[-1].value, function.body.analysis.carried)


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("return np.exp(x).sum()", 1),
        ("return np.mean(np.exp(x), axis=1, keepdims=True)", 1),
        ("return np.exp(x) + np.exp(y)", 2),
        ("return np.exp(x).sum() + np.exp(y).sum() + 1e-8", 2),
        ("return (w * np.exp(x)).sum() / 2", 1),
        ("return w @ np.exp(x)", 1),
        ("return sum(math.exp(v) for v in x)", 1),
        ("return sum([math.exp(v) for v in x])", 1),
        ("return np.where(w > 0, np.exp(x), 0).sum()", 1),
        ("return np.maximum(np.exp(x).sum(), 1e-8)", 1),
        ("s = 0\nfor v in x:\n    s += np.exp(v)\nreturn s", 1),
        ("return np.exp(x) / np.exp(y).sum()", 2),
    ],
)
def test_a_sum_is_found_with_its_terms(lower: Lower, body: str, count: int) -> None:
    result = found(lower, body)
    assert result is not None
    assert result.summed
    assert len(result.values) == count


def test_a_single_exponential_is_not_summed(lower: Lower) -> None:
    for body in ("return np.exp(x)", "return 2 * np.exp(x)", "return 1 + np.exp(x)"):
        result = found(lower, body)
        assert result is not None
        assert not result.summed


@pytest.mark.parametrize(
    "body", ["return x.sum()", "return np.exp(x) + y", "return np.exp(x) - np.exp(y)", "return x * y"]
)
def test_other_values_are_none(lower: Lower, body: str) -> None:
    assert found(lower, body) is None
