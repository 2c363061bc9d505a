"""Classic functions with one guilty line each, marked by the comment ``guilty``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def softmax(z: Any) -> Any:
    e = np.exp(z)  # guilty
    return e / e.sum()


def logsumexp(z: Any) -> Any:
    e = np.exp(z)  # guilty
    return np.log(e.sum())


def variance(x: Any) -> Any:
    mean = x.mean()
    squares = (x**2).mean()
    return squares - mean**2  # guilty


def log_determinant(a: Any) -> Any:
    d = np.linalg.det(a)  # guilty
    return np.log(d)


def least_squares(X: Any, y: Any) -> Any:
    gram = X.T @ X
    inverse = np.linalg.inv(gram)  # guilty
    return inverse @ X.T @ y


def cross_entropy(z: Any) -> Any:
    p = 1 / (1 + np.exp(-z))
    q = 1 - p  # guilty
    return -np.log(q)


def cosine(a: Any, b: Any) -> Any:
    norms = np.sqrt((a * a).sum() * (b * b).sum())  # guilty
    return (a @ b) / norms


def softplus(x: Any) -> Any:
    s = 1 + np.exp(x)
    return np.log(s)  # guilty


def quadratic_root(a: Any, b: Any, c: Any) -> Any:
    root = math.sqrt(b * b - 4 * a * c)
    return (-b + root) / (2 * a)  # guilty


def power_iteration(a: Any, v: Any) -> Any:
    step = 0
    while step < 200:
        v = a @ v  # guilty
        step += 1
    return v / np.sqrt(v @ v)


def distance(x: Any, c: Any) -> Any:
    squared = (x**2).sum(1)[:, None] + (c**2).sum(1) - 2 * x @ c.T  # guilty
    return np.sqrt(squared)


def likelihood(p: Any) -> Any:
    product = np.prod(p)  # guilty
    return np.log(product)


def expm1_quotient(x: Any) -> Any:
    return (np.exp(x) - 1) / x  # guilty


def harmonic(x: Any) -> Any:
    out = np.zeros(len(x))
    for i in range(len(x)):
        out[i] = math.exp(x[i])  # guilty
    return out


def normalise(x: Any) -> Any:
    total = sum(x)
    return [float(item) / total for item in x]  # guilty


def scalar_loop(x: Any) -> Any:
    product = 1.0
    for item in x:
        product *= item  # guilty
    return math.log(product)


def from_a_literal(n: int) -> float:
    import math as m

    value = 1.0
    for _ in range(n):
        value = value * 1e-200
    return m.log(value + 1.0)
