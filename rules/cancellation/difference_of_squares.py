"""a**2 - b**2 cancels where a and b are close, and each square is rounded before.

The squares are rounded to eps*a**2, which is an error of eps*a/(a - b)/2 of their
difference. (a - b)*(a + b) has a relative error of three roundings whatever a and b are, and
does not overflow where the squares do.

Cure
----
`(a - b) * (a + b)`.

When it is fine
---------------
a and b differ much, or the squares are known better than a and b.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, sec. 1.7.
"""

import ast
from collections.abc import Iterator

from numlint.finding import Confidence, Rewrite, Severity
from numlint.function import Function
from numlint.graph.moments import second_moment
from numlint.graph.site import Site
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "difference-of-squares"
code = "NL306"
triggers = ("** & -", "square & -", "pow & -", "power & -", "x*x & -")
signature = "cancellation"
severity = Severity.NOTE

BAD = [
    Example(
        """
        import math

        def area(outer, inner):
            return math.pi * (outer ** 2 - inner ** 2)
        """,
        call="area(np.float32(100001), np.float32(100000))",
        fixed="""
        import math

        def area(outer, inner):
            return math.pi * ((outer - inner) * (outer + inner))
        """,
    ),
    Example(
        """
        import numpy as np

        def interval(t, x):
            return 1 / (t * t - np.square(x))
        """,
        call="interval(1e12 + 0.001, 1e12)",
        fixed="""
        import numpy as np

        def interval(t, x):
            return 1 / ((t - x) * (t + x))
        """,
    ),
]
GOOD = [
    Example(
        """
        import math

        def area(outer, inner):
            return math.pi * (outer - inner) * (outer + inner)
        """,
        call="area(np.float32(100001), np.float32(100000))",
        note="the difference is taken before anything is rounded",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def bound(x):
            return 4.0 ** 2 - np.sin(x) ** 2
        """,
        call="bound(1.0)",
        note="16 minus at most 1",
    ),
]


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("sub"):
        one, other = (argument.core for argument in site.value.args)
        if one.op != "square" or other.op != "square":
            continue
        moment = second_moment(site.value, function.body.analysis.carried)
        if function.range(site.value, site).lo > 0 or moment is not None:
            continue
        yield Hazard(
            site,
            "difference of squares: cancels where the two are close",
            Confidence.POSSIBLE,
            rewrite=_rewrite(function, site, one.args[0], other.args[0]),
        )


def _rewrite(function: Function, site: Site, one: Value, other: Value) -> Rewrite:
    left, right = function.operand(one, site), function.operand(other, site)
    if left is None or right is None or not isinstance(site.node, ast.BinOp):
        return function.advice("(a - b) * (a + b)")
    return function.rewrite(site.node, f"({left} - {right}) * ({left} + {right})", "the same product, factored")
