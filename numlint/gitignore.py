"""What git ignores: the .gitignore files of a folder and of those above it, and .git/info/exclude."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


class Ignored:
    """The rules that hold in a folder; those of the nearest file are asked first."""

    def __init__(self, layers: tuple[tuple[str, GitIgnoreSpec], ...] = ()) -> None:
        self._layers = layers

    def within(self, folder: str, file: str = ".gitignore") -> Ignored:
        """Add the rules of a file, which hold from `folder` (an absolute path) downwards."""
        spec = _read(os.path.join(folder, file))
        return Ignored(((folder, spec), *self._layers)) if spec else self

    def matches(self, path: str, *, is_folder: bool) -> bool:
        """Whether git ignores an absolute path; the folders above it are taken not to be ignored."""
        for base, spec in self._layers:
            relative = path[len(base) :].lstrip(os.sep).replace(os.sep, "/")
            ignored = spec.check_file(relative + "/" * is_folder).include
            if ignored is not None:
                return ignored
        return False


def above(folder: str) -> Ignored:
    """Give the rules that the repository lays down for a folder (an absolute path) from outside of it.

    A folder that is itself ignored and yet asked for is taken as if it stood alone.
    """
    chain = [folder]
    while not os.path.exists(os.path.join(chain[-1], ".git")):
        parent = os.path.dirname(chain[-1])
        if parent == chain[-1]:
            return Ignored()
        chain.append(parent)
    ignored = Ignored().within(chain[-1], os.path.join(".git", "info", "exclude"))
    for parent, child in zip(chain[:0:-1], chain[-2::-1], strict=True):
        ignored = ignored.within(parent)
        if ignored.matches(child, is_folder=True):
            return Ignored()
    return ignored


def _read(file: str) -> GitIgnoreSpec | None:
    try:
        with open(file, encoding="utf-8", errors="surrogateescape") as stream:
            lines = [line for line in stream.read().splitlines() if line.strip() and not line.startswith("#")]
    except OSError:
        return None
    if not lines:
        return None
    # Imported only where there is something to ignore.
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError:  # git passes over a malformed line, and so must the others hold
        return GitIgnoreSpec.from_lines([line for line in lines if _is_valid(line)])


def _is_valid(line: str) -> bool:
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True
