"""The logarithm of a density underflows first: the density is 0 a few deviations away.

`norm.pdf(x)` is 0 from |x| = 38.6 in float64, 14.3 in float32 and 5.7 in float16, and its
logarithm -inf, while the log-density, -x**2/2 - 0.92, is an ordinary number. One such
sample makes a log-likelihood -inf, and every class of a naive Bayes classifier equally
impossible. The same holds for `log(c * exp(u))` in general, and for the tails of a
distribution function: `log(1 - norm.cdf(x))` is -inf from x = 8.3 on.

Cure
----
`norm.logpdf`, `logpmf`, `logcdf`, `logsf`, `multivariate_normal.logpdf`, torch's
`log_prob`, `torch.special.log_ndtr`; for a formula of one's own take the logarithm on
paper: log(c * exp(u)) is u + log(c).

When it is fine
---------------
The exponent is bounded, or the density is kept away from 0 before the logarithm.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., SIAM 2002, sec. 1.7.
"""

import ast
from collections.abc import Iterator

from numlint.finding import Confidence, Rewrite, Severity
from numlint.function import Function
from numlint.graph.probability import LOGARITHMS, argument_of
from numlint.graph.site import Site
from numlint.graph.value import Value
from numlint.rule import Example, Hazard
from numlint.rules.log._densities import density_of_log

name = "log-of-density"
code = "NL127"
triggers = (*LOGARITHMS, "log1p")
signature = "underflow"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import numpy as np
        from scipy.stats import norm

        def log_likelihood(x, mean, deviation):
            return np.log(norm.pdf(x, mean, deviation)).sum()
        """,
        call="log_likelihood(np.array([0.0, 40.0]), 0.0, 1.0)",
        fixed="""
        import numpy as np
        from scipy.stats import norm

        def log_likelihood(x, mean, deviation):
            return norm.logpdf(x, mean, deviation).sum()
        """,
    ),
    Example(
        """
        import numpy as np
        from scipy import stats

        def log_tail(x):
            return np.log(1 - stats.norm.cdf(x))
        """,
        call="log_tail(np.array([9.0]))",
        fixed="""
        import numpy as np
        from scipy import stats

        def log_tail(x):
            return stats.norm.logsf(x)
        """,
    ),
    Example(
        """
        import numpy as np

        class NaiveBayes:
            def __init__(self, means, variances):
                self.means = means
                self.variances = variances

            def density(self, k, x):
                numerator = np.exp(-((x - self.means[k]) ** 2) / (2 * self.variances[k]))
                return numerator / np.sqrt(2 * np.pi * self.variances[k])

            def score(self, k, x):
                return np.sum(np.log(self.density(k, x)))
        """,
        call="NaiveBayes(np.zeros((1, 2)), np.ones((1, 2))).score(0, np.array([0.0, 60.0]))",
    ),
    Example(
        """
        import torch

        def log_kernel(x, y, width):
            k = torch.exp(-((x - y) ** 2) / (2 * width**2))
            return torch.log(k)
        """,
        call="log_kernel(torch.tensor([20.0]), torch.tensor([0.0]), 1.0)",
        requires="torch",
    ),
]
GOOD = [
    Example(
        """
        from scipy.stats import norm

        def log_likelihood(x, mean, deviation):
            return norm.logpdf(x, mean, deviation).sum()
        """,
        call="log_likelihood(np.array([0.0, 40.0]), 0.0, 1.0)",
    ),
    Example(
        """
        import numpy as np
        from scipy.stats import norm

        def log_likelihood(x):
            return np.log(np.maximum(norm.pdf(x), 1e-300)).sum()
        """,
        call="log_likelihood(np.array([0.0, 40.0]))",
        note="kept away from 0",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def log_rate(x):
            return np.log(2.0 * np.exp(np.clip(x, -20.0, 20.0)))
        """,
        call="log_rate(np.array([-1000.0, 1000.0]))",
        note="the exponent is bounded",
    ),
]

THRESHOLDS = {
    "density": "a standard normal density is 0 from |x| = 38.6 in float64, 14.3 in float32, 5.7 in float16",
    "tail": "1 - cdf(x) of a standard normal is 0 from x = 8.3 in float64, 5.4 in float32",
    "exp": "exp(u) is 0 below u = -745 in float64, -104 in float32, -17 in float16",
}
MESSAGES = {
    "density": "log of a density that underflows to 0 a few deviations away: take the log-density",
    "tail": "log of a tail probability that rounds to 0: take the logarithm of the distribution function itself",
    "exp": "log of a product with exp, which underflows to 0 first: log(c * exp(u)) is u + log(c)",
}


def check(function: Function) -> Iterator[Hazard]:
    for site in function.sites(*LOGARITHMS, "log1p"):
        density = density_of_log(site)
        zero = function.zero_of_log(site) if density is not None and site.value.op != "log1p" else None
        if density is None or (zero is None and site.value.op != "log1p"):
            continue
        sure = density.certain and (zero is None or zero.sure)
        yield Hazard(
            site,
            MESSAGES[density.kind],
            confidence=Confidence.LIKELY if sure else Confidence.POSSIBLE,
            threshold=THRESHOLDS[density.kind],
            origin=(density.source,),
            explains=(site.value, site.value.args[0], density.source),
            rewrite=_rewrite(function, site, density.source),
        )


def _rewrite(function: Function, site: Site, source: Value) -> Rewrite:
    advice = function.advice("the log-density: logpdf, log_prob, or the formula with its logarithm taken on paper")
    if not isinstance(site.node, ast.Call) or site.value.op not in ("log", "log1p"):
        return advice
    argument = site.node.args[0] if site.node.args else None
    call = next((node for node in ast.walk(site.node) if function.body.nodes.get(node) is source), None)
    if argument is None or not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return advice
    kind, complemented = call.func.attr, argument is not call
    if complemented and (kind != "cdf" or not argument_of(site.value)[1] or argument_of(site.value)[0] is not source):
        return advice
    if not complemented and site.value.args[0] is not source:
        return advice
    leaf = "logsf" if complemented else "log_ndtr" if kind == "ndtr" else f"log{kind}"
    known = leaf == "log_ndtr" or (_is_scipy(source) and leaf in ("logpdf", "logpmf", "logcdf", "logsf"))
    if not known:
        return advice
    start = len(function.text(call.func))
    owner = function.text(call.func.value)
    return function.rewrite(site.node, f"{owner}.{leaf}{function.text(call)[start:]}", f"{leaf} does not underflow")


def _is_scipy(source: Value) -> bool:
    named = any("scipy.stats" in str(value.attr("name")) for value in source.walk(8))
    return named or source.op in ("pdf", "cdf", "sf")
