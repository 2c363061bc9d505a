"""Square root of a difference of squares: slightly negative by rounding, and then nan.

In exact arithmetic `1 - r**2` is not negative when |r| <= 1, and `a**2 - b**2` is not when
|a| >= |b|. A computed correlation of collinear data is 1.0000000000000002, and its root nan.
Besides, the digits cancel: for a = 1e8 + 1 and b = 1e8 + 0.9 half of them are left.

Cure
----
`np.sqrt((a - b) * (a + b))`, `np.sqrt((1 - r) * (1 + r))`: accurate as long as a and b are;
`np.maximum(..., 0)` inside the root besides, where |r| can exceed 1 by rounding. A clip
alone hides the cancellation.

When it is fine
---------------
The argument is clipped at 0, or bounded by what it is: `1 - tanh(x)**2`.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, sec. 1.7.
"""

import ast
from collections.abc import Iterator

from numlint.finding import Confidence, Rewrite, Safety, Severity
from numlint.function import Function
from numlint.graph.moments import second_moment
from numlint.graph.site import Site
from numlint.graph.terms import terms
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "sqrt-of-difference"
code = "NL302"
triggers = ("sqrt & -", "rsqrt & -", "** & 0.5 & -", "pow & 0.5 & -", "power & 0.5 & -")
signature = "nan"
severity = Severity.WARNING

BAD = [
    Example(
        """
        import numpy as np

        def partial(x, y):
            r = np.dot(x, y) / (np.linalg.norm(x) * np.linalg.norm(y))
            return np.sqrt(1 - r ** 2)
        """,
        call="[partial(x, x) for x in np.random.default_rng(0).random((50, 3))]",
        fixed="""
        import numpy as np

        def partial(x, y):
            r = np.dot(x, y) / (np.linalg.norm(x) * np.linalg.norm(y))
            return np.sqrt(np.maximum((1 - r) * (1 + r), 0))
        """,
    ),
    Example(
        """
        import torch

        def leg(x, y):
            hypotenuse = torch.linalg.norm(x)
            along = torch.dot(x, y)
            return torch.sqrt(hypotenuse ** 2 - along ** 2)
        """,
        call="torch.stack([leg(x, x / torch.linalg.norm(x)) for x in torch.linspace(0.1, 9, 300).reshape(100, 3)])",
        fixed="""
        import torch

        def leg(x, y):
            hypotenuse = torch.linalg.norm(x)
            along = torch.dot(x, y)
            return torch.sqrt(torch.clamp((hypotenuse - along) * (hypotenuse + along), min=0))
        """,
        requires="torch",
    ),
    Example(
        """
        import math

        def height(a, b, c):
            s = (a * a + b * b - c * c) / (2 * b)
            return math.sqrt(a * a - s * s)
        """,
        call="[height(0.1 * k, 0.2 * k, 0.3 * k) for k in range(1, 50)]",
        fixed="""
        import math

        def height(a, b, c):
            s = (a * a + b * b - c * c) / (2 * b)
            return math.sqrt(max((a - s) * (a + s), 0))
        """,
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def partial(x, y):
            r = np.dot(x, y) / (np.linalg.norm(x) * np.linalg.norm(y))
            return np.sqrt(np.maximum((1 - r) * (1 + r), 0))
        """,
        call="[partial(x, x) for x in np.random.default_rng(0).random((50, 3))]",
        note="factored, and clipped at 0",
    ),
    Example(
        """
        import numpy as np

        def partial(x, y):
            r = np.dot(x, y) / (np.linalg.norm(x) * np.linalg.norm(y))
            return np.sqrt(np.clip(1 - r ** 2, 0, None))
        """,
        call="[partial(x, x) for x in np.random.default_rng(0).random((50, 3))]",
        note="clipped at 0",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def slope(x):
            return np.sqrt(1 - np.tanh(x) ** 2)
        """,
        call="slope(np.array([0.0, 40.0]))",
        note="tanh is never larger than 1",
    ),
    Example(
        """
        import numpy as np

        def hypotenuse(a, b):
            return np.sqrt(a ** 2 + b ** 2)
        """,
        call="hypotenuse(3.0, 4.0)",
        note="a sum",
    ),
]


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("sqrt", "div"):
        root = site.value if site.value.op == "sqrt" else None
        argument = root.args[0].core if root is not None else None
        if root is None or argument is None or argument.op != "sub" or function.range(argument, site).lo >= 0:
            continue
        sides = [_root_of(part) for part in argument.args]
        if sides[0] is None or sides[1] is None or argument.args[1].number is not None:
            continue
        if second_moment(argument, function.body.analysis.carried) is not None or _protected(function, root):
            continue
        computed = [side for side in sides if isinstance(side, Value) and _is_computed(side)]
        yield Hazard(
            site,
            "root of a difference of squares: the digits cancel, and rounding can make it negative and the root nan",
            Confidence.LIKELY if computed or "1" not in sides else Confidence.POSSIBLE,
            rewrite=_rewrite(function, site, argument, sides),
            explains=(argument,),
        )


def _root_of(value: Value) -> Value | str | None:
    """What a term is the square of: a value, ``"1"`` for a literal one, or None when it is no square."""
    inner = value.core
    if inner.op == "square":
        return inner.args[0].core
    if inner.number == 1:
        return "1"
    return None


def _is_computed(value: Value) -> bool:
    """Whether a value carries the rounding errors of a reduction, as a bare number does not."""
    return any(
        part.op in ("matmul", "sum", "mean", "norm", "einsum", "outer", "corrcoef", "cov", "hypot", "std")
        or (part.op == "div" and len(terms(part.args[0])) > 2)
        for part in value.walk(8)
    )


def _protected(function: Function, root: Value) -> bool:
    return function.is_repaired(root)


def _rewrite(function: Function, site: Site, difference: Value, sides: list[Value | str | None]) -> Rewrite:
    node = site.node
    texts = [side if isinstance(side, str) else function.operand(side, site) for side in sides if side is not None]
    argument = node.args[0] if isinstance(node, ast.Call) and node.args else None
    if argument is None or len(texts) != 2 or None in texts or function.body.nodes.get(argument) is not difference:
        return function.advice("(a - b) * (a + b) under the root, and at least 0")
    one, other = texts
    product = f"({one} - {other}) * ({one} + {other})"
    bounded = {
        "torch": f"torch.clamp({product}, min=0)",
        "jax": f"jax.numpy.maximum({product}, 0)",
        "tensorflow": f"tensorflow.maximum({product}, 0)",
        "python": f"max({product}, 0)",
    }.get(site.framework, f"numpy.maximum({product}, 0)")
    return function.rewrite(
        argument,
        bounded,
        "factored, and never negative",
        safety=Safety.UNSAFE,
        reason="an argument that is negative by more than rounding becomes 0 instead of nan",
    )
