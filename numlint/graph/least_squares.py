"""Least squares in disguise: products and solutions that are ``inv(X.T @ X) @ X.T @ y``, however they get there.

The Gram matrix may be inverted, factorised or decomposed, weighted and scaled; the
right-hand side may be multiplied in any order. What is recognised is the mathematics:
a Gram matrix is solved for something that begins with the same design.
"""

from __future__ import annotations

from typing import NamedTuple

from numlint.graph.matrices import PRODUCTS, Factor, Gram, chain, gram, holds, is_diagonal, plain, unscaled
from numlint.graph.terms import product, terms
from numlint.graph.value import Value

SOLVERS = ("solve", "lstsq", "cho_solve", "tri_solve")


class System(NamedTuple):
    """A least-squares problem that is solved through its Gram matrix.

    Attributes
    ----------
    gram : Gram
    rest : tuple of Factor
        What the transposed design is multiplied with: the observations.
    parts : tuple of Value
        Values on the way to the solution: they are the same mistake.
    whole : bool
        Whether the value is the solution itself, unscaled, and nothing else.
    sandwich : bool
        Whether the inverse stands on both sides: a covariance of the solution.
    """

    gram: Gram
    rest: tuple[Factor, ...]
    parts: tuple[Value, ...]
    whole: bool
    sandwich: bool = False


def disguised(value: Value) -> System | None:
    """Read a product or a solution as that of a least-squares problem."""
    return _product(value) if value.op in PRODUCTS else _solution(value)


def _product(value: Value) -> System | None:
    """Read a product as ``inv(X.T @ X) @ X.T @ y``."""
    factors = chain(value)
    for index, factor in enumerate(factors):
        matrix = gram(factor.value.args[0]) if factor.value.op in ("inv", "pinv") else None
        start = index + 1
        if matrix is None and (decomposed := _decomposed(factor)) is not None:
            matrix = gram(decomposed.args[0])
            while start < len(factors) and decomposed in factors[start].value.args:
                start += 1
        if matrix is None:
            continue
        parts = (factor.value, *_partial(value, factor.value))
        sandwich = sum(other.value is factor.value for other in factors) > 1
        rest = factors[start + 1 :]
        if start < len(factors) and holds(factors[start], matrix.design) and _weighted_alike(matrix, rest):
            bare = factor.value.args[0].core is matrix.matrix
            whole = index == 0 and start == 1 and bare and _is(factors[start], matrix)
            return System(matrix, rest, parts, whole, sandwich)
        if index and holds(factors[index - 1], matrix.design) and _weighted_alike(matrix, factors[: index - 1][::-1]):
            return System(matrix, (), parts, False, sandwich)
    return None


def _weighted_alike(matrix: Gram, rest: tuple[Factor, ...]) -> bool:
    """Whether the right-hand side has the weights of the matrix: ``X.T @ W @ y`` to ``X.T @ W @ X``.

    Elementwise and diagonal weights may be missing there, as in Newton steps. A matrix
    in the middle that is missing there is no weight: ``C @ V @ C.T`` is a covariance.
    """
    middle = [factor.value for factor in chain(matrix.matrix)[1:-1]]
    if all(is_diagonal(value) for value in middle):
        return True
    if rest and rest[0].value is middle[0]:
        return True
    return bool(rest) and any(chain(term.value)[0].value is middle[0] for term in terms(rest[0].value))


def _is(factor: Factor, matrix: Gram) -> bool:
    """Whether a factor is the transposed design itself."""
    return factor.value is matrix.design and factor.transposed != matrix.transposed


def _decomposed(factor: Factor) -> Value | None:
    """Singular value decomposition whose singular values a factor divides by."""
    inner = list(factor.value.walk(60))
    if not any(value.op in ("inv", "pinv", "div") for value in inner):
        return None
    return next((value.args[0] for value in inner if value.op == "index" and value.args[0].op == "svd"), None)


def _partial(value: Value, inverse: Value) -> list[Value]:
    """Products within a product that hold the inverse: they are the same mistake."""
    found = []
    for inner in value.walk(60):
        if inner is not value and inner.op in PRODUCTS and any(factor.value is inverse for factor in chain(inner)):
            found.append(inner)
    return found


def _solution(value: Value) -> System | None:
    """Read a solution as ``solve(X.T @ X, X.T @ y)``, through a factorisation or not."""
    if len(value.args) < 2:
        return None
    source, inner = plain(value.args[0])[0], value.args[1]
    parts: list[Value] = []
    if source.op in ("tuple", "list") and source.args:
        source = plain(source.args[0])[0]
    if value.op == "tri_solve" and plain(inner)[0].op == "tri_solve":
        parts.append(plain(inner)[0])
        inner = plain(inner)[0].args[1]
    if value.op in ("cho_solve", "tri_solve"):
        if source.op not in ("cholesky", "cho_factor"):
            return None
        parts.append(source)
        source = source.args[0]
    matrix = gram(source)
    if matrix is None:
        return None
    right = terms(inner)
    for term in right:
        factors = chain(unscaled(term.value))
        if holds(factors[0], matrix.design) and _weighted_alike(matrix, factors[1:]):
            alone = len(right) == 1 and value.op != "tri_solve" and _scale(source) == _scale(inner)
            return System(matrix, factors[1:], tuple(parts), whole=alone and _is(factors[0], matrix))
    return None


def _scale(value: Value) -> tuple[object, ...]:
    """What a product of matrices is multiplied and divided by."""
    coefficient, above, below = product(value)
    return coefficient, {factor for factor in above if factor.op not in PRODUCTS}, set(below)
