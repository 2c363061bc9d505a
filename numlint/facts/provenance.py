"""Provenance: where the magnitude of a value comes from, and what sign it has by its form.

Ranges prove; provenance argues. A bare parameter and the output of a linear layer have
the same range, all numbers, but a reviewer asks what bounds the second one only. And
``-gamma * d**2`` is taken to be negative, although nothing says that ``gamma`` is not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from numlint.facts.range import Range
from numlint.facts.relations import is_shifted_by_max
from numlint.graph.terms import product, terms
from numlint.graph.value import Value

RangeOf = Callable[[Value], Range]

MAX_SOURCES = 200
MAX_NESTING = 3

_KEEPING = frozenset(
    "view transpose cast index take split element neg abs relu leaky softplus sum mean max min median percentile "
    "cumsum square "
    "clip triangle diag nan_to_num mutated comprehension".split()
)
"""Operations whose first operand decides how large the result can be."""

_COMBINING = frozenset("mul maximum minimum list tuple joined appended join".split())
_LINEAR = frozenset("matmul multi_dot einsum".split())
_SOLUTIONS = frozenset("solve tri_solve cho_solve lstsq inv pinv".split())
_LOGARITHMS = frozenset(
    "log log2 log10 log1p logsumexp logaddexp log_softmax logsigmoid gammaln slogdet logdet logit".split()
)
_OBJECTS = frozenset("call instance carried name unknown phi join element index".split())
_PARAMETERS = frozenset({"Parameter", "get_variable", "Variable"})
_WITH_NETWORKS = frozenset({"torch", "jax", "tensorflow", "mxnet"})
_HARMLESS = frozenset({"constant", "draw", "bounded"})
_NONNEGATIVE = frozenset("square abs norm exp sqrt var std cdist pdist hypot ptp".split())


class Source(NamedTuple):
    """What bounds, or fails to bound, a value.

    Attributes
    ----------
    kind : str
        ``"network"`` (output of a layer or a model), ``"linear"`` (of a linear map),
        ``"solution"`` (of a linear system), ``"exponential"``, ``"logarithm"``,
        ``"log-density"``, ``"parameter"`` (a variable that is trained), ``"draw"``, ``"constant"``,
        ``"bounded"`` or ``"data"``.
    value : Value
    """

    kind: str
    value: Value


def sources(
    value: Value,
    bounded: Callable[[Value], bool],
    carried: dict[int, tuple[Value, Value]],
    passed: Callable[[Value], Iterable[Value]],
    depth: int = 0,
) -> tuple[Source, ...]:
    """Return the values that decide how large `value` can be, nearest first.

    Parameters
    ----------
    value : Value
    bounded : callable
        Whether the range of a value is known to be finite.
    carried : dict
        Entry and end of loop-carried values, by id.
    passed : callable
        What the callers pass for a parameter.
    """
    found: list[Source] = []
    queue, seen = [value], {value.id}
    for current in queue:
        if len(seen) > MAX_SOURCES:
            break
        if current.op != "const" and current is not value and bounded(current):
            found.append(Source("bounded", current))
            continue
        below = list(_operands(current, carried)) or (list(passed(current)) if current.op == "param" else [])
        if not below:
            kind = _kind(current)
            if kind == "linear" and depth < MAX_NESTING:
                kind = _kind_of_linear(current, bounded, carried, passed, depth)
            found.append(Source(kind, current))
        for operand in below:
            if operand.id not in seen:
                seen.add(operand.id)
                queue.append(operand)
    return tuple(found)


def _kind_of_linear(
    value: Value,
    bounded: Callable[[Value], bool],
    carried: dict[int, tuple[Value, Value]],
    passed: Callable[[Value], Iterable[Value]],
    depth: int,
) -> str:
    """Kind of a linear map by what it maps: draws and constants are made-up data, logarithms stay so."""
    kinds = {
        source.kind for argument in value.args for source in sources(argument, bounded, carried, passed, depth + 1)
    }
    if kinds <= _HARMLESS:
        return "draw"
    return "logarithm" if kinds & {"logarithm", "log-density"} else "linear"


def _operands(value: Value, carried: dict[int, tuple[Value, Value]]) -> Iterator[Value]:
    op = value.op
    if op in _KEEPING and value.args:
        yield value.args[0]
    elif op in ("add", "sub"):
        parts = terms(value)
        for part in parts:
            if (-part.sign, part.value) not in parts:  # x + (clip(x) - x) is clip(x)
                yield part.value
    elif op in _COMBINING:
        yield from value.args
    elif op == "div" and len(value.args) == 2:
        yield value.args[0]
    elif op in ("phi", "where") and len(value.args) == 3:
        yield from value.args[1:]
    elif op == "store":
        yield value.args[0]
        yield value.args[2]
    elif op == "carried" and value.id in carried:
        yield from carried[value.id]
    elif op == "pow" and len(value.args) == 2 and value.args[1].number is not None:
        yield value.args[0]


def _kind(value: Value) -> str:
    op = value.op
    if op in ("const", "zeros", "ones", "full", "eye"):
        return "constant"
    if op in ("linear", "leaky"):
        return "network"
    if op in _LINEAR:
        return "bounded" if value.args and all(is_normalised(argument) for argument in value.args) else "linear"
    if op in _SOLUTIONS:
        return "solution"
    if op in ("exp", "exp2", "exp10", "cosh", "sinh"):
        return "exponential"
    if op in _LOGARITHMS:
        return "logarithm"
    if op == "logpdf":
        return "log-density"
    if op == "draw":
        return "draw"
    if op in (
        "sigmoid",
        "tanh",
        "softmax",
        "normalize",
        "norm_layer",
        "sin",
        "cos",
        "sign",
        "erf",
        "len",
        "arange",
        "linspace",
    ):
        return "bounded"
    return _kind_of_call(value) if op == "call" else "data"


def is_normalised(value: Value) -> bool:
    """Whether a value is divided by its norm, or made of values that are."""
    inner = value.core
    if inner.op == "div":
        return any(part.op == "norm" and part.args[0].core is inner.args[0].core for part in inner.args[1].walk(40))
    if inner.op in ("join", "list", "tuple", "index", "phi") and inner.args:
        return all(is_normalised(argument) for argument in (inner.args[:1] if inner.op == "index" else inner.args[-2:]))
    return inner.op in ("normalize", "sign", "softmax", "eye")


def _kind_of_call(value: Value) -> str:
    callee = value.args[0] if value.args else value
    if callee.op == "ref" and str(callee.attr("name")).rpartition(".")[2] in _PARAMETERS:
        return "parameter"
    if callee.op == "attr":
        method = str(callee.attr("name"))
        if method in ("log_prob", "logpdf", "logpmf"):
            return "log-density"
        on_object = method == "forward" or (callee.args and callee.args[0].op in ("self", "instance"))
    else:
        on_object = callee.op in _OBJECTS
    differentiable = any(part.framework in _WITH_NETWORKS for part in (value, *value.args[1:]))
    return "network" if on_object and differentiable else "data"


def sign_of_quadratic_form(value: Value) -> int:
    """Sign of ``c * x.T @ P @ x`` or ``c * (x @ P) * x``, for the matrices it is written with; 0 for other values."""
    inner = value.core
    if inner.op in ("matmul", "multi_dot", "einsum"):
        chain = [product(_last(factor)) for factor in _chain(inner)]
        first, last = chain[0].numerator, chain[-1].numerator
        if len(chain) > 1 and len(first) == 1 and len(last) == 1 and first[0].core is last[0].core:
            return -1 if sum(factor.coefficient < 0 for factor in chain) % 2 else 1
    if inner.op == "mul":
        for one, other in (inner.args, inner.args[::-1]):
            if one.core.op == "matmul" and any(factor.core is other.core for factor in _chain(one.core)):
                return 1
    return 0


def _chain(value: Value) -> Iterator[Value]:
    for argument in value.args:
        if argument.core.op in ("matmul", "multi_dot"):
            yield from _chain(argument.core)
        else:
            yield argument


def _last(value: Value) -> Value:
    """Return the right-hand side of a system: ``x`` of ``solve(P, x)``."""
    inner = value.core
    return inner.args[1] if inner.op in _SOLUTIONS and len(inner.args) > 1 else inner


def presumed_sign(value: Value, range_of: RangeOf, depth: int = 0) -> int:
    """Sign that a value has by its form: -1, +1, or 0 when nothing suggests one.

    What the range proves comes first. Beyond it, a scale of unknown sign that
    multiplies or divides a magnitude (a square, a distance, a norm) is taken to be
    positive, and so is a quadratic form.
    """
    known = range_of(value)
    if known.hi <= 0:
        return -1
    if known.lo >= 0:
        return 1
    inner = value.core
    if depth > 12:
        return 0
    if inner.op in _NONNEGATIVE:
        return 1
    if (form := sign_of_quadratic_form(inner)) != 0:
        return form
    if inner.op in (
        "sum",
        "mean",
        "max",
        "min",
        "median",
        "index",
        "take",
        "element",
        "cumsum",
        "comprehension",
        "triangle",
    ):
        return presumed_sign(inner.args[0], range_of, depth + 1) if inner.args else 0
    if inner.op == "sub" and is_shifted_by_max(inner) and inner.args[0].core.op != "max":
        return -1
    if inner.op in ("add", "sub"):
        if _is_gram_distance(inner, range_of, depth):
            return 1
        signs = {part.sign * presumed_sign(part.value, range_of, depth + 1) for part in terms(inner)}
        return signs.pop() if len(signs) == 1 else 0
    if inner.op in ("phi", "where", "join"):
        branches = inner.args if inner.op == "join" else inner.args[1:]
        signs = {presumed_sign(branch, range_of, depth + 1) for branch in branches}
        return signs.pop() if len(signs) == 1 else 0
    if inner.op in ("mul", "div", "neg"):
        return _sign_of_product(inner, range_of, depth)
    return 0


def _is_gram_distance(value: Value, range_of: RangeOf, depth: int) -> bool:
    """Whether a sum is ``|x|^2 + |y|^2 - 2 x.y``, a squared distance before rounding."""
    squares = products = 0
    for part in terms(value):
        factors = product(part.value)
        inner = factors.numerator[0] if len(factors.numerator) == 1 else part.value
        scale = part.sign * factors.coefficient * math.prod(product(argument).coefficient for argument in inner.args)
        if inner.op == "matmul" and scale == -2:
            products += 1
        elif part.sign > 0 and presumed_sign(part.value, range_of, depth + 1) > 0:
            squares += 1
        else:
            return False
    return squares > 0 and products == 1


def _sign_of_product(value: Value, range_of: RangeOf, depth: int) -> int:
    coefficient, above, below = product(value)
    sign = -1 if coefficient < 0 else 1
    paired = {factor for factor in above if above.count(factor) == 2}
    magnitude = bool(paired)  # x * c * x
    for factor in (*above, *below):
        if factor in paired:
            continue
        own = 0 if factor is value else presumed_sign(factor, range_of, depth + 1)
        if own == 0 and not _is_scale(factor):
            return 0
        sign *= own or 1
        magnitude = magnitude or (own != 0 and factor.op not in ("const", "param"))
    return sign if magnitude else 0


def _is_scale(value: Value, depth: int = 0) -> bool:
    """Whether a value of unknown sign can be a scale: given, not computed, or a product or a sum of what can."""
    if value.op in ("index", "element", "view"):
        return _is_scale(value.args[0].core, depth)
    if value.op == "mul" and depth < 4:
        coefficient, above, below = product(value)
        return coefficient > 0 and all(_is_scale(factor, depth + 1) for factor in (*above, *below))
    if value.op == "add" and depth < 4:
        parts = terms(value)
        return all(
            part.sign > 0 and (part.value.number is not None or _is_scale(part.value, depth + 1)) for part in parts
        )
    return value.op in ("param", "attr", "name", "unknown", "call", "std", "var", "list", "appended", "join", "carried")


def is_imaginary(value: Value) -> bool:
    """Whether a value is a product with an imaginary constant: its exponential lies on the unit circle."""
    stack, seen = [value.core], 0
    while stack and seen < 40:
        seen += 1
        current = stack.pop()
        if isinstance(current.constant, complex):
            return True
        if current.op in ("mul", "div", "neg"):
            stack.extend(argument.core for argument in current.args)
        elif current.op in ("add", "sub"):
            return all(is_imaginary(argument) for argument in current.args)
    return False
