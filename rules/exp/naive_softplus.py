"""Softplus log(1 + exp(x)) overflows where it is nearly x.

`exp(x)` is infinite from x = 709.8 in float64, 88.7 in float32 and 11.1 in float16, and
so is the result, which should be x. On the other side 1 + exp(x) is 1: from x = -36.7
(float64) and -16.6 (float32) downward the result is 0 instead of exp(x). `log1p(exp(x))`
mends only the negative side. The logistic loss `log(1 + exp(-y * f))` is the same formula.

Cure
----
`np.logaddexp(0, x)`, `torch.nn.functional.softplus(x)`, `jax.nn.softplus(x)`,
`tf.nn.softplus(x)`; for scalars `max(x, 0) + log1p(exp(-abs(x)))`.

When it is fine
---------------
The exponent is bounded above, as in `log1p(exp(-abs(x)))` or after a clip. A selection
such as `np.where(x > 30, x, log1p(exp(x)))` keeps the right values in NumPy, and warns;
in a framework that differentiates, the branch that is not selected makes the gradient nan.

References
----------
M. Maechler, Accurately computing log(1 - exp(-|a|)), vignette of the R package Rmpfr, 2012.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from numlint.facts.precision import exp_thresholds
from numlint.finding import Rewrite, Severity
from numlint.function import Function
from numlint.graph.site import Site
from numlint.graph.terms import terms
from numlint.graph.value import Value
from numlint.graph.vocabulary import EXPONENTIALS
from numlint.rule import Example, Hazard

name = "naive-softplus"
code = "NL104"
triggers = (*EXPONENTIALS, "log", "log1p")
signature = "overflow"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import numpy as np

        def softplus(x):
            return np.log(1 + np.exp(x))
        """,
        call="softplus(np.array([-1.0, 1000.0]))",
        fixed="""
        import numpy as np

        def softplus(x):
            return np.logaddexp(0, x)
        """,
    ),
    Example(
        """
        import numpy as np

        def logistic_loss(w, X, y):
            margins = y * (X @ w)
            growth = np.exp(-margins)
            return np.mean(np.log1p(growth))
        """,
        call="logistic_loss(np.array([1.0]), np.array([[2000.0]]), np.array([-1.0]))",
        fixed="""
        import numpy as np

        def logistic_loss(w, X, y):
            margins = y * (X @ w)
            return np.mean(np.logaddexp(0, -margins))
        """,
    ),
    Example(
        """
        import torch

        def goodness_loss(positive, negative):
            return torch.log1p(torch.exp(torch.cat([-positive, negative]))).mean()
        """,
        call="goodness_loss(torch.tensor([1.0]), torch.tensor([100.0]))",
        fixed="""
        import torch

        def goodness_loss(positive, negative):
            return torch.nn.functional.softplus(torch.cat([-positive, negative])).mean()
        """,
        requires="torch",
    ),
    Example(
        """
        import torch

        def softplus(x):
            return torch.where(x > 20, x, (x.exp() + 1).log())
        """,
        call="torch.autograd.functional.jacobian(softplus, torch.tensor(100.0))",
        fixed="""
        import torch

        def softplus(x):
            return torch.where(x > 20, x, torch.nn.functional.softplus(x))
        """,
        requires="torch",
    ),
    Example(
        """
        import math

        def cost(score):
            return math.log(1.0 + math.exp(score))
        """,
        call="cost(1000.0)",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def softplus(x):
            return np.logaddexp(0, x)
        """,
        call="softplus(np.array([-1000.0, 1000.0]))",
        note="the larger of the two exponents is taken out",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def softplus(x):
            return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
        """,
        call="softplus(np.array([-1000.0, 1000.0]))",
        note="the exponent is never positive, and log1p keeps its digits",
    ),
    Example(
        """
        import math

        def softplus(x):
            return x if x > 35 else math.log1p(math.exp(x))
        """,
        call="[softplus(-1000.0), softplus(1000.0)]",
        note="the branch is taken before exp is computed",
    ),
]

LIBRARY = {
    "numpy": "numpy.logaddexp(0, {})",
    "cupy": "cupy.logaddexp(0, {})",
    "torch": "torch.nn.functional.softplus({})",
    "jax": "jax.nn.softplus({})",
    "tensorflow": "tensorflow.nn.softplus({})",
    "autograd": "autograd.numpy.logaddexp(0, {})",
}


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("log", "log1p", "log2", "log10"):
        found = _softplus(site.value)
        if found is None:
            continue
        total, exponential = found
        overflow = function.exp_overflow(exponential.args[0], site)
        framework = exponential.framework or site.framework
        if overflow == "no" or (framework == "python" and site.catches("OverflowError", "ArithmeticError")):
            continue
        level, failure, reason = Severity.ERROR, "overflow", "exp overflows where the result is nearly its exponent"
        if overflow == "discarded" and function.differentiates(site):
            failure, reason = (
                "nan-gradient",
                "exp overflows in the branch that is not selected, and the gradient is nan",
            )
        elif overflow == "discarded":
            level, reason = Severity.NOTE, "exp overflows, with a warning, in the branch that is not selected"
        yield Hazard(
            site,
            f"softplus written with exp: {reason}",
            threshold=exp_thresholds(framework),
            severity=level,
            signature=failure,
            origin=(exponential,),
            explains=(site.value, total, exponential),
            rewrite=_rewrite(function, site, exponential),
        )


def _softplus(value: Value) -> tuple[Value, Value] | None:
    """Return the argument of the logarithm and ``exp(x)`` of ``log(c + exp(x))`` or ``log1p(exp(x))``."""
    total = value.args[0].core
    if value.op == "log1p":
        return (total, total) if total.op == "exp" else None
    parts = terms(total)
    if len(parts) != 2 or any(part.sign < 0 for part in parts):
        return None
    for one, other in (parts, parts[::-1]):
        if one.value.number is not None and other.value.op == "exp":
            return total, other.value
    return None


def _rewrite(function: Function, site: Site, exponential: Value) -> Rewrite:
    template = LIBRARY.get(exponential.framework, "")
    inside = site.value.args[0]
    exact = inside is exponential if site.value.op == "log1p" else site.value.op == "log" and exponential in inside.args
    exact = exact and {part.value.number for part in terms(inside)} <= {1.0, None}
    exponent = function.spell(exponential.args[0], site)
    if not template or not exact or exponent is None or not isinstance(site.node, ast.expr):
        return function.advice("max(x, 0) + log1p(exp(-abs(x)))")
    text = template.format(exponent)
    return function.rewrite(
        site.node,
        text,
        f"{text.partition('(')[0].rpartition('.')[2]} takes the larger exponent out",
        extra=function.unneeded(site.node, text),
    )
