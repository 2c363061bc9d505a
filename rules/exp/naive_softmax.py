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

from collections.abc import Iterator

from numlint.facts.precision import exp_thresholds
from numlint.finding import Rewrite, Safety, Severity
from numlint.function import Function
from numlint.graph.site import Site
from numlint.graph.value import Value
from numlint.graph.vocabulary import EXPONENTIALS
from numlint.rule import Example, Hazard

name = "naive-softmax"
code = "NL101"
triggers = EXPONENTIALS
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
]

LIBRARY = {"torch": "torch.softmax", "jax": "jax.nn.softmax", "tensorflow": "tensorflow.nn.softmax"}


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("div"):
        above, below = (argument.core for argument in site.value.args)
        total = below.args[0].core if below.op == "sum" else None
        if above.op != "exp" or total is not above:
            continue
        logits = above.args[0]
        known = function.range(logits, site)
        if known.hi <= function.format(above, site).exp_overflow and (known.lo >= -80 or known.hi <= 0):
            continue
        yield Hazard(
            site,
            "softmax without shifting by the maximum: exp overflows and inf/inf is nan",
            threshold=exp_thresholds(site.framework),
            origin=(above,),
            explains=(site.value, above, below),
            rewrite=_rewrite(function, site, logits, below),
        )


def _rewrite(function: Function, site: Site, logits: Value, total: Value) -> Rewrite:
    library = LIBRARY.get(site.framework, "scipy.special.softmax")
    text = function.spell(logits, site)
    axis = total.attr("axis")
    if text is None or isinstance(axis, Value):
        return function.advice(f"{library}, or subtract the maximum before exp")
    if axis is None and library == "torch.softmax":
        return function.advice("torch.softmax over the axis that is summed")
    arguments = f"{text}, {axis}" if library == "torch.softmax" else f"{text}, axis={axis}" if axis is not None else text
    keeps = total.attr("keepdims") is True or axis is None
    extra = tuple(
        edit
        for node, value in function.body.nodes.items()
        if value.core is site.value.args[0].core and (edit := function.removal(function.statement(node), site.node)) is not None
    )
    return function.rewrite(
        site.node,
        f"{library}({arguments})",
        f"{library} shifts by the maximum",
        safety=Safety.SAFE if keeps else Safety.UNSAFE,
        reason="" if keeps else "the sum drops its axis: the original broadcasts differently",
        extra=extra[:1],
    )
