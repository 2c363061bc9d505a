"""Idioms of array code that must survive another arithmetic: each runs unchanged, and agrees with float64."""

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

PRELUDE = """
import math
import random
import numpy as np
import numpy.linalg as LA
from math import exp as mexp, log as mlog
from numpy import exp, log, zeros, ndarray
from numpy.linalg import norm
"""

# x: 6 x 3 of reals; v: 4 positive reals; y: 6 labels 0, 1; c: a number.
IDIOMS = {
    "in-place operators": "z = x.copy(); z -= z.max(axis=1, keepdims=True); z /= 2.0; z **= 2; return z",
    "in-place exp": "z = x.copy(); np.exp(z, out=z); z /= z.sum(axis=1, keepdims=True); return z",
    "softmax": "e = np.exp(x); return e / e.sum(1, keepdims=True)",
    "mask read": "return x[x > 0].sum()",
    "mask write": "z = x.copy(); z[z < 0] = 0; return z",
    "mask update": "z = x.copy(); z[z > 0] *= 2; return z",
    "fancy read": "return np.log(np.exp(x)[np.arange(len(y)), y]).sum()",
    "fancy write": "z = x.copy(); z[np.arange(len(y)), y] -= 1.0; return z",
    "out argument": "z = np.empty_like(x); np.multiply(x, 2.0, out=z); return z",
    "zeros then fill": "out = np.zeros(len(v))\nfor i in range(len(v)): out[i] = np.sqrt(v[i])\nreturn out",
    "zeros by imported name": "out = zeros((2, 2)); out[0, 1] = c; return out",
    "zeros_like": "z = np.zeros_like(x); z += x; return z",
    "empty with dtype": "z = np.empty(3, dtype=np.float64); z[:] = v[:3]; return z",
    "dtype of another": "z = np.zeros(x.shape, dtype=x.dtype); z[0] = x[0]; return z",
    "finfo of dtype": "return x / (np.abs(x).sum() + np.finfo(x.dtype).eps)",
    "list comprehension": "return np.array([np.exp(a) for a in v])",
    "list append": "out = []\nfor row in x: out.append(row.sum())\nreturn np.array(out)",
    "nested lists": "return np.array([[c, 1.0], [0.0, c]])",
    "np.mean of a list": "return np.mean([a * 2 for a in v])",
    "apply_along_axis": "return np.apply_along_axis(lambda r: r / np.sqrt((r ** 2).sum()), 1, x)",
    "einsum": "return np.einsum('ij,ik->jk', x, x)",
    "broadcasting": "return (x - x.mean(axis=0)) / x.std(axis=0)",
    "newaxis": "return ((x[:, None, :] - x[None, :, :]) ** 2).sum(-1)",
    "argmax": "return np.argmax(x, axis=1), x.argmin()",
    "boolean reductions": "return bool((x > 0).any()), bool(np.all(v > 0)), (x > 0).mean()",
    "gram": "return x.T @ x",
    "dot": "return x.dot(v[:3]), np.dot(v, v)",
    "normal equations": "return np.linalg.inv(x.T @ x) @ x.T @ y",
    "solve": "return np.linalg.solve(x.T @ x, x.T @ y)",
    "lstsq": "return np.linalg.lstsq(x, y, rcond=None)[0]",
    "pinv": "return np.linalg.pinv(x)",
    "det": "return np.linalg.det(x.T @ x), np.linalg.slogdet(x.T @ x)[1]",
    "cholesky": "return np.linalg.cholesky(x.T @ x)",
    "eigh": "w, V = np.linalg.eigh(x.T @ x); return w, V @ np.diag(w) @ V.T",
    "eigvalsh": "return LA.eigvalsh(x.T @ x)",
    "svd": "U, s, Vt = np.linalg.svd(x, full_matrices=False); return s, U * s @ Vt",
    "qr": "q, r = np.linalg.qr(x); return q, r",
    "norms": "return norm(x), np.linalg.norm(x, axis=1), np.linalg.norm(v, 1), np.linalg.norm(v, np.inf), norm(v, 3)",
    "matrix norms": "return norm(x, 2), norm(x, 1), norm(x, 'nuc'), np.linalg.cond(x)",
    "matrix_power": "return np.linalg.matrix_power(x.T @ x, 3)",
    "matrix_rank": "return np.linalg.matrix_rank(x)",
    "math functions": "return math.exp(c), math.log(v[0]), math.sqrt(v[1]), math.tanh(c), math.pow(v[0], c), mexp(c)",
    "math.log with base": "return math.log(v[0], 2), math.log10(v[1]), mlog(v[2])",
    "math of python": "return math.sqrt(2) * v, math.log(len(v)) * v",
    "math rounding": "return math.floor(v[0] * 10), math.ceil(v[1]), math.isnan(v[2])",
    "math.fsum": "return math.fsum(v), math.hypot(v[0], v[1])",
    "float of a number": "return float(v[0]) + float(c)",
    "int of a number": "return int(v[0] * 10), int(c)",
    "round": "return round(float(v[0]), 2), np.round(x, 3), x.round(1)",
    "f-strings": "s = f'{v[0]:.3f} {c:e} {v.sum()}'; return len(s) > 3",
    "print": "print(x, v[0], c); return c",
    "np.sort": "return np.sort(v)[::-1], np.argsort(-v), sorted(v)",
    "sort in place": "z = v.copy(); z.sort(); return z",
    "where": "return np.where(x > 0, x, 0.01 * x)",
    "where with one argument": "return x[np.where(x[:, 0] > 0)]",
    "clip": "return np.clip(x, -0.5, 0.5), x.clip(0, 1)",
    "maximum": "return np.maximum(0, x), np.minimum(x, c), np.fmax(x, 0)",
    "outer": "return np.outer(v, v), np.multiply.outer(v, v), np.subtract.outer(v, v)",
    "concatenate": "return np.concatenate([x, np.ones((6, 1))], axis=1)",
    "stacks": "return np.vstack([v, v]), np.hstack((v, v)), np.column_stack([np.ones(4), v]), np.stack([v, v])",
    "c_ and r_": "return np.c_[np.ones(6), x]",
    "tile and repeat": "return np.tile(v, 2), np.repeat(v, 2), v.repeat(3)",
    "cumsum": "return np.cumsum(v), v.cumprod(), np.cumsum(x, axis=0)",
    "unique": "return np.unique(v), np.unique(y, return_counts=True)[1]",
    "isnan": "return np.isnan(x).any(), np.isfinite(x).all(), np.isinf(v).sum()",
    "allclose": "return np.allclose(x, x + 1e-12), np.isclose(v, v).all()",
    "random": "np.random.seed(0); return x @ np.random.randn(3), np.random.rand(2)",
    "default_rng": "rng = np.random.default_rng(3); return x @ rng.normal(size=3) + rng.random()",
    "python random": "random.seed(1); return c * random.random()",
    "shuffle": "np.random.seed(0); i = np.random.permutation(len(x)); return x[i]",
    "scalars": "s = v[0]; t = s; t += 1; return s, t, s ** 2, -s, abs(s), s / 3, 2 ** s, s // 1, s % 2",
    "scalar methods": "s = v.sum(); return s.item(), s.sum(), s.mean(), s.astype(float)",
    "accumulate in a loop": "t = 0\nfor a in v: t += a * a\nreturn t",
    "builtin sum": "return sum(v), max(v), min(v), sum(a * b for a, b in zip(v, v)), abs(x)",
    "while": "e = c\nwhile e > 1e-3: e = e / 2\nreturn e",
    "condition": "return np.exp(c) if c < 0 else 1 / (1 + np.exp(-c))",
    "isinstance float": "return v[0] * 2 if isinstance(v[0], float) else None",
    "isinstance float64": "return isinstance(v[0], np.float64), isinstance(v, np.ndarray), isinstance(v[0], ndarray)",
    "isscalar": "return np.isscalar(v[0]), np.ndim(c), np.shape(x)",
    "astype": "return x.astype(np.float64), (x > 0).astype(float) * v[0], v.astype(int)",
    "np.float64": "return np.float64(c) * 2, np.float64(3)",
    "asarray": "return np.asarray(x) * 2, np.array(x, dtype=float, copy=True), np.atleast_2d(v)",
    "linspace": "return np.linspace(0, 1, 5) * c, np.arange(0.0, 1.0, 0.25) + c",
    "eye": "return x.T @ x + 1e-3 * np.eye(3), np.diag(v), np.identity(2) * c",
    "full": "return np.full((2, 2), c), np.full_like(v, 2.0), np.ones_like(x)",
    "diagonal": "return np.diag(x.T @ x), np.trace(x.T @ x), np.diagonal(x)",
    "fill_diagonal": "z = x.T @ x; np.fill_diagonal(z, 0); return z",
    "moments": "return x.mean(), x.var(), np.std(x, axis=0, ddof=1), np.average(v, weights=v)",
    "cov": "return np.cov(x.T), np.corrcoef(x, rowvar=False)",
    "median": "return np.median(v), np.percentile(v, 75), np.quantile(x, 0.1, axis=0)",
    "nan reductions": "return np.nansum(v), np.nanmean(x, axis=0), np.nanmax(v), np.nan_to_num(x)",
    "logaddexp": "return np.logaddexp(0, x), np.logaddexp.reduce(v), np.hypot(v, c)",
    "maximum.accumulate": "return np.maximum.accumulate(v), np.add.reduce(v), np.maximum.reduce(x, axis=1)",
    "special functions": "return np.log1p(v), np.expm1(x), np.tanh(x), np.arctan(x), np.log2(v), np.cbrt(v)",
    "trigonometry": "return np.sin(x), np.cos(x), np.arctan2(x, 1.0), np.radians(v), np.sinh(x), np.arcsin(np.tanh(x))",
    "rounding": "return np.floor(x), np.ceil(x), np.trunc(x), np.rint(x), np.sign(x), np.fmod(v, 0.3), v % 0.3",
    "add.at": "z = np.zeros(2); np.add.at(z, y, x[:, 0]); return z",
    "bincount mean": "return np.array([x[y == k].mean(axis=0) for k in np.unique(y)])",
    "one-hot": "t = np.zeros((6, 2)); t[np.arange(6), y] = 1; return -(t * np.log(np.clip(t, 0.1, 1))).sum() * c",
    "diff": "return np.diff(v), np.gradient(v), np.cross(x[0], x[1])",
    "trapezoid": "return ((v[1:] + v[:-1]) / 2).sum()",
    "tensordot": "return np.tensordot(x, x, axes=([0], [0])), np.kron(v, v), np.inner(v, v), np.vdot(v, v)",
    "reshape": "return x.reshape(-1), x.ravel(), x.T.flatten(), x.reshape(3, 6), np.transpose(x), x.swapaxes(0, 1)",
    "pad and roll": "return np.pad(v, 1), np.roll(v, 1), np.flip(v), np.triu(x.T @ x), np.split(x, 2)[0]",
    "moveaxis": "return np.expand_dims(v, 0), np.squeeze(x[None]), np.moveaxis(x, 0, 1), np.meshgrid(v, v)[0]",
    "ptp": "return (x - x.min()) / np.ptp(x), (v - v.min()) / (v.max() - v.min())",
    "prod": "return np.prod(v), v.prod(), np.exp(np.log(v).sum())",
    "vectorize": "f = np.vectorize(lambda a: a * 2 if a > 0 else 0.0); return f(x)",
    "map and lambda": "return np.array(list(map(lambda a: np.exp(-a), v)))",
    "enumerate rows": "t = 0.0\nfor i, row in enumerate(x):\n    t = t + row @ row * v[i % 4]\nreturn t",
    "tolist": "return [a * 2 for a in v.tolist()]",
    "item": "return v[0].item() * 2, x.sum().item()",
    "dictionary key": "d = {v[0]: 1}; return d[v[0]]",
    "errstate": "with np.errstate(all='ignore'): return np.log(v)",
    "constants": "return np.exp(-0.5 * x ** 2) / np.sqrt(2 * np.pi), np.log(2 * np.pi) * v",
    "comparison of sums": "return np.sum(x[:, 0] > c) / len(x), (y == (x[:, 0] > 0)).mean()",
    "searchsorted": "return np.searchsorted(np.sort(v), c), np.digitize(v, [0.5, 1.0])",
    "interp": "return np.interp(0.5, [0.0, 1.0], v[:2])",
    "polyval": "return np.polyval(v, c)",
    "take_along_axis": "return np.take_along_axis(x, np.argsort(x, axis=1), axis=1), np.take(v, [0, 2])",
    "delete and insert": "return np.delete(v, 1), np.append(v, c), np.insert(v, 0, 1.0)",
    "power with arrays": "return v ** v, np.power(v, 3), v ** 0.5, v ** -1, np.square(x), 1 / v",
    "copyto": "z = np.zeros(4); np.copyto(z, v); return z",
    "matmul of stacks": "return np.matmul(np.stack([x, x]), np.stack([x.T, x.T])), x @ v[:3], v[:3] @ x.T",
}


def inputs() -> dict[str, Any]:
    generator = np.random.default_rng(0)
    return {
        "x": generator.normal(size=(6, 3)),
        "v": generator.uniform(0.2, 2.0, size=4),
        "y": np.array([0, 1, 1, 0, 1, 0]),
        "c": 0.7,
    }


def module_of(body: str) -> Any:
    module = types.ModuleType("idiom")
    lines = "\n".join("    " + line for line in body.split("\n"))
    exec(f"{PRELUDE}\ndef f(x, v, y, c):\n{lines}\n", vars(module))
    return module


def run(body: str, arithmetic: Arithmetic) -> list[Any]:
    module = module_of(body)
    np.random.seed(0)  # noqa: NPY002
    given = arithmetic.lift(inputs())
    with arithmetic.patched([module]):
        result = arithmetic.lower(module.f(**given))
    if isinstance(arithmetic, Exact):
        return [np.asarray(true_array(leaf)[0]) for _, leaf in leaves.leaves(result)]
    return [np.asarray(leaf, dtype=float) for _, leaf in leaves.leaves(result)]


def check(name: str, arithmetic: Arithmetic, tolerance: float) -> None:
    expected, found = run(IDIOMS[name], Arithmetic(FLOAT64)), run(IDIOMS[name], arithmetic)
    assert len(found) == len(expected)
    for got, want in zip(found, expected, strict=True):
        assert got.shape == want.shape
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


@pytest.mark.skipif(not available(), reason="needs python-flint or mpmath")
@pytest.mark.parametrize("name", IDIOMS)
def test_exact_arithmetic_agrees_with_float64(name: str) -> None:
    check(name, Exact(128), 1e-11)


@pytest.mark.skipif(not available(), reason="needs python-flint or mpmath")
@pytest.mark.parametrize("name", sorted(IDIOMS.keys() - {"random", "shuffle", "python random", "default_rng"}))
def test_nothing_falls_out_of_exact_arithmetic(name: str) -> None:
    arithmetic = Exact(128)
    run(IDIOMS[name], arithmetic)
    assert arithmetic.account.rounded == 0
    assert arithmetic.account.unsupported == []


@pytest.mark.parametrize("name", IDIOMS)
def test_rounding_to_float64_changes_nothing(name: str) -> None:
    check(name, Rounded(FLOAT64), 1e-12)


@pytest.mark.parametrize("name", IDIOMS)
def test_rounding_to_float32_agrees_to_its_digits(name: str) -> None:
    if name not in ("math rounding", "rounding", "f-strings"):
        check(name, Rounded(FLOAT32), 2e-4)
