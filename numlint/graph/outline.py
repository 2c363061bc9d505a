"""The outline of a source file, found without parsing it.

Parsing and lowering are the dear parts of checking a file, and most functions hold
nothing of interest. The outline cuts a file into its outermost functions and the
rest by indentation, says which words occur in the code of each (not in its comments
and strings), and can empty the bodies of functions that are not needed: they are
replaced by ``pass`` and empty lines, so that every line keeps its number and the
parser has less to do.

Where indentation misleads (a string that starts in the first column within a
function), the thinned text does not parse, and the caller falls back on the whole
text; a function with an unpaired triple quote is never emptied.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from functools import lru_cache
from typing import NamedTuple

_TEXT = re.compile(
    rb"#[^\n]*"
    rb'|(?s:"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*""")'
    rb"|(?s:'''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*''')"
    rb'|"[^"\\\n]*(?:\\.[^"\\\n]*)*"'
    rb"|'[^'\\\n]*(?:\\.[^'\\\n]*)*'",
)
_WORD = re.compile(rb"[A-Za-z_]\w*")
_HEADER = re.compile(rb"^([ \t]*)(?:async[ \t]+)?(def|class)[ \t]+(\w+)", re.MULTILINE)
_BODY = re.compile(rb":[ \t]*(?:#[^\n]*)?\r?\n")
_ATTRIBUTE = re.compile(rb"self\.(\w+)")
_ASSIGNMENT = re.compile(rb"^[ \t]*(self\.[^=\n]*)[-+*/@%|&]*=(?!=)", re.MULTILINE)
_ALWAYS = frozenset({b"__init__", b"forward", b"__call__", b"call", b"setUp"})
_REACH = 4
"""Calls of calls that are followed: as deep as calls are inlined."""
_SHORT = 400
"""Bytes of a body that is not worth emptying."""


def code_of(source: bytes) -> bytes:
    """Return source text without its comments and strings."""
    return b" ".join(_TEXT.split(source))


def words_of(code: bytes) -> frozenset[bytes]:
    """Return the identifiers and keywords that occur in code."""
    return frozenset(_WORD.findall(code))


class Region(NamedTuple):
    """An outermost function: its lines, and the code in it.

    Attributes
    ----------
    start, body, end : int
        Offsets of the header, of the body, and of what follows.
    line : int
        Line of the header, from 1.
    name, indent : bytes
    code : bytes
        Text without comments and strings.
    words : frozenset of bytes
    """

    start: int
    body: int
    end: int
    line: int
    name: bytes
    indent: bytes
    code: bytes
    words: frozenset[bytes]


@lru_cache(maxsize=64)
def _end_of(indent: int) -> re.Pattern[bytes]:
    """Pattern of the line break before the first line that is indented no deeper."""
    return re.compile(rb"\n(?=[ \t]{0,%d}[^\s#)\]}])" % indent)


class Outline:
    """A file cut into its outermost functions and the rest.

    Attributes
    ----------
    source : bytes
    regions : list of Region
    code : bytes
        What stands outside the functions, without comments and strings.
    words : frozenset of bytes
    """

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.regions: list[Region] = []
        rest: list[bytes] = []
        end, line, counted = 0, 1, 0
        for header in _HEADER.finditer(source):
            start = header.start()
            if start < end or header.group(2) == b"class":
                continue
            rest.append(source[end:start])
            indent = header.group(1)
            limit = _end_of(len(indent)).search(source, header.end())
            end = limit.start() + 1 if limit else len(source)
            body = _BODY.search(source, header.end(), end)
            line += source.count(b"\n", counted, start)
            counted = start
            code = code_of(source[start:end])
            self.regions.append(
                Region(start, body.end() if body else end, end, line, header.group(3), indent, code, words_of(code))
            )
        rest.append(source[end:])
        self.code = code_of(b"".join(rest))
        self.words = words_of(self.code)

    def needed(self, suspects: Iterable[int]) -> set[int]:
        """Return the regions that must be parsed to understand some of them.

        These are the suspects themselves; their callers, since what these pass says
        what a parameter is; what kept code may call, to the depth of inlining; and the
        methods that assign an attribute that kept code reads.
        """
        kept = set(suspects)
        names = {self.regions[number].name for number in kept} - _ALWAYS
        for number, region in enumerate(self.regions):
            if number not in kept and len(region.words & names) > (region.name in names):
                kept.add(number)
        fresh = kept
        words = set(self.words)
        attributes: set[bytes] = set()
        for _ in range(_REACH):
            for number in fresh:
                words |= self.regions[number].words
                attributes.update(_ATTRIBUTE.findall(self.regions[number].code))
            fresh = {
                number
                for number, region in enumerate(self.regions)
                if number not in kept
                and (region.name in words or region.name in _ALWAYS or self._assigns(region, attributes))
            }
            if not fresh:
                break
            kept |= fresh
        return kept

    @staticmethod
    def _assigns(region: Region, attributes: set[bytes]) -> bool:
        if not region.indent or region.words.isdisjoint(attributes):
            return False
        return any(
            not attributes.isdisjoint(_ATTRIBUTE.findall(match.group(1))) for match in _ASSIGNMENT.finditer(region.code)
        )

    def thinned(self, kept: Container[int]) -> bytes:
        """Return the source with the bodies of all regions but the kept ones emptied."""
        source = self.source
        parts, position = [], 0
        for number, region in enumerate(self.regions):
            if number in kept or region.end - region.body < _SHORT:
                continue
            body = source[region.body : region.end]
            if body.count(b'"""') % 2 or body.count(b"'''") % 2:
                continue
            parts.append(source[position : region.body])
            parts.append(region.indent + b" pass" + b"\n" * body.count(b"\n"))
            position = region.end
        parts.append(source[position:])
        return b"".join(parts)
