"""Least squares through X.T @ X: the condition number is squared.

The condition number of ``X.T @ X`` is that of ``X``, squared: half of the digits are gone
before the system is solved. At condition 1e8 of the design (1e4 in float32) none is left,
while a QR factorisation still gives 5e-10. How the system is solved makes no difference:
`solve` and a Cholesky factorisation of ``X.T @ X`` have the same error as `inv`. On a design
with dependent columns, such as one-hot groups with all levels kept, the result is rounding
error amplified, and another one on another processor.

Cure
----
`numpy.linalg.lstsq(X, y, rcond=None)[0]`, or a QR factorisation of ``X``. With weights,
`lstsq` of ``sqrt(w)[:, None] * X`` and ``sqrt(w) * y``. With a ridge ``lam``, `lstsq` of ``X``
stacked on ``sqrt(lam) * eye(n)``. The covariance ``inv(X.T @ X)`` is ``inv(R) @ inv(R).T`` with
the factor ``R`` of a QR factorisation. `solve` in place of `inv`, and Cholesky, are no cures.

When it is fine
---------------
A ridge is added that is large beside the rounding error of ``X.T @ X``, the columns are
orthonormal, or the system has one unknown.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, sec. 20.4.
A. Bjorck, Numerical Methods for Least Squares Problems, SIAM 1996, ch. 2.
"""

import ast
from collections.abc import Iterator

from numlint.finding import Confidence, Rewrite, Safety
from numlint.function import Function
from numlint.graph.least_squares import SOLVERS, System, disguised
from numlint.graph.matrices import PRODUCTS, Factor, chain, gram, is_diagonal
from numlint.graph.site import Site
from numlint.graph.terms import product
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "normal-equations"
code = "NL402"
triggers = (
    *("inv", "pinv", "inverse", "pinverse", "solve", "lstsq", "cholesky", "cho_factor", "cho_solve"),
    *("solve_triangular", "lu_factor", "svd", "matrix_solve", "matrix_inverse"),
)
signature = "ill-conditioned"

BAD = [
    Example(
        """
        import numpy as np

        def fit(X, y):
            return np.linalg.inv(X.T @ X) @ X.T @ y
        """,
        call="fit(np.vander(np.linspace(1.0, 2.0, 40), 12), np.ones(40))",
        fixed="""
        import numpy as np

        def fit(X, y):
            return np.linalg.lstsq(X, y, rcond=None)[0]
        """,
        note="the residual should be 0, it is 3.4; that of lstsq is 2e-13",
    ),
    Example(
        """
        import numpy as np

        def fit(X, y):
            XtX = X.T.dot(X)
            Xty = X.T.dot(y)
            return np.linalg.solve(XtX, Xty)
        """,
        call="fit(np.vander(np.linspace(1.0, 2.0, 40), 12), np.ones(40))",
        fixed="""
        import numpy as np

        def fit(X, y):
            return np.linalg.lstsq(X, y, rcond=None)[0]
        """,
    ),
    Example(
        """
        import numpy as np
        from scipy.linalg import cho_factor, cho_solve

        class Regression:
            def fit(self, X, y):
                factor = cho_factor(np.einsum("ni,nj->ij", X, X))
                self.coef_ = cho_solve(factor, np.einsum("ni,n->i", X, y))
                return self
        """,
        call="Regression().fit(np.vander(np.linspace(1.0, 2.0, 40), 10), np.ones(40)).coef_",
        fixed="""
        import numpy as np
        from scipy.linalg import cho_factor, cho_solve

        class Regression:
            def fit(self, X, y):
                self.coef_ = np.linalg.lstsq(X, y, rcond=None)[0]
                return self
        """,
    ),
    Example(
        """
        import numpy as np

        def reweighted(X, w, z):
            A = (X.T * w) @ X
            return np.linalg.pinv(A) @ (X.T @ (w * z))
        """,
        call="reweighted(np.vander(np.linspace(1.0, 2.0, 40), 12), np.ones(40), np.ones(40))",
    ),
    Example(
        """
        import torch

        def fit(X, y):
            return torch.inverse(X.t().mm(X)).mm(X.t()).mm(y)
        """,
        call="fit(torch.vander(torch.linspace(1.0, 2.0, 40), 6), torch.ones(40, 1))",
        fixed="""
        import torch

        def fit(X, y):
            return torch.linalg.lstsq(X, y).solution
        """,
        requires="torch",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def fit(X, y):
            return np.linalg.lstsq(X, y, rcond=None)[0]
        """,
        call="fit(np.vander(np.linspace(1.0, 2.0, 40), 12), np.ones(40))",
    ),
    Example(
        """
        import numpy as np

        def fit(X, y):
            Q, R = np.linalg.qr(X)
            return np.linalg.solve(R, Q.T @ y)
        """,
        call="fit(np.vander(np.linspace(1.0, 2.0, 40), 12), np.ones(40))",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def ridge(X, y, lam=0.1):
            return np.linalg.solve(X.T @ X + lam * np.eye(X.shape[1]), X.T @ y)
        """,
        call="ridge(np.vander(np.linspace(0.0, 1.0, 40), 12), np.ones(40))",
        note="the ridge bounds the condition number",
    ),
    Example(
        """
        import numpy as np

        def gain(P, H, R):
            return np.linalg.solve(H @ P @ H.T + R, H @ P).T
        """,
        call="gain(np.eye(3), np.ones((2, 3)), np.eye(2))",
        note="an innovation covariance: the noise R regularises it",
    ),
]

LSTSQ = {"torch": "torch.linalg.lstsq({}, {}).solution", "jax": "jax.numpy.linalg.lstsq({}, {})[0]"}
NEGLIGIBLE = 1e-12
"""A ridge below this is lost beside the rounding error of a product of order one."""

THRESHOLD = "no digit is left from condition 1e8 of X in float64, 1e4 in float32"


def check(function: Function) -> Iterator[Hazard]:
    found: list[tuple[Site, System]] = []
    for site in function.sites(*PRODUCTS, *SOLVERS):
        system = disguised(site.value)
        if system is None:
            continue
        inner = [pair for pair in found if pair[0].value in system.parts]
        if all(_contains(site.node, pair[0].node) for pair in inner):
            found = [pair for pair in found if pair not in inner]
            found.append((site, system))
    done: set[Value] = set()
    for site, system in found:
        done.update(system.parts)
        strength = _strength(system)
        if strength is not None:
            yield _hazard(function, site, system, strength)
    for site in function.sites("inv", "pinv", "cholesky", "cho_factor", "lu_factor"):
        matrix = gram(site.value.args[0])
        if matrix is None or matrix.added or site.value in done or _multiplied(function, site.value):
            continue
        message = (
            "factorises or inverts X.T @ X, whose condition number is that of X squared: use a QR factorisation of X"
        )
        yield Hazard(site, message, Confidence.POSSIBLE, threshold=THRESHOLD, explains=(matrix.matrix,))


def _contains(outer: ast.AST, inner: ast.AST) -> bool:
    return any(node is inner for node in ast.walk(outer))


def _hazard(function: Function, site: Site, system: System, confidence: Confidence) -> Hazard:
    weighted = "X.T @ W @ X" if system.gram.weighted else "X.T @ X"
    return Hazard(
        site,
        f"normal equations: the condition number of {weighted} is that of X squared, whether by inv, solve or Cholesky",
        confidence,
        threshold=THRESHOLD,
        origin=(system.gram.matrix,),
        explains=(site.value, *system.parts),
        rewrite=_rewrite(function, site, system),
    )


def _strength(system: System) -> Confidence | None:
    """How sure it is that nothing regularises the matrix; None when something does."""
    dense = not all(is_diagonal(factor.value) for factor in chain(system.gram.matrix)[1:-1])
    strength = Confidence.POSSIBLE if system.sandwich or dense else Confidence.LIKELY
    for value in system.gram.added:
        coefficient, above, _ = product(value)
        scales = [factor for factor in above if factor.op not in ("eye", "diag")]
        if scales and all(factor.op == "param" and factor.attr("default") == 0 for factor in scales):
            strength = Confidence.POSSIBLE
        elif scales or abs(coefficient) >= NEGLIGIBLE:
            return None
    return strength


def _multiplied(function: Function, value: Value) -> bool:
    """Whether a value enters a product or a solver: then it is judged there."""
    return any(consumer.op in (*PRODUCTS, "cho_solve", "tri_solve") for consumer in function.uses.of(value))


def _rewrite(function: Function, site: Site, system: System) -> Rewrite:
    advice = "lstsq of X itself, or a QR factorisation: solve and Cholesky of X.T @ X have the error of inv"
    if system.gram.weighted:
        return function.advice(
            "lstsq of sqrt(w)[:, None] * X and sqrt(w) * y: solve and Cholesky have the error of inv"
        )
    matrix, torch = system.gram, site.framework == "torch"
    design = function.spell(matrix.design, site)
    target = _spelled(function, site, system.rest)
    bare = system.whole and not matrix.added and not matrix.transposed
    if design is None or target is None or not bare or site.framework == "tensorflow":
        return function.advice(advice)
    if not target:
        if site.framework not in ("numpy", ""):
            return function.advice(advice)
        summary, reason = "the pseudo-inverse from the SVD of X", "it is the same where the columns are independent"
        return function.rewrite(site.node, f"scipy.linalg.pinv({design})", summary, safety=Safety.UNSAFE, reason=reason)
    text = LSTSQ.get(site.framework, "numpy.linalg.lstsq({}, {}, rcond=None)[0]").format(design, target)
    if site.value.op == "lstsq":
        text = text.removesuffix("[0]").removesuffix(".solution")
        reason = "the residuals and singular values that it returns besides are those of X"
        return function.rewrite(site.node, text, "least squares from X itself", safety=Safety.UNSAFE, reason=reason)
    return function.rewrite(
        site.node,
        text,
        "least squares from X itself",
        safety=Safety.UNSAFE if torch else Safety.SAFE,
        reason="it takes independent columns; on the CPU driver='gelsd' does not" if torch else "",
        extra=function.unneeded(site.node, text),
    )


def _spelled(function: Function, site: Site, factors: tuple[Factor, ...]) -> str | None:
    """Spell a product of factors."""
    texts = []
    for factor in factors:
        alone = len(factors) == 1 and not factor.flipped
        text = function.spell(factor.operand, site) if alone else function.operand(factor.operand, site)
        if text is None:
            return None
        texts.append(f"{text}.T" if factor.flipped else text)
    return " @ ".join(texts)
