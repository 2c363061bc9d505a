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

OPERATORS = {
    b"**": re.compile(rb"[\w)\]]\s*\*\*[ \t]*[\w(+-]"),
    b"*": re.compile(rb"[\w)\]]\s*\*=?[ \t]*[\w(+-]"),
    b"x*x": re.compile(rb"\b(\w+)[ \t]*\*[ \t]*\1\b"),
    b"/": re.compile(rb"[\w)\]]\s*/=?[ \t]*[A-Za-z_(\[+-]"),
    b"-": re.compile(rb"[\w)\]]\s*-=?[ \t]*[\w(\[]"),
    b"@": re.compile(rb"[\w)\]][ \t]*@=?[ \t]*[\w(]"),
    b">": re.compile(rb"(?<!-)>"),
}
"""Triggers that are operators: binary ones, so that ``**options`` is no power, and ``/ 2`` no division by a name."""


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
        # By one of its parts, the longest: a trigger is looked at only where that part occurs.
        self._ways: dict[bytes, list[tuple[Atoms, int]]] = {}
        for number, rule in enumerate(self.rules):
            for trigger in rule.triggers:
                way = _atoms(trigger)
                self._ways.setdefault(max(way, key=lambda atom: (len(atom), atom)), []).append((way, number))
        atoms = frozenset().union(*(way for ways in self._ways.values() for way, _ in ways))
        self._words = frozenset(atom for atom in atoms if atom.decode().isidentifier())
        self._operators = tuple((atom, OPERATORS[atom]) for atom in sorted(atoms & OPERATORS.keys()))
        self._symbols = tuple(sorted(atoms - self._words - OPERATORS.keys()))
        self._last: tuple[bytes, bool] = (b"", False)
        self._in_place = {word + b"_": word for word in self._words}

    def file(self, source: bytes) -> bool:
        """Whether a file imports a numeric library, directly or through its project, and holds a trigger."""
        if self._last[0] is not source:  # a run asks more than once
            self._last = (source, self._file(source))
        return self._last[1]

    def _file(self, source: bytes) -> bool:
        code = code_of(source)
        words = words_of(code)
        if words.isdisjoint(LIBRARIES) and _RELATIVE.search(code) is None:
            return False
        if not words.isdisjoint(self._words):
            return True
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
        found.update(self._in_place[word] for word in words & self._in_place.keys())
        found.update(renamed[alias] for alias in words & renamed.keys())
        found.update(symbol for symbol in self._symbols if symbol in code)
        found.update(atom for atom, pattern in self._operators if pattern.search(code))
        return found

    def rules_for(self, code: bytes, words: frozenset[bytes], renamed: dict[bytes, bytes]) -> tuple[Rule, ...]:
        """Return the rules that have a trigger in some code."""
        found = self._present(code, words, renamed)
        numbers = {number for atom in found for way, number in self._ways.get(atom, ()) if way <= found}
        return tuple(self.rules[number] for number in sorted(numbers))
