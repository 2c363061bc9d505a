"""An entropy or a divergence written out is nan as soon as one probability is 0.

p*log(p) tends to 0 with p, but 0 * log(0) is 0 * -inf = nan in every dtype, and the
sum with it: the entropy of (0.5, 0.5, 0) comes out as nan instead of 0.693. The terms
p*log(p/q) of a Kullback-Leibler divergence fail in the same way.

Cure
----
`scipy.special.entr(p).sum()`, `xlogy(p, p)`, `rel_entr(p, q)`; or leave the zeros out:
`p = p[p > 0]`. Under automatic differentiation work with log-probabilities,
`log_p.exp() * log_p`: the derivatives of `torch.xlogy` and `torch.special.entr` at 0
are nan and infinite.

When it is fine
---------------
No probability can be 0: the zeros are masked out, a pseudocount is added, or the
probabilities are frequencies of what occurs, as `np.unique` counts them.

References
----------
T. M. Cover, J. A. Thomas, Elements of Information Theory, 2nd ed., Wiley 2006, sec. 2.1.
"""

from collections.abc import Iterator

from numlint.finding import Confidence, Rewrite, Severity
from numlint.function import Function
from numlint.graph.probability import LOGARITHMS, alternatives, as_sigmoid, as_softmax, weighted_log
from numlint.graph.terms import terms
from numlint.graph.value import Value
from numlint.rule import Example, Hazard
from numlint.rules.log._weighted import WeightedLog, accumulates, weighted_logs, with_xlogy

name = "entropy-of-zero"
code = "NL126"
triggers = LOGARITHMS
signature = "nan"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import numpy as np

        def entropy(p):
            return -np.sum(p * np.log(p))
        """,
        call="entropy(np.array([0.5, 0.5, 0.0]))",
        fixed="""
        import numpy as np
        from scipy.special import xlogy

        def entropy(p):
            return -np.sum(xlogy(p, p))
        """,
    ),
    Example(
        """
        import numpy as np

        def divergence(p, q):
            return (p * np.log(p / q)).sum()
        """,
        call="divergence(np.array([0.5, 0.5, 0.0]), np.array([0.25, 0.25, 0.5]))",
        fixed="""
        import numpy as np
        from scipy.special import rel_entr

        def divergence(p, q):
            return (rel_entr(p, q)).sum()
        """,
    ),
    Example(
        """
        import numpy as np

        def information(counts):
            total = 0.0
            for row in counts:
                p = row / row.sum()
                total -= np.sum(p * np.log2(p))
            return total
        """,
        call="information(np.array([[3.0, 0.0, 1.0]]))",
    ),
    Example(
        """
        import torch

        def divergence(p, q):
            return torch.sum(p * (torch.log(p) - torch.log(q)), dim=-1).mean()
        """,
        call="divergence(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.5, 0.5]]))",
        requires="torch",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def entropy(p):
            p = p[p > 0]
            return -np.sum(p * np.log(p))
        """,
        call="entropy(np.array([0.5, 0.5, 0.0]))",
        note="the zeros are left out",
    ),
    Example(
        """
        import numpy as np

        def entropy(p):
            logarithms = np.log(p, out=np.zeros_like(p), where=p > 0)
            return -np.sum(p * logarithms)
        """,
        call="entropy(np.array([0.5, 0.5, 0.0]))",
        note="the logarithm is taken where p is positive",
    ),
    Example(
        """
        import torch

        def entropy(logits):
            log_p = torch.log_softmax(logits, dim=-1)
            return -(log_p.exp() * log_p).sum(dim=-1)
        """,
        call="entropy(torch.tensor([[0.0, 200.0]]))",
        requires="torch",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def entropy(labels):
            total = 0.0
            for label in np.unique(labels):
                p = np.sum(labels == label) / len(labels)
                total -= p * np.log2(p)
            return total
        """,
        call="entropy(np.array([1, 1, 3]))",
        note="a label that occurs has a positive frequency",
    ),
    Example(
        """
        import numpy as np

        def entropy(p):
            return -np.nansum(p * np.log(p))
        """,
        call="entropy(np.array([0.5, 0.5, 0.0]))",
        note="0 * log(0) is nan, and nansum takes nan as 0, which is the right value",
    ),
]


def check(function: Function) -> Iterator[Hazard]:
    reported: set[int] = set()
    for weighted in weighted_logs(function):
        logs = [site for site in weighted.logs if site.value.id not in reported and weighted.is_of_weight(site.value)]
        open_ones = [site for site in logs if function.zero_of_log(site) is not None]
        if not open_ones or any(_has_cure_of_its_own(site.value) for site in open_ones):
            continue
        summed, forgiven = _fate(function, weighted.value)
        if forgiven or _is_size(function, weighted.value):
            continue
        reported.update(site.value.id for site in weighted.logs)
        yield Hazard(
            weighted.site,
            "0 * log(0) is nan: one probability that is exactly 0 makes the whole sum nan",
            confidence=Confidence.LIKELY if summed else Confidence.POSSIBLE,
            threshold="p = 0 in every dtype; a share underflows below 1.4e-45 in float32",
            origin=(open_ones[0].value.args[0],),
            explains=(
                weighted.site.value,
                weighted.value,
                *(value for site in weighted.logs for value in (site.value, site.value.args[0].core)),
            ),
            rewrite=_rewrite(function, weighted),
        )


def _is_size(function: Function, value: Value) -> bool:
    """Whether ``n * log(n)`` is rounded to a whole number: a size, not an entropy."""
    return any(
        site.value.args[0] is value and function.dtype(site.value).startswith("int") for site in function.sites("cast")
    )


def _has_cure_of_its_own(log: Value) -> bool:
    return any(as_softmax(value) or as_sigmoid(value) for value in alternatives(log.args[0]))


def _fate(function: Function, value: Value) -> tuple[bool, bool]:
    """Whether the products are summed up, and whether their nans are replaced or left out."""
    queue, seen = [value], {value.id}
    for current in queue:
        for use in function.uses.of(current):
            if use.op == "nan_to_num":
                return False, True
            if use.op in ("sum", "mean"):
                return True, use.attr("skipnan") is not None
            if use.id not in seen and use.op in ("neg", "mul", "div", "comprehension", "list", "appended", "where"):
                seen.add(use.id)
                queue.append(use)
            elif use.op in ("add", "sub"):
                several = sum(weighted_log(term.value) is not None for term in terms(use)) > 1
                if several or accumulates(function, use):
                    return True, False
    return value.op == "matmul", False


def _rewrite(function: Function, weighted: WeightedLog) -> Rewrite:
    log = weighted.single
    rewrite: Rewrite | None = None
    if log is not None:
        argument = log.value.args[0]
        if argument.core in weighted.weights:
            rewrite = with_xlogy(function, weighted)
        elif argument.core.op == "div" and (argument.core.args[0].core,) == weighted.weights:
            rewrite = with_xlogy(function, weighted, "rel_entr")
    if weighted.site.framework == "numpy":
        return rewrite or function.advice("scipy.special.xlogy(p, p), or p = p[p > 0] first")
    return function.advice("p * log_p with log_p from log_softmax, or clamp p before the logarithm")
