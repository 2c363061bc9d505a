"""The expression graph does not depend on how mathematics is spelt."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from numlint.function import Function

Lower = Callable[..., Function]

IMPORTS = """
import math
import numpy as np
import numpy
import scipy.special as sp
import torch
import torch.nn.functional as F
import jax.numpy as jnp
import tensorflow as tf
import cupy as cp
from numpy import exp as e
from numpy import exp
"""


def result(lower: Lower, body: str, prelude: str = "") -> str:
    """Canonical text of what ``f(x)`` returns."""
    lines = "\n".join("    " + line for line in body.strip().splitlines())
    function = lower(f"{IMPORTS}\n{prelude}\ndef f(x, y=None, axis=0):\n{lines}\n", "f")
    return repr(function.body.returns[-1].value)


@pytest.mark.parametrize(
    "body",
    [
        "return np.exp(x)",
        "return numpy.exp(x)",
        "return x.exp()",
        "return torch.exp(x)",
        "return torch.Tensor.exp(x)",
        "return jnp.exp(x)",
        "return tf.exp(x)",
        "return tf.math.exp(x)",
        "return cp.exp(x)",
        "return math.exp(x)",
        "return e(x)",
        "return exp(x)",
        "return np.e ** x",
        "return math.e ** x",
        "return np.power(np.e, x)",
        "g = np.exp\nreturn g(x)",
        "t = x\nu = np.exp(t)\nreturn u",
        "u = (lambda t: np.exp(t))(x)\nreturn u",
        "def g(t):\n    return np.exp(t)\nreturn g(x)",
        "return np.exp(x, out=None)",
        "(u := np.exp(x))\nreturn u",
        "u, v = np.exp(x), 1\nreturn u",
        "u = [np.exp(x), 2]\nreturn u[0]",
        "d = {'a': np.exp(x)}\nreturn d['a']",
        "return helper(x)",
        "return Net().forward(x)",
        "return Net()(x)",
    ],
)
def test_every_spelling_of_exp_is_one_value(lower: Lower, body: str) -> None:
    prelude = "def helper(t):\n    return np.exp(t)\nclass Net:\n    def forward(self, t):\n        return t.exp()\n"
    assert result(lower, body, prelude) == "exp(x)"


@pytest.mark.parametrize(
    ("body", "canonical"),
    [
        ("return x * x", "square(x)"),
        ("return x ** 2", "square(x)"),
        ("return np.square(x)", "square(x)"),
        ("return x.pow(2)", "square(x)"),
        ("return x ** 0.5", "sqrt(x)"),
        ("return x.sqrt()", "sqrt(x)"),
        ("return torch.rsqrt(x)", "div(1, sqrt(x))"),
        ("return x ** -1", "div(1, x)"),
        ("return -(-x)", "x"),
        ("return x + (-y)", "sub(x, y)"),
        ("return 0 - x", "neg(x)"),
        ("return x > y", "lt(y, x)"),
        ("return y + x", "add(x, y)"),
        ("return x + y", "add(x, y)"),
        ("return 2 * 3 + x", "add(x, 6)"),
        ("return x @ y", "matmul(x, y)"),
        ("return x.dot(y)", "matmul(x, y)"),
        ("return np.dot(x, y)", "matmul(x, y)"),
        ("return x.T.T", "x"),
        ("return F.softmax(x, dim=1)", "softmax(x)"),
        ("return torch.nn.Softmax(dim=1)(x)", "softmax(x)"),
        ("return torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Sigmoid())(x)", "sigmoid(linear(x, layer(2, 1)))"),
        ("return x.clamp(min=1e-3)", "clip(x, 0.001, None)"),
        ("return np.clip(x, 0, 1)", "clip(x, 0, 1)"),
        ("return np.clip(x, a_min=0, a_max=None)", "clip(x, 0, None)"),
        ("x.clamp_(1e-3, 1)\nreturn x", "clip(x, 0.001, 1)"),
        ("np.clip(x, 0, 1, out=x)\nreturn x", "clip(x, 0, 1)"),
        ("x += y\nreturn x", "add(x, y)"),
        ("return x[:, None]", "view(x)"),
        ("return x.reshape(-1, 1)", "view(x)"),
        ("return max(x, y)", "maximum(x, y)"),
        ("return np.maximum(y, x)", "maximum(x, y)"),
        ("return tf.reduce_sum(x, reduction_indices=[1])", "sum(x)"),
        ("return x if y else 0", "phi(y, x, 0)"),
    ],
)
def test_canonical_forms(lower: Lower, body: str, canonical: str) -> None:
    assert result(lower, body) == canonical


def test_branches_are_joined_by_their_condition(lower: Lower) -> None:
    assert result(lower, "if y:\n    z = x\nelse:\n    z = np.exp(x)\nreturn z") == "phi(y, x, exp(x))"


def test_an_early_return_selects_the_result_of_a_helper(lower: Lower) -> None:
    prelude = "def g(t):\n    if t == 0:\n        return 1\n    return np.sin(t) / t\n"
    assert result(lower, "return g(x)", prelude) == "phi(eq(x, 0), 1, div(sin(x), x))"


def test_a_masked_store_keeps_mask_and_value(lower: Lower) -> None:
    assert result(lower, "x[x == 0] = 1\nreturn x") == "store(x, eq(x, 0), 1)"


def test_what_a_loop_carries_is_not_its_first_value(lower: Lower) -> None:
    text = result(lower, "s = 0\nfor i in range(3):\n    s = s + x\nreturn s")
    assert text == "join(0, add(x, carried(0)))"


def test_attributes_come_from_the_methods_that_assign_them(lower: Lower) -> None:
    source = """
    import numpy as np
    class Model:
        def __init__(self, eps=1e-8):
            self.eps = eps
            self.w = None
        def fit(self, X, y):
            self.w = np.linalg.pinv(X) @ y
        def predict(self, X):
            return np.exp(X @ self.w)
    """
    function = lower(source, "Model.predict")
    assert repr(function.body.returns[0].value) == "exp(matmul(X, matmul(pinv(X), y)))"


def test_a_star_import_of_a_library_brings_its_names(lower: Lower) -> None:
    function = lower("from numpy import *\ndef f(x):\n    return exp(x)\n")
    assert repr(function.body.returns[0].value) == "exp(x)"


def test_functions_of_the_project_are_followed(lower: Lower) -> None:
    source = """
    from tools.activations import squash as s
    from tools import activations
    def f(x):
        return s(x) + activations.LIMIT
    """
    tools = "import numpy as np\nLIMIT = 3\ndef squash(z):\n    return np.tanh(z)\n"
    function = lower(source, "f", tools__activations=tools)
    assert repr(function.body.returns[0].value) == "add(tanh(x), 3)"


@pytest.mark.parametrize(
    "body",
    [
        "exec('x = 1')\nreturn getattr(np, 'exp')(x)",
        "return unknown_name(x)",
        "return x.some_method(y)",
        "return globals()['g'](x)",
        "return [*x][0]",
        "with open(x) as stream:\n    return stream.read()",
        "return (yield x)",
        "return f(x)",
    ],
)
def test_what_cannot_be_understood_is_unknown_and_no_crash(lower: Lower, body: str) -> None:
    function = lower(f"{IMPORTS}\ndef f(x, y=None):\n" + "\n".join("    " + line for line in body.splitlines()), "f")
    value = function.body.returns[-1].value
    assert function.range(value).unknown


def test_a_logger_and_a_string_have_no_logarithm(lower: Lower) -> None:
    function = lower("import numpy as np\ndef f(log, x):\n    log.log(10, 'message')\n    return 'a'.join(x)\n")
    assert list(function.sites("log")) == []


def test_sites_know_the_conditions_that_lead_to_them(lower: Lower) -> None:
    source = """
    import numpy as np
    def f(x, n):
        if n == 0:
            return 0
        assert x > 0
        with np.errstate(all="ignore"):
            try:
                return np.log(x) / n
            except ZeroDivisionError:
                return None
    """
    function = lower(source)
    (site,) = function.sites("div")
    assert [(repr(value), holds) for value, holds in site.conditions()] == [("lt(0, x)", True), ("eq(n, 0)", False)]
    assert site.catches("ZeroDivisionError")
    assert [context.attr("name") for context in site.contexts()] == ["numpy.errstate"]
    assert function.range(site.value.args[1], site).can_be_zero is False


def test_a_value_is_spelt_by_a_name_only_while_it_is_bound_to_it(lower: Lower) -> None:
    source = """
    import numpy as np
    def f(x):
        z = x + 1
        a = np.exp(z)
        z = 0
        return a / a.sum() + z
    """
    function = lower(source)
    early = next(function.sites("exp"))
    late = next(function.sites("div"))
    value = early.value.args[0]
    assert function.spell(value, early) == "z"
    assert function.spell(value, late) == "x + 1"
