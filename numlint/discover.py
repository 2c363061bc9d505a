"""Which files are checked.

A file that is named is checked, whatever it is called and whatever excludes it. A
folder is walked for `.py` files; what the configuration or git excludes there
is passed over. Links to folders are not followed: they lead to files that are found
elsewhere, out of the project, or round in circles.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from numlint import gitignore
from numlint.config import DEFAULT_EXCLUDE, Config
from numlint.finding import Problem
from numlint.patterns import matches


@dataclass
class Files:
    """What a search found.

    Attributes
    ----------
    walked, named : set of str
        The files found in folders, and those that were asked for; relative to the
        current folder where they lie in it.
    problems : list of Problem
    skipped : int
        Files and folders passed over because the configuration or git excludes them.
    """

    walked: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    skipped: int = 0

    @property
    def paths(self) -> list[str]:
        """All files, sorted."""
        return sorted(self.walked | self.named)


def discover(paths: Iterable[str], config: Config, *, force_exclude: bool = False) -> Files:
    """Find the files to check.

    Parameters
    ----------
    paths : iterable of str
        Files and folders.
    config : Config
    force_exclude : bool
        Apply the excludes of the configuration to named files too, for tools that pass files by name.
    """
    found = Files()
    exclude = config.exclude + config.extend_exclude
    for given in paths:
        path = shown(given)
        if os.path.isdir(path):
            _walk(path, config, exclude, found)
        elif force_exclude and matches(exclude, config.relative(path)):
            found.skipped += 1
        elif not os.path.lexists(path):
            found.problems.append(Problem(path, "no such file or directory", "check the spelling of the path"))
        elif path.endswith(".ipynb"):
            hint = "write it as a script: jupyter nbconvert --to script"
            found.problems.append(Problem(path, "notebooks cannot be checked yet", hint))
        else:
            found.named.add(path)
    found.walked -= found.named
    return found


def shown(path: str) -> str:
    """Give a path the way it is shown: relative to the current folder if it lies there."""
    absolute, here = os.path.abspath(path), os.path.join(os.getcwd(), "")
    return os.path.relpath(absolute) if (absolute + os.sep).startswith(here) else absolute


def _walk(top: str, config: Config, exclude: tuple[str, ...], found: Files) -> None:
    relative = config.relative(top)
    # An excluded folder that is asked for is walked; what is excluded within it is not.
    exclude = tuple(pattern for pattern in exclude if not matches([pattern], relative))
    silent = frozenset(DEFAULT_EXCLUDE) & frozenset(exclude)
    ignored = gitignore.above(os.path.abspath(top)) if config.respect_gitignore else gitignore.Ignored()
    stack = [("" if top == "." else top, os.path.abspath(top), ignored)]
    while stack:
        folder, absolute, ignored = stack.pop()
        try:
            with os.scandir(absolute) as scan:
                entries = list(scan)
        except OSError as error:
            found.problems.append(Problem(folder or ".", f"cannot be read: {(error.strerror or str(error)).lower()}"))
            continue
        names = {entry.name for entry in entries}
        if "pyvenv.cfg" in names and folder not in ("", top):
            continue  # a virtual environment, whatever its name
        if config.respect_gitignore and ".gitignore" in names:
            ignored = ignored.within(absolute)
        relative = config.relative(absolute) + "/"
        relative = "" if relative == "./" else relative
        for entry in entries:
            name = entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if name in silent or not (is_folder or (name.endswith(".py") and _is_file(entry))):
                continue
            path = os.path.join(folder, name)
            if matches(exclude, relative + name) or ignored.matches(entry.path, is_folder=is_folder):
                found.skipped += 1
            elif is_folder:
                stack.append((path, entry.path, ignored))
            else:
                found.walked.add(path)


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link to itself
        return False
