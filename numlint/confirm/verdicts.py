"""The verdict file: what was proved, kept for `check --verdicts`, for a page, or for a program.

A verdict belongs to a finding by its fingerprint, and to the text of the function as it
was: a digest of that text says later whether the verdict is still about the same code.
JSON has no infinities; they are written as ``{"$": "float", "value": "inf"}``.
"""

from __future__ import annotations

import ast
import hashlib
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from numlint import __version__
from numlint.confirm.subject import Subject
from numlint.finding import Finding
from numlint.fix.source import Source
from numlint.runtime.verdict import STATUSES

VERSION = 1
SURE = ("plain", "realistic", "stress")
"""Failing inputs of this realism warrant a warning; beyond them the margin is reported."""
_TAG = "$"
_OPAQUE = "exact"
"""The key whose content is encoded already."""


class Unusable(ValueError):
    """A verdict file that cannot be used: which, why, and what to do."""


@dataclass(frozen=True)
class Record:
    """One verdict of a file, as plain data, with the digest of the function that it is about."""

    verdict: Mapping[str, Any]
    digest: str = ""

    @property
    def is_sure(self) -> bool:
        """Whether it is a confirmation on an input that can be expected."""
        evidence = self.verdict.get("evidence") or {}
        return self.verdict.get("status") == "confirmed" and evidence.get("realism") in SURE


@dataclass(frozen=True)
class Verdicts:
    """The content of a verdict file, by fingerprint."""

    name: str
    records: Mapping[str, Record] = field(default_factory=dict)


def document(
    verdicts: Iterable[tuple[Mapping[str, Any], str]],
    *,
    problems: Sequence[Mapping[str, Any]] = (),
    python: str = "",
    seconds: float = 0.0,
    left: int = 0,
) -> str:
    """The text of a verdict file. The keys keep their order; some may be added.

    Parameters
    ----------
    verdicts : iterable of (mapping, str)
        Each verdict as plain data, with the digest of its function.
    problems : sequence of mapping
        What could not be read.
    python : str
        The interpreter that ran the code.
    seconds : float
    left : int
        Findings without a verdict, after Ctrl-C.
    """
    said = [{**finite(dict(verdict)), "digest": digest} for verdict, digest in verdicts]
    content = {
        "version": VERSION,
        "numlint": __version__,
        "python": python,
        "verdicts": said,
        "problems": list(problems),
        "summary": {
            **{status: sum(item["status"] == status for item in said) for status in STATUSES},
            "left": left,
            "seconds": round(seconds, 3),
        },
    }
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def read(file: str) -> Verdicts:
    """Read a verdict file.

    Raises
    ------
    Unusable
    """
    try:
        with open(file, encoding="utf-8") as stream:
            content = json.load(stream)
    except OSError as error:
        raise Unusable(f"{file}: {error.strerror}; `numlint confirm --verdicts {file}` writes it") from None
    except ValueError as error:
        raise Unusable(f"{file}: not JSON: {error}") from None
    if not isinstance(content, dict) or not isinstance(content.get("verdicts"), list):
        meant = "these are findings; " if isinstance(content, dict) and "findings" in content else ""
        raise Unusable(f"{file}: {meant}`numlint confirm --verdicts {file}` writes a file of verdicts")
    if content.get("version") != VERSION:
        raise Unusable(f"{file}: version {content.get('version')!r} of the file, and this numlint reads {VERSION}")
    records = {}
    for item in content["verdicts"]:
        if not isinstance(item, dict) or not item.get("fingerprint") or not item.get("status"):
            raise Unusable(f"{file}: a verdict without fingerprint or status; write the file again")
        verdict = {key: value for key, value in item.items() if key != "digest"}
        records[str(item["fingerprint"])] = Record(restored(verdict), str(item.get("digest", "")))
    return Verdicts(file, records)


def joined(
    findings: Iterable[Finding], sources: Mapping[str, str], known: Verdicts, *, confirmed_only: bool
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Give findings their verdicts.

    Parameters
    ----------
    findings : iterable of Finding
    sources : mapping of str to str
        Decoded text by path.
    known : Verdicts
    confirmed_only : bool
        Leave out what is not confirmed on an input that can be expected.

    Returns
    -------
    findings : tuple of Finding
    changed : tuple of Finding
        Those kept whose functions changed since: what was proved is about other code.

    Raises
    ------
    Unusable
        When no verdict belongs to any of the findings, although some are about their files.
    """
    subjects: dict[str, Subject] = {}
    kept: list[Finding] = []
    changed: list[Finding] = []
    matched, paths = 0, set()
    for finding in findings:
        paths.add(os.path.abspath(finding.path))
        record = known.records.get(finding.fingerprint)
        matched += record is not None
        if confirmed_only and not (record and record.is_sure):
            continue
        if record is None:
            kept.append(finding)
            continue
        text = sources.get(finding.path, "")
        subject = subjects.setdefault(finding.path, Subject(finding.path, text))
        finding = replace(finding, verdict=finite(record.verdict))
        kept.append(finding)
        if record.digest and record.digest != digest(finding, text, subject):
            changed.append(finding)
    about = {os.path.abspath(str(record.verdict.get("path"))) for record in known.records.values()}
    if paths & about and not matched:
        raise Unusable(f"{known.name}: none of its verdicts is about these findings any more; confirm them again")
    return tuple(kept), tuple(changed)


def digest(finding: Finding, text: str, subject: Subject | None = None) -> str:
    """Identify the code that a verdict is about: the function of the finding, or its statement at the top level.

    Comments and layout do not count.
    """
    tree = (subject or Subject(finding.path, text)).scopes(finding.span.line)
    if tree:
        code = ast.dump(tree[-1])
    else:
        source = Source(text)
        code = "\n".join(source.line(line).strip() for line in range(finding.span.line, finding.span.end_line + 1))
    return hashlib.blake2b(code.encode(), digest_size=8).hexdigest()


def finite(data: Any, key: str = "") -> Any:
    """Plain data without infinities and nan."""
    if isinstance(data, float) and not math.isfinite(data):
        return {_TAG: "float", "value": repr(data)}
    if key == _OPAQUE:
        return data
    if isinstance(data, Mapping):
        return {name: finite(item, name) for name, item in data.items()}
    return [finite(item) for item in data] if isinstance(data, list | tuple) else data


def restored(data: Any, key: str = "") -> Any:
    """Plain data as it was before `finite`."""
    if key == _OPAQUE:
        return data
    if isinstance(data, Mapping):
        if data.get(_TAG) == "float":
            return float(data["value"])
        return {name: restored(item, name) for name, item in data.items()}
    return [restored(item) for item in data] if isinstance(data, list) else data
