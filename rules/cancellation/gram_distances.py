"""Squared distances as |x|**2 + |y|**2 - 2 x.y lose their digits, and can be negative.

The three terms have the size of the squared norms, the result that of the squared
distance. For points at offset m and distance d the relative error is eps*(m/d)**2: in
float64 0.4 % at m/d = 1e6 and 40 % at 1e7, in float32 3 % at 1e2 and 200 % at 1e3. On the
diagonal the result is a rounding error of either sign, and its root 0 or nan.

Cure
----
Take differences first: `scipy.spatial.distance.cdist`, `((x[:, None] - y) ** 2).sum(-1)`;
in torch `torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")`. Where the matrix
product is needed for speed, subtract the mean of the points first and clip at 0.

When it is fine
---------------
The points have unit length, or are centred and the result is clipped at 0.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, sec. 1.7.
scikit-learn, `sklearn.metrics.pairwise.euclidean_distances`, notes.
"""

from collections.abc import Iterator

from numlint.facts.provenance import is_normalised
from numlint.finding import Confidence, Severity
from numlint.function import Function
from numlint.graph.matrices import chain
from numlint.graph.moments import is_centred
from numlint.graph.site import Site
from numlint.graph.terms import factors, terms
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "gram-distances"
code = "NL303"
triggers = ("dot", "matmul", "mm", "@", "inner", "einsum", "bmm", "cdist", "addmm", "addmm_")
signature = "cancellation"
severity = Severity.WARNING

BAD = [
    Example(
        """
        import numpy as np

        def distances(X):
            square = np.sum(X ** 2, axis=1)
            return np.sqrt(square[:, None] + square[None, :] - 2 * X @ X.T)
        """,
        call="distances(1e6 + np.array([[0.1, 0.2], [0.3, 0.4], [0.7, 0.1]]))",
    ),
    Example(
        """
        import numpy as np

        def kernel(X, Y, width):
            xx = np.einsum("ij,ij->i", X, X)
            yy = np.einsum("ij,ij->i", Y, Y)
            d2 = -2 * np.dot(X, Y.T)
            d2 += xx[:, np.newaxis]
            d2 += yy
            return np.log(d2) / width
        """,
        call="kernel(1e8 + np.array([[0.1], [0.2]]), 1e8 + np.array([[0.3], [0.4]]), 1.0)",
    ),
    Example(
        """
        import numpy as np

        def pairwise(X):
            sums = np.sum(np.square(X), 1)
            return np.sqrt(np.add(np.add(-2 * np.dot(X, X.T), sums).T, sums))
        """,
        call="pairwise(1e6 + np.array([[0.1, 0.2], [0.3, 0.4], [0.7, 0.1]]))",
    ),
    Example(
        """
        import torch

        def pairwise(x, y):
            xx = (x * x).sum(dim=1).view(-1, 1)
            yy = (y * y).sum(dim=1).view(1, -1)
            return torch.sqrt(xx + yy - 2.0 * torch.mm(x, y.t()))
        """,
        call="pairwise(1000 + torch.linspace(0, 1, 40).reshape(20, 2), 1000 + torch.linspace(0, 1, 40).reshape(20, 2))",
        requires="torch",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def distances(X):
            return np.sqrt(np.sum((X[:, None] - X[None, :]) ** 2, axis=2))
        """,
        call="distances(1e6 + np.array([[0.1, 0.2], [0.3, 0.4], [0.7, 0.1]]))",
        note="differences first",
    ),
    Example(
        """
        import numpy as np

        def distances(X):
            X = X - X.mean(axis=0)
            square = np.sum(X ** 2, axis=1)
            return np.sqrt(np.maximum(square[:, None] + square[None, :] - 2 * X @ X.T, 0))
        """,
        call="distances(1e6 + np.array([[0.1, 0.2], [0.3, 0.4], [0.7, 0.1]]))",
        note="centred, and clipped at 0",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def residual(X, y, w):
            return np.sum(y ** 2) + np.sum(w ** 2) - 2 * np.sum(y)
        """,
        call="residual(np.ones((2, 1)), np.ones(2), np.ones(1))",
        note="no inner product of two points",
    ),
    Example(
        """
        import numpy as np

        def chordal(X):
            U = X / np.linalg.norm(X, axis=1, keepdims=True)
            square = np.sum(U ** 2, axis=1)
            return square[:, None] + square[None, :] - 2 * U @ U.T
        """,
        call="chordal(np.array([[1.0, 2.0], [3.0, -4.0]]))",
        note="unit vectors: the terms are 1",
    ),
]


def check(function: Function) -> Iterator[Hazard]:
    reported: set[int] = set()
    for site in function.sites("sub", "add"):
        cross = _cross_term(site.value)
        if cross is None or cross.id in reported:
            continue
        reported.add(cross.id)
        points = [part for operand in points_of(cross) for part in factors(operand)[1]]
        clipped = _clipped(function, site.value)
        if all(is_normalised(point) for point in points) or (clipped and any(is_centred(point) for point in points)):
            continue
        yield Hazard(
            site,
            "squared distances as xx + yy - 2xy: the terms cancel for points far from the origin"
            + ("" if clipped else ", and what is left can be negative"),
            Confidence.POSSIBLE if clipped else Confidence.LIKELY,
            threshold="relative error 40 % at offset/distance 1e7 in float64, 200 % at 1e3 in float32",
            origin=(cross,),
            rewrite=function.advice(CURE.get(site.framework, "scipy.spatial.distance.cdist(X, Y, 'sqeuclidean')")),
            explains=(site.value, *_roots(function, site)),
        )
    for site in function.sites("cdist"):
        if site.framework == "torch" and site.value.attr("compute_mode") != "donot_use_mm_for_euclid_dist":
            yield Hazard(
                site,
                "torch.cdist multiplies matrices for more than 25 points: small distances between large vectors cancel",
                Confidence.POSSIBLE,
                threshold="float32: 5 % off at offset/distance 100, 120 % at 1000",
                severity=Severity.NOTE,
                rewrite=function.advice('compute_mode="donot_use_mm_for_euclid_dist"'),
            )


CURE = {
    "torch": 'torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist") ** 2',
    "jax": "take differences first: ((x[:, None] - y) ** 2).sum(-1)",
    "tensorflow": "take differences first: tf.reduce_sum((x[:, None] - y) ** 2, -1)",
}


def _cross_term(value: Value) -> Value | None:
    """The inner products in ``xx + yy - 2*x@y``: a term of coefficient -2 beside squared norms of its operands."""
    parts = terms(value)
    if not 2 < len(parts) <= 6:
        return None
    for part in parts:
        others = [other for other in parts if other is not part]
        coefficient, found = factors(part.value)
        if len(found) != 1 or found[0].op not in ("matmul", "einsum") or any(other.sign < 0 for other in others):
            continue
        scaled = [factors(operand) for operand in points_of(found[0])]
        for scale, _ in scaled:
            coefficient *= scale
        operands = {operand.id for _, rest in scaled for operand in rest}
        if coefficient * part.sign == -2 and any(_squared_norm(other.value, operands) for other in others):
            return found[0]
    return None


def points_of(inner: Value) -> list[Value]:
    """Operands of an inner product, without layout."""
    found = [factor.value for factor in chain(inner)]
    return found if len(found) > 1 else [argument.core for argument in inner.args]


def _squared_norm(value: Value, operands: set[int]) -> bool:
    """Whether a value is the squared norm of one of the operands (ids): a sum of squares, a diagonal of products."""
    inner = value.core
    if inner.op == "sum":
        squared = inner.args[0].core
        base = squared.args[0].core if squared.op == "square" else None
        return base is not None and base.id in operands
    if inner.op == "square" and inner.args[0].core.op == "norm":
        return inner.args[0].core.args[0].core.id in operands
    if inner.op == "diag":
        return _squared_norm(inner.args[0], operands)
    if inner.op in ("matmul", "einsum"):
        found = {operand.id for operand in points_of(inner)}
        return len(found) == 1 and found <= operands
    return False


def _clipped(function: Function, value: Value) -> bool:
    """Whether negative results are cut off."""
    consumers = list(function.uses.of(value))
    return bool(consumers) and any(consumer.op in ("maximum", "clip", "relu", "abs") for consumer in consumers)


def _roots(function: Function, site: Site) -> Iterator[Value]:
    yield from (consumer for consumer in function.uses.of(site.value) if consumer.op == "sqrt")
