"""A logarithm of something that can come out as 0 is -inf.

Zero is an ordinary result for a count, a share of a total, a relu, a clip at 0, or a
mixture of densities that all underflow (below 5e-324 in float64, 1.4e-45 in float32,
6e-8 in float16). log(0) is -inf; a sum is then -inf, and a product with 0 nan. Only
`math.log` raises.

Cure
----
Say what zero means here. A count that was not observed: add a pseudocount before
normalising. A mixture: `logsumexp` of the log-densities. Powers in decibels: clip at the
noise floor, `np.log10(np.maximum(power, floor))`. Terms that do not count: mask them out
before the logarithm. An epsilon must be one that the dtype can hold.

When it is fine
---------------
The argument is bounded away from 0, masked, or counted over what occurs; or -inf is the
right answer, as in an additive attention mask, and then `np.errstate(divide="ignore")`
says so.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, sec. 2.1.
"""

from collections.abc import Iterator

from numlint.facts.vanishing import Zero
from numlint.finding import Confidence, Severity
from numlint.function import Function
from numlint.graph.probability import LOGARITHMS, alternatives, as_softmax
from numlint.graph.site import Site
from numlint.rule import Example, Hazard
from numlint.rules.log._densities import density_of_log
from numlint.rules.log._logits import sigmoid_of_log

name = "log-of-zero"
code = "NL125"
triggers = LOGARITHMS
signature = "underflow"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import numpy as np

        def surprise(words, vocabulary):
            counts = np.bincount(words, minlength=vocabulary)
            return -np.log(counts / counts.sum())
        """,
        call="surprise(np.array([0, 2, 2]), 3)",
    ),
    Example(
        """
        import numpy as np

        def evidence(x, weights, means):
            joint = weights * np.exp(-0.5 * (x[:, None] - means) ** 2)
            total = joint.sum(axis=1)
            return np.log(total).sum()
        """,
        call="evidence(np.array([0.0, 60.0]), np.array([0.5, 0.5]), np.array([0.0, 1.0]))",
    ),
    Example(
        """
        import torch
        import torch.nn.functional as F

        def log_activation(x):
            return F.relu(x).log()
        """,
        call="log_activation(torch.tensor([-1.0, 1.0]))",
        requires="torch",
    ),
    Example(
        """
        import torch

        def squash(u):
            a = torch.tanh(u)
            return torch.log(1 - a.pow(2)).sum()
        """,
        call="squash(torch.tensor([20.0]))",
        requires="torch",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def surprise(words, vocabulary):
            counts = np.bincount(words, minlength=vocabulary) + 1
            return -np.log(counts / counts.sum())
        """,
        call="surprise(np.array([0, 2, 2]), 3)",
        note="a pseudocount",
    ),
    Example(
        """
        import numpy as np

        def levels(signal):
            return 20.0 * np.log10(np.maximum(np.abs(signal), 1e-10))
        """,
        call="levels(np.array([0.0, 1.0]))",
        note="a noise floor",
    ),
]
LIMIT = [
    Example(
        """
        import torch

        def causal_mask(size):
            return torch.log(torch.tril(torch.ones(size, size)))
        """,
        call="torch.softmax(causal_mask(3), dim=1)",
        note="-inf is meant: an additive mask for attention",
        requires="torch",
    ),
    Example(
        """
        import numpy as np

        def log_prior(labels):
            return np.log([np.mean(labels == label) for label in np.unique(labels)])
        """,
        call="log_prior(np.array([0, 2, 2]))",
        note="a label that occurs has a positive frequency",
    ),
]

REASONS = {
    "underflow": "a product or sum of factors that underflow to 0",
    "density": "a density, or a sum of densities, that underflows to 0",
    "tail": "a tail probability that rounds to 0",
    "saturation": "a difference from 1 that is 0 once the other side rounds to 1",
    "attained": "a value that is exactly 0 for ordinary inputs",
    "count": "a count that is 0 for what was not observed",
    "share": "a share of a total that is 0 for an empty part",
    "draw": "a uniform random number that can be exactly 0",
}


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites(*LOGARITHMS):
        if _has_a_rule_of_its_own(site):
            continue
        zero = function.zero_of_log(site)
        if zero is None or zero.kind == "unknown":
            continue
        yield Hazard(
            site,
            f"log of {REASONS[zero.kind]}: -inf",
            confidence=Confidence.LIKELY if zero.sure else Confidence.POSSIBLE,
            threshold=_threshold(zero),
            origin=(zero.source,),
            explains=(site.value,),
            rewrite=function.advice("a pseudocount, a floor or a mask before the logarithm; logsumexp for a mixture"),
        )


def _has_a_rule_of_its_own(site: Site) -> bool:
    """Whether the logarithm is of a softmax, sigmoid, density, sum of exponentials, product or determinant."""
    argument = site.value.args[0]
    inner = argument.core
    if inner.op in ("prod", "det") or (inner.op in ("sum", "mean") and inner.args[0].core.op == "exp"):
        return True
    softmax = any(as_softmax(value) for value in alternatives(argument))
    return softmax or sigmoid_of_log(site) is not None or density_of_log(site) is not None


def _threshold(zero: Zero) -> str:
    if zero.kind == "draw":
        return "float32 draws 0 once in 2**24, float16 once in 2**12"
    if zero.kind in ("underflow", "density"):
        return "0 below 5e-324 in float64, 1.4e-45 in float32, 6e-8 in float16"
    return ""
