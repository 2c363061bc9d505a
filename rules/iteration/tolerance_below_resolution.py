"""A stopping tolerance is smaller than the arithmetic can resolve.

Neighbouring float64 numbers around 1 are 2.2e-16 apart, float32 numbers 1.2e-7. A
step of an iteration is a multiple of that spacing, so that a test for a smaller one
asks for exact equality, which rounding may never bring: with float32 and 1e-8, or
float64 and 1e-16, the loop runs until its limit, or for ever.

Cure
----
A tolerance of some multiples of the spacing, relative to what is compared:
`tol = 10 * np.finfo(x.dtype).eps * max(1, abs(x))`.

When it is fine
---------------
What is compared is itself tiny, a square (its resolution is the square of that of
its root), or the tolerance is meant as "no change at all" and the loop has a limit.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., sections 2.1
and 25.5.
"""

import ast
from collections.abc import Iterator

from numlint.finding import Severity
from numlint.function import Function
from numlint.graph.convergence import Change, Comparison, WayOut, change, is_squared, varies, ways_out
from numlint.graph.site import Site
from numlint.graph.terms import product
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "tolerance-below-resolution"
code = "NL502"
triggers = ("while", "for & break", "for & return & <", "for & return & >")
signature = "never-stops"

BAD = [
    Example(
        """
        import numpy as np

        def cosine_fixed_point(x):
            change = 1.0
            while change > 1e-17:
                new = 2.5 * x * (1.0 - x) + 0.1 * np.sin(40.0 * x)
                change = abs(new - x)
                x = new
            return x
        """,
        call="cosine_fixed_point(0.3)",
    ),
    Example(
        """
        import numpy as np

        def root(f, low, high):
            while high - low > 1e-16:
                middle = 0.5 * (low + high)
                if np.sign(f(middle)) == np.sign(f(low)):
                    low = middle
                else:
                    high = middle
            return low
        """,
        call="root(lambda x: x * x - 2.0, 1.0, 2.0)",
    ),
    Example(
        """
        import torch

        def square_roots(a, tol=1e-9):
            x = a
            for _ in range(1000):
                new = x - (x * x - a) / (2 * x)
                if torch.norm(new - x) < tol:
                    break
                x = new
            return x
        """,
        call="square_roots(torch.arange(2.0, 500.0))",
        note="some of the roots step to and fro between two neighbouring numbers",
        requires="torch",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def square_root(a):
            x = a
            change = 1.0
            while change > 1e-12 * x:
                new = 0.5 * (x + a / x)
                change = abs(new - x)
                x = new
            return x
        """,
        call="square_root(2.0)",
        note="well above the resolution, and relative",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def settle(x):
            for _ in range(100):
                new = np.cos(x)
                if np.sum((new - x) ** 2) < 1e-20:
                    break
                x = new
            return x
        """,
        call="settle(1.0)",
        note="a sum of squares: 1e-20 is a step of 1e-10",
    ),
    Example(
        """
        import numpy as np

        def exponential(x):
            total = term = np.float64(1.0)
            n = 1
            while abs(term) > 1e-17:
                term = term * x / n
                total = total + term
                n += 1
            return total
        """,
        call="exponential(2.0)",
        note="the terms of a series go to zero, however large their sum",
    ),
]


def check(function: Function) -> Iterator[Hazard]:
    reported: set[Value] = set()
    for loop in function.loops:
        for way in ways_out(loop):
            for comparison in way.comparisons:
                site = next((site for site in function.sites("lt", "le") if site.value is comparison.value), None)
                step = change(comparison.small, way) if site is not None else None
                if site is None or step is None or comparison.value in reported:
                    continue
                hazard = _judge(function, site, way, comparison, step)
                if hazard is not None:
                    reported.add(comparison.value)
                    yield hazard


def _judge(function: Function, site: Site, way: WayOut, comparison: Comparison, step: Change) -> Hazard | None:
    form = function.format(step.new, site)
    tolerance, relative = _literal(comparison.large, way)
    if tolerance is None or not 0 < tolerance < form.eps / 2:
        return None
    if is_squared(comparison.small, way) and tolerance >= (form.eps / 2) ** 2:
        return None
    if not relative and function.range(step.old, site).magnitude < 0.1:
        return None  # numbers that small are resolved more finely
    endless = isinstance(way.loop.node, ast.While) and len(list(ways_out(way.loop))) == 1
    against = "relative to" if relative else "at"
    return Hazard(
        site,
        f"a change below {tolerance:g} is less than the spacing of {form.name} {against} 1: the test asks for equality",
        threshold=f"{form.name} resolves {form.eps:.1e} at 1, and proportionally less at larger values",
        severity=Severity.ERROR if endless else Severity.WARNING,
        origin=(step.new,),
        rewrite=function.advice(f"a tolerance of about {10 * form.eps:.0e} times the size of what is compared"),
    )


def _literal(bound: Value, way: WayOut) -> tuple[float | None, bool]:
    """Tolerance as a literal or the default of a parameter, and whether it is a factor of something computed."""
    parts = product(bound)
    number = parts.coefficient
    known = False
    scaled = bool(parts.denominator)
    for factor in parts.numerator:
        default = factor.attr("default") if factor.op == "param" else None
        if isinstance(default, float) and not known:
            number, known = number * default, True
        elif factor.op == "param" or not varies(factor, way.loop):
            return None, False
        else:
            scaled = True
    return number, scaled
