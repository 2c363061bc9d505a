"""sqrt(a*a + b*b) overflows where the length does not, and is 0 where it is not.

The squares overflow from 1.3e154 on in float64, from 1.8e19 in float32 and from 256 in
float16, where that is an ordinary activation; they underflow to 0 below 1.6e-162, 2.6e-23
and 1.7e-4. The length itself is representable in all these cases.

Cure
----
`np.hypot(a, b)`, `torch.hypot`, `math.hypot(a, b, c)`; for vectors `scipy.linalg.norm`,
which scales. `np.linalg.norm`, `torch.linalg.norm` and `jnp.linalg.norm` overflow in the
same way. In float16, square in float32.

When it is fine
---------------
The numbers are bounded, as coordinates, weights and standardised features are.

References
----------
J. L. Blue, A Portable Fortran Program to Find the Euclidean Norm of a Vector, ACM TOMS 4
(1978), 15-23.
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, sec. 27.5.
"""

import ast
from collections.abc import Iterator

from numlint.facts.precision import FLOAT16, FLOAT32
from numlint.finding import Confidence, Rewrite, Safety, Severity
from numlint.function import Function
from numlint.graph.site import Site
from numlint.graph.terms import terms
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "naive-hypot"
code = "NL203"
triggers = ("sqrt", "** & 0.5", "pow & 0.5", "power & 0.5")
signature = "overflow"
severity = Severity.NOTE

BAD = [
    Example(
        """
        import numpy as np

        def length(x, y):
            return np.sqrt(x * x + y ** 2)
        """,
        call="length(3e200, 4e200)",
        fixed="""
        import numpy as np

        def length(x, y):
            return np.hypot(x, y)
        """,
    ),
    Example(
        """
        import math

        def distance(a, b):
            dx, dy = a[0] - b[0], a[1] - b[1]
            return (dx * dx + dy * dy) ** 0.5
        """,
        call="distance((3e200, 0.0), (0.0, 4e200))",
        fixed="""
        import math

        def distance(a, b):
            dx, dy = a[0] - b[0], a[1] - b[1]
            return math.hypot(dx, dy)
        """,
    ),
    Example(
        """
        import numpy as np

        def root_mean_square(x):
            x = x.astype(np.float16)
            return np.sqrt(np.mean(x ** 2))
        """,
        call="root_mean_square(np.full(4, 300.0))",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def length(x, y):
            return np.hypot(x, y)
        """,
        call="length(3e200, 4e200)",
        note="scaled inside",
    ),
    Example(
        """
        import numpy as np

        def root_mean_square(x):
            return np.sqrt(np.mean(x.astype(np.float32) ** 2)).astype(np.float16)
        """,
        call="root_mean_square(np.full(4, 300.0))",
        note="squared in float32",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def modulus(x):
            return np.sqrt(np.sin(x) ** 2 + np.tanh(x) ** 2)
        """,
        call="modulus(1e200)",
        note="numbers of size 1",
    ),
    Example(
        """
        import numpy as np

        def rms(x):
            return np.sqrt(np.mean(x ** 2))
        """,
        call="rms(np.ones(3))",
        note="float64, as far as one can tell: 1.3e154 is no ordinary number",
    ),
]


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("sqrt"):
        radicand = site.value.args[0].core
        narrow = function.format(radicand, site) if function.dtype(radicand) else None
        sides = _sides(radicand)
        if not sides and (narrow not in (FLOAT16, FLOAT32) or not _sums_squares(radicand)):
            continue
        if all(function.range(side, site).magnitude < 100 for side in sides or [radicand]):
            continue
        half = narrow is FLOAT16
        yield Hazard(
            site,
            "the squares overflow, or underflow to 0, where the root of their sum does not",
            Confidence.LIKELY if half else Confidence.POSSIBLE,
            threshold="overflow from 256 on in float16, 1.8e19 in float32, 1.3e154 in float64",
            severity=Severity.WARNING if half else None,
            rewrite=_rewrite(function, site, sides),
        )


def _sides(radicand: Value) -> list[Value]:
    """The two or three lengths whose squares are added by hand."""
    parts = terms(radicand) if radicand.op == "add" else ()
    if len(parts) > 3 or any(part.sign < 0 or part.value.op != "square" for part in parts):
        return []
    return [part.value.args[0] for part in parts]


def _sums_squares(radicand: Value) -> bool:
    return radicand.op in ("sum", "mean") and radicand.args[0].core.op == "square"


def _rewrite(function: Function, site: Site, sides: list[Value]) -> Rewrite:
    advice = function.advice("scipy.linalg.norm scales before it squares; or square in a wider dtype")
    texts = [function.spell(side, site) for side in sides]
    framework = site.framework or function.framework
    library = {"": "math", "python": "math", "numpy": "numpy", "torch": "torch", "jax": "jax.numpy"}.get(framework)
    if library is None or not texts or None in texts or (len(texts) > 2 and library != "math"):
        return advice
    if not isinstance(site.node, ast.Call | ast.BinOp):
        return advice
    sure = library == "math" or isinstance(site.node, ast.Call)
    return function.rewrite(
        site.node,
        f"{library}.hypot({', '.join(text for text in texts if text)})",
        "hypot scales before it squares",
        safety=Safety.SAFE if sure and library != "torch" else Safety.UNSAFE,
        reason="" if sure and library != "torch" else "hypot takes tensors of one dtype, no plain numbers",
    )
