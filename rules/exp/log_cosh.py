"""log(cosh(x)) overflows where it is nearly |x|.

`cosh(x)` is infinite from |x| = 710.5 in float64, 89.4 in float32 and 11.8 in float16, and
with it the logarithm, whose value there is |x| - log(2). A single outlier makes the
log-cosh loss, which is meant to bear outliers, infinite and its gradient nan.

Cure
----
`np.logaddexp(x, -x) - np.log(2)`; `torch.logaddexp`, `jax.numpy.logaddexp` likewise; or
`abs(x) + log1p(exp(-2 * abs(x))) - log(2)`.

When it is fine
---------------
The argument is bounded.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, ch. 1.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from numlint.finding import Rewrite, Safety, Severity
from numlint.function import Function
from numlint.graph.site import Site
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "log-cosh"
code = "NL111"
triggers = ("cosh",)
signature = "overflow"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import numpy as np

        def loss(error):
            return np.mean(np.log(np.cosh(error)))
        """,
        call="loss(np.array([0.5, 1000.0]))",
        fixed="""
        import numpy as np

        def loss(error):
            return np.mean(np.logaddexp(error, -error) - np.log(2.0))
        """,
    ),
    Example(
        """
        import torch

        def loss(prediction, target):
            error = prediction - target
            return torch.log(torch.cosh(error + 1e-12)).mean()
        """,
        call="loss(torch.tensor([100.0]), torch.tensor([0.0]))",
        fixed="""
        import torch
        from math import log

        def loss(prediction, target):
            error = prediction - target
            return (torch.logaddexp(error + 1e-12, -(error + 1e-12)) - log(2.0)).mean()
        """,
        requires="torch",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def loss(error):
            return np.mean(np.logaddexp(error, -error) - np.log(2))
        """,
        call="loss(np.array([0.5, 1000.0]))",
        note="the larger exponent is taken out",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def loss(error):
            return np.log(np.cosh(np.clip(error, -20, 20))).mean()
        """,
        call="loss(np.array([0.5, 1000.0]))",
        note="clipped far below the overflow of cosh",
    ),
]

LIBRARY = {
    "numpy": ("numpy.logaddexp", "numpy.log"),
    "torch": ("torch.logaddexp", "math.log"),
    "jax": ("jax.numpy.logaddexp", "jax.numpy.log"),
    "autograd": ("autograd.numpy.logaddexp", "autograd.numpy.log"),
}


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("log"):
        cosh = site.value.args[0].core
        if cosh.op != "cosh":
            continue
        x = cosh.args[0]
        if function.range(x, site).magnitude <= function.format(x, site).exp_overflow:
            continue
        yield Hazard(
            site,
            "log(cosh(x)) overflows where its value is nearly abs(x)",
            threshold="float64 from |x| = 710.5, float32 from 89.4, float16 from 11.8",
            explains=(site.value, cosh),
            rewrite=_rewrite(function, site, x),
        )


def _rewrite(function: Function, site: Site, x: Value) -> Rewrite:
    library = LIBRARY.get(site.framework)
    text, negated = function.spell(x, site), function.operand(x, site)
    if library is None or text is None or negated is None or not isinstance(site.node, ast.expr):
        return function.advice("logaddexp(x, -x) - log(2)")
    logaddexp, logarithm = library
    replaced = f"{logaddexp}({text}, -{negated}) - {logarithm}(2.0)"
    alone = isinstance(function.parent(site.node), (ast.Return, ast.Assign)) or _is_argument(function, site.node)
    repeated = any(isinstance(node, ast.Call) for node in ast.walk(ast.parse(text, mode="eval")))
    return function.rewrite(
        site.node,
        replaced if alone else f"({replaced})",
        "logaddexp takes the larger exponent out",
        safety=Safety.UNSAFE if repeated else Safety.SAFE,
        reason="the argument is computed twice: name it first" if repeated else "",
    )


def _is_argument(function: Function, node: ast.AST) -> bool:
    """Whether a node is an argument of a call, not what is called."""
    parent = function.parent(node)
    return isinstance(parent, ast.Call) and node in parent.args
