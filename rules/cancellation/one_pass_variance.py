"""Variance as the mean of squares minus the square of the mean loses all digits far from 0.

For data of mean m and deviation s both terms have the size of m**2, and their difference
s**2: of 16 digits log10((m/s)**2) are lost. In float64 the variance is 5 % off at
m/s = 1e7 and wrong altogether, often negative, at 1e8; in float32 20 % off at 1e3.
The same holds for covariances E[x x'] - m m', for sums n*m**2 that are taken from sums of
squares, and for y'y - m' A m of Bayesian regression.

Cure
----
Subtract the mean first: `np.var`, `torch.var`, `((x - x.mean()) ** 2).mean()`; in one pass
Welford's update, or a shift by the first sample, after which the formula is harmless.

When it is fine
---------------
The data are centred already, or their mean is known to be small beside their deviation.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, sec. 1.9.
T. F. Chan, G. H. Golub, R. J. LeVeque, Algorithms for computing the sample variance,
The American Statistician 37 (1983), 242-247.
"""

from collections.abc import Iterator

from numlint.finding import Confidence, Rewrite, Severity
from numlint.function import Function
from numlint.graph.moments import is_centred, second_moment
from numlint.graph.site import Site
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "one-pass-variance"
code = "NL301"
triggers = tuple(
    f"{moment} & -"
    for moment in (
        "**",
        "square",
        "pow",
        "power",
        "x*x",
        "* & mean",
        "* & sum",
        "dot",
        "matmul",
        "mm",
        "@",
        "outer",
        "einsum",
    )
)
signature = "cancellation"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import numpy as np

        def spread(x):
            return np.sqrt(np.mean(x ** 2) - np.mean(x) ** 2)
        """,
        call="spread(1e9 + np.array([0.1, 0.2, 0.3]))",
        fixed="""
        import numpy as np

        def spread(x):
            return np.sqrt(np.var(x))
        """,
    ),
    Example(
        """
        import numpy as np

        def column_variance(X):
            n = X.shape[0]
            total = X.sum(axis=0)
            squares = (X * X).sum(axis=0)
            return squares / n - (total / n) ** 2
        """,
        call="np.log(column_variance(1e9 + np.array([[0.1], [0.2], [0.3]])))",
    ),
    Example(
        """
        import math

        def deviation(samples):
            n = total = squares = 0
            for x in samples:
                n += 1
                total += x
                squares += x ** 2
            return math.sqrt((squares - total ** 2 / n) / n)
        """,
        call="deviation([1e8 + 0.1, 1e8 + 0.2, 1e8 + 0.3])",
    ),
    Example(
        """
        import torch

        def moments(x):
            mean = x.mean(dim=0, keepdim=True)
            variance = (x * x).mean(dim=0, keepdim=True) - mean * mean
            return mean, torch.sqrt(variance)
        """,
        call="moments(torch.tensor([[10000.1], [10000.2], [10000.3]]))",
        fixed="""
        import torch

        def moments(x):
            mean = x.mean(dim=0, keepdim=True)
            variance = torch.var(x, dim=0, unbiased=False, keepdim=True)
            return mean, torch.sqrt(variance)
        """,
        requires="torch",
    ),
    Example(
        """
        import numpy as np

        def covariance(X):
            mean = X.mean(axis=0)
            return X.T @ X / len(X) - np.outer(mean, mean)
        """,
        call="np.log(np.diag(covariance(1e9 + np.array([[0.1, 1.0], [0.2, 2.0], [0.3, 4.0]]))))",
    ),
    Example(
        """
        import numpy as np

        def m_step(weights, x):
            s0, s1, s2 = weights.sum(), weights @ x, weights @ x ** 2
            mean = s1 / s0
            return (s2 - 2 * mean * s1 + mean ** 2 * s0) / s0
        """,
        call="np.log(m_step(np.ones(3), np.array([1e8 + 0.1, 1e8 + 0.2, 1e8 + 0.3])))",
    ),
    Example(
        """
        import numpy as np

        def scale(X, y):
            precision = X.T @ X
            mean = np.linalg.solve(precision, X.T @ y)
            return np.sqrt(y @ y - mean @ precision @ mean)
        """,
        call="scale(np.ones((3, 1)), 1e9 + np.array([0.1, 0.2, 0.3]))",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def spread(x):
            return np.sqrt(np.mean((x - np.mean(x)) ** 2))
        """,
        call="spread(np.array([1e8, 1e8 + 1, 1e8 + 2]))",
        note="the mean is subtracted first",
    ),
    Example(
        """
        import math

        def deviation(samples):
            n, mean, squares = 0, 0.0, 0.0
            for x in samples:
                n += 1
                step = x - mean
                mean += step / n
                squares += step * (x - mean)
            return math.sqrt(squares / n)
        """,
        call="deviation([1e8 + 0.1, 1e8 + 0.2, 1e8 + 0.3])",
        note="Welford's update",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def spread(x):
            x = x - x.mean()
            return np.sqrt(np.mean(x ** 2) - np.mean(x) ** 2)
        """,
        call="spread(np.array([1e8, 1e8 + 1, 1e8 + 2]))",
        note="centred before: the second term is rounding only",
    ),
    Example(
        """
        import numpy as np

        def third_side(a, b, angle):
            return np.sqrt(a ** 2 + b ** 2 - 2 * a * b * np.cos(angle))
        """,
        call="third_side(3.0, 4.0, 1.0)",
        note="the law of cosines: no mean, no sum of squares",
    ),
    Example(
        """
        import numpy as np

        def gain(E, m):
            return E - m ** 2
        """,
        call="gain(5.0, 2.0)",
        note="two given numbers",
    ),
]


def check(function: Function) -> Iterator[Hazard]:
    reported: set[int] = set()
    for site in function.sites("sub", "add"):
        found = second_moment(site.value, function.body.analysis.carried)
        if found is None or found.squared.id in reported:
            continue
        reported.add(found.squared.id)
        if found.data is not None and is_centred(found.data):
            continue
        known = function.range(found.data, site) if found.data is not None else None
        small = known is not None and (known.integer or known.magnitude <= 1)
        roots = [consumer for consumer in function.uses.of(site.value) if consumer.op == "sqrt"]
        yield Hazard(
            site,
            f"{WHAT[found.kind]}: the terms cancel where the mean is large beside the deviation"
            + (", and the root of what is left is nan" if roots else ""),
            Confidence.POSSIBLE if small or (found.kind == "filtered" and not roots) else Confidence.LIKELY,
            threshold="a relative error of 5 % at mean/deviation 1e7 in float64, of 20 % at 1e3 in float32",
            origin=(found.squares, found.squared),
            rewrite=_rewrite(function, site),
            explains=(site.value, *roots),
        )


WHAT = {
    "variance": "variance as mean of squares minus square of the mean",
    "covariance": "covariance as mean of products minus product of the means",
    "filtered": "local variance as filtered squares minus square of the filtered",
    "scatter": "scatter around a mean from sums of squares",
    "quadratic": "sum of squares minus a quadratic form",
}


def _rewrite(function: Function, site: Site) -> Rewrite:
    advice = function.advice("subtract the mean before squaring")
    if site.value.op != "sub":
        return advice
    squares, squared = (argument.core for argument in site.value.args)
    if squares.op != "mean" or squared.op != "square" or squares.args[0].core.op != "square":
        return advice
    data, mean = squares.args[0].core.args[0], squared.args[0].core
    if mean.op != "mean" or mean.args[0].core is not data.core or squares.attrs != mean.attrs:
        return advice
    text = function.spell(data, site)
    library = {"numpy": "numpy.var", "jax": "jax.numpy.var", "torch": "torch.var"}.get(site.framework)
    axis, keeps = squares.attr("axis"), squares.attr("keepdims")
    if text is None or library is None or isinstance(axis, Value) or isinstance(keeps, Value):
        return advice
    torch = library == "torch.var"
    options = [f"{'dim' if torch else 'axis'}={axis}"] if axis is not None else []
    options += ["unbiased=False"] if torch else []
    options += [f"{'keepdim' if torch else 'keepdims'}={keeps}"] if keeps is not None else []
    return function.rewrite(
        site.node, f"{library}({', '.join([text, *options])})", "the variance, with the mean subtracted first"
    )
