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
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeGuard

from numlint.finding import Rewrite, Severity
from numlint.function import Function
from numlint.graph.seeding import own_nodes, seeding
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
    tests = list(_truths(function.body.node))
    if not tests:
        return
    seen: set[ast.expr] = set()
    seeds = seeding(function.module, function.body.analysis.project)
    for call, argument in seeds.seed_arguments(function.body.definition):
        for truth in tests:
            subject = _tested(function, truth, call, argument)
            if (
                subject is None
                or truth.test in seen
                or truth.instead(function) == "0"
                or _zero_is_no_seed(function, subject)
            ):
                continue
            seen.add(truth.test)
            yield Hazard(
                Site(subject, truth.test, None, 0, "", ()),
                f"`{function.text(truth.test)}` takes seed 0 for no seed: the run it should repeat is not repeated",
                rewrite=_rewrite(function, truth),
            )


class Truth(NamedTuple):
    """A name tested for truth: the test, the name, what depends on it, and what stands in when it is false."""

    test: ast.expr
    name: ast.expr
    under: Sequence[ast.AST] = ()
    other: ast.expr | None = None

    def instead(self, function: Function) -> str:
        return function.text(self.other) if self.other is not None else ""


def _truths(node: ast.AST) -> Iterator[Truth]:
    body = node.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)) else []
    for inner in own_nodes(body):
        if isinstance(inner, (ast.If, ast.IfExp)):
            under = inner.body if isinstance(inner, ast.If) else [inner.body]
            if (
                isinstance(inner.test, ast.UnaryOp)
                and isinstance(inner.test.op, ast.Not)
                and _plain(inner.test.operand)
            ):
                value = next((item.value for item in under if isinstance(item, ast.Assign)), None)
                yield Truth(inner.test, inner.test.operand, (), value)
            parts = inner.test.values if _is(inner.test, ast.And) else [inner.test]
            yield from (Truth(part, part, under) for part in parts if _plain(part))
        elif _is(inner, ast.And):
            yield from (Truth(part, part, inner.values) for part in inner.values if _plain(part))
        elif _is(inner, ast.Or) and len(inner.values) == 2 and _plain(inner.values[0]):
            yield Truth(inner, inner.values[0], (), inner.values[1])


def _plain(node: ast.AST) -> bool:
    return isinstance(node, (ast.Name, ast.Attribute, ast.Subscript))


def _is(node: ast.AST, kind: type[ast.boolop]) -> TypeGuard[ast.BoolOp]:
    return isinstance(node, ast.BoolOp) and isinstance(node.op, kind)


def _tested(function: Function, truth: Truth, call: ast.Call, argument: ast.expr) -> Value | None:
    """Return the seed when it is what a test asks: before the call, around it, or within its argument."""
    subject, seed = function.body.nodes.get(truth.name), function.body.nodes.get(argument)
    if subject is None or seed is None:
        return None
    if isinstance(truth.test, ast.BoolOp):  # seed or 42
        return subject if function.body.nodes.get(truth.test) is seed or truth.test in ast.walk(argument) else None
    if isinstance(truth.test, ast.UnaryOp):  # if not seed: seed = 42
        return subject if seed.op == "phi" and seed.args[0] is function.body.nodes.get(truth.test) else None
    if seed.op == "phi" and seed.args[0] is subject and seed.args[1] is subject:  # seed if seed else 42
        return subject
    if seed is not subject:
        return None
    around = any(inner is call or inner is argument for item in truth.under for inner in ast.walk(item))
    return subject if around else None


def _zero_is_no_seed(function: Function, seed: Value) -> bool:
    if seed.core.op == "param" and seed.core.attr("default") == 0 and seed.core.attr("default") is not None:
        return True
    known = function.range(seed)
    return known.lo > 0 or known.hi < 0


def _rewrite(function: Function, truth: Truth) -> Rewrite:
    summary = "only None means that no seed was given"
    seed = function.text(truth.name)
    if isinstance(truth.test, ast.BoolOp):
        return function.rewrite(truth.test, f"{truth.instead(function)} if {seed} is None else {seed}", summary)
    return function.rewrite(
        truth.test, f"{seed} is None" if isinstance(truth.test, ast.UnaryOp) else f"{seed} is not None", summary
    )
