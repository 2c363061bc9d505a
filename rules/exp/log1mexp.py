"""log(1 - exp(-x)) is -inf for small x.

For small x the exponential is nearly 1, and the difference keeps only what the rounding
of exp(-x) left: half of the digits are gone below x = 1e-10 in float64 and 4e-6 in
float32, and below 5e-17 and 3e-8 the result is -inf instead of log(x). `log1p(-exp(-x))`
has the same defect: it cures large x, where log(1 - tiny) would be 0.

Cure
----
`log(-expm1(-x))` for x below log(2), `log1p(-exp(-x))` above it.

When it is fine
---------------
x is known to be larger than log(2), by a mask or a bound, and log1p is used.

References
----------
M. Maechler, Accurately computing log(1 - exp(-|a|)), vignette of the R package Rmpfr, 2012.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from numlint.finding import Confidence, Rewrite, Severity
from numlint.function import Function
from numlint.graph.site import Site
from numlint.graph.terms import negated, one_minus
from numlint.graph.value import Value
from numlint.graph.vocabulary import EXPONENTIALS
from numlint.rule import Example, Hazard

name = "log1mexp"
code = "NL108"
triggers = EXPONENTIALS
signature = "cancellation"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import numpy as np

        def log_failure(hazard):
            return np.log(1 - np.exp(-hazard))
        """,
        call="log_failure(np.array([1e-17, 1.0]))",
        fixed="""
        import numpy as np

        def log_failure(hazard):
            return np.log(-np.expm1(-hazard))
        """,
    ),
    Example(
        """
        import torch

        def log_complement(log_p):
            p = log_p.exp()
            return (1 - p).log()
        """,
        call="log_complement(torch.tensor([-1e-9]))",
        fixed="""
        import torch

        def log_complement(log_p):
            return torch.log(-torch.expm1(log_p))
        """,
        requires="torch",
    ),
    Example(
        """
        import math

        def log_complement(log_p):
            return math.log1p(-math.exp(log_p))
        """,
        call="log_complement(-1e-17)",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def log_failure(hazard):
            rare = np.minimum(hazard, np.log(2))
            frequent = np.maximum(hazard, np.log(2))
            return np.where(hazard < np.log(2), np.log(-np.expm1(-rare)), np.log1p(-np.exp(-frequent)))
        """,
        call="log_failure(np.array([1e-17, 1.0, 800.0]))",
        note="each side of log(2) has its own formula",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def log_survival(t):
            return np.log1p(-np.exp(-np.maximum(t, 1.0)))
        """,
        call="log_survival(np.array([0.0, 800.0]))",
        note="exp(-t) stays away from 1",
    ),
]

NEAR = -0.69
"""log(2): where Maechler changes from expm1 to log1p."""

LIBRARY = {
    "numpy": ("numpy.log", "numpy.expm1"),
    "python": ("math.log", "math.expm1"),
    "torch": ("torch.log", "torch.expm1"),
    "jax": ("jax.numpy.log", "jax.numpy.expm1"),
    "tensorflow": ("tensorflow.math.log", "tensorflow.math.expm1"),
    "autograd": ("autograd.numpy.log", "autograd.numpy.expm1"),
}


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("log", "log1p"):
        inside = site.value.args[0]
        exponential = one_minus(inside) if site.value.op == "log" else negated(inside)
        if exponential is None or exponential.core.op != "exp":
            continue
        exponential = exponential.core
        exponent = exponential.args[0]
        known = function.range_kept(exponent, site) or function.range(exponent, site)
        if known.hi <= NEAR or known.lo > 0:
            continue
        cured_for_large = site.value.op == "log1p"
        yield Hazard(
            site,
            "log(1 - exp(-x)) cancels for small x, down to log(0)",
            confidence=Confidence.POSSIBLE if cured_for_large else Confidence.LIKELY,
            severity=Severity.WARNING if cured_for_large else None,
            threshold="-inf below x = 5e-17 in float64, 3e-8 in float32",
            origin=(exponential,),
            explains=(site.value, inside.core, exponential),
            rewrite=_rewrite(function, site, exponential),
        )


def _rewrite(function: Function, site: Site, exponential: Value) -> Rewrite:
    library = LIBRARY.get(exponential.framework)
    exponent = function.spell(exponential.args[0], site)
    plain = site.value.op == "log" and exponential in site.value.args[0].args
    if not plain or library is None or exponent is None or not isinstance(site.node, ast.expr):
        return function.advice("log(-expm1(-x)) below x = log(2), log1p(-exp(-x)) above it")
    logarithm, expm1 = library
    return function.rewrite(
        site.node,
        f"{logarithm}(-{expm1}({exponent}))",
        "expm1 keeps the digits of a small x; for large x too, select log1p(-exp(-x)) from log(2) on",
        extra=function.unneeded(site.node, exponent),
    )
