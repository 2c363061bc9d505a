"""Hyperbolic tangent or sine written with exp.

`(exp(x) - exp(-x)) / (exp(x) + exp(-x))` is inf/inf = nan from |x| = 709.8 in float64,
88.7 in float32 and 11.1 in float16, where tanh is 1. Near zero all forms cancel, and
`2 / (1 + exp(-2*x)) - 1` is the worst in disguise: nothing overflows visibly, but below
x = 1e-16 (float64) and 6e-8 (float32) the result is 0 instead of x. So it is with
`exp(x) - exp(-x)` for twice the hyperbolic sine.

Cure
----
`tanh(x)` and `sinh(x)`, in NumPy, math, PyTorch, JAX and TensorFlow alike;
`tanh(x / 2)` for `2 * sigmoid(x) - 1`.

When it is fine
---------------
`exp(x) + exp(-x)` alone, twice the hyperbolic cosine, has no cancellation, and overflows
where its value does.

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
from numlint.graph.terms import one_plus, product, terms
from numlint.graph.value import Value
from numlint.graph.vocabulary import EXPONENTIALS
from numlint.rule import Example, Hazard

name = "naive-tanh"
code = "NL110"
triggers = (*EXPONENTIALS, "sigmoid", "expit")
signature = "cancellation"
severity = Severity.WARNING

BAD = [
    Example(
        """
        import numpy as np

        def tanh(x):
            return (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))
        """,
        call="tanh(np.array([0.5, 1000.0]))",
        fixed="""
        import numpy as np

        def tanh(x):
            return np.tanh(x)
        """,
    ),
    Example(
        """
        import numpy as np

        def squash(x):
            e = np.exp(2 * x)
            return (e - 1) / (e + 1)
        """,
        call="squash(np.array([0.5, 1000.0]))",
        fixed="""
        import numpy as np

        def squash(x):
            return np.tanh(x)
        """,
    ),
    Example(
        """
        import numpy as np

        def squash(x):
            return 2 / (1 + np.exp(-2 * x)) - 1
        """,
        call="squash(np.array([1e-17, 0.5]))",
        fixed="""
        import numpy as np

        def squash(x):
            return np.tanh(x)
        """,
    ),
    Example(
        """
        import torch

        def centred(logits):
            return 2 * torch.sigmoid(logits) - 1
        """,
        call="centred(torch.tensor([1e-9]))",
        fixed="""
        import torch

        def centred(logits):
            return torch.tanh(0.5 * logits)
        """,
        requires="torch",
    ),
    Example(
        """
        from math import exp

        def curve(x):
            return (exp(x) - exp(-x)) / 2
        """,
        call="curve(1e-17)",
        fixed="""
        from math import sinh, exp

        def curve(x):
            return sinh(x)
        """,
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def squash(x):
            return np.tanh(x)
        """,
        call="squash(np.array([1e-17, 1000.0]))",
        note="tanh saturates, and is odd near zero",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def catenary(x):
            return 0.5 * (np.exp(x) + np.exp(-x))
        """,
        call="catenary(np.array([1e-17, 700.0]))",
        note="a sum of two positive numbers: no cancellation",
    ),
]

LIBRARY = {
    "numpy": "numpy",
    "python": "math",
    "torch": "torch",
    "jax": "jax.numpy",
    "tensorflow": "tensorflow",
    "autograd": "autograd.numpy",
}


class _Hyperbolic(NamedTuple):
    """A hyperbolic function: its name, its argument as ``scale * value``, and the values that it is made of."""

    function: str
    scale: float
    value: Value
    parts: tuple[Value, ...]


def check(function: Function) -> Iterator[Hazard]:
    covered: set[int] = set()
    for site in function.sites("div", "mul", "sub", "add"):
        found = _quotient(site.value) or _shifted(site.value) or _sine(site.value)
        if found is None or site.value.id in covered:
            continue
        covered.update(part.id for part in found.parts)
        exponentials = [part for part in found.parts if part.op == "exp"]
        overflows = [part for part in exponentials if function.exp_overflow(part.args[0], site) == "yes"]
        quotient = site.value.op == "div" and found.function == "tanh" and bool(overflows)
        by_library = any(factor.op == "sigmoid" for part in found.parts for factor in product(part).numerator)
        yield Hazard(
            site,
            f"{found.function} written with {'a sigmoid' if by_library else 'exp'}: "
            f"{'inf / inf is nan, and ' if quotient else ''}near zero it cancels",
            confidence=Confidence.POSSIBLE if by_library else Confidence.LIKELY,
            severity=Severity.ERROR if quotient else Severity.NOTE if by_library else None,
            signature="nan" if quotient else signature,
            threshold=exp_thresholds(site.framework)
            if quotient
            else "0 instead of x below 1e-16 in float64, 6e-8 in float32",
            explains=(site.value, *found.parts),
            rewrite=_rewrite(function, site, found),
        )


def _quotient(value: Value) -> _Hyperbolic | None:
    """Match ``(exp(a) - exp(b)) / (exp(a) + exp(b))``, where one exponential may be 1."""
    if value.op != "div":
        return None
    above, below = value.args[0].core, value.args[1].core
    upper, lower = terms(above), terms(below)
    if (
        len(upper) != 2
        or {part.value for part in upper} != {part.value for part in lower}
        or upper[0].sign == upper[1].sign
    ):
        return None
    if any(part.sign < 0 for part in lower):
        return None
    positive, negative = sorted(upper, key=lambda part: -part.sign)
    exponents = _difference(positive.value, negative.value)
    if exponents is None:
        return None
    parts = (above, below, positive.value, negative.value)
    return _Hyperbolic("tanh", exponents[0] / 2, exponents[1], parts)


def _difference(one: Value, other: Value) -> tuple[float, Value] | None:
    """Return ``a - b`` as scale and value, for ``exp(a)`` and ``exp(b)`` with b = -a, or one of them 1."""
    if one.op == "exp" and other.number == 1:
        return _scaled(one.args[0])
    if other.op == "exp" and one.number == 1:
        scale, value = _scaled(other.args[0])
        return -scale, value
    if one.op == "exp" and other.op == "exp":
        (scale, value), (opposite, same) = _scaled(one.args[0]), _scaled(other.args[0])
        return (2 * scale, value) if same is value and scale == -opposite else None
    return None


def _scaled(exponent: Value) -> tuple[float, Value]:
    """Split an exponent into a constant and a value."""
    scale, above, below = product(exponent)
    return (scale, above[0]) if len(above) == 1 and not below else (1.0, exponent)


def _shifted(value: Value) -> _Hyperbolic | None:
    """Match ``2 / (1 + exp(-u)) - 1``, ``2 * sigmoid(u) - 1`` and their negatives."""
    parts = terms(value)
    if value.op not in ("sub", "add") or len(parts) != 2 or parts[0].sign == parts[1].sign:
        return None
    for one, other in (parts, parts[::-1]):
        scale, above, below = product(other.value)
        if one.value.number not in (1, -1) or scale != 2:
            continue
        if len(above) == 1 and not below and above[0].op == "sigmoid":
            factor, inner = _scaled(above[0].args[0])
            return _Hyperbolic("tanh", other.sign * factor / 2, inner, (other.value,))
        exponential = one_plus(below[0]) if not above and len(below) == 1 else None
        if exponential is not None and exponential.op == "exp":
            factor, inner = _scaled(exponential.args[0])
            return _Hyperbolic("tanh", -other.sign * factor / 2, inner, (other.value, below[0], exponential))
    return None


def _sine(value: Value) -> _Hyperbolic | None:
    """Match ``(exp(a) - exp(-a)) / 2``, with any constant."""
    scale, above, below = product(value)
    if len(above) != 1 or below or above[0].op != "sub" or scale != 0.5:
        return None
    one, other = (argument.core for argument in above[0].args)
    exponents = _difference(one, other) if one.op == other.op == "exp" else None
    return None if exponents is None else _Hyperbolic("sinh", exponents[0] / 2, exponents[1], (above[0], one, other))


def _rewrite(function: Function, site: Site, found: _Hyperbolic) -> Rewrite:
    library = LIBRARY.get(site.framework, "")
    text = function.spell(found.value, site) if found.scale == 1 else function.operand(found.value, site)
    plain = all(
        part.op not in ("view", "transpose", "cast") for argument in site.value.args for part in argument.walk(6)
    )
    if not library or text is None or not plain or not isinstance(site.node, ast.expr):
        return function.advice(f"{found.function}(x)")
    argument = {1.0: text, -1.0: f"-{text}"}.get(found.scale, f"{found.scale!r} * {text}")
    extra = function.unneeded(site.node, argument)
    return function.rewrite(
        site.node, f"{library}.{found.function}({argument})", f"the library's {found.function}", extra=extra
    )
