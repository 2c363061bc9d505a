"""Products of a weight and a logarithm, ``w * log(p)``, which losses and entropies are made of."""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from numlint.finding import Rewrite
from numlint.function import Function
from numlint.graph.probability import LOGARITHMS
from numlint.graph.site import Site
from numlint.graph.terms import product, terms
from numlint.graph.value import Value


class WeightedLog(NamedTuple):
    """A product at a site: its value without sign, the weights, and the sites of the logarithms in the other factor.

    The other factor is one logarithm, or a sum or difference of several.
    """

    site: Site
    value: Value
    weights: tuple[Value, ...]
    logs: tuple[Site, ...]

    def is_of_weight(self, log: Value) -> bool:
        """Whether a logarithm is of the weight itself: of p, of p/q, or of p times something."""
        numerator = product(log.args[0]).numerator
        return any(weight is factor for weight in self.weights for factor in numerator)

    @property
    def single(self) -> Site | None:
        """Logarithm, when it is the whole factor."""
        return self.logs[0] if any(value.core is self.logs[0].value for value in self.value.args) else None


def weighted_logs(function: Function) -> Iterator[WeightedLog]:
    """Iterate over the products with a factor made of logarithms."""
    logs = {site.value.id: site for site in function.sites(*LOGARITHMS)}
    if not logs:
        return
    seen: set[int] = set()
    for site in function.sites("mul", "matmul", "neg"):
        value = site.value
        while value.op == "neg":
            value = value.args[0].core
        if value.op not in ("mul", "matmul") or value.id in seen:
            continue
        seen.add(value.id)
        factors = tuple(item.core for item in value.args) if value.op == "matmul" else product(value).numerator
        found = [
            (factor, sites)
            for factor in factors
            if (sites := tuple(logs[term.value.id] for term in terms(factor) if term.value.id in logs))
        ]
        if len(found) == 1 and len(factors) > 1:
            factor, sites = found[0]
            yield WeightedLog(site, value, tuple(other for other in factors if other is not factor), sites)


def with_xlogy(function: Function, weighted: WeightedLog, function_name: str = "xlogy") -> Rewrite | None:
    """Rewrite ``w * log(p)`` as ``xlogy(w, p)``, or ``p * log(p / q)`` as ``rel_entr(p, q)``, if it can be."""
    site, log = weighted.site, weighted.single
    if log is None or site.framework != "numpy" or function.compiled:
        return None
    if weighted.value.op != "mul" or log.value.op != "log":
        return None
    if not isinstance(site.node, ast.BinOp) or log.node not in ast.walk(site.node):
        return None
    weight = next((value for value in weighted.value.args if value.core is not log.value), None)
    operands = log.value.args[0].core.args if function_name == "rel_entr" else (weight, log.value.args[0])
    texts = [function.spell(value, site) for value in operands if value is not None]
    if None in texts or len(texts) != 2:
        return None
    sign = "-" if site.value.op == "neg" else ""
    text = f"{sign}scipy.special.{function_name}({texts[0]}, {texts[1]})"
    return function.rewrite(site.node, text, f"{function_name} takes 0*log(0) as 0")


def accumulates(function: Function, use: Value) -> bool:
    """Whether a sum or difference is what a loop adds to its own running total."""
    return any(
        head.core in {argument.core for argument in use.args} and use in (end.core, *end.args)
        for loop in function.loops
        for _, head, end in loop.carried.values()
    )
