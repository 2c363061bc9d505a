"""Check many files: the outcome of each, in one report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from numlint.finding import Finding, Problem


@dataclass(frozen=True)
class Change:
    """What the fixes make of a file."""

    path: str
    before: str
    after: str


@dataclass(frozen=True)
class Report:
    """The outcome of a run, in the order of the files and of their lines.

    Attributes
    ----------
    findings, problems
        What remains to be said after selection, suppression and fixes.
    files : int
        Files that were checked.
    skipped : int
        Files and folders passed over because the configuration or git excludes them.
    suppressed : int
        Findings that a comment in the source suppressed.
    sources : mapping of str to str
        The text of each file with a finding or a problem, for source frames.
    fixed : int
        Findings that a fix removed, or would remove.
    changes : tuple of Change
        The files that the fixes change.
    failed : bool
        Whether something broke in numlint itself or in how it was called, rather than in the checked code.
    """

    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    files: int = 0
    skipped: int = 0
    suppressed: int = 0
    sources: Mapping[str, str] = field(default_factory=dict)
    fixed: int = 0
    changes: tuple[Change, ...] = ()
    failed: bool = False
