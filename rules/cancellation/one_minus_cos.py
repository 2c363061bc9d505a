"""1 - cos(x) is 0 for small x, where it should be x**2 / 2.

cos(x) rounds to 1 for |x| below 1.05e-8 in float64, 2.4e-4 in float32 and 2.2e-2 in float16;
half of the digits are lost below 7e-5, 1.3e-2 and 0.1. A quotient such as
(1 - cos x) / x**2 is then 0 instead of 1/2.

Cure
----
`2 * np.sin(x / 2) ** 2`, equal in exact arithmetic and accurate to the last digits for
all x; `-scipy.special.cosm1(x)`.

When it is fine
---------------
Only the size beside 1 matters: windows, schedules, interpolation weights.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, sec. 1.7.
"""

import ast
from collections.abc import Iterator

from numlint.finding import Confidence, Rewrite, Severity
from numlint.function import Function
from numlint.graph.site import Site
from numlint.graph.terms import one_minus
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "one-minus-cos"
code = "NL305"
triggers = ("cos",)
signature = "cancellation"
severity = Severity.WARNING

BAD = [
    Example(
        """
        import numpy as np

        def coefficient(theta):
            return (1 - np.cos(theta)) / theta ** 2
        """,
        call="1 / coefficient(1e-9)",
        fixed="""
        import numpy as np

        def coefficient(theta):
            return (2 * np.sin(theta / 2) ** 2) / theta ** 2
        """,
    ),
    Example(
        """
        import torch

        def rodrigues(axis):
            angle = torch.linalg.norm(axis)
            c = torch.cos(angle)
            return (1.0 - c) * torch.outer(axis, axis) / angle ** 2
        """,
        call="1 / rodrigues(torch.tensor([1e-5, 1e-5]))",
        fixed="""
        import torch

        def rodrigues(axis):
            angle = torch.linalg.norm(axis)
            c = torch.cos(angle)
            return (2 * torch.sin(angle / 2) ** 2) * torch.outer(axis, axis) / angle ** 2
        """,
        requires="torch",
    ),
    Example(
        """
        import math

        def sagitta(radius, a, b):
            angle = b - a
            return 1 / (radius * (1 - math.cos(angle)))
        """,
        call="sagitta(6.4e6, 1.0, 1.0 + 1e-9)",
        fixed="""
        import math

        def sagitta(radius, a, b):
            angle = b - a
            return 1 / (radius * (2 * math.sin(angle / 2) ** 2))
        """,
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def coefficient(theta):
            return 2 * np.sin(theta / 2) ** 2 / theta ** 2
        """,
        call="1 / coefficient(1e-9)",
        note="no subtraction",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def hann(n):
            return 0.5 * (1 - np.cos(2 * np.pi * np.arange(n) / (n - 1)))
        """,
        call="hann(8)",
        note="a window: only the size beside 1 matters",
    ),
]


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("sub"):
        cosine = one_minus(site.value)
        if cosine is None or cosine.op != "cos":
            continue
        angle = cosine.args[0]
        known = function.range(angle, site)
        if known.lo > 0 or known.hi < 0:
            continue
        yield Hazard(
            site,
            "1 - cos(x) cancels for small x: it is 0 instead of x**2/2",
            Confidence.LIKELY if _is_small(function, site, angle) else Confidence.POSSIBLE,
            threshold="float64 0 below |x| = 1e-8, float32 below 2.4e-4",
            rewrite=_rewrite(function, site, angle),
            explains=(site.value,),
        )


def _is_small(function: Function, site: Site, angle: Value) -> bool:
    """Whether small angles occur, or matter: no phase of a period, or a quotient by the angle itself."""
    inner = angle.core
    phase = any(part.op in ("arange", "linspace", "element") or part.number is not None for part in inner.walk(12))
    if not phase:
        return True
    return any(part.core is inner for user in _quotients(function, site.value) for part in user.args[1].walk(6))


def _quotients(function: Function, value: Value) -> Iterator[Value]:
    """Quotients that a value is a factor of the numerator of."""
    stack = [value]
    for _ in range(6):
        if not stack:
            return
        current = stack.pop()
        for consumer in function.uses.of(current):
            if consumer.op == "div" and consumer.args[0].core is current.core:
                yield consumer
            elif consumer.op == "mul":
                stack.append(consumer)


def _rewrite(function: Function, site: Site, angle: Value) -> Rewrite:
    text = function.operand(angle, site)
    library = {"python": "math", "torch": "torch", "jax": "jax.numpy", "tensorflow": "tensorflow"}.get(
        site.framework, "numpy"
    )
    if text is None or not isinstance(site.node, ast.BinOp):
        return function.advice("2 * sin(x / 2) ** 2")
    return function.rewrite(site.node, f"2 * {library}.sin({text} / 2) ** 2", "equal, and nothing cancels")
