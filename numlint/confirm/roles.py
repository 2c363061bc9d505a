"""What each input of a function stands for, read from what is done with it.

A failure counts only where the mathematics is defined: a logarithm of a negative
number is no confirmation when the number is a probability. What a name stands for is
read in this order: what computed it (a softmax gives rows of probabilities), what is
known of its range (guards, clips, assertions), what it is used for (the argument of an
exponential is a logit, that of a Cholesky factorisation is positive definite), and only
then what it is called. A default value says what kind of number is meant, and bounds nothing.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from numlint.facts.range import TOP, Range
from numlint.finding import Finding, Span
from numlint.function import Function
from numlint.graph.frame import Path
from numlint.graph.matrices import gram, is_symmetric
from numlint.graph.probability import as_sigmoid, as_softmax
from numlint.graph.terms import one_minus, one_plus
from numlint.graph.value import Value
from numlint.runtime.target import Role

MAX_CLIMB = 60
MAX_NAMES = 200

DOMAINS = {
    "probability": (0.0, 1.0),
    "simplex": (0.0, 1.0),
    "onehot": (0.0, 1.0),
    "cosine": (-1.0, 1.0),
    "positive": (0.0, math.inf),
    "nonnegative": (0.0, math.inf),
    "count": (0.0, math.inf),
    "size": (1.0, math.inf),
    "label": (0.0, math.inf),
    "distance": (0.0, math.inf),
    "tolerance": (0.0, math.inf),
    "image": (0.0, 255.0),
}
"""Where the mathematics of a kind is defined; everywhere for the others."""

_EXPONENTIAL = frozenset(
    "exp exp2 exp10 expm1 softmax log_softmax logsumexp logaddexp sigmoid logsigmoid softplus sinh cosh".split()
)
_LOGARITHM = frozenset("log log2 log10".split())
_FACTORED = frozenset("cholesky cho_factor".split())
_SYMMETRIC = frozenset("inv solve det slogdet logdet eigh eigvalsh".split())
_SQUARE = _FACTORED | _SYMMETRIC | frozenset("eig eigvals expm matrix_power trace cond lu_factor".split())
_RECTANGULAR = frozenset("lstsq pinv svd qr matrix_rank".split())
_ELEMENTWISE = _EXPONENTIAL - {"logsumexp"} | _LOGARITHM | frozenset("log1p sqrt square abs neg sin cos tan".split())
_CONTINUING = frozenset("neg index take split element phi where carried array join".split())
"""What leaves the meaning of its first operand, or of its branches, as it is."""
_MADE = {
    "argmax": "label", "argmin": "label", "argsort": "label", "bincount": "count", "count_nonzero": "count",
    "len": "size", "shape": "size", "norm": "nonnegative", "cdist": "distance", "pdist": "distance",
    "hypot": "nonnegative", "std": "nonnegative", "var": "nonnegative", "square": "nonnegative", "abs": "nonnegative",
    "cov": "spd", "pdf": "nonnegative", "cdf": "probability", "sf": "probability", "arange": "count",
}  # fmt: skip
_USED = {
    "sqrt": "nonnegative", "rsqrt": "positive", "arccos": "cosine", "arcsin": "cosine", "arctanh": "cosine",
    "sin": "angle", "cos": "angle", "tan": "angle", "gammaln": "positive", "entr": "probability", "bincount": "label",
    "arange": "size", "zeros": "size", "eye": "size", "logit": "probability",
}  # fmt: skip
_NAMES: tuple[tuple[str, str], ...] = (
    ("tolerance", r"tol|tolerance|eps|epsilon|atol|rtol|xtol|ftol"),
    ("size", r"[nk]|n_\w+|num_\w+|\w+_(size|dim|count)|size|max_?iter\w*|iterations|epochs|steps|degree|order"),
    ("probability", r"p|q|prob\w*|proba|pi|p_\w+|\w+_prob|\w+_proba|y_?(pred|hat|score)|quantile|confidence"),
    ("logit", r"z|logits?|scores?|\w+_logits?|energy|energies|log_\w+|\w+_log|logp\w*"),
    ("onehot", r"one_?hot\w*|y_onehot"),
    ("label", r"labels?|targets?|classes|y_?true|y_(train|test)"),
    ("spd", r"cov|covariance|covs|sigma_mat\w*|K|kernel_matrix|gram|S|Sigma|precision|\w+_cov(ariance)?"),
    ("positive", r"sigma|std\w*|\w*scale|var(iance)?|bandwidth|gamma|temperature|tau|lr|learning_rate|alpha|lam\w*"),
    ("count", r"counts?|freq\w*|n_\w+s|hist\w*"),
    ("distance", r"d|dist|dists|distances?"),
    ("image", r"img|image|images|frame|pixels?"),
    ("angle", r"angle\w*|phi|azimuth|radians|\w+_rad"),
    ("design", r"X\w*|features|data|design|inputs?|samples|observations|A"),
    ("weight", r"w|W\d?|weights?|coef\w*|theta|params|parameters|b\d?|bias"),
)  # fmt: skip


class Reason(NamedTuple):
    """A kind with what speaks for it; a habit, such as being the left factor of a product, is weaker than a name."""

    kind: str
    why: str
    habit: bool = False
    low: float = -math.inf
    high: float = math.inf


def roles(function: Function, finding: Finding) -> dict[str, Role]:
    """Roles of the names that the function of a finding reads: parameters, locals, and attributes as ``self.x``.

    Parameters
    ----------
    function : Function
    finding : Finding

    Returns
    -------
    dict of str to Role
        A local name that is bound several times has the role of what it holds at the finding.
    """
    path = _path_at(function, finding.span)
    found: dict[str, Role] = {}
    for name, value in _names(function, finding.span).items():
        if len(found) >= MAX_NAMES or value.op in ("self", "ref", "function", "class", "module", "closure"):
            continue
        found[name] = _role(function, name, value, path)
    return found


def _role(function: Function, name: str, value: Value, path: Path | None) -> Role:
    known = TOP if _default(value) is not None else function.facts.range(value, path)
    uses = list(_uses(function, value))
    reason = (
        _made(value)
        or _unit(known)
        or _strongest(reason for reason in uses if not reason.habit)
        or _called(name, value)
        or _signed(known)
        or _strongest(uses)
        or _by_default(value)
        or Reason("any", "")
    )
    low, high = DOMAINS.get(reason.kind, (reason.low, reason.high))
    # What guards prove is narrower than what a kind allows, or contradicts it: then the kind was misread.
    low, high = max(low, known.lo), min(high, known.hi)
    if low > high:
        reason, low, high = Reason("any", "by its guards"), known.lo, known.hi
    return Role(reason.kind, low, high, _shape(function, value, reason.kind), reason.why)


def _names(function: Function, span: Span) -> dict[str, Value]:
    """Name to value: parameters as they come in, locals and attributes as they are at the finding."""
    body = function.body
    receiver = next((name for name, history in body.bindings.items() if history[0][1].op == "self"), "")
    found: dict[str, tuple[int, Value]] = {}
    for node in ast.walk(body.node):
        line = getattr(node, "lineno", 0)
        name = ""
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            name = node.id if node.id in body.bindings and node.id != receiver else ""
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and isinstance(node.value, ast.Name):
            name = f"{receiver}.{node.attr}" if receiver and node.value.id == receiver else ""
        value = body.nodes.get(node)
        if name and value is not None:
            before = found.get(name)
            if before is None or abs(line - span.line) <= abs(before[0] - span.line):
                found[name] = (line, value)
    names = {
        name.replace(f"{receiver}.", "self.", 1) if receiver else name: value for name, (_, value) in found.items()
    }
    if body.definition is not None:
        for name, history in body.bindings.items():
            if history[0][1].op == "param":
                names[name] = history[0][1]
    return names


def _path_at(function: Function, span: Span) -> Path | None:
    """The conditions that hold at the finding."""
    for site in function.body.sites:
        if function.span(site.node) == span:
            return site.path
    return None


# -- what computed it -----------------------------------------------------------------------


def _made(value: Value) -> Reason | None:
    inner = value.core
    if as_softmax(inner) is not None:
        return Reason("simplex", "computed by a softmax")
    if as_sigmoid(inner) is not None:
        return Reason("probability", "computed by a sigmoid")
    if inner.op in ("cov", "corrcoef") or (gram(inner) is not None and is_symmetric(inner)):
        return Reason("spd", "computed as a Gram matrix")
    kind = _MADE.get(inner.op)
    if kind is None and inner.op == "index" and inner.args[0].core.op == "shape":
        return Reason("size", "a length of a shape")
    return Reason(kind, f"computed by {inner.op}") if kind else None


def _unit(known: Range) -> Reason | None:
    if known.lo >= 0 and known.hi <= 1 and not known.integer and known.lo < known.hi:
        return Reason("probability", f"between {known.lo:g} and {known.hi:g} by its guards")
    return None


def _signed(known: Range) -> Reason | None:
    if known.lo > 0 or (known.lo == 0 and not known.can_be_zero):
        return Reason("size" if known.integer else "positive", "positive by its guards")
    if known.lo >= 0:
        return Reason("count" if known.integer else "nonnegative", "not negative by its guards")
    return None


# -- what it is used for --------------------------------------------------------------------


_STRENGTH = ("spd", "probability", "cosine", "positive", "label", "nonnegative", "design", "logit")


def _strongest(reasons: Iterable[Reason]) -> Reason | None:
    """The reason that bounds most: the mathematics of a definition before its habits."""
    found = {reason.kind: reason for reason in reasons}
    return next((found[kind] for kind in _STRENGTH if kind in found), next(iter(found.values()), None))


def _uses(function: Function, value: Value) -> Iterator[Reason]:
    stack, seen = [value], {value.core.id, value.id}
    while stack and len(seen) < MAX_CLIMB:
        current = stack.pop()
        for consumer in function.uses.of(current):
            if consumer.id in seen:
                continue
            reason = _use(function, consumer, current, value)
            if reason is not None:
                yield reason
            elif _continues(consumer, current):
                seen.add(consumer.id)
                stack.append(consumer)


def _continues(consumer: Value, value: Value) -> bool:
    """Whether what consumes a value stands for the same thing: a part, a shift by the maximum, a multiple."""
    if consumer.op in _CONTINUING:
        return consumer.op in ("phi", "where", "join") or consumer.args[0].core is value.core
    if any((rest := whole(consumer)) is not None and rest.core is value.core for whole in (one_minus, one_plus)):
        return True
    if consumer.op in ("mul", "div", "sub", "add") and len(consumer.args) == 2 and consumer.args[0].core is value.core:
        other = consumer.args[1].core
        return other.number is not None or (other.op == "max" and other.args[0].core is value.core)
    return consumer.op == "mul" and consumer.args[0].number is not None


def _use(function: Function, consumer: Value, current: Value, value: Value) -> Reason | None:
    op = consumer.op
    first = bool(consumer.args) and consumer.args[0].core is current.core
    shifted = value.core is not current.core and current.op in ("sub", "add")
    if op in _EXPONENTIAL:
        return Reason("logit", f"argument of {op}")
    if op in _LOGARITHM and current.core is value.core:
        if _is_complemented(function, value) or _weighs_its_logarithm(function, value, consumer):
            return Reason("probability", f"in {op}, and as its complement or weight")
        return Reason("positive", f"argument of {op}")
    if op in _LOGARITHM and (rest := one_minus(current)) is not None and rest.core is value.core:
        return Reason("probability", f"one minus it is the argument of {op}")
    if op in _LOGARITHM and (rest := one_plus(current)) is not None and rest.core is value.core:
        return Reason("any", f"one plus it is the argument of {op}", low=-1.0)
    if op in _FACTORED:
        return Reason("spd", f"argument of {op}")
    if op in _SYMMETRIC and first and is_symmetric(current):
        return Reason("spd", f"symmetric argument of {op}")
    if op in _USED and first and not shifted:
        return Reason(_USED[op], f"argument of {op}")
    if op == "xlogy":
        return Reason("probability" if first else "positive", "argument of xlogy")
    if op in ("matmul", "einsum", "multi_dot"):
        found = gram(consumer)
        if found is not None and found.design is value.core:
            return Reason("design", "used as X.T @ X")
        if len(consumer.args) == 2 and current.core is value.core:
            kind, side = ("design", "left") if first else ("any", "right")
            return Reason(kind, f"{side} factor of a matrix product", habit=True)
    if op in _RECTANGULAR and first:
        return Reason("design", f"argument of {op}")
    if op == "index" and not first and len(consumer.args) == 2 and value.op == "param":
        return Reason("label", "used as an index")
    if op in ("lt", "le") and not first and consumer.args[0].core.op in ("abs", "norm", "max", "sub"):
        return Reason("tolerance", "what a change is compared with")
    return None


def _is_complemented(function: Function, value: Value) -> bool:
    """Whether ``1 - value`` occurs: only shares of a whole have one."""
    rests = (one_minus(consumer) for consumer in function.uses.of(value))
    return any(rest is not None and rest.core is value.core for rest in rests)


def _weighs_its_logarithm(function: Function, value: Value, logarithm: Value) -> bool:
    """Whether the logarithm of a value is multiplied by the value: an entropy."""
    return any(
        consumer.op == "mul" and any(argument.core is value.core for argument in consumer.args)
        for consumer in function.uses.of(logarithm)
    )


# -- what it is called, and its shape -------------------------------------------------------


def _called(name: str, value: Value) -> Reason | None:
    plain = name.removeprefix("self.").strip("_")
    for kind, pattern in _NAMES:
        if re.fullmatch(pattern, plain) and not (kind in ("size", "label") and isinstance(_default(value), float)):
            return Reason(kind, f"named {plain}")
    return None


def _default(value: Value) -> int | float | None:
    """The number that a parameter has by default."""
    default = value.attr("default") if value.op == "param" else None
    return default if isinstance(default, int | float) and not isinstance(default, bool) else None


def _by_default(value: Value) -> Reason | None:
    default = _default(value)
    if default is None:
        return None
    kind = "any" if default <= 0 else "size" if isinstance(default, int) else "positive"
    return Reason(kind, f"a number with the default {default:g}")


def _shape(function: Function, value: Value, kind: str) -> str:
    if kind in ("size", "tolerance"):
        return "scalar"
    annotation = str(value.attr("annotation") or "") if value.op == "param" else ""
    if annotation in ("float", "int") or _default(value) is not None:
        return "scalar"
    if kind in ("spd", "design", "distance"):
        return "matrix"
    stack, seen = [value], {value.id}
    while stack and len(seen) < MAX_CLIMB:
        current = stack.pop()
        for consumer in function.uses.of(current):
            if not consumer.args or consumer.args[0].core is not current.core or consumer.id in seen:
                continue
            found = _shape_for(consumer)
            if found:
                return found
            if consumer.op in _ELEMENTWISE:
                seen.add(consumer.id)
                stack.append(consumer)
    return ""


def _shape_for(consumer: Value) -> str:
    """The shape that a use asks for."""
    if consumer.op in _SQUARE | _RECTANGULAR or consumer.attr("axis") == 1:
        return "matrix"
    if consumer.op == "index" and _is_pair(consumer.args[1]):
        return "matrix"
    return "scalar" if consumer.framework == "python" and consumer.op in _ELEMENTWISE - {"neg", "abs"} else ""


def _is_pair(index: Value) -> bool:
    return index.op == "tuple" and len(index.args) == 2
