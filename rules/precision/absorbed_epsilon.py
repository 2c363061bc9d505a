"""An epsilon that the dtype cannot hold where it is added guards nothing.

`1e-10 + 1 - p` adds the epsilon to 1 first, and 1 + 1e-10 is 1 in float32: at p = 1 the
logarithm of it is -inf, as if no epsilon were there. `1 - p + 1e-10` keeps it. And
`1e-8` is 0 in float16, `1e-100` in float32: a clip or a sum with it changes nothing.

Cure
----
Add the epsilon after the subtraction, and choose it by the dtype:
`torch.finfo(x.dtype).eps` beside 1, `torch.finfo(x.dtype).tiny` beside 0. Better, compute
what was wanted without an epsilon: the log-sigmoid of the logit, `log1p(-p)`.

When it is fine
---------------
In float64 down to 1.1e-16 beside 1; in float32 down to 6e-8. An epsilon added to a
number that may be near 0 is held down to 5e-324, 1.4e-45 and 6e-8.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, sec. 2.1.
"""

import ast
from collections.abc import Iterator

from numlint.facts.precision import Format, working_format
from numlint.finding import Severity
from numlint.function import Function
from numlint.graph.site import Site
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "absorbed-epsilon"
code = "NL701"
triggers = (
    *("log", "log2", "log10", "sqrt", "rsqrt", "div", "divide", "true_divide", "/ & e-"),
    *("clip", "clamp", "clamp_min", "maximum", "clip_by_value", "normalize"),
)
signature = "absorption"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import torch

        def discriminator_loss(real, fake):
            return -(torch.log(real + 1e-10) + torch.log(1e-10 + 1 - fake)).mean()
        """,
        call="discriminator_loss(torch.tensor([0.5]), torch.tensor([1.0]))",
        fixed="""
        import torch

        def discriminator_loss(real, fake):
            return -(torch.log(real + 1e-10) + torch.log(1 - fake + 1e-10)).mean()
        """,
        requires="torch",
    ),
    Example(
        """
        import numpy as np

        EPS = 1e-8

        def loss(z):
            p = (0.5 * (1.0 + np.tanh(0.5 * z))).astype(np.float32)
            return -np.mean(np.log(1.0 + EPS - p))
        """,
        call="loss(np.array([40.0]))",
        fixed="""
        import numpy as np

        EPS = 1e-8

        def loss(z):
            p = (0.5 * (1.0 + np.tanh(0.5 * z))).astype(np.float32)
            return -np.mean(np.log(1.0 - p + EPS))
        """,
    ),
    Example(
        """
        import numpy as np

        def affinities(distances):
            p = np.exp(-distances.astype(np.float32))
            return np.log(p.clip(min=1e-100))
        """,
        call="affinities(np.array([1.0, 200.0]))",
    ),
    Example(
        """
        import torch

        def scaled(x):
            x = x.half()
            return x / (x.abs().max() + 1e-8)
        """,
        call="scaled(torch.zeros(3))",
        requires="torch",
    ),
    Example(
        """
        import torch.nn.functional as F

        def directions(x):
            return F.normalize(x.half(), dim=-1)
        """,
        call="directions(torch.zeros(1, 3))",
        requires="torch",
    ),
]
GOOD = [
    Example(
        """
        import torch

        def discriminator_loss(real, fake):
            return -(torch.log(real + 1e-10) + torch.log(1 - fake + 1e-10)).mean()
        """,
        call="discriminator_loss(torch.tensor([0.5]), torch.tensor([1.0]))",
        note="1 - p is exactly 0 in the worst case, and 0 + 1e-10 is held",
        requires="torch",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def loss(p):
            return -np.mean(np.log(1e-10 + 1 - p))
        """,
        call="loss(np.array([1.0]))",
        note="float64 holds 1 + 1e-10",
    ),
    Example(
        """
        import numpy as np

        def scaled(x):
            return x.astype(np.float32) / (np.abs(x).max() + 1e-30)
        """,
        call="scaled(np.zeros(3))",
        note="float32 holds 1e-30 beside 0",
    ),
]

SENSITIVE = frozenset({"log", "log2", "log10", "sqrt"})


def check(function: Function) -> Iterator[Hazard]:
    yield from _beside_one(function)
    yield from _beside_zero(function)
    yield from _by_default(function)


def _beside_one(function: Function) -> Iterator[Hazard]:
    """``(1 + eps) - p``: the sum of literals is rounded before p is subtracted."""
    for site in function.sites("sub", "neg"):
        node = site.node
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Sub) or not isinstance(node.left, ast.BinOp):
            continue
        one, epsilon = _literals(function, node.left)
        held = _stored(function, site.value, site)
        if one is None or epsilon is None or _number(function, epsilon) > held.eps / 2:
            continue
        if not _is_guard(function, site.value):
            continue
        text = f"{function.text(one)} - {function.text(node.right)} + {function.text(epsilon)}"
        yield Hazard(
            site,
            f"the epsilon is added to 1, where {held.name} absorbs it: 1 + {_number(function, epsilon):g} is 1",
            threshold=f"{held.name} holds 1 + e from e = {held.eps / 2:.1e} on",
            explains=(site.value, *function.uses.of(site.value)),
            rewrite=function.rewrite(node, text, "add the epsilon after the subtraction"),
        )


def _literals(function: Function, node: ast.BinOp) -> tuple[ast.expr | None, ast.expr | None]:
    """The 1 and the epsilon of ``1 + eps``."""
    if isinstance(node.op, ast.Add):
        for one, other in ((node.left, node.right), (node.right, node.left)):
            if _number(function, one) == 1.0 and 0.0 < _number(function, other) < 1e-3:
                return one, other
    return None, None


def _number(function: Function, node: ast.expr) -> float:
    value = function.body.nodes.get(node)
    number = value.number if value is not None else None
    return float("nan") if number is None else number


def _beside_zero(function: Function) -> Iterator[Hazard]:
    """A literal that rounds to 0 in the dtype of what it is added to, or bounds."""
    for site in function.sites("add", "clip", "maximum"):
        bounds = site.value.args[1:2] if site.value.op == "clip" else site.value.args
        numbers = [argument.number for argument in bounds if argument.number is not None]
        operand = next((argument for argument in site.value.args if argument.number is None), None)
        if len(numbers) != 1 or operand is None or numbers[0] <= 0.0:
            continue
        held = _stored(function, operand, site)
        if numbers[0] > held.tiny / 2 or (site.value.op == "add" and not _is_guard(function, site.value)):
            continue
        yield Hazard(
            site,
            f"{numbers[0]:g} is 0 in {held.name}: it guards nothing",
            threshold=f"{held.name} holds nothing between 0 and {held.tiny:.1e}",
            origin=(operand,),
            explains=(site.value,),
            rewrite=function.advice("an epsilon by the dtype, such as finfo(x.dtype).tiny, or float32 for this step"),
        )


def _stored(function: Function, value: Value, site: Site) -> Format:
    """Format that a value has: its dtype, or the default of the framework that computes it or consumes the result."""
    frameworks = (site.framework, value.framework, *(use.framework for use in function.uses.of(site.value)))
    framework = next((item for item in frameworks if item and item != "python"), "")
    return working_format(value, framework)


def _is_guard(function: Function, value: Value) -> bool:
    """Whether a sum goes into a logarithm, a root or a denominator."""
    for use in function.uses.of(value):
        if use.op in SENSITIVE or (use.op == "div" and use.args[1].core is value.core):
            return True
    return False


def _by_default(function: Function) -> Iterator[Hazard]:
    """`F.normalize` divides by ``max(norm, 1e-12)``, which is 0 in float16."""
    for site in function.sites("normalize"):
        epsilon = site.value.args[1].number if len(site.value.args) > 1 else None
        if site.framework == "torch" and function.dtype(site.value.args[0]) == "float16" and (epsilon or 1e-12) < 3e-8:
            yield Hazard(
                site,
                "the default eps=1e-12 of normalize is 0 in float16: a zero vector becomes nan",
                threshold="float16 holds nothing between 0 and 6e-08",
                explains=(site.value,),
                rewrite=function.advice("eps=1e-6, or normalize in float32"),
            )
