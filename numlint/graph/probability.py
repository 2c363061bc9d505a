"""Probabilities recognised by their formula: softmax, sigmoid, densities and distribution functions.

Whether a library function, a helper of the project or an expression over several
statements computes it, the value is the same; these queries say which logits it
was computed from.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from numlint.graph.terms import one_minus, one_plus, product
from numlint.graph.value import Value

LOGARITHMS = ("log", "log2", "log10")
SELECTING = frozenset({"index", "take", "split"})
DENSITIES = frozenset({"pdf", "pmf", "prob"})
DISTRIBUTION_FUNCTIONS = frozenset({"cdf", "sf"})
DISTRIBUTIONS = (
    "scipy.stats.",
    "jax.scipy.stats.",
    "torch.distributions.",
    "tensorflow_probability.",
    "tensorflow.distributions.",
    "pyro.distributions.",
    "numpyro.distributions.",
    "statistics.NormalDist",
)


class Softmax(NamedTuple):
    """A softmax: its logits, the axis that sums to 1 (None when not said), and the values that it is made of."""

    logits: Value
    axis: object
    parts: tuple[Value, ...]


class Sigmoid(NamedTuple):
    """A sigmoid of `logit`, or of minus `logit` when `negated`; the logit is None when it cannot be told.

    `complement` says that it is computed as one minus a sigmoid, and so is 0 once that rounds to 1.
    """

    logit: Value | None
    negated: bool
    parts: tuple[Value, ...]
    complement: bool = False


def selected_from(value: Value) -> Value:
    """Strip layout and the selection of elements: ``p[mask]``, ``p.gather(1, a)`` come from ``p``."""
    inner = value.core
    while inner.op in SELECTING:
        inner = inner.args[0].core
    return inner


def alternatives(value: Value, limit: int = 16) -> Iterator[Value]:
    """Iterate over the values that a value can be: itself, or those that a branch, a merge or a selection gives."""
    stack = [selected_from(value)]
    while stack and limit:
        limit -= 1
        current = stack.pop()
        if current.op in ("phi", "where") and len(current.args) == 3:
            stack.extend(selected_from(branch) for branch in current.args[1:])
        elif current.op == "join":
            stack.extend(selected_from(branch) for branch in current.args)
        yield current


def as_softmax(value: Value) -> Softmax | None:
    """Return the softmax that a value is: a call, or ``exp(z) / sum(exp(z))``."""
    inner = value.core
    if inner.op == "softmax" and inner.args:
        return Softmax(inner.args[0], inner.attr("axis"), (inner,))
    if inner.op == "div":
        above, below = inner.args[0].core, inner.args[1].core
        if above.op == "exp" and below.op == "sum" and below.args[0].core is above:
            return Softmax(_unshifted(above.args[0]), below.attr("axis"), (inner, above, below))
    if inner.op == "exp":
        exponent = inner.args[0].core
        if exponent.op == "log_softmax":
            return Softmax(exponent.args[0], exponent.attr("axis"), (inner, exponent))
        if exponent.op == "sub":
            left, right = exponent.args[0].core, exponent.args[1].core
            if right.op == "logsumexp" and right.args[0].core is left:
                return Softmax(left, right.attr("axis"), (inner,))
    return None


def _unshifted(exponent: Value) -> Value:
    """Return z of ``z - max(z)``: the shift cancels in a softmax."""
    inner = exponent.core
    if inner.op == "sub" and inner.args[1].core.op == "max" and inner.args[1].core.args[0].core is inner.args[0].core:
        return inner.args[0]
    return exponent


def as_sigmoid(value: Value, depth: int = 0) -> Sigmoid | None:
    """Return the sigmoid that a value is: a call, ``1/(1 + exp(-z))``, ``(1 + tanh(z/2))/2`` or one minus a sigmoid."""
    inner = value.core
    if depth > 4:
        return None
    if inner.op == "sigmoid":
        return Sigmoid(inner.args[0], False, (inner,))
    complement = one_minus(inner)
    if complement is not None:
        found = as_sigmoid(complement, depth + 1)
        return None if found is None else Sigmoid(found.logit, not found.negated, (inner, *found.parts), True)
    if inner.op == "div":
        return _quotient(inner) or _half_tanh(inner)
    if inner.op in ("mul", "add"):
        return _half_tanh(inner)
    if inner.op in ("where", "phi") and len(inner.args) == 3:
        one, other = as_sigmoid(inner.args[1], depth + 1), as_sigmoid(inner.args[2], depth + 1)
        if one is not None and other is not None:
            same = one.logit is other.logit and one.negated == other.negated
            return Sigmoid(one.logit if same else None, one.negated, (inner, *one.parts, *other.parts))
    return None


def _quotient(value: Value) -> Sigmoid | None:
    """``1 / (1 + exp(u))`` is a sigmoid of -u, ``exp(u) / (1 + exp(u))`` of u."""
    above, below = value.args[0].core, value.args[1].core
    inner = one_plus(below)
    if inner is None or inner.op != "exp":
        return None
    exponent = inner.args[0].core
    parts = (value, below, inner)
    if above is inner:
        return Sigmoid(exponent, False, parts)
    if above.number != 1:
        return None
    if exponent.op == "neg":
        return Sigmoid(exponent.args[0], False, parts)
    return Sigmoid(exponent, True, parts)


def _half_tanh(value: Value) -> Sigmoid | None:
    """``0.5 * (1 + tanh(z/2))`` or ``0.5 + 0.5*tanh(z/2)``."""
    if value.op == "add":
        halves = [argument for argument in value.args if argument.core.number != 0.5]
        if len(halves) != 1:
            return None
        scaled = product(halves[0])
        factors, hyperbolic = scaled, scaled.numerator[0] if len(scaled.numerator) == 1 else None
    else:
        factors = product(value)
        if factors.coefficient < 0:
            return None
        hyperbolic = one_plus(factors.numerator[0]) if len(factors.numerator) == 1 else None
    if hyperbolic is None or hyperbolic.op != "tanh" or abs(factors.coefficient) != 0.5 or factors.denominator:
        return None
    half = product(hyperbolic.args[0])
    whole = abs(half.coefficient) == 0.5 and len(half.numerator) == 1 and not half.denominator
    sign = factors.coefficient * (half.coefficient if whole else 1.0)
    return Sigmoid(half.numerator[0] if whole else None, sign < 0, (value, hyperbolic))


class Weighted(NamedTuple):
    """A weighted logarithm ``w * log(p)``: the factors beside the logarithm, and the logarithm."""

    weights: tuple[Value, ...]
    log: Value


def weighted_log(value: Value) -> Weighted | None:
    """Return the one logarithm and the other factors of a product, elementwise or of matrices."""
    inner = value.core
    factors = tuple(argument.core for argument in inner.args[:2]) if inner.op == "matmul" else product(inner).numerator
    logs = [factor for factor in factors if is_log(factor)]
    if len(logs) != 1 or len(factors) < 2:
        return None
    return Weighted(tuple(factor for factor in factors if factor is not logs[0]), logs[0])


def is_log(value: Value) -> bool:
    """Whether a value is a logarithm, ``log1p(-p)`` included."""
    return value.op in LOGARITHMS or (value.op == "log1p" and value.args[0].core.op == "neg")


def argument_of(log: Value) -> tuple[Value, bool]:
    """Return p of ``log(p)``, and p with True of ``log(1 - p)`` and ``log1p(-p)``; for another log1p, itself."""
    argument = log.args[0].core
    if log.op == "log1p":
        return (argument.args[0].core, True) if argument.op == "neg" else (log, False)
    complement = one_minus(argument)
    return (argument, False) if complement is None else (complement, True)


def distribution_call(value: Value) -> str:
    """Return ``"pdf"``, ``"pmf"``, ``"cdf"`` or ``"sf"`` for a value of a library's distribution, else ``""``."""
    inner = value.core
    if inner.op in ("pdf", "cdf", "sf"):
        return inner.op
    if inner.op != "call" or not inner.args:
        return ""
    callee = inner.args[0]
    if callee.op == "ref":
        dotted, _, leaf = str(callee.attr("name")).rpartition(".")
        return leaf if f"{dotted}.".startswith(DISTRIBUTIONS) and leaf in DENSITIES | DISTRIBUTION_FUNCTIONS else ""
    if callee.op == "attr" and callee.args and callee.attr("name") in DENSITIES | DISTRIBUTION_FUNCTIONS:
        made = callee.args[0].core
        maker = made.args[0] if made.op == "call" and made.args else made
        if maker.op == "ref" and f"{maker.attr('name')}.".startswith(DISTRIBUTIONS):
            return str(callee.attr("name"))
    return ""
