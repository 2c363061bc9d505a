"""A polynomial of high degree fitted to raw abscissae: far from zero its powers are indistinguishable.

The columns x, x**2, x**3 ... are nearly parallel when x is far from zero beside its spread. For the years 1950 to
2020 the condition number of the scaled columns is 6e11 at degree 5 and 4e16 at degree 8: `numpy.polyfit` then drops
directions as noise, and the fit is 20 times worse than the same polynomial in a shifted variable.

Cure
----
`numpy.polynomial.Polynomial.fit(x, y, degree)`, which maps the abscissae to [-1, 1]; or centre and scale them first.

When it is fine
---------------
The abscissae are centred and of order one, or the degree is small: 0 .. 100 at degree 5 has condition 2e3.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, ch. 22.
"""

from collections.abc import Iterator

from numlint.facts.range import Range
from numlint.finding import Confidence
from numlint.function import Function
from numlint.graph.terms import terms
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "unscaled-polyfit"
code = "NL408"
triggers = ("polyfit", "vander")
signature = "ill-conditioned"

BAD = [
    Example(
        """
        import numpy as np

        def trend(y):
            years = np.arange(1950, 2021)
            return np.polyval(np.polyfit(years, y, 8), years)
        """,
        call="trend(np.sin(np.arange(71) / 10.0))",
        note="the residual is 8.5e-3, with Polynomial.fit 4.0e-4",
    ),
    Example(
        """
        import numpy as np

        def design(x):
            return np.vander(x, 10)
        """,
        call="np.linalg.solve(design(np.arange(1950.0, 1960.0)), np.sin(np.arange(10.0)))",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def trend(y):
            years = np.arange(1950, 2021)
            return np.polynomial.Polynomial.fit(years, y, 8)(years)
        """,
        call="trend(np.sin(np.arange(71) / 10.0))",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def trend(years, y):
            t = (years - years.mean()) / years.std()
            return np.polyval(np.polyfit(t, y, 8), t)
        """,
        call="trend(np.arange(1950.0, 2021.0), np.sin(np.arange(71) / 10.0))",
        note="centred and scaled",
    ),
    Example(
        """
        import numpy as np

        def trend(years, y):
            return np.polyfit(years, y, 1)
        """,
        call="trend(np.arange(1950.0, 2021.0), np.arange(71.0))",
        note="a straight line",
    ),
]

HIGH = 5
FAR = 5.0
"""Distance from zero in units of half the spread, from which on the powers are nearly parallel."""


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("polyfit", "vander"):
        degree = _degree(site.value)
        abscissae = site.value.args[0]
        known = function.range(abscissae, site)
        if degree is None or degree < HIGH or _is_centred(abscissae) or known.magnitude <= 1:
            continue
        if known.bounded and not _is_far(known):
            continue
        yield Hazard(
            site,
            f"polynomial of degree {degree} in raw abscissae: far from zero their powers are nearly parallel",
            Confidence.LIKELY if known.bounded and site.value.op == "polyfit" else Confidence.POSSIBLE,
            threshold="years 1950-2020: condition 6e11 at degree 5, 4e16 at degree 8",
            rewrite=function.advice(
                "numpy.polynomial.Polynomial.fit maps the abscissae to [-1, 1]; or centre and scale them"
            ),
        )


def _degree(value: Value) -> int | None:
    if value.op == "polyfit":
        degree = value.attr("deg")
        return degree if isinstance(degree, int) else None
    columns = value.attr("N") or value.attr("columns")
    return columns - 1 if isinstance(columns, int) else None


def _is_centred(value: Value) -> bool:
    """Whether something is subtracted from the abscissae, scaled or not."""
    inner = value.core
    while inner.op in ("mul", "div", "index"):
        inner = inner.args[0].core
    return any(part.sign < 0 for part in terms(inner))


def _is_far(known: Range) -> bool:
    spread = (known.hi - known.lo) / 2
    return min(abs(known.lo), abs(known.hi)) + spread > FAR * spread and known.lo * known.hi > 0
