"""What to confirm: files, functions, lines, or the findings that an earlier check wrote down.

Whatever is named, the findings themselves are made anew from the sources as they are
now: a finding in a report is only looked up by its fingerprint, so that lines that moved
in the meantime do not matter, and a finding that is gone is said to be gone.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numlint.config import Config
from numlint.confirm.subject import Subject
from numlint.discover import shown
from numlint.finding import Finding
from numlint.run import Report, run
from numlint.selection import Selection
from numlint.source import Unreadable, decode, read

_LINE = re.compile(r"(?P<path>.+?):(?P<line>\d+)(?::\d+)?")
LOCALS = ".<locals>"


class UnknownPlace(ValueError):
    """A file, function or line that does not exist or holds nothing to confirm, and what was probably meant."""


@dataclass(frozen=True)
class Place:
    """What an argument names: a file or folder, and within a file a function or a line."""

    path: str
    line: int = 0
    function: str = ""

    def __str__(self) -> str:
        return (
            f"{self.path}::{self.function}" if self.function else f"{self.path}:{self.line}" if self.line else self.path
        )

    def holds(self, finding: Finding) -> bool:
        """Whether a finding of the place's file belongs to it."""
        if self.line:
            return finding.span.line <= self.line <= finding.span.end_line
        return not self.function or _is_within(finding.function, self.function.replace(LOCALS, ""))


@dataclass(frozen=True)
class Chosen:
    """The findings to confirm, in the order of a check, with the report that they come from and what is to be said."""

    findings: tuple[Finding, ...]
    report: Report
    remarks: tuple[str, ...] = ()


def place(argument: str) -> Place:
    """Read an argument: ``FILE``, ``FOLDER``, ``FILE::qualified.name`` or ``FILE:LINE``.

    Raises
    ------
    UnknownPlace
        When there is no such file.
    """
    if os.path.exists(argument):
        return Place(argument)
    path, separator, function = argument.partition("::")
    if separator and function:
        return Place(_existing(path), function=function)
    if match := _LINE.fullmatch(argument):
        return Place(_existing(match["path"]), int(match["line"]))
    return Place(_existing(argument))


def choose(
    places: Sequence[Place], config: Config, selection: Selection, *, everything: Selection, jobs: int = 0
) -> Chosen:
    """Find what is to be confirmed at some places.

    Parameters
    ----------
    places : sequence of Place
    config : Config
    selection : Selection
        Which rules and confidences are asked for.
    everything : Selection
        The same with every confidence, so that what is left out can be named.
    jobs : int

    Raises
    ------
    UnknownPlace
    """
    report = run([place.path for place in places], config, everything, jobs=jobs)
    kept: list[Finding] = []
    remarks: list[str] = []
    for place in places:
        held = [finding for finding in report.findings if _is_below(finding.path, place.path) and place.holds(finding)]
        sure = [finding for finding in held if _is_sure(finding, config, selection)]
        kept += [finding for finding in sure if finding not in kept]
        if not sure:
            remarks.append(_why_nothing(place, held, report))
    order = {id(finding): number for number, finding in enumerate(report.findings)}
    kept.sort(key=lambda finding: order[id(finding)])
    return Chosen(tuple(kept), report, tuple(remarks))


def recall(text: str, name: str, config: Config, everything: Selection, *, jobs: int = 0) -> Chosen:
    """Find the findings of an earlier check again, by their fingerprints.

    Parameters
    ----------
    text : str
        What ``numlint check --output-format json`` wrote.
    name : str
        Where it was read from.
    config : Config
    everything : Selection
        With every rule and every confidence.
    jobs : int

    Raises
    ------
    UnknownPlace
        When the text is no such report, or none of its findings is found again.
    """
    wanted = _recorded(text, name)
    paths = sorted({finding["path"] for finding in wanted.values()})
    gone = [path for path in paths if not os.path.exists(path)]
    if gone:
        raise UnknownPlace(f"{name}: no such file {gone[0]!r}; the paths are relative to where `numlint check` ran")
    report = run(paths, config, everything, jobs=jobs)
    kept = tuple(
        finding
        for finding in report.findings
        if finding.fingerprint in wanted and _is_sure(finding, config, everything)
    )
    lost = [wanted[key] for key in wanted.keys() - {finding.fingerprint for finding in kept}]
    if lost and not kept:
        raise UnknownPlace(f"{name}: none of its findings is found any more; run `numlint check` again")
    places = sorted(f"{finding['path']}:{finding.get('line', 0)} {finding.get('rule', '')}" for finding in lost)
    return Chosen(kept, report, tuple(f"not found any more: {item}" for item in places))


def _recorded(text: str, name: str) -> dict[str, Mapping[str, Any]]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise UnknownPlace(f"{name}: not JSON: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("findings"), list):
        meant = "these are verdicts; " if isinstance(document, dict) and "verdicts" in document else ""
        raise UnknownPlace(f"{name}: {meant}`numlint check --output-format json` writes what --from reads")
    found: dict[str, Mapping[str, Any]] = {
        item["fingerprint"]: item
        for item in document["findings"]
        if isinstance(item, dict) and item.get("fingerprint") and isinstance(item.get("path"), str)
    }
    if len(found) < len(document["findings"]):
        raise UnknownPlace(f"{name}: a finding without its path or its fingerprint; run `numlint check` again")
    return found


def _existing(path: str) -> str:
    if os.path.exists(path):
        return path
    folder, name = os.path.split(path)
    known = os.listdir(folder or ".") if os.path.isdir(folder or ".") else []
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {os.path.join(folder, close[0])!r}?" if close else ""
    raise UnknownPlace(f"no such file or folder {path!r}{hint}")


def _why_nothing(place: Place, unsure: Sequence[Finding], report: Report) -> str:
    """Say why there is nothing to confirm at a place; a place that does not exist is an error."""
    if unsure:
        least = max(finding.confidence for finding in unsure)
        return f"{place}: what is found is only {least.label}; --confidence {least.label} includes it"
    if not place.line and not place.function:
        return f"{place}: nothing to confirm"
    path = shown(place.path)
    found = [finding for finding in report.findings if finding.path == path]
    if place.function:
        _verify_function(place, path)
        return f"{place}: nothing to confirm"
    where = [f"line {finding.span.line} ({finding.rule})" for finding in _nearest(found, place.line)]
    hint = f"the nearest: {', '.join(where)}" if where else "`numlint check` finds nothing in the file"
    raise UnknownPlace(f"{place}: no finding at this line; {hint}")


def _nearest(found: Iterable[Finding], line: int) -> list[Finding]:
    return sorted(found, key=lambda finding: abs(finding.span.line - line))[:3]


def _verify_function(place: Place, path: str) -> None:
    try:
        names = Subject(path, decode(read(path), path).text).functions()
    except Unreadable as error:
        raise UnknownPlace(f"{place}: {error.problem.message}") from None
    wanted = place.function.replace(LOCALS, "")
    if any(_is_within(name, wanted) for name in names):
        return
    ends = {name.rpartition(".")[2]: name for name in names}
    close = difflib.get_close_matches(wanted, names, n=1) or [
        ends[end] for end in difflib.get_close_matches(wanted.rpartition(".")[2], ends, n=1)
    ]
    hint = f"did you mean {place.path}::{close[0]}?" if close else f"it defines {', '.join(names[:6]) or 'none'}"
    raise UnknownPlace(f"{place}: no such function; {hint}")


def _is_within(name: str, wanted: str) -> bool:
    """Whether a function is the wanted one, or a method or a nested function of it."""
    return name == wanted or name.startswith(f"{wanted}.")


def _is_below(path: str, wanted: str) -> bool:
    absolute, folder = os.path.abspath(path), os.path.abspath(wanted)
    return absolute == folder or absolute.startswith(os.path.join(folder, ""))


def _is_sure(finding: Finding, config: Config, selection: Selection) -> bool:
    chosen = selection.at(config.relative(finding.path) if selection.per_path else "")
    return finding.confidence >= chosen.min_confidence and any(rule.name == finding.rule for rule in chosen.numeric)
