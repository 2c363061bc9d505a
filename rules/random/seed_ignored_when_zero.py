"""A seed tested for truth is ignored when it is 0.

`if seed: np.random.seed(seed)` and `seed or 42` treat seed 0 as no seed: the run that was
asked to be repeatable is not (`shuffle(x, seed=0)` gave four orders in four calls), or it
silently is the run of another seed. Of seeds chosen by hand, 0 is the most common.

Cure
----
`if seed is not None:`; `42 if seed is None else seed`.

When it is fine
---------------
0 is the parameter's own default, so that it means "no seed"; the fallback is 0 itself;
the seed is known to be positive.

References
----------
scikit-learn developers, Controlling randomness, section 10.3 of the user guide: None,
not 0, stands for "no seed".
"""

import ast
from collections.abc import Iterator
from typing import TypeGuard

from numlint.finding import Rewrite, Severity
from numlint.function import Function
from numlint.graph.seeding import seeding
from numlint.graph.site import Site
from numlint.graph.value import Value
from numlint.rule import Example, Hazard

name = "seed-ignored-when-zero"
code = "NL602"
SEEDS = (
    *("seed", "manual_seed", "manual_seed_all", "set_seed", "seed_everything", "set_random_seed", "set_rng_seed"),
    *("random_state", "RandomState", "default_rng", "Random", "SeedSequence", "check_random_state", "PRNGKey"),
)
triggers = tuple(f"{name} & {test}" for name in SEEDS for test in ("if", "or", "and"))
signature = "non-determinism"
severity = Severity.ERROR

BAD = [
    Example(
        """
        import numpy as np

        def shuffled(x, seed=None):
            if seed:
                np.random.seed(seed)
            return np.random.permutation(x)
        """,
        call="shuffled(np.arange(1000.0), seed=0)",
        fixed="""
        import numpy as np

        def shuffled(x, seed=None):
            if seed is not None:
                np.random.seed(seed)
            return np.random.permutation(x)
        """,
    ),
    Example(
        """
        import numpy as np

        class Sampler:
            def __init__(self, seed=None):
                self.rng = np.random.default_rng(seed or None)

            def draw(self, n):
                return self.rng.normal(size=n)
        """,
        call="Sampler(seed=0).draw(10)",
        fixed="""
        import numpy as np

        class Sampler:
            def __init__(self, seed=None):
                self.rng = np.random.default_rng(None if seed is None else seed)

            def draw(self, n):
                return self.rng.normal(size=n)
        """,
    ),
    Example(
        """
        import random

        def pick(items, seed=None):
            rng = random.Random(seed) if seed else random.Random()
            return rng.sample(items, len(items))
        """,
        call="pick(range(1000), seed=0)",
        fixed="""
        import random

        def pick(items, seed=None):
            rng = random.Random(seed) if seed is not None else random.Random()
            return rng.sample(items, len(items))
        """,
    ),
    Example(
        """
        import numpy as np
        import random

        def set_seed(value):
            random.seed(value)
            np.random.seed(value)

        def run(n, number=None):
            if number and n > 0:
                set_seed(number)
            return np.random.rand(n)
        """,
        call="run(10, 0)",
        fixed="""
        import numpy as np
        import random

        def set_seed(value):
            random.seed(value)
            np.random.seed(value)

        def run(n, number=None):
            if number is not None and n > 0:
                set_seed(number)
            return np.random.rand(n)
        """,
    ),
]
GOOD = [
    Example(
        """
        import numpy as np

        def shuffled(x, seed=None):
            if seed is not None:
                np.random.seed(seed)
            return np.random.permutation(x)
        """,
        call="shuffled(np.arange(1000.0), seed=0)",
        note="only None means no seed",
    ),
]
LIMIT = [
    Example(
        """
        import numpy as np

        def start(seed=None):
            return np.random.default_rng(seed or 0)
        """,
        call="start(0).random(5)",
        note="0 falls back to 0",
    ),
    Example(
        """
        import numpy as np

        def shuffled(x, seed=0):
            if seed:
                np.random.seed(seed)
            return np.random.permutation(x)
        """,
        call="shuffled(np.arange(1000.0), seed=1)",
        note="0 is the default and stands for no seed",
    ),
    Example(
        """
        import numpy as np

        def shuffled(x, reseed):
            if reseed:
                np.random.seed(0)
            return np.random.permutation(x)
        """,
        call="shuffled(np.arange(1000.0), True)",
        note="a switch, not the seed, is tested",
    ),
]


def check(function: Function) -> Iterator[Hazard]:
    seeds = seeding(function.module, function.body.analysis.project)
    seen: set[ast.expr] = set()
    for call, argument in seeds.seed_arguments(function.body.definition):
        seed = function.body.nodes.get(argument)
        if seed is None:
            continue
        for test, subject, instead in (
            *_fallbacks(function, argument),
            *_replaced(function, seed),
            *_guards(function, call, seed),
        ):
            if test in seen or instead.strip() == "0" or _zero_is_no_seed(function, subject):
                continue
            seen.add(test)
            yield Hazard(
                Site(subject, test, None, 0, "", ()),
                f"`{function.text(test)}` takes seed 0 for no seed: the run that seed 0 should repeat is not repeated",
                rewrite=_rewrite(function, test, instead),
            )


Test = tuple[ast.expr, Value, str]
"""An expression that tests a seed for truth, the seed, and the text that stands in for it when it is false."""


def _fallbacks(function: Function, argument: ast.expr) -> Iterator[Test]:
    """``seed or 42`` and ``seed if seed else 42`` within an argument."""
    nodes = function.body.nodes
    for inner in ast.walk(argument):
        if isinstance(inner, ast.BoolOp) and isinstance(inner.op, ast.Or) and len(inner.values) == 2:
            subject = nodes.get(inner.values[0])
            if subject is not None and subject.core.op in ("param", "attr", "index", "carried"):
                yield inner, subject, function.text(inner.values[1])
        elif (
            isinstance(inner, ast.IfExp)
            and (subject := nodes.get(inner.test)) is not None
            and subject is nodes.get(inner.body)
        ):
            yield inner.test, subject, ""


def _replaced(function: Function, seed: Value) -> Iterator[Test]:
    """``if not seed: seed = 42`` before the seed is used."""
    if seed.op != "phi" or seed.args[0].op != "not" or seed.args[0].args[0] is not seed.args[2]:
        return
    for node, value in function.body.nodes.items():
        if value is seed.args[0] and isinstance(node, ast.UnaryOp) and isinstance(function.parent(node), ast.If):
            yield node, seed.args[2], repr(seed.args[1].constant) if seed.args[1].op == "const" else ""


def _guards(function: Function, call: ast.Call, seed: Value) -> Iterator[Test]:
    """``if seed:`` around the call that seeds."""
    child: ast.AST = call
    parent = function.parent(call)
    while parent is not None and not isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef)):
        tests: list[ast.expr] = []
        if (isinstance(parent, ast.If) and child in parent.body) or (
            isinstance(parent, ast.IfExp) and child is parent.body
        ):
            tests = parent.test.values if _conjunction(parent.test) else [parent.test]
        elif isinstance(parent, ast.BoolOp) and _conjunction(parent):
            tests = [value for value in parent.values if value is not child]
        for test in tests:
            if isinstance(test, (ast.Name, ast.Attribute, ast.Subscript)) and function.body.nodes.get(test) is seed:
                yield test, seed, ""
        child, parent = parent, function.parent(parent)


def _conjunction(test: ast.expr) -> TypeGuard[ast.BoolOp]:
    return isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And)


def _zero_is_no_seed(function: Function, seed: Value) -> bool:
    if seed.core.op == "param" and seed.core.attr("default") == 0 and seed.core.attr("default") is not None:
        return True
    known = function.range(seed)
    return known.lo > 0 or known.hi < 0


def _rewrite(function: Function, test: ast.expr, instead: str) -> Rewrite:
    summary = "only None means that no seed was given"
    if isinstance(test, ast.BoolOp):
        seed = function.text(test.values[0])
        return function.rewrite(test, f"{instead} if {seed} is None else {seed}", summary)
    if isinstance(test, ast.UnaryOp):
        return function.rewrite(test, f"{function.text(test.operand)} is None", summary)
    return function.rewrite(test, f"{function.text(test)} is not None", summary)
