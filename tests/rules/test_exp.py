"""The rules of exponentials know the mathematics in every spelling, and its safe look-alikes."""

from __future__ import annotations

import textwrap

import pytest

from numlint.finding import Confidence, Finding, Severity
from numlint.linter import check_source
from numlint.rule import load

RULES = [rule for rule in load() if rule.code.startswith("NL10") or rule.code in ("NL110", "NL111")]
IMPORTS = """
import math
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
import jax
import jax.numpy as jnp
import tensorflow as tf
import scipy.stats
import scipy.special
"""


def findings(body: str) -> list[Finding]:
    found, problems = check_source((IMPORTS + textwrap.dedent(body)).encode(), "program.py", RULES)
    assert problems == []
    return found


def shown(body: str) -> list[str]:
    return [finding.rule for finding in findings(body) if finding.confidence >= Confidence.LIKELY]


SOFTMAX = {
    "in one expression": "def f(z): return np.exp(z) / np.sum(np.exp(z), axis=1, keepdims=True)",
    "with methods": "def f(z): return z.exp() / z.exp().sum(-1, keepdim=True)",
    "in jax": "def f(z): return jnp.exp(z) / jnp.exp(z).sum()",
    "in TensorFlow 1": "def f(z): return tf.exp(z) / tf.reduce_sum(tf.exp(z), 1, keep_dims=True)",
    "by the base of natural logarithms": "def f(z): return np.e**z / np.sum(np.e**z)",
    "by np.divide": "def f(z): return np.divide(np.exp(z), np.exp(z).sum())",
    "with an axis added to the sum": "def f(z): return np.exp(z) / np.exp(z).sum(1)[:, None]",
    "with an epsilon": "def f(z): return np.exp(z) / (np.exp(z).sum() + 1e-8)",
    "in a lambda": "f = lambda z: np.exp(z) / np.exp(z).sum()",
    "for one class": "def f(z, k): return np.exp(z[k]) / np.sum(np.exp(z))",
    "in a comprehension": "def f(z): return [math.exp(v) / sum(math.exp(u) for u in z) for v in z]",
    "through helpers": """
        def weights(z):
            return np.exp(z)
        def f(z):
            w = weights(z)
            return w / w.sum()
    """,
    "through attributes": """
        class Layer:
            def forward(self, z):
                self.e = np.exp(z)
                self.total = self.e.sum(axis=1, keepdims=True)
                return self.e / self.total
    """,
    "of scores over a temperature": "def f(z, t): return torch.exp(z / t) / torch.exp(z / t).sum()",
}
NO_SOFTMAX = {
    "shifted in place": """
        def f(z):
            z -= z.max()
            e = np.exp(z)
            return e / e.sum()
    """,
    "shifted by a scaled maximum": "def f(z, t):\n    e = np.exp(z / t - z.max() / t)\n    return e / e.sum()",
    "shifted, and temperature outside": "def f(z, t):\n    e = torch.exp((z - z.max()) / t)\n    return e / e.sum()",
    "clipped": "def f(z):\n    e = np.exp(np.clip(z, -50, 50))\n    return e / e.sum()",
    "bounded by tanh": "def f(z):\n    e = torch.exp(10 * torch.tanh(z))\n    return e / e.sum()",
    "shares of counts": "def f(n): return n / n.sum()",
}


@pytest.mark.parametrize("body", SOFTMAX.values(), ids=SOFTMAX)
def test_softmax_is_found(body: str) -> None:
    assert shown(body) == ["naive-softmax"]


@pytest.mark.parametrize("body", NO_SOFTMAX.values(), ids=NO_SOFTMAX)
def test_shifted_and_bounded_softmax_is_left_alone(body: str) -> None:
    assert shown(body) == []


def test_one_maximum_for_all_rows_is_possible_only() -> None:
    body = "def f(z):\n    e = np.exp(z - z.max())\n    return e / e.sum(axis=1, keepdims=True)"
    assert [(item.rule, item.confidence) for item in findings(body)] == [("naive-softmax", Confidence.POSSIBLE)]


LOGSUMEXP = {
    "reduced": "def f(x): return np.log(np.sum(np.exp(x)))",
    "with methods": "def f(x): return x.exp().sum(1).log()",
    "in TensorFlow 1": "def f(x): return tf.log(tf.reduce_sum(tf.exp(x), 1))",
    "as a mean": "def f(x): return torch.log(torch.mean(torch.exp(x)))",
    "of a pair": "def f(a, b): return np.log(np.exp(a) + np.exp(b))",
    "of two sums": "def f(a, b): return torch.log(torch.exp(-a).sum() + torch.exp(-b).sum())",
    "with an epsilon": "def f(x): return np.log(np.exp(x).sum() + 1e-8)",
    "of a generator": "def f(xs): return math.log(sum(math.exp(x) for x in xs))",
    "of a list": "def f(xs): return math.log(sum([math.exp(x) for x in xs]))",
    "of the built-in sum of an array": "def f(x): return np.log(sum(np.exp(x)))",
    "weighted": "def f(x, w): return np.log(np.sum(w * np.exp(x)))",
    "weighted by a product": "def f(x, w): return np.log(np.exp(x) @ w)",
    "in a loop": """
        def f(xs):
            total = 0
            for x in xs:
                total += np.exp(x)
            return np.log(total)
    """,
    "under a mask": "def f(x, m): return torch.log(torch.where(m, torch.exp(x), torch.zeros_like(x)).sum(1))",
    "of a quotient": "def f(a, b): return -torch.log(torch.exp(a) / torch.exp(b).sum(1))",
    "by a helper": "def log(x): return torch.log(x + 1e-8)\ndef f(x): return log(torch.exp(-x).sum())",
    "where all terms can vanish": "def f(x, c): return np.log(np.exp(-((x - c) ** 2)).sum())",
}
NO_LOGSUMEXP = {
    "shifted by the maximum": "def f(x):\n    m = x.max()\n    return m + np.log(np.sum(np.exp(x - m)))",
    "shifted by the larger": "def f(a, b):\n    m = np.maximum(a, b)\n    return m + np.log(np.exp(a - m) + np.exp(b - m))",
    "of distances shifted by the least": "def f(r, t):\n    return r.min() - t * np.log(np.exp(-(r - r.min()) / t).sum())",
    "by the library": "def f(x): return scipy.special.logsumexp(x)",
    "of one plus what is not positive": "def f(x): return np.log(1 + np.exp(-(x**2)).sum())",
    "of probabilities": "def f(x): return np.log(np.sum(F.softmax(x, 1) * 0.5 + 0.1))",
}


@pytest.mark.parametrize("body", LOGSUMEXP.values(), ids=LOGSUMEXP)
def test_logsumexp_is_found(body: str) -> None:
    assert shown(body) == ["naive-logsumexp"]


@pytest.mark.parametrize("body", NO_LOGSUMEXP.values(), ids=NO_LOGSUMEXP)
def test_shifted_logsumexp_is_left_alone(body: str) -> None:
    assert shown(body) == []


SIGMOID = {
    "reciprocal": "def f(x): return 1 / (1 + np.exp(-x))",
    "operands swapped": "def f(x): return 1.0 / (np.exp(-x) + 1.0)",
    "by np.reciprocal": "def f(x): return np.reciprocal(1 + np.exp(-x))",
    "by a power": "def f(x): return (1 + np.exp(-x)) ** -1",
    "by math.e": "def f(x): return 1 / (1 + math.e ** (-x))",
    "quotient": "def f(x): return np.exp(x) / (1 + np.exp(x))",
    "with a numerator": "def f(x, y): return y / (1 + np.exp(y * x))",
    "with a rate and an offset": "def f(x, k, m): return 1 / (1 + np.exp(-k * (x - m)))",
    "in a lambda": "f = np.vectorize(lambda x: 1 / (1 + np.exp(-x)))",
    "in a dictionary of lambdas": "LINKS = {'inverse': lambda x: 1 / (1 + np.exp(-x))}",
    "in torch": "def f(x): return 1 / (1 + torch.exp(-x))",
    "with math": "def f(x): return 1 / (1 + math.exp(-x))",
}


@pytest.mark.parametrize("body", SIGMOID.values(), ids=SIGMOID)
def test_sigmoid_is_found(body: str) -> None:
    assert shown(body) == ["naive-sigmoid"]


@pytest.mark.parametrize(
    ("body", "severity", "signature"),
    [
        ("def f(x): return 1 / (1 + np.exp(-x))", Severity.NOTE, "overflow"),
        ("def f(x): return np.exp(x) / (1 + np.exp(x))", Severity.ERROR, "nan"),
        ("def f(x): return 1 / (1 + torch.exp(-x))", Severity.ERROR, "nan-gradient"),
        ("@torch.no_grad()\ndef f(x): return 1 / (1 + torch.exp(-x))", Severity.NOTE, "overflow"),
        ("def f(x):\n    with torch.no_grad():\n        return 1 / (1 + torch.exp(-x))", Severity.NOTE, "overflow"),
        ("def f(x): return 1 / (1 + jnp.exp(-x))", Severity.ERROR, "nan-gradient"),
        ("def f(x): return 1 / (1 + math.exp(-x))", Severity.ERROR, "overflow"),
        (
            "def f(x): return np.where(x > 0, 1 / (1 + np.exp(-x)), np.exp(x) / (1 + np.exp(x)))",
            Severity.NOTE,
            "overflow",
        ),
        (
            "def f(x): return torch.where(x > 0, 1 / (1 + torch.exp(-x)), 0 * x)",
            Severity.ERROR,
            "nan-gradient",
        ),
    ],
)
def test_the_severity_of_a_sigmoid_is_what_its_overflow_costs(body: str, severity: Severity, signature: str) -> None:
    found = findings(body)
    assert {(item.rule, item.severity, item.signature) for item in found} == {("naive-sigmoid", severity, signature)}


NO_SIGMOID = {
    "by the sign": """
        def f(x):
            if x < 0:
                e = math.exp(x)
                return e / (1 + e)
            return 1 / (1 + math.exp(-x))
    """,
    "on each side of a mask": """
        def f(x):
            y = np.empty_like(x)
            up = np.flatnonzero(x > 0)
            y[up] = 1 / (1 + np.exp(-x[up]))
            down = np.flatnonzero(x <= 0)
            y[down] = np.exp(x[down]) / (1 + np.exp(x[down]))
            return y
    """,
    "with exp where it is asked for": "def f(x): return 1 / (1 + np.exp(-x, where=x > 0, out=np.zeros_like(x)))",
    "with the overflow caught": """
        def f(x):
            try:
                return 1 / (1 + math.exp(-x))
            except OverflowError:
                return 0.0
    """,
    "of a difference that is not negative": "def f(a, b):\n    return 1 / (1 + math.exp(a - b)) if a <= b else 0.5",
    "by tanh": "def f(x): return 0.5 + 0.5 * np.tanh(0.5 * x)",
    "clamped": "def f(x): return 1 / (1 + torch.exp(-x.clamp(-80, 80)))",
    "of a kernel": "def f(d, s): return 1 / (1 + np.exp(-(d**2) / s))",
}


@pytest.mark.parametrize("body", NO_SIGMOID.values(), ids=NO_SIGMOID)
def test_a_sigmoid_whose_exponent_is_bounded_is_left_alone(body: str) -> None:
    assert shown(body) == []


SOFTPLUS = {
    "log of one plus": "def f(x): return np.log(1 + np.exp(x))",
    "log1p": "def f(x): return np.log1p(np.exp(x))",
    "with methods": "def f(x): return x.exp().add(1).log()",
    "logistic loss": "def f(y, s): return torch.log(1 + torch.exp(-y * s)).mean()",
    "in TensorFlow": "def f(x): return tf.math.log(1.0 + tf.exp(x))",
    "by a helper": "def log(x): return np.log(x)\ndef f(x): return np.log1p(np.exp(x))",
}


@pytest.mark.parametrize("body", SOFTPLUS.values(), ids=SOFTPLUS)
def test_softplus_is_found(body: str) -> None:
    assert shown(body) == ["naive-softplus"]


def test_softplus_of_what_is_not_positive_is_left_alone() -> None:
    assert shown("def f(x): return np.maximum(x, 0) + np.log1p(np.exp(-abs(x)))") == []
    assert shown("def f(x): return x.clamp(min=0) + (1 + torch.exp(-x.abs())).log()") == []


OVERFLOW = {
    "a linear map": "def f(X, w): return np.exp(X @ w)",
    "a linear map with an offset": "def f(X, w, b): return np.exp(np.dot(X, w) + b)",
    "a solution": "def f(X, y, x):\n    w = np.linalg.pinv(X) @ y\n    return float(np.exp(x.dot(w)))",
    "a power of e": "def f(X, w): return np.e ** (X @ w)",
    "a layer": """
        class Encoder(nn.Module):
            def __init__(self):
                super().__init__()
                self.head = nn.Linear(8, 2)
            def forward(self, x):
                return torch.exp(0.5 * self.head(x))
    """,
    "half of a layer's output": """
        class Encoder(nn.Module):
            def __init__(self):
                super().__init__()
                self.head = nn.Linear(8, 4)
            def forward(self, x):
                mean, log_scale = self.head(x).chunk(2, dim=1)
                return log_scale.exp()
    """,
    "a model": "model = torch.load('m')\ndef f(x, t): return model(x).squeeze().div(t).exp()",
    "a layer of TensorFlow 1": "def f(x): return tf.exp(tf.layers.dense(x, 10))",
    "what callers pass": """
        def scale(x):
            return np.exp(x)
        def fit(X, w):
            return scale(X @ w)
    """,
    "a Gaussian divergence": "def f(m, s): return -0.5 * torch.sum(1 + s - m**2 - s.exp())",
    "a Gaussian likelihood": "def f(r, s): return (s + r**2 * torch.exp(-s)).mean()",
    "a Gaussian divergence in numpy": "def f(m, s): return 0.5 * np.sum(np.exp(s) + m**2 - 1 - s)",
    "a reparametrised draw": "def f(m, s): return m + torch.randn_like(m) * torch.exp(s / 2)",
    "a ratio of policies": """
        def f(new, old, advantage):
            ratio = torch.exp(new - old)
            return torch.min(ratio * advantage, torch.clamp(ratio, 0.8, 1.2) * advantage)
    """,
    "a difference of log densities": "def f(p, q, x): return torch.exp(p.log_prob(x) - q.log_prob(x))",
    "another exponential": "def f(x): return torch.exp(torch.exp(x))",
}


@pytest.mark.parametrize("body", OVERFLOW.values(), ids=OVERFLOW)
def test_an_unbounded_exponent_is_found(body: str) -> None:
    assert shown(body) == ["exp-overflow"]


BOUNDED = {
    "a squared distance": "def f(x, c, s): return np.exp(-((x - c) ** 2) / (2 * s**2))",
    "a distance": "def f(x, y, g): return np.exp(-g * np.linalg.norm(x - y) ** 2)",
    "a distance by the Gram matrix": """
        def f(X, g):
            s = (X**2).sum(axis=1)
            return np.exp(-g * (s[:, None] + s[None, :] - 2 * X @ X.T))
    """,
    "a quadratic form": "def f(d, P): return np.exp(-0.5 * d.T @ np.linalg.inv(P) @ d)",
    "a quadratic form by rows": "def f(d, P): return np.exp(-0.5 * np.sum(d @ P * d, axis=1))",
    "a quadratic form by solving": "def f(d, P): return np.exp(-0.5 * d @ np.linalg.solve(P, d))",
    "a phase": "def f(X, k): return np.exp(-1j * (X @ k))",
    "log probabilities": "def f(z): return torch.exp(F.log_softmax(z, dim=1))",
    "what is normalised": "def f(X, W):\n    s = X @ W\n    return np.exp(s - scipy.special.logsumexp(s, axis=1))",
    "similarities": "def f(a, b):\n    return torch.exp(F.normalize(a, dim=1) @ F.normalize(b, dim=1).T / 0.1)",
    "a clamped layer": """
        class Encoder(nn.Module):
            def __init__(self):
                super().__init__()
                self.head = nn.Linear(8, 2)
            def forward(self, x):
                return torch.exp(torch.clamp(self.head(x), -20, 2))
    """,
    "a layer clamped without losing its gradient": """
        class Encoder(nn.Module):
            def __init__(self):
                super().__init__()
                self.head = nn.Linear(8, 2)
            def forward(self, x):
                s = self.head(x)
                return torch.exp(s + (s.clamp(-20, 2) - s).detach())
    """,
    "a layer that callers clamp": """
        class Encoder(nn.Module):
            def __init__(self):
                super().__init__()
                self.head = nn.Linear(8, 2)
            def scale(self, s):
                return torch.exp(s) * torch.randn(2)
            def forward(self, x):
                return self.scale(self.head(x).clamp(-20, 2))
    """,
    "a trained variable": """
        class Policy(nn.Module):
            def __init__(self):
                super().__init__()
                self.log_std = nn.Parameter(torch.zeros(2))
            def forward(self, m):
                return m + torch.exp(self.log_std) * torch.randn_like(m)
    """,
    "a geometric mean": "def f(p, w): return np.exp(np.log(p) @ w)",
    "what a comparison has bounded": "def f(new, old, t):\n    if new < old:\n        return 1.0\n    return math.exp(-(new - old) / t)",
    "made-up data": "def f():\n    X = np.random.randn(10, 3)\n    return np.exp(X @ np.array([0.1, 0.2, 0.3]))",
    "only what divides": "def f(X, w): return 1 / np.exp(X @ w)",
}


@pytest.mark.parametrize("body", BOUNDED.values(), ids=BOUNDED)
def test_an_exponent_that_is_bounded_or_meant_is_left_alone(body: str) -> None:
    assert "exp-overflow" not in shown(body)


def test_a_bare_parameter_is_possible_only() -> None:
    assert [item.confidence for item in findings("def f(x): return np.exp(x)")] == [Confidence.POSSIBLE]


def test_a_discarded_branch_is_a_note_in_numpy_and_an_error_where_gradients_flow() -> None:
    numpy = findings("def f(x): return np.where(x > 0, x, 2 * np.exp(x))")
    torch = findings("def f(x): return torch.where(x > 0, x, 2 * torch.exp(x))")
    assert [(item.severity, item.signature) for item in numpy] == [(Severity.NOTE, "overflow")]
    assert [(item.severity, item.signature) for item in torch] == [(Severity.ERROR, "nan-gradient")]


SMALL = {
    "exp(x) - 1": ("def f(x): return np.exp(x) - 1", "use-expm1"),
    "1 - exp(-x)": ("def f(x): return 1 - torch.exp(-x)", "use-expm1"),
    "exp(x) - 1 in steps": ("def f(x):\n    e = math.exp(x)\n    return e - 1", "use-expm1"),
    "a logarithmic error": ("def f(y, p): return np.log(y + 1) - np.log(p + 1)", "use-log1p"),
    "log(1 + x*x)": ("def f(x): return torch.log(1 + x**2)", "use-log1p"),
    "log(1 - exp(-x))": ("def f(x): return np.log(1 - np.exp(-x))", "log1mexp"),
    "log(1 - exp(log p)) with methods": ("def f(p): return (1 - p.exp()).log()", "log1mexp"),
    "2 * logistic - 1": ("def f(x): return 2 / (1 + np.exp(-2 * x)) - 1", "naive-tanh"),
    "1 - 2 * logistic": ("def f(x): return 1 - 2 / (np.exp(2 * x) + 1)", "naive-tanh"),
    "tanh": ("def f(x): return (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))", "naive-tanh"),
    "tanh by exp(-x)": ("def f(x): return (1 - np.exp(-x)) / (1 + np.exp(-x))", "naive-tanh"),
    "sinh": ("def f(x): return (np.exp(x) - np.exp(-x)) / 2", "naive-tanh"),
    "log cosh": ("def f(x): return torch.log(torch.cosh(x)).mean()", "log-cosh"),
}


@pytest.mark.parametrize(("body", "rule"), SMALL.values(), ids=SMALL)
def test_formulas_that_cancel_near_zero_are_found(body: str, rule: str) -> None:
    assert set(shown(body)) == ({rule, rule} if rule != "use-log1p" else {rule})


NOT_SMALL = {
    "counts": "def f(xs): return np.log(1 + len(xs))",
    "a known size": "def f(x): return np.log(1 + np.maximum(x, 1))",
    "one of several terms": "def f(x): return np.clip(np.exp(np.clip(x, 0, 9)) - 1 - x, 0, 1)",
    "a large exponent": "def f(x): return np.exp(np.clip(x, 1, 9)) - 1",
    "log1mexp by halves": """
        def f(x):
            return np.where(x < 0.69, np.log(-np.expm1(-x)), np.log1p(-np.exp(-x)))
    """,
    "cosh": "def f(x): return (np.exp(np.clip(x, -9, 9)) + np.exp(-np.clip(x, -9, 9))) / 2",
}


@pytest.mark.parametrize("body", NOT_SMALL.values(), ids=NOT_SMALL)
def test_what_stays_away_from_zero_is_left_alone(body: str) -> None:
    assert shown(body) == []


PRODUCTS = {
    "densities": "def f(x): return scipy.stats.norm.pdf(x).prod()",
    "a frozen distribution": "def f(x, m): return np.prod(scipy.stats.poisson(m).pmf(x))",
    "probabilities of classes": "def f(z, y): return F.softmax(z, 1).gather(1, y).prod()",
    "of either outcome": """
        def f(xs, p):
            q = 1.0
            for x in xs:
                q *= p if x else 1 - p
            return q
    """,
    "of either outcome, by arithmetic": "def f(x, p): return np.prod(x * p + (1 - x) * (1 - p))",
    "what is logged": "def f(p): return np.log(np.prod(p))",
    "what is normalised": "def f(p, q):\n    j = q * p.prod(axis=1)\n    return j / j.sum()",
    "what is compared": "def f(p, q): return np.argmax(q * np.prod(p, axis=1))",
    "a running product": "def f(xs, m, s):\n    p = 1.0\n    for x in xs:\n        p *= scipy.stats.norm.pdf(x, m, s)\n    return p",
    "a running product of items": """
        def f(X, m, v):
            p = np.ones(len(X))
            for i in range(len(X)):
                for j in range(X.shape[1]):
                    p[i] *= np.exp(-((X[i, j] - m[j]) ** 2) / (2 * v[j])) / np.sqrt(2 * np.pi * v[j])
            return p
    """,
    "a forward pass": "def f(a, T, B, o):\n    for k in o:\n        a = (a @ T) * B[:, k]\n    return a",
    "a forward pass stored": """
        def f(a, T, B, o):
            for t in range(1, len(o)):
                a[t] = a[t - 1].dot(T) * B[:, o[t]]
            return a
    """,
    "a backward pass": """
        def f(b, T, B, o):
            for t in reversed(range(len(o) - 1)):
                b[t] = T @ (B[:, o[t + 1]] * b[t + 1])
            return b
    """,
    "a Viterbi pass": """
        def f(d, T, B, o):
            for t in range(1, len(o)):
                for j in range(len(T)):
                    d[t, j] = np.max(d[t - 1] * T[:, j]) * B[j, o[t]]
            return d
    """,
}
NO_PRODUCTS = {
    "a shape": "def f(x): return np.log(np.prod(x.shape))",
    "the probability of none": "def f(z): return 1 - torch.prod(1 - torch.sigmoid(z))",
    "a schedule": "def f(b):\n    a = 1.0\n    for x in b:\n        a *= 0.99\n    return a",
    "a few factors": "def f(x):\n    p = 1.0\n    for m in (0, 1, 2):\n        p *= scipy.stats.norm.pdf(x, m)\n    return p",
    "a normalised pass": """
        def f(a, T, B, o):
            for k in o:
                a = (a @ T) * B[:, k]
                a = a / a.sum()
            return a
    """,
    "a normalised pass stored": """
        def f(a, T, B, o):
            for t in range(1, len(o)):
                a[t] = a[t - 1].dot(T) * B[:, o[t]]
                a[t] /= a[t].sum()
            return a
    """,
    "logarithms": "def f(a, T, B, o):\n    for k in o:\n        a = scipy.special.logsumexp(a[:, None] + T, axis=0) + B[:, k]\n    return a",
    "layers of a network": """
        def f(W, s, d):
            for k in range(len(W)):
                d = W[k].T.dot(d) * s[k]
            return d
    """,
}


@pytest.mark.parametrize("body", PRODUCTS.values(), ids=PRODUCTS)
def test_products_of_probabilities_are_found(body: str) -> None:
    assert set(shown(body)) == {"product-of-probabilities"}


@pytest.mark.parametrize("body", NO_PRODUCTS.values(), ids=NO_PRODUCTS)
def test_other_products_are_left_alone(body: str) -> None:
    assert shown(body) == []
