"""Functions of scipy that are no ufuncs, and the distributions whose densities are formulas, on exact arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import linalg
from .arrays import ExactArray, _called, exact, unsupported
from .numbers import active
from .operations import OPERATIONS


def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    terms = np.exp(exact(a)) if b is None else exact(b) * np.exp(exact(a))
    total = np.sum(terms, axis=axis, keepdims=keepdims)
    return (np.log(np.abs(total)), np.sign(total)) if return_sign else np.log(total)


def softmax(x: Any, axis: Any = None) -> Any:
    terms = np.exp(exact(x))
    return terms / np.sum(terms, axis=axis, keepdims=True)


def log_softmax(x: Any, axis: Any = None) -> Any:
    x = exact(x)
    return x - np.log(np.sum(np.exp(x), axis=axis, keepdims=True))


def comb(n: Any, k: Any, exact: bool = False, repetition: bool = False) -> Any:
    return _called("binom", (n, k), True)


def _ufunc(name: str) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        return _called(name, args, True)

    return call


def multigammaln(a: Any, d: Any) -> Any:
    total = exact(d * (d - 1) / 4) * np.log(ExactArray._scalar(active().pi()))
    return sum((_called("gammaln", (exact(a) - exact(j / 2),), True) for j in range(int(d))), total)


class Normal:
    """`scipy.stats.norm`."""

    distribution = True

    def __init__(self, loc: Any = 0.0, scale: Any = 1.0) -> None:
        self.loc, self.scale = loc, scale

    def __call__(self, loc: Any = 0.0, scale: Any = 1.0) -> Normal:
        return Normal(loc, scale)

    def _standard(self, x: Any, loc: Any, scale: Any) -> tuple[Any, Any]:
        width = exact(self.scale if scale is None else scale)
        return (exact(x) - (self.loc if loc is None else loc)) / width, width

    def logpdf(self, x: Any, loc: Any = None, scale: Any = None) -> Any:
        z, width = self._standard(x, loc, scale)
        return -(z**2) / 2 - np.log(2 * ExactArray._scalar(active().pi())) / 2 - np.log(width)

    def pdf(self, x: Any, loc: Any = None, scale: Any = None) -> Any:
        return np.exp(self.logpdf(x, loc, scale))

    def cdf(self, x: Any, loc: Any = None, scale: Any = None) -> Any:
        return _called("ndtr", (self._standard(x, loc, scale)[0],), True)

    def logcdf(self, x: Any, loc: Any = None, scale: Any = None) -> Any:
        return np.log(self.cdf(x, loc, scale))

    def sf(self, x: Any, loc: Any = None, scale: Any = None) -> Any:
        return _called("ndtr", (-self._standard(x, loc, scale)[0],), True)

    def logsf(self, x: Any, loc: Any = None, scale: Any = None) -> Any:
        return np.log(self.sf(x, loc, scale))

    def ppf(self, q: Any, loc: Any = None, scale: Any = None) -> Any:
        z = _called("ndtri", (exact(q),), True)
        return z * (self.scale if scale is None else scale) + (self.loc if loc is None else loc)

    def __getattr__(self, name: str) -> Any:
        return unsupported(f"scipy.stats.norm.{name}")


class MultivariateNormal:
    """`scipy.stats.multivariate_normal`."""

    distribution = True

    def __init__(self, mean: Any = None, cov: Any = 1.0) -> None:
        self.mean, self.cov = mean, cov

    def __call__(self, mean: Any = None, cov: Any = 1.0, **_: Any) -> MultivariateNormal:
        return MultivariateNormal(mean, cov)

    def logpdf(self, x: Any, mean: Any = None, cov: Any = None, **_: Any) -> Any:
        x = exact(x)
        centre = self.mean if mean is None else mean
        centred = np.atleast_1d(x - (0.0 if centre is None else centre))
        size = centred.shape[-1]
        spread = exact(self.cov if cov is None else cov)
        matrix = spread if spread.ndim == 2 else np.eye(size) * spread
        points = centred.reshape(-1, size)
        distance = np.sum(points * linalg.solve(matrix, points.T).T, axis=1)
        constant = np.log(2 * ExactArray._scalar(active().pi())) * size + linalg.slogdet(matrix)[1]
        return (-(distance + constant) / 2).reshape(centred.shape[:-1])

    def pdf(self, x: Any, mean: Any = None, cov: Any = None, **kw: Any) -> Any:
        return np.exp(self.logpdf(x, mean, cov))

    def __getattr__(self, name: str) -> Any:
        return unsupported(f"scipy.stats.multivariate_normal.{name}")


def _log(x: Any) -> Any:
    return np.log(exact(x))


def _gammaln(x: Any) -> Any:
    return _called("gammaln", (exact(x),), True)


def _scaled_log(factor: Any, x: Any) -> Any:
    """factor * log(x), which is 0 where the factor is."""
    return _called("xlogy", (exact(factor), exact(x)), True)


LOG_DENSITIES: dict[str, tuple[str, Callable[..., Any]]] = {
    "bernoulli": ("p", lambda k, p: _scaled_log(k, p) + _scaled_log(1 - exact(k), 1 - exact(p))),
    "binom": (
        "n p",
        lambda k, n, p: (
            _gammaln(exact(n) + 1)
            - _gammaln(exact(k) + 1)
            - _gammaln(exact(n) - k + 1)
            + _scaled_log(k, p)
            + _scaled_log(exact(n) - k, 1 - exact(p))
        ),
    ),
    "geom": ("p", lambda k, p: _scaled_log(exact(k) - 1, 1 - exact(p)) + _log(p)),
    "poisson": ("mu", lambda k, mu: _scaled_log(k, mu) - mu - _gammaln(exact(k) + 1)),
    "expon": ("", lambda x: -x),
    "gamma": ("a", lambda x, a: _scaled_log(exact(a) - 1, x) - x - _gammaln(a)),
    "beta": (
        "a b",
        lambda x, a, b: (
            _scaled_log(exact(a) - 1, x)
            + _scaled_log(exact(b) - 1, 1 - x)
            + _gammaln(exact(a) + b)
            - _gammaln(a)
            - _gammaln(b)
        ),
    ),
    "laplace": ("", lambda x: -np.abs(x) - _log(2.0)),
    "logistic": ("", lambda x: -x - 2 * np.log1p(np.exp(-x))),
    "t": (
        "df",
        lambda x, df: (
            _gammaln((exact(df) + 1) / 2)
            - _gammaln(exact(df) / 2)
            - np.log(exact(df) * ExactArray._scalar(active().pi())) / 2
            - (exact(df) + 1) / 2 * np.log1p(x * x / df)
        ),
    ),
}
"""Logarithms of densities in standard form (scipy.stats, reference manual), with the names of their parameters."""


class Density:
    """A distribution of `scipy.stats` that is known by the logarithm of its density."""

    distribution = True

    def __init__(self, name: str, frozen: tuple[Any, ...] = (), named: dict[str, Any] | None = None) -> None:
        self.name, self.frozen, self.named = name, frozen, named or {}

    def __call__(self, *frozen: Any, **named: Any) -> Density:
        return Density(self.name, frozen, named)

    def logpdf(self, x: Any, *arguments: Any, **named: Any) -> Any:
        parameters, density = LOG_DENSITIES[self.name]
        given = {**dict(zip((*parameters.split(), "loc", "scale"), self.frozen + arguments)), **self.named, **named}
        scale = exact(given.pop("scale", 1.0))
        z = (exact(x) - given.pop("loc", 0.0)) / scale
        return density(z, *[given[name] for name in parameters.split()]) - np.log(scale)

    def pdf(self, x: Any, *arguments: Any, **named: Any) -> Any:
        return np.exp(self.logpdf(x, *arguments, **named))

    logpmf, pmf = logpdf, pdf

    def __getattr__(self, name: str) -> Any:
        return unsupported(f"scipy.stats.{self.name}.{name}")


def _decorated(function: Callable[..., Any]) -> Callable[..., Any]:
    """scipy.linalg's further options (overwrite_a, check_finite, ...) mean nothing here."""

    def call(*args: Any, **kwargs: Any) -> Any:
        known = ("full_matrices", "compute_uv", "lower", "mode", "ord", "axis", "keepdims", "rcond", "hermitian")
        return function(*args, **{key: value for key, value in kwargs.items() if key in known})

    return call


def cho_factor(a: Any, lower: bool = False, **_: Any) -> tuple[Any, bool]:
    factor = linalg.cholesky(a)
    return (factor if lower else factor.T), lower


def cho_solve(factored: tuple[Any, bool], b: Any, **_: Any) -> Any:
    factor, lower = factored
    triangle = factor if lower else factor.T
    return linalg.solve(triangle @ triangle.T, b)


def solve_triangular(a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False, **_: Any) -> Any:
    triangle = np.tril(exact(a)) if lower else np.triu(exact(a))
    return linalg.solve(triangle.T if trans in (1, "T", "C") else triangle, b)


def scipy_cholesky(a: Any, lower: bool = False, **_: Any) -> Any:
    factor = linalg.cholesky(a)
    return factor if lower else factor.T


SPECIAL: dict[str, Callable[..., Any]] = {
    "logsumexp": logsumexp,
    "softmax": softmax,
    "log_softmax": log_softmax,
    "comb": comb,
    "multigammaln": multigammaln,
    "factorial": _ufunc("factorial"),
    "sinc": _ufunc("sinc"),
}
LINALG: dict[str, Callable[..., Any]] = {
    **{name: _decorated(function) for name, function in linalg.FUNCTIONS.items()},
    "cholesky": scipy_cholesky,
    "cho_factor": cho_factor,
    "cho_solve": cho_solve,
    "solve_triangular": solve_triangular,
    "pinvh": linalg.pinv,
}
DISTRIBUTIONS: dict[str, Any] = {
    "norm": Normal(),
    "multivariate_normal": MultivariateNormal(),
    **{name: Density(name) for name in LOG_DENSITIES},
}


def counterpart(name: str, module: str) -> Any:
    """What stands for a function of scipy; None for what is a ufunc or unknown."""
    if name in DISTRIBUTIONS and module.startswith("scipy.stats"):
        return DISTRIBUTIONS[name]
    if module.startswith("scipy.special"):
        return SPECIAL.get(name) or (_ufunc(name) if name in OPERATIONS else unsupported(f"scipy.special.{name}"))
    if module.startswith("scipy.linalg"):
        return LINALG.get(name) or unsupported(f"scipy.linalg.{name}")
    return unsupported(f"{module}.{name}")
