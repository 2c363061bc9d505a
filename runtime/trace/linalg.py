"""Linear algebra in the wider type, which LAPACK does not know.

Plain elimination and Householder reflections on longdouble arrays: the matrices of a
failing input are small. What is not here (eigenvalues, singular values) has no shadow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def eliminated(matrix: Any, right: Any) -> tuple[Any, Any, Any]:
    """Gauss-Jordan elimination with partial pivoting: the pivots, the sign of the exchanges, and the solution.

    Raises
    ------
    numpy.linalg.LinAlgError
        The matrix is singular.
    """
    work = np.concatenate([matrix, right], axis=1).astype(np.longdouble)
    size = len(matrix)
    sign = 1
    pivots = []
    for column in range(size):
        row = column + int(np.argmax(np.abs(work[column:, column])))
        if work[row, column] == 0:
            raise np.linalg.LinAlgError("Singular matrix")
        if row != column:
            work[[column, row]] = work[[row, column]]
            sign = -sign
        pivots.append(work[column, column])
        work[column] = work[column] / work[column, column]
        others = np.arange(size) != column
        work[others] -= np.outer(work[others, column], work[column])
    return np.array(pivots), sign, work[:, size:]


def _stacked(function: Callable[..., Any], matrix: Any, *rest: Any) -> Any:
    """A function of one matrix, on a stack of them."""
    array = np.asarray(matrix)
    if array.ndim == 2:
        return function(array, *rest)
    parts = [function(item) for item in array.reshape(-1, *array.shape[-2:])]
    return np.array(parts).reshape(array.shape[:-2] + np.shape(parts[0]))


def inv(matrix: Any) -> Any:
    return _stacked(lambda item: eliminated(item, np.eye(len(item)))[2], matrix)


def solve(matrix: Any, right: Any) -> Any:
    if np.ndim(matrix) != 2 or np.ndim(right) > 2:
        raise NotImplementedError("a stack of systems")
    columns = np.asarray(right).reshape(len(right), -1)
    return eliminated(matrix, columns)[2].reshape(np.shape(right))


def det(matrix: Any) -> Any:
    def one(item: Any) -> Any:
        try:
            pivots, sign, _ = eliminated(item, np.empty((len(item), 0)))
        except np.linalg.LinAlgError:
            return np.longdouble(0)
        return sign * np.prod(pivots)

    return _stacked(one, matrix)


def slogdet(matrix: Any) -> tuple[Any, Any]:
    if np.ndim(matrix) != 2:
        raise NotImplementedError("a stack of matrices")
    pivots, sign, _ = eliminated(matrix, np.empty((len(matrix), 0)))
    return sign * np.prod(np.sign(pivots)), np.sum(np.log(np.abs(pivots)))


def cholesky(matrix: Any, **_: Any) -> Any:
    def one(item: Any) -> Any:
        factor = np.zeros(item.shape, np.longdouble)
        for column in range(len(item)):
            rest = item[column:, column] - factor[column:, :column] @ factor[column, :column]
            if not rest[0] > 0:
                raise np.linalg.LinAlgError("not positive definite")
            factor[column:, column] = rest / np.sqrt(rest[0])
        return factor

    return _stacked(one, matrix)


def reduced(matrix: Any, right: Any) -> tuple[Any, Any]:
    """Householder reflections: the triangle R, and what they make of the right side."""
    triangle, side = np.array(matrix, np.longdouble), np.array(right, np.longdouble)
    for column in range(triangle.shape[1]):
        vector = triangle[column:, column].copy()
        vector[0] += np.copysign(np.sqrt(vector @ vector), vector[0])
        length = vector @ vector
        if length == 0:
            raise np.linalg.LinAlgError("rank deficient")
        triangle[column:] -= np.outer(2 * vector / length, vector @ triangle[column:])
        side[column:] -= np.outer(2 * vector / length, vector @ side[column:])
    return triangle[: triangle.shape[1]], side[: triangle.shape[1]]


def least_squares(matrix: Any, right: Any) -> Any:
    """The solution of full column rank.

    Raises
    ------
    numpy.linalg.LinAlgError
        The columns are dependent to within rounding: the true solution is not unique.
    """
    if np.ndim(matrix) != 2 or len(matrix) < matrix.shape[1]:
        raise np.linalg.LinAlgError("more columns than rows")
    triangle, side = reduced(matrix, np.asarray(right).reshape(len(right), -1))
    diagonal = np.abs(np.diag(triangle))
    if diagonal.size and diagonal.min() < 16 * np.finfo(np.longdouble).eps * diagonal.max():
        raise np.linalg.LinAlgError("rank deficient")
    return solve(np.triu(triangle), side).reshape(matrix.shape[1:] + np.shape(right)[1:])


def lstsq(matrix: Any, right: Any, *_: Any, **__: Any) -> tuple[Any, ...]:
    return least_squares(matrix, right), None, None, None


def pinv(matrix: Any, *_: Any, **__: Any) -> Any:
    if np.shape(matrix)[-1] > np.shape(matrix)[-2]:
        return least_squares(matrix.T, np.eye(matrix.shape[1])).T
    return least_squares(matrix, np.eye(len(matrix)))


TRUE_FUNCTIONS: dict[str, Callable[..., Any]] = {
    f"linalg.{function.__name__}": function for function in (inv, solve, det, slogdet, cholesky, lstsq, pinv)
}
TRUE_UFUNCS: dict[Any, Callable[..., Any]] = {}
