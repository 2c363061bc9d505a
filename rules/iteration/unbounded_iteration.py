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
from numlint.graph.site import Loop
from numlint.graph.stopping import StopTest, counting, counts, difference_of, is_update, size_of, stop_tests
from numlint.rule import Example, Hazard

name = "unbounded-iteration"
code = "NL503"
triggers = ("while",)
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


def check(function: Function) -> Iterator[Hazard]:
    tests: dict[Loop, list[StopTest]] = {}
    for test in stop_tests(function.body.sites, function.loops):
        if isinstance(test.loop.node, ast.While):
            tests.setdefault(test.loop, []).append(test)
    carried = function.body.analysis.carried
    for loop, found in tests.items():
        if any(_limits(function, test) for test in found) or _ends_otherwise(loop, found):
            continue
        floating = [test for test in found if _converges(function, test)]
        if not floating:
            continue
        step = any(
            difference_of(test.quantity, carried) is not None or is_update(test.quantity, loop, carried)
            for test in floating
        )
        yield Hazard(
            floating[0].site,
            "the loop ends only when a floating-point test is met: it has no limit, and hangs when the test never is",
            confidence=Confidence.LIKELY if step else Confidence.POSSIBLE,
            threshold="nan, a cycle in the last bit, or divergence never passes the test",
            rewrite=function.advice(
                "for ... in range(max_iter), with an else branch that reports that it has not converged"
            ),
        )


def _limits(function: Function, test: StopTest) -> bool:
    """Whether a test, or what must hold besides it, counts."""
    carried = function.body.analysis.carried
    sides = [test.quantity, test.bound, *(side for other in test.others for side in other.args)]
    return any(counts(side, carried) or counting(side) or function.range(side).integer for side in sides)


def _ends_otherwise(loop: Loop, found: list[StopTest]) -> bool:
    """Whether something else than a comparison of numbers ends the loop."""
    sites = {test.site.value.id for test in found}
    condition = loop.condition
    if condition is not None and condition.op != "const":
        parts = condition.args if condition.op in ("and", "or") else (condition,)
        if any(part.core.id not in sites for part in parts):
            return True
    for exit_ in loop.exits:
        path = exit_.path
        while path is not None and path is not loop.entry:
            if (
                path.kind == "cond"
                and path.value is not None
                and path.value is not condition
                and path.value.core.id not in sites
            ):
                inner = path.value.core
                if inner.op not in ("and", "or", "not", "lt", "le"):
                    return True
            path = path.parent
    return False


def _converges(function: Function, test: StopTest) -> bool:
    """Whether a test is one of convergence: the size of something computed in the loop falls below a bound."""
    inner = test.quantity.core
    if inner.op == "carried":
        carried = function.body.analysis.carried.get(inner.id)
        inner = carried[1].core if carried is not None else inner
    return (
        inner.op in ("abs", "norm", "max", "sqrt", "phi", "join") and size_of(inner) is not inner
    ) or inner.op == "norm"
