"""The derivative of a square root is taken where its argument can be zero.

The derivative of sqrt is 1/(2 sqrt(x)), infinite at 0. In reverse mode it meets the
zero derivative of the squares inside, and infinity times zero is nan: one all-zero
row gives nan gradients to every parameter, while the forward value is a correct 0.

Cure
----
Add a small number inside the root, `torch.sqrt(s + 1e-12)` in float32, or use a norm
whose derivative at 0 is defined: `torch.linalg.norm` takes 0 there (the norm of
jax.numpy does not).

When it is fine
---------------
No gradient flows through the root (`torch.no_grad`, numpy), the argument has a
positive lower bound, or a library norm with a defined derivative is used.

References
----------
The JAX documentation, frequently asked questions: gradients contain nan where using
where; A. Griewank, A. Walther, Evaluating Derivatives, 2nd ed., chapter 14.
"""

import ast
from collections.abc import Iterator
from dataclasses import replace

from numlint.finding import Confidence, Rewrite, Safety, Severity
from numlint.function import Function
from numlint.graph.site import Site
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "sqrt-at-zero"
code = "NL801"
triggers = ("sqrt", "** & 0.5", "norm", "std")
signature = "nan-gradient"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import torch

        def penalty(gradients):
            norms = torch.sqrt((gradients ** 2).sum(dim=1))
            return ((norms - 1) ** 2).mean()
        """,
        call="torch.autograd.grad(penalty(x := torch.zeros(1, 3, requires_grad=True)), x)[0]",
        fixed="""
        import torch

        def penalty(gradients):
            norms = torch.sqrt((gradients ** 2).sum(dim=1) + 1e-12)
            return ((norms - 1) ** 2).mean()
        """,
        requires="torch",
    ),
    Example(
        """
        import tensorflow as tf

        def length(x):
            squares = tf.reduce_sum(x * x, axis=1)
            return tf.sqrt(squares)
        """,
        fixed="""
        import tensorflow as tf

        def length(x):
            squares = tf.reduce_sum(x * x, axis=1)
            return tf.sqrt(squares + 1e-12)
        """,
        note="as in the first example, whose like runs in torch",
        requires="tensorflow",
    ),
    Example(
        """
        import jax.numpy as jnp

        def distance(x, y):
            return jnp.linalg.norm(x - y)
        """,
        call="jax.grad(distance)(jnp.zeros(3), jnp.zeros(3))",
        requires="jax",
    ),
]
GOOD = [
    Example(
        """
        import torch

        def penalty(gradients):
            norms = torch.sqrt((gradients ** 2).sum(dim=1) + 1e-12)
            return ((norms - 1) ** 2).mean()
        """,
        call="torch.autograd.grad(penalty(x := torch.zeros(1, 3, requires_grad=True)), x)[0]",
        note="the argument is at least 1e-12",
        requires="torch",
    ),
    Example(
        """
        import numpy as np

        def length(x):
            return np.sqrt((x ** 2).sum(axis=1))
        """,
        call="length(np.zeros((1, 3)))",
        note="nothing is differentiated",
    ),
]
LIMIT = [
    Example(
        """
        import torch

        def penalty(gradients):
            return ((gradients.norm(2, dim=1) - 1) ** 2).mean()
        """,
        call="torch.autograd.grad(penalty(x := torch.zeros(1, 3, requires_grad=True)), x)[0]",
        note="torch defines the derivative of its norm at 0 as 0",
        requires="torch",
    ),
    Example(
        """
        import torch

        @torch.no_grad()
        def scale(gradients):
            return torch.sqrt((gradients ** 2).sum(dim=1))
        """,
        call="scale(torch.zeros(1, 3))",
        note="no gradient is recorded",
        requires="torch",
    ),
]

SQUARES = frozenset({"square", "abs", "mse", "var", "cdist"})
UNSAFE_IN_JAX = frozenset({"norm", "std"})


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("sqrt", "norm", "std"):
        if not function.differentiates(site):
            continue
        if site.value.op != "sqrt":
            if site.framework == "jax" and site.value.op in UNSAFE_IN_JAX and _is_difference(site.value.args[0]):
                yield _hazard(function, site, None)
            continue
        radicand = site.value.args[0]
        known = function.range(radicand, site)
        if known.lo < 0 or not known.can_be_zero or not _can_vanish(radicand):
            continue
        hazard = _hazard(function, site, _rewrite(function, site, radicand))
        perfect = radicand.core.op == "mean" and radicand.core.attr("axis") is None
        # A mean over everything is 0 for a perfect fit only, a sum over a row for a single zero row.
        yield replace(hazard, confidence=Confidence.POSSIBLE) if perfect else hazard


def _can_vanish(radicand: Value) -> bool:
    """Whether a nonnegative radicand is a sum of squares or the like, which a zero row makes 0."""
    inner = radicand.core
    while inner.op in ("sum", "mean", "index", "max") and inner.args:
        inner = inner.args[0].core
    if inner.op == "add":
        return all(_can_vanish(argument) for argument in inner.args)
    return inner.op in SQUARES or (inner.op == "pow" and inner.args[1].number in (2, 4))


def _is_difference(value: Value) -> bool:
    return value.core.op in ("sub", "param", "matmul")


def _hazard(function: Function, site: Site, rewrite: Rewrite | None) -> Hazard:
    what = "the square root" if site.value.op == "sqrt" else f"jax's {site.value.op}"
    return Hazard(
        site,
        f"the derivative of {what} is infinite at 0: one zero row makes the gradient nan",
        confidence=Confidence.LIKELY,
        threshold="exactly 0; in float32 squares underflow to 0 below 2.6e-23",
        rewrite=rewrite
        or function.advice("a small number added inside the root, or where() on the argument before it"),
    )


def _rewrite(function: Function, site: Site, radicand: Value) -> Rewrite | None:
    if not isinstance(site.node, ast.Call) or not site.node.args:
        return None
    node = site.node.args[0]
    if function.body.nodes.get(node) is not radicand:
        return None
    return function.rewrite(
        node,
        f"{function.text(node)} + 1e-12",
        "a positive radicand has a finite derivative",
        safety=Safety.UNSAFE,
        reason="the value at 0 becomes 1e-6",
    )
