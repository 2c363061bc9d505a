"""sqrt(x + 1) - sqrt(x) loses its digits for large x, and is 0 at last.

The difference is 1/(2 sqrt(x)), the roots have the size sqrt(x): log10(2x) of the digits
cancel. In float64 half are lost at x = 8e7 and all at 3.6e14, in float32 at 4.5e3 and
1.1e6. The same holds for sqrt(x**2 + c) - x.

Cure
----
Multiply by the conjugate: `1 / (np.sqrt(x + 1) + np.sqrt(x))`.

When it is fine
---------------
x is known to be of the size of what is added.

References
----------
R. W. Hamming, Numerical Methods for Scientists and Engineers, 2nd ed., 1973, ch. 3.
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, sec. 1.17.
"""

import ast
from collections.abc import Iterator

from numlint.finding import Confidence, Rewrite, Severity
from numlint.function import Function
from numlint.graph.site import Site
from numlint.graph.terms import Term, terms
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "difference-of-roots"
code = "NL307"
triggers = ("sqrt & -", "** & 0.5 & -", "pow & 0.5 & -", "power & 0.5 & -")
signature = "cancellation"
severity = Severity.WARNING

BAD = [
    Example(
        """
        import numpy as np

        def gap(x):
            return np.sqrt(x + 1) - np.sqrt(x)
        """,
        call="1 / gap(np.array([1e16]))",
        fixed="""
        import numpy as np

        def gap(x):
            return 1 / (np.sqrt(x + 1) + np.sqrt(x))
        """,
    ),
    Example(
        """
        import math

        def smooth_excess(x):
            root = math.sqrt(x * x + 4)
            return 1 / (root - x)
        """,
        call="smooth_excess(1e9)",
        fixed="""
        import math

        def smooth_excess(x):
            root = math.sqrt(x * x + 4)
            return 1 / (4 / (root + x))
        """,
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def gap(x):
            return 1 / (np.sqrt(x + 1) + np.sqrt(x))
        """,
        call="1 / gap(np.array([1e16]))",
        note="multiplied by the conjugate",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def difference(a, b):
            return np.sqrt(a) - np.sqrt(b)
        """,
        call="difference(4.0, 1.0)",
        note="two numbers of which nothing says that they are close",
    ),
]


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("sub"):
        one, other = (argument.core for argument in site.value.args)
        if one.op != "sqrt" and other.op != "sqrt":
            continue
        rest = _difference(one, other)
        if rest is None or function.range(other if one.op == "sqrt" else one, site).magnitude <= 1e3:
            continue
        yield Hazard(
            site,
            "difference of roots of numbers that differ by little: the digits cancel for large arguments",
            Confidence.LIKELY,
            threshold="half of the digits from 8e7 on in float64, from 4.5e3 on in float32",
            rewrite=_rewrite(function, site, rest),
        )


def _difference(one: Value, other: Value) -> Term | None:
    """What is left of the difference of the radicands when what they share is taken out: a single term, or None."""
    left, right = _radicand(one), _radicand(other)
    shared = [part for part in left if part in right]
    rest = [part for part in left if part not in shared]
    rest += [Term(-part.sign, part.value) for part in right if part not in shared]
    return rest[0] if shared and len(rest) == 1 else None


def _radicand(value: Value) -> list[Term]:
    """Terms under a root. A square stands as its base, so that ``x`` is the root of ``x**2``."""
    if value.op != "sqrt":
        return [Term(2, value)]
    return [Term(2, part.value.args[0].core) if part.value.op == "square" else part for part in terms(value.args[0])]


def _rewrite(function: Function, site: Site, rest: Term) -> Rewrite:
    node = site.node
    sign, value = rest
    top = repr(abs(value.constant)) if value.number is not None else function.operand(value, site)
    if top is None or abs(sign) != 1 or not isinstance(node, ast.BinOp):
        return function.advice("multiply by the conjugate: (a - b) / (sqrt(a) + sqrt(b))")
    left, right = function.text(node.left), function.text(node.right)
    if isinstance(node.right, ast.BinOp):
        right = f"({right})"
    return function.rewrite(node, f"{'-' if sign < 0 else ''}{top} / ({left} + {right})", "multiplied by the conjugate")
