"""Angle as the arccosine of a number that rounds above 1.

The dot product of a unit vector with itself comes out as 1.0000000000000002 for one vector
in twenty, and its arccosine is nan. Below 1 the angle is inaccurate: arccos(1 - t) is
sqrt(2t), and t is known to 1.1e-16 only, so that in float64 no angle below 1.5e-8 comes
out, and in float32 none below 3e-4. Its derivative at 1 is infinite.

Cure
----
`np.arctan2(np.linalg.norm(np.cross(u, v)), np.dot(u, v))`; for unit vectors of any
dimension `2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v))`, accurate for all
angles. `np.clip(c, -1, 1)` removes the nan and leaves the angle as inaccurate as it was.

When it is fine
---------------
The argument is clipped, or cannot exceed 1 by rounding: `z / sqrt(x*x + y*y + z*z)`, since
the root of a sum of squares is not below the root of one of them.

References
----------
W. Kahan, How Futile are Mindless Assessments of Roundoff in Floating-Point Computation?,
2006, sec. 12.
"""

import ast
from collections.abc import Iterator

from numlint.finding import Confidence, Rewrite, Safety, Severity
from numlint.function import Function
from numlint.graph.site import Site
from numlint.graph.terms import product, terms
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "arccos-near-one"
code = "NL304"
triggers = ("arccos", "acos", "arcsin", "asin", "arccos_", "acos_")
signature = "nan"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import numpy as np

        def angle(u, v):
            return np.arccos(np.dot(u, v) / (np.linalg.norm(u) * np.linalg.norm(v)))
        """,
        call="[angle(u, u) for u in np.random.default_rng(0).random((50, 3))]",
        fixed="""
        import numpy as np

        def angle(u, v):
            return np.arccos(np.clip(np.dot(u, v) / (np.linalg.norm(u) * np.linalg.norm(v)), -1, 1))
        """,
    ),
    Example(
        """
        import math

        def turn(R):
            trace = R[0][0] + R[1][1] + R[2][2]
            cosine = (trace - 1.0) / 2.0
            return math.acos(cosine)
        """,
        call="[turn([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, (c * c + s * s) * 1.0000000000000004]])"
        " for c, s in [(1.0, 0.0)]]",
        fixed="""
        import math

        def turn(R):
            trace = R[0][0] + R[1][1] + R[2][2]
            cosine = (trace - 1.0) / 2.0
            return math.acos(min(1, max(-1, cosine)))
        """,
    ),
    Example(
        """
        import torch

        def geodesic(u, v):
            u = u / u.norm(dim=1, keepdim=True)
            v = v / v.norm(dim=1, keepdim=True)
            cosine = (u * v).sum(dim=1)
            return torch.acos(cosine)
        """,
        call="geodesic(torch.linspace(0.1, 9, 300).reshape(100, 3), torch.linspace(0.1, 9, 300).reshape(100, 3))",
        fixed="""
        import torch

        def geodesic(u, v):
            u = u / u.norm(dim=1, keepdim=True)
            v = v / v.norm(dim=1, keepdim=True)
            cosine = (u * v).sum(dim=1)
            return torch.acos(torch.clamp(cosine, -1, 1))
        """,
        requires="torch",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def angle(u, v):
            return np.arctan2(np.linalg.norm(np.cross(u, v)), np.dot(u, v))
        """,
        call="[angle(u, u) for u in np.random.default_rng(0).random((50, 3))]",
        note="accurate for all angles",
    ),
    Example(
        """
        import numpy as np

        def angle(u, v):
            cosine = np.dot(u, v) / np.linalg.norm(u) / np.linalg.norm(v)
            return np.arccos(np.clip(cosine, -1.0, 1.0))
        """,
        call="[angle(u, u) for u in np.random.default_rng(0).random((50, 3))]",
        note="clipped: small angles are inaccurate, none is nan",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def inclination(x, y, z):
            r = np.sqrt(x * x + y * y + z * z)
            return np.arccos(z / r)
        """,
        call="[inclination(0.0, 0.0, z) for z in np.linspace(0.1, 9, 1000)]",
        note="the root of a sum of squares is not below the root of one of them",
    ),
    Example(
        """
        import numpy as np

        def latitude(v):
            return np.arcsin(v[2] / np.linalg.norm(v))
        """,
        call="[latitude(np.array([0.0, 0.0, z])) for z in np.linspace(0.1, 9, 1000)]",
        note="a component over the norm of its vector",
    ),
]


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("arccos", "arcsin"):
        argument = site.value.args[0]
        known = function.range(argument, site)
        if (known.lo >= -1 and known.hi <= 1) or _is_component(argument) or function.is_repaired(site.value):
            continue
        yield Hazard(
            site,
            f"{site.value.op} of a number that can round above 1 is nan, and small angles are lost",
            Confidence.LIKELY if _is_computed(argument) else Confidence.POSSIBLE,
            threshold="no angle below 1.5e-8 in float64, 3e-4 in float32",
            origin=(argument,),
            rewrite=_rewrite(function, site),
        )


def _is_computed(value: Value) -> bool:
    """Whether a value is a cosine by its making: a product of vectors, a quotient by lengths, a trace."""
    inner = value.core
    parts = list(inner.walk(24))
    if any(part.op in ("matmul", "einsum", "trace", "norm") for part in parts):
        return True
    if any(part.op == "sum" and part.args[0].core.op in ("mul", "comprehension") for part in parts):
        return True
    if inner.op != "div":
        return inner.op in ("add", "sub") and any(part.op == "mul" for part in parts)
    above = terms(inner.args[0])
    lengths = any(part.op in ("sqrt", "hypot") for part in inner.args[1].walk(8))
    return len(above) > 2 or (len(above) == 2 and lengths and all(part.value.op in ("mul", "square") for part in above))


def _is_component(value: Value) -> bool:
    """Whether a value is a component over the length of its vector."""
    parts = product(value)
    if abs(parts.coefficient) > 1 or len(parts.numerator) != 1 or len(parts.denominator) != 1:
        return False
    component, length = parts.numerator[0], parts.denominator[0]
    if length.op == "norm":
        return component.op == "index" and component.args[0].core is length.args[0].core
    if length.op == "hypot":
        return any(argument.core is component for argument in length.args)
    squares = terms(length.args[0]) if length.op == "sqrt" else ()
    return all(part.sign > 0 and part.value.op == "square" for part in squares) and any(
        part.value.args[0].core is component for part in squares if part.value.op == "square"
    )


def _rewrite(function: Function, site: Site) -> Rewrite:
    node = site.node
    argument = node.args[0] if isinstance(node, ast.Call) and node.args else None
    if argument is None or isinstance(argument, ast.Starred):
        return function.advice("arctan2 of sine and cosine, or clip into [-1, 1]")
    text = function.text(argument)
    clipped = {
        "python": f"min(1, max(-1, {text}))",
        "torch": f"torch.clamp({text}, -1, 1)",
        "jax": f"jax.numpy.clip({text}, -1, 1)",
        "tensorflow": f"tensorflow.clip_by_value({text}, -1, 1)",
    }.get(site.framework, f"numpy.clip({text}, -1, 1)")
    return function.rewrite(
        argument,
        clipped,
        "clipped into [-1, 1]: no nan; arctan2 of sine and cosine is accurate as well",
        safety=Safety.UNSAFE,
        reason="an argument that is outside by more than rounding gives 0 or pi instead of nan",
    )
