"""Product of many probabilities underflows to zero.

A product of n factors p is 0 from n = 324 in float64 and 46 in float32 for p = 0.1, and from
n = 1075 and 150 for p = 0.5. What is then divided by, compared or logged is 0: the
posterior of naive Bayes is 0/0, its arg max the first class, the log likelihood -inf. The
forward pass of a hidden Markov model, `alpha = (alpha @ T) * B[:, o]`, is such a product
over time; densities of many features overflow as well.

Cure
----
Sum logarithms: `np.log(p).sum(axis)` from the log densities themselves (`logpdf`,
`log_prob`), with `logsumexp` to normalise. In a forward pass, divide by the sum in each
step and add up its logarithm.

When it is fine
---------------
A handful of factors; a product of shapes or counts; `1 - prod(1 - p)`, where a product of
0 is the right limit; a recursion that is normalised in each step.

References
----------
L. R. Rabiner, A tutorial on hidden Markov models, Proc. IEEE 77 (1989), sec. V.A.
C. M. Bishop, Pattern Recognition and Machine Learning, Springer 2006, sec. 13.2.4.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from numlint.finding import Rewrite, Severity
from numlint.function import Function
from numlint.graph.probability import alternatives, distribution_call
from numlint.graph.site import Loop, Site
from numlint.graph.terms import one_minus, product, terms
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "product-of-probabilities"
code = "NL109"
triggers = (
    *("prod", "product", "nanprod", "reduce_prod", "*="),
    *("for & @", "for & dot", "for & matmul", "for & sum & *", "for & max & *"),
)
signature = "underflow"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import numpy as np
        from scipy.stats import norm

        def likelihood(x, mean, deviation):
            return norm.pdf(x, mean, deviation).prod()
        """,
        call="np.log(likelihood(np.full(1000, 2.0), 0.0, 1.0))",
    ),
    Example(
        """
        import numpy as np

        def log_likelihood(p):
            return np.log(np.prod(p, axis=1))
        """,
        call="log_likelihood(np.full((1, 400), 0.1))",
        fixed="""
        import numpy as np

        def log_likelihood(p):
            return np.sum(np.log(p), axis=1)
        """,
    ),
    Example(
        """
        import numpy as np

        def posterior(words, document, prior):
            joint = prior * np.prod(words[:, document], axis=1)
            return joint / joint.sum()
        """,
        call="posterior(np.full((2, 3), 1e-3), np.zeros(400, dtype=int), np.array([0.5, 0.5]))",
    ),
    Example(
        """
        import math

        def density(x, mean, variance):
            return math.exp(-((x - mean) ** 2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)

        def score(sample, means, variances):
            joint = 1.0
            for x, mean, variance in zip(sample, means, variances):
                joint *= density(x, mean, variance)
            return joint
        """,
        call="math.log(score([3.0] * 200, [0.0] * 200, [1.0] * 200))",
    ),
    Example(
        """
        import numpy as np

        def classify(word_counts, p, prior):
            likelihoods = np.array([np.prod(q**word_counts * (1 - q) ** (1 - word_counts)) for q in p])
            return prior * likelihoods / np.sum(prior * likelihoods)
        """,
        call="classify(np.ones(400), np.full((2, 400), 0.1), np.array([0.5, 0.5]))",
    ),
    Example(
        """
        import math

        def surprise(sentence, bigrams):
            p = 1.0
            for pair in zip(sentence, sentence[1:]):
                p *= bigrams[pair]
            return -math.log(p)
        """,
        call="surprise('ab' * 400, {('a', 'b'): 0.1, ('b', 'a'): 0.1})",
    ),
    Example(
        """
        import torch

        def sequence_probability(logits, tokens):
            p = torch.softmax(logits, dim=-1)
            return torch.prod(p.gather(1, tokens[:, None]))
        """,
        call="sequence_probability(torch.zeros(100, 50), torch.zeros(100, dtype=torch.long)).log()",
        requires="torch",
    ),
    Example(
        """
        import numpy as np

        def forward(start, T, B, observed):
            alpha = start * B[:, observed[0]]
            for o in observed[1:]:
                alpha = (alpha @ T) * B[:, o]
            return alpha.sum()
        """,
        call="np.log(forward(np.array([0.5, 0.5]), np.full((2, 2), 0.5), np.full((2, 9), 0.1), [0] * 400))",
    ),
    Example(
        """
        import numpy as np

        def forward(start, T, B, observed):
            alpha = np.zeros((len(observed), len(start)))
            alpha[0] = start * B[:, observed[0]]
            for t in range(1, len(observed)):
                for j in range(len(start)):
                    alpha[t, j] = np.sum(alpha[t - 1] * T[:, j]) * B[j, observed[t]]
            return alpha
        """,
        call="np.log(forward(np.array([0.5, 0.5]), np.full((2, 2), 0.5), np.full((2, 9), 0.1), [0] * 400)[-1])",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def forward(start, T, B, observed):
            alpha = start * B[:, observed[0]]
            total = 0.0
            for o in observed[1:]:
                alpha = (alpha @ T) * B[:, o]
                scale = alpha.sum()
                alpha = alpha / scale
                total += np.log(scale)
            return total
        """,
        call="forward(np.array([0.5, 0.5]), np.full((2, 2), 0.5), np.full((2, 9), 0.1), [0] * 400)",
        note="normalised in each step",
    ),
    Example(
        """
        import numpy as np
        from scipy.stats import norm

        def log_likelihood(x, mean, deviation):
            return norm.logpdf(x, mean, deviation).sum()
        """,
        call="log_likelihood(np.full(1000, 2.0), 0.0, 1.0)",
        note="a sum of log densities",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def parameters(W):
            return np.log(np.prod(W.shape))
        """,
        call="parameters(np.ones((3, 4)))",
        note="a product of integers",
    ),
    Example(
        """
        import numpy as np
        from scipy.special import expit

        def any_of(logits):
            return 1 - np.prod(1 - expit(logits), axis=-1)
        """,
        call="any_of(np.full((1, 2000), 3.0))",
        note="a product of 0 is the right limit: the result is 1",
    ),
    Example(
        """
        import numpy as np

        def backward(weights, slopes, delta):
            for layer in range(len(weights)):
                delta = (weights[layer].T @ delta) * slopes[layer]
            return delta
        """,
        call="backward(np.ones((3, 2, 2)), np.ones((3, 2)), np.ones(2))",
        note="the matrix changes with the step: layers of a network, not a chain of probabilities",
    ),
]

FEW = 10
"""So many factors do no harm."""
THRESHOLD = "0 from 324 factors of 0.1 in float64, 46 in float32"
LOGARITHMS = {"numpy": "numpy", "torch": "torch", "jax": "jax.numpy", "cupy": "cupy", "autograd": "autograd.numpy"}


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites("prod"):
        factors = site.value.args[0].core
        if function.range(factors, site).integer or _is_complemented(function, site.value):
            continue
        if factors.op == "join" and len(factors.args) <= FEW and site.value.attr("axis") is not None:
            continue
        used = site.framework != "python" and _is_normalised_or_logged(function, site.value)
        if used or _is_probability(function, site, factors):
            yield Hazard(
                site,
                "a product of many probabilities underflows to 0",
                threshold=THRESHOLD,
                origin=(factors,),
                rewrite=_rewrite(function, site),
            )
    for loop in function.loops:
        for site in _running(function, loop):
            yield Hazard(
                site,
                "a product of probabilities that runs through a loop underflows to 0",
                threshold=THRESHOLD,
                rewrite=function.advice("add logarithms, or divide by the sum in each step and add up its logarithm"),
            )


def _is_probability(function: Function, site: Site, value: Value, depth: int = 0) -> bool:
    """Whether a value is a probability or a density by how it is computed."""
    if depth > 6:
        return False
    for inner in alternatives(value):
        if inner.op in ("softmax", "sigmoid", "pdf", "cdf", "sf") or distribution_call(inner):
            return True
        if inner.op == "exp" and _is_log_density(function, site, inner.args[0]):
            return True
        if inner.op == "comprehension" and _is_probability(function, site, inner.args[0], depth + 1):
            return True
        if (complement := one_minus(inner)) is not None and _is_probability(function, site, complement, depth + 1):
            return True
        if inner.op in ("mul", "add", "where", "phi") and _is_bernoulli(inner):
            return True
        if inner.op in ("mul", "div") and _is_gaussian(function, site, inner):
            return True
        if inner.op in ("mul", "div", "pow") and _has_probable_factor(function, site, inner, depth):
            return True
    return False


def _is_log_density(function: Function, site: Site, exponent: Value) -> bool:
    return any(source.kind == "log-density" for source in function.sources(exponent, site))


def _is_gaussian(function: Function, site: Site, value: Value) -> bool:
    """Whether a value is a negative exponential with a normalising constant: a density, and not only a kernel."""
    scale, above, below = product(value)
    negative = [
        factor
        for factor in above
        if factor.op == "exp"
        and function.exp_overflow(factor.args[0], site) == "no"
        and function.range(factor.args[0], site).lo < -1
    ]
    return bool(negative) and (bool(below) or scale != 1)


def _is_bernoulli(value: Value) -> bool:
    """Whether a value is ``p**x * (1 - p)**(1 - x)``, ``x*p + (1 - x)*(1 - p)``, or p or 1 - p by a condition."""
    if value.op == "mul":
        bases = [factor.args[0].core for factor in product(value).numerator if factor.op == "pow"]
        return _complements(bases, bases) > 0
    if value.op == "add":
        parts = [product(part.value).numerator for part in terms(value)]
        return len(parts) == 2 and _complements(*parts) + _complements(*reversed(parts)) >= 2
    branches = [branch.core for branch in value.args[1:]]
    return _complements(branches, branches) > 0


def _complements(ones: Sequence[Value], others: Sequence[Value]) -> int:
    """Number of values of the first kind that are 1 - one of the second."""
    return sum((base := one_minus(one)) is not None and base.core in others for one in ones)


def _has_probable_factor(function: Function, site: Site, value: Value, depth: int) -> bool:
    above, below = value.args[0].core, value.args[-1].core
    if value.op == "div" and below.op == "sum" and below.args[0].core is above:
        return True  # shares of a total
    factors = [above] if value.op == "pow" else product(value).numerator
    return any(factor is not value and _is_probability(function, site, factor, depth + 1) for factor in factors)


def _is_complemented(function: Function, value: Value) -> bool:
    """Whether every use is ``1 - product``, for which 0 is the right limit."""
    users = list(function.uses.of(value))
    return bool(users) and all(one_minus(user) is value for user in users)


def _is_normalised_or_logged(function: Function, value: Value) -> bool:
    """Whether a product, times other factors, is divided by its sum, compared for the largest, or logged."""
    stack, seen = [value], {value.id}
    while stack and len(seen) < 40:
        current = stack.pop()
        for user in function.uses.of(current):
            if user.op in ("log", "log2", "log10", "argmax"):
                return True
            if user.op == "div" and user.args[0].core is current:
                below = user.args[1].core
                if below.op == "sum" and below.args[0].core is current:
                    return True
            if user.op in ("mul", "join") and user.id not in seen:
                seen.add(user.id)
                stack.append(user)
    return False


def _running(function: Function, loop: Loop) -> Iterator[Site]:
    """Sites in a loop at which a carried value is multiplied by probabilities without being normalised."""
    if _is_short(function, loop):
        return
    steps = [(start, moved) for _, start, end in loop.carried.values() for moved in _steps(end, start)]
    for head, step in steps:
        for site in function.sites("mul", "matmul"):
            if site.value.core is not step.core or loop not in site.loops:
                continue
            others = [factor for factor in product(step).numerator if not _comes_from(factor, head)]
            ratio = any(_is_probability(function, site, factor) for factor in product(step).denominator)
            multiplied = len(others) < len(product(step).numerator) and step.core.op == "mul" and not ratio
            probable = multiplied and _is_scaled_head(step, head)
            probable = probable and (
                _is_gaussian(function, site, step)
                or any(_is_probability(function, site, factor) for factor in others)
                or _is_normalised_or_logged(function, step)
            )
            if probable or _is_forward_pass(step, head, loop):
                yield site


def _steps(end: Value, head: Value) -> list[Value]:
    """What an iteration can leave behind: the last item stored, or the value; empty when some of it is no product."""
    leaves = [inner for inner in alternatives(end) if inner.op not in ("phi", "where", "join")]
    steps = [inner.args[2].core if inner.op == "store" else inner for inner in leaves if inner is not head]
    return steps if all(step.op in ("mul", "div", "matmul") for step in steps) else []


def _is_short(function: Function, loop: Loop) -> bool:
    iterable = loop.iterable.core if loop.iterable is not None else None
    if iterable is None:
        return False
    if iterable.op in ("list", "tuple"):
        return len(iterable.args) <= FEW
    return iterable.op == "arange" and function.facts.range(iterable, loop.entry).hi <= FEW


def _comes_from(value: Value, head: Value) -> bool:
    return any(inner is head for inner in value.walk(300))


def _is_scaled_head(step: Value, head: Value) -> bool:
    """Whether a product has the carried value itself, or an item of it, as a factor."""
    for factor in product(step).numerator:
        inner = factor
        while inner.op in ("index", "take"):
            inner = inner.args[0].core
        if inner is head:
            return not any(_comes_from(below, head) for below in product(step).denominator)
    return False


def _is_forward_pass(step: Value, head: Value, loop: Loop) -> bool:
    """Whether a step contracts the carried value with a fixed matrix and multiplies it by a row of a fixed table."""
    contracted = multiplied = False
    current = step.core
    for _ in range(12):
        if current is head:
            return contracted and multiplied
        if current.op in ("index", "take", "sum", "max"):
            contracted = contracted or current.op in ("sum", "max")
            current = current.args[0].core
            continue
        if current.op not in ("mul", "matmul") or len(current.args) != 2:
            return False
        dependent = [argument.core for argument in current.args if _comes_from(argument, head)]
        fixed = [argument.core for argument in current.args if not _comes_from(argument, head)]
        if len(dependent) != 1 or not fixed:
            return False
        if current.op == "matmul":
            if _varies(fixed[0], loop):
                return False
            contracted = True
        elif fixed[0].op in ("index", "take") and _varies(fixed[0], loop):
            if _varies(fixed[0].args[0], loop):
                return False
            multiplied = True
        current = dependent[0]
    return False


def _varies(value: Value, loop: Loop) -> bool:
    """Whether a value changes from one iteration of a loop to the next."""
    heads = {head for _, head, _ in loop.carried.values()}
    iterable = loop.iterable.core if loop.iterable is not None else None
    items = (iterable, *(item.core for item in iterable.args)) if iterable is not None else ()
    return any(inner in heads or (inner.op == "element" and inner.args[0].core in items) for inner in value.walk(400))


def _rewrite(function: Function, site: Site) -> Rewrite:
    advice = function.advice("sum the logarithms of the factors; compare and normalise in logarithms")
    library = LOGARITHMS.get(site.framework, "")
    factors = function.spell(site.value.args[0], site)
    for logarithm in function.sites("log"):
        if logarithm.value.args[0] is not site.value or not isinstance(logarithm.node, ast.expr):
            continue
        axis = site.value.attr("axis")
        if not library or factors is None or isinstance(axis, Value) or site.value.attr("keepdims"):
            return advice
        word = "dim" if library == "torch" else "axis"
        where = "" if axis is None else f", {word}={axis!r}"
        text = f"{library}.sum({library}.log({factors}){where})"
        extra = function.unneeded(logarithm.node, text)
        return function.rewrite(logarithm.node, text, "a sum of logarithms does not underflow", extra=extra)
    return advice
