"""Check many files: the outcome of each, in one report.

The order is the cheapest first: read the bytes, sieve them, and only then decode and
analyse. What the sieve holds back is parsed all the same, so that a file that is no
Python never passes for a clean one: that costs a fiftieth of the rest. When more
files survive the sieve than one process checks in the time that others need to start,
the work is spread over all processors. Nothing that happens to one file keeps the
others from being checked.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from numlint.config import Config
from numlint.discover import discover, shown
from numlint.finding import Finding, Problem
from numlint.graph.outline import Outline
from numlint.selection import Chosen, Selection
from numlint.source import UTF8_BOM, Text, Unreadable, decode, read

if TYPE_CHECKING:
    from numlint.graph.project import Project

PARALLEL_FROM = 60
"""Files that must survive the sieve before further processes pay."""
PARSED_UP_TO = 2_000_000
"""Bytes of a file that is parsed although it holds nothing to find: larger ones are tables that a program wrote."""
FIX_ROUNDS = 10
"""How often a file is fixed and checked again; a fix that makes room for itself for ever must end."""
DEFECT = "this is a defect of numlint"
"""How the hint of a problem begins that the checked code is not to blame for."""
_MARK = b"numlint:"
_ONLY_PARSE = 0x400
"""`ast.PyCF_ONLY_AST`, without the import."""


class Fixing(str, Enum):
    """Which rewrites are applied."""

    NONE = "none"
    SAFE = "safe"
    UNSAFE = "unsafe"


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


@dataclass(frozen=True)
class Outcome:
    """What became of one file."""

    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    suppressed: int = 0
    text: str = ""
    fixed: int = 0
    change: Change | None = None


CLEAN = Outcome()


def run(
    paths: Iterable[str],
    config: Config,
    selection: Selection,
    *,
    jobs: int = 0,
    fixing: Fixing = Fixing.NONE,
    write: bool = True,
    force_exclude: bool = False,
) -> Report:
    """Check files and folders.

    Parameters
    ----------
    paths : iterable of str
    config : Config
    selection : Selection
        Which rules hold for which file.
    jobs : int
        Processes; 0 for one for each processor.
    fixing : Fixing
        Which rewrites to apply.
    write : bool
        Write what they make of a file back to it; else it is only in `Report.changes`.
    force_exclude : bool
        Pass over excluded files even when they are named.
    """
    files = discover(paths, config, force_exclude=force_exclude)
    checker = Checker(config, selection, fixing, write)
    report = _report(files.paths, _outcomes(checker, files.paths, jobs))
    return replace(
        report,
        problems=(*files.problems, *report.problems),
        skipped=files.skipped,
        failed=report.failed or bool(files.problems),
    )


def run_text(
    source: bytes, name: str, config: Config, selection: Selection, *, fixing: Fixing = Fixing.NONE
) -> tuple[Report, bytes]:
    """Check source that is in no file, such as standard input, and give it back with the fixes applied.

    Parameters
    ----------
    source : bytes
    name : str
        The path that it is checked as.
    config : Config
    selection : Selection
    fixing : Fixing
    """
    path = shown(name) if name else "<stdin>"
    outcome = Checker(config, selection, fixing, write=False).guarded(path, source)
    after = source
    if outcome.change is not None:
        after = decode(source, path).encode(outcome.change.after)
    return _report([path], [outcome]), after


class Checker:
    """Checks one file after the other; what a further process needs to do the same.

    Parameters
    ----------
    config : Config
    selection : Selection
    fixing : Fixing
    write : bool
    """

    def __init__(self, config: Config, selection: Selection, fixing: Fixing, write: bool) -> None:
        self.config = config
        self.selection = selection
        self.fixing = fixing
        self.write = write

    @cached_property
    def project(self) -> Project:
        """The modules of the project, shared by the files that one process checks."""
        from numlint.graph.project import Project

        return Project(tuple(os.path.join(self.config.root, folder) for folder in self.config.src))

    def check(self, paths: Sequence[str]) -> list[Outcome]:
        """Check some files."""
        return [self.guarded(path) for path in paths]

    def is_much(self, paths: Sequence[str]) -> bool:
        """Whether more files survive the sieve than one process should check."""
        survivors = 0
        for path in paths if len(paths) > PARALLEL_FROM else ():
            try:
                survivors += self._chosen(path).suspects.file(read(path))
            except Unreadable:
                continue
            if survivors > PARALLEL_FROM:
                return True
        return False

    def guarded(self, path: str, source: bytes | None = None) -> Outcome:
        """Check a file, whatever happens."""
        try:
            return self._check(path, read(path) if source is None else source, source is None and self.write)
        except Unreadable as error:
            return Outcome(problems=(error.problem,))
        except Exception as error:
            return Outcome(problems=(_defect(path, error),))

    @staticmethod
    def lost(path: str, reason: str) -> Outcome:
        """Give the outcome of a file that took its process with it."""
        hint = f"{DEFECT}: please report it with the file, and exclude the file until then"
        return Outcome(problems=(Problem(path, f"the process that checked the file died: {reason}", hint),))

    def _chosen(self, path: str) -> Chosen:
        return self.selection.at(self.config.relative(path) if self.selection.per_path else "")

    def _check(self, path: str, source: bytes, write: bool) -> Outcome:
        chosen = self._chosen(path)
        # Searches for the start of a line must find that of the first.
        bare = source.removeprefix(UTF8_BOM)
        suspected = chosen.suspects.file(bare)
        if not suspected and _MARK not in bare:
            return _syntax(path, source) if len(source) <= PARSED_UP_TO else CLEAN
        text = decode(source, path)
        before = self._look(path, bare, text.text, chosen)
        if self.fixing is Fixing.NONE:
            return before
        after = self._fix(path, text, chosen, before)
        if write and after.change is not None:
            try:
                encoded = text.encode(after.text)
                with open(path, "wb") as file:
                    file.write(encoded)
            except (OSError, UnicodeEncodeError) as error:
                reason = getattr(error, "strerror", None) or str(error)
                problem = Problem(path, f"the fixes cannot be written: {reason}", "nothing was changed")
                return replace(before, problems=(*before.problems, problem))
        return after

    def _look(self, path: str, source: bytes, text: str, chosen: Chosen) -> Outcome:
        """Find what is wrong with a file, less what its comments suppress."""
        findings: list[Finding] = []
        problems: list[Problem] = []
        suppressed = 0
        if chosen.suspects.file(source):
            from numlint.linter import check_source

            findings, problems = check_source(source, path, chosen.suspects, self.project, _identity(path))
        else:
            problems += _syntax(path, source).problems
        if _MARK in source:
            from numlint.suppress import apply

            outcome = apply(text, path, findings, ran=chosen.rules, known=self.selection.rules)
            findings, suppressed = outcome.kept, outcome.suppressed
            if not problems:  # else a comment may be needed by what could not be checked
                findings += outcome.unused
        kept = [finding for finding in findings if finding.confidence >= chosen.min_confidence]
        kept.sort(key=lambda finding: (finding.span, finding.code))
        return Outcome(tuple(kept), tuple(problems), suppressed, text)

    def _fix(self, path: str, text: Text, chosen: Chosen, outcome: Outcome) -> Outcome:
        """Apply rewrites and check again until nothing changes; the rest is the outcome."""
        from numlint.fix import fix_text

        current, fixed = text.text, 0
        for _ in range(FIX_ROUNDS):
            changed, applied = fix_text(current, outcome.findings, unsafe=self.fixing is Fixing.UNSAFE)
            if not applied:
                break
            current, fixed = changed, fixed + len(applied)
            outcome = self._look(path, text.encode(current).removeprefix(UTF8_BOM), current, chosen)
        change = Change(path, text.text, current) if current != text.text else None
        return replace(outcome, fixed=fixed, change=change)


def _outcomes(checker: Checker, paths: Sequence[str], jobs: int) -> list[Outcome]:
    from numlint import pool

    jobs = jobs or pool.available()
    if jobs == 1 or not checker.is_much(paths):
        return checker.check(paths)
    return list(pool.spread(checker.check, paths, jobs, checker.lost))


def _report(paths: Sequence[str], outcomes: Sequence[Outcome]) -> Report:
    problems = tuple(problem for outcome in outcomes for problem in outcome.problems)
    said = [(path, outcome) for path, outcome in zip(paths, outcomes, strict=True) if outcome is not CLEAN]
    return Report(
        findings=tuple(finding for _, outcome in said for finding in outcome.findings),
        problems=problems,
        files=len(paths),
        suppressed=sum(outcome.suppressed for _, outcome in said),
        sources={path: outcome.text for path, outcome in said if outcome.findings or outcome.problems},
        fixed=sum(outcome.fixed for _, outcome in said),
        changes=tuple(outcome.change for _, outcome in said if outcome.change is not None),
        failed=any(problem.hint.startswith(DEFECT) for problem in problems),
    )


_ROOTS = ("pyproject.toml", "numlint.toml", ".git")


@lru_cache(maxsize=4096)
def _root(folder: str) -> str:
    """Nearest folder upwards that looks like the root of a project, or the outermost."""
    parent = os.path.dirname(folder)
    if parent == folder or any(os.path.exists(os.path.join(folder, name)) for name in _ROOTS):
        return folder
    return _root(parent)


def _identity(path: str) -> str:
    """Path within its project, which does not depend on where numlint was started."""
    absolute = os.path.abspath(path)
    return os.path.relpath(absolute, _root(os.path.dirname(absolute))).replace(os.sep, "/")


def _syntax(path: str, source: bytes) -> Outcome:
    """Verify that a file is Python, but for the bodies of long functions: none of them is of interest."""
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                compile(Outline(source).thinned(()), path, "exec", _ONLY_PARSE)
            except SyntaxError:
                compile(source, path, "exec", _ONLY_PARSE)  # the outline may be what is wrong
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        text = decode(source, path).text  # says it better when the bytes are no text
        if isinstance(error, SyntaxError):
            message = f"syntax error: {error.msg}"
            return Outcome(problems=(Problem(path, message, "", error.lineno or 1, error.offset or 1),), text=text)
        deep = isinstance(error, (RecursionError, MemoryError))
        message = "an expression is nested too deeply to be parsed" if deep else f"cannot be parsed: {error}"
        return Outcome(problems=(Problem(path, message, "split it, or exclude the file" if deep else ""),), text=text)
    return CLEAN


def _defect(path: str, error: Exception) -> Problem:
    import traceback

    frames = traceback.extract_tb(error.__traceback__)[-3:]
    place = " < ".join(f"{os.path.basename(frame.filename)}:{frame.lineno} in {frame.name}" for frame in frames[::-1])
    hint = f"{DEFECT}: please report it with the file"
    return Problem(path, f"internal error: {type(error).__name__}: {error} ({place})", hint)
