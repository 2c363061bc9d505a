"""Which denominators are zero on ordinary data, and why."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from numlint.facts.denominators import WHEN
from numlint.function import Function

Analyse = Callable[..., Function]


def kinds(function: Function) -> list[str]:
    """Kind of each denominator of the function that can vanish, marked where only unknown data makes it."""
    found = []
    for site in function.sites("div"):
        zero = function.zero_denominator(site.value.args[1], site)
        if zero is not None:
            assert zero.kind in WHEN
            assert zero.when == WHEN[zero.kind]
            found.append(zero.kind if zero.sure else f"{zero.kind}?")
    return found


@pytest.mark.parametrize(
    ("denominator", "kind"),
    [
        ("np.linalg.norm(x)", "norm"),
        ("np.sqrt(np.sum(x ** 2))", "norm"),
        ("math.sqrt(sum(v * v for v in x))", "norm"),
        ("np.abs(x).max()", "norm"),
        ("x @ x", "norm"),
        ("np.linalg.norm(x - y)", "distance"),
        ("np.mean((x - y) ** 2)", "error"),
        ("x.std(axis=0)", "deviation"),
        ("np.sqrt(2 * np.pi * x.var())", "deviation"),
        ("np.sum((x - np.mean(x)) ** 2)", "deviation"),
        ("np.mean(x ** 2) - np.mean(x) ** 2", "deviation"),
        ("np.median(np.abs(x - np.median(x)))", "deviation"),
        ("np.outer(x.std(0), y.std(0))", "deviation"),
        ("x.max() - x.min()", "range"),
        ("np.ptp(x)", "range"),
        ("np.percentile(x, 75) - np.percentile(x, 25)", "range"),
        ("np.sum(x == y)", "count"),
        ("np.count_nonzero(x)", "count"),
        ("len(x[y > 0])", "count"),
        ("sum(1 for v in x if v > y)", "count"),
        ("np.sum((x == 1) & (y == 1)) + np.sum((x == 0) & (y == 1))", "count"),
        ("np.sum(stats.norm.pdf(x))", "underflow"),
        ("np.sum(np.exp(-x ** 2))", "underflow"),
        ("np.linalg.det(x)", "determinant"),
        ("np.linalg.svd(x)[1]", "spectrum"),
        ("np.tanh(x) ** 2 * (1 - np.tanh(x) ** 2)", "probability"),
        ("x.sum()", "total?"),
        ("len(x) - 1", "freedom?"),
    ],
)
def test_a_denominator_vanishes_for_a_reason(analyse: Analyse, denominator: str, kind: str) -> None:
    assert kinds(analyse(f"def f(x, y):\n    return 1 / ({denominator})")) == [kind]


@pytest.mark.parametrize(
    "denominator",
    [
        "x",
        "x ** 2",
        "y - x",
        "len(x)",
        "x.shape[0]",
        "np.linalg.norm(x) + 1e-8",
        "np.linalg.norm(x) + y",
        "np.maximum(x.std(), 1e-8)",
        "max(len(x[y > 0]), 1)",
        "np.sum(x == y) or 1",
        "np.where(x.std() == 0, 1, x.std())",
        "np.sqrt(1 + x ** 2)",
        "1 + np.exp(-x)",
        "np.exp(x)",
        "np.exp(x - x.max()).sum()",
        "np.random.rand(5).sum()",
        "np.random.randn(5).std()",
        "np.linalg.norm([1.0, x])",
        "1 - 0.9 ** (y + 1)",
        "np.linalg.svd(x)[1][:2]",
        "np.sum(y == np.unique(y)[0])",
    ],
)
def test_a_denominator_that_nothing_speaks_against(analyse: Analyse, denominator: str) -> None:
    assert kinds(analyse(f"def f(x, y):\n    return 1 / ({denominator})")) == []


@pytest.mark.parametrize(
    "guard",
    [
        "if n == 0:\n        return x",
        "if not n:\n        return x",
        "if n < 1e-12:\n        raise ValueError",
        "if np.isclose(n, 0.0):\n        return x",
        "if not x.any():\n        return x",
        "assert n > 0",
        "assert n > tolerance",
        "n = n if n > 0 else 1.0",
        "n = np.maximum(n, 1e-30)",
    ],
)
def test_a_condition_on_the_vanishing_part_is_a_guard(analyse: Analyse, guard: str) -> None:
    source = f"def f(x, tolerance):\n    n = np.linalg.norm(x)\n    {guard}\n    return x / n"
    assert kinds(analyse(source)) == []


@pytest.mark.parametrize("unrelated", ["if x is None:\n        return 0", "if len(x) == 0:\n        return 0"])
def test_a_condition_on_something_else_is_none(analyse: Analyse, unrelated: str) -> None:
    assert kinds(analyse(f"def f(x):\n    {unrelated}\n    return x / np.linalg.norm(x)")) == ["norm"]


def test_zeros_that_are_replaced_in_place_are_gone(analyse: Analyse) -> None:
    assert kinds(analyse("def f(x):\n    s = x.std(0)\n    s[s == 0] = 1\n    return x / s")) == []


def test_a_counter_that_is_not_always_counted_up_stays_zero(analyse: Analyse) -> None:
    source = """
    def f(xs):
        n = hits = 0
        for x in xs:
            n += 1
            if x > 0:
                hits += 1
        return 1 / hits, 1 / n
    """
    assert kinds(analyse(source)) == ["count"]


def test_a_sum_that_a_loop_adds_up_vanishes_with_its_terms(analyse: Analyse) -> None:
    source = """
    def f(xs):
        total = 0.0
        for x in xs:
            total += x ** 2
        return 1 / math.sqrt(total)
    """
    assert kinds(analyse(source)) == ["total"]


def test_an_attribute_is_what_another_method_assigns(analyse: Analyse) -> None:
    source = """
    class Scaler:
        def fit(self, X):
            self.scale = np.zeros(X.shape[1])
            for j in range(X.shape[1]):
                self.scale[j] = X[:, j].std()

        def transform(self, X):
            return X / self.scale
    """
    assert kinds(analyse(source, "Scaler.transform")) == ["deviation"]


def test_a_parameter_is_what_the_callers_pass(analyse: Analyse) -> None:
    source = """
    def density(x, mean, variance):
        return (x - mean) ** 2 / variance

    def score(x, sample):
        return density(x, sample.mean(), sample.var())
    """
    assert kinds(analyse(source, "density")) == ["deviation"]
    guarded = source.replace("return density", "if sample.var() > 0:\n            return density")
    assert kinds(analyse(guarded, "density")) == []
