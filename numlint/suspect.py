"""The sieve: which files, and which functions of them, can hold a hazard at all.

Every rule names its triggers. A file without the bytes of a numeric library's name,
or without a trigger, is done after two searches; in a file that has both, only the
functions in whose lines a trigger stands are lowered.
"""

from __future__ import annotations

import re
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


@lru_cache(maxsize=8)
def _pattern(triggers: frozenset[str]) -> re.Pattern[bytes]:
    words = sorted((trigger for trigger in triggers if trigger.isidentifier()), key=len, reverse=True)
    symbols = sorted(trigger for trigger in triggers if not trigger.isidentifier())
    parts = [rb"(?<![A-Za-z0-9])(?:" + b"|".join(word.encode() for word in words) + rb")_?(?![A-Za-z0-9_])"] if words else []
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
        self._pattern = _pattern(frozenset().union(*(rule.triggers for rule in self.rules)) if self.rules else frozenset())

    def file(self, source: bytes) -> bool:
        """Whether a file imports a numeric library, directly or through its project, and holds a trigger."""
        if self._pattern.search(source) is None:
            return False
        return LIBRARIES.search(source) is not None or RELATIVE.search(source) is not None

    def functions(self, module: Module) -> Iterator[tuple[tuple[Rule, ...], Definition | None]]:
        """Iterate over the functions that hold a trigger, with the rules whose triggers they hold.

        The top level of the module comes last, as None.
        """
        lines = [line.encode() for line in module.lines]
        covered = bytearray(len(lines) + 2)
        for definition in module.definitions:
            start = min([definition.node.lineno, *(d.lineno for d in definition.node.decorator_list)])
            end = definition.node.end_lineno or start
            if definition.parent is None:
                covered[start : end + 1] = b"\1" * (end + 1 - start)
            rules = self._rules(b"".join(lines[start - 1 : end]))
            if rules:
                yield rules, definition
        top = b"".join(line for number, line in enumerate(lines, 1) if not covered[number])
        rules = self._rules(top)
        if rules:
            yield rules, None

    def _rules(self, text: bytes) -> tuple[Rule, ...]:
        found = {match.group().decode().rstrip("_") for match in self._pattern.finditer(text)}
        if not found:
            return ()
        return tuple(rule for rule in self.rules if not found.isdisjoint(rule.triggers))
