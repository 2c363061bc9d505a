"""log(det(A)) is infinite or nan as soon as the determinant underflows or overflows.

A determinant is a product of as many numbers as the matrix has rows: that of ``0.1 * eye(n)``
underflows to 0 from n = 324 in float64 and from 46 in float32, with standard deviations of 1e-3 a covariance
of 54 features does. The logarithm of 0 is -inf, that of an overflow inf, although the
logarithm of the true determinant is a harmless -745.

Cure
----
`numpy.linalg.slogdet(A)[1]`, `torch.linalg.slogdet(A).logabsdet` or `torch.logdet(A)`; for a covariance
twice the sum of the logarithms of the diagonal of its Cholesky factor.

When it is fine
---------------
Matrices of a few rows with entries of order one.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, sec. 14.6.
"""

from collections.abc import Iterator

from numlint.finding import Rewrite, Safety, Severity
from numlint.function import Function
from numlint.graph.matrices import is_small, is_symmetric, powers
from numlint.graph.site import Site
from numlint.graph.terms import terms
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "log-of-det"
code = "NL404"
triggers = ("det", "matrix_determinant")
signature = "underflow"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import numpy as np

        def log_volume(A):
            return np.log(np.linalg.det(A))
        """,
        call="log_volume(1e-4 * np.eye(100))",
        fixed="""
        import numpy as np

        def log_volume(A):
            return np.linalg.slogdet(A)[1]
        """,
    ),
    Example(
        """
        import numpy as np
        from scipy import linalg

        def entropy(cov):
            d = linalg.det(cov)
            return 0.5 * np.log(np.abs(d))
        """,
        call="entropy(1e-6 * np.eye(60))",
        fixed="""
        import numpy as np
        from scipy import linalg

        def entropy(cov):
            return 0.5 * np.linalg.slogdet(cov)[1]
        """,
    ),
    Example(
        """
        import math
        import numpy as np

        def normaliser(cov):
            return math.log((2 * math.pi) ** len(cov) * np.linalg.det(cov))
        """,
        call="normaliser(1e-6 * np.eye(60))",
    ),
    Example(
        """
        import torch

        def log_volume(A):
            return A.det().log()
        """,
        call="log_volume(0.1 * torch.eye(60))",
        fixed="""
        import torch

        def log_volume(A):
            return torch.logdet(A)
        """,
        requires="torch",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def log_volume(A):
            return np.linalg.slogdet(A)[1]
        """,
        call="log_volume(1e-4 * np.eye(100))",
    ),
    Example(
        """
        import numpy as np

        def log_volume(cov):
            return 2.0 * np.log(np.diag(np.linalg.cholesky(cov))).sum()
        """,
        call="log_volume(1e-4 * np.eye(100))",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def log_area(a, b, c, d):
            return np.log(np.abs(np.linalg.det(np.array([[a, b], [c, d]]))))
        """,
        call="log_area(1.0, 2.0, 3.0, 5.0)",
        note="two rows",
    ),
]


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("log", "log2", "log10"):
        parts = [part.value for part in terms(site.value.args[0])]
        for det, _ in (pair for part in parts for pair in powers(part)):
            if det.op != "det" or is_small(det.args[0]):
                continue
            guarded = len(parts) > 1
            yield Hazard(
                site,
                "logarithm of a determinant: it underflows or overflows with the number of rows"
                + (", and what is added to it then takes its place" if guarded else ""),
                threshold="det(0.1 * eye(n)) is 0 from n = 324 in float64, 46 in float32",
                origin=(det,),
                explains=(site.value, det, *_between(site.value.args[0], det)),
                rewrite=_rewrite(function, site, det),
            )
            break


def _between(value: Value, det: Value) -> list[Value]:
    """Values on the way from the determinant to the logarithm."""
    return [inner for inner in value.walk(80) if det in inner.walk(80)]


def _rewrite(function: Function, site: Site, det: Value) -> Rewrite:
    argument = site.value.args[0].core
    library = "tensorflow.linalg.slogdet" if site.framework == "tensorflow" else f"{_home(site)}.linalg.slogdet"
    matrix = function.spell(det.args[0], site)
    absolute = argument.op == "abs" and argument.args[0].core is det
    if matrix is None or site.value.op != "log" or not (argument is det or absolute):
        return function.advice(f"the sum of the logarithms, with {library}(A)[1] for that of the determinant")
    if site.framework == "torch" and not absolute:
        text, safety = f"torch.logdet({matrix})", Safety.SAFE
    else:
        text = f"{library}({matrix})[1]"
        safety = Safety.SAFE if absolute or is_symmetric(det.args[0]) else Safety.UNSAFE
    return function.rewrite(
        site.node,
        text,
        "the logarithm of the determinant, summed over the pivots",
        safety=safety,
        reason="" if safety is Safety.SAFE else "a negative determinant gave nan, and now the logarithm of its size",
        extra=function.unneeded(site.node, text),
    )


def _home(site: Site) -> str:
    return {"torch": "torch", "jax": "jax.numpy"}.get(site.framework, "numpy")
