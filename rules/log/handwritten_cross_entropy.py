"""Cross-entropy written out as -sum(y * log(p)) is nan where a probability is 0.

A class that the model rules out has p = 0, and a one-hot target has y = 0 there: the
product 0 * log(0) = 0 * -inf is nan, and the mean over the batch with it, though the
prediction was right. With softmax probabilities this happens from a logit gap of 745
(float64), 104 (float32) or 17 (float16) on.

Cure
----
Compute the loss from the logits: `F.cross_entropy(z, target)`,
`tf.nn.softmax_cross_entropy_with_logits`, `-(y * log_softmax(z)).sum()`. Where only
probabilities are at hand, `scipy.special.xlogy(y, p)` takes 0*log(0) as 0.

When it is fine
---------------
The probabilities are clipped away from 0, an epsilon that the dtype can hold is added,
or the terms with y = 0 are left out.

References
----------
P. Blanchard, D. J. Higham, N. J. Higham, Accurately computing the log-sum-exp and
softmax functions, IMA J. Numer. Anal. 41 (2021), 2311-2330.
"""

from collections.abc import Iterator

from numlint.finding import Severity
from numlint.function import Function
from numlint.graph.probability import LOGARITHMS, alternatives, as_sigmoid, as_softmax, selected_from
from numlint.graph.site import Site
from numlint.graph.terms import product, variable_terms
from numlint.graph.value import Value
from numlint.rule import Example, Hazard
from numlint.rules.log._weighted import accumulates, weighted_logs, with_xlogy

name = "handwritten-cross-entropy"
code = "NL123"
triggers = LOGARITHMS
signature = "nan"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import numpy as np

        def cross_entropy(p, y):
            return -np.mean(np.sum(y * np.log(p), axis=1))
        """,
        call="cross_entropy(np.array([[1.0, 0.0]]), np.array([[1.0, 0.0]]))",
        fixed="""
        import numpy as np
        from scipy.special import xlogy

        def cross_entropy(p, y):
            return -np.mean(np.sum(xlogy(y, p), axis=1))
        """,
    ),
    Example(
        """
        import torch

        def distillation(student, teacher):
            terms = teacher * student.log()
            return -terms.sum(dim=1).mean()
        """,
        call="distillation(torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 0.0]]))",
        requires="torch",
    ),
    Example(
        """
        import numpy as np

        def loss(p, target):
            total = 0.0
            for row, wanted in zip(p, target):
                total -= np.dot(wanted, np.log(row))
            return total / len(p)
        """,
        call="loss(np.array([[1.0, 0.0]]), np.array([[1.0, 0.0]]))",
    ),
    Example(
        """
        import numpy as np

        def loss(p, target):
            return -np.mean(np.log(p[np.arange(len(p)), target]))
        """,
        call="loss(np.array([[1.0, 0.0]]), np.array([1]))",
        signature="underflow",
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def cross_entropy(p, y):
            p = np.clip(p, 1e-12, 1.0)
            return -np.mean(np.sum(y * np.log(p), axis=1))
        """,
        call="cross_entropy(np.array([[1.0, 0.0]]), np.array([[1.0, 0.0]]))",
        note="clipped away from 0",
    ),
    Example(
        """
        import torch.nn.functional as F

        def loss(logits, target):
            return F.cross_entropy(logits, target)
        """,
        call="loss(torch.tensor([[0.0, 200.0]]), torch.tensor([0]))",
        requires="torch",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def log_likelihood(rate, counts):
            return np.sum(counts * np.log(rate) - rate)
        """,
        call="log_likelihood(np.array([2.0, 3.0]), np.array([0.0, 4.0]))",
        note="a Poisson likelihood: a rate is not a probability that comes to 0",
    ),
]


CURE = "the loss of the logits, such as F.cross_entropy or -(y * log_softmax(z)).sum()"
THRESHOLD = "softmax gives 0 from a logit gap of 745 in float64, 104 in float32, 17 in float16"


def check(function: Function) -> Iterator[Hazard]:
    reported: set[int] = set()
    for weighted in weighted_logs(function):
        log = weighted.single
        if log is None or log.value.id in reported or not all(map(_is_target, weighted.weights)):
            continue
        p = log.value.args[0].core
        own = any(selected_from(weight) is selected_from(p) for weight in weighted.weights)
        if own or weighted.is_of_weight(log.value):
            continue  # an entropy
        if not _is_exposed(function, log) or not _is_summed_loss(function, weighted.value):
            continue
        reported.add(log.value.id)
        yield Hazard(
            weighted.site,
            "cross-entropy from probabilities: 0 * log(0) is nan once a probability is exactly 0",
            threshold=THRESHOLD,
            origin=(p,),
            explains=(weighted.site.value, weighted.value, log.value, p),
            rewrite=with_xlogy(function, weighted) or function.advice(CURE),
        )
    for log in function.sites(*LOGARITHMS):
        if log.value.id in reported or not _is_picked(log.value.args[0].core):
            continue
        if _is_exposed(function, log) and _is_summed_loss(function, log.value):
            yield Hazard(
                log,
                "cross-entropy from probabilities: infinite once the probability of the target is exactly 0",
                threshold=THRESHOLD,
                origin=(log.value.args[0],),
                explains=(log.value, log.value.args[0], log.value.args[0].core),
                rewrite=function.advice(CURE),
            )


def _is_exposed(function: Function, log: Site) -> bool:
    """Whether the argument can be 0, and no rule of its own cures it by a function of the logits."""
    p = log.value.args[0].core
    if p.op == "diag" or any(as_softmax(value) or as_sigmoid(value) for value in alternatives(p)):
        return False
    return function.zero_of_log(log) is not None


def _is_picked(p: Value) -> bool:
    """Whether a value is ``p[arange(n), target]`` or ``gather(p, 1, target)``: the probability of each target."""
    if p.op == "take":
        return len(p.args) > 1 and p.attr("axis") is not None
    if p.op != "index" or p.args[1].op != "tuple":
        return False
    rows, *targets = (part.core for part in p.args[1].args)
    return rows.op == "arange" and all(target.op not in ("const", "slice", "ellipsis", "arange") for target in targets)


def _is_target(weight: Value) -> bool:
    """Whether a factor can be a target: neither a size, nor a rank, nor a sum or difference of variables."""
    sizes = ("arange", "linspace", "len", "shape")
    sized = weight.op in sizes or (weight.op == "index" and weight.args[0].op in sizes)
    return not sized and len(variable_terms(weight)) <= 1


def _is_summed_loss(function: Function, value: Value) -> bool:
    """Whether the product alone is summed or averaged, and the result enters with a minus sign."""
    summed = value.op == "matmul"
    queue, seen = [value], {value.id}
    negative = False
    for current in queue:
        for use in function.uses.of(current):
            if use.id in seen:
                continue
            seen.add(use.id)
            if use.op in ("sum", "mean"):
                if len(variable_terms(use.args[0])) > 1:
                    return False
                summed = True
            elif use.op in ("add", "sub") and accumulates(function, use):
                summed, negative = True, negative or (use.args[-1].core is current.core and use.op == "sub")
            elif use.op == "sub":
                negative = negative or use.args[1].core is current.core
                if not summed and use.args[1].core is not current.core:
                    return False
            elif use.op in ("neg", "mul", "div"):
                negative = negative or use.op == "neg" or product(use).coefficient < 0
            elif use.op not in ("add", "index", "store", "join", "carried", "appended", "comprehension", "phi", "list"):
                continue
            queue.append(use)
    return summed and negative
