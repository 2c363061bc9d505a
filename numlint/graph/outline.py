"""Thin a source file before it is parsed: empty the functions that nothing under suspicion needs.

Parsing is the dearest part of checking a file, and most functions hold no trigger.
Their bodies are replaced by ``pass`` and empty lines, so that every line keeps its
number, and the parser has less to do. What stays: functions with a trigger and their
callers; those that a kept function may call; methods that assign an attribute that
kept code reads.

The outline is found by indentation, without parsing. Where that misleads (a string
that starts in the first column within a function), the thinned text usually does not
parse, and the caller falls back on the whole text; a function with an unpaired
triple quote is never emptied.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from numlint.graph.frame import MAX_INLINE_DEPTH

_HEADER = re.compile(rb"^([ \t]*)(?:async[ \t]+)?(def|class)[ \t]+(\w+)", re.MULTILINE)
_BODY = re.compile(rb":[ \t]*(?:#[^\n]*)?\r?\n")
_WORD = re.compile(rb"\w+")
_CALLED = re.compile(rb"(\w+)\(")
_ATTRIBUTE = re.compile(rb"self\.(\w+)")
_ASSIGNMENT = re.compile(rb"^[ \t]*(self\.[^=\n]*)[-+*/@%|&]*=(?!=)", re.MULTILINE)
_ALWAYS = frozenset({b"__init__", b"forward", b"__call__", b"call", b"setUp"})
_SHORT = 200
"""Bytes of a body that is not worth emptying."""


class _Region(NamedTuple):
    """An outermost function: where it starts, where its body starts, where it ends."""

    start: int
    body: int
    end: int
    name: bytes
    indent: bytes


@lru_cache(maxsize=64)
def _end_of(indent: int) -> re.Pattern[bytes]:
    """Pattern of the line break before the first line that is indented no deeper."""
    return re.compile(rb"\n(?=[ \t]{0,%d}[^\s#)\]}])" % indent)


def _regions(source: bytes) -> list[_Region]:
    regions: list[_Region] = []
    end = 0
    for header in _HEADER.finditer(source):
        if header.start() < end or header.group(2) == b"class":
            continue
        indent = header.group(1)
        limit = _end_of(len(indent)).search(source, header.end())
        end = limit.start() + 1 if limit else len(source)
        body = _BODY.search(source, header.end(), end)
        if body is not None:
            regions.append(_Region(header.start(), body.end(), end, header.group(3), indent))
    return regions


def thin(source: bytes, hits: Iterable[int]) -> bytes:
    """Return `source` with the bodies of functions that are not needed emptied.

    Parameters
    ----------
    source : bytes
        UTF-8 text.
    hits : iterable of int
        Offsets of triggers, ascending.
    """
    regions = _regions(source)
    kept = [False] * len(regions)
    index = 0
    for hit in hits:
        while index < len(regions) and regions[index].end <= hit:
            index += 1
        if index < len(regions) and regions[index].start <= hit:
            kept[index] = True
    suspects = {region.name for region, keep in zip(regions, kept) if keep and not region.name.startswith(b"__")}
    for number, region in enumerate(regions):
        # What a caller passes says what a parameter is.
        if not kept[number] and not suspects.isdisjoint(_CALLED.findall(source, region.body, region.end)):
            kept[number] = True
    fresh = [number for number, keep in enumerate(kept) if keep]
    words = set(_WORD.findall(_outside(source, regions)))
    attributes: set[bytes] = set()
    assigned = [None] * len(regions)  # type: list[frozenset[bytes] | None]
    for _ in range(MAX_INLINE_DEPTH):
        for number in fresh:
            text = source[regions[number].start : regions[number].end]
            words.update(_WORD.findall(text))
            attributes.update(_ATTRIBUTE.findall(text))
        fresh = []
        for number, region in enumerate(regions):
            if kept[number]:
                continue
            if region.name in words or region.name in _ALWAYS:
                kept[number] = True
            elif attributes and region.indent:
                names = assigned[number]
                if names is None:
                    names = assigned[number] = _assigned(source, region)
                kept[number] = not names.isdisjoint(attributes)
            if kept[number]:
                fresh.append(number)
        if not fresh:
            break
    return _emptied(source, [region for number, region in enumerate(regions) if not kept[number]])


def _outside(source: bytes, regions: list[_Region]) -> bytes:
    parts, position = [], 0
    for region in regions:
        parts.append(source[position : region.start])
        position = region.end
    parts.append(source[position:])
    return b"".join(parts)


def _assigned(source: bytes, region: _Region) -> frozenset[bytes]:
    names: set[bytes] = set()
    for match in _ASSIGNMENT.finditer(source, region.body, region.end):
        names.update(_ATTRIBUTE.findall(match.group(1)))
    return frozenset(names)


def _emptied(source: bytes, regions: list[_Region]) -> bytes:
    parts, position = [], 0
    for region in regions:
        if region.end - region.body < _SHORT:
            continue
        body = source[region.body : region.end]
        if body.count(b'"""') % 2 or body.count(b"'''") % 2:
            continue
        parts.append(source[position : region.body])
        parts.append(region.indent + b" pass" + b"\n" * body.count(b"\n"))
        position = region.end
    parts.append(source[position:])
    return b"".join(parts)
