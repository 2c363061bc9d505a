"""Second moments taken as differences, in their many spellings."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from numlint.function import Function
from numlint.graph.moments import second_moment

Lower = Callable[..., Function]


def moments(lower: Lower, body: str) -> list[str]:
    """Kinds of the moments in a function of x, y, w, n, A, stats."""
    text = "\n".join("    " + line for line in body.splitlines())
    function = lower(
        f"import numpy as np\nimport torch.nn.functional as F\ndef f(x, y, w, n, A, stats):\n{text}\n", "f"
    )
    found = [second_moment(site.value, function.body.analysis.carried) for site in function.sites("sub", "add")]
    return [moment.kind for moment in found if moment is not None]


@pytest.mark.parametrize(
    "variance",
    [
        "np.mean(x ** 2) - np.mean(x) ** 2",
        "(x * x).mean(0) - x.mean(0) ** 2",
        "-(np.mean(x) ** 2) + np.mean(np.square(x))",
        "np.sum(x ** 2) / n - (np.sum(x) / n) ** 2",
        "np.sum(x ** 2) - np.sum(x) ** 2 / n",
        "np.sum(x ** 2) - n * np.mean(x) ** 2",
        "n * np.sum(x ** 2) - np.sum(x) ** 2",
        "sum(v * v for v in x) - sum(x) ** 2 / n",
        "np.average(x ** 2, weights=w) - np.average(x, weights=w) ** 2",
        "stats.squares / n - (stats.total / n) ** 2",
    ],
)
def test_a_variance_in_one_pass(lower: Lower, variance: str) -> None:
    assert moments(lower, f"return {variance}") == ["variance"]


@pytest.mark.parametrize(
    ("formula", "kind"),
    [
        ("np.mean(x * y) - np.mean(x) * np.mean(y)", "covariance"),
        ("n * np.sum(x * y) - np.sum(x) * np.sum(y)", "covariance"),
        ("x.T @ x / n - np.outer(x.mean(0), x.mean(0))", "covariance"),
        ("F.conv2d(x * x, w) - F.conv2d(x, w) ** 2", "filtered"),
        ("F.conv2d(x * y, w) - F.conv2d(x, w) * F.conv2d(y, w)", "filtered"),
        ("stats['xx'] - 2 * y * stats['x'] + y ** 2 * n", "scatter"),
        ("y @ y - w @ A @ w", "quadratic"),
        ("y.T.dot(y) - w.T.dot(x.T).dot(y)", "quadratic"),
    ],
)
def test_other_second_moments(lower: Lower, formula: str, kind: str) -> None:
    assert set(moments(lower, f"return {formula}")) == {kind}


def test_sums_that_a_loop_adds_up(lower: Lower) -> None:
    body = "s = q = 0\nfor v in x:\n    s += v\n    q += v ** 2\nreturn q / n - (s / n) ** 2"
    assert moments(lower, body) == ["variance"]


@pytest.mark.parametrize(
    "formula",
    [
        "x - y ** 2",
        "x ** 2 - y ** 2",
        "np.mean(x ** 2) - np.mean(y) ** 2",
        "np.mean((x - np.mean(x)) ** 2)",
        "x ** 2 - 2 * x * y + y ** 2",
        "x ** 2 + y ** 2 - 2 * x * y * np.cos(w)",
        "y @ y - w",
        "np.sum(x) - np.mean(x)",
    ],
)
def test_formulas_that_are_no_moments(lower: Lower, formula: str) -> None:
    assert moments(lower, f"return {formula}") == []
