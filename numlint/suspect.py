"""The sieve: which files, and which functions of them, can hold a hazard at all.

Every rule names its triggers. A file without the bytes of a numeric library's name,
or without a trigger, is done after two searches; in a file that has both, only the
functions in whose lines a trigger stands are lowered.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache

from numlint.graph.module import Definition, Module
from numlint.rule import Rule

LIBRARIES = re.compile(
    rb"^[ \t]*(?:import|from)[ \t][^\n]*?\b"
    rb"(?:numpy|scipy|torch|jax|tensorflow|keras|math|cmath|random|statistics|cupy|sklearn|theano|pytensor|aesara|autograd|pandas"
    rb"|statsmodels|mxnet|dask)\b",
    re.MULTILINE,
)
RELATIVE = re.compile(rb"^[ \t]*(?:from[ \t]+\.|from[ \t]+[\w.]+[ \t]+import|import[ \t]+[\w.]+)", re.MULTILINE)

_LINE_END = re.compile(rb"\r\n|\r|\n")
_RENAMED = re.compile(rb"\b(\w+)[ \t]+as[ \t]+(\w+)")


@lru_cache(maxsize=8)
def _pattern(triggers: frozenset[str]) -> re.Pattern[bytes]:
    words = sorted((trigger for trigger in triggers if trigger.isidentifier()), key=len, reverse=True)
    symbols = sorted(trigger for trigger in triggers if not trigger.isidentifier())
    parts = (
        [rb"(?<![A-Za-z0-9])(?:" + b"|".join(word.encode() for word in words) + rb")_?(?![A-Za-z0-9_])"]
        if words
        else []
    )
    parts += [re.escape(symbol.encode()) for symbol in symbols]
    return re.compile(b"|".join(parts) if parts else rb"(?!)")


class Suspects:
    """The triggers of a set of rules, and what they occur in.

    Parameters
    ----------
    rules : sequence of Rule
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._triggers = frozenset().union(*(rule.triggers for rule in self.rules)) if self.rules else frozenset()
        self._pattern = _pattern(self._triggers)

    def file(self, source: bytes) -> bool:
        """Whether a file imports a numeric library, directly or through its project, and holds a trigger."""
        if self._pattern.search(source) is None:
            return False
        return LIBRARIES.search(source) is not None or RELATIVE.search(source) is not None

    def hits(self, source: bytes) -> list[tuple[int, str]]:
        """Offsets of the triggers in a file, ascending, each with its name."""
        pattern = self._pattern
        renamed = self._renamed(source)
        if renamed:
            pattern = _pattern(self._triggers.union(renamed))
        found = ((match.start(), match.group().decode().rstrip("_")) for match in pattern.finditer(source))
        return [(offset, renamed.get(name, name)) for offset, name in found]

    def functions(
        self, module: Module, source: bytes, hits: Sequence[tuple[int, str]]
    ) -> Iterator[tuple[tuple[Rule, ...], Definition | None]]:
        """Iterate over the functions that hold a trigger, with the rules whose triggers they hold.

        The top level of the module comes last, as None.
        """
        starts = [0, *(match.end() for match in _LINE_END.finditer(source))]
        lines = [bisect_right(starts, offset) for offset, _ in hits]
        outside = [True] * len(hits)
        for definition in module.definitions:
            start = min([definition.node.lineno, *(d.lineno for d in definition.node.decorator_list)])
            first, last = bisect_left(lines, start), bisect_right(lines, definition.node.end_lineno or start)
            if first == last:
                continue
            outside[first:last] = [False] * (last - first)
            rules = self._rules({name for _, name in hits[first:last]})
            if rules:
                yield rules, definition
        rules = self._rules({name for (_, name), top in zip(hits, outside) if top})
        if rules:
            yield rules, None

    def _renamed(self, source: bytes) -> dict[str, str]:
        """Triggers by the names that a file gives them: ``from numpy import exp as e``."""
        pairs = [(match.group(2).decode(), match.group(1).decode()) for match in _RENAMED.finditer(source)]
        return {alias: name for alias, name in pairs if name in self._triggers and alias != name}

    def _rules(self, found: set[str]) -> tuple[Rule, ...]:
        if not found:
            return ()
        return tuple(rule for rule in self.rules if not found.isdisjoint(rule.triggers))
