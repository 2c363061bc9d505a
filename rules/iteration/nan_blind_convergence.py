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
from numlint.graph.convergence import (
    Comparison,
    WayOut,
    change,
    is_counter,
    is_tolerance,
    measures,
    settled,
    shrinks,
    varies,
    ways_out,
)
from numlint.graph.site import Loop
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
    for loop in function.loops:
        if not isinstance(loop.node, ast.While) or loop.condition is None:
            continue
        for way in ways_out(loop):
            # A comparison that goes on while it holds is false for nan: the loop ends.
            blind = [item for item in way.comparisons if not item.holds and way.node is loop.node]
            for comparison in blind:
                site = next((site for site in function.sites("lt", "le") if site.value is comparison.value), None)
                if (
                    site is None
                    or not _measures(function, way, comparison)
                    or _is_asked_again(function, loop, comparison)
                ):
                    continue
                yield Hazard(
                    site,
                    "nan ends this loop as if it had converged: every comparison with nan is false",
                    confidence=Confidence.LIKELY,
                    threshold="from the first nan on; in float32 a diverging iteration gets there at 3.4e38",
                    rewrite=function.advice(
                        "`while not error <= tol` with a limit of iterations, or check np.isfinite after the loop"
                    ),
                )


def _measures(function: Function, way: WayOut, comparison: Comparison) -> bool:
    """Whether the quantity is the size of something that the loop computes anew, and can be nan."""
    loop = way.loop
    quantity = settled(comparison.small, loop)
    if is_counter(quantity, loop) or function.range(quantity).integer or shrinks(quantity, loop):
        return False
    if not is_tolerance(comparison.large, loop) or not varies(quantity, loop):
        return False
    step = change(comparison.small, way)
    return (step is not None and step.kind != "bracket") or measures(quantity)


def _is_asked_again(function: Function, loop: Loop, comparison: Comparison) -> bool:
    """Whether the same test is made after the loop, where nan fails it."""
    bound = comparison.large.core
    end = loop.node.end_lineno or 0
    return any(
        loop not in site.loops
        and getattr(site.node, "lineno", 0) > end
        and bound in (argument.core for argument in site.value.args)
        for site in function.sites("lt", "le")
    )
