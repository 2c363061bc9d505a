"""A `while error > tol` loop takes nan for convergence.

Every comparison with nan is false. When the error becomes nan the loop ends at
once, its result looks converged, and nothing is reported: the first nan of a
diverging iteration is returned as the answer.

Cure
----
Write the test so that nan goes on, `while not error <= tol`, with a limit of
iterations; or check after the loop: `if not np.isfinite(error): raise`.

When it is fine
---------------
The loop or its caller checks for nan, or raises floating-point errors
(`np.errstate(invalid="raise")`).

References
----------
IEEE 754-2019, section 5.11: comparisons with nan are unordered.
"""

import ast
from collections.abc import Iterator

from numlint.finding import Confidence
from numlint.function import Function
from numlint.graph.stopping import StopTest, counting, counts, difference_of, size_of, stop_tests
from numlint.rule import Example, Hazard

name = "nan-blind-convergence"
code = "NL504"
triggers = ("while",)
signature = "premature-stop"

BAD = [
    Example(
        """
        import numpy as np

        def descend(slope, x, rate, tol=1e-8, limit=10_000):
            error, steps = np.inf, 0
            while error > tol and steps < limit:
                g = slope(x)
                x = x - rate * g
                error = np.linalg.norm(g)
                steps += 1
            return x
        """,
        call="descend(lambda x: 2 * x**3, np.array([3.0]), 0.5)",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def descend(slope, x, rate, tol=1e-8, limit=10_000):
            error, steps = np.inf, 0
            while error > tol and steps < limit:
                g = slope(x)
                x = x - rate * g
                error = np.linalg.norm(g)
                steps += 1
            if not np.isfinite(error):
                raise ArithmeticError("the descent diverged")
            return x
        """,
        call="descend(lambda x: 2 * x, np.array([3.0]), 0.1)",
        note="nan is looked for after the loop",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def descend(slope, x, rate, tol=1e-8, limit=10_000):
            for _ in range(limit):
                g = slope(x)
                x = x - rate * g
                if np.linalg.norm(g) <= tol:
                    return x
            raise ArithmeticError("the descent has not converged")
        """,
        call="descend(lambda x: 2 * x, np.array([3.0]), 0.1)",
        note="nan never passes the test: the loop runs to its limit and reports",
    ),
]


def check(function: Function) -> Iterator[Hazard]:
    if any(True for _ in function.sites("isnan", "isfinite", "isinf")):
        return
    for test in stop_tests(function.body.sites, function.loops):
        if not (test.continues and isinstance(test.loop.node, ast.While)) or not _measures(function, test):
            continue
        yield Hazard(
            test.site,
            "nan ends this loop as if it had converged: every comparison with nan is false",
            confidence=Confidence.LIKELY,
            threshold="from the first nan on; in float32 a diverging iteration gets there at 3.4e38",
            rewrite=function.advice(
                "`while not error <= tol` with a limit of iterations, or check np.isfinite after the loop"
            ),
        )


def _measures(function: Function, test: StopTest) -> bool:
    """Whether the quantity is the size of something that the loop computes anew."""
    carried = function.body.analysis.carried
    inner = test.quantity.core
    if counts(inner, carried) or counting(inner) or function.range(inner).integer:
        return False
    if inner.op != "carried":
        return inner.op in ("norm", "abs", "max") and difference_of(inner, carried) is not None
    end = carried[inner.id][1].core if inner.id in carried else inner
    parts = end.args if end.op in ("join", "phi") else (end,)
    return any(
        part.core.op in ("norm", "abs", "sqrt")
        or (part.core.op in ("max", "sum", "mean") and size_of(part) is not part.core)
        for part in parts
    )
