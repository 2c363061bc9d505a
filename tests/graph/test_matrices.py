"""Matrix products are the same however they are associated, transposed and spelt."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from numlint.function import Function
from numlint.graph.matrices import chain, gram, is_diagonal, is_small, is_symmetric, order, powers
from numlint.graph.value import Value

Lower = Callable[..., Function]


def value(lower: Lower, text: str, before: str = "") -> Value:
    lines = "".join(f"    {line}\n" for line in before.splitlines())
    function = lower(f"import numpy as np\ndef f(A, B, C, D, X, W, w, y, n, lam, H, P, R):\n{lines}    return {text}\n")
    return function.body.returns[0].value


def factors(lower: Lower, text: str) -> list[str]:
    return [f"{factor.value!r}{'.T' if factor.transposed else ''}" for factor in chain(value(lower, text))]


@pytest.mark.parametrize(
    "text",
    [
        "A @ B.T @ C",
        "A @ (B.T @ C)",
        "np.dot(A, np.matmul(B.T, C))",
        "A.dot(B.transpose().dot(C))",
        "np.linalg.multi_dot([A, B.T, C])",
        "(C.T @ B @ A.T).T",
        "(C.T @ (A @ B.T).T).T",
        "np.einsum('ij,kj,kl->il', A, B, C)",
        "np.einsum('bij,bkj,bkl->bil', A, B, C)",
    ],
)
def test_one_chain_for_every_spelling(lower: Lower, text: str) -> None:
    assert factors(lower, text) == ["A", "B.T", "C"]


def test_a_vector_in_a_contraction_is_a_diagonal_matrix(lower: Lower) -> None:
    assert factors(lower, "np.einsum('ni,n,nj->ij', X, w, X)") == ["X.T", "w", "X"]


@pytest.mark.parametrize("subscripts", ["ij,kl->ijkl", "ij,ij->ij", "ii->i", "ij,jk", "ijk,kl->il"])
def test_other_contractions_are_no_product_of_matrices(lower: Lower, subscripts: str) -> None:
    operands = ", ".join("AB"[: subscripts.count(",") + 1])
    assert len(chain(value(lower, f"np.einsum('{subscripts}', {operands})"))) == 1


@pytest.mark.parametrize(
    "text",
    ["X.T @ X", "np.dot(X.T, X) / n", "2 * X.T @ X", "np.einsum('ni,nj->ij', X, X)", "np.transpose(X) @ X"],
)
def test_gram_matrices(lower: Lower, text: str) -> None:
    found = gram(value(lower, text))
    assert found is not None
    assert (repr(found.design), found.transposed, found.weighted, found.added) == ("X", False, False, ())


@pytest.mark.parametrize(
    "text",
    [
        "X.T @ W @ X",
        "X.T @ (W @ X)",
        "(w[:, None] * X).T @ X",
        "(X.T * w) @ X / n",
        "np.einsum('ni,n,nj->ij', X, w, X)",
    ],
)
def test_weighted_gram_matrices(lower: Lower, text: str) -> None:
    found = gram(value(lower, text))
    assert found is not None
    assert repr(found.design) == "X"
    assert found.weighted


def test_what_is_added_to_a_gram_matrix_is_kept_apart(lower: Lower) -> None:
    found = gram(value(lower, "X.T @ X / n + lam * np.eye(3)"))
    assert found is not None
    assert len(found.added) == 1


@pytest.mark.parametrize("text", ["A @ B", "X.T @ y", "X @ X", "X + X.T", "X"])
def test_what_is_no_gram_matrix(lower: Lower, text: str) -> None:
    assert gram(value(lower, text)) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A + A.T", True),
        ("0.5 * (A + A.T)", True),
        ("A.T @ A", True),
        ("A.T @ B.T @ B @ A", True),
        ("A.T @ np.cov(X) @ A", True),
        ("np.cov(X) + lam * np.eye(3)", False),  # lam may be an array
        ("np.cov(X) + 0.1 * np.eye(3)", True),
        ("A.T @ B @ A", False),
        ("A - A.T", False),
        ("A @ A", False),
    ],
)
def test_symmetry_by_construction(lower: Lower, text: str, expected: bool) -> None:
    assert is_symmetric(value(lower, text)) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("np.array([[n, 0.0], [0.0, n]])", 2),
        ("np.eye(3) + A", 3),
        ("np.zeros((3, 3))", 3),
        ("A[:3, :3]", 3),
        ("A[1:3, 1:3]", 2),
        ("np.array([w, y])", None),
        ("np.zeros((2, 3))", None),
        ("np.zeros(3)", None),
        ("A[:, :3]", None),
        ("[A, B] @ C", None),
    ],
)
def test_the_order_that_the_code_says(lower: Lower, text: str, expected: int | None) -> None:
    found = value(lower, text)
    assert order(found) == expected
    assert is_small(found) is (expected is not None)


def test_an_array_filled_by_index_keeps_its_order(lower: Lower) -> None:
    assert order(value(lower, "M", "M = np.eye(4)\nM[:3, 3] = w")) == 4


def test_a_matrix_filled_along_its_diagonal_is_diagonal(lower: Lower) -> None:
    assert is_diagonal(value(lower, "D", "D = np.zeros((n, n))\nfor i in range(n):\n    D[i, i] = w[i]"))
    assert not is_diagonal(value(lower, "D", "D = np.zeros((n, n))\nfor i in range(n):\n    D[i, 0] = w[i]"))


@pytest.mark.parametrize(
    ("text", "exponent"),
    [
        ("1 / np.sqrt(n * np.linalg.det(A))", -0.5),
        ("np.linalg.det(A) ** -0.5", -0.5),
        ("np.abs(np.linalg.det(A)) ** 2 / n", 2.0),
        ("n / (w * np.linalg.det(A))", -1.0),
        ("np.linalg.det(A) ** (1 / n)", 0.5),
    ],
)
def test_exponents_of_the_factors_of_a_scalar(lower: Lower, text: str, exponent: float) -> None:
    assert [power for base, power in powers(value(lower, text)) if base.op == "det"] == [exponent]
