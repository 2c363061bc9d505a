"""A sum starts from uninitialised memory.

`np.empty` returns whatever the memory held: often zeros in a fresh process, and
garbage of any size, nan included, later: the bad example below returns the memory of
an array that was freed before. Adding to it makes every run different, and the first
runs, which are the ones that are tested, look right.

Cure
----
`np.zeros` (or `np.zeros_like`) where something is accumulated.

When it is fine
---------------
Every element is assigned before it is read.

References
----------
The numpy documentation of empty.
"""

import ast
from collections.abc import Iterator

from numlint.finding import Confidence, Rewrite, Severity
from numlint.function import Function
from numlint.graph.terms import terms
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "uninitialized-accumulator"
code = "NL604"
triggers = ("empty & for", "empty_like & for", "empty & while", "empty_like & while")
signature = "non-determinism"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import numpy as np

        def scatter(groups):
            total = np.empty((2, 2))
            for X in groups:
                total += X.T @ X
            return total
        """,
        call="(g := [np.eye(2)]) and np.full((2, 2), float(__import__('os').getpid())).sum() and scatter(g)",
        fixed="""
        import numpy as np

        def scatter(groups):
            total = np.zeros((2, 2))
            for X in groups:
                total += X.T @ X
            return total
        """,
    ),
    Example(
        """
        import torch

        def count(batches):
            seen = torch.empty(3)
            for batch in batches:
                seen = seen + batch.sum(0)
            return seen
        """,
        fixed="""
        import torch

        def count(batches):
            seen = torch.zeros(3)
            for batch in batches:
                seen = seen + batch.sum(0)
            return seen
        """,
        note="what torch finds in memory cannot be arranged",
        requires="torch",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def scatter(groups):
            total = np.zeros((2, 2))
            for X in groups:
                total += X.T @ X
            return total
        """,
        call="scatter([np.eye(2)])",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def squares(n):
            out = np.empty(n)
            for i in range(n):
                out[i] = i * i
            return out + 1
        """,
        call="squares(3)",
        note="every element is assigned before it is read",
    ),
]


def check(function: Function) -> Iterator[Hazard]:
    sums = {site.value.id: site for site in function.sites("add", "sub")}
    for loop in function.loops:
        for start, head, end in loop.carried.values():
            site = sums.get(end.core.id)
            if start.core.op != "empty" or site is None or head not in (term.value for term in terms(end)):
                continue
            yield Hazard(
                site,
                "the sum starts from uninitialised memory: empty holds whatever was there before",
                confidence=Confidence.CERTAIN,
                threshold="any run: the memory of a fresh process is often zero, later it is not",
                origin=(start,),
                rewrite=_rewrite(function, start.core),
            )


def _rewrite(function: Function, start: Value) -> Rewrite:
    for site in function.sites("empty"):
        if site.value is start and isinstance(site.node, ast.Call):
            callee = function.text(site.node.func)
            return function.rewrite(site.node.func, callee.replace("empty", "zeros"), "start from zeros")
    return function.advice("start from zeros")
