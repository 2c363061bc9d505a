"""Path patterns of the configuration: what `exclude` and `per-path` accept.

A pattern without a slash names a file or folder at any depth (`build`, `*_pb2.py`);
one with a slash starts at the folder of the configuration (`tests/**`, `src/*/gen`).
`*` and `?` stay within one folder, `**` crosses folders. A pattern that matches a
folder matches all that lies below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_TOKEN = re.compile(r"(?P<deep>(?:^|(?<=/))\*\*/)|(?P<rest>\*\*)|(?P<star>\*)|(?P<any>\?)|(?P<set>\[!?\]?[^]]*\])")


def _regex(pattern: str) -> str:
    anchored = "/" in pattern.rstrip("/")
    body = pattern.removeprefix("./").strip("/")
    parts, end = [], 0
    for token in _TOKEN.finditer(body):
        parts.append(re.escape(body[end : token.start()]))
        end = token.end()
        match token.lastgroup:
            case "deep":
                parts.append("(?:[^/]+/)*")
            case "rest":
                parts.append(".*")
            case "star":
                parts.append("[^/]*")
            case "any":
                parts.append("[^/]")
            case _:
                inner = token.group()[1:-1].replace("\\", r"\\")
                parts.append(f"[^{inner[1:]}]" if inner.startswith("!") else f"[{inner}]")
    parts.append(re.escape(body[end:]))
    return ("" if anchored else "(?:.*/)?") + "".join(parts) + "(?:/.*)?"


@lru_cache(maxsize=64)
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{_regex(pattern)})" for pattern in patterns))


def matches(patterns: Iterable[str], path: str) -> bool:
    """Whether one of the patterns matches the path, or a folder that it lies in.

    Parameters
    ----------
    patterns : iterable of str
    path : str
        Relative to the folder of the configuration, with forward slashes.
    """
    patterns = tuple(patterns)
    return bool(patterns) and _compiled(patterns).fullmatch(path) is not None


def check(pattern: str) -> str:
    """Say what is wrong with a pattern; nothing when it is fine."""
    if not pattern.strip():
        return "an empty pattern"
    try:
        re.compile(_regex(pattern))
    except re.error as error:
        return f"not a pattern: {error.msg}"
    return ""
