"""Linear algebra on exact arrays.

Elimination, Cholesky, Householder and Jacobi's rotations, over numbers whose precision
grows until the result is certain: the plain textbook methods are right here. Whether a
pivot is zero is a comparison, `Undecided` until the precision suffices; at the last
precision a pivot that cannot be told from zero is one, and the matrix is singular.

Vectors of eigh, svd and qr are unique up to a sign: they take that of numpy's own result.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .arrays import ExactArray, exact, objects, unsupported
from .numbers import active

Array = Any
LinAlgError = np.linalg.LinAlgError


def _stacked(function: Callable[..., Any]) -> Callable[..., Any]:
    """Apply a function of one matrix to each matrix of a stack."""

    @functools.wraps(function)
    def run(a: Any, *args: Any, **kwargs: Any) -> Any:
        a = exact(a)
        if a.ndim < 2:
            raise LinAlgError(f"{a.ndim}-dimensional array given. Array must be at least two-dimensional")
        if a.ndim == 2:
            return function(a, *args, **kwargs)
        results = [run(item, *args, **kwargs) for item in a]
        if isinstance(results[0], tuple):
            return tuple(np.stack(items) for items in zip(*results))
        return np.stack(results)

    return run


def _square(a: Any) -> int:
    if a.shape[0] != a.shape[1]:
        raise LinAlgError("Last 2 dimensions of the array must be square")
    return int(a.shape[0])


def _is_zero(x: Any) -> bool:
    """Whether a number is exactly zero, not merely as far as the precision tells."""
    field = active()
    return field.sign_or_none(x) == 0 and not field.is_nan(x)


def _row_reduced(a: Array, columns: int) -> tuple[Array, list[int], int]:
    """Reduced row echelon form over the first `columns` columns: the form, the pivot columns, the parity of swaps."""
    field = active()
    a = a.copy()
    pivots: list[int] = []
    parity = 1
    for j in range(columns):
        i = len(pivots)
        if i == a.shape[0]:
            break
        sizes = [field.log2_size(x) for x in a[i:, j]]
        best = i + int(np.argmax(sizes))
        if not field.is_finite(a[best, j]):
            raise LinAlgError("Array must not contain infs or NaNs")
        if field.sign(a[best, j]) == 0:
            # The largest midpoint is no pivot; a ball with a smaller one may still be certain.
            certain = [k for k in range(i, a.shape[0]) if field.sign(a[k, j]) != 0]
            if not certain:
                a[i:, j] = field.zero
                continue
            best = certain[0]
        if best != i:
            a[[i, best]] = a[[best, i]]
            parity = -parity
        pivots.append(j)
        row = a[i] / a[i, j]
        for k in range(a.shape[0]):
            if k != i:
                a[k] = a[k] - a[k, j] * row
        a[i] = row
    return a, pivots, parity


def _eliminated(a: Array) -> tuple[Array, int]:
    """Pivots of Gaussian elimination of a square matrix, and the parity of the row exchanges."""
    field = active()
    a = a.copy()
    n, parity = len(a), 1
    pivots = np.full(n, field.zero, dtype=object)
    for j in range(n):
        best = j + int(np.argmax([field.log2_size(x) for x in a[j:, j]]))
        if field.sign(a[best, j]) == 0:
            return np.full(n, field.zero, dtype=object), 1
        if best != j:
            a[[j, best]] = a[[best, j]]
            parity = -parity
        pivots[j] = a[j, j]
        # An exact zero changes nothing: a diagonal matrix costs its diagonal.
        rows = [i for i in range(j + 1, n) if not _is_zero(a[i, j])]
        columns = [k for k in range(j + 1, n) if not _is_zero(a[j, k])]
        if rows and columns:
            inner = np.ix_(rows, columns)
            a[inner] = a[inner] - np.multiply.outer(a[rows, j] / a[j, j], a[j, columns])
    return pivots, parity


def _check_finite(a: Array) -> None:
    field = active()
    if not all(field.is_finite(x) for x in a.ravel()):
        raise LinAlgError("Array must not contain infs or NaNs")


def solve(a: Any, b: Any, *_: Any, **__: Any) -> Any:
    """Solution of square systems.

    Raises
    ------
    LinAlgError
        The matrix is singular.
    """
    a, b = exact(a), exact(b)
    if a.ndim > 2:
        vectors = b.ndim == a.ndim - 1
        right = b[..., None] if vectors else b
        right = np.broadcast_to(right, a.shape[:-2] + right.shape[-2:], subok=True)
        solved = np.stack([solve(one, other) for one, other in zip(a, right)])
        return solved[..., 0] if vectors else solved
    n = _square(a)
    right = objects(b).reshape(n, -1)
    field = active()
    _check_finite(objects(a))
    if field.name == "flint":
        from flint import arb_mat

        try:
            solution = arb_mat(objects(a).tolist()).solve(arb_mat(right.tolist()))
            return np.array(solution.tolist(), dtype=object).reshape(b.shape).view(ExactArray)
        except (ZeroDivisionError, ValueError):
            pass  # singular, or not certainly regular: elimination decides
    reduced, pivots, _parity = _row_reduced(np.concatenate([objects(a), right], axis=1), n)
    if len(pivots) < n:
        field.event("singular matrix")
        raise LinAlgError("Singular matrix")
    return reduced[:, n:].reshape(b.shape).view(ExactArray)


@_stacked
def inv(a: Any, *_: Any, **__: Any) -> Any:
    return solve(a, ExactArray.lifted(np.eye(_square(a))))


@_stacked
def det(a: Any, *_: Any, **__: Any) -> Any:
    n = _square(a)
    if n == 0:
        return ExactArray.lifted(1.0)
    pivots, parity = _eliminated(objects(a))
    return np.prod(pivots.view(ExactArray)) * parity


@_stacked
def slogdet(a: Any) -> Any:
    value = det(a)
    return np.sign(value), np.log(np.abs(value))


@_stacked
def cholesky(a: Any, *_: Any, **__: Any) -> Any:
    field = active()
    n = _square(a)
    matrix = objects(a)
    factor = np.full((n, n), field.zero, dtype=object)
    for j in range(n):
        filled = [k for k in range(j) if not _is_zero(factor[j, k])]
        row = factor[j, filled]
        rest = matrix[j, j] - (np.dot(row, row) if filled else field.zero)
        if field.sign(rest) <= 0:
            field.event("matrix not positive definite")
            raise LinAlgError("Matrix is not positive definite")
        factor[j, j] = field.call("sqrt", rest)
        for i in range(j + 1, n):
            inside = np.dot(factor[i, filled], row) if filled else field.zero
            factor[i, j] = (matrix[i, j] - inside) / factor[j, j]
    return factor.view(ExactArray)


@_stacked
def qr(a: Any, mode: str = "reduced", **_: Any) -> Any:
    """By Gram-Schmidt, exact enough here; columns that depend on others are not supported."""
    rows, columns = a.shape
    if mode not in ("reduced", "economic", "r") or rows < columns:
        return unsupported("qr of a wide matrix, or complete")()
    q, r = np.zeros((rows, columns)), np.zeros((columns, columns))
    q, r = ExactArray.lifted(q), ExactArray.lifted(r)
    native = np.linalg.qr(a.nearest())[1]
    for j in range(columns):
        v = a[:, j]
        for i in range(j):
            r[i, j] = np.sum(q[:, i] * a[:, j])
            v = v - r[i, j] * q[:, i]
        length = np.sqrt(np.sum(v * v))
        if bool(length == 0):
            return unsupported("qr of dependent columns")()
        side = -1.0 if native[j, j] < 0 else 1.0
        r[j, j] = length * side
        q[:, j] = v / r[j, j]
    return r if mode == "r" else (q, r)


def _jacobi(a: Array) -> tuple[Array, Array]:
    """Eigenvalues and eigenvectors of a symmetric matrix by cyclic rotations of its midpoints."""
    field = active()
    middle = np.frompyfunc(field.midpoint, 1, 1)
    n = len(a)
    a = middle(a)
    a = (a + a.T) / field.of(2)
    vectors = np.full((n, n), field.zero, dtype=object)
    np.fill_diagonal(vectors, field.one)
    size = max((field.log2_size(x) for x in a.ravel()), default=0.0)
    for _sweep in range(60):
        off = [(p, q) for p in range(n) for q in range(p + 1, n) if field.log2_size(a[p, q]) > size - field.bits + 8]
        if not off:
            break
        for p, q in off:
            if field.log2_size(a[p, q]) <= size - field.bits + 8:
                continue
            theta = field.midpoint((a[q, q] - a[p, p]) / (2 * a[p, q]))
            root = field.analytic("sqrt", theta * theta + 1)
            t = field.midpoint(field.one / (theta + root) if theta >= 0 else field.one / (theta - root))
            c = field.midpoint(field.one / field.analytic("sqrt", t * t + 1))
            s = field.midpoint(t * c)
            for m in (a, a.T, vectors):
                first, second = (m[:, p].copy(), m[:, q].copy()) if m is vectors else (m[p].copy(), m[q].copy())
                one, other = middle(c * first - s * second), middle(s * first + c * second)
                if m is vectors:
                    m[:, p], m[:, q] = one, other
                else:
                    m[p], m[q] = one, other
    return np.diagonal(a).copy(), vectors


def _widened(values: Array, scale: Array) -> Array:
    """Enter the error of an iteration over midpoints, which is far below this bound, in the radii."""
    field = active()
    if not field.certified:
        return values
    size = max((field.log2_size(x) for x in np.ravel(scale)), default=0.0)
    radius = max([size - 3 * field.bits / 4] + [field.log2_radius(x) + 8 for x in np.ravel(scale)])
    if not np.isfinite(radius):
        return values
    from flint import arb

    ball = arb(0, arb(2) ** int(radius))
    return np.frompyfunc(lambda x: x + ball, 1, 1)(values)


@_stacked
def eigh(a: Any, UPLO: Any = "L", **_: Any) -> Any:
    lower = np.tril(objects(a)) if UPLO == "L" else np.triu(objects(a)).T
    lower = objects(lower)
    matrix = lower + lower.T - np.diag(np.diagonal(lower))
    _check_finite(objects(a))
    values, vectors = _jacobi(objects(matrix))
    order = sorted(range(len(values)), key=lambda i: values[i])
    values, vectors = values[order], vectors[:, order]
    native = np.linalg.eigh(exact(a).nearest(), UPLO)[1]
    vectors = _aligned(vectors, native)
    return _widened(values, objects(a)).view(ExactArray), vectors.view(ExactArray)


def _aligned(vectors: Array, native: Array) -> Array:
    """Columns with the signs that numpy gives them."""
    near = ExactArray.nearest(vectors.view(ExactArray))
    signs = np.where(np.sum(near * native[:, : near.shape[1]], axis=0) < 0, -1, 1)
    return vectors * np.array([int(s) for s in signs], dtype=object)


def eigvalsh(a: Any, UPLO: str = "L", **_: Any) -> Any:
    return eigh(a, UPLO)[0]


@_stacked
def _svd(a: Any, full_matrices: bool, vectors: bool) -> Any:
    rows, columns = a.shape
    tall = rows >= columns
    gram = objects(a.T @ a if tall else a @ a.T)
    values, right = _jacobi(gram)
    order = sorted(range(len(values)), key=lambda i: values[i], reverse=True)
    right = right[:, order].view(ExactArray)
    image = a @ right if tall else a.T @ right
    lengths = np.sum(image * image, axis=0)
    squares = _widened(np.frompyfunc(active().midpoint, 1, 1)(objects(lengths)), gram)
    field = active()
    singular = np.frompyfunc(lambda x: field.call("sqrt", x), 1, 1)(squares).view(ExactArray)
    if not vectors:
        return singular
    if full_matrices and rows != columns:
        return unsupported("svd with full matrices of a rectangular matrix")()
    left = objects(image / singular)
    native_v = np.linalg.svd(a.nearest(), full_matrices=False)[2]
    first, second = (left, objects(right)) if tall else (objects(right), left)
    near = ExactArray.nearest(second.view(ExactArray))
    signs = np.array([int(s) for s in np.where(np.sum(near * native_v.T, axis=0) < 0, -1, 1)], dtype=object)
    return (first * signs).view(ExactArray), singular, (second * signs).T.view(ExactArray)


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    return _svd(a, full_matrices, compute_uv)


def svdvals(a: Any) -> Any:
    return _svd(a, False, False)


def _full_rank_factors(a: Array) -> tuple[Array, Array]:
    """``A = C F`` with independent columns and rows."""
    reduced, pivots, _ = _row_reduced(a, a.shape[1])
    return a[:, pivots], reduced[: len(pivots)]


@_stacked
def pinv(a: Any, rcond: Any = None, *_: Any, **__: Any) -> Any:
    """Moore-Penrose inverse, by the factors of full rank."""
    rows, columns = a.shape
    if a.size == 0:
        return a.T
    tall, wide = _full_rank_factors(objects(a))
    if tall.shape[1] == 0:
        return ExactArray.lifted(np.zeros((columns, rows)))
    c, f = tall.view(ExactArray), wide.view(ExactArray)
    return f.T @ solve(f @ f.T, solve(c.T @ c, c.T))


def lstsq(a: Any, b: Any, rcond: Any = None, *_: Any, **__: Any) -> Any:
    """Least squares of minimum norm."""
    a, b = exact(a), exact(b)
    rows, columns = a.shape
    tall, wide = _full_rank_factors(objects(a))
    rank = tall.shape[1]
    if rank == 0:
        x = np.zeros((columns, *b.shape[1:]))
        x = ExactArray.lifted(x)
    else:
        c, f = tall.view(ExactArray), wide.view(ExactArray)
        inner = solve(c.T @ c, c.T @ b)
        x = inner if rank == columns else f.T @ solve(f @ f.T, inner)
    misfit = b - a @ x
    residuals = (
        np.sum(misfit * misfit, axis=0).reshape(-1) if rank == columns < rows else ExactArray.lifted(np.zeros(0))
    )
    return x, residuals, rank, _Later(lambda: svdvals(a))


class _Later:
    """Singular values, which few callers look at."""

    def __init__(self, compute: Callable[[], Any]) -> None:
        self._compute = compute

    def __getattr__(self, name: str) -> Any:
        return getattr(self._compute(), name)

    def __getitem__(self, key: Any) -> Any:
        return self._compute()[key]

    def __len__(self) -> int:
        return len(self._compute())


def matrix_rank(a: Any, *_: Any, **__: Any) -> Any:
    a = exact(a)
    if a.ndim < 2:
        return int(not bool(np.all(a == 0)))
    if a.ndim > 2:
        return np.array([matrix_rank(item) for item in a])
    return len(_row_reduced(objects(a), a.shape[1])[1])


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Vector and matrix norms, all orders of numpy."""
    x = exact(x)
    if axis is None:
        shape = (1,) * x.ndim
        if ord is None or (ord in ("f", "fro") and x.ndim == 2):
            result = np.sqrt(np.sum(x * x))
        elif x.ndim == 1:
            result = _vector_norm(x, ord, 0)
        else:
            result = _matrix_norm(x, ord)
        return result.reshape(shape) if keepdims else result
    if isinstance(axis, (tuple, list)) and len(axis) == 2:
        moved = np.moveaxis(x, axis, (-2, -1))
        if ord in (None, "f", "fro"):
            return np.sqrt(np.sum(x * x, axis=tuple(axis), keepdims=keepdims))
        result = np.stack([_matrix_norm(item, ord) for item in moved.reshape((-1, *moved.shape[-2:]))])
        result = result.reshape(moved.shape[:-2])
        return np.expand_dims(result, tuple(axis)) if keepdims else result
    along = axis[0] if isinstance(axis, (tuple, list)) else axis
    result = _vector_norm(x, ord, along)
    return np.expand_dims(result, along) if keepdims else result


def _vector_norm(x: Any, ord: Any, axis: int) -> Any:
    size = np.abs(x)
    if ord in (None, 2):
        return np.sqrt(np.sum(x * x, axis=axis))
    if ord == np.inf:
        return np.max(size, axis=axis)
    if ord == -np.inf:
        return np.min(size, axis=axis)
    if ord == 0:
        return np.sum(size != 0, axis=axis)
    if ord == 1:
        return np.sum(size, axis=axis)
    return np.sum(size**ord, axis=axis) ** (1 / exact(float(ord)))


def _matrix_norm(x: Any, ord: Any) -> Any:
    if ord in (1, -1):
        sums = np.sum(np.abs(x), axis=0)
        return np.max(sums) if ord == 1 else np.min(sums)
    if ord in (np.inf, -np.inf):
        sums = np.sum(np.abs(x), axis=1)
        return np.max(sums) if ord == np.inf else np.min(sums)
    singular = svdvals(x)
    if ord == "nuc":
        return np.sum(singular)
    if ord in (2, -2):
        return np.max(singular) if ord == 2 else np.min(singular)
    raise ValueError("Invalid norm order for matrices.")


def cond(x: Any, p: Any = None) -> Any:
    x = exact(x)
    if p in (None, 2, -2):
        singular = svdvals(x)
        return singular[..., 0] / singular[..., -1] if p != -2 else singular[..., -1] / singular[..., 0]
    return norm(x, p) * norm(inv(x), p)


@_stacked
def matrix_power(a: Any, n: int, *_: Any) -> Any:
    base = inv(a) if n < 0 else a
    result = ExactArray.lifted(np.eye(_square(a)))
    for bit in bin(abs(int(n)))[2:]:
        result = result @ result
        result = result @ base if bit == "1" else result
    return result


def multi_dot(arrays: Any, *_: Any, **__: Any) -> Any:
    return functools.reduce(np.dot, [exact(item) for item in arrays])


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "solve": solve,
    "inv": inv,
    "det": det,
    "slogdet": slogdet,
    "cholesky": cholesky,
    "qr": qr,
    "eigh": eigh,
    "eigvalsh": eigvalsh,
    "svd": svd,
    "svdvals": svdvals,
    "pinv": pinv,
    "lstsq": lstsq,
    "matrix_rank": matrix_rank,
    "norm": norm,
    "vector_norm": lambda x, axis=None, ord=2, keepdims=False: norm(
        x if axis is not None else np.ravel(x), ord, axis, keepdims
    ),
    "matrix_norm": lambda x, ord="fro", keepdims=False: norm(x, ord, (-2, -1), keepdims),
    "cond": cond,
    "matrix_power": matrix_power,
    "multi_dot": multi_dot,
    "trace": lambda x, offset=0, **_: np.trace(x, offset, -2, -1),
    "diagonal": lambda x, offset=0: np.diagonal(x, offset, -2, -1),
    "outer": np.multiply.outer,
    "matmul": np.matmul,
}
