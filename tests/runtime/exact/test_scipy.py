"""Functions of scipy in exact arithmetic agree with scipy on benign inputs."""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import pytest

from numlint.runtime import leaves
from numlint.runtime.arithmetic import Arithmetic
from numlint.runtime.exact import Exact, available
from numlint.runtime.formats import FLOAT32, FLOAT64
from numlint.runtime.oracle import true_array
from numlint.runtime.rounding import Rounded

pytest.importorskip("scipy")
pytestmark = pytest.mark.skipif(not available(), reason="needs python-flint or mpmath")

PRELUDE = """
import numpy as np
import scipy.linalg, scipy.special, scipy.stats
from scipy import special, stats
from scipy.special import expit, logsumexp, softmax, gammaln, xlogy, comb
from scipy.stats import norm, multivariate_normal
from scipy.linalg import solve, cho_factor, cho_solve
"""
CALLS = [
    "expit(x)",
    "softmax(x, axis=1)",
    "special.log_softmax(x, axis=1)",
    "logsumexp(x, axis=1, keepdims=True)",
    "scipy.special.logsumexp(x, b=p)",
    "xlogy(p, p)",
    "special.xlog1py(p, p)",
    "special.entr(p)",
    "special.rel_entr(p, p[::-1])",
    "special.kl_div(p, p[::-1])",
    "gammaln(p)",
    "special.digamma(p)",
    "special.erf(x), special.erfc(x)",
    "special.ndtr(x), special.log_ndtr(x)",
    "special.logit(p)",
    "comb(p + 3, 2.0)",
    "special.betaln(p, p)",
    "special.exprel(x)",
    "norm.pdf(x), norm.logpdf(x, 0.5, 2.0), norm.cdf(x)",
    "stats.norm(0.5, 2.0).pdf(x)",
    "stats.norm.logpdf(x, loc=x.mean(), scale=x.std())",
    "multivariate_normal.pdf(x, x.mean(axis=0), x.T @ x)",
    "multivariate_normal(mean=x[0], cov=x.T @ x).logpdf(x)",
    "stats.poisson.logpmf(np.round(3 * p), 2.5), stats.poisson(1.5).pmf(np.round(3 * p))",
    "stats.binom.logpmf(np.round(3 * p), 5, 0.3), stats.bernoulli.pmf(np.round(p), 0.3), stats.geom.pmf(2.0, p)",
    "stats.gamma.logpdf(p, 2.5, scale=0.5), stats.beta.pdf(p, 2.0, 3.0), stats.expon.pdf(p, 0.0, 2.0)",
    "stats.t.logpdf(x, 4.0), stats.laplace.pdf(x, scale=2.0), stats.logistic.logpdf(x)",
    "solve(x.T @ x, x.T)",
    "scipy.linalg.inv(x.T @ x)",
    "scipy.linalg.cholesky(x.T @ x, lower=True)",
    "cho_solve(cho_factor(x.T @ x), x.T)",
    "scipy.linalg.solve_triangular(np.triu(x.T @ x), x[0])",
    "scipy.linalg.eigh(x.T @ x)[0]",
    "scipy.linalg.svd(x, full_matrices=False)[1]",
    "scipy.linalg.norm(x), scipy.linalg.det(x.T @ x)",
]


def run(call: str, arithmetic: Arithmetic) -> list[Any]:
    module = types.ModuleType("target")
    exec(f"{PRELUDE}\ndef f(x, p):\n    return {call}\n", vars(module))
    generator = np.random.default_rng(0)
    given = arithmetic.lift({"x": generator.normal(size=(6, 3)), "p": generator.uniform(0.1, 0.9, size=(6, 3))})
    with arithmetic.patched([module]):
        result = arithmetic.lower(module.f(**given))
    found = [leaf for _, leaf in leaves.leaves(result)]
    return [np.asarray(true_array(leaf)[0]) for leaf in found] if arithmetic.exact else [np.asarray(x) for x in found]


@pytest.mark.parametrize("call", CALLS)
def test_exact_arithmetic_agrees(call: str) -> None:
    arithmetic = Exact(128)
    for got, expected in zip(run(call, arithmetic), run(call, Arithmetic(FLOAT64)), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)
    assert arithmetic.account.rounded == 0


@pytest.mark.parametrize("call", CALLS)
def test_rounding_arithmetic_agrees(call: str) -> None:
    for got, expected in zip(run(call, Rounded(FLOAT32)), run(call, Arithmetic(FLOAT64)), strict=True):
        np.testing.assert_allclose(got, expected, rtol=2e-3, atol=1e-4)
