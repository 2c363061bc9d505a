"""(-b + sqrt(b**2 - 4ac)) / 2a loses the smaller root where b**2 is much larger than 4ac.

-b and the root are then nearly equal for one of the signs, and cancel: in float64 the
smaller root has half of its digits at b/sqrt(4ac) = 2.8e4 and none at 8e7, in float32 at
224 and 3e3.

Cure
----
Take the root without cancellation first and the other one from their product c/a:
`q = -(b + math.copysign(d, b)) / 2`, then `x1 = q / a` and `x2 = c / q`.

When it is fine
---------------
Only the root of larger magnitude is used.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, sec. 1.8.
"""

from collections.abc import Iterator

from numlint.finding import Severity
from numlint.function import Function
from numlint.graph.terms import factors, terms
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "quadratic-formula"
code = "NL308"
triggers = ("sqrt & -", "** & 0.5 & -", "pow & 0.5 & -", "power & 0.5 & -")
signature = "cancellation"
severity = Severity.WARNING

BAD = [
    Example(
        """
        import math

        def roots(a, b, c):
            d = math.sqrt(b * b - 4 * a * c)
            return (-b + d) / (2 * a), (-b - d) / (2 * a)
        """,
        call="1 / roots(1.0, 1e9, 1.0)[0]",
    ),
    Example(
        """
        import numpy as np

        def hit(origin, direction, radius):
            a = np.sum(direction ** 2, axis=1)
            b = 2 * np.sum(origin * direction, axis=1)
            c = np.sum(origin ** 2, axis=1) - radius ** 2
            disc = b ** 2 - 4 * a * c
            return (np.sqrt(disc) - b) / (2 * a)
        """,
        call="1 / hit(np.array([[1e6, 1.0]]), np.array([[1.0, 0.3]]), 1e6)",
    ),
]
GOOD = [
    Example(
        """
        import math

        def roots(a, b, c):
            d = math.sqrt(b * b - 4 * a * c)
            q = -(b + math.copysign(d, b)) / 2
            return q / a, c / q
        """,
        call="1 / roots(1.0, 1e9, 1.0)[1]",
        note="the two numbers that are added have the same sign",
    ),
]
LIMIT = [
    Example(
        """
        import math

        def larger(a, b, c):
            return math.sqrt(b * b - 4 * a * c) / (2 * a)
        """,
        call="larger(1.0, 1e9, 1.0)",
        note="half of the distance between the roots",
    ),
]


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("div"):
        parts = terms(site.value.args[0])
        roots = [part for part in parts if _discriminant(part.value) is not None]
        if len(parts) != 2 or len(roots) != 1:
            continue
        other = next(part for part in parts if part is not roots[0])
        linear = _discriminant(roots[0].value)
        if linear is None or factors(other.value)[1] != factors(linear)[1]:
            continue
        yield Hazard(
            site,
            "quadratic formula: the smaller root cancels where b*b is much larger than 4ac",
            threshold="no digit is left at b/sqrt(4ac) = 8e7 in float64, 3e3 in float32",
            origin=(roots[0].value,),
            rewrite=function.advice("q = -(b + copysign(d, b)) / 2; the roots are q / a and c / q"),
            explains=(site.value.args[0].core, roots[0].value),
        )


def _discriminant(value: Value) -> Value | None:
    """Return ``b`` when a value is ``sqrt(b**2 - 4*a*c)``, or ``sqrt(b**2 - a*c)``."""
    inner = value.core
    parts = terms(inner.args[0]) if inner.op == "sqrt" else ()
    if len(parts) != 2 or {part.sign for part in parts} != {1, -1}:
        return None
    plus, minus = sorted(parts, key=lambda part: -part.sign)
    return plus.value.args[0].core if plus.value.op == "square" and minus.value.op == "mul" else None
