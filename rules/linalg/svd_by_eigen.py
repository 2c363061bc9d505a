"""Singular values from the eigenvalues of A.T @ A: those below 1.5e-8 of the largest are rounding error.

Forming ``A.T @ A`` rounds at eps times the largest eigenvalue, sigma_max squared. A singular value smaller than
sqrt(eps) * sigma_max, 1.5e-8 in float64 and 3e-4 in float32, is lost in it: 1e-8 comes out as
1.06e-8, 1e-10 as 4e-9 or as the root of a negative number, nan.

Cure
----
`numpy.linalg.svd(A)`, whose singular values have an error of eps * sigma_max; for principal components
`svd` of the centred data.

When it is fine
---------------
Only the leading components are wanted, or something that bounds the condition number is added.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, ch. 20.
G. W. Stewart, Matrix Algorithms, vol. II, SIAM 2001, sec. 3.3.
"""

from collections.abc import Iterator

from numlint.finding import Confidence
from numlint.function import Function
from numlint.graph.matrices import gram
from numlint.rule import Example, Hazard

name = "svd-by-eigen"
code = "NL407"
triggers = ("eig", "eigh", "eigvals", "eigvalsh", "svd")
signature = "cancellation"

BAD = [
    Example(
        """
        import numpy as np

        def singular_values(A):
            return np.sqrt(np.linalg.eigvalsh(A.T @ A))[::-1]
        """,
        call="singular_values(np.diag([1.0, 1e-7]) @ np.array([[0.6, 0.8], [-0.8, 0.6]]))[-1]",
    ),
    Example(
        """
        import numpy as np

        def components(X):
            C = X - X.mean(axis=0)
            values, vectors = np.linalg.eigh(C.T.dot(C) / len(C))
            return vectors / np.sqrt(values)
        """,
        call="components(np.vander(np.linspace(1.0, 2.0, 40), 12)[:, :-1])",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def singular_values(A):
            return np.linalg.svd(A, compute_uv=False)
        """,
        call="singular_values(np.diag([1.0, 1e-7]) @ np.array([[0.6, 0.8], [-0.8, 0.6]]))[-1]",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def spectrum(A, mass=1.0):
            return np.sqrt(np.linalg.eigvalsh(A.T @ A + mass * np.eye(A.shape[1])))
        """,
        call="spectrum(np.ones((3, 2)))",
        note="the mass bounds the eigenvalues away from zero",
    ),
]


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("eig", "eigh", "eigvals", "eigvalsh", "svd"):
        matrix = gram(site.value.args[0])
        if matrix is None or matrix.added or matrix.weighted:
            continue
        yield Hazard(
            site,
            "singular values of X from X.T @ X: the smaller ones are lost in its rounding",
            Confidence.POSSIBLE,
            threshold="below 1.5e-8 of the largest in float64, 3e-4 in float32",
            explains=(site.value,),
            rewrite=function.advice("svd of X itself: its squared singular values are the eigenvalues"),
        )
