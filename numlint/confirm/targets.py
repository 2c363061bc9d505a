"""From findings to targets: all that the static side knows, as plain data for the interpreter that runs the code."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from numlint.confirm import candidates
from numlint.confirm.candidates import Rewritten
from numlint.confirm.roles import roles
from numlint.confirm.subject import Subject
from numlint.finding import Finding
from numlint.graph.project import Project
from numlint.runtime.target import Candidate, Region, Target


@dataclass(frozen=True)
class Case:
    """A finding with its target, and the rewrites that the target's candidates were made from."""

    finding: Finding
    target: Target
    rewritten: tuple[Rewritten, ...] = ()


def cases(
    findings: Iterable[Finding],
    sources: Mapping[str, str],
    *,
    project: Project | None = None,
    declared: str = "",
    recordings: tuple[str, ...] = (),
) -> list[Case]:
    """Make a target of each finding.

    Parameters
    ----------
    findings : iterable of Finding
    sources : mapping of str to str
        Decoded text by path; a finding of another file is left out.
    project : Project, optional
        Where the project's own modules are found.
    declared : str
        File of inputs that the user declared.
    recordings : tuple of str
        Folders with recorded calls.
    """
    shared = project or Project()
    subjects = {path: Subject(path, text, shared) for path, text in sources.items()}
    return [
        case(finding, subjects[finding.path], sources[finding.path], declared, recordings)
        for finding in findings
        if finding.path in subjects
    ]


def case(finding: Finding, subject: Subject, text: str, declared: str = "", recordings: tuple[str, ...] = ()) -> Case:
    """Make the target of one finding."""
    rewritten = tuple(
        found
        for rewrite in candidates.rewrites(finding, text)
        if (found := candidates.applied(finding, rewrite, text)) is not None
    )
    function = subject.function(finding)
    target = Target(
        path=os.path.abspath(finding.path),
        module=subject.module,
        root=subject.root,
        qualname=subject.qualname(finding.span),
        region=Region(**asdict(finding.span)),
        rule=finding.rule,
        code=finding.code,
        message=finding.message,
        signature=finding.signature,
        framework=finding.framework or "numpy",
        confidence=finding.confidence.label,
        fingerprint=finding.fingerprint,
        lines=_lines(finding),
        roles=roles(function, finding) if function is not None else {},
        candidates=tuple(_candidate(item) for item in rewritten),
        recordings=recordings,
        declared=os.path.abspath(declared) if declared else "",
    )
    return Case(finding, target, rewritten)


def _lines(finding: Finding) -> tuple[int, ...]:
    """The lines that a finding is about: where it stands, and where its dangerous value comes from."""
    spans = (finding.span, *(step.span for step in finding.origin))
    return tuple(sorted({line for span in spans for line in range(span.line, span.end_line + 1)}))


def _candidate(item: Rewritten) -> Candidate:
    rewrite = item.rewrite
    return Candidate(rewrite.summary, item.source, Region(**asdict(item.region)), rewrite.safety.value, item.text)
