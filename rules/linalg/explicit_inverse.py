"""Multiplying with an explicit inverse: the answer does not satisfy the equations that it solves.

The error of `inv(A) @ b` itself hardly differs from that of `solve(A, b)`: an explicit
inverse can be as accurate as a solver. What differs is the residual, the backward error:
relative to norm(A) * norm(x) it is 4.9e-16 at condition 1e2, 1.3e-10 at 1e8 and 6.7e-7 at
1e12, against 1e-16 for `solve` at every condition (float64, 20 x 20). Quadratic forms and
covariances built from such an answer lose symmetry and definiteness, and the inverse costs three
times as much.

Cure
----
`numpy.linalg.solve(A, b)`, `torch.linalg.solve`; for several right-hand sides
`scipy.linalg.lu_factor` once and `lu_solve` each time; for a covariance
`scipy.linalg.cho_factor` and `cho_solve`. `b @ inv(A)` is `solve(A.T, b.T).T`. When ``A`` is
``X.T @ X`` none of these cures: see normal-equations.

When it is fine
---------------
The inverse itself is the result (a precision matrix, the diagonal for standard errors), the
matrix is diagonal or orthogonal, or so small that the code says its size: a camera, a pose.

References
----------
A. Druinsky, S. Toledo, How accurate is inv(A)*b?, arXiv:1201.6035.
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, sec. 14.1.
"""

import ast
from collections.abc import Iterator

from numlint.finding import Confidence, Rewrite, Safety
from numlint.function import Function
from numlint.graph.matrices import PRODUCTS, chain, is_simple_to_invert, is_small, is_symmetric, plain
from numlint.graph.site import Site
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "explicit-inverse"
code = "NL401"
triggers = (
    *("inv", "pinv", "inverse", "pinverse", "matrix_inverse"),
    *("@", "dot", "matmul", "mm", "mv", "bmm", "einsum", "multi_dot"),
)
signature = "backward-error"

BAD = [
    Example(
        """
        import numpy as np

        def weights(A, b):
            return np.linalg.inv(A) @ b
        """,
        call="(A := np.vander(np.linspace(1.0, 2.0, 12))) @ weights(A, np.ones(12))",
        fixed="""
        import numpy as np

        def weights(A, b):
            return np.linalg.solve(A, b)
        """,
        note="the residual is 2.5e-4, that of solve 2.2e-16",
    ),
    Example(
        """
        import numpy as np
        from numpy.linalg import inv

        def gain(P, H, R):
            S_inv = inv(H.dot(P).dot(H.T) + R)
            return P.dot(H.T).dot(S_inv)
        """,
        call="gain(np.eye(12), H := np.vander(np.linspace(1.0, 2.0, 12)), R := 1e-9 * np.eye(12)) @ (H @ H.T + R)",
        fixed="""
        import numpy as np
        from numpy.linalg import inv

        def gain(P, H, R):
            return np.linalg.solve((H.dot(P).dot(H.T) + R).T, P.dot(H.T).T).T
        """,
    ),
    Example(
        """
        import numpy as np

        def distances(X, mean, cov):
            precision = np.linalg.inv(cov)
            d = X - mean
            return np.einsum("ij,jk,ik->i", d, precision, d), np.sum(d @ precision * d, axis=1)
        """,
        call="distances(np.ones((3, 12)), 0.0, np.vander(np.linspace(1.0, 2.0, 12)))",
    ),
    Example(
        """
        import torch

        def step(hessian, gradient):
            return -hessian.inverse().mv(gradient)
        """,
        call="(A := torch.vander(torch.linspace(1.0, 2.0, 6))) @ step(A, torch.ones(6))",
        fixed="""
        import torch

        def step(hessian, gradient):
            return -torch.linalg.solve(hessian, gradient)
        """,
        requires="torch",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def weights(A, b):
            return np.linalg.solve(A, b)
        """,
        call="(A := np.vander(np.linspace(1.0, 2.0, 12))) @ weights(A, np.ones(12))",
        note="the residual is 2.2e-16",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def precision(cov):
            return np.linalg.inv(cov)
        """,
        call="precision(np.diag([1.0, 2.0]))",
        note="the inverse is the result",
    ),
    Example(
        """
        import numpy as np

        def standard_errors(hessian):
            return np.sqrt(np.diag(np.linalg.inv(hessian)))
        """,
        call="standard_errors(np.diag([1.0, 2.0]))",
        note="the diagonal of the inverse is the result",
    ),
    Example(
        """
        import numpy as np

        def direction(f, c, pixel):
            return np.linalg.inv(np.array([[f, 0.0, c], [0.0, f, c], [0.0, 0.0, 1.0]])) @ pixel
        """,
        call="direction(500.0, 320.0, np.ones(3))",
        note="a camera matrix",
    ),
]

SOLVE = {"torch": "torch.linalg.solve", "jax": "jax.numpy.linalg.solve", "tensorflow": "tensorflow.linalg.solve"}
_ENTRYWISE = frozenset("mul div add sub neg phi join store tuple list dict appended where maximum minimum".split())
_CHECKS = frozenset("isnan isfinite isinf all any len shape eq ne is isnot".split())


def check(function: Function) -> Iterator[Hazard]:
    products: dict[Value, list[Site]] = {}
    for site in function.sites(*PRODUCTS):
        for factor in _direct(site.value):
            if factor.op in ("inv", "pinv", "phi", "join") and _inverted(factor) is not None:
                products.setdefault(factor, []).append(site)
    for inverse, sites in products.items():
        matrix = _inverted(inverse)
        origin = next((site for site in function.sites("inv", "pinv") if site.value is inverse), None)
        if matrix is None or is_small(matrix) or is_simple_to_invert(matrix):
            continue
        several = len(sites) > 1 and origin is not None
        yield Hazard(
            origin if several and origin is not None else sites[0],
            "explicit inverse multiplied"
            + (f" {len(sites)} times" if several else "")
            + ": its backward error grows with the condition number, that of a solver does not",
            confidence=_confidence(function, inverse, sites),
            threshold="relative residual in float64 at condition 1e8: 6.8e-11, with solve 5e-17",
            origin=() if several else (inverse,),
            rewrite=_rewrite(function, inverse, matrix, sites, origin),
        )


def _direct(product: Value) -> list[Value]:
    """Operands of a product, without layout."""
    operands = product.args[0].args if product.op == "multi_dot" and product.args else product.args
    return [plain(operand)[0] for operand in operands]


def _inverted(value: Value) -> Value | None:
    """Matrix whose inverse a value is; of a value that is one of several inverses, the first one's."""
    if value.op in ("phi", "join"):
        found = [_inverted(plain(branch)[0]) for branch in value.args[value.op == "phi" :]]
        return found[0] if found and None not in found else None
    return value.args[0] if value.op in ("inv", "pinv") else None


def _confidence(function: Function, inverse: Value, sites: list[Site]) -> Confidence:
    if inverse.op != "inv" or _is_result(function, inverse):
        return Confidence.POSSIBLE  # a pseudo-inverse with a sane cutoff; an inverse that is needed anyway
    if all(site.value.op == "einsum" for site in sites) or any(_is_sandwich(site.value, inverse) for site in sites):
        return Confidence.POSSIBLE
    return Confidence.LIKELY


def _is_result(function: Function, inverse: Value) -> bool:
    """Whether the entries of the inverse are used themselves: returned, stored, passed on, or read."""
    results = {result.value.core.id for result in function.body.returns}
    results |= {value.core.id for key, value in function.body.env.items() if "." in key}
    stack, seen = [inverse], {inverse.id}
    while stack:
        current = stack.pop()
        if current.id in results:
            return True
        for consumer in function.uses.of(current):
            if consumer.op in PRODUCTS or consumer.op in _CHECKS or consumer.id in seen:
                continue
            if consumer.op not in _ENTRYWISE:
                return True
            seen.add(consumer.id)
            stack.append(consumer)
    return False


def _is_sandwich(product: Value, inverse: Value) -> bool:
    """Whether the inverse stands on both sides, as in the robust covariance ``inv(H) @ V @ inv(H)``."""
    return sum(factor.value is inverse for factor in chain(product)) > 1


def _rewrite(function: Function, inverse: Value, matrix: Value, sites: list[Site], origin: Site | None) -> Rewrite:
    site = sites[0]
    library = SOLVE.get(site.framework, "numpy.linalg.solve")
    once = origin is None or function.repeaters(origin.node) == function.repeaters(site.node)
    if len(sites) > 1 or not once:
        return function.advice(
            "factor once and solve for each product: scipy.linalg.lu_factor, or cho_factor for a covariance"
        )
    if inverse.op == "pinv":
        return function.advice("lstsq(A, b) solves the least-squares problem without forming the pseudo-inverse")
    advice = function.advice(f"{library}, in place of the product with the inverse")
    if inverse.op != "inv" or site.value.op != "matmul":
        return advice
    left, right = site.value.args
    if plain(left)[0] is inverse:
        system = _system(function, matrix, site, transposed=plain(left)[1])
        other = function.spell(right, site)
        if system is None or other is None:
            return advice
        text = f"{library}({system}, {other})"
        return function.rewrite(site.node, text, "solve the system instead", extra=function.unneeded(site.node, text))
    outer = next((item for item in function.sites("matmul") if item.value.args[0] is site.value), None)
    if outer is not None:
        system = _system(function, matrix, outer, transposed=plain(right)[1])
        before, after = function.operand(left, outer), function.spell(outer.value.args[1], outer)
        if system is None or before is None or after is None:
            return advice
        solution = f"{library}({system}, {after})"
        call = isinstance(outer.node, ast.Call)
        text = f"{before}.dot({solution})" if call else f"{before} @ {solution}"
        extra = function.unneeded(outer.node, text)
        return function.rewrite(outer.node, text, "solve the system on the right instead", extra=extra)
    system = _system(function, matrix, site, transposed=not plain(right)[1])
    before = function.operand(left, site)
    if system is None or before is None:
        return advice
    text = f"{library}({system}, {before}.T).T"
    return function.rewrite(
        site.node,
        text,
        "solve the transposed system instead",
        safety=Safety.UNSAFE,
        reason="holds for vectors and matrices; a stack of matrices needs its last two axes swapped",
        extra=function.unneeded(site.node, text),
    )


def _system(function: Function, matrix: Value, site: Site, *, transposed: bool) -> str | None:
    """Spell the matrix of the system, or its transpose."""
    if not transposed or is_symmetric(matrix):
        return function.spell(matrix, site)
    text = function.operand(matrix, site)
    return None if text is None else text[:-2] if text.endswith(".T") else f"{text}.T"
