"""Counts that cannot be zero: of what is known to occur.

``np.unique`` returns what occurs, so the number of entries equal to one of its
elements is at least 1, and so are the counts that it, a ``Counter`` or
``value_counts`` returns.
"""

from __future__ import annotations

from numlint.facts.range import INF, Range
from numlint.graph.value import Value

AT_LEAST_ONE = Range(1.0, INF, nan=False, nonzero=True, integer=True)
SOME = Range(0.0, 1.0, nan=False, nonzero=True)


def occurring(value: Value) -> Range | None:
    """Range of a count, or of a share, of something that occurs; None for any other value."""
    op = value.op
    if op in ("len", "sum", "count_nonzero") and value.args:
        return AT_LEAST_ONE if _selects_some(value.args[0]) else None
    if op == "bincount" and value.args:
        labels = value.args[0].core
        inverse = labels.op == "index" and labels.args[0].core.op == "unique" and labels.args[1].number in (1, 2, -1)
        return AT_LEAST_ONE if inverse and labels.args[0].core.attr("return_inverse") is True else None
    if op == "mean" and value.args:
        return SOME if _selects_some(value.args[0]) and value.args[0].core.op == "eq" else None
    if op == "index" and len(value.args) == 2:
        base, place = value.args[0].core, value.args[1]
        if base.op == "shape" and place.number == 0:
            return AT_LEAST_ONE if _selects_some(base.args[0]) else None
        if base.op == "unique":
            asked = [base.attr(name) is True for name in ("return_index", "return_inverse", "return_counts")]
            return AT_LEAST_ONE if asked[2] and place.number in (sum(asked), -1) else None
        if base.op == "element" and base.args[0].op == "call" and place.number == 1:
            return AT_LEAST_ONE if _method(base.args[0]) in ("items", "most_common") else None
    if op == "call":
        receiver = value.args[0].args[0].core if value.args and value.args[0].args else None
        name = _method(value)
        if name == "values" and receiver is not None and receiver.op == "unique":
            return AT_LEAST_ONE
        if name == "value_counts":
            return Range(0.0, INF, nan=False, nonzero=True)
        if name == "count" and receiver is not None and len(value.args) == 2:
            return AT_LEAST_ONE if _occurs(value.args[1], receiver) else None
    return None


def _method(call: Value) -> str:
    callee = call.args[0] if call.args else call
    return str(callee.attr("name")) if callee.op == "attr" else ""


def _selects_some(value: Value) -> bool:
    """Whether a mask, or an array selected by one, is not empty: entries equal to one that occurs."""
    inner = value.core
    if inner.op == "index" and len(inner.args) == 2:
        inner = inner.args[1].core
    if inner.op != "eq":
        return False
    return _occurs(inner.args[0], inner.args[1]) or _occurs(inner.args[1], inner.args[0])


def _occurs(item: Value, collection: Value) -> bool:
    """Whether `item` is one of the distinct elements of `collection`."""
    inner = item.core
    if inner.op not in ("element", "index") or not inner.args:
        return False
    distinct = inner.args[0].core
    if distinct.op == "index" and distinct.args[1].number == 0:
        distinct = distinct.args[0].core
    return distinct.op == "unique" and bool(distinct.args) and distinct.args[0].core is collection.core
