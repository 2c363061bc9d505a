"""What was found, in the formats that people and machines read.

Each module of this package is one format and defines ``name`` and ``render``. The formats
are found by walking the package, and only the one that is asked for is imported: most
output needs neither rich nor the json of a report. A trailing underscore in a module's
name (``json_``) keeps it apart from the standard library and is no part of the format's
name; modules that begin with one are no formats, and neither are packages: `verdict` holds
the formats for what `numlint confirm` came to.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Protocol, cast

from numlint.finding import Finding, Problem
from numlint.rule import Rule

__all__ = ["Format", "Report", "formats", "render"]


class Report(Protocol):
    """The outcome of a run, as far as a format reads it."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """In the order to show them in."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What could not be checked."""

    @property
    def files(self) -> int:
        """How many files were checked."""

    @property
    def skipped(self) -> int:
        """How many were passed over."""

    @property
    def suppressed(self) -> int:
        """How many findings a comment in the source silenced."""

    @property
    def sources(self) -> Mapping[str, str]:
        """The decoded text of the files with findings, by path."""


class Format(Protocol):
    """What a module of this package defines."""

    name: str

    def render(self, report: Report, rules: Sequence[Rule], *, color: bool, width: int) -> str:
        """The report as text; empty, or ended by a line end."""


def formats(package: Sequence[str] = __path__) -> tuple[str, ...]:
    """The names of the formats of a package, sorted; none of them is imported."""
    return tuple(sorted(name.rstrip("_") for name in _modules(package)))


def _modules(package: Sequence[str]) -> Iterator[str]:
    for module in pkgutil.iter_modules(package):
        if not module.name.startswith("_") and not module.ispkg:
            yield module.name


def render(name: str, report: Report, rules: Sequence[Rule], *, color: bool, width: int) -> str:
    """Render `report` in the format called `name`.

    Parameters
    ----------
    name : str
        One of `formats()`.
    report : Report
    rules : sequence of Rule
        The rules that were run; some formats describe them.
    color : bool
        Whether the reader is a terminal that shows colours.
    width : int
        The columns that the reader has.

    Raises
    ------
    ValueError
        When there is no such format.
    """
    chosen = cast(Format, find(name, __path__, __name__))
    return chosen.render(report, rules, color=color, width=width)


def find(name: str, package: Sequence[str], prefix: str) -> object:
    """Import the module of a format.

    Raises
    ------
    ValueError
        When there is no such format.
    """
    for module in _modules(package):
        if module.rstrip("_") == name:
            return import_module(f"{prefix}.{module}")
    raise ValueError(f"no output format {name!r}; one of {', '.join(formats(package))}")
