"""A running sum in a low precision stops growing, and squares in float16 overflow.

float16 has 11 binary digits: 2048 + 1 is 2048, and a cumulative sum of ones stays there;
bfloat16 stops at 256, float32 at 16777216. Before that every addition loses digits:
the error of a sum of n terms grows like n * eps. `np.sum` adds in pairs and torch sums
accumulate in float32, but `np.cumsum` and a Python loop round after every term.
x*x is infinite in float16 from |x| = 256 on, whatever the accumulator.

Cure
----
Accumulate in a wider type: `np.cumsum(x, dtype=np.float64)`, `total = np.float64(0)`,
`x.float().pow(2).mean()`; or `math.fsum`, or Kahan's compensated summation.

When it is fine
---------------
Few terms, or a reduction of the library, which accumulates in float32 or in pairs.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, ch. 4.
"""

import ast
from collections.abc import Iterator

from numlint.facts.precision import FORMATS, dtype_of
from numlint.finding import Confidence, Rewrite, Safety, Severity
from numlint.function import Function
from numlint.graph.site import Loop, Site
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "low-precision-accumulation"
code = "NL703"
triggers = ("cumsum", "float16", "bfloat16", "half", "float32")
signature = "absorption"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import numpy as np

        def distances(steps):
            return np.cumsum(steps.astype(np.float16))
        """,
        call="distances(np.ones(5000))",
        fixed="""
        import numpy as np

        def distances(steps):
            return np.cumsum(steps.astype(np.float16), dtype=np.float64)
        """,
    ),
    Example(
        """
        import torch

        def total(losses):
            losses = losses.half()
            running = torch.zeros(1, dtype=torch.float16)
            for loss in losses:
                running = running + loss
            return running
        """,
        call="total(torch.ones(5000))",
        requires="torch",
    ),
    Example(
        """
        import torch

        def root_mean_square(x):
            x = x.half()
            return x.pow(2).mean().sqrt()
        """,
        call="root_mean_square(torch.full((8,), 300.0))",
        requires="torch",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def distances(steps):
            return np.cumsum(steps.astype(np.float16), dtype=np.float64)
        """,
        call="distances(np.ones(5000))",
        note="accumulated in float64",
    ),
    Example(
        """
        import torch

        def root_mean_square(x):
            x = x.half()
            return x.float().pow(2).mean().sqrt()
        """,
        call="root_mean_square(torch.full((8,), 300.0))",
        requires="torch",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def total(steps):
            return steps.astype(np.float16).sum()
        """,
        call="total(np.ones(5000))",
        note="np.sum accumulates float16 in float32, and in pairs",
    ),
]

STALLS = {"float16": "2048", "bfloat16": "256", "float32": "16777216"}
MAX_SQUARE = 255.9


def check(function: Function) -> Iterator[Hazard]:
    for loop in function.loops:
        yield from _running_sums(function, loop)
    for site in function.sites("cumsum"):
        dtype = function.dtype(site.value.args[0])
        if site.framework == "numpy" and dtype in STALLS and _dtype_is_kept(function, site):
            yield _stall(function, site, dtype, _cumsum_in_double(function, site))
    for site in function.sites("sum", "mean"):
        squares = site.value.args[0].core
        if squares.op != "square" or function.dtype(squares) != "float16":
            continue
        if function.range(squares.args[0], site).magnitude >= MAX_SQUARE:
            yield Hazard(
                site,
                "squares of float16 are infinite from |x| = 256 on, before they are summed",
                threshold=f"float16 from |x| = {MAX_SQUARE}",
                signature="overflow",
                origin=(squares,),
                explains=(site.value, squares),
                rewrite=function.advice("convert to float32 before squaring"),
            )


def _running_sums(function: Function, loop: Loop) -> Iterator[Hazard]:
    """Names that a loop adds to, in a type of few digits."""
    for head, end in ((head, end) for _, head, end in loop.carried.values()):
        dtype = dtype_of(end)
        operands = [argument.core for argument in end.core.args]
        if dtype not in STALLS or end.core.op not in ("add", "sub") or head not in operands:
            continue
        site = next((item for item in function.sites("add", "sub") if item.value is end.core), None)
        if site is not None and all(operand.number is None for operand in operands):
            yield _stall(function, site, dtype, function.advice("accumulate in float64, or float32 for half precision"))


def _stall(function: Function, site: Site, dtype: str, rewrite: Rewrite) -> Hazard:
    return Hazard(
        site,
        f"a running sum in {dtype} rounds after every term and stops growing",
        confidence=Confidence.POSSIBLE if dtype == "float32" else Confidence.LIKELY,
        threshold=f"adding ones stops at {STALLS[dtype]}; the relative error grows like n * {FORMATS[dtype].eps:.1e}",
        explains=(site.value,),
        rewrite=rewrite,
    )


def _dtype_is_kept(function: Function, site: Site) -> bool:
    """Whether the sum is not asked for in a wider type."""
    return not any(_is_wider(use, site.value) for use in function.body.nodes.values())


def _is_wider(use: Value, total: Value) -> bool:
    return use.op == "cast" and use.args[0] is total and str(use.attr("dtype")) not in STALLS


def _cumsum_in_double(function: Function, site: Site) -> Rewrite:
    node = site.node
    if not isinstance(node, ast.Call) or any(keyword.arg == "dtype" for keyword in node.keywords):
        return function.advice("np.cumsum(x, dtype=np.float64)")
    text = function.text(node)
    separator = ", " if node.args or node.keywords else ""
    return function.rewrite(
        node,
        f"{text[:-1]}{separator}dtype=numpy.float64)",
        "accumulate in float64",
        safety=Safety.UNSAFE,
        reason="the result is float64",
    )
