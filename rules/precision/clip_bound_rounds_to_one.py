"""A clip at 1 - eps does not keep 1 - p away from 0 when 1 - eps rounds to 1.

`clip(p, 1e-8, 1 - 1e-8)` looks symmetric, but float32 has no number between 1 - 6e-8 and
1: the upper bound is 1, p = 1 passes, and log(1 - p) is -inf. The bound is lost for
eps <= 3e-8 in float32, 2.4e-4 in float16, 1.9e-3 in bfloat16 and 5.5e-17 in float64.

Cure
----
`eps = torch.finfo(p.dtype).eps`, which both bounds can hold; better, work with the logit:
`F.binary_cross_entropy_with_logits`, `log1p(-p)` only helps where p is not 1.

When it is fine
---------------
The probabilities are float64, or only log(p) is taken, which the lower bound guards.

References
----------
scikit-learn 1.2 made the clip of `log_loss` depend on the dtype for this reason.
"""

import ast
from collections.abc import Iterator

from numlint.facts.precision import Format, working_format
from numlint.finding import Rewrite, Safety, Severity
from numlint.function import Function
from numlint.graph.probability import argument_of, is_log, selected_from
from numlint.graph.site import Site
from numlint.graph.terms import one_minus, product
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "clip-bound-rounds-to-one"
code = "NL702"
triggers = ("clip", "clamp", "clamp_max", "minimum", "clip_by_value", "min")
signature = "absorption"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import torch

        def loss(p, y):
            p = torch.clamp(p, 1e-8, 1 - 1e-8)
            return -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()
        """,
        call="loss(torch.tensor([1.0]), torch.tensor([0.0]))",
        fixed="""
        import torch

        def loss(p, y):
            p = torch.clamp(p, 1e-8, 1 - torch.finfo(p.dtype).eps)
            return -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()
        """,
        requires="torch",
    ),
    Example(
        """
        import numpy as np

        def logit(p):
            eps = 1e-10
            q = np.clip(p.astype(np.float32), eps, 1 - eps)
            return np.log(q / (1 - q))
        """,
        call="logit(np.array([1.0]))",
    ),
    Example(
        """
        import torch

        def unsquash(action):
            return torch.atanh(action.clamp(-1 + 1e-8, 1 - 1e-8))
        """,
        call="unsquash(torch.tensor([1.0]))",
        fixed="""
        import torch

        def unsquash(action):
            return torch.atanh(action.clamp(-1 + 1e-8, 1 - torch.finfo(action.dtype).eps))
        """,
        requires="torch",
    ),
]
GOOD = [
    Example(
        """
        import torch

        def loss(p, y):
            eps = torch.finfo(p.dtype).eps
            p = torch.clamp(p, eps, 1 - eps)
            return -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()
        """,
        call="loss(torch.tensor([1.0]), torch.tensor([0.0]))",
        requires="torch",
    ),
    Example(
        """
        import torch

        def loss(p, y):
            p = torch.clamp(p, 1e-4, 1 - 1e-4)
            return -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()
        """,
        call="loss(torch.tensor([1.0]), torch.tensor([0.0]))",
        note="float32 holds 1 - 1e-4",
        requires="torch",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def loss(p, y):
            p = np.clip(p, 1e-15, 1 - 1e-15)
            return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
        """,
        call="loss(np.array([1.0]), np.array([0.0]))",
        note="float64 holds 1 - 1e-15",
    ),
    Example(
        """
        import torch

        def surprise(p):
            return -torch.log(torch.clamp(p, 1e-8, 1 - 1e-8))
        """,
        call="surprise(torch.tensor([0.0, 1.0]))",
        note="only the lower bound matters here",
        requires="torch",
    ),
]


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("clip", "minimum"):
        bound = _upper(site.value)
        number = bound.number if bound is not None else None
        if bound is None or number is None or not 0.9 < number < 1.0:
            continue
        exposed = list(_exposed(function, site.value))
        held = _format(site, exposed)
        if not exposed or 1.0 - number > held.eps / 4:
            continue
        yield Hazard(
            site,
            f"the upper bound 1 - {1.0 - number:.0e} rounds to 1 in {held.name}: 1 - p is 0 after the clip as before",
            threshold=f"{held.name} holds 1 - e from e = {held.eps / 4:.1e} on",
            explains=(site.value, *exposed, *(value for use in exposed for value in use.args)),
            rewrite=_rewrite(function, site, bound),
        )


def _upper(clip: Value) -> Value | None:
    if clip.op == "clip":
        return clip.args[2].core if len(clip.args) > 2 else None
    return next((argument.core for argument in clip.args if argument.core.number is not None), None)


def _exposed(function: Function, clip: Value) -> Iterator[Value]:
    """Operations that fail at p = 1: the logarithm of 1 - p, a division by it, atanh."""
    for site in function.sites("log", "log2", "log10", "log1p", "div", "arctanh", "logit"):
        value = site.value
        if is_log(value):
            p, complemented = argument_of(value)
            if complemented and selected_from(p) is clip:
                yield value
                continue
        if value.op in ("arctanh", "logit"):
            below = [value.args[0].core]
        else:
            quotient = value.args[0] if value.op.startswith("log") else value
            below = [complement for factor in product(quotient).denominator if (complement := one_minus(factor))]
        if any(selected_from(item) is clip for item in below):
            yield value


def _format(site: Site, exposed: list[Value]) -> Format:
    frameworks = (site.framework, *(value.framework for value in exposed))
    return working_format(site.value, next((item for item in frameworks if item and item != "python"), ""))


def _rewrite(function: Function, site: Site, bound: Value) -> Rewrite:
    library = {"torch": "torch", "jax": "jax.numpy"}.get(site.framework, "numpy")
    clipped = next((argument for argument in site.value.args if argument is not bound), None)
    operand = function.spell(clipped, site) if clipped is not None else None
    node = next(
        (
            inner
            for inner in ast.walk(site.node)
            if inner is not site.node and isinstance(inner, ast.BinOp) and function.body.nodes.get(inner) is bound
        ),
        None,
    )
    if node is None or operand is None or not operand.isidentifier():
        return function.advice("eps = finfo(p.dtype).eps for both bounds, or the loss of the logits")
    return function.rewrite(
        node,
        f"1 - {library}.finfo({operand}.dtype).eps",
        "the largest bound below 1 that the dtype holds for sure",
        safety=Safety.UNSAFE,
        reason="it moves the upper bound",
    )
