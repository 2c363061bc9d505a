"""A floating-point sum in an order that changes from run to run, or from machine to machine.

Floating-point addition is not associative: `0.1 + 0.2 + 0.3` and `0.3 + 0.2 + 0.1` differ
in the last bit, and after cancellation in the first. A set of strings iterates in an
order that follows the hash seed of the process, a set of numbers in that of their
history of insertion, `os.listdir` and `glob` in that of the file system. The sum of 1e16, 1
and -1e16 is 0 or 1. (Python's own `sum` of floats is compensated from Python 3.12 on; NumPy's
is not.)

Cure
----
`sum(sorted(values))`, or `math.fsum(values)`, which is exact up to one rounding and so
does not depend on the order; `for name in sorted(os.listdir(folder)):`.

When it is fine
---------------
Integers, counts and maxima; `math.fsum`; a result that is only shown.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., chapter 4.
"""

import ast
from collections.abc import Iterator

from numlint.finding import Confidence, Safety, Severity
from numlint.function import Function
from numlint.graph.seeding import dotted_name
from numlint.graph.site import Loop, Site
from numlint.graph.terms import terms
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "unordered-reduction"
code = "NL603"
SOURCES = ("set", "frozenset", "listdir", "scandir", "glob", "iglob", "rglob", "iterdir", "walk")
SUMS = ("for", "sum", "mean", "std", "var", "logsumexp")
triggers = tuple(f"{source} & {reduction}" for source in SOURCES for reduction in SUMS)
signature = "non-determinism"
severity = Severity.NOTE

BAD = [
    Example(
        """
        import numpy as np

        def total(weights, names):
            return np.sum([weights[name] for name in set(names)])
        """,
        call="total({str(i): 10.0 ** (i % 17) / 3 for i in range(40)}, map(str, range(40)))",
        fixed="""
        import numpy as np

        def total(weights, names):
            return np.sum([weights[name] for name in sorted(set(names))])
        """,
    ),
    Example(
        """
        import os
        import numpy as np

        def mean_of_means(folder):
            total, count = 0.0, 0
            for name in os.listdir(folder):
                total += np.load(os.path.join(folder, name)).mean()
                count += 1
            return total / max(count, 1)
        """,
        fixed="""
        import os
        import numpy as np

        def mean_of_means(folder):
            total, count = 0.0, 0
            for name in sorted(os.listdir(folder)):
                total += np.load(os.path.join(folder, name)).mean()
                count += 1
            return total / max(count, 1)
        """,
        note="the order is that of the file system: it differs between machines, not between processes",
    ),
    Example(
        """
        import glob
        import numpy as np

        def mean_image(pattern):
            return np.mean([np.load(path) for path in glob.glob(pattern)], axis=0)
        """,
        fixed="""
        import glob
        import numpy as np

        def mean_image(pattern):
            return np.mean([np.load(path) for path in sorted(glob.glob(pattern))], axis=0)
        """,
        note="the order is that of the file system",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def total(weights, names):
            return np.sum([weights[name] for name in sorted(set(names))])
        """,
        call="total({str(i): 10.0 ** (i % 17) / 3 for i in range(40)}, map(str, range(40)))",
        note="sorted: the same order in every run",
    ),
]
LIMIT = [
    Example(
        """
        import math

        def total(weights, names):
            return math.fsum(weights[name] for name in set(names))
        """,
        call="total({str(i): 10.0 ** (i % 17) / 3 for i in range(40)}, map(str, range(40)))",
        note="fsum rounds once: the order does not matter",
    ),
    Example(
        """
        import os

        def number_of_arrays(folder):
            return sum(1 for name in os.listdir(folder) if name.endswith(".npy"))
        """,
        call="number_of_arrays('.') - number_of_arrays('.')",
        note="a count: integers are added exactly",
    ),
]

LISTINGS = frozenset("os.listdir os.scandir os.walk glob.glob glob.iglob".split())
METHODS = frozenset("glob rglob iterdir scandir listdir".split())
SETS = frozenset({"builtins.set", "builtins.frozenset"})
LAZY = frozenset(
    {
        "builtins.list",
        "builtins.tuple",
        "builtins.iter",
        "builtins.enumerate",
        "tqdm.tqdm",
        "numpy.array",
        "numpy.asarray",
    }
)


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("sum", "mean", "std", "var", "logsumexp"):
        if not isinstance(site.node, ast.Call) or _callee(function, site.node) == "math.fsum":
            continue
        arguments: list[ast.expr] = [*site.node.args[:1]]
        if isinstance(site.node.func, ast.Attribute):
            arguments.append(site.node.func.value)
        for argument in arguments:
            source = _unordered(function, argument)
            if source is not None and not _exact(function, site.value.args[0] if site.value.args else site.value, site):
                yield _hazard(function, site, source)
                break
    for loop in function.loops:
        source = _unordered(function, loop.node.iter) if isinstance(loop.node, (ast.For, ast.AsyncFor)) else None
        summed = _accumulator(function, loop) if source is not None else None
        if source is not None and summed is not None:
            yield _hazard(function, summed, source)


def _unordered(function: Function, node: ast.expr) -> ast.expr | None:
    """Expression whose order is not fixed and that `node` iterates over, or None."""
    if isinstance(node, (ast.GeneratorExp, ast.ListComp)):
        return _unordered(function, node.generators[0].iter)
    if isinstance(node, (ast.Set, ast.SetComp)):
        return node
    if isinstance(node, ast.Name):
        value = function.body.nodes.get(node)
        made = (
            n
            for n, known in function.body.nodes.items()
            if known is value and isinstance(n, (ast.Call, ast.Set, ast.SetComp))
        )
        return next((node for origin in made if _unordered(function, origin) is not None), None)
    if not isinstance(node, ast.Call):
        return None
    callee = _callee(function, node)
    if (callee in SETS and node.args) or callee in LISTINGS:
        return node
    if callee in LAZY and node.args:
        return _unordered(function, node.args[0])
    method = node.func.attr if isinstance(node.func, ast.Attribute) and not callee else ""
    if method in METHODS:
        return node
    if method in ("union", "intersection", "difference") and isinstance(node.func, ast.Attribute):
        return node if _unordered(function, node.func.value) is not None else None
    return None


def _callee(function: Function, node: ast.Call) -> str:
    value = function.body.nodes.get(node.func)
    named = str(value.attr("name")) if value is not None and value.op == "ref" else ""
    return named or dotted_name(function.module, node.func)


def _accumulator(function: Function, loop: Loop) -> Site | None:
    """Site of a floating-point sum that the loop carries along."""
    for _, head, last in loop.carried.values():
        added = [term.value for term in terms(last) if term.value is not head]
        if len(added) < len(terms(last)) and added and not any(_exact(function, value, None) for value in added):
            return next(
                (site for site in function.sites("add", "sub") if site.value is last and loop in site.loops), None
            )
    return None


def _exact(function: Function, value: Value, site: Site | None) -> bool:
    """Whether the summands are known to be integers, or no numbers at all."""
    inner = value.core
    while inner.op == "comprehension":
        inner = inner.args[0].core
    return function.range(inner, site).integer or inner.op in (
        "len",
        "list",
        "tuple",
        "shape",
        "lt",
        "le",
        "eq",
        "ne",
        "and",
        "or",
    )


def _hazard(function: Function, site: Site, source: ast.expr) -> Hazard:
    return Hazard(
        site,
        f"sums in the order of `{function.text(source)}`, which is not fixed: the last digits change from run to run",
        confidence=Confidence.POSSIBLE,
        rewrite=function.rewrite(
            source,
            f"sorted({function.text(source)})",
            "a fixed order",
            safety=Safety.UNSAFE,
            reason="the elements must be comparable",
        ),
    )
