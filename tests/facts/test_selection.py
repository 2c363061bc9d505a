"""Which selections can be empty."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from numlint.facts.selection import emptiness
from numlint.function import Function

Analyse = Callable[..., Function]


def selections(function: Function) -> list[bool]:
    """For each mean of what can be empty: whether ordinary data makes it so."""
    found = []
    for site in function.sites("mean"):
        empty = emptiness(site.value.args[0], site.path, function.body.analysis.carried, function.arguments)
        if empty is not None:
            found.append(empty.sure)
    return found


@pytest.mark.parametrize(
    ("mean", "sure"),
    [
        ("[X[y == j].mean(0) for j in range(k)]", True),
        ("[np.mean(X[y == j, :], axis=0) for j in range(k)]", True),
        ("[np.mean(X[np.where(y == j)[0]], axis=0) for j in range(k)]", True),
        ("[np.take(X, members).mean() for members in [[] for _ in range(k)]]", True),
        ("X[X > k].mean()", False),
        ("np.mean([x for x in X if x > k])", False),
    ],
)
def test_a_selection_can_be_empty(analyse: Analyse, mean: str, sure: bool) -> None:
    assert selections(analyse(f"def f(X, y, k):\n    return {mean}")) == [sure]


@pytest.mark.parametrize(
    "mean",
    [
        "X.mean()",
        "X[0].mean()",
        "X[:k].mean()",
        "[X[y == c].mean(0) for c in np.unique(y)]",
        "[X[y == c].mean(0) for c in set(y)]",
        "[X[y == c].mean(0) for c in range(len(np.unique(y)))]",
        "[X[y == j].mean(0) for j in range(k) if np.any(y == j)]",
        "[X[y == j].mean(0) if (y == j).sum() > 0 else 0 for j in range(k)]",
        "np.mean([x ** 2 for x in X])",
    ],
)
def test_a_selection_that_holds_something(analyse: Analyse, mean: str) -> None:
    assert selections(analyse(f"def f(X, y, k):\n    return {mean}")) == []


def test_labels_that_were_compared_with_what_is_expected_occur(analyse: Analyse) -> None:
    source = """
    def f(X, y):
        assert list(np.unique(y)) == [0, 1]
        return [X[y == c].mean(0) for c in range(2)]
    """
    assert selections(analyse(source)) == []


def test_groups_are_followed_to_where_they_were_made(analyse: Analyse) -> None:
    source = """
    class KMeans:
        def centre(self, members):
            return self.X[members].mean(axis=0)

        def fit(self, X, k):
            self.X = X
            self.groups = [[] for _ in range(k)]
            return [self.centre(group) for group in self.groups]
    """
    assert selections(analyse(source, "KMeans.centre")) == [True]
