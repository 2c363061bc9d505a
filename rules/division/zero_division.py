"""Division by a norm, deviation, sum or count that can be zero.

The norm of a zero vector, the deviation of a constant column, the sum of densities that
all underflow (exp is 0 below -745 in float64, below -104 in float32), the number of
positives where there are none: each is 0 on ordinary data, and 0/0 is nan. One nan in a
column is nan in every weight after the next matrix product.

Cure
----
Say what the quotient is for such data: skip it, raise, or bound the denominator from
below, `x / np.maximum(norm, 1e-30)`. An added epsilon must be representable in the dtype
and small beside the data. Deviations of constant data can come out as rounding
(1.4e-17 for a column of 0.1): compare with `eps * abs(mean)` there, not with 0. Sums of
densities are better taken as logarithms (`logsumexp`, `softmax`).

When it is fine
---------------
The denominator is bounded away from zero (`+ eps`, `maximum`, `clip`, `x[x == 0] = 1`),
zero returns or raises before, or the quotient is repaired after (`nan_to_num`, `isnan`).

References
----------
scikit-learn, `sklearn.preprocessing` (handling of zeros in scale).
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, ch. 1.
"""

import ast
from collections.abc import Iterator

from numlint.facts.denominators import Zero
from numlint.facts.precision import FLOAT16
from numlint.finding import Confidence, Rewrite, Safety, Severity
from numlint.function import Function
from numlint.graph.site import Site
from numlint.graph.terms import factors, one_minus
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "zero-division"
code = "NL201"
triggers = ("/", "divide", "true_divide", "div", "reciprocal", "rsqrt", "**", "pow", "power")
signature = "nan"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import numpy as np

        def standardise(X):
            centred = X - X.mean(axis=0)
            return centred / X.std(axis=0)
        """,
        call="standardise(np.ones((3, 2)))",
        fixed="""
        import numpy as np

        def standardise(X):
            centred = X - X.mean(axis=0)
            return centred / np.maximum(X.std(axis=0), 1e-30)
        """,
    ),
    Example(
        """
        import torch

        def unit(v):
            length = torch.sqrt(torch.sum(v ** 2, dim=1, keepdim=True))
            v = torch.div(v, length)
            return v
        """,
        call="unit(torch.zeros(1, 2))",
        fixed="""
        import torch

        def unit(v):
            length = torch.sqrt(torch.sum(v ** 2, dim=1, keepdim=True))
            v = torch.div(v, torch.clamp(length, min=1e-30))
            return v
        """,
        requires="torch",
    ),
    Example(
        """
        import numpy as np
        from scipy.stats import norm

        def responsibilities(x, weights, means, deviations):
            joint = weights * norm.pdf(x[:, None], means, deviations)
            joint /= joint.sum(axis=1)[:, np.newaxis]
            return joint
        """,
        call="responsibilities(np.array([60.0]), np.array([0.5, 0.5]), np.array([0.0, 1.0]), np.ones(2))",
    ),
    Example(
        """
        import math

        def precision(truth, predicted):
            hits = found = 0
            for t, p in zip(truth, predicted):
                if p:
                    found += 1
                    if t:
                        hits += 1
            return hits / found
        """,
        call="precision([1, 0], [0, 0])",
        fixed="""
        import math

        def precision(truth, predicted):
            hits = found = 0
            for t, p in zip(truth, predicted):
                if p:
                    found += 1
                    if t:
                        hits += 1
            return hits / max(found, 1)
        """,
    ),
    Example(
        """
        import numpy as np

        class NaiveBayes:
            def fit(self, X, y):
                self.classes = np.unique(y)
                self.means = np.zeros((len(self.classes), X.shape[1]))
                self.variances = np.zeros((len(self.classes), X.shape[1]))
                for i, c in enumerate(self.classes):
                    self.means[i] = X[y == c].mean(axis=0)
                    self.variances[i] = X[y == c].var(axis=0)
                return self

            def exponent(self, x, i):
                return -((x - self.means[i]) ** 2) / (2 * self.variances[i])
        """,
        call="NaiveBayes().fit(np.ones((2, 1)), np.array([0, 0])).exponent(np.ones(1), 0)",
        fixed="""
        import numpy as np

        class NaiveBayes:
            def fit(self, X, y):
                self.classes = np.unique(y)
                self.means = np.zeros((len(self.classes), X.shape[1]))
                self.variances = np.zeros((len(self.classes), X.shape[1]))
                for i, c in enumerate(self.classes):
                    self.means[i] = X[y == c].mean(axis=0)
                    self.variances[i] = X[y == c].var(axis=0)
                return self

            def exponent(self, x, i):
                return -((x - self.means[i]) ** 2) / np.maximum(2 * self.variances[i], 1e-30)
        """,
    ),
    Example(
        """
        import numpy as np

        def density(x, mean, deviation):
            return np.exp(-0.5 * ((x - mean) / deviation) ** 2)

        def score(x, sample):
            return density(x, sample.mean(), sample.std())
        """,
        call="score(1.0, np.ones(3))",
        fixed="""
        import numpy as np

        def density(x, mean, deviation):
            return np.exp(-0.5 * ((x - mean) / np.maximum(deviation, 1e-30)) ** 2)

        def score(x, sample):
            return density(x, sample.mean(), sample.std())
        """,
    ),
    Example(
        """
        import numpy as np

        def rescale(image):
            darkest, brightest = np.min(image), np.max(image)
            return np.divide(image - darkest, brightest - darkest)
        """,
        call="rescale(np.full((2, 2), 7.0))",
        fixed="""
        import numpy as np

        def rescale(image):
            darkest, brightest = np.min(image), np.max(image)
            return np.divide(image - darkest, np.maximum(brightest - darkest, 1e-30))
        """,
    ),
    Example(
        """
        import numpy as np

        def covariance(X):
            centred = X - X.mean(axis=0)
            return centred.T @ centred / (X.shape[0] - 1)
        """,
        call="covariance(np.ones((1, 2)))",
    ),
    Example(
        """
        import numpy as np

        def newton(X, y, w):
            p = 1.0 / (1.0 + np.exp(-X @ w))
            working = X @ w + (y - p) / (p * (1 - p))
            return working
        """,
        call="newton(np.array([[1.0]]), np.array([1.0]), np.array([40.0]))",
    ),
    Example(
        """
        import numpy as np

        def transition(counts):
            return counts / counts.sum(axis=1, keepdims=True)
        """,
        call="transition(np.array([[1.0, 1.0], [0.0, 0.0]]))",
    ),
    Example(
        """
        import numpy as np

        def loss_gradient(y, p):
            return -(y / p) + (1 - y) / (1 - p)
        """,
        call="loss_gradient(np.array([1.0]), np.array([1.0]))",
    ),
    Example(
        """
        import numpy as np

        def slerp(a, b, t):
            angle = np.arctan2(np.linalg.norm(np.cross(a, b)), np.dot(a, b))
            return (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
        """,
        call="slerp(np.array([1.0, 0, 0]), np.array([1.0, 0, 0]), 0.5)",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def standardise(X):
            deviation = X.std(axis=0)
            deviation[deviation == 0] = 1
            return (X - X.mean(axis=0)) / deviation
        """,
        call="standardise(np.ones((3, 2)))",
        note="constant columns are left at 0",
    ),
    Example(
        """
        import numpy as np

        def unit(v):
            length = np.linalg.norm(v)
            if length == 0:
                return v
            return v / length
        """,
        call="unit(np.zeros(2))",
        note="a zero vector stays as it is",
    ),
    Example(
        """
        import numpy as np

        def transition(counts):
            total = counts.sum(axis=1, keepdims=True)
            return np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
        """,
        call="transition(np.array([[1.0, 1.0], [0.0, 0.0]]))",
        note="divided only where there is something to divide by",
    ),
    Example(
        """
        import numpy as np

        def transition(counts):
            with np.errstate(invalid="ignore"):
                return np.nan_to_num(counts / counts.sum(axis=1, keepdims=True))
        """,
        call="transition(np.array([[1.0, 1.0], [0.0, 0.0]]))",
        note="nan is replaced",
    ),
    Example(
        """
        import torch

        def masked_mean(losses, labels):
            valid = labels != -100
            return (losses * valid).sum() / valid.sum().clamp(min=1)
        """,
        call="masked_mean(torch.ones(2), torch.tensor([-100, -100]))",
        note="at least 1",
        requires="torch",
    ),
    Example(
        """
        import math

        def precision(truth, predicted):
            hits = sum(1 for t, p in zip(truth, predicted) if t and p)
            found = sum(1 for p in predicted if p)
            try:
                return hits / found
            except ZeroDivisionError:
                return 0.0
        """,
        call="precision([1, 0], [0, 0])",
        note="the exception is caught",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def attention(scores):
            weights = np.exp(scores - scores.max())
            return weights / weights.sum()
        """,
        call="attention(np.array([0.0, 1000.0]))",
        note="the largest term is exp(0): the sum is at least 1",
    ),
    Example(
        """
        import numpy as np

        def priors(y):
            return {c: 1.0 / np.sum(y == c) for c in np.unique(y)}
        """,
        call="list(priors(np.array([0, 0, 2])).values())",
        note="each label was taken from the data",
    ),
    Example(
        """
        import numpy as np

        class Adam:
            def __init__(self, rate=0.01, decay=0.9, eps=1e-8):
                self.rate, self.decay, self.eps = rate, decay, eps
                self.step, self.moment = 0, 0.0

            def update(self, w, gradient):
                self.step += 1
                self.moment = self.decay * self.moment + (1 - self.decay) * gradient ** 2
                corrected = self.moment / (1 - self.decay ** self.step)
                return w - self.rate * gradient / (np.sqrt(corrected) + self.eps)
        """,
        call="Adam().update(np.ones(2), np.zeros(2))",
        note="an epsilon of 1e-8 is large in float64, and the correction is at least 1 - 0.9",
    ),
    Example(
        """
        import numpy as np

        def temperature(logits, t, n_samples):
            return np.tanh(logits / t) / np.sqrt(n_samples)
        """,
        call="temperature(np.ones(2), 0.5, 3)",
        note="a scale that the caller gives is not zero unless the caller says so",
    ),
    Example(
        """
        import numpy as np

        def mixture(rng, components):
            weights = rng.random(components)
            return weights / weights.sum()
        """,
        call="mixture(np.random.default_rng(0), 3)",
        note="random numbers are not all 0",
    ),
]

ODD = frozenset({"sin", "tan", "tanh", "sinh", "expm1", "log1p", "arcsin", "arctan"})
FLOORED = frozenset({"norm", "distance", "deviation", "error", "range", "total", "count"})
ADVICE = {
    "underflow": "work with logarithms: subtract logsumexp instead of dividing by the sum",
    "probability": "clip the probability into [eps, 1 - eps], or add a regulariser to the denominator",
    "determinant": "use slogdet, or a Cholesky factor, instead of the determinant",
    "spectrum": "leave out what is below eps times the largest",
    "freedom": "raise, or return, when there is a single observation",
    "limit": "np.sinc, scipy.special.exprel, or the limit where the argument is 0",
}


def check(function: Function) -> Iterator[Hazard]:
    for site, above, below in divisions(function):
        quotient = site.value if site.value.op != "neg" else site.value.args[0]
        zero = removable(function, site, above, below) or cross_entropy_gradient(function, site, above, below)
        zero = zero or function.zero_denominator(below, site)
        if zero is None or is_handled(function, site, quotient, zero):
            continue
        sure = is_sure(function, quotient, zero)
        ignored = any(str(with_.args[0].attr("name")).endswith("errstate") for with_ in site.contexts() if with_.args)
        outcome = "this raises ZeroDivisionError" if site.framework == "python" else "the quotient is inf or nan"
        yield Hazard(
            site,
            f"the denominator is 0 {zero.when}: {outcome}",
            Confidence.LIKELY if sure and not ignored else Confidence.POSSIBLE,
            threshold="exp is 0 below -745.1 in float64, -104.0 in float32" if zero.kind == "underflow" else "",
            origin=(zero.source, above),
            rewrite=_rewrite(function, site, below, zero),
            explains=tuple(part for part in below.walk(30) if part.op in ("sqrt", "norm"))[:2],
        )


def divisions(function: Function) -> Iterator[tuple[Site, Value, Value]]:
    """Iterate over what is divided, and by what: quotients, and the number of steps of a numpy range."""
    for site in function.sites("div", "neg", "arange"):
        value = site.value
        if value.op == "arange":
            if len(value.args) == 3 and site.framework != "python":
                yield site, value.args[1], value.args[2]
            continue
        if value.op == "neg":  # of a quotient: a negative numerator
            value = value.args[0] if isinstance(getattr(site.node, "op", None), ast.Div) else value
        if value.op == "div":
            yield site, value.args[0], value.args[1]


def removable(function: Function, site: Site, above: Value, below: Value) -> Zero | None:
    """Recognise a quotient like sin(x)/x, which has a limit at 0 and is 0/0 there."""
    point = below.core
    if point.op in ODD:  # sin(t*x) / sin(x)
        found = [part.args[0] for part in above.walk(40) if part.op == point.op and part is not point]
        close = any(point.args[0].core in argument.walk(12) for argument in found)
    else:
        close = any(part.op in ODD and part.args[0].core is point for part in factors(above)[1])
    parts = factors(point)[1]
    if not close or not parts or not any(function.range(part, site).can_be_zero for part in parts):
        return None
    given = point.op in ODD and point.args[0].core.op in ("param", "attr", "index")
    zero = Zero(point, "limit", not given)
    return None if zero.tested(site.path) else zero


def cross_entropy_gradient(function: Function, site: Site, above: Value, below: Value) -> Zero | None:
    """Recognise (1 - y)/(1 - p) beside y/p: p is a probability, and rounds to 0 and to 1."""
    label, probability = one_minus(above), one_minus(below)
    if label is None or probability is None or not function.range(below, site).can_be_zero:
        return None
    beside = any(
        other.value.args[0].core is label and other.value.args[1].core is probability for other in function.sites("div")
    )
    zero = Zero(below.core, "probability")
    return zero if beside and not zero.tested(site.path) else None


def is_sure(function: Function, quotient: Value, zero: Zero) -> bool:
    """Whether ordinary data makes the denominator zero, by what it is or by what it is used for."""
    above, source = quotient.args[0].core, zero.source.core
    if zero.kind in ("distance", "error"):
        return zero.sure and any(site.value.core is source for site in function.body.sites)  # no scale from elsewhere
    if zero.sure:
        return True
    if zero.kind == "freedom":
        return any(_is_scatter(part) for part in (above, *_cofactors(function, quotient)))
    if zero.kind == "total" and any(consumer.op == "sqrt" for consumer in function.uses.of(quotient)):
        return True  # what stands under a root is not negative by intention
    summed = source.args[0].core if source.args else source
    if zero.kind in ("total", "norm"):
        rows = source.attr("axis") is not None and summed.op != "attr"
        return rows and (above.number == 1 or summed in above.walk(40))
    return zero.kind == "underflow" and summed is above and any(part.op == "prod" for part in above.walk(8))


def _cofactors(function: Function, quotient: Value) -> Iterator[Value]:
    for consumer in function.uses.of(quotient):
        if consumer.op == "mul":
            yield from (argument.core for argument in consumer.args if argument.core is not quotient)


def _is_scatter(value: Value) -> bool:
    """Whether a value is a sum of squares or products of centred data."""
    inner = value.core
    if inner.op == "matmul":
        left, right = inner.args[0].core, inner.args[-1].core
        return left is right or (_is_centred(left) and _is_centred(right))
    return inner.op == "sum" and any(_is_centred(part) for part in inner.args[0].walk(8))


def _is_centred(value: Value) -> bool:
    return value.op == "sub" and any(part.op in ("mean", "sum") for part in value.args[1].walk(6))


def is_handled(function: Function, site: Site, quotient: Value, zero: Zero) -> bool:
    """Whether the author has provided for the zero.

    An exception is caught, nan and inf are replaced afterwards, or the quotient is kept
    only where the denominator is not 0.
    """
    if site.catches("ZeroDivisionError", "FloatingPointError"):
        return True
    kept = function.range_kept(zero.source, site)
    if kept is not None and not kept.can_be_zero:
        return True
    selections = function.uses.selections(quotient)
    return any(zero.mentioned(condition) for condition, _ in selections) or function.is_repaired(quotient)


def _rewrite(function: Function, site: Site, below: Value, zero: Zero) -> Rewrite:
    operand = _operand(site.node)
    if zero.kind not in FLOORED or operand is None or (function.range(below, site).lo < 0 and not zero.sure):
        return function.advice(ADVICE.get(zero.kind, "say what the result is when the denominator is 0"))
    number = isinstance(operand, ast.Call) and isinstance(operand.func, ast.Attribute) and operand.func.attr == "item"
    floor = "1" if zero.kind == "count" else "1e-7" if function.format(below, site) is FLOAT16 else "1e-30"
    return function.rewrite(
        _with_brackets(function, operand),
        _at_least("python" if number else site.framework or function.framework, function.text(operand), floor),
        f"a denominator of at least {floor}",
        safety=Safety.UNSAFE,
        reason="what the quotient is where the denominator is 0 is for the author to say",
    )


def _operand(node: ast.AST) -> ast.expr | None:
    """Syntax of the denominator."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return node.right
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Div):
        return node.value
    return node.args[1] if isinstance(node, ast.Call) and len(node.args) > 1 else None


def _with_brackets(function: Function, node: ast.expr) -> ast.expr:
    """Node that spans the brackets around an operand as well."""
    line = function.module.lines[node.lineno - 1].encode()
    start, end = node.col_offset, node.end_col_offset or 0
    if node.lineno != node.end_lineno or line[start - 1 : start] != b"(" or line[end : end + 1] != b")":
        return node
    whole = ast.Constant(None)
    whole.lineno, whole.end_lineno = node.lineno, node.end_lineno
    whole.col_offset, whole.end_col_offset = start - 1, end + 1
    return whole


def _at_least(framework: str, text: str, floor: str) -> str:
    if framework == "torch":
        return f"torch.clamp({text}, min={floor})"
    if framework in ("tensorflow", "jax"):
        return f"{'jax.numpy' if framework == 'jax' else framework}.maximum({text}, {floor})"
    return f"max({text}, {floor})" if framework in ("", "python") else f"numpy.maximum({text}, {floor})"
