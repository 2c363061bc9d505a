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

from collections.abc import Iterator

from numlint.finding import Severity
from numlint.function import Function
from numlint.graph.stopping import counts, difference_of, is_relative, is_update, size_of, stop_tests
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "tolerance-below-resolution"
code = "NL502"
triggers = ("while", "for & break", "for & return")
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
        import torch

        def centre(points, tol=1e-9):
            mean = points[0]
            for _ in range(1000):
                new = mean + 0.1 * (points - mean).mean(dim=0)
                if torch.norm(new - mean) < tol:
                    break
                mean = new
            return mean
        """,
        call="centre(torch.tensor([[1000.1], [1000.7]]))",
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
]


def check(function: Function) -> Iterator[Hazard]:
    carried = function.body.analysis.carried
    for test in stop_tests(function.body.sites, function.loops):
        tolerance = _literal(test.bound)
        form = function.format(test.quantity, test.site)
        if tolerance is None or not 0 < tolerance < form.eps or is_relative(test.quantity, test.bound, carried):
            continue
        if difference_of(test.quantity, carried) is None and not is_update(test.quantity, test.loop, carried):
            continue
        if _is_square(test.quantity) and tolerance >= form.eps**2:
            continue
        limited = any(counts(side, carried) for other in test.others for side in other.args)
        endless = test.loop.iterable is None and not limited
        yield Hazard(
            test.site,
            f"a step below {tolerance:g} is less than the spacing of {form.name} at 1: the test asks for equality",
            threshold=f"{form.name} resolves {form.eps:.1e} at 1, and proportionally less at larger values",
            severity=Severity.ERROR if endless else Severity.WARNING,
            rewrite=function.advice(f"a tolerance of about {10 * form.eps:.0e} times the size of what is compared"),
        )


def _literal(bound: Value) -> float | None:
    """Tolerance as a number: a literal, or the default of a parameter."""
    inner = bound.core
    default = inner.attr("default") if inner.op == "param" else inner.number
    return float(default) if isinstance(default, (int, float)) and not isinstance(default, bool) else None


def _is_square(quantity: Value) -> bool:
    inner = quantity.core
    while inner.op in ("sum", "mean", "max") and inner.args:
        inner = inner.args[0].core
    return inner.op in ("square", "matmul") or size_of(inner).op == "square"
