"""The graph read upwards: which values are computed from a value, and under which selections."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from numlint.graph.terms import mask_of
from numlint.graph.value import LAYOUT, Value

MAX_CLIMB = 400

Selection = tuple[Value, bool]
"""A condition, and whether the value is used where it holds or where it fails."""


class Uses:
    """Consumers of the values of one function.

    Parameters
    ----------
    roots : iterable of Value
        Everything that the function computes.
    """

    def __init__(self, roots: Iterable[Value]) -> None:
        self._consumers: dict[int, list[Value]] = {}
        seen: set[int] = set()
        stack = list(roots)
        while stack:
            value = stack.pop()
            if value.id in seen:
                continue
            seen.add(value.id)
            for argument in value.args:
                consumers = self._consumers.setdefault(argument.id, [])
                if value not in consumers:
                    consumers.append(value)
                stack.append(argument)

    def of(self, value: Value) -> Iterator[Value]:
        """Iterate over the values that have `value` as an operand; layout operations are looked through."""
        stack, seen = [value], {value.id}
        while stack:
            for consumer in self._consumers.get(stack.pop().id, ()):
                if consumer.id in seen:
                    continue
                seen.add(consumer.id)
                if consumer.op in LAYOUT:
                    stack.append(consumer)
                else:
                    yield consumer

    def selections(self, value: Value) -> tuple[Selection, ...]:
        """Conditions of the ``where`` or mask that each use of `value` passes through; empty when a use passes none.

        `np.where` computes both branches everywhere: the selections say where the
        result of such a branch is kept.
        """
        found: list[Selection] = []
        stack, seen = [value], {value.id}
        while stack:
            current = stack.pop()
            consumers = self._consumers.get(current.id, ())
            if not consumers or len(seen) > MAX_CLIMB:
                return ()
            for consumer in consumers:
                selection = _selection(consumer, current)
                if selection is not None:
                    if selection not in found:
                        found.append(selection)
                elif consumer.id not in seen:
                    seen.add(consumer.id)
                    stack.append(consumer)
        return tuple(found)


def _selection(consumer: Value, value: Value) -> Selection | None:
    if consumer.op == "where" and len(consumer.args) == 3:
        condition, yes, no = consumer.args
        if (yes is value) != (no is value) and condition is not value:
            return condition, yes is value
    if consumer.op in ("store", "index") and consumer.args[0] is value:
        mask = mask_of(consumer.args[1])
        return None if mask is None else (mask, consumer.op == "index")
    return None
