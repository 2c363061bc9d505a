"""Apply what was verified: of each confirmed finding the first rewrite that, run on the same inputs, repairs it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from numlint.confirm.confirmation import Confirmed
from numlint.finding import Finding, Rewrite, Safety
from numlint.fix import fix_text
from numlint.run import Change

VERIFIED = "verified"


def verified(result: Confirmed) -> Rewrite | None:
    """The rewrite to apply, or None; look-alikes and what is shown only are never applied."""
    repaired = {cure.summary for cure in result.verdict.cures if cure.status == VERIFIED}
    for item in result.case.rewritten:
        if item.rewrite.summary in repaired and item.rewrite.safety is not Safety.DISPLAY:
            return item.rewrite
    return None


def changes(results: Iterable[Confirmed], sources: Mapping[str, str]) -> tuple[list[Change], list[Finding]]:
    """What applying the verified rewrites makes of the files.

    Returns
    -------
    changes : list of Change
    applied : list of Finding
    """
    by_path: dict[str, list[Finding]] = {}
    for result in results:
        rewrite = verified(result) if result.is_sure else None
        if rewrite is not None:
            finding = replace(result.case.finding, rewrite=replace(rewrite, safety=Safety.SAFE))
            by_path.setdefault(finding.path, []).append(finding)
    found, applied = [], []
    for path, findings in by_path.items():
        after, done = fix_text(sources[path], findings, unsafe=False)
        applied += done
        if after != sources[path]:
            found.append(Change(path, sources[path], after))
    return found, applied
