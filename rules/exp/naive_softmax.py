"""Softmax written as exp(z) / sum(exp(z)) overflows.

`exp(z)` is infinite from z = 709.8 in float64, 88.7 in float32 and 11.1 in float16;
then numerator and denominator are both infinite and the quotient is nan. When all
entries are below -745 (float64) or -104 (float32), both underflow and 0/0 is nan.

Cure
----
`scipy.special.softmax(z, axis)`, `torch.softmax`, `jax.nn.softmax`, `tf.nn.softmax`;
or subtract the maximum first: `z - z.max(axis, keepdims=True)`. The result is the
same in exact arithmetic, since the factor exp(-max) cancels.

When it is fine
---------------
The argument is bounded: shifted by its maximum, clipped on both sides of the
fraction, the output of a tanh or sigmoid, or never positive with one zero entry.

References
----------
P. Blanchard, D. J. Higham, N. J. Higham, Accurately computing the log-sum-exp and
softmax functions, IMA J. Numer. Anal. 41 (2021), 2311-2330.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from numlint.facts.precision import exp_thresholds
from numlint.finding import Confidence, Rewrite, Safety, Severity
from numlint.function import Function
from numlint.graph.exponentials import exp_sum
from numlint.graph.probability import selected_from
from numlint.graph.site import Site
from numlint.graph.terms import product
from numlint.graph.value import Value
from numlint.graph.vocabulary import EXPONENTIALS
from numlint.rule import Example, Hazard

name = "naive-softmax"
code = "NL101"
triggers = (*EXPONENTIALS, "sum", "reduce_sum")
signature = "nan"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import numpy as np

        def softmax(z):
            e = np.exp(z)
            return e / e.sum(axis=-1, keepdims=True)
        """,
        call="softmax(np.array([0.0, 1000.0]))",
        fixed="""
        import numpy as np
        import scipy.special

        def softmax(z):
            return scipy.special.softmax(z, axis=-1)
        """,
    ),
    Example(
        """
        import torch

        def attention(scores):
            weights = scores.exp()
            return weights / weights.sum(dim=1, keepdim=True)
        """,
        call="attention(torch.tensor([[0.0, 100.0]]))",
        fixed="""
        import torch

        def attention(scores):
            return torch.softmax(scores, 1)
        """,
        requires="torch",
    ),
    Example(
        """
        import numpy as np

        def normalise(z):
            e = np.exp(z)
            e /= np.sum(e, axis=1, keepdims=True)
            return e
        """,
        call="normalise(np.array([[0.0, 1000.0]]))",
        fixed="""
        import numpy as np
        from scipy.special import softmax

        def normalise(z):
            e = softmax(z, axis=1)
            return e
        """,
    ),
    Example(
        """
        from math import exp

        def softmax(scores):
            total = 0.0
            for score in scores:
                total += exp(score)
            return [exp(score) / total for score in scores]
        """,
        call="softmax([-1000.0, -1001.0])",
    ),
    Example(
        """
        import numpy as np

        def preference(a, b, skill):
            return np.exp(skill[a]) / (np.exp(skill[a]) + np.exp(skill[b]))
        """,
        call="preference(0, 1, np.array([800.0, 1.0]))",
    ),
    Example(
        """
        import numpy as np

        def attend(scores, mask):
            weights = np.exp(scores) * mask
            return weights / (weights.sum(axis=-1, keepdims=True) + 1e-9)
        """,
        call="attend(np.array([[0.0, 1000.0]]), np.array([[1.0, 1.0]]))",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def softmax(z):
            e = np.exp(z - z.max(axis=-1, keepdims=True))
            return e / e.sum(axis=-1, keepdims=True)
        """,
        call="softmax(np.array([0.0, 1000.0]))",
        note="shifted by the maximum: the largest exponent is 0",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def weights(z):
            e = np.exp(np.tanh(z))
            return e / e.sum(axis=-1, keepdims=True)
        """,
        call="weights(np.array([0.0, 1000.0]))",
        note="tanh bounds the argument by 1",
    ),
    Example(
        """
        import numpy as np

        def kernel_weights(x, centres, width):
            weights = np.exp(-((x - centres) ** 2) / width)
            return weights / (weights.sum() + 1e-12)
        """,
        call="kernel_weights(1000.0, np.array([0.0, 1.0]), 2.0)",
        note="no exponent is positive, and the epsilon keeps the sum from zero",
    ),
]

LIBRARY = {
    "numpy": "scipy.special.softmax",
    "torch": "torch.softmax",
    "jax": "jax.nn.softmax",
    "tensorflow": "tensorflow.nn.softmax",
}


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("div"):
        below = exp_sum(site.value.args[1], function.body.analysis.carried)
        if below is None or not below.summed:
            continue
        for exponential in _above(site.value.args[0]):
            if not any(_same_family(exponential, other) for other in below.values):
                continue
            framework = exponential.framework or site.framework
            overflow = function.exp_overflow(exponential.args[0], site)
            one_shift = overflow == "no" and _is_shifted_by_one_number(exponential.args[0], site.value.args[1])
            caught = framework == "python" and site.catches("OverflowError", "ArithmeticError")
            if (overflow != "yes" and not one_shift) or caught:
                continue
            failure = "math.exp raises OverflowError" if framework == "python" else "exp overflows and inf/inf is nan"
            if one_shift:
                failure = "shifted by one maximum for all rows: in a row far below it all terms vanish, and 0/0 is nan"
            kinds = {source.kind for source in function.sources(exponential.args[0], site)}
            yield Hazard(
                site,
                f"softmax without shifting by the maximum: {failure}" if not one_shift else f"softmax {failure}",
                confidence=Confidence.POSSIBLE if one_shift or "logarithm" in kinds else Confidence.LIKELY,
                threshold=exp_thresholds(framework),
                origin=(exponential,),
                explains=(site.value, *below.totals, *below.values, exponential),
                rewrite=_rewrite(function, site, exponential),
            )
            break


def _above(value: Value) -> Iterator[Value]:
    """Exponentials that are factors of a numerator, selected elements included."""
    for factor in product(value).numerator:
        inner = selected_from(factor)
        for candidate in (inner, inner.args[0].core) if inner.op == "comprehension" else (inner,):
            if candidate.op == "exp":
                yield candidate


def _same_family(one: Value, other: Value) -> bool:
    """Whether two exponentials are the same, or one is taken at an element of what the other is taken of."""
    return one is other or _origin(one.args[0]) is _origin(other.args[0])


def _origin(value: Value) -> Value:
    inner = selected_from(value)
    while inner.op == "element":
        inner = selected_from(inner.args[0])
    return inner


def _is_shifted_by_one_number(exponent: Value, below: Value) -> bool:
    """Whether the maximum over everything is subtracted although the sum goes along an axis."""
    inner, total = exponent.core, below.core
    if inner.op != "sub" or inner.args[1].core.op != "max" or total.op != "sum":
        return False
    return inner.args[1].core.attr("axis") is None and total.attr("axis") not in (None, 0)


def _rewrite(function: Function, site: Site, exponential: Value) -> Rewrite:
    above, total = site.value.args[0], site.value.args[1].core
    library = LIBRARY.get(exponential.framework, "")
    text = function.spell(exponential.args[0], site)
    axis = total.attr("axis")
    plain = above is exponential and total.op == "sum" and total.args[0] is exponential and total.framework != "python"
    if not library or text is None or not plain or isinstance(axis, Value):
        return function.advice(f"{library or 'softmax'}, or subtract the maximum before exp")
    if axis is None and library in ("torch.softmax", "tensorflow.nn.softmax"):
        return function.advice(f"{library} over the axis that is summed")
    word = "" if library == "torch.softmax" else "axis="
    arguments = text if axis is None and exponential.framework == "numpy" else f"{text}, {word}{axis!r}"
    keeps = total.attr("keepdims") is True or axis is None
    place, extra = site.node, function.unneeded(site.node, arguments)
    if isinstance(site.node, ast.AugAssign):
        first, deletion = _assignment_before(function, site.node, exponential), function.deletion(site.node)
        if first is None or deletion is None:
            return function.advice(library)
        place, extra = first, (deletion,)
    return function.rewrite(
        place,
        f"{library}({arguments})",
        f"{library} shifts by the maximum",
        safety=Safety.SAFE if keeps else Safety.UNSAFE,
        reason="" if keeps else "the sum drops its axis: the original broadcasts differently",
        extra=extra,
    )


def _assignment_before(function: Function, node: ast.AugAssign, exponential: Value) -> ast.expr | None:
    """Return the right-hand side of ``e = exp(z)`` when it stands right before ``e /= ...``."""
    block = getattr(function.parent(node), "body", [])
    before = block[block.index(node) - 1] if node in block[1:] else None
    if not isinstance(before, ast.Assign) or function.body.nodes.get(before.value) is not exponential:
        return None
    names = [target.id for target in before.targets if isinstance(target, ast.Name)]
    return before.value if names == [getattr(node.target, "id", "")] else None
