"""exp(x) - 1 loses its digits for small x.

Near zero exp(x) is 1 plus something small, and the subtraction cancels what they have in
common: half of the digits are gone below |x| = 5e-9 in float64 and 9e-5 in float32, all of
them below 1e-16 and 6e-8, where the result is 0 instead of x. `1 - exp(-x)`, the
probability that a rare event happens, suffers in the same way.

Cure
----
`expm1(x)`, in NumPy, math, PyTorch, JAX and TensorFlow alike; `-expm1(-x)` for
`1 - exp(-x)`. For `(exp(x) - 1) / x`, `scipy.special.exprel(x)`.

When it is fine
---------------
The exponent stays away from zero, or an absolute error of one unit in the sixteenth digit
does not matter, as for a schedule that decays.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, sec. 1.14.1.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from numlint.finding import Confidence, Rewrite, Severity
from numlint.function import Function
from numlint.graph.site import Site
from numlint.graph.terms import constant_term, terms
from numlint.graph.value import Value
from numlint.graph.vocabulary import EXPONENTIALS
from numlint.rule import Example, Hazard

name = "use-expm1"
code = "NL107"
triggers = EXPONENTIALS
signature = "cancellation"
severity = Severity.WARNING

BAD = [
    Example(
        """
        import numpy as np

        def growth(rate, years):
            return np.exp(rate * years) - 1.0
        """,
        call="growth(1e-12, np.array([1e-3, 1.0]))",
        fixed="""
        import numpy as np

        def growth(rate, years):
            return np.expm1(rate * years)
        """,
    ),
    Example(
        """
        import math

        def failure(rate, hours):
            survival = math.exp(-rate * hours)
            return 1 - survival
        """,
        call="failure(1e-18, 10.0)",
        fixed="""
        import math

        def failure(rate, hours):
            return -math.expm1(-rate * hours)
        """,
    ),
    Example(
        """
        import torch

        def elu(x, alpha):
            return torch.where(x > 0, x, alpha * (torch.exp(torch.clamp(x, max=0.0)) - 1))
        """,
        call="elu(torch.tensor([-1e-8]), 1.0)",
        fixed="""
        import torch

        def elu(x, alpha):
            return torch.where(x > 0, x, alpha * (torch.expm1(torch.clamp(x, max=0.0))))
        """,
        requires="torch",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def growth(rate, years):
            return np.expm1(rate * years)
        """,
        call="growth(1e-12, np.array([1e-3, 1.0]))",
        note="expm1 keeps the digits of a small exponent",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def excess(x):
            return np.exp(np.maximum(x, 1.0)) - 1
        """,
        call="excess(np.array([1e-12]))",
        note="the exponent is at least 1: nothing cancels",
    ),
    Example(
        """
        import numpy as np

        def divergence(mean, log_variance):
            log_variance = np.clip(log_variance, -30, 20)
            return 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum()
        """,
        call="divergence(np.zeros(2), np.zeros(2))",
        note="one of several terms: expm1 alone would not mend what cancels here",
    ),
]

FAR = 0.1
"""From this exponent on at most four bits cancel."""

LIBRARY = {
    "numpy": "numpy.expm1",
    "python": "math.expm1",
    "torch": "torch.expm1",
    "jax": "jax.numpy.expm1",
    "tensorflow": "tensorflow.math.expm1",
    "autograd": "autograd.numpy.expm1",
}


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("sub", "add"):
        exponential = _beside_one(site.value)
        if exponential is None or any(user.op in ("add", "sub") for user in function.uses.of(site.value)):
            continue
        if _is_only_compared(function, site.value):
            continue
        exponent = exponential.args[0]
        known = function.range_kept(exponent, site) or function.range(exponent, site)
        if known.lo >= FAR or known.hi <= -FAR or (known.integer and known.nonzero):
            continue
        yield Hazard(
            site,
            f"{_formula(site.value)} cancels for small x; expm1 does not",
            confidence=Confidence.POSSIBLE if abs(constant_term(_sole(exponent))) >= 0.5 else Confidence.LIKELY,
            threshold="half of the digits are lost below |x| = 5e-9 in float64, 9e-5 in float32",
            origin=(exponential,),
            rewrite=_rewrite(function, site, exponential),
        )


def _beside_one(value: Value) -> Value | None:
    """Return ``exp(x)`` of ``exp(x) - 1`` and ``1 - exp(x)``."""
    parts = terms(value)
    if len(parts) != 2 or parts[0].sign == parts[1].sign:
        return None
    for one, other in (parts, parts[::-1]):
        if one.value.number in (1, -1) and other.value.op == "exp":
            return other.value
    return None


def _is_only_compared(function: Function, value: Value) -> bool:
    """Whether all that happens to a value is a comparison of its size."""
    users = list(function.uses.of(value))
    return bool(users) and all(
        user.op in ("lt", "le") or (user.op == "abs" and _is_only_compared(function, user)) for user in users
    )


def _sole(value: Value) -> Value:
    """Return the element of a list of one."""
    inner = value.core
    return inner.args[0] if inner.op in ("list", "tuple") and len(inner.args) == 1 else inner


def _formula(value: Value) -> str:
    return "exp(x) - 1" if any(part.sign > 0 and part.value.op == "exp" for part in terms(value)) else "1 - exp(x)"


def _rewrite(function: Function, site: Site, exponential: Value) -> Rewrite:
    library = LIBRARY.get(exponential.framework, "")
    exponent = function.spell(exponential.args[0], site)
    if not library or exponent is None or exponential not in site.value.args or not isinstance(site.node, ast.expr):
        return function.advice("expm1(x)")
    sign = "" if _formula(site.value) == "exp(x) - 1" else "-"
    text = f"{sign}{library}({exponent})"
    extra = function.unneeded(site.node, text)
    return function.rewrite(site.node, text, "expm1 keeps the digits of a small x", extra=extra)
