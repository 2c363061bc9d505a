"""The logarithm of a sigmoid, or of one minus a sigmoid, is -inf for a confident logit.

`1 - sigmoid(z)` is exactly 0 from z = 36.7 (float64), 16.6 (float32) or 8.3 (float16)
on, because the sigmoid rounds to 1; half of the digits are gone at two thirds of that.
`sigmoid(z)` itself underflows below -710, -89 and -17. The logarithm is then -inf, the
loss infinite or nan, and the gradient lost exactly where the classifier is most wrong.

Cure
----
`log(sigmoid(z))` is `-softplus(-z)`: `F.logsigmoid(z)`, `scipy.special.log_expit(z)`,
`jax.nn.log_sigmoid(z)`, `tf.math.log_sigmoid(z)`; and `log(1 - sigmoid(z))` is the same
of -z. A discriminator should return logits, and its loss be
`F.binary_cross_entropy_with_logits`. The difference log(s) - log(1 - s) is z itself.

When it is fine
---------------
The logit is bounded, or an epsilon that the dtype can hold is added after the
subtraction: `log(1 - p + 1e-8)`, though that biases the loss of confident predictions.

References
----------
M. Maechler, Accurately computing log(1 - exp(-|a|)), Rmpfr vignette, 2012.
"""

import ast
import math
from collections.abc import Iterator

from numlint.facts.precision import formats_of
from numlint.finding import Severity
from numlint.function import Function
from numlint.graph.probability import LOGARITHMS, Sigmoid
from numlint.graph.site import Site
from numlint.rule import Example, Hazard
from numlint.rules.log._logits import on_logits, sigmoid_of_log

name = "log-of-sigmoid"
code = "NL122"
triggers = (*LOGARITHMS, "log1p")
signature = "underflow"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import torch

        def generator_loss(logits):
            return -torch.log(torch.sigmoid(logits)).mean()
        """,
        call="generator_loss(torch.tensor([-100.0, 2.0]))",
        fixed="""
        import torch

        def generator_loss(logits):
            return -torch.nn.functional.logsigmoid(logits).mean()
        """,
        requires="torch",
    ),
    Example(
        """
        import torch
        import torch.nn.functional as F

        def discriminator_loss(real_logits, fake_logits):
            real = torch.sigmoid(real_logits)
            fake = torch.sigmoid(fake_logits)
            return -(torch.log(real) + torch.log(1 - fake)).mean()
        """,
        call="discriminator_loss(torch.tensor([1.0]), torch.tensor([20.0]))",
        fixed="""
        import torch
        import torch.nn.functional as F

        def discriminator_loss(real_logits, fake_logits):
            return -(F.logsigmoid(real_logits) + F.logsigmoid(-fake_logits)).mean()
        """,
        requires="torch",
    ),
    Example(
        """
        import numpy as np

        def sigmoid(x):
            return 1.0 / (1.0 + np.exp(-x))

        def log_survival(features, weights):
            return np.log(1.0 - sigmoid(features @ weights))
        """,
        call="log_survival(np.array([[40.0]]), np.array([1.0]))",
        fixed="""
        import numpy as np
        from scipy.special import log_expit

        def sigmoid(x):
            return 1.0 / (1.0 + np.exp(-x))

        def log_survival(features, weights):
            return log_expit(-(features @ weights))
        """,
    ),
    Example(
        """
        import torch
        from torch import nn

        class Discriminator(nn.Module):
            def __init__(self, inputs):
                super().__init__()
                self.body = nn.Sequential(nn.Linear(inputs, 1), nn.Sigmoid())

            def forward(self, x):
                return self.body(x)

        def loss(factor):
            D = Discriminator(1).to("cpu")
            D.body[0].weight.data.fill_(factor)
            D_real, D_fake = D(torch.ones(1, 1)), D(torch.ones(1, 1))
            return -torch.mean(torch.log(D_real) + torch.log(1.0 - D_fake))
        """,
        call="loss(30.0)",
        requires="torch",
    ),
    Example(
        """
        import torch

        def reward(score):
            s = score.sigmoid()
            return s.log() - (1 - s).log()
        """,
        call="reward(torch.tensor([20.0]))",
        fixed="""
        import torch

        def reward(score):
            return score
        """,
        requires="torch",
    ),
    Example(
        """
        import torch

        def log_survival(z):
            return torch.log(1 - torch.sigmoid(z.clamp(-20.0, 20.0)))
        """,
        call="log_survival(torch.tensor([30.0]))",
        fixed="""
        import torch

        def log_survival(z):
            return torch.nn.functional.logsigmoid(-z.clamp(-20.0, 20.0))
        """,
        requires="torch",
    ),
]
GOOD = [
    Example(
        """
        import torch
        import torch.nn.functional as F

        def discriminator_loss(real_logits, fake_logits):
            return -(F.logsigmoid(real_logits) + F.logsigmoid(-fake_logits)).mean()
        """,
        call="discriminator_loss(torch.tensor([1.0]), torch.tensor([20.0]))",
        requires="torch",
    ),
    Example(
        """
        import torch

        def log(x):
            return torch.log(x + 1e-8)

        def loss(real, fake):
            return -(log(torch.sigmoid(real)) + log(1 - torch.sigmoid(fake))).mean()
        """,
        call="loss(torch.tensor([-200.0]), torch.tensor([200.0]))",
        note="the epsilon is added after the subtraction, where float32 can hold it",
        requires="torch",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np
        from scipy.special import expit

        def log_survival(z):
            return np.log(1.0 - expit(np.clip(z, 0.0, 1.0)))
        """,
        call="log_survival(np.array([0.0, 100.0]))",
        note="the clip bounds the logit: the probability lies between 0.5 and 0.74",
    ),
]
LIMITS = {
    True: {"float64": "from a logit of 36.7", "float32": "from 16.6", "float16": "from 8.3"},
    False: {"float64": "below a logit of -710", "float32": "below -89", "float16": "below -17"},
}


def check(function: Function) -> Iterator[Hazard]:
    statements: dict[ast.stmt | None, list[tuple[Site, Sigmoid]]] = {}
    for site in function.sites(*LOGARITHMS, "log1p"):
        sigmoid = sigmoid_of_log(site)
        if sigmoid is not None and _is_exposed(function, site, sigmoid):
            statements.setdefault(function.statement(site.node), []).append((site, sigmoid))
    for found in statements.values():
        site, sigmoid = found[0]
        saturates = any(one.complement for _, one in found)
        rewrite = on_logits(function, found)
        yield Hazard(
            site,
            "log of one minus a sigmoid: it rounds to 1 and the logarithm is -inf"
            if saturates
            else "log of a sigmoid: it underflows to 0 and the logarithm is -inf",
            threshold=", ".join(f"{item.name} {LIMITS[saturates][item.name]}" for item in formats_of(site.framework)),
            origin=sigmoid.parts[:1],
            explains=tuple(value for one, inner in found for value in (one.value, one.value.args[0], *inner.parts)),
            rewrite=rewrite or function.advice("the log-sigmoid of the logit; a discriminator should return logits"),
        )


def _is_exposed(function: Function, site: Site, sigmoid: Sigmoid) -> bool:
    """Whether the argument can be 0: in float64 by its range, in a narrower format also for a logit of bounded size."""
    if site.value.op == "log1p" or function.zero_of_log(site) is not None:
        return True
    argument = site.value.args[0].core
    if sigmoid.logit is None or argument not in sigmoid.parts:
        return False
    held = function.format(argument, site)
    known = function.range(sigmoid.logit, site)
    limit = -math.log(held.eps / 2) if sigmoid.complement else held.exp_overflow
    if held.name == "float64" or not known.bounded:
        return False
    return known.hi >= limit if sigmoid.negated else known.lo <= -limit
