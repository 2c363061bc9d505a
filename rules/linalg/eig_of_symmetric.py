"""eig of a symmetric matrix: its eigenvectors need not be orthogonal, and its eigenvalues can come out complex.

The general solver does not know that the matrix is symmetric. For ``eye(4) + ones((4, 4))``, which has a triple
eigenvalue, the eigenvectors of `numpy.linalg.eig` have inner products of up to 0.17; rounding that differs
between the two triangles gives complex eigenvalues; the order is arbitrary, and the work several times that of `eigh`.

Cure
----
`numpy.linalg.eigh` or `eigvalsh`: real, orthogonal, in ascending order.

When it is fine
---------------
The matrix is not symmetric.

References
----------
G. H. Golub, C. F. Van Loan, Matrix Computations, 4th ed., Johns Hopkins 2013, ch. 8.
"""

from collections.abc import Iterator

from numlint.finding import Confidence, Rewrite, Safety, Severity
from numlint.function import Function
from numlint.graph.matrices import is_diagonal, is_small, is_symmetric
from numlint.graph.site import Site
from numlint.rule import Example, Hazard

name = "eig-of-symmetric"
code = "NL406"
triggers = ("eig", "eigvals")
signature = "backward-error"
severity = Severity.NOTE

BAD = [
    Example(
        """
        import numpy as np

        def axes(X):
            values, vectors = np.linalg.eig(np.cov(X, rowvar=False))
            return vectors[:, np.argsort(-values)]
        """,
        call="(V := axes(np.eye(5))).T @ V",
        fixed="""
        import numpy as np

        def axes(X):
            values, vectors = np.linalg.eigh(np.cov(X, rowvar=False))
            return vectors[:, np.argsort(-values)]
        """,
    ),
    Example(
        """
        import numpy as np

        def spectrum(A):
            S = 0.5 * (A + A.T)
            return np.linalg.eigvals(S)
        """,
        note="right to rounding, but unordered, and complex from some matrices: nothing that an error would show",
        fixed="""
        import numpy as np

        def spectrum(A):
            S = 0.5 * (A + A.T)
            return np.linalg.eigvalsh(S)
        """,
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def axes(X):
            return np.linalg.eigh(np.cov(X, rowvar=False))[1]
        """,
        call="(V := axes(np.eye(5))).T @ V",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def stationary(P):
            values, vectors = np.linalg.eig(P.T)
            return np.real(vectors[:, np.argmax(np.real(values))])
        """,
        call="stationary(np.array([[0.9, 0.1], [0.5, 0.5]]))",
        note="a transition matrix is not symmetric",
    ),
]


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("eig", "eigvals"):
        matrix = site.value.args[0]
        if len(site.value.args) > 1 or not is_symmetric(matrix) or is_diagonal(matrix) or is_small(matrix):
            continue
        yield Hazard(
            site,
            f"{site.value.op} of a symmetric matrix: eigenvectors that are not orthogonal, complex rounding noise",
            Confidence.POSSIBLE,
            threshold="inner products of eigenvectors of eye(4) + ones((4, 4)): up to 0.17, with eigh 1e-16",
            origin=(matrix.core,),
            rewrite=_rewrite(function, site),
        )


def _rewrite(function: Function, site: Site) -> Rewrite:
    matrix = function.spell(site.value.args[0], site)
    home = {"torch": "torch", "jax": "jax.numpy", "tensorflow": "tensorflow"}.get(site.framework, "numpy")
    solver = f"{home}.linalg.{'eigh' if site.value.op == 'eig' else 'eigvalsh'}"
    if matrix is None:
        return function.advice(solver)
    return function.rewrite(
        site.node,
        f"{solver}({matrix})",
        "the symmetric solver",
        safety=Safety.UNSAFE,
        reason="the eigenvalues come in ascending order, and real",
    )
