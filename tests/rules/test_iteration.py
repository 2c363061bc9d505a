"""The rules of iteration find a stopping test in every form, and leave alone what only looks like one."""

from __future__ import annotations

import textwrap

import pytest

from numlint.finding import Confidence
from numlint.linter import check_source
from numlint.rule import load

RULES = [rule for rule in load() if rule.code.startswith("NL5")]


def names(body: str) -> set[str]:
    source = "import itertools\nimport time\nimport numpy as np\nimport torch\n" + textwrap.dedent(body)
    found, problems = check_source(source.encode(), "program.py", RULES)
    assert problems == []
    return {finding.rule for finding in found if finding.confidence >= Confidence.LIKELY}


SINGLE_STEPS = {
    "a difference of scalars": """
        def f(g, x, tol=1e-6):
            previous = np.inf
            for _ in range(100):
                x = g(x)
                value = np.sum(x)
                if abs(previous - value) < tol:
                    break
                previous = value
            return x
    """,
    "a norm, in the condition of a while": """
        def f(g, x, tol=1e-6):
            old, count = np.inf * x, 0
            while np.linalg.norm(x - old) > tol and count < 100:
                old, x = x, g(x)
                count += 1
            return x
    """,
    "a flag": """
        def f(g, x, tol=1e-6):
            converged, count = False, 0
            while not converged and count < 100:
                new = g(x)
                converged = np.abs(new - x).max() < tol
                x = new
                count += 1
            return x
    """,
    "a helper": """
        def close(a, b, tol):
            return np.linalg.norm(a - b) < tol

        def f(g, x, tol=1e-6):
            for _ in range(100):
                new = g(x)
                if close(new, x, tol):
                    break
                x = new
            return x
    """,
    "a history in an array": """
        def f(g, x, tol=1e-6):
            values = np.zeros(100)
            for i in range(100):
                x = g(x)
                values[i] = np.sum(x)
                if i > 0 and abs(values[i] - values[i - 1]) < tol:
                    break
            return x
    """,
    "a history in a list, appended to later": """
        def f(g, x, tol=1e-6):
            values = []
            for _ in range(100):
                x = g(x)
                value = np.sum(x)
                if values and abs(value - values[-1]) < tol:
                    break
                values.append(value)
            return x
    """,
    "a property of its own": """
        class Monitor:
            def __init__(self, tol):
                self.tol, self.history = tol, []

            @property
            def converged(self):
                return len(self.history) > 1 and np.abs(self.history[-1] - self.history[-2]) < self.tol
    """,
    "a name that is bound at the end of the first iteration": """
        def f(g, x, tol=1e-6):
            for i in range(100):
                x = g(x)
                value = np.sum(x)
                if i > 0 and abs(value - previous) < tol:
                    break
                previous = value
            return x
    """,
    "a copy of an attribute that a method changes": """
        class Model:
            def __init__(self):
                self.w = np.zeros(3)

            def step(self, X):
                self.w = self.w + X.sum()

            def fit(self, X, tol=1e-6):
                for _ in range(100):
                    old = self.w.copy()
                    self.step(X)
                    if np.linalg.norm(self.w - old) < tol:
                        break
                return self
    """,
    "a sum with the tolerance": """
        def f(g, x, tol=1e-6):
            best = np.inf
            for _ in range(100):
                x = g(x)
                value = np.sum(x)
                if value > best - tol:
                    break
                best = value
            return x
    """,
    "a dot product of the difference with itself": """
        def f(g, x, tol=1e-6):
            for _ in range(100):
                new = g(x)
                step = new - x
                x = new
                if step.dot(step) < tol:
                    break
            return x
    """,
    "one of two ways out": """
        def f(g, x, tol=1e-6):
            count = 0
            while True:
                new = g(x)
                count += 1
                if np.sum((new - x) ** 2) < tol or count > 1000:
                    return new
                x = new
    """,
    "a tensor's number": """
        def f(model, optimizer, x, y):
            last = float("inf")
            for _ in range(100):
                loss = ((model(x) - y) ** 2).mean()
                loss.backward()
                optimizer.step()
                if abs(last - loss.item()) < 1e-6:
                    break
                last = loss.item()
    """,
}


@pytest.mark.parametrize("body", SINGLE_STEPS.values(), ids=SINGLE_STEPS)
def test_one_small_step_is_found_in_every_form(body: str) -> None:
    assert names(body) - {"nan-blind-convergence"} == {"single-step-stop"}


NO_STEPS = {
    "relative to the previous value": """
        def f(g, x, tol=1e-6):
            previous = 1e9
            for _ in range(100):
                x = g(x)
                value = np.sum(x)
                if abs(previous - value) < tol * abs(previous):
                    break
                previous = value
    """,
    "a quotient": """
        def f(g, x, tol=1e-6):
            previous = 1e9
            for _ in range(100):
                x = g(x)
                value = np.sum(x)
                if abs((previous - value) / previous) < tol:
                    break
                previous = value
    """,
    "scaled by the data": """
        def f(X, g, x, tol=1e-6):
            previous, tol = 1e9, tol * np.var(X)
            for _ in range(100):
                x = g(x)
                value = np.sum(x)
                if abs(previous - value) < tol:
                    break
                previous = value
    """,
    "patience": """
        def f(g, x, tol=1e-6):
            previous, quiet = 1e9, 0
            for _ in range(100):
                x = g(x)
                value = np.sum(x)
                if abs(previous - value) < tol:
                    quiet += 1
                    if quiet >= 5:
                        break
                else:
                    quiet = 0
                previous = value
    """,
    "the gradient too": """
        def f(function, gradient, x, tol=1e-6):
            previous = function(x)
            for _ in range(100):
                g = gradient(x)
                x = x - 0.1 * g
                value = function(x)
                if abs(previous - value) < tol and np.linalg.norm(g) < tol:
                    break
                previous = value
    """,
    "unchanged labels": """
        def f(X, centres):
            old = None
            while True:
                labels = np.argmin(((X[:, None] - centres) ** 2).sum(2), 1)
                if old is not None and (labels != old).sum() == 0:
                    break
                old = labels
                centres = np.array([X[labels == k].mean(0) for k in range(len(centres))])
    """,
    "no better move": """
        def f(X, cost, moves):
            current = cost(X)
            while True:
                best = min(cost(move) for move in moves)
                if best < current:
                    current = best
                else:
                    break
    """,
    "a bisection": """
        def f(g, low, high, tol=1e-6):
            while high - low > tol:
                middle = (low + high) / 2
                if g(middle) > 0:
                    high = middle
                else:
                    low = middle
    """,
    "Newton's step": """
        def f(g, slope, x, tol=1e-8):
            for _ in range(50):
                step = g(x) / slope(x)
                x = x - step
                if abs(step) < tol:
                    break
    """,
    "two points of a grid": """
        def f(x, tol=1e-8):
            if x[-1] - x[-2] < tol:
                x = x[:-1]
            return np.asarray(x)
    """,
    "whole numbers": """
        def f(n):
            x, old = n, 0
            for _ in range(100):
                x, old = (x + n // x) // 2, x
                if abs(x - old) < 2:
                    break
            return np.int64(x)
    """,
    "a queue": """
        def f(queue):
            while queue:
                x = queue.pop()
                if abs(x) < 1e-3:
                    break
    """,
    "a limit that raises": """
        def f(g, x, tol=1e-9):
            count = 0
            while True:
                count += 1
                if np.linalg.norm(g(x)) < tol:
                    return x
                if count > 100:
                    raise ValueError
                x = x - g(x)
    """,
    "a clock": """
        def f(g, x, tol=1e-9):
            start = time.time()
            while True:
                x = x - g(x)
                if time.time() - start > 10 or np.abs(g(x)) < tol:
                    break
    """,
    "a step that is halved": """
        def f(g, x, tol=1e-9):
            step = 1.0
            while step > tol:
                if g(x + step) < g(x):
                    x = x + step
                else:
                    step /= 2
    """,
    "rejection": """
        def f():
            x = np.random.randn(3)
            while np.linalg.norm(x) > 1:
                x = np.random.randn(3)
            return x
    """,
    "the terms of a series": """
        def f(x):
            term = total = np.float64(1.0)
            n = 1
            while abs(term) > 1e-17:
                term = term * x / n
                total = total + term
                n += 1
            return total
    """,
    "lists that are rewritten until nothing changes": """
        def f(rules, items):
            old = None
            while items != old:
                old = items
                items = rules(items)
            return np.array(items)
    """,
    "an error that is tested again after the loop": """
        def f(g, x, tol=1e-6):
            error, count = 1.0, 0
            while error > tol and count < 100:
                step = g(x)
                x = x - step
                error = np.linalg.norm(step)
                count += 1
            return x, error < tol
    """,
}


@pytest.mark.parametrize("body", NO_STEPS.values(), ids=NO_STEPS)
def test_what_only_looks_like_a_hazard_is_not_flagged(body: str) -> None:
    assert names(body) == set()


@pytest.mark.parametrize(
    "head",
    ["while change > 1e-8:", "while True:", "for _ in itertools.count():"],
)
def test_a_loop_without_a_limit(head: str) -> None:
    leave = "" if head.startswith("while c") else "\n                if change < 1e-8:\n                    break"
    body = f"""
        def f(g, x):
            change = np.inf
            {head}
                new = g(x)
                change = np.linalg.norm(new - x)
                x = new{leave}
            return x
    """
    assert "unbounded-iteration" in names(body)


def test_a_fixed_point_by_allclose_has_no_limit() -> None:
    body = """
        def f(g, x):
            while True:
                new = g(x)
                if np.allclose(new, x):
                    return new
                x = new
    """
    assert names(body) == {"unbounded-iteration"}


@pytest.mark.parametrize(
    ("test", "found"),
    [
        ("abs(new - x) < 1e-17", True),
        ("abs(new - x) < 1e-17 * abs(x)", True),
        ("abs(new - x) / abs(x) < 1e-17", True),
        ("np.sum((new - x) ** 2) < 1e-20", False),
        ("np.sum((new - x) ** 2) < 1e-40", True),
        ("abs(new - x) < 1e-12 * abs(x)", False),
        ("abs(g(x)) < 1e-17", False),
    ],
)
def test_the_resolution_of_a_change(test: str, found: bool) -> None:
    body = f"""
        def f(g, x):
            for _ in range(50):
                new = g(x)
                if {test}:
                    break
                x = new
            return x
    """
    assert ("tolerance-below-resolution" in names(body)) is found


def test_the_resolution_is_that_of_the_format() -> None:
    body = """
        def f(g, x):
            x = x.{0}()
            for _ in range(50):
                new = x + 0.1 * torch.cos(x)
                if torch.norm(new - x) < 1e-9:
                    break
                x = new
            return x
    """
    assert "tolerance-below-resolution" in names(body.format("float"))
    assert "tolerance-below-resolution" not in names(body.format("double"))


def test_nan_ends_a_while_but_not_a_for() -> None:
    body = """
        def f(g, x, tol=1e-6):
            error, count = 1.0, 0
            while error > tol and count < 100:
                step = g(x)
                x = x - step
                error = np.linalg.norm(step)
                count += 1
            return x
    """
    assert names(body) == {"nan-blind-convergence"}
    assert names(body.replace("while error > tol and", "while not error <= tol and")) == set()
    assert names(body.replace("return x", "assert np.isfinite(error)\n            return x")) == set()
