"""Logarithm of a sum of exponentials without shifting by the maximum.

`log(sum(exp(x)))` is inf as soon as one x exceeds 709.8 in float64, 88.7 in float32 or
11.1 in float16, and log(0) = -inf when all lie below -745.1, -104.0 or -17.3, although
the result is always within log(n) of the largest x.

Cure
----
`scipy.special.logsumexp(x, axis)` (with `b=` for weights), `torch.logsumexp`,
`jax.nn.logsumexp`, `tf.reduce_logsumexp`; `np.logaddexp(a, b)` for two terms. By hand:
`m + log(sum(exp(x - m)))` with m the maximum of x.

When it is fine
---------------
The exponents are bounded on both sides, or shifted by their maximum. An epsilon inside
the logarithm prevents -inf, not inf, and biases the result.

References
----------
P. Blanchard, D. J. Higham, N. J. Higham, Accurately computing the log-sum-exp and
softmax functions, IMA J. Numer. Anal. 41 (2021), 2311-2330.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from numlint.facts.precision import exp_thresholds
from numlint.facts.relations import is_shifted_by_max
from numlint.finding import Confidence, Rewrite, Severity
from numlint.function import Function
from numlint.graph.exponentials import ExpSum, exp_sum
from numlint.graph.probability import as_softmax
from numlint.graph.site import Site
from numlint.graph.terms import terms
from numlint.graph.value import Value
from numlint.graph.vocabulary import EXPONENTIALS
from numlint.rule import Example, Hazard

name = "naive-logsumexp"
code = "NL102"
triggers = (*EXPONENTIALS, "log", "log2", "log10")
signature = "overflow"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import numpy as np

        def evidence(log_joint):
            return np.log(np.sum(np.exp(log_joint), axis=1))
        """,
        call="evidence(np.array([[0.0, 1000.0], [0.0, -1.0]]))",
        fixed="""
        import numpy as np
        from scipy.special import logsumexp

        def evidence(log_joint):
            return logsumexp(log_joint, axis=1)
        """,
    ),
    Example(
        """
        import torch

        def log_partition(scores):
            total = scores.exp().sum(dim=-1)
            return total.log()
        """,
        call="log_partition(torch.tensor([[0.0, 100.0]]))",
        fixed="""
        import torch

        def log_partition(scores):
            return torch.logsumexp(scores, -1)
        """,
        requires="torch",
    ),
    Example(
        """
        import numpy as np

        def log_of_either(a, b):
            return np.log(np.exp(a) + np.exp(b))
        """,
        call="log_of_either(-800.0, -801.0)",
        fixed="""
        import numpy as np

        def log_of_either(a, b):
            return np.logaddexp(a, b)
        """,
    ),
    Example(
        """
        import math

        def log_total(weights):
            total = 0.0
            for weight in weights:
                total += math.exp(weight)
            return math.log(total)
        """,
        call="log_total([1.0, 1000.0])",
    ),
    Example(
        """
        import math

        def log_total(weights):
            return math.log(sum(math.exp(weight) for weight in weights))
        """,
        call="log_total([-1000.0, -1001.0])",
        signature="underflow",
    ),
    Example(
        """
        import numpy as np

        def mixture(x, centres, shares):
            squares = (x[:, None] - centres[None, :]) ** 2
            return np.log((shares * np.exp(-0.5 * squares)).sum(axis=1))
        """,
        call="mixture(np.array([50.0]), np.array([0.0, 1.0]), np.array([0.5, 0.5]))",
    ),
    Example(
        """
        import numpy as np

        def log(x):
            return np.log(x + 1e-12)

        def free_energy(energies):
            partition = np.exp(-energies).sum()
            return -log(partition)
        """,
        call="free_energy(np.array([-1000.0, 1.0]))",
    ),
    Example(
        """
        import numpy as np

        def contrast(hit, others):
            return -np.log(np.exp(hit) / np.exp(others).sum(axis=1))
        """,
        call="contrast(np.array([900.0]), np.array([[900.0, 1.0]]))",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def log_sum_exp(x):
            peak = x.max(axis=1, keepdims=True)
            return peak[:, 0] + np.log(np.exp(x - peak).sum(axis=1))
        """,
        call="log_sum_exp(np.array([[0.0, 1000.0], [-1000.0, -1001.0]]))",
        note="shifted by the maximum: one term is exp(0)",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def soft_minimum(x):
            return -np.log(np.mean(np.exp(-np.clip(x, -50.0, 50.0))))
        """,
        call="soft_minimum(np.array([1000.0, -1000.0]))",
        note="clipped on both sides: exp neither overflows nor vanishes",
    ),
    Example(
        """
        import numpy as np

        def log_energy(x):
            return np.log(1.0 + np.exp(-(x**2)).sum())
        """,
        call="log_energy(np.array([1000.0]))",
        note="every exponent is negative, and 1 keeps the sum away from zero",
    ),
]


LOGARITHMS = ("log", "log2", "log10", "log1p")
LIBRARY = {
    "numpy": "scipy.special.logsumexp",
    "torch": "torch.logsumexp",
    "jax": "jax.nn.logsumexp",
    "tensorflow": "tensorflow.reduce_logsumexp",
    "autograd": "autograd.scipy.special.logsumexp",
}
PAIRWISE = {"numpy": "numpy", "torch": "torch", "jax": "jax.numpy", "autograd": "autograd.numpy"}


def check(function: Function) -> Iterator[Hazard]:
    own = {site.value for site in function.sites("exp")}
    composed = list(function.composed(*LOGARITHMS))
    for site in (*function.sites(*LOGARITHMS), *composed):
        found = exp_sum(site.value.args[0], function.body.analysis.carried)
        if found is None or not found.summed or as_softmax(site.value.args[0].core) is not None:
            continue
        if site in composed and own.isdisjoint(found.values):
            continue  # a helper's own exponentials are found where it is defined
        framework = found.values[0].framework or site.framework
        caught = framework == "python" and site.catches("OverflowError", "ArithmeticError")
        overflows = not caught and any(function.exp_overflow(value.args[0], site) == "yes" for value in found.values)
        if not overflows and not _vanishes(function, site, found):
            continue
        if framework == "python":
            reason = "math.exp raises OverflowError, or all terms vanish and log(0) is an error"
        elif overflows:
            reason = "exp overflows to inf, and far below zero all terms vanish"
        else:
            reason = "far below zero all terms vanish, and log(0) is -inf"
        yield Hazard(
            site,
            f"log of a sum of exponentials without shifting by the maximum: {reason}",
            confidence=Confidence.POSSIBLE if _added_back(function, site, found) else Confidence.LIKELY,
            threshold=exp_thresholds(framework),
            signature="overflow" if overflows else "underflow",
            origin=found.values[:2],
            explains=(site.value, site.value.args[0].core, *found.totals, *found.values),
            rewrite=_rewrite(function, site),
        )


def _vanishes(function: Function, site: Site, found: ExpSum) -> bool:
    """Whether all terms can underflow, so that the logarithm is that of zero."""
    if site.value.op == "log1p" or not function.range(site.value.args[0], site).can_be_zero:
        return False
    for value in found.values:
        exponent = value.args[0].core
        lowest = function.format(exponent, site).exp_underflow
        if function.range(exponent, site).lo >= lowest or is_shifted_by_max(exponent):
            return False
        if exponent.op == "sub" and exponent.args[1].core.op in ("maximum", "max"):
            return False
    return True


def _added_back(function: Function, site: Site, found: ExpSum) -> bool:
    """Whether what is subtracted from the exponents is added to the result: a shift, if not one by the maximum."""
    shifts = [value.args[0].core.args[1].core for value in found.values if value.args[0].core.op == "sub"]
    if len(shifts) != len(found.values):
        return False
    totals = [user for user in function.uses.of(site.value) if user.op == "add"]
    return any(shift in [part.value for part in terms(total)] for total in totals for shift in shifts)


def _rewrite(function: Function, site: Site) -> Rewrite:
    total = site.value.args[0].core
    exponential = total.args[0].core if total.op == "sum" else None
    plain = site.value.op == "log" and site.value.args[0] is total and isinstance(site.node, ast.expr)
    if plain and total.op == "add" and {argument.op for argument in total.args} == {"exp"}:
        return _pairwise(function, site, total)
    if not plain or exponential is None or exponential.op != "exp" or total.args[0] is not exponential:
        return function.advice("logsumexp; weights go into its argument b, or as their logarithms into the exponents")
    library = LIBRARY.get(exponential.framework, "")
    axis = 0 if total.framework == "python" else total.attr("axis")  # the built-in sum adds along the first axis
    text = function.spell(exponential.args[0], site)
    if not library or text is None or isinstance(axis, Value):
        return function.advice(f"{library or 'logsumexp by hand'}: shift by the maximum before exp")
    keeps = total.attr("keepdims") is True
    if library == "torch.logsumexp":
        flat = function.operand(exponential.args[0], site)
        text = f"{text}, {axis!r}" if axis is not None else f"{flat}.flatten(), 0"
    elif axis is not None:
        text = f"{text}, axis={axis!r}"
    if keeps:
        text += ", keepdim=True" if library == "torch.logsumexp" else ", keepdims=True"
    return function.rewrite(
        site.node,
        f"{library}({text})",
        "logsumexp shifts by the maximum",
        extra=function.unneeded(site.node, text),
    )


def _pairwise(function: Function, site: Site, total: Value) -> Rewrite:
    library = PAIRWISE.get(site.framework, "")
    texts = [function.spell(argument.args[0], site) for argument in total.args]
    if not library or None in texts:
        return function.advice("logaddexp(a, b)")
    text = f"{library}.logaddexp({', '.join(map(str, texts))})"
    extra = function.unneeded(site.node, text)
    return function.rewrite(site.node, text, "logaddexp takes the larger exponent out", extra=extra)
