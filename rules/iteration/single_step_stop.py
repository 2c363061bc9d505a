"""A loop stops because one single step changed little in absolute terms.

`if abs(previous - loss) < tol: break` cannot tell convergence from a plateau, a
saturated gradient or a small learning rate, and its meaning changes with the scale
of what it compares: the gradient descent of the bad example below stops at
w = 0.6 instead of 3.0 once its loss is multiplied by 1e-8, with the same data.

Cure
----
Compare relatively, `abs(previous - loss) <= tol * max(1, abs(previous))`, ask for
several small steps in a row (patience of 3 to 5), and test the norm of the gradient
or of the residual besides. Report when the limit of iterations is reached instead.

When it is fine
---------------
The change is compared with the size of what changes; a counter asks for several
small steps; the gradient or residual is tested too; or what is compared takes
finitely many values, such as the labels of a clustering.

References
----------
P. E. Gill, W. Murray, M. H. Wright, Practical Optimization, 1981, section 8.2.3.
N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 25.5.
"""

from collections.abc import Iterator

from numlint.finding import Confidence
from numlint.function import Function
from numlint.graph.site import Site
from numlint.graph.stopping import StopTest, are_last_two, counts, is_relative, is_step, size_of, stop_tests
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "single-step-stop"
code = "NL501"
triggers = ("for & break", "for & return", "while", "[-2]")
signature = "premature-stop"

BAD = [
    Example(
        """
        import numpy as np

        def descend(loss, slope, w, rate, tol=1e-6):
            previous = np.inf
            for _ in range(10_000):
                current = loss(w)
                if abs(previous - current) < tol:
                    break
                previous = current
                w = w - rate * slope(w)
            return w
        """,
        call="descend(lambda w: 1e-8 * (w - 3) ** 2, lambda w: 2 * (w - 3), 0.0, 0.1)",
    ),
    Example(
        """
        import numpy as np

        def power(A, v, tol=1e-6):
            change = 1.0
            while change > tol:
                w = A @ v
                w = w / np.abs(w).max()
                change = np.linalg.norm(w - v)
                v = w
            return v
        """,
        call="power(np.diag([1.0, 1.0 + 1e-7]), np.array([1.0, 1e-3]))",
    ),
    Example(
        """
        import numpy as np

        class Mixture:
            def __init__(self, tolerance=1e-3):
                self.tolerance = tolerance
                self.history = []

            def is_converged(self):
                return len(self.history) > 1 and np.abs(self.history[-1] - self.history[-2]) <= self.tolerance
        """,
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def descend(loss, slope, w, rate, tol=1e-6):
            previous = np.inf
            for _ in range(10_000):
                current = loss(w)
                if abs(previous - current) <= tol * max(abs(previous), abs(current)):
                    break
                previous = current
                w = w - rate * slope(w)
            return w
        """,
        call="descend(lambda w: 1e-8 * (w - 3) ** 2, lambda w: 2 * (w - 3), 0.0, 0.1)",
        note="relative to the values that are compared",
    ),
    Example(
        """
        import numpy as np

        def descend(loss, slope, w, rate, tol=1e-12, patience=5):
            previous, calm = np.inf, 0
            for _ in range(10_000):
                current = loss(w)
                calm = calm + 1 if abs(previous - current) < tol else 0
                if calm >= patience:
                    break
                previous = current
                w = w - rate * slope(w)
            return w
        """,
        call="descend(lambda w: (w - 3) ** 2, lambda w: 2 * (w - 3), 0.0, 0.1)",
        note="several small steps in a row are asked for",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def root(f, low, high, tol=1e-9):
            for _ in range(200):
                middle = low + (high - low) / 2
                if high - low < tol:
                    break
                if f(low) * f(middle) <= 0:
                    high = middle
                else:
                    low = middle
            return middle
        """,
        call="root(lambda x: x - 1.25, 0.0, 4.0)",
        note="bisection: the interval bounds the error, it is not a step",
    ),
]

MESSAGE = (
    "the loop ends after one step that changed the result by less than an absolute tolerance: a plateau looks the same"
)
THRESHOLD = "depends on the scale: with the loss scaled by 1e-8, descent to w = 3.0 stops at w = 0.6"


def check(function: Function) -> Iterator[Hazard]:
    carried = function.body.analysis.carried
    reported = set()
    for test in stop_tests(function.body.sites, function.loops):
        if (
            not is_step(test.quantity, carried)
            or not _absolute(function, test.quantity, test.bound)
            or _is_backed(function, test)
        ):
            continue
        reported.add(test.site.value.id)
        yield _hazard(function, test.site)
    for site in function.sites("lt", "le"):
        quantity, bound = site.value.args
        difference = size_of(quantity)
        if site.value.id in reported or difference.op != "sub" or not _absolute(function, quantity, bound):
            continue
        if not site.loops and are_last_two(difference.args[0].core, difference.args[1].core):
            yield _hazard(function, site)


def _absolute(function: Function, quantity: Value, bound: Value) -> bool:
    return bound.core.number != 0 and not is_relative(quantity, bound, function.body.analysis.carried)


def _is_backed(function: Function, test: StopTest) -> bool:
    """Whether the exit needs more than this one step: a patience counter, or another small quantity."""
    carried = function.body.analysis.carried
    for other in test.others:
        if other.op not in ("lt", "le"):
            continue
        sides = [argument.core for argument in other.args]
        if any(_resets(side) for side in sides):
            return True
        if not any(counts(side, carried) or function.range(side).integer for side in sides):
            return True
    return False


def _resets(value: Value) -> bool:
    """Whether a counter goes back to a constant when a step was large."""
    return value.op == "phi" and any(argument.core.number is not None for argument in value.args[1:])


def _hazard(function: Function, site: Site) -> Hazard:
    return Hazard(
        site,
        MESSAGE,
        confidence=Confidence.LIKELY,
        threshold=THRESHOLD,
        rewrite=function.advice(
            "compare with tol * max(1, abs(previous)), ask for 3 to 5 small steps in a row, and test the gradient too"
        ),
    )
