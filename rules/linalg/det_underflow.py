"""A determinant in a density, or compared with zero: it underflows, and its size says nothing about singularity.

The determinant is a product of as many numbers as there are rows. With standard deviations of
1e-3 that of a covariance underflows to 0 from 54 features on, in float32 from 8, and ``1 / sqrt(det)`` is
a division by zero. As a test for singularity it fails both ways: 0.1 * eye(400) is perfectly
conditioned and its determinant 0, while a matrix of condition 1e16 can have determinant 1.

Cure
----
Logarithms: `numpy.linalg.slogdet`, `scipy.stats.multivariate_normal.logpdf`, or a Cholesky factor of the
covariance. For singularity `numpy.linalg.cond` or `numpy.linalg.matrix_rank`, or to catch the
`LinAlgError` of the solver.

When it is fine
---------------
Matrices of a few rows with entries of order one; the sign of the determinant of an orthogonal
matrix; a determinant that is the result.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, sec. 14.6.
G. H. Golub, C. F. Van Loan, Matrix Computations, 4th ed., Johns Hopkins 2013, sec. 2.6.3.
"""

import ast
from collections.abc import Iterator

from numlint.finding import Severity
from numlint.function import Function
from numlint.graph.matrices import is_small, powers
from numlint.graph.site import Site
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "det-underflow"
code = "NL405"
triggers = ("det", "matrix_determinant")
signature = "underflow"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import numpy as np

        def density(x, mean, cov):
            d = x - mean
            norm = 1.0 / np.sqrt((2 * np.pi) ** len(d) * np.linalg.det(cov))
            return norm * np.exp(-0.5 * d @ np.linalg.solve(cov, d))
        """,
        call="density(np.zeros(60), 0.0, 1e-6 * np.eye(60))",
    ),
    Example(
        """
        import math
        import numpy as np

        def coefficient(cov, dim):
            determinant = np.linalg.det(cov)
            return 1.0 / (math.pow(2.0 * math.pi, dim / 2) * math.sqrt(determinant))
        """,
        call="coefficient(1e-6 * np.eye(60), 60)",
    ),
    Example(
        """
        import numpy as np

        def coefficient(cov):
            return np.linalg.det(2 * np.pi * cov) ** -0.5
        """,
        call="coefficient(1e-8 * np.eye(60))",
    ),
    Example(
        """
        import numpy as np

        def solve(A, b):
            if np.linalg.det(A) == 0:
                raise ValueError("singular")
            return np.linalg.solve(A, b)
        """,
        call="solve(1e-6 * np.eye(60), np.ones(60))",
        signature="underflow",
    ),
    Example(
        """
        import numpy as np

        def solve(A, b):
            if abs(np.linalg.det(A)) < 1e-10:
                return np.linalg.lstsq(A, b, rcond=None)[0]
            return np.linalg.solve(A, b)
        """,
        note="the result is right, by the wrong branch",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def log_density(x, mean, cov):
            d = x - mean
            log_det = np.linalg.slogdet(2 * np.pi * cov)[1]
            return -0.5 * (log_det + d @ np.linalg.solve(cov, d))
        """,
        call="log_density(np.zeros(60), 0.0, 1e-6 * np.eye(60))",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def rotation(U, Vt):
            R = U @ Vt
            return -R if np.linalg.det(R) < 0 else R
        """,
        call="rotation(np.eye(3), np.eye(3))",
        note="the sign of the determinant of an orthogonal matrix",
    ),
    Example(
        """
        import numpy as np

        def solve(a, b, c, d, y):
            A = np.array([[a, b], [c, d]])
            if np.linalg.det(A) == 0:
                return np.zeros(2)
            return np.linalg.solve(A, y)
        """,
        call="solve(1.0, 2.0, 3.0, 4.0, np.ones(2))",
        note="two rows",
    ),
]

THRESHOLD = "det(1e-6 * eye(n)) is 0 from n = 54 in float64, 8 in float32"


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("det"):
        if is_small(site.value.args[0]):
            continue
        if any(_normalises(other.value, site.value) for other in function.sites("div", "sqrt", "pow")):
            message = "a determinant in a normaliser underflows to 0, or overflows, with the number of rows"
            yield Hazard(site, message, threshold=THRESHOLD, rewrite=function.advice(LOGARITHM))
        elif (test := _tested(function, site)) is not None:
            yield Hazard(
                test,
                "a determinant says nothing about singularity: it scales with the n-th power of the entries",
                threshold="det(0.1 * eye(400)) is 0",
                origin=(site.value,),
                signature="ill-conditioned",
                severity=Severity.WARNING,
                rewrite=function.advice("numpy.linalg.cond or matrix_rank, or catch the LinAlgError of the solver"),
            )


LOGARITHM = "add slogdet(A)[1] to the logarithm of the density; scipy.stats.multivariate_normal.logpdf does"


def _normalises(value: Value, det: Value) -> bool:
    """Whether a determinant stands below a fraction bar or under a root."""
    return any(base is det and (exponent < 0 or exponent != round(exponent)) for base, exponent in powers(value))


def _tested(function: Function, det: Site) -> Site | None:
    """Comparison of the determinant, or its absolute value, with zero or a small number."""
    for site in function.sites("eq", "ne", "lt", "le", "isclose"):
        if len(site.value.args) < 2:
            continue
        left, right = (argument.core for argument in site.value.args[:2])
        for one, other in ((left, right), (right, left)):
            bare = one.args[0].core if one.op == "abs" else one
            number = other.number
            if bare is not det.value or number is None:
                continue
            if site.value.op in ("lt", "le") and not 0 < number < 1e-2:
                continue  # `det < 0` asks for an orientation
            if number == 0 or abs(number) < 1e-2:
                return site
    for node, value in function.body.nodes.items():
        parent = function.parent(node)
        if value.core is det.value and isinstance(parent, (ast.If, ast.While, ast.IfExp)) and parent.test is node:
            return det
        if value.core is det.value and isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not):
            return det
    return None
