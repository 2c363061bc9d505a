"""A loop ends only when a floating-point test is met, and has no limit of iterations.

An iteration that oscillates between two neighbouring numbers, diverges, or becomes
nan never meets `abs(step) < tol`; then the program hangs. Newton's method on
x**2 + 1 never ends, and a fixed point that is stable in exact arithmetic may cycle in
the last bit.

Cure
----
`for iteration in range(max_iter): ... break`, with an `else` branch that warns or
raises that the method has not converged.

When it is fine
---------------
The loop counts integers, empties a queue or reads input; or each pass provably
halves the quantity, as in a bisection down to a tolerance above the resolution.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 25.5.
"""

import ast
from collections.abc import Iterator

from numlint.finding import Confidence
from numlint.function import Function
from numlint.graph.convergence import (
    Comparison,
    WayOut,
    change,
    difference,
    has_range,
    is_counter,
    is_tolerance,
    measures,
    settled,
    shrinks,
    varies,
    ways_out,
)
from numlint.graph.site import Loop, Site
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "unbounded-iteration"
code = "NL503"
triggers = ("while", "count")
signature = "never-stops"

BAD = [
    Example(
        """
        import numpy as np

        def newton(f, slope, x, tol=1e-10):
            while True:
                step = f(x) / slope(x)
                x = x - step
                if np.abs(step) < tol:
                    return x
        """,
        call="newton(lambda x: x * x + 1, lambda x: 2 * x, 0.5)",
    ),
    Example(
        """
        import numpy as np

        def iterate(g, x, tol=1e-10):
            change = np.inf
            while change > tol:
                new = g(x)
                change = np.linalg.norm(new - x)
                x = new
            return x
        """,
        call="iterate(lambda x: -x, np.array([1.0]))",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def newton(f, slope, x, tol=1e-10, limit=100):
            for _ in range(limit):
                step = f(x) / slope(x)
                x = x - step
                if np.abs(step) < tol:
                    return x
            raise ArithmeticError("Newton's method has not converged")
        """,
        call="newton(lambda x: x * x - 2, lambda x: 2 * x, 1.5)",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def iterate(g, x, tol=1e-10, limit=1000):
            change, count = np.inf, 0
            while change > tol and count < limit:
                new = g(x)
                change = np.linalg.norm(new - x)
                x = new
                count += 1
            return x
        """,
        call="iterate(np.cos, np.array([1.0]))",
        note="a counter limits the loop",
    ),
]


INEXACT = frozenset({"div", "matmul", "mean", "sqrt", "exp", "norm", "solve"})
"""Operations whose result is rounded: what they give may never repeat."""


def check(function: Function) -> Iterator[Hazard]:
    for loop in function.loops:
        ways = list(ways_out(loop))
        tests = [[item for item in way.comparisons if _is_test(function, way, item)] for way in ways]
        equalities = [any(_is_equality(way, value, holds) for value, holds in way.others) for way in ways]
        if has_range(loop) or not ways or not all(map(any, zip(map(bool, tests), equalities, strict=True))):
            continue
        if any(isinstance(node, (ast.Yield, ast.YieldFrom, ast.Await)) for node in ast.walk(loop.node)):
            continue
        moved = [change(item.small, way) for way, found in zip(ways, tests, strict=True) for item in found]
        if any(step is not None and step.kind == "bracket" for step in moved):
            continue  # the ends of a bracket meet, unless the tolerance is below their resolution
        certain = any(equalities) or any(step is not None for step in moved)
        compared = [item.value for found in tests for item in found]
        site = _site(function, loop, compared)
        if site is not None:
            yield Hazard(
                site,
                "the loop ends only when a floating-point test is met: it has no limit, and hangs when it never is",
                Confidence.LIKELY if certain else Confidence.POSSIBLE,
                threshold="nan, a cycle in the last bit, or divergence never passes the test",
                rewrite=function.advice(
                    "for ... in range(max_iter), with an else branch that reports that it has not converged"
                ),
                explains=tuple(compared),
            )


def _site(function: Function, loop: Loop, compared: list[Value]) -> Site | None:
    """Where the loop goes on: its condition, or the ``True`` or counter that stands there."""
    if isinstance(loop.node, ast.While):
        known = next((site for site in function.sites("lt", "le") if site.value is loop.condition), None)
        return known or Site(loop.condition or compared[0], loop.node.test, loop.entry, 0, function.framework, ())
    return Site(loop.iterable or compared[0], loop.node.iter, loop.entry, 0, function.framework, ())


def _is_test(function: Function, way: WayOut, comparison: Comparison) -> bool:
    """Whether a comparison asks for convergence: the size of something that the loop computes falls below a bound."""
    loop = way.loop
    quantity = settled(comparison.small, loop) if way.node is loop.node else comparison.small
    if is_counter(quantity, loop) or is_counter(comparison.large, loop) or function.range(quantity).integer:
        return False
    if not varies(quantity, loop) or shrinks(quantity, loop):
        return False
    if any(inner.op == "draw" for inner in quantity.walk(200)):
        return False  # rejection sampling ends with probability one
    scaled = change(comparison.small, way) is not None and varies(comparison.large, loop)
    return scaled or (
        is_tolerance(comparison.large, loop) and (measures(quantity) or change(quantity, way) is not None)
    )


def _is_equality(way: WayOut, value: Value, holds: bool) -> bool:
    """Whether an exit asks two successive floating-point values to be equal, or close."""
    wanted = (value.op in ("eq", "isclose")) == holds and value.op in ("eq", "ne", "isclose")
    if not wanted or len(value.args) < 2:
        return False
    step = difference(value.args[0], value.args[1], way)
    if step is None or step.kind != "successive":
        return False
    if value.op == "isclose":
        return True
    return step.new.op in INEXACT and not any(inner.op in ("argmin", "argmax", "round") for inner in step.new.walk(400))
