"""Binary cross-entropy written out is nan where a probability reaches 0 or 1.

A sigmoid is exactly 1 from a logit of 36.7 (float64) or 16.6 (float32) on, and a
classifier that is sure and right then computes 0 * log(0) = 0 * -inf = nan in
`y*log(p) + (1 - y)*log(1 - p)`: one sample makes the mean nan.

Cure
----
Compute the loss from the logits: `F.binary_cross_entropy_with_logits(z, y)`,
`tf.nn.sigmoid_cross_entropy_with_logits`, `np.logaddexp(0, z) - y*z`. Where only
probabilities are at hand, `xlogy(y, p) + xlog1py(1 - y, -p)` takes 0*log(0) as 0.

When it is fine
---------------
The probabilities are clipped to an interval whose bounds the dtype can hold, or an
epsilon is added after the subtraction. `F.binary_cross_entropy` clamps the logarithm
at -100 itself.

References
----------
P. Blanchard, D. J. Higham, N. J. Higham, Accurately computing the log-sum-exp and
softmax functions, IMA J. Numer. Anal. 41 (2021), 2311-2330.
"""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from numlint.facts.precision import formats_of
from numlint.finding import Rewrite, Severity
from numlint.function import Function
from numlint.graph.probability import LOGARITHMS, Sigmoid, argument_of, is_log, selected_from, weighted_log
from numlint.graph.site import Site
from numlint.graph.terms import one_minus, terms
from numlint.graph.value import Value
from numlint.rule import Example, Hazard
from numlint.rules.log._logits import on_logits, sigmoid_of_log

name = "handwritten-bce"
code = "NL124"
triggers = (*LOGARITHMS, "log1p")
signature = "nan"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import numpy as np

        def binary_cross_entropy(p, y):
            return np.mean(-y * np.log(p) - (1 - y) * np.log(1 - p))
        """,
        call="binary_cross_entropy(np.array([1.0, 0.3]), np.array([1.0, 0.0]))",
        fixed="""
        import numpy as np
        from scipy.special import xlog1py, xlogy

        def binary_cross_entropy(p, y):
            return np.mean(-xlogy(y, p) - xlog1py(1 - y, -p))
        """,
    ),
    Example(
        """
        import torch
        import torch.nn.functional as F

        def reconstruction(logits, x):
            p = torch.sigmoid(logits)
            return -(x * torch.log(p) + (1 - x) * torch.log(1 - p)).sum()
        """,
        call="reconstruction(torch.tensor([20.0]), torch.tensor([1.0]))",
        fixed="""
        import torch
        import torch.nn.functional as F

        def reconstruction(logits, x):
            return -(x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(-logits)).sum()
        """,
        requires="torch",
    ),
    Example(
        """
        import numpy as np

        def sigmoid(z):
            return 1 / (1 + np.exp(-z))

        def cost(X, y, theta):
            h = sigmoid(X @ theta)
            positive = y[y == 1].T @ np.log(h[y == 1])
            negative = (1 - y[y == 0]).T @ np.log(1 - h[y == 0])
            return -(positive + negative) / len(y)
        """,
        call="cost(np.array([[40.0], [1.0]]), np.array([0.0, 1.0]), np.array([1.0]))",
        signature="underflow",
    ),
    Example(
        """
        import numpy as np

        def loss(p, y):
            return -np.where(y == 1, np.log(p), np.log(1 - p)).mean()
        """,
        call="loss(np.array([0.0]), np.array([1.0]))",
        signature="underflow",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def binary_cross_entropy(z, y):
            return np.mean(np.logaddexp(0, z) - y * z)
        """,
        call="binary_cross_entropy(np.array([40.0, -1.0]), np.array([1.0, 0.0]))",
    ),
    Example(
        """
        import numpy as np

        def binary_cross_entropy(p, y):
            p = np.clip(p.astype(np.float64), 1e-15, 1 - 1e-15)
            return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
        """,
        call="binary_cross_entropy(np.array([1.0, 0.3]), np.array([1.0, 0.0]))",
        note="float64 holds 1 - 1e-15",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def loss(z, y):
            p = 1 / (1 + np.exp(-np.clip(z.astype(np.float64), -30.0, 30.0)))
            return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
        """,
        call="loss(np.array([100.0, -100.0]), np.array([1, 1]))",
        note="a logit of 30 leaves 1 - p = 9e-14 in float64",
    ),
]

LIMITS = {"float64": "36.7", "float32": "16.6", "float16": "8.3"}


class Label(NamedTuple):
    """A target, and whether it is the target itself (True) or one minus it."""

    target: Value
    direct: bool


def check(function: Function) -> Iterator[Hazard]:
    logs = [site for site in function.sites(*LOGARITHMS, "log1p") if is_log(site.value)]
    for one in logs:
        p, complemented = argument_of(one.value)
        if complemented:
            continue
        for other in logs:
            q, complement = argument_of(other.value)
            if not complement or selected_from(q) is not selected_from(p) or not _is_loss(function, one, other):
                continue
            exposed = [log for log in (one, other) if _reaches_zero(function, log)]
            if exposed:
                yield from _hazards(function, one, other, exposed)
                break


def _is_loss(function: Function, one: Site, other: Site) -> bool:
    """Whether log(p) and log(1 - p) are taken for the two classes: by weights y and 1 - y, masks, or branches."""
    for use in _users(function, one):
        if use.op == "where" and {_branch(use, 1), _branch(use, 2)} == {one.value, other.value}:
            return True
    here, there = next(one.conditions(), None), next(other.conditions(), None)
    if here is not None and there is not None and here[0] is there[0] and here[1] != there[1]:
        return True
    p = selected_from(argument_of(one.value)[0])
    ours = [label for label in _labels(function, one) if label.target is not p]
    theirs = set(_labels(function, other))
    return any(Label(label.target, not label.direct) in theirs for label in ours)


def _branch(where: Value, index: int) -> Value:
    inner = where.args[index].core
    return inner.args[0].core if inner.op == "neg" else inner


def _users(function: Function, site: Site) -> Iterator[Value]:
    """Values computed from a logarithm by products, negations and selections."""
    queue, seen = [site.value], {site.value.id}
    for value in queue:
        for use in function.uses.of(value):
            if use.id not in seen:
                seen.add(use.id)
                yield use
                if use.op in ("mul", "matmul", "neg", "where"):
                    queue.append(use)


def _labels(function: Function, site: Site) -> Iterator[Label]:
    for use in _users(function, site):
        weighted = weighted_log(use) if use.op in ("mul", "matmul") else None
        if weighted is not None and weighted.log is site.value:
            yield from map(_label, weighted.weights)
    selected = argument_of(site.value)[0]
    if selected.op == "index":
        yield _label(selected.args[1].core)


def _label(weight: Value) -> Label:
    inner, direct = selected_from(weight), True
    while True:
        complement = one_minus(inner)
        if complement is not None:
            inner, direct = selected_from(complement), not direct
        elif inner.op in ("eq", "ne") and {argument.number for argument in inner.args} & {0.0, 1.0}:
            number = next(argument.number for argument in inner.args if argument.number in (0.0, 1.0))
            variable = next((argument for argument in inner.args if argument.number is None), inner.args[0])
            inner, direct = selected_from(variable), direct == ((inner.op == "eq") == (number == 1.0))
        elif inner.op == "not":
            inner, direct = selected_from(inner.args[0]), not direct
        else:
            return Label(inner, direct)


def _reaches_zero(function: Function, site: Site) -> bool:
    if site.value.op == "log1p":
        return function.range(site.value.args[0], site).lo <= -1.0
    return function.zero_of_log(site) is not None


def _hazards(function: Function, one: Site, other: Site, exposed: list[Site]) -> Iterator[Hazard]:
    """One hazard for the sum, or one for each logarithm when they stand in statements of their own."""
    whole = next((site for site in function.sites("add", "sub") if _holds(site, one, other)), None)
    statements = {function.statement(site.node) for site in (one, other, *([whole] if whole is not None else []))}
    together = len(statements) == 1
    sigmoids: list[Sigmoid] = [sigmoid for log in (one, other) if (sigmoid := sigmoid_of_log(log)) is not None]
    explained = [value for log in (one, other) for value in (log.value, log.value.args[0], *_users(function, log))]
    limits = [f"{item.name} from a logit of {LIMITS[item.name]}" for item in formats_of(one.framework)]
    for site in [whole] if together and whole is not None else exposed[:1] if together else exposed:
        yield Hazard(
            site,
            "binary cross-entropy from probabilities: 0 * log(0) is nan once a probability is exactly 0 or 1",
            threshold=", ".join(limits),
            origin=(one.value.args[0],),
            explains=(site.value, *explained, *(part for sigmoid in sigmoids for part in sigmoid.parts)),
            rewrite=_rewrite(function, one, other, whole if together else None),
        )


def _holds(site: Site, one: Site, other: Site) -> bool:
    """Whether a sum has both logarithms among its terms."""
    found = []
    for term in terms(site.value):
        inner = term.value
        while inner.op in ("sum", "mean", "neg"):
            inner = inner.args[0].core
        weighted = weighted_log(inner)
        found.append(weighted.log if weighted is not None else inner)
    return one.value in found and other.value in found


def _rewrite(function: Function, one: Site, other: Site, whole: Site | None) -> Rewrite:
    found = [(site, sigmoid) for site in (one, other) if (sigmoid := sigmoid_of_log(site)) is not None]
    rewrite: Rewrite | None = on_logits(function, found) if len(found) == 2 else None
    if rewrite is not None:
        return rewrite
    if one.framework == "numpy" and not function.compiled and whole is not None:
        products = [_product(function, one), _product(function, other)]
        texts = [_spelled(function, one, products[0]), _spelled(function, other, products[1])]
        if products[0] is not None and products[1] is not None and texts[0] and texts[1]:
            signs = ["-" if site.value.op == "neg" else "" for site in products if site is not None]
            second = function.rewrite(products[1].node, f"{signs[1]}scipy.special.xlog1py({texts[1]})", "")
            first = function.rewrite(
                products[0].node, f"{signs[0]}scipy.special.xlogy({texts[0]})", "", extra=second.edits
            )
            imports = tuple(dict.fromkeys((*first.imports, *second.imports)))
            return Rewrite("xlogy and xlog1py take 0*log(0) as 0", first.edits, imports)
    return function.advice("the loss of the logits: F.binary_cross_entropy_with_logits, or logaddexp(0, z) - y*z")


def _product(function: Function, log: Site) -> Site | None:
    """Elementwise product of a weight and a natural logarithm, as it is written."""
    for site in function.sites("mul", "neg"):
        inner = site.value.args[0].core if site.value.op == "neg" else site.value
        written = isinstance(site.node, ast.BinOp) and log.node in ast.walk(site.node)
        if written and inner.op == "mul" and log.value in inner.args and log.value.op == "log":
            return site
    return None


def _spelled(function: Function, log: Site, product: Site | None) -> str | None:
    """Arguments of xlogy or xlog1py."""
    if product is None:
        return None
    inner = product.value.args[0].core if product.value.op == "neg" else product.value
    weight = next((value for value in inner.args if value is not log.value), None)
    p, complemented = argument_of(log.value)
    left = function.spell(weight, product) if weight is not None else None
    right = function.spell_negated(p, product) if complemented else function.spell(log.value.args[0], product)
    return f"{left}, {right}" if left and right else None
