"""The logarithm of a softmax is -inf once a logit lies far below the largest.

`softmax(z)` rounds to 0 when a logit is 745 (float64), 104 (float32) or 17 (float16)
below the largest one; the logarithm is then -inf, and in a loss 0 * -inf is nan. Half
of the digits are lost a little earlier, where the softmax is subnormal. The result
that was wanted, `z - logsumexp(z)`, is an ordinary number.

Cure
----
`torch.log_softmax(z, dim)`, `scipy.special.log_softmax(z, axis)`, `jax.nn.log_softmax`,
`tf.nn.log_softmax`; or the loss that takes logits: `F.cross_entropy(z, target)`.
Adding an epsilon inside the logarithm only bounds the error: it is a bias for every
probability near the epsilon.

When it is fine
---------------
The logits are bounded (a tanh, a clip) so that no probability underflows, or the
probabilities are kept away from 0 before the logarithm.

References
----------
P. Blanchard, D. J. Higham, N. J. Higham, Accurately computing the log-sum-exp and
softmax functions, IMA J. Numer. Anal. 41 (2021), 2311-2330.
"""

import ast
from collections.abc import Iterator

from numlint.facts.precision import formats_of
from numlint.finding import Rewrite, Safety, Severity
from numlint.function import Function
from numlint.graph.probability import LOGARITHMS, Softmax, alternatives, as_softmax
from numlint.graph.site import Site
from numlint.rule import Example, Hazard

name = "log-of-softmax"
code = "NL121"
triggers = LOGARITHMS
signature = "underflow"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import torch
        import torch.nn.functional as F

        def loss(logits, target):
            probabilities = F.softmax(logits, dim=1)
            return -torch.log(probabilities)[torch.arange(len(target)), target].mean()
        """,
        call="loss(torch.tensor([[0.0, 200.0]]), torch.tensor([0]))",
        fixed="""
        import torch
        import torch.nn.functional as F

        def loss(logits, target):
            return -torch.log_softmax(logits, 1)[torch.arange(len(target)), target].mean()
        """,
        requires="torch",
    ),
    Example(
        """
        import numpy as np

        def softmax(z):
            e = np.exp(z - np.max(z, axis=1, keepdims=True))
            return e / np.sum(e, axis=1, keepdims=True)

        def log_posterior(features, weights):
            return np.log(softmax(features @ weights))
        """,
        call="log_posterior(np.array([[800.0]]), np.array([[0.0, 1.0]]))",
        fixed="""
        import numpy as np
        from scipy.special import log_softmax

        def softmax(z):
            e = np.exp(z - np.max(z, axis=1, keepdims=True))
            return e / np.sum(e, axis=1, keepdims=True)

        def log_posterior(features, weights):
            return log_softmax(features @ weights, axis=1)
        """,
    ),
    Example(
        """
        import torch
        from torch import nn

        class Policy(nn.Module):
            def __init__(self, states, actions):
                super().__init__()
                self.body = nn.Sequential(nn.Linear(states, 32), nn.ReLU(), nn.Linear(32, actions), nn.Softmax(dim=-1))

            def log_probability(self, state, action):
                return self.body(state)[:, action].log()

        def scaled(factor):
            torch.manual_seed(0)
            policy = Policy(4, 2)
            for parameter in policy.parameters():
                parameter.data.mul_(factor)
            return torch.stack([policy.log_probability(torch.ones(1, 4), action) for action in (0, 1)]).min()
        """,
        call="scaled(100.0)",
        requires="torch",
    ),
]
GOOD = [
    Example(
        """
        import torch

        def loss(logits, target):
            return -torch.log_softmax(logits, 1)[torch.arange(len(target)), target].mean()
        """,
        call="loss(torch.tensor([[0.0, 200.0]]), torch.tensor([0]))",
        requires="torch",
    ),
    Example(
        """
        import numpy as np
        from scipy.special import softmax

        def log_posterior(z):
            return np.log(np.clip(softmax(z, axis=1), 1e-12, 1.0))
        """,
        call="log_posterior(np.array([[0.0, 800.0]]))",
        note="clipped away from 0",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np
        from scipy.special import softmax

        def log_weights(z):
            return np.log(softmax(10.0 * np.tanh(z), axis=-1))
        """,
        call="log_weights(np.array([0.0, 800.0]))",
        note="the logits differ by 20 at most",
    ),
]

LIBRARY = {
    "numpy": "scipy.special.log_softmax",
    "torch": "torch.log_softmax",
    "jax": "jax.nn.log_softmax",
    "tensorflow": "tensorflow.nn.log_softmax",
}
OTHER_SOFTMAXES = ("softmin", "gumbel_softmax")


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites(*LOGARITHMS):
        argument = site.value.args[0]
        softmax = next(filter(None, map(as_softmax, alternatives(argument))), None)
        if softmax is None or function.zero_of_log(site) is None:
            continue
        known = function.range(softmax.logits, site)
        if known.hi - known.lo < -function.format(softmax.parts[0], site).exp_underflow:
            continue
        own = {id(value) for value in (site.value, *softmax.parts)}
        shared = any(id(use) not in own for use in function.uses.of(softmax.parts[0]))
        yield Hazard(
            site,
            "log of a softmax: a probability that underflows to 0 gives -inf, where log_softmax is exact",
            threshold=", ".join(
                f"{item.name} from a logit gap of {-item.exp_underflow:.0f}" for item in formats_of(site.framework)
            ),
            origin=softmax.parts[:1],
            explains=(site.value,) if shared else (site.value, argument, *softmax.parts),
            rewrite=_rewrite(function, site, softmax),
        )


def _rewrite(function: Function, site: Site, softmax: Softmax) -> Rewrite:
    library = LIBRARY.get(site.framework)
    if library is None or function.compiled:
        return function.advice("log_softmax of the logits, or a loss that takes logits")
    value = softmax.parts[0]
    text = function.spell(softmax.logits, site)
    called = [node for node, known in function.body.nodes.items() if known is value and isinstance(node, ast.Call)]
    other = any(function.text(node.func).endswith(OTHER_SOFTMAXES) for node in called)
    handmade = len(softmax.parts) > 1
    unclear = softmax.axis is None if library.startswith("torch") else handmade and softmax.axis is None
    if text is None or other or unclear or site.value.args[0] is not value or site.value.op != "log":
        return function.advice(f"{library} of the logits, or a loss that takes logits")
    axis = (
        "" if softmax.axis is None else f", {softmax.axis}" if library.startswith("torch") else f", axis={softmax.axis}"
    )
    keeps = not handmade or value.op != "div" or value.args[1].core.attr("keepdims") is True
    return function.rewrite(
        site.node,
        f"{library}({text}{axis})",
        f"{library.rpartition('.')[2]} never leaves the logarithmic scale",
        safety=Safety.SAFE if keeps else Safety.UNSAFE,
        reason="" if keeps else "the sum drops its axis: the original broadcasts differently",
        extra=function.removals(value, site.node)[:1],
    )
