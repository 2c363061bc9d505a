"""log(1 + x) loses the digits of a small x.

The sum 1 + x keeps of x only what lies above the spacing of the numbers at 1: half of the
digits are gone below |x| = 5e-9 in float64 and 2e-4 in float32, all of them below 1e-16
and 6e-8, where the result is 0 instead of x. In a difference such as
`log(y + 1) - log(p + 1)`, the error of a logarithmic metric, what is left of two small
numbers is compared.

Cure
----
`log1p(x)`, in NumPy, math, PyTorch, JAX and TensorFlow alike; `log1p(-p)` for `log(1 - p)`.

When it is fine
---------------
x is a count, or is known to stay away from zero, or the result only decides a plot's
colours. This is a matter of accuracy, not of failure.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, sec. 1.14.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from numlint.finding import Confidence, Rewrite, Severity
from numlint.function import Function
from numlint.graph.site import Site
from numlint.graph.terms import terms
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "use-log1p"
code = "NL106"
triggers = ("log",)
signature = "cancellation"
severity = Severity.NOTE

BAD = [
    Example(
        """
        import numpy as np

        def log_error(actual, predicted):
            return np.log(actual + 1) - np.log(predicted + 1)
        """,
        call="log_error(np.array([3e-16]), np.array([1e-16]))",
        fixed="""
        import numpy as np

        def log_error(actual, predicted):
            return np.log1p(actual) - np.log1p(predicted)
        """,
    ),
    Example(
        """
        import numpy as np

        def cauchy_loss(residual, scale):
            return np.log(1.0 + (residual / scale) ** 2).sum()
        """,
        call="cauchy_loss(np.array([1e-9, 1e-8]), 1.0)",
        fixed="""
        import numpy as np

        def cauchy_loss(residual, scale):
            return np.log1p((residual / scale) ** 2).sum()
        """,
    ),
    Example(
        """
        import math

        def log_survival(hits, trials):
            share = math.erf(hits / trials)
            return trials * math.log(1 - share)
        """,
        call="log_survival(1e-6, 1e12)",
        fixed="""
        import math

        def log_survival(hits, trials):
            share = math.erf(hits / trials)
            return trials * math.log1p(-share)
        """,
    ),
    Example(
        """
        import torch

        def interest(rates):
            return (1 + rates).log()
        """,
        call="interest(torch.tensor([1e-9]))",
        fixed="""
        import torch

        def interest(rates):
            return torch.log1p(rates)
        """,
        requires="torch",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def log_error(actual, predicted):
            return np.log1p(actual) - np.log1p(predicted)
        """,
        call="log_error(np.array([3e-16]), np.array([1e-16]))",
        note="log1p keeps the digits of a small x",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def damped(tokens):
            return [np.log(1 + len(token)) for token in tokens]
        """,
        call="damped(['a', 'bb'])",
        note="an integer: 1 + x is exact",
    ),
    Example(
        """
        import numpy as np

        def gain(signal):
            return np.log(1 + np.maximum(signal, 1.0))
        """,
        call="gain(np.array([0.0, 5.0]))",
        note="x is at least 1",
    ),
]

FAR = 0.1
"""From here on at most four bits are lost."""
SMALL = frozenset({"square", "sigmoid", "softmax", "tanh", "erf", "var", "expm1"})
"""Operations whose results are small on ordinary data."""

LIBRARY = {
    "numpy": "numpy.log1p",
    "python": "math.log1p",
    "torch": "torch.log1p",
    "jax": "jax.numpy.log1p",
    "tensorflow": "tensorflow.math.log1p",
    "autograd": "autograd.numpy.log1p",
}


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("log"):
        inside = _beside_one(site.value)
        if inside is None:
            continue
        sign, x = inside
        known = function.range(x, site)
        if known.integer or known.lo >= FAR or known.hi <= -FAR or any(value.op == "exp" for value in x.walk(3)):
            continue
        compared = any(_is_difference_of_logarithms(user) for user in function.uses.of(site.value))
        small = compared or (sign > 0 and (known.magnitude <= 1 or any(factor.op in SMALL for factor in (x, *x.args))))
        yield Hazard(
            site,
            f"log({'1 + x' if sign > 0 else '1 - x'}) loses the digits of a small x; log1p does not",
            confidence=Confidence.LIKELY if small else Confidence.POSSIBLE,
            threshold="half of the digits are lost below |x| = 5e-9 in float64, 2e-4 in float32",
            origin=(x,),
            rewrite=_rewrite(function, site, sign, x),
        )


def _beside_one(value: Value) -> tuple[int, Value] | None:
    """Return the sign and x of ``log(1 + x)`` and ``log(1 - x)``."""
    parts = terms(value.args[0])
    if len(parts) != 2:
        return None
    for one, other in (parts, parts[::-1]):
        if one.sign > 0 and one.value.number == 1 and other.value.number is None:
            return other.sign, other.value
    return None


def _is_difference_of_logarithms(value: Value) -> bool:
    """Whether a value is ``log(1 + a) - log(1 + b)``."""
    parts = terms(value)
    logarithms = [part for part in parts if part.value.op == "log" and _beside_one(part.value) is not None]
    return len(parts) == 2 and len(logarithms) == 2 and parts[0].sign != parts[1].sign


def _rewrite(function: Function, site: Site, sign: int, x: Value) -> Rewrite:
    library = LIBRARY.get(site.framework, "")
    inside = site.value.args[0]
    operands = [value for value in inside.args if value.core is x] if inside.op in ("add", "sub") else []
    if not library or not operands or not isinstance(site.node, ast.expr):
        return function.advice("log1p(x)")
    text = function.spell(operands[0], site) if sign > 0 else function.operand(operands[0], site)
    if text is None:
        return function.advice("log1p(x)")
    return function.rewrite(
        site.node,
        f"{library}({'' if sign > 0 else '-'}{text})",
        "log1p keeps the digits of a small x",
        extra=function.unneeded(site.node, text),
    )
