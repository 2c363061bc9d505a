"""A loop or range counts in steps that floating point cannot represent.

0.1 has no exact binary representation, so that `t += 0.1` drifts: after ten steps t
is 0.9999999999999999 and `while t < 1.0` runs an eleventh time;
`len(np.arange(1, 1.3, 0.1))` is 4.

Cure
----
Count with integers and compute the number from the count, or use
`np.linspace(start, stop, n)`.

When it is fine
---------------
The step is a power of two, or the number of passes does not matter.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 1.17;
the numpy documentation of arange.
"""

import ast
from collections.abc import Iterator

from numlint.finding import Confidence, Severity
from numlint.function import Function
from numlint.graph.site import Site
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "float-loop-counter"
code = "NL505"
triggers = ("while", "arange")
signature = "absorption"
severity = Severity.NOTE

BAD = [
    Example(
        """
        import numpy as np

        def samples(f):
            t, found = 0.0, []
            while t < 1.0:
                found.append(f(t))
                t += 0.1
            return np.array(found)
        """,
        call="len(samples(np.sin))",
    ),
    Example(
        """
        import numpy as np

        def grid():
            return np.arange(1.0, 1.3, 0.1)
        """,
        call="len(grid())",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def samples(f):
            return np.array([f(t) for t in np.linspace(0.0, 0.9, 10)])
        """,
        call="len(samples(np.sin))",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def grid():
            return np.arange(0.0, 4.0, 0.25)
        """,
        call="len(grid())",
        note="a quarter is exact",
    ),
]


def check(function: Function) -> Iterator[Hazard]:
    for loop in function.loops:
        condition = loop.condition.core if loop.condition is not None and isinstance(loop.node, ast.While) else None
        if condition is None or condition.op not in ("lt", "le"):
            continue
        for name_, (_, head, end) in loop.carried.items():
            if head in (argument.core for argument in condition.args) and _inexact(_step(head, end)):
                site = next((site for site in function.sites("lt", "le") if site.value is condition), None)
                if site is not None:
                    yield _hazard(
                        function,
                        site,
                        f"`{name_}` is moved by a step that is not exact in binary: the loop may run once more",
                        Confidence.LIKELY,
                    )
    for site in function.sites("arange"):
        bounds = [argument.number for argument in site.value.args]
        if len(bounds) == 3 and None not in bounds and _inexact(site.value.args[2]) and _is_whole(bounds):
            yield _hazard(
                function,
                site,
                "the step is not exact in binary: whether the end belongs to the range is up to rounding",
                Confidence.POSSIBLE,
            )


def _hazard(function: Function, site: Site, message: str, confidence: Confidence) -> Hazard:
    return Hazard(
        site,
        message,
        confidence=confidence,
        threshold="ten steps of 0.1 make 0.9999999999999999",
        rewrite=function.advice("np.linspace(start, stop, n), or an integer counter"),
    )


def _step(head: Value, end: Value) -> Value | None:
    if end.core.op not in ("add", "sub"):
        return None
    others = [argument for argument in end.core.args if argument.core is not head]
    return others[0] if len(others) == 1 else None


def _inexact(step: Value | None) -> bool:
    """Whether a literal step is no multiple of 2**-20."""
    number = step.number if step is not None else None
    return number is not None and number != 0 and (number * 2**20) % 1 != 0


def _is_whole(bounds: list[float | None]) -> bool:
    """Whether the step divides the range: then the last point is decided by rounding."""
    start, stop, step = (bound or 0.0 for bound in bounds)
    count = (stop - start) / step
    return abs(count - round(count)) < 1e-6
