"""The sieve: which files, and which functions of them, can hold a hazard at all.

Every rule names its triggers. A file without a trigger in its code, or without the
import of a numeric library, is done after a few searches over its bytes; in a file
that has both, only the functions in which a trigger stands are parsed and lowered,
with what is needed to understand them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from numlint.graph.module import Definition, Module
from numlint.graph.outline import Outline, code_of, words_of
from numlint.rule import Rule

LIBRARIES = frozenset(
    b"numpy scipy torch jax tensorflow keras math cmath random statistics cupy sklearn theano pytensor aesara autograd "
    b"pandas statsmodels mxnet dask".split()
)
_RELATIVE = re.compile(rb"^[ \t]*from[ \t]+\.", re.MULTILINE)
_RENAMED = re.compile(rb"\b(\w+)[ \t]+as[ \t]+(\w+)")

Atoms = frozenset[bytes]


@lru_cache(maxsize=1024)
def _atoms(trigger: str) -> Atoms:
    """Parts of a trigger, all of which must occur: ``"for & return"`` has two."""
    return frozenset(part.strip().encode() if part.strip() else part.encode() for part in trigger.split(" & "))


class Suspicion:
    """What is suspicious in one file.

    Attributes
    ----------
    source : bytes
        Text to parse: the file with the functions emptied that nothing suspicious needs.
    """

    def __init__(self, suspects: Suspects, source: bytes) -> None:
        self._suspects = suspects
        outline = Outline(source)
        renamed = suspects.renamed(outline.code)
        self._by_line = {
            region.line: suspects.rules_for(region.code, region.words, renamed) for region in outline.regions
        }
        self._renamed = renamed
        self._top = suspects.rules_for(outline.code, outline.words, renamed)
        found = [number for number, region in enumerate(outline.regions) if self._by_line[region.line]]
        self.source = outline.thinned(outline.needed(found))

    def functions(self, module: Module) -> Iterator[tuple[tuple[Rule, ...], Definition | None]]:
        """Iterate over the functions that hold a trigger, with the rules whose triggers they hold.

        The top level of the module comes last, as None.
        """
        for definition in module.definitions:
            rules = self._by_line.get(definition.node.lineno)
            if rules is None:  # nested: only its own lines count
                lines = module.lines[definition.node.lineno - 1 : definition.node.end_lineno]
                code = code_of("".join(lines).encode())
                rules = self._suspects.rules_for(code, words_of(code), self._renamed)
            if rules:
                yield rules, definition
        if self._top:
            yield self._top, None


class Suspects:
    """The triggers of a set of rules, and what they occur in.

    Parameters
    ----------
    rules : sequence of Rule
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._ways = tuple((rule, tuple(_atoms(trigger) for trigger in sorted(rule.triggers))) for rule in self.rules)
        atoms = frozenset().union(*(way for _, ways in self._ways for way in ways))
        self._words = frozenset(atom for atom in atoms if atom.decode().isidentifier())
        self._symbols = tuple(sorted(atoms - self._words))

    def file(self, source: bytes) -> bool:
        """Whether a file imports a numeric library, directly or through its project, and holds a trigger."""
        code = code_of(source)
        words = words_of(code)
        if words.isdisjoint(LIBRARIES) and _RELATIVE.search(code) is None:
            return False
        return bool(self._present(code, words, self.renamed(code)))

    def examine(self, source: bytes) -> Suspicion:
        """Find what is suspicious in a file."""
        return Suspicion(self, source)

    def renamed(self, code: bytes) -> dict[bytes, bytes]:
        """Triggers by the names that a file gives them: ``from numpy import exp as e``."""
        pairs = _RENAMED.findall(code)
        return {alias: name for name, alias in pairs if name in self._words and alias != name}

    def _present(self, code: bytes, words: frozenset[bytes], renamed: dict[bytes, bytes]) -> set[bytes]:
        found = set(words & self._words)
        found.update(renamed[alias] for alias in words & renamed.keys())
        found.update(symbol for symbol in self._symbols if symbol in code)
        return found

    def rules_for(self, code: bytes, words: frozenset[bytes], renamed: dict[bytes, bytes]) -> tuple[Rule, ...]:
        """Return the rules that have a trigger in some code."""
        found = self._present(code, words, renamed)
        if not found:
            return ()
        return tuple(rule for rule, ways in self._ways if any(way <= found for way in ways))
