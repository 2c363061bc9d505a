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

import ast
from collections.abc import Iterator

from numlint.finding import Confidence
from numlint.function import Function
from numlint.graph.convergence import (
    Change,
    Comparison,
    WayOut,
    absolute,
    change,
    difference,
    history,
    is_counter,
    is_patient,
    varies,
    ways_out,
)
from numlint.graph.site import Loop, Site
from numlint.graph.terms import terms
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "single-step-stop"
code = "NL501"
triggers = ("for & break", "for & return & <", "for & return & >", "for & return & allclose", "while", "[-2]")
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
        call="power(np.diag([1.0, 1.0 + 5e-4]), np.array([1.0, 1e-3]))",
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
        note="the loop that asks is elsewhere",
    ),
    Example(
        """
        import numpy as np

        def train(X, y, lr=0.1, tol=1e-6):
            w = np.zeros(X.shape[1])
            previous = np.inf
            for _ in range(1000):
                error = X @ w - y
                loss = np.mean(error**2)
                if abs(previous - loss) < tol:
                    break
                previous = loss
                w = w - lr * X.T @ error / len(y)
            return w
        """,
        call="train(1e-4 * np.ones((4, 1)), 3e-4 * np.ones(4))",
        note="0 instead of 3: data measured in another unit",
    ),
    Example(
        """
        import numpy as np

        def power(A, v, eps=1e-9):
            change = 1.0
            for _ in range(10_000):
                w = A @ v
                w /= np.linalg.norm(w)
                change = np.linalg.norm(w - v)
                v = w
                if change < eps:
                    return v
            return v
        """,
        call="power(np.diag([2.0, 1.0]), np.array([1e-12, 1.0]))",
        note="the second eigenvector: the first step changes it by 1e-12",
    ),
    Example(
        """
        import numpy as np

        class Mixture:
            def __init__(self, tol=1e-3):
                self.tol = tol
                self.likelihoods = []

            def fit(self, X):
                for _ in range(100):
                    self.likelihoods.append(np.sum(X) / (1 + len(self.likelihoods)))
                    if self._converged():
                        break
                return len(self.likelihoods)

            def _converged(self):
                return len(self.likelihoods) > 1 and abs(self.likelihoods[-1] - self.likelihoods[-2]) < self.tol
        """,
        call="Mixture().fit(np.full(3, 1e-6))",
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
                if abs(previous - current) <= tol * abs(current):
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
    Example(
        """
        import numpy as np

        def cluster(X, centres):
            labels = None
            for _ in range(100):
                new = np.argmin(((X[:, None] - centres) ** 2).sum(axis=2), axis=1)
                if labels is not None and np.all(new == labels):
                    break
                labels = new
                centres = np.array([X[labels == k].mean(axis=0) for k in range(len(centres))])
            return centres
        """,
        call="cluster(np.array([[0.0], [1.0], [9.0]]), np.array([[0.0], [9.0]]))",
        note="unchanged labels are a fixed point",
    ),
    Example(
        """
        import numpy as np

        def descend(f, gradient, x, tol=1e-8):
            value = f(x)
            for _ in range(1000):
                g = gradient(x)
                x = x - 0.1 * g
                new = f(x)
                if abs(new - value) < tol and np.linalg.norm(g) < tol:
                    break
                value = new
            return x
        """,
        call="descend(lambda x: (x**2).sum(), lambda x: 2 * x, np.ones(2))",
        note="the gradient is tested too",
    ),
]

MESSAGE = (
    "the loop ends after one step that changed the result by less than an absolute tolerance: a plateau looks the same"
)
THRESHOLD = "depends on the scale: with the loss scaled by 1e-8, descent to w = 3.0 stops at w = 0.6"


def check(function: Function) -> Iterator[Hazard]:
    reported: set[Value] = set()
    for loop in function.loops:
        for way in ways_out(loop):
            found = None if isinstance(way.node, ast.Raise) else _single_step(way)
            if found is None:
                continue
            comparison, step = found
            site = _site(function, comparison.value, way)
            if site is not None and comparison.value not in reported:
                reported.add(comparison.value)
                yield _hazard(function, site, step, _confidence(function, way, comparison, step, site))
    for site in function.sites("lt", "le"):
        # A test of its own, such as a property `converged`: the loop is elsewhere.
        if site.value not in reported and not site.loops and _is_answer(function, site.value):
            recent = _of_history(site.value)
            if recent is not None:
                yield _hazard(function, site, recent, Confidence.LIKELY)


def _hazard(function: Function, site: Site, step: Change, confidence: Confidence) -> Hazard:
    return Hazard(
        site,
        MESSAGE,
        confidence,
        threshold=THRESHOLD,
        origin=(step.new,),
        rewrite=function.advice(
            "compare with tol * max(1, abs(previous)), ask for 3 to 5 small steps in a row, and test the gradient too"
        ),
    )


def _single_step(way: WayOut) -> tuple[Comparison, Change] | None:
    """Comparison of one change with an absolute tolerance, when nothing else must hold too."""
    for comparison in way.comparisons:
        tolerance, quantity = comparison.large, comparison.small
        step = change(quantity, way) if absolute(tolerance, way.loop) else _signed(comparison, way)
        if step is None or step.kind not in ("successive", "history") or tolerance.core.number == 0:
            continue
        if any(_is_scale(scale) for scale in step.scales):
            continue
        if any(_guards(other, way.loop) for other in way.comparisons if other is not comparison):
            continue
        return comparison, step
    return None


def _signed(comparison: Comparison, way: WayOut) -> Change | None:
    """Read ``new > old - tol`` and ``new + tol > old`` as changes."""
    parts = [*terms(comparison.large), *(part._replace(sign=-part.sign) for part in terms(comparison.small))]
    fixed = [part for part in parts if part.sign > 0 and absolute(part.value, way.loop)]
    moving = [part for part in parts if part not in fixed]
    if len(fixed) != 1 or len(moving) != 2 or moving[0].sign == moving[1].sign:
        return None
    return difference(moving[0].value, moving[1].value, way)


def _is_scale(value: Value) -> bool:
    """Whether a divisor makes a difference relative: computed from data, not a count or a constant."""
    return value.op not in ("const", "len", "shape", "param", "attr", "name", "index")


def _guards(comparison: Comparison, loop: Loop) -> bool:
    """Whether another comparison that must hold makes the stop safe: successes are counted, or more is small."""
    if is_patient(comparison.large, loop) and not varies(comparison.small, loop):
        return True
    counts = is_counter(comparison.large, loop) or is_counter(comparison.small, loop)
    return not counts and varies(comparison.small, loop) and absolute(comparison.large, loop)


def _confidence(function: Function, way: WayOut, comparison: Comparison, step: Change, site: Site) -> Confidence:
    if any(inner.op in ("argmin", "argmax", "argsort") for inner in step.new.walk(400)):
        return Confidence.POSSIBLE  # discrete assignments: a small change is mostly none
    if any(part.value is step.old for part in terms(step.new)):
        moves = [part.value for part in terms(step.new) if part.value is not step.old]
        if moves and all(inner.op in ("div", "solve", "lstsq", "tri_solve", "cho_solve") for inner in moves):
            return Confidence.POSSIBLE  # Newton's method: the step is the error of the iterate before
    known = function.range(step.new, site)
    if known.bounded and known.magnitude <= 1 and not known.integer:
        return Confidence.POSSIBLE  # probabilities: of order one in any units
    return Confidence.LIKELY


def _site(function: Function, value: Value, way: WayOut) -> Site | None:
    """Where the comparison is made in this function; a helper's test is judged where the helper is called."""
    for site in function.sites("lt", "le"):
        if site.value is value:
            return site
    statement: ast.AST | None = way.node
    while statement is not None and not isinstance(statement, (ast.If, ast.While)):
        statement = function.parent(statement)
    return None if statement is None else Site(value, statement.test, None, 0, function.framework, (way.loop,))


def _is_answer(function: Function, value: Value) -> bool:
    """Whether a comparison decides what the function returns, as true or false."""
    for result in function.body.returns:
        truth = result.value.core
        if truth.op in ("and", "or", "not", "lt", "le") and any(inner is value for inner in truth.walk(60)):
            return True
        path = result.path
        while path is not None:
            if path.value is not None and isinstance(truth.constant, bool) and value in path.value.walk(60):
                return True
            path = path.parent
    return False


def _of_history(comparison: Value) -> Change | None:
    inner = comparison.args[0].core
    while inner.op in ("abs", "norm", "neg") and inner.args:
        inner = inner.args[0].core
    return history(*inner.args) if inner.op == "sub" else None
