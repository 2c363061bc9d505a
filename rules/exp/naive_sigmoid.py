"""Logistic function written with exp overflows.

`exp(x) / (1 + exp(x))` is inf/inf = nan from x = 709.8 in float64, 88.7 in float32 and
11.1 in float16. `1 / (1 + exp(-x))` has the right value, since 1/inf is 0, but below
-709.8 NumPy warns, `math.exp` raises OverflowError, and a framework that differentiates
multiplies 0 by inf: the gradient is nan (from -88.7 in float32).

Cure
----
`scipy.special.expit(x)`, `torch.sigmoid`, `jax.nn.sigmoid`, `tf.sigmoid`; without any of
them `0.5 * (1 + tanh(0.5 * x))`, or for scalars the form with exp(-abs(x)) on each side
of zero.

When it is fine
---------------
The exponent is bounded above, as in a branch on the sign of x or after a clip. A
selection by `np.where` keeps the right branch but computes both, so the warning (and
the nan gradient) stays.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, ch. 1.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from numlint.facts.precision import exp_thresholds
from numlint.finding import Confidence, Rewrite, Severity
from numlint.function import Function
from numlint.graph.site import Site
from numlint.graph.terms import product, terms
from numlint.graph.value import Value
from numlint.graph.vocabulary import EXPONENTIALS
from numlint.rule import Example, Hazard

name = "naive-sigmoid"
code = "NL103"
triggers = EXPONENTIALS
signature = "nan"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import numpy as np

        def predict(X, w):
            score = np.exp(X @ w)
            return score / (1 + score)
        """,
        call="predict(np.array([[2000.0], [1.0]]), np.array([1.0]))",
        fixed="""
        import numpy as np
        from scipy.special import expit

        def predict(X, w):
            return expit(X @ w)
        """,
    ),
    Example(
        """
        import numpy as np

        def sigmoid(z):
            return 1.0 / (1.0 + np.exp(-z))
        """,
        call="sigmoid(np.array([-1000.0, 0.5]))",
        fixed="""
        import numpy as np
        from scipy.special import expit

        def sigmoid(z):
            return expit(z)
        """,
    ),
    Example(
        """
        import torch

        def gate(x, gain):
            return x / (1 + torch.exp(-gain * x))
        """,
        call="torch.autograd.functional.jacobian(lambda x: gate(x, 2.0), torch.tensor(-100.0))",
        fixed="""
        import torch

        def gate(x, gain):
            return x * torch.sigmoid(gain * x)
        """,
        requires="torch",
    ),
    Example(
        """
        from math import exp

        def probability(score, offset):
            return 1 / (1 + exp(-(score - offset)))
        """,
        call="probability(-1000.0, 0.0)",
    ),
    Example(
        """
        import numpy as np

        def slope(x):
            e = np.exp(-x)
            return e / (1 + e) ** 2
        """,
        call="slope(np.array([-1000.0, 1.0]))",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def sigmoid(z):
            out = np.empty_like(z)
            positive = z >= 0
            out[positive] = 1 / (1 + np.exp(-z[positive]))
            e = np.exp(z[~positive])
            out[~positive] = e / (1 + e)
            return out
        """,
        call="sigmoid(np.array([-1000.0, 1000.0]))",
        note="each side of zero has its own form: no exponent is positive",
    ),
    Example(
        """
        import math

        def sigmoid(x):
            if x >= 0:
                return 1 / (1 + math.exp(-x))
            e = math.exp(x)
            return e / (1 + e)
        """,
        call="[sigmoid(-1000.0), sigmoid(1000.0)]",
        note="the branch is taken on the sign",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def sigmoid(x):
            return 0.5 * (1 + np.tanh(0.5 * x))
        """,
        call="sigmoid(np.array([-1000.0, 1000.0]))",
        note="tanh saturates",
    ),
    Example(
        """
        import numpy as np

        def sigmoid(x):
            return np.where(x >= 0, 1.0, np.exp(-np.abs(x))) / (1 + np.exp(-np.abs(x)))
        """,
        call="sigmoid(np.array([-1000.0, 1000.0]))",
        note="-abs(x) is never positive",
    ),
    Example(
        """
        import numpy as np

        def sigmoid(x):
            return 1 / (1 + np.exp(-np.clip(x, -500, 500)))
        """,
        call="sigmoid(np.array([-1000.0, 1000.0]))",
        note="clipped below the overflow of float64",
    ),
]

LIBRARY = {
    "numpy": "scipy.special.expit",
    "torch": "torch.sigmoid",
    "jax": "jax.nn.sigmoid",
    "tensorflow": "tensorflow.sigmoid",
    "autograd": "autograd.scipy.special.expit",
}


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("div"):
        logistic = _logistic(site.value.args[1])
        if logistic is None:
            continue
        total, exponential = logistic.total, logistic.exponential
        exponent = exponential.args[0]
        overflow = function.exp_overflow(exponent, site)
        framework = exponential.framework or site.framework
        if overflow == "no" or (framework == "python" and site.catches("OverflowError", "ArithmeticError")):
            continue
        above = product(site.value.args[0]).numerator
        quotient = any(_overflows(function, site, factor) for factor in above)
        if quotient and not any(_is_related(factor, exponential) for factor in above):
            continue
        if framework == "python":
            level, failure, reason = Severity.ERROR, "overflow", "math.exp raises OverflowError"
        elif function.differentiates(site) and (overflow == "discarded" or not quotient):
            level, failure, reason = Severity.ERROR, "nan-gradient", "the gradient is 0 times inf, which is nan"
        elif overflow == "discarded" or not quotient:
            level, failure, reason = (
                Severity.NOTE,
                "overflow",
                "exp overflows with a RuntimeWarning; the value is right",
            )
        else:
            level, failure, reason = Severity.ERROR, "nan", "inf / inf is nan"
        yield Hazard(
            site,
            f"sigmoid written with exp: {reason}",
            threshold=exp_thresholds(framework),
            severity=level,
            signature=failure,
            origin=(exponential,),
            explains=(site.value, total, exponential),
            confidence=Confidence.LIKELY if logistic.usual or quotient else Confidence.POSSIBLE,
            rewrite=_rewrite(function, site, exponential, quotient),
        )


def _is_related(factor: Value, exponential: Value) -> bool:
    """Whether a factor above the fraction bar is an exponential of the same variable."""
    inner = factor.args[0].core if factor.op in ("square", "pow") else factor
    if inner.op != "exp":
        return False
    own = product(exponential.args[0]).numerator
    return any(value in own for value in product(inner.args[0]).numerator)


def _overflows(function: Function, site: Site, factor: Value) -> bool:
    """Whether a factor above the fraction bar is an exp, or a power of one, that can be infinite itself."""
    inner = factor.args[0].core if factor.op in ("square", "pow") else factor
    return inner.op == "exp" and function.exp_overflow(inner.args[0], site) != "no"


class _Logistic(NamedTuple):
    """A denominator ``c + a*exp(u)``; the usual one is ``1 + exp(u)`` with constants c and a."""

    total: Value
    exponential: Value
    usual: bool


def _logistic(below: Value) -> _Logistic | None:
    """Return the logistic factor of a denominator, of which a power may be taken."""
    for factor in product(below).numerator:
        total = factor.args[0].core if factor.op in ("square", "pow") else factor
        parts = terms(total)
        if len(parts) != 2 or any(part.sign < 0 for part in parts):
            continue
        for one, other in (parts, parts[::-1]):
            scale, above, denominator = product(other.value)
            exponentials = [inner for inner in above if inner.op == "exp"]
            if one.value.number is not None and scale > 0 and len(exponentials) == 1 and not denominator:
                return _Logistic(total, exponentials[0], one.value.number == 1 and len(above) == 1)
    return None


def _rewrite(function: Function, site: Site, exponential: Value, quotient: bool) -> Rewrite:
    """Edit for ``c*y / (1 + exp(u))`` and ``c*exp(u) / (1 + exp(u))``; advice for all that is more."""
    library = LIBRARY.get(exponential.framework, "")
    advice = function.advice(f"{library or 'a branch on the sign, with exp(-abs(x)) on both sides'}")
    above, below = site.value.args[0].core, site.value.args[1].core
    plain = (
        below is site.value.args[1]
        and below.op == "add"
        and {1.0, None} == {part.value.number for part in terms(below)}
        and exponential in below.args
    )
    if not library or not plain or not isinstance(site.node, ast.expr) or function.compiled:
        return advice
    exponent = exponential.args[0]
    if quotient and site.value.args[0] is exponential:
        logit = function.spell(exponent, site)
        return advice if logit is None else _replaced(function, site, f"{library}({logit})", exponential)
    logit = function.spell_negated(exponent, site)
    factor = function.operand(site.value.args[0], site)
    if quotient or logit is None or factor is None:
        return advice
    text = f"{library}({logit})" if above.number == 1 else f"{factor} * {library}({logit})"
    return _replaced(function, site, text, exponential)


def _replaced(function: Function, site: Site, text: str, exponential: Value) -> Rewrite:
    extra = function.unneeded(site.node, text)
    return function.rewrite(site.node, text, "the library's sigmoid does not overflow", extra=extra)
