"""The rules of linear algebra find a computation in every spelling, and their rewrites give the same numbers."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import pytest

from numlint.finding import Confidence, Finding
from numlint.fix import fix_text
from numlint.linter import check_source
from numlint.rule import load

RULES = [rule for rule in load() if rule.code.startswith("NL4")]
IMPORTS = """\
import numpy as np
import scipy.linalg
from numpy.linalg import inv, solve
from scipy import linalg
"""


def program(body: str) -> str:
    return (
        IMPORTS + "\n\ndef f(X, A, b, y, w, lam=1.0):\n" + textwrap.indent(textwrap.dedent(body).strip(), "    ") + "\n"
    )


def findings(source: str, least: Confidence = Confidence.LIKELY) -> list[Finding]:
    found, problems = check_source(source.encode(), "program.py", RULES)
    assert problems == []
    return [finding for finding in found if finding.confidence >= least]


def names(source: str, least: Confidence = Confidence.LIKELY) -> list[str]:
    return [finding.rule for finding in findings(source, least)]


LEAST_SQUARES = [
    "return inv(X.T @ X) @ X.T @ y",
    "return inv(X.T @ X) @ (X.T @ y)",
    "return np.linalg.inv(X.T.dot(X)).dot(X.T).dot(y)",
    "return np.dot(inv(np.dot(X.T, X)), np.dot(X.T, y))",
    "return np.linalg.multi_dot([inv(X.T @ X), X.T, y])",
    "return np.einsum('ij,nj,n->i', inv(X.T @ X), X, y)",
    "G = X.T @ X\nG_inv = inv(G)\nreturn G_inv @ X.T @ y",
    "G = X.T @ X\nc = X.T @ y\nreturn solve(G, c)",
    "return linalg.solve(X.T @ X, X.T @ y, assume_a='pos')",
    "return np.linalg.pinv(X.T @ X) @ X.T @ y",
    "return scipy.linalg.cho_solve(scipy.linalg.cho_factor(X.T @ X), X.T @ y)",
    "L = np.linalg.cholesky(X.T @ X)\nreturn scipy.linalg.cho_solve((L, True), X.T @ y)",
    "n = len(X)\nreturn solve(X.T @ X / n, X.T @ y / n)",
]
UNFIXED = [
    "return solve(2 * X.T @ X, 2 * X.T @ y)",
    "return inv(X.T @ X / len(X)) @ X.T @ y",
    "return solve(X.T @ X / len(X), X.T @ y)",
    "return solve((X.T * w) @ X, X.T @ (w * y))",
    "W = np.diag(w)\nreturn inv(X.T @ W @ X) @ X.T @ W @ y",
    "return y.T @ X @ inv(X.T @ X)",
    "H = X @ inv(X.T @ X) @ X.T\nreturn H @ y",
    "L = np.linalg.cholesky(X.T @ X)\nz = linalg.solve_triangular(L, X.T @ y)\nreturn linalg.solve_triangular(L.T, z)",
    "U, s, V = np.linalg.svd(X.T @ X)\nreturn V.T @ np.diag(1 / s) @ U.T @ X.T @ y",
]


@pytest.mark.parametrize("body", [*LEAST_SQUARES, *UNFIXED])
def test_least_squares_through_the_gram_matrix_is_one_finding(body: str) -> None:
    assert names(program(body)) == ["normal-equations"]


@pytest.mark.parametrize(
    "body",
    [
        "return solve(X.T @ X + lam * np.eye(X.shape[1]), X.T @ y)",
        "G = X.T @ X\nG[np.diag_indices(3)] += lam\nreturn solve(G, X.T @ y)",
        "G = X.T @ X\nG.flat[:: X.shape[1] + 1] += lam\nreturn solve(G, X.T @ y)",
        "return np.linalg.lstsq(X, y, rcond=None)[0]",
        "Q, R = np.linalg.qr(X)\nreturn solve(R, Q.T @ y)",
        "return solve(X @ A @ X.T + np.diag(w), X @ A).T",
    ],
)
def test_regularised_and_stable_solutions_are_fine(body: str) -> None:
    assert names(program(body)) == []


INVERSES = [
    "return inv(A) @ b",
    "return np.dot(inv(A), b)",
    "return np.linalg.inv(A).dot(b)",
    "A_inv = inv(A + A.T)\nreturn A_inv @ b",
    "return b @ inv(A) @ b",
    "d = b - 1.0\nreturn d.T.dot(linalg.inv(A)).dot(d)",
    "return inv(A).T @ b",
    "return inv(A.T) @ b",
]
ON_THE_RIGHT = ["return b @ inv(A)", "return A.T @ inv(A)", "return (A @ A) @ inv(A.T)", "return b @ inv(A).T"]


@pytest.mark.parametrize("body", [*INVERSES, *ON_THE_RIGHT])
def test_products_with_an_inverse_are_found(body: str) -> None:
    assert names(program(body)) == ["explicit-inverse"]


def test_an_inverse_that_is_multiplied_twice_is_reported_once_where_it_is_made() -> None:
    found = findings(program("P = inv(A)\nc = np.trace(P @ A)\nreturn b @ P @ b + c"))
    assert [(item.rule, item.span.line) for item in found] == [("explicit-inverse", 8)]


@pytest.mark.parametrize(
    "body",
    [
        "return inv(A)",
        "P = inv(A)\nreturn P @ b, P",
        "P = inv(A)\nprint(P)\nreturn P @ b",
        "P = inv(A)\nreturn P @ b, np.sqrt(np.diag(P))",
        "return inv(np.diag(w)) @ b",
        "Q, R = np.linalg.qr(A)\nreturn inv(Q) @ b",
        "return inv(np.array([[1.0, w], [0.0, 1.0]])) @ b[:2]",
        "H = inv(A)\nreturn H @ np.outer(b, b) @ H",
        "return A.inverse(b) @ b",
    ],
)
def test_inverses_that_are_the_result_or_harmless_are_not_flagged(body: str) -> None:
    assert names(program(body)) == []


def test_an_inverse_kept_by_one_method_is_found_in_the_product_of_another() -> None:
    source = """
        import numpy as np

        class Process:
            def fit(self, K, y):
                self._inverse = np.linalg.inv(K)
                self._y = y

            def predict(self, k):
                return k @ self._inverse @ self._y
        """
    found = findings(textwrap.dedent(source))
    assert [(item.rule, item.function) for item in found] == [("explicit-inverse", "Process.predict")]


@pytest.mark.parametrize(
    ("body", "rules"),
    [
        ("return np.linalg.pinv(X) @ y", ["pinv-default-cutoff"]),
        ("return np.linalg.pinv(X, rcond=None) @ y", ["pinv-default-cutoff"]),
        ("return np.linalg.pinv(X, rtol=None) @ y", []),
        ("return np.linalg.pinv(X, hermitian=True) @ y", []),
        ("return np.linalg.pinv(X, 1e-10) @ y", []),
        ("return linalg.pinv(X) @ y", []),
        ("return np.linalg.pinv(A + 0.1 * np.eye(4))", []),
    ],
)
def test_the_cutoff_of_pinv(body: str, rules: list[str]) -> None:
    assert names(program(body)) == rules


@pytest.mark.parametrize(
    ("body", "rules"),
    [
        ("return 0.5 * np.log(np.linalg.det(A))", ["log-of-det"]),
        ("d = np.linalg.det(A)\nreturn np.log(abs(d) + 1e-10)", ["log-of-det"]),
        ("return np.log(1 / np.sqrt((2 * np.pi) ** 3 * linalg.det(A)))", ["log-of-det"]),
        ("return np.exp(-b) / np.sqrt(linalg.det(A))", ["det-underflow"]),
        ("return A / np.linalg.det(A) ** (1 / len(A))", ["det-underflow"]),
        ("return None if np.linalg.det(A) == 0 else A", ["det-underflow"]),
        ("if not np.linalg.det(A):\n    return None\nreturn A", ["det-underflow"]),
        ("return np.linalg.det(A)", []),
        ("return np.linalg.det(A) * w", []),
        ("return A if np.linalg.det(A) > 0 else -A", []),
        ("return np.linalg.slogdet(A)[1]", []),
    ],
)
def test_determinants(body: str, rules: list[str]) -> None:
    assert names(program(body)) == rules


def _run(source: str) -> Any:
    rng = np.random.default_rng(7)
    namespace: dict[str, Any] = {}
    exec(compile(source, "program", "exec"), namespace)
    X, A = rng.normal(size=(12, 4)), rng.normal(size=(4, 4)) + 4.0 * np.eye(4)
    return namespace["f"](X, A, rng.normal(size=4), rng.normal(size=12), rng.uniform(0.5, 1.5, 12))


@pytest.mark.parametrize(
    "body", [*LEAST_SQUARES, *INVERSES, "return np.linalg.pinv(X) @ y", "return np.linalg.pinv(X) @ X @ w[:4]"]
)
def test_safe_rewrites_leave_nothing_to_find_and_give_the_same_numbers(body: str) -> None:
    source = program(body)
    fixed, applied = fix_text(source, findings(source), unsafe=False)
    assert len(applied) == 1
    assert names(fixed, Confidence.POSSIBLE) == []
    assert _run(fixed) == pytest.approx(_run(source), rel=1e-9)
    assert np.shape(_run(fixed)) == np.shape(_run(source))


def test_lstsq_of_the_gram_matrix_becomes_lstsq_of_the_design() -> None:
    source = program("return np.linalg.lstsq(X.T @ X, X.T @ y, rcond=None)[0]")
    assert names(source) == ["normal-equations"]
    fixed, _ = fix_text(source, findings(source), unsafe=True)
    assert "return np.linalg.lstsq(X, y, rcond=None)[0]" in fixed


def test_scales_that_differ_are_not_rewritten() -> None:
    for body in UNFIXED:
        source = program(body)
        assert fix_text(source, findings(source), unsafe=True)[0] == source


@pytest.mark.parametrize("body", ON_THE_RIGHT)
def test_the_transposed_system_gives_the_same_numbers_for_matrices(body: str) -> None:
    source = program(body)
    assert fix_text(source, findings(source), unsafe=False)[0] == source
    fixed, applied = fix_text(source, findings(source), unsafe=True)
    assert len(applied) == 1
    assert _run(fixed) == pytest.approx(_run(source), rel=1e-9)


def test_what_a_rewrite_makes_useless_goes_and_what_is_used_elsewhere_stays() -> None:
    source = program("G = X.T @ X\nc = X.T @ y\nw = solve(G, c)\nreturn w, c")
    fixed, _ = fix_text(source, findings(source), unsafe=False)
    assert "G = " not in fixed
    assert "c = X.T @ y" in fixed


def test_a_call_of_unknown_code_is_moved_or_kept_but_never_made_twice() -> None:
    source = program("P = inv(A @ np.diag(w) @ g(A))\nreturn b @ P @ b")
    fixed, _ = fix_text(source, findings(source), unsafe=True)
    assert fixed.count("g(A)") == 1
    source = program("P = inv(g(A))\nQ = P + A\nreturn P @ b")
    fixed, _ = fix_text(source, findings(source), unsafe=True)
    assert fixed.count("g(A)") == 1


def test_an_inverse_that_is_made_once_for_many_products_is_to_be_factored_once() -> None:
    source = program("P = inv(A)\nreturn [P @ row for row in np.eye(4)]")
    (finding,) = findings(source)
    assert finding.rewrite is not None
    assert finding.rewrite.edits == ()
    assert "lu_factor" in finding.rewrite.summary
