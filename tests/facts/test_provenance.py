"""Where a value's magnitude comes from, and the sign that its form suggests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from numlint.facts.provenance import is_imaginary, presumed_sign
from numlint.function import Function

Analyse = Callable[..., Function]


def kinds(function: Function) -> set[str]:
    """Kinds of the sources of what the function returns."""
    result = function.body.returns[-1]
    site = next(site for site in function.sites() if site.value is result.value)
    return {source.kind for source in function.sources(result.value, site)}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return X @ w", {"linear"}),
        ("return -(X @ w).sum() / 2", {"linear"}),
        ("return X @ w + b", {"linear", "data"}),
        ("return np.maximum(X @ w, 0)", {"linear", "constant"}),
        ("return 2 * np.linalg.solve(X, w)", {"solution", "constant"}),
        ("return -np.random.randn(3) @ np.ones(3)", {"draw"}),
        ("return np.log(X) @ w - 1", {"logarithm", "constant"}),
        ("return X + (np.clip(X, -1, 1) - X)", {"bounded"}),
        ("return stats.norm.logpdf(X) - 1", {"log-density", "constant"}),
        ("return torch.nn.Linear(2, 2)(X) / w", {"network"}),
        ("return 2 * torch.nn.Parameter(X)", {"parameter", "constant"}),
    ],
)
def test_sources_are_named_by_what_bounds_them(analyse: Analyse, body: str, expected: set[str]) -> None:
    assert kinds(analyse(f"def f(X, w, b):\n    {body}\n")) == expected


def test_a_parameter_is_what_the_callers_pass(analyse: Analyse) -> None:
    helper = "def f(x):\n    return -x\n"
    assert kinds(analyse(helper)) == {"data"}
    assert kinds(analyse(helper + "def g(X, w):\n    return f(X @ w)\n", "f")) == {"linear"}
    assert kinds(analyse(helper + "def g():\n    return f(np.array([1.0, 2.0]))\n", "f")) == {"data"}


@pytest.mark.parametrize(
    ("expression", "sign"),
    [
        ("a * a", 1),
        ("-g * np.linalg.norm(a - b) ** 2", -1),
        ("-((a - b) ** 2).sum() / (2 * s)", -1),
        ("-((a - b) ** 2) / (2 * s + 1e-8)", -1),
        ("-0.5 / s * a * a", -1),
        ("a.T @ P @ a", 1),
        ("-0.5 * a.T @ P @ a", -1),
        ("-0.5 * np.sum((a @ P) * a, axis=1)", -1),
        ("a @ np.linalg.solve(P, a)", 1),
        ("(a**2).sum() + (b**2).sum() - 2 * a @ b", 1),
        ("a / s - np.max(a) / s", -1),
        ("-g * a", 0),
        ("a @ b", 0),
        ("a - b", 0),
        ("-(a - b) / s", 0),
    ],
)
def test_the_form_suggests_a_sign(analyse: Analyse, expression: str, sign: int) -> None:
    function = analyse(f"def f(a, b, g, s, P):\n    return {expression}\n")
    assert presumed_sign(function.body.returns[-1].value, function.range) == sign


@pytest.mark.parametrize(
    ("expression", "imaginary"),
    [
        ("1j * a", True),
        ("-2j * math.pi * a / b", True),
        ("1j * a - 2j * b", True),
        ("a + 1j * b", False),
        ("a * b", False),
    ],
)
def test_imaginary_exponents_are_recognised(analyse: Analyse, expression: str, imaginary: bool) -> None:
    function = analyse(f"def f(a, b):\n    return {expression}\n")
    assert is_imaginary(function.body.returns[-1].value) is imaginary
