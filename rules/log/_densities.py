"""Logarithms of densities and tail probabilities, recognised for the rule on them and left out by the general one."""

from typing import NamedTuple

from numlint.facts.selection import is_mask
from numlint.graph.probability import (
    alternatives,
    argument_of,
    as_sigmoid,
    as_softmax,
    distribution_call,
    selected_from,
)
from numlint.graph.site import Site
from numlint.graph.terms import one_plus, product
from numlint.graph.value import Value


class Underflowing(NamedTuple):
    """What a logarithm is taken of.

    Attributes
    ----------
    kind : str
        ``"density"``, ``"tail"`` (of a distribution function) or ``"exp"``.
    source : Value
        The operation that underflows.
    certain : bool
        Whether the argument is this, rather than one of several, or of points that a mask selects.
    """

    kind: str
    source: Value
    certain: bool


def density_of_log(site: Site) -> Underflowing | None:
    """Return the density, tail or exponential whose logarithm a site takes, up to factors."""
    p, complemented = argument_of(site.value)
    if complemented:
        cumulative = next((value for value in alternatives(p) if distribution_call(value) == "cdf"), None)
        if cumulative is None:
            return None
        return Underflowing("tail", cumulative, cumulative is selected_from(p) and not _is_selected(cumulative))
    if site.value.op == "log1p":
        return None
    candidates = list(alternatives(site.value.args[0]))
    if any(as_softmax(candidate) or as_sigmoid(candidate) for candidate in candidates):
        return None
    for candidate in candidates:
        found = _factor(candidate)
        if found is not None:
            kind, source = found
            return Underflowing(kind, source, candidate is candidates[0] and not _is_selected(source))
    return None


def _factor(value: Value) -> tuple[str, Value] | None:
    parts = product(value)
    for factor in (*parts.numerator, *parts.denominator):
        called = distribution_call(factor)
        if called:
            return "tail" if called in ("cdf", "sf") else "density", factor
        raised = one_plus(factor)
        if factor.op == "erfc" or (raised is not None and raised.op == "erf"):
            return "tail", factor
        if factor.op == "exp":
            return _kind_of_exp(factor), factor
    return None


def _kind_of_exp(factor: Value) -> str:
    """A density when the exponent is a square, negated; any exponential otherwise."""
    exponent = product(factor.args[0])
    squared = any(inner.op in ("square", "matmul", "sum") for inner in exponent.numerator)
    return "density" if squared and exponent.coefficient < 0 else "exp"


def _is_selected(source: Value) -> bool:
    """Whether a mask selects the points where the density is asked: it may keep to the middle."""
    return any(value.op in ("index", "take") and is_mask(value.args[-1]) for value in source.walk(24))
