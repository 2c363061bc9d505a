"""What inputs stand for, by what is done with them; by their names only where nothing else tells."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.confirm.conftest import Check

HEAD = (
    "import math\nimport numpy as np\nfrom scipy.special import softmax, expit\nfrom scipy.linalg import cholesky\n\n\n"
)


def roles(check: Check, body: str) -> dict[str, Any]:
    found: dict[str, Any] = check(HEAD + body)[0].target.roles
    return found


@pytest.mark.parametrize(
    ("body", "name", "kind"),
    [
        ("def f(t):\n    return np.log(1 + np.exp(t))", "t", "logit"),
        ("def f(a):\n    p = softmax(a, axis=1)\n    return np.log(p)", "p", "simplex"),
        ("def f(a):\n    p = softmax(a, axis=1)\n    return np.log(p)", "a", "logit"),
        ("def f(a, b):\n    s = expit(a)\n    return b * np.log(s) + (1 - b) * np.log(1 - s)", "s", "probability"),
        ("def f(v, t):\n    return np.linalg.inv(v.T @ v) @ v.T @ t", "v", "design"),
        ("def f(m, t):\n    c = cholesky(m)\n    return np.linalg.inv(m) @ t", "m", "spd"),
        ("def f(a):\n    return a * np.log(a)", "a", "probability"),
        ("def f(a, b):\n    return np.log(1 - a) + b", "a", "probability"),
        ("def f(a, b):\n    return np.log(1 - a) + np.arccos(b)", "b", "cosine"),
        ("def f(a, b):\n    return np.log(1 + np.exp(a)) / np.sqrt(b)", "b", "nonnegative"),
        ("def f(a, idx):\n    return np.log(1 + np.exp(a[idx]))", "idx", "label"),
        ("def f(a, tol):\n    return np.log(1 + np.exp(a)), abs(a) < tol", "tol", "tolerance"),
    ],
)
def test_by_use(check: Check, body: str, name: str, kind: str) -> None:
    role = roles(check, body + "\n")[name]
    assert role.kind == kind
    assert role.why


@pytest.mark.parametrize(
    ("name", "kind"),
    [("sigma", "positive"), ("n_iter", "size"), ("labels", "label"), ("X", "design"), ("cov", "spd"), ("q9", "any")],
)
def test_by_name_where_nothing_else_tells(check: Check, name: str, kind: str) -> None:
    body = f"def f(t, {name}):\n    return np.log(1 + np.exp(t)) + {name}\n"
    assert roles(check, body)[name].kind == kind


def test_the_use_wins_over_the_name(check: Check) -> None:
    assert roles(check, "def f(labels):\n    return np.log(1 + np.exp(labels))\n")["labels"].kind == "logit"


def test_a_guard_bounds_the_domain(check: Check) -> None:
    body = "def f(t, u):\n    t = np.clip(t, -5, 50)\n    return np.exp(t) / np.sum(np.exp(t))\n"
    found = check(HEAD + body)
    body = "def f(t):\n    assert np.all(t >= 0)\n    return np.log(1 + np.exp(t))\n"
    role = roles(check, body)["t"]
    assert (role.low, role.high) == (0.0, math.inf)
    assert isinstance(found, list)


def test_a_probability_lies_between_0_and_1(check: Check) -> None:
    role = roles(check, "def f(a):\n    return a * np.log(a)\n")["a"]
    assert (role.low, role.high) == (0.0, 1.0)


def test_one_plus_it_is_the_argument_of_a_logarithm(check: Check) -> None:
    role = roles(check, "def f(a, b):\n    return np.log(1 + a) - b\n")["a"]
    assert role.low == -1.0


def test_a_default_says_what_number_is_meant_and_bounds_nothing(check: Check) -> None:
    found = roles(check, "def f(t, step=0.5, n=10, start=0):\n    return np.log(1 + np.exp(t * step)) + n + start\n")
    assert found["n"].kind == "size"
    assert found["n"].shape == found["step"].shape == "scalar"
    assert found["start"].low == -math.inf


def test_attributes_of_the_object_have_roles_too(check: Check) -> None:
    body = "class M:\n    def f(this, x):\n        return np.log(1 + np.exp(x @ this.w))\n"
    found = roles(check, body)
    assert found["self.w"].kind == "weight"
    assert "this" not in found


def test_shapes(check: Check) -> None:
    body = "def f(a, b, c):\n    return np.log(1 + np.exp(a)).sum(axis=1) + a[0, 1] + math.exp(b) + np.linalg.det(c)\n"
    found = roles(check, body)
    assert found["b"].shape == "scalar"
    assert found["c"].shape == "matrix"
