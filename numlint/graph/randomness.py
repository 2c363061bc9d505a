"""Random draws: which calls take from a generator, and from which one.

A ``draw`` is a fresh value (two draws are never equal) whose ``source`` says where
the numbers come from: ``numpy`` (the legacy global state), ``python``, ``torch``,
``tensorflow``, or ``generator`` for an object that was passed or made. An ``rng``
is a generator object with its seed as argument.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from numlint.graph import vocabulary

if TYPE_CHECKING:
    from numlint.graph.frame import Frame
    from numlint.graph.value import Value

NUMPY = frozenset(
    "rand randn randint random random_sample random_integers ranf sample choice shuffle permutation permuted bytes normal "
    "uniform standard_normal standard_t standard_cauchy standard_exponential standard_gamma beta binomial chisquare dirichlet "
    "exponential f gamma geometric gumbel hypergeometric laplace logistic lognormal logseries multinomial "
    "multivariate_normal negative_binomial noncentral_chisquare noncentral_f pareto poisson power rayleigh triangular "
    "vonmises wald weibull zipf integers multivariate_hypergeometric".split()
)
PYTHON = frozenset(
    "random randint randrange choice choices sample shuffle uniform gauss normalvariate lognormvariate expovariate "
    "betavariate gammavariate triangular vonmisesvariate paretovariate weibullvariate getrandbits".split()
)
TORCH = frozenset(
    "rand randn randint randperm rand_like randn_like randint_like normal bernoulli multinomial poisson".split()
)
TENSOR = frozenset(
    "normal_ uniform_ random_ bernoulli_ exponential_ cauchy_ log_normal_ geometric_ multinomial bernoulli".split()
)
TENSORFLOW = frozenset(
    "random_normal random_uniform truncated_normal random_shuffle random_gamma multinomial "
    "random.normal random.uniform random.truncated_normal random.shuffle random.gamma random.poisson random.categorical".split()
)
GENERATORS = {
    "numpy.random.default_rng": "seed",
    "numpy.random.RandomState": "seed",
    "numpy.random.Generator": "bit_generator",
    "random.Random": "x",
    "torch.Generator": "device",
}
UNIT_INTERVAL = frozenset("rand random random_sample ranf sample uniform uniform_ rand_like random_uniform random.uniform".split())


def source_of(name: str) -> str:
    """Return the generator that a library name draws from, or ``""``."""
    if name.startswith("numpy.random.") and name[13:] in NUMPY:
        return "numpy"
    if name.startswith("random.") and name[7:] in PYTHON:
        return "python"
    if name.startswith("torch.") and name[6:] in TORCH:
        return "torch"
    if name.startswith("tensorflow.") and name[11:] in TENSORFLOW:
        return "tensorflow"
    if name.startswith("rng.") and name[4:] in NUMPY | PYTHON:
        return "generator"
    if name.startswith("tensor.") and name[7:] in TENSOR:
        return "torch"
    return ""


def draw(frame: Frame, name: str, args: list[Value], keywords: dict[str, Value], node: ast.AST) -> Value | None:
    """Value of a call that draws random numbers or makes a generator, or None for any other call."""
    graph = frame.graph
    if name in GENERATORS:
        seed = args[0] if args else keywords.get(GENERATORS[name])
        known = seed is not None and not (seed.op == "const" and seed.constant is None)
        from_seed = (seed,) if known and seed is not None else ()
        return frame.emit("rng", from_seed, node, (("name", name),), vocabulary.framework(name))
    source = source_of(name)
    if not source:
        return None
    if "generator" in keywords:
        source = "generator"
    leaf = name.partition(".")[2] if name.startswith("tensorflow") else name.rpartition(".")[2]
    attrs = (("name", name), ("source", source), ("unit", leaf in UNIT_INTERVAL and _is_unit(args, source)))
    frame.clock += 1
    value = graph.fresh("draw", *args, **dict(attrs))
    if frame.sites is not None:
        from numlint.graph.site import Site

        framework = vocabulary.framework(name) or ("numpy" if source == "generator" else source)
        frame.sites.append(Site(value, node, frame.path, frame.clock, framework, tuple(frame.loop_stack)))
    return value


def _is_unit(args: list[Value], source: str) -> bool:
    """Whether the bounds of a uniform draw are the default ones."""
    return not any(argument.op == "const" and isinstance(argument.constant, float) for argument in args)
