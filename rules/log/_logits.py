"""Rewriting logarithms of sigmoids to functions of the logit, which several rules of the family offer."""

import ast
from collections.abc import Sequence

from numlint.finding import Edit, Rewrite
from numlint.function import Function
from numlint.graph.probability import Sigmoid, alternatives, argument_of, as_sigmoid
from numlint.graph.site import Site

LIBRARY = {
    "numpy": "scipy.special.log_expit",
    "python": "scipy.special.log_expit",
    "torch": "torch.nn.functional.logsigmoid",
    "jax": "jax.nn.log_sigmoid",
    "tensorflow": "tensorflow.math.log_sigmoid",
}

Found = Sequence[tuple[Site, Sigmoid]]


def sigmoid_of_log(site: Site) -> Sigmoid | None:
    """Return the sigmoid whose logarithm a site takes; that of minus the logit for ``log(1 - p)`` and ``log1p(-p)``."""
    if site.value.op != "log1p":
        direct = next(filter(None, map(as_sigmoid, alternatives(site.value.args[0]))), None)
        if direct is not None:
            return direct
    p, complemented = argument_of(site.value)
    found = next(filter(None, map(as_sigmoid, alternatives(p))), None) if complemented else None
    return None if found is None else found._replace(negated=not found.negated, complement=True)


def on_logits(function: Function, found: Found) -> Rewrite | None:
    """Replace each ``log(sigmoid(z))`` by a log-sigmoid of z, ``log(s) - log(1 - s)`` by z; None when z has no name."""
    library = LIBRARY.get(found[0][0].framework)
    difference = _difference(function, found)
    if difference is not None or library is None:
        return difference
    rewrites = []
    for site, sigmoid in found:
        text = spell(function, site, sigmoid) if site.value.op == "log" and as_sigmoid(site.value.args[0]) else None
        if text is None or function.compiled:
            return None
        rewrites.append(function.rewrite(site.node, f"{library}({text})", ""))
    edits = {edit for rewrite in rewrites for edit in rewrite.edits}
    edits.update(_removals(function, [site.node for site, _ in found], found))
    imports = dict.fromkeys(name for rewrite in rewrites for name in rewrite.imports)
    summary = f"{library.rpartition('.')[2]} works on the logit"
    return Rewrite(summary, tuple(sorted(edits, key=lambda edit: edit.span)), tuple(imports))


def spell(function: Function, site: Site, sigmoid: Sigmoid) -> str | None:
    """Source text of the logit, negated where the sigmoid is."""
    if sigmoid.logit is None:
        return None
    return function.spell_negated(sigmoid.logit, site) if sigmoid.negated else function.spell(sigmoid.logit, site)


def _difference(function: Function, found: Found) -> Rewrite | None:
    if len(found) != 2 or found[0][1].logit is not found[1][1].logit or found[0][1].negated == found[1][1].negated:
        return None
    logs = [site.value for site, _ in found]
    whole = next((site for site in function.sites("sub") if [value.core for value in site.value.args] == logs), None)
    text = spell(function, whole, found[0][1]) if whole is not None and logs[0].op == logs[1].op == "log" else None
    if whole is None or text is None:
        return None
    removals = tuple(_removals(function, [whole.node], found))
    return function.rewrite(whole.node, text, "log(s) - log(1 - s) is the logit of s", extra=removals)


def _removals(function: Function, replaced: list[ast.AST], found: Found) -> set[Edit]:
    """Edits that remove ``p = sigmoid(z)`` when p is read in the replaced expressions only."""
    statement = function.statement(replaced[0]) or replaced[0]
    inside = {id(inner) for node in replaced for inner in ast.walk(node)}
    kept = {function.body.nodes.get(node) for node in ast.walk(statement) if id(node) not in inside}
    return {
        edit
        for _, sigmoid in found
        for part in sigmoid.parts
        if part not in kept
        for edit in function.removals(part, statement)[:1]
    }
