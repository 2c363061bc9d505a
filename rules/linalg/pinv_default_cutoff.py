"""np.linalg.pinv with its default cutoff keeps null directions: weights of 1e11 on one processor, 2 on another.

`numpy.linalg.pinv` treats singular values below 1e-15 times the largest as zero, whatever the
shape and the dtype (numpy 1.x and 2.x). Rounding error in the computed singular values grows with the
shape, and reaches 16 eps = 3.6e-15 for designs of 31 to 61 one-hot columns: then a null direction
is inverted instead of dropped. Which designs are hit depends on the kernels of the processor. In
float32, whose eps is 1.2e-7, every rank-deficient matrix is hit: entries of 1e6 instead of 0.05.
`matrix_rank` and `cond` show nothing.

Cure
----
For a product, `numpy.linalg.lstsq(X, y, rcond=None)[0]`. For the matrix itself `scipy.linalg.pinv(X)`, or
`numpy.linalg.pinv(X, rtol=None)` (numpy 2), whose cutoff is max(X.shape) times the eps of the dtype. For
float32 data `lstsq` is no cure, since it cuts off as for float64: pass
``rcond=max(X.shape) * np.finfo(X.dtype).eps``.

When it is fine
---------------
A cutoff is given, a ridge is added, or the matrix is known to be small. `scipy.linalg.pinv`,
`torch.linalg.pinv` and `jax.numpy.linalg.pinv` choose a cutoff that fits shape and dtype.

References
----------
G. H. Golub, C. F. Van Loan, Matrix Computations, 4th ed., Johns Hopkins 2013, sec. 5.5.
NumPy Enhancement: array API standard, linalg.pinv, default rtol.
"""

import ast
from collections.abc import Iterator

from numlint.finding import Rewrite, Safety
from numlint.function import Function
from numlint.graph.matrices import PRODUCTS, gram, is_small, plain
from numlint.graph.site import Site
from numlint.graph.terms import terms
from numlint.graph.value import Value
from numlint.graph.vocabulary import canonical_name
from numlint.rule import Example, Hazard

name = "pinv-default-cutoff"
code = "NL403"
triggers = ("pinv",)
signature = "ill-conditioned"

BAD = [
    Example(
        """
        import numpy as np

        def fit(X, y):
            return np.linalg.pinv(X) @ y
        """,
        call="fit(np.outer(np.linspace(0.1, 1.0, 1000), [0.1, 0.2, 0.3]) + 100 - 100, np.linspace(0.0, 1.0, 1000)**2)",
        fixed="""
        import numpy as np

        def fit(X, y):
            return np.linalg.lstsq(X, y, rcond=None)[0]
        """,
        note="the null singular values are what rounding at 100 left, 1e-14: weights of 1e11, with lstsq at most 1.5",
    ),
    Example(
        """
        import numpy as np
        from numpy.linalg import pinv

        def project(X, Y):
            P = pinv(X)
            return X @ P, P.dot(Y)
        """,
        call="project(np.outer(np.linspace(0.1, 1.0, 9), [0.1, 0.2, 0.3]).astype(np.float32), np.ones(9))",
        fixed="""
        import numpy as np
        from numpy.linalg import pinv

        def project(X, Y):
            P = pinv(X, rcond=max(X.shape) * np.finfo(X.dtype).eps)
            return X @ P, P.dot(Y)
        """,
    ),
    Example(
        """
        import numpy as np

        def hat(X):
            return X @ np.linalg.pinv(X)
        """,
        call="hat(np.outer(np.linspace(0.1, 1.0, 9), [0.1, 0.2, 0.3]).astype(np.float32))",
        fixed="""
        import numpy as np
        from scipy.linalg import pinv

        def hat(X):
            return X @ pinv(X)
        """,
    ),
    Example(
        """
        import numpy as np

        def fit(X, y):
            X = np.asarray(X, dtype=np.float32)
            return np.dot(np.linalg.pinv(X), y)
        """,
        call="fit(np.outer(np.linspace(0.1, 1.0, 9), [0.1, 0.2, 0.3]).astype(np.float32), np.linspace(0.0, 1.0, 9)**2)",
        fixed="""
        import numpy as np

        def fit(X, y):
            X = np.asarray(X, dtype=np.float32)
            return np.dot(np.linalg.pinv(X, rcond=max(X.shape) * np.finfo(X.dtype).eps), y)
        """,
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def fit(X, y):
            return np.linalg.lstsq(X, y, rcond=None)[0]
        """,
        call="fit(np.ones((9, 3)), np.linspace(0.0, 1.0, 9)**2)",
    ),
    Example(
        """
        from scipy.linalg import pinv

        def fit(X, y):
            return pinv(X) @ y
        """,
        call="fit(np.ones((9, 3), np.float32), np.linspace(0.0, 1.0, 9)**2)",
        note="scipy's cutoff grows with shape and dtype",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def fit(X, y):
            return np.linalg.pinv(X, rcond=1e-6) @ y
        """,
        call="fit(np.ones((9, 3), np.float32), np.linspace(0.0, 1.0, 9)**2)",
        note="the cutoff is given",
    ),
    Example(
        """
        import numpy as np

        def ridge(X, y, lam=1.0):
            return np.linalg.pinv(X.T @ X + lam * np.eye(X.shape[1])) @ X.T @ y
        """,
        call="ridge(np.ones((9, 3)), np.linspace(0.0, 1.0, 9)**2)",
        note="the ridge leaves no null direction",
    ),
]

SAME_DEFAULT = ("numpy.", "cupy.", "autograd.numpy.")
NARROW = ("float32", "float16", "bfloat16")


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("pinv"):
        dotted = function.body.callee(site.node)
        given = any(
            site.value.attr(key) is not None or (key == "rtol" and key in dict(site.value.attrs))
            for key in ("rcond", "rtol", "hermitian")
        )
        if given or canonical_name(dotted) != "numpy.linalg.pinv" or not dotted.startswith(SAME_DEFAULT):
            continue
        matrix = site.value.args[0]
        if is_small(matrix) or _is_regularised(matrix):
            continue
        products = [
            item for item in function.sites(*PRODUCTS) if site.value in (plain(arg)[0] for arg in item.value.args)
        ]
        yield Hazard(
            site,
            "pinv cuts off at 1e-15 whatever shape and dtype: null directions survive as rounding error, amplified",
            threshold="a null singular value is computed as up to 16 eps = 3.6e-15 in float64, 1e-8 in float32",
            explains=(site.value, *(item.value for item in products)),
            rewrite=_rewrite(function, site, matrix, products),
        )


def _is_regularised(matrix: Value) -> bool:
    """Whether a multiple of the identity is added: no singular value is zero."""
    parts = terms(matrix)
    return len(parts) > 1 and any(
        part.sign > 0 and any(inner.op in ("eye", "diag") for inner in (part.value, *part.value.args)) for part in parts
    )


def _rewrite(function: Function, site: Site, matrix: Value, products: list[Site]) -> Rewrite:
    text = function.spell(matrix, site)
    if text is None:
        return function.advice("scipy.linalg.pinv, whose cutoff fits shape and dtype")
    first = products[0] if products else None
    narrow = function.dtype(matrix) in NARROW
    if not narrow and first is not None and first.value.args[0] is site.value and _alone(function, site, first):
        target = function.spell(first.value.args[1], first) if first.value.op == "matmul" else None
        if target is not None and gram(matrix) is None:
            call = f"numpy.linalg.lstsq({text}, {target}, rcond=None)[0]"
            summary = "lstsq cuts off at max(X.shape) * eps, and needs no pseudo-inverse"
            return function.rewrite(first.node, call, summary, extra=function.unneeded(first.node, call))
    summary = "a cutoff that fits shape and dtype"
    if isinstance(site.node, ast.Call) and text.isidentifier() and (narrow or isinstance(site.node.func, ast.Name)):
        call = f"{function.text(site.node.func)}({text}, rcond=max({text}.shape) * numpy.finfo({text}.dtype).eps)"
        safety = Safety.SAFE if narrow else Safety.UNSAFE
        return function.rewrite(
            site.node, call, summary, safety=safety, reason="" if narrow else "takes one array of floats"
        )
    reason = "takes one matrix; for a stack of them, numpy.linalg.pinv(X, rtol=None) of numpy 2"
    return function.rewrite(site.node, f"scipy.linalg.pinv({text})", summary, safety=Safety.UNSAFE, reason=reason)


def _alone(function: Function, site: Site, product: Site) -> bool:
    """Whether the pseudo-inverse serves one product only, made as often as it is itself."""
    stored = any("." in key and value.core is site.value for key, value in function.body.env.items())
    if stored or site.value in product.value.args[1].walk() or len(list(function.uses.of(site.value))) != 1:
        return False
    return function.repeaters(site.node) == function.repeaters(product.node)
