"""`where` hides an infinite or nan branch from the value, but not from the gradient.

`torch.where(x > 0, torch.log(x), 0)` is right in the forward direction. Backward,
the branch that was not chosen gets the derivative 0, which is multiplied by the
infinite derivative of log at 0: 0 times infinity is nan, and the nan is added to the
gradient of x.

Cure
----
Make the argument valid before the function, not its result after it:
`torch.log(torch.where(x > 0, x, 1))`, and select once more if another value is
wanted there.

When it is fine
---------------
In NumPy, which has no gradient; when the argument is made valid first; or when the
branch is finite with a finite derivative everywhere.

References
----------
The JAX documentation, frequently asked questions: gradients contain nan where using
where; the PyTorch issue on where and nan gradients.
"""

from collections.abc import Iterator

from numlint.finding import Confidence, Severity
from numlint.function import Function
from numlint.graph.site import Site
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "where-masks-invalid-branch"
code = "NL802"
triggers = ("where", "masked_fill")
signature = "nan-gradient"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import torch

        def safe_log(x):
            return torch.where(x > 0, torch.log(x), torch.zeros_like(x))
        """,
        call="torch.autograd.grad(safe_log(x := torch.zeros(1, requires_grad=True)).sum(), x)[0]",
        requires="torch",
    ),
    Example(
        """
        import jax.numpy as jnp

        def ratio(x, y):
            q = x / y
            return jnp.where(y != 0, q, 0.0)
        """,
        call="jax.grad(ratio, argnums=1)(1.0, 0.0)",
        requires="jax",
    ),
]
GOOD = [
    Example(
        """
        import torch

        def safe_log(x):
            valid = torch.where(x > 0, x, torch.ones_like(x))
            return torch.where(x > 0, torch.log(valid), torch.zeros_like(x))
        """,
        call="torch.autograd.grad(safe_log(x := torch.zeros(1, requires_grad=True)).sum(), x)[0]",
        note="the argument is valid before the logarithm",
        requires="torch",
    ),
    Example(
        """
        import numpy as np

        def safe_log(x):
            return np.where(x > 0, np.log(x), 0.0)
        """,
        call="safe_log(np.zeros(1))",
        note="NumPy has no gradient",
    ),
]
LIMIT = [
    Example(
        """
        import torch

        def hinge(x):
            return torch.where(x > 0, torch.tanh(x), x * x)
        """,
        call="torch.autograd.grad(hinge(x := torch.zeros(1, requires_grad=True)).sum(), x)[0]",
        note="both branches are finite with finite derivatives",
        requires="torch",
    ),
]

SINGULAR = frozenset({"log", "log2", "log10", "sqrt", "div", "arccos", "arcsin", "pow"})


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("where"):
        if len(site.value.args) != 3 or not function.differentiates(site):
            continue
        condition, *branches = site.value.args
        for branch, holds in zip(branches, (True, False), strict=True):
            culprit = _singular(function, site, branch.core, condition)
            if culprit is not None:
                yield _hazard(site, culprit, holds)
                break


def _singular(function: Function, site: Site, branch: Value, condition: Value) -> Value | None:
    """Operation in a branch that is singular where it is not chosen: the condition compares its argument."""
    asked = set(_compared(condition))
    for value in branch.walk(40):
        if value.op not in SINGULAR or not value.args:
            continue
        argument = value.args[1 if value.op == "div" and len(value.args) > 1 else 0]
        if value.op == "pow" and not _is_root(value):
            continue
        if argument.core.id in asked and argument.number is None and _reaches(function, site, value, argument):
            return value
    return None


def _compared(condition: Value) -> Iterator[int]:
    """Ids of the values that a condition compares with finite numbers, absolute values looked through."""
    inner = condition.core
    if inner.op in ("and", "or", "not"):
        for argument in inner.args:
            yield from _compared(argument)
    elif inner.op in ("lt", "le", "eq", "ne"):
        for one, other in (inner.args, inner.args[::-1]):
            if other.core.number not in (float("inf"), float("-inf")):
                side = one.core
                yield side.id
                if side.op == "abs":
                    yield side.args[0].core.id


def _is_root(value: Value) -> bool:
    exponent = value.args[1].number if len(value.args) > 1 else None
    return exponent is not None and exponent < 1


def _reaches(function: Function, site: Site, value: Value, argument: Value) -> bool:
    """Whether the argument can take the value at which the derivative is infinite."""
    known = function.range(argument, site)
    if value.op in ("arccos", "arcsin"):
        return known.lo <= -1 or known.hi >= 1
    return known.can_be_zero


def _hazard(site: Site, culprit: Value, holds: bool) -> Hazard:
    name_ = {"div": "the quotient", "pow": "the power"}.get(culprit.op, culprit.op)
    return Hazard(
        site,
        f"where selects after {name_}: the branch that is left out still makes the gradient nan (0 times infinity)",
        confidence=Confidence.LIKELY,
        threshold="at every element for which the condition "
        + ("fails" if holds else "holds")
        + " and the argument is singular",
    )
