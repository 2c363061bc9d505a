"""Softmax, sigmoid and distributions are known by their formula, however they are written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from numlint.function import Function
from numlint.graph.probability import as_sigmoid, as_softmax, distribution_call, weighted_log
from numlint.graph.value import Value

IMPORTS = """\
import numpy as np
import torch
import torch.nn as nn
from scipy import stats
from scipy.special import expit
"""


@pytest.fixture
def result(lower: Callable[..., Function]) -> Callable[[str], Value]:
    """Value of an expression of z."""
    return lambda expression: lower(f"{IMPORTS}def f(z):\n    return {expression}\n", "f").body.returns[0].value


@pytest.mark.parametrize(
    "expression",
    [
        "torch.softmax(z, 1)",
        "z.softmax(dim=1)",
        "nn.Softmax(dim=1)(z)",
        "nn.Sequential(nn.Dropout(), nn.Softmax(dim=1))(z)",
        "np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)",
        "np.exp(z - z.max(axis=1)) / np.exp(z - z.max(axis=1)).sum(axis=1)",
        "torch.log_softmax(z, 1).exp()",
        "torch.exp(z - torch.logsumexp(z, 1))",
    ],
)
def test_a_softmax_and_its_logits(expression: str, result: Callable[[str], Value]) -> None:
    softmax = as_softmax(result(expression))
    assert softmax is not None
    assert repr(softmax.logits.core) == "z"
    assert softmax.axis == 1


@pytest.mark.parametrize(
    ("expression", "negated"),
    [
        ("torch.sigmoid(z)", False),
        ("expit(z)", False),
        ("1 / (1 + np.exp(-z))", False),
        ("1 / (np.exp(z) + 1)", True),
        ("np.exp(z) / (1 + np.exp(z))", False),
        ("0.5 * (1 + np.tanh(0.5 * z))", False),
        ("(np.tanh(z / 2) + 1) / 2", False),
        ("0.5 + 0.5 * np.tanh(z / 2)", False),
        ("1 - expit(z)", True),
        ("np.where(z >= 0, 1 / (1 + np.exp(-z)), np.exp(z) / (1 + np.exp(z)))", False),
    ],
)
def test_a_sigmoid_and_its_logit(expression: str, negated: bool, result: Callable[[str], Value]) -> None:
    sigmoid = as_sigmoid(result(expression))
    assert sigmoid is not None
    assert repr(sigmoid.logit) == "z"
    assert sigmoid.negated == negated
    assert sigmoid.complement == expression.startswith("1 - ")


@pytest.mark.parametrize("expression", ["1 / (1 + z)", "np.exp(z) / 2", "0.5 * np.tanh(z)", "np.exp(z) / z.sum()"])
def test_what_looks_like_one_and_is_not(expression: str, result: Callable[[str], Value]) -> None:
    assert as_sigmoid(result(expression)) is None
    assert as_softmax(result(expression)) is None


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("stats.norm.pdf(z)", "pdf"),
        ("stats.norm(0, 1).pdf(z)", "pdf"),
        ("stats.skewnorm.cdf(z, 4)", "cdf"),
        ("torch.distributions.Normal(0, 1).cdf(z)", "cdf"),
        ("z.cdf(1)", ""),
    ],
)
def test_the_functions_of_a_distribution(expression: str, name: str, result: Callable[[str], Value]) -> None:
    assert distribution_call(result(expression)) == name


@pytest.mark.parametrize(
    "expression", ["z * np.log(z[0])", "np.log(z[0]) * 3 * z", "z @ np.log(z[0])", "-z * np.log(z[0])"]
)
def test_a_weighted_logarithm(expression: str, result: Callable[[str], Value]) -> None:
    value = result(expression)
    weighted = weighted_log(value.args[0] if value.op == "neg" else value)
    assert weighted is not None
    assert [repr(weight) for weight in weighted.weights] == ["z"]
    assert repr(weighted.log) == "log(index(z, 0))"
