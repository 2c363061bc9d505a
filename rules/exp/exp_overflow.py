"""Exponential of a value that nothing bounds.

`exp(x)` is infinite from x = 709.8 in float64, 88.7 in float32 and 11.1 in float16, and
`math.exp` raises OverflowError. A network output, a linear map `X @ w` or a ratio of
densities reaches that on a single outlying input, or after one bad step of training; the
infinity then becomes nan in the first difference or gradient that it meets.

Cure
----
Bound the exponent where its scale is known: `torch.clamp(log_variance, -30, 20)`,
`np.clip(eta, -700, 700)`. Or do not leave the logarithm: keep `X @ w` for comparisons and
sums, use `softplus` for a positive parameter, `logsumexp` and `softmax` for normalised
weights, `poisson_nll_loss(log_input=True)` and its kin for losses.

When it is fine
---------------
The exponent is never positive (a squared distance over a width), clipped, or the output
of tanh or a logarithm of a probability. A bare parameter is reported as possible only.
An infinity below a fraction bar gives the right 0, with a warning in NumPy.

References
----------
E. Kloberdanz, K. Kloberdanz, W. Le, DeepStability: a study of unstable numerical methods
and their solutions in deep learning, ICSE 2022.
"""

from __future__ import annotations

from collections.abc import Iterator

from numlint.facts.precision import exp_thresholds
from numlint.finding import Confidence, Severity
from numlint.function import Function
from numlint.graph.site import Site
from numlint.graph.terms import one_minus, product, terms, variable_terms
from numlint.graph.value import Value
from numlint.graph.vocabulary import EXPONENTIALS
from numlint.rule import Example, Hazard

name = "exp-overflow"
code = "NL105"
triggers = EXPONENTIALS
signature = "overflow"
severity = Severity.WARNING

BAD = [
    Example(
        """
        import numpy as np

        def expected_rate(X, w):
            return np.exp(X @ w)
        """,
        call="expected_rate(np.array([[1000.0]]), np.array([1.0]))",
    ),
    Example(
        """
        import numpy as np

        def fitted_rate(X, log_rate, customer):
            w = np.linalg.pinv(X) @ log_rate
            eta = customer.dot(w)
            return np.e ** eta
        """,
        call="fitted_rate(np.eye(2), np.array([800.0, 0.0]), np.array([1.0, 0.0]))",
    ),
    Example(
        """
        import torch
        from torch import nn

        class Encoder(nn.Module):
            def __init__(self, inputs, latent):
                super().__init__()
                self.mean = nn.Linear(inputs, latent)
                self.log_scale = nn.Linear(inputs, latent)

            def forward(self, x):
                return self.mean(x), self.log_scale(x).exp()

        def encode(x):
            torch.manual_seed(0)
            return Encoder(1, 8)(x)
        """,
        call="encode(torch.tensor([[1000.0]]))",
        requires="torch",
    ),
    Example(
        """
        import torch

        def divergence(mean, log_variance):
            return -0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())
        """,
        call="divergence(torch.zeros(1), torch.tensor([100.0]))",
        requires="torch",
    ),
    Example(
        """
        import torch

        def surrogate(log_p, old_log_p, advantage, width):
            ratio = torch.exp(log_p - old_log_p)
            clipped = torch.clamp(ratio, 1 - width, 1 + width)
            return -torch.min(ratio * advantage, clipped * advantage).mean()
        """,
        call="surrogate(torch.tensor([0.0]), torch.tensor([-100.0]), torch.tensor([-1.0]), 0.2)",
        requires="torch",
    ),
    Example(
        """
        import numpy as np

        def elu(x):
            return np.where(x > 0, x, np.exp(x) + np.tanh(x) - 1)
        """,
        call="elu(np.array([-1.0, 1000.0]))",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def expected_rate(X, w):
            eta = np.clip(X @ w, -700.0, 700.0)
            return np.exp(eta)
        """,
        call="expected_rate(np.array([[1000.0]]), np.array([1.0]))",
        note="the linear map is clipped",
    ),
    Example(
        """
        import torch

        def sample(hidden, layer, noise):
            log_variance = layer(hidden).clamp(-30.0, 20.0)
            return noise * torch.exp(0.5 * log_variance)
        """,
        call="sample(torch.tensor([1000.0]), torch.nn.Identity(), torch.ones(1))",
        note="the log-variance is clamped",
        requires="torch",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def kernel(x, y, gamma):
            distance = ((x[:, None, :] - y[None, :, :]) ** 2).sum(axis=-1)
            return np.exp(-gamma * distance)
        """,
        call="kernel(np.array([[1e6]]), np.array([[0.0]]), 2.0)",
        note="a squared distance and a width: the exponent is never positive",
    ),
    Example(
        """
        import numpy as np

        def density(x, mean, covariance):
            centred = x - mean
            return np.exp(-0.5 * centred.T @ np.linalg.inv(covariance) @ centred)
        """,
        call="density(np.array([1e3]), np.zeros(1), np.eye(1))",
        note="a quadratic form is not negative",
    ),
    Example(
        """
        import numpy as np

        def characteristic(X, t):
            return abs(np.exp(1j * (X @ t)).mean())
        """,
        call="characteristic(np.array([[1e6]]), np.array([1.0]))",
        note="an imaginary exponent: the result lies on the unit circle",
    ),
    Example(
        """
        import numpy as np

        def responsibilities(X, W):
            scores = X @ W
            peak = scores.max(axis=1, keepdims=True)
            total = peak + np.log(np.exp(scores - peak).sum(axis=1, keepdims=True))
            return np.exp(scores - total)
        """,
        call="responsibilities(np.array([[1000.0]]), np.array([[1.0, -1.0]]))",
        note="the logarithm of the sum is subtracted",
    ),
]

DANGEROUS = {
    "network": "a network output, which nothing bounds",
    "linear": "a linear map, which nothing bounds",
    "solution": "the solution of a linear system, which grows with its condition number",
}
HARMLESS = {"bounded", "constant", "logarithm", "draw"}
TRAINED = {*HARMLESS, "parameter"}
MAX_SUMMANDS = 10
CLIMBED = frozenset({"mul", "div", "neg", "square", "sum", "mean", "add", "sub", "pow"})


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("exp"):
        exponent = site.value.args[0]
        overflow = function.exp_overflow(exponent, site)
        caught = site.framework == "python" and site.catches("OverflowError", "ArithmeticError")
        if overflow == "no" or caught or _is_probability(function, site):
            continue
        level, failure, confidence = Severity.WARNING, signature, Confidence.LIKELY
        reason = _reason(function, site, exponent)
        kinds = {source.kind for source in function.sources(exponent, site)}
        if overflow == "discarded" and function.differentiates(site):
            level, failure = Severity.ERROR, "nan-gradient"
            reason = "a value that overflows where the result is not selected: 0 times inf makes the gradient nan"
        elif overflow == "discarded":
            level, reason = Severity.NOTE, "a value that overflows, with a warning, where the result is not selected"
        elif kinds <= HARMLESS:
            continue
        elif not reason or kinds <= TRAINED or _is_harmless(function, site):
            confidence, reason = Confidence.POSSIBLE, reason or "a value that nothing here bounds"
        yield Hazard(
            site,
            f"exp of {reason}",
            confidence=confidence,
            severity=level,
            signature=failure,
            threshold=exp_thresholds(site.framework),
            origin=(exponent,),
            rewrite=function.advice(
                "bound the exponent (clip, clamp, minimum), or keep the logarithm as long as possible"
                if overflow == "yes"
                else "apply the selection to the exponent too: exp(where(condition, x, 0)), or exp(minimum(x, 0))"
            ),
        )


def _is_probability(function: Function, site: Site) -> bool:
    """Whether the result is taken from 1 inside a logarithm, which makes sense only when it is below 1."""
    for user in function.uses.of(site.value):
        if user.op == "neg" or one_minus(user) is site.value:
            logarithm = "log1p" if user.op == "neg" else "log"
            if any(other.op == logarithm for other in function.uses.of(user)):
                return True
    return False


def _reason(function: Function, site: Site, exponent: Value) -> str:
    """Why the exponent should be bounded, or ``""``."""
    beside = _beside_its_exponent(function, site)
    if beside > 2 or (beside and function.differentiates(site)):
        return "a logarithm of a variance or a rate, which nothing bounds"
    if function.differentiates(site):
        scaled = [product(user).numerator for user in function.uses.of(site.value) if user.op == "mul"]
        if any(factor.op == "draw" for factors in scaled for factor in factors):
            return "the logarithm of a scale, which nothing bounds"
    parts = variable_terms(exponent)
    if len(parts) == 2 and parts[0].sign != parts[1].sign:
        one, other = parts[0].value, parts[1].value
        if any(value is one for value in other.walk(400)) or any(value is other for value in one.walk(400)):
            return ""  # x - f(x): shifted or normalised by something computed from itself
        densities = {source.kind for part in parts for source in function.sources(part.value, site)}
        if "log-density" in densities or _is_clipped_about_one(function, site):
            return "a difference of logarithms of probabilities, which nothing bounds"
    quotients = [user for user in function.uses.of(site.value) if user.op == "div"]
    density = any(source.kind == "log-density" for source in function.sources(exponent, site))
    if density and any(_is_quotient_of_exponentials(user) for user in quotients):
        return "one of two logarithms of probabilities whose exponentials are divided: subtract them first"
    scale, above, below = product(exponent)
    if scale > 0 and above and not below and all(factor.op == "exp" for factor in above):
        return "another exponential"
    growing = [part.value for part in terms(exponent) if part.sign * function.presumed_sign(part.value, site) >= 0]
    kinds = [source.kind for value in growing for source in function.sources(value, site)]
    if len(kinds) > MAX_SUMMANDS or not {"logarithm", "log-density"}.isdisjoint(kinds):
        return ""  # a result of many parts, or a density with its normalising constant
    return next((DANGEROUS[kind] for kind in kinds if kind in DANGEROUS), "")


def _beside_its_exponent(function: Function, site: Site) -> int:
    """Number of terms of the sum in which x and exp(c*x) stand, as in a Poisson likelihood; 0 if they do not."""
    variables = product(site.value.args[0]).numerator
    stack, seen = [site.value], {site.value.id}
    while stack and len(seen) < 60:
        for user in function.uses.of(stack.pop()):
            if user.op not in CLIMBED or user.id in seen:
                continue
            seen.add(user.id)
            stack.append(user)
            if user.op in ("add", "sub"):
                for part in terms(user):
                    inner = part.value.args[0].core if part.value.op in ("sum", "mean") else part.value
                    if product(inner).numerator == variables:
                        return len(terms(user))
    return 0


def _is_quotient_of_exponentials(value: Value) -> bool:
    below = [part.value for part in variable_terms(value.args[1])]
    return value.args[0].core.op == "exp" and len(below) == 1 and below[0].op == "exp"


def _is_clipped_about_one(function: Function, site: Site) -> bool:
    """Whether a use of the result is ``clip(ratio, 1 - e, 1 + e)``: the ratio of two policies."""
    for user in function.uses.of(site.value):
        if user.op == "clip" and len(user.args) == 3:
            low, high = function.range(user.args[1], site), function.range(user.args[2], site)
            if (low.hi <= 1 and high.lo >= 1) or all(
                1 in [p.value.number for p in terms(end)] for end in user.args[1:]
            ):
                return True
    return False


def _is_harmless(function: Function, site: Site) -> bool:
    """Whether an infinity is only compared, bounded above, or divided by."""
    users = [(site.value, user) for user in function.uses.of(site.value)]
    padded = [
        user for _, user in users if user.op == "add" and any(argument.number is not None for argument in user.args)
    ]
    users = [pair for pair in users if pair[1] not in padded]
    users += [(total, user) for total in padded for user in function.uses.of(total)]
    return bool(users) and all(
        user.op in ("lt", "le", "minimum")
        or (user.op == "clip" and len(user.args) == 3 and user.args[2].constant is not None)
        or (user.op == "div" and user.args[1].core is value)
        for value, user in users
    )
