"""How hard a problem is: condition numbers, curvature, and the largest stable learning rate.

The Hessian is never formed by hand. Its product with a vector v is a central difference of
the gradient in float64, (g(w + h v) - g(w - h v)) / 2h with h = eps^(1/3) max(1, |w|) / |v|,
whose error is of order eps^(2/3) (Nocedal and Wright, Numerical Optimization, 2006, section 8.1;
for networks Pearlmutter, Neural Computation 6, 1994). Where the gradient belongs to torch, the
product is exact, by differentiating twice. Up to `EXACT` parameters all columns are computed
and the eigenvalues are those of the symmetric part; beyond, the Lanczos process with full
reorthogonalisation gives the ends of the spectrum (Golub and Van Loan, Matrix Computations,
2013, section 10.1), and the condition number found is a lower bound of the true one.

Gradient descent on a quadratic with largest eigenvalue L converges for learning rates below 2 / L
(Nesterov, Introductory Lectures on Convex Optimization, 2004, section 2.1.5); on other losses it
can settle where L is 2 / lr (Cohen et al., Gradient Descent on Neural Networks Typically Occurs
at the Edge of Stability, ICLR 2021).
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .precision import Parameters

EXACT = 48
STEPS = 20
FLAT = 1e-9
"""Eigenvalues below so much of the largest are errors of the differences, not curvature."""

Product = Callable[[Any], Any]


@dataclass(frozen=True)
class Spectrum:
    """Ends of the spectrum of a Hessian; `condition` is inf where it has a flat or a downward direction."""

    largest: float
    smallest: float

    @property
    def condition(self) -> float:
        if not math.isfinite(self.largest) or self.largest <= 0:
            return math.nan
        return self.largest / self.smallest if self.smallest > FLAT * self.largest else math.inf


def design(X: Any) -> float:
    """Condition number of a design in the 2-norm; inf where its columns are dependent in its format."""
    wide = np.asarray(X, dtype=np.float64)
    if not np.isfinite(wide).all() or not wide.size:
        return math.nan
    singular = np.linalg.svd(wide, compute_uv=False)
    return float(singular[0] / singular[-1]) if singular[-1] > 0 else math.inf


def with_intercept(X: Any) -> Any:
    """A design with a constant column, which is appended if there is none."""
    wide = np.asarray(X, dtype=np.float64)
    if (wide == wide[:1]).all(axis=0).any():
        return wide
    return np.hstack([wide, np.ones((len(wide), 1))])


def spectrum(product: Product, size: int) -> Spectrum:
    """Ends of the spectrum of a symmetric operator of this size."""
    if size <= EXACT:
        H = np.stack([product(column) for column in np.eye(size)])
        values = _eigenvalues(0.5 * (H + H.T))
    else:
        values = lanczos(product, size)
    return Spectrum(float(values[-1]), float(values[0])) if len(values) else Spectrum(math.nan, math.nan)


def _eigenvalues(H: Any) -> Any:
    return np.linalg.eigvalsh(H) if np.isfinite(H).all() else np.empty(0)


def lanczos(product: Product, size: int, steps: int = STEPS) -> Any:
    """Ritz values of a symmetric operator, ascending; those at the ends are close to eigenvalues."""
    q = np.random.default_rng(0).standard_normal(size)
    basis = [q / np.linalg.norm(q)]
    diagonal: list[float] = []
    beside: list[float] = []
    for _ in range(min(steps, size)):
        v = product(basis[-1])
        if not np.isfinite(v).all():
            return np.empty(0)
        diagonal.append(float(basis[-1] @ v))
        for _ in range(2):  # twice is enough (Parlett, The Symmetric Eigenvalue Problem, 1998, section 6.9)
            for q in basis:
                v = v - (q @ v) * q
        rest = float(np.linalg.norm(v))
        if rest <= 1e-10 * max(map(abs, diagonal)):
            break
        beside.append(rest)
        basis.append(v / rest)
    n = len(diagonal)
    return _eigenvalues(np.diag(diagonal) + np.diag(beside[: n - 1], 1) + np.diag(beside[: n - 1], -1))


def by_differences(gradient: Callable[[Mapping[str, Any]], Parameters], at: Mapping[str, Any]) -> tuple[Product, int]:
    """Product with the Hessian, from a gradient in float64 at parameters given by name; and its size."""
    wide = {name: np.asarray(item, dtype=np.float64) for name, item in at.items()}
    flat = np.concatenate([item.ravel() for item in wide.values()])

    def evaluated(point: Any) -> Any:
        named, start = {}, 0
        for name, item in wide.items():
            named[name] = point[start : start + item.size].reshape(item.shape)
            start += item.size
        found = gradient(named)
        return np.concatenate([np.asarray(found[name], dtype=np.float64).ravel() for name in wide])

    def product(v: Any) -> Any:
        length = float(np.linalg.norm(v))
        if length == 0:
            return np.zeros_like(flat)
        h = np.finfo(np.float64).eps ** (1 / 3) * max(1.0, float(np.linalg.norm(flat))) / length
        return (evaluated(flat + h * v) - evaluated(flat - h * v)) / (2 * h)

    return product, flat.size


def by_torch(closure: Callable[[], Any], model: Any) -> tuple[Product, int]:
    """Product with the Hessian of the loss that `closure` returns, by differentiating twice; and its size."""
    torch = importlib.import_module("torch")
    parameters = [p for p in model.parameters() if p.requires_grad]
    gradients = torch.autograd.grad(closure(), parameters, create_graph=True)

    def product(v: Any) -> Any:
        parts, start = [], 0
        for p in parameters:
            part = torch.from_numpy(np.ascontiguousarray(v[start : start + p.numel()]))
            parts.append(part.to(p.dtype).reshape(p.shape))
            start += p.numel()
        along = sum((g * part).sum() for g, part in zip(gradients, parts))
        found = torch.autograd.grad(along, parameters, retain_graph=True, allow_unused=True)
        flat = [torch.zeros_like(p) if item is None else item for p, item in zip(parameters, found)]
        return np.concatenate([item.detach().double().reshape(-1).numpy() for item in flat])

    return product, sum(p.numel() for p in parameters)


def hessian(state: Mapping[str, Any], parameters: Mapping[str, Any]) -> Spectrum:
    """Ends of the spectrum of the Hessian in a state; nan where the state has no means to compute it.

    Parameters
    ----------
    state : mapping
        With an ``objective`` that has a `gradient`, or a ``closure`` and a ``model`` of torch, or a
        linear model's ``design``.
    parameters : mapping
        The values by name.
    """
    unknown = Spectrum(math.nan, math.nan)
    if not all(np.isfinite(item).all() for item in parameters.values()):
        return unknown
    with np.errstate(all="ignore"):
        if "design" in state:
            X = np.asarray(state["design"], dtype=np.float64)
            if not np.isfinite(X).all():
                return unknown
            values = np.linalg.svd(X, compute_uv=False) ** 2 / len(X) + float(state.get("l2", 0.0))
            return Spectrum(float(values[0]), float(values[-1]) if len(values) == X.shape[1] else 0.0)
        if "objective" in state and parameters:
            return spectrum(*by_differences(state["objective"].gradient, parameters))
        if "closure" in state and "model" in state:
            return spectrum(*by_torch(state["closure"], state["model"]))
    return unknown
