"""``numlint rules --prove``: a table of the rules, with what was run and what it showed; or the same as JSON."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import click

from numlint.cli import EXIT_CLEAN, EXIT_FAILED, EXIT_FOUND
from numlint.confirm.prove import FAILED, KINDS, SKIPPED, Proof, ProveError, prove, record
from numlint.pool import available
from numlint.rule import Rule

Write = Callable[[str], None]
NOTHING_TO_RUN = "about comments: there is nothing to run"


def chosen(rules: Sequence[Rule], names: str) -> list[Rule]:
    """The rules that are named, by name, code or the beginning of a code; all when none is.

    Raises
    ------
    click.UsageError
    """
    if not names:
        return list(rules)
    found = []
    for name in names.split(","):
        own = [rule for rule in rules if rule.name == name or (name and rule.code.startswith(name))]
        if not own:
            raise click.UsageError(f"no rule is named {name!r}; `numlint rules` lists them")
        found += [rule for rule in own if rule not in found]
    return found


def report(
    rules: Sequence[Rule], python: str, *, strict: bool, jobs: int, as_json: bool, write: Write, columns: int
) -> int:
    """Run the examples of some rules: a line for each rule, below it what fails; or all of it as JSON."""
    computing = [rule for rule in rules if rule.signature]
    proved: list[tuple[Rule, list[Proof]]] = []
    names = max(len(rule.name) for rule in rules)
    if not as_json:
        write(f"{'rule':<{names}}  {'bad':>6}{'fixed':>7}{'good':>7}{'limit':>7}{'time':>8}  fails by\n")
    try:
        for rule, proofs in _by_rule(computing, prove(computing, python, jobs or available())):
            proved.append((rule, proofs))
            if not as_json:
                write(line(rule, proofs, names, columns))
                for text in complaints(rule, proofs, strict):
                    write(f"    {text}\n")
    except ProveError as error:
        click.echo(f"error: {error}", err=True)
        return EXIT_FAILED
    if as_json:
        write(json.dumps(record(proved), indent=1) + "\n")
    else:
        for rule in rules:
            if not rule.signature:
                write(f"{rule.name:<{names}}  {NOTHING_TO_RUN}\n")
        write(_summary(proved, strict))
    return EXIT_FOUND if any(complaints(rule, proofs, strict) for rule, proofs in proved) else EXIT_CLEAN


def _by_rule(rules: Sequence[Rule], proofs: Iterator[Proof]) -> Iterator[tuple[Rule, list[Proof]]]:
    """The proofs of every rule, as soon as they are there; none for a rule without an example that can be run."""
    waiting = list(rules)
    for name, group in itertools.groupby(proofs, key=lambda proof: proof.rule):
        while waiting and waiting[0].name != name:
            yield waiting.pop(0), []
        yield waiting.pop(0), list(group)
    for rule in waiting:
        yield rule, []


def complaints(rule: Rule, proofs: Sequence[Proof], strict: bool) -> list[str]:
    """Why a rule does not prove itself; nothing when it does."""
    said = []
    if not any(proof.kind == "bad" for proof in proofs):
        said.append("no bad example can be run: none has a call")
    for kind in KINDS:
        for number, example in enumerate(getattr(rule, kind, ())):
            if not example.call and not example.note:
                said.append(f"{kind} {number + 1}: has neither a call nor a note that says why it cannot be run")
    for proof in proofs:
        if proof.status == FAILED:
            said.append(f"{proof.label}: {proof.reason}")
        elif proof.status == SKIPPED and strict:
            said.append(f"{proof.label}: {proof.reason}: not run")
    return said


def line(rule: Rule, proofs: Sequence[Proof], names: int, columns: int) -> str:
    """One rule: executed and passed by kind, time, and what its first bad example showed."""
    cells = []
    for kind in KINDS:
        run = [proof for proof in proofs if proof.kind == kind and proof.status != SKIPPED]
        passed = sum(proof.status != FAILED for proof in run)
        cells.append(f"{passed}/{len(run)}" if run else "-")
    shown = next((proof for proof in proofs if proof.kind == "bad" and proof.figure), None)
    seconds = sum(proof.seconds for proof in proofs)
    skipped = sorted({proof.reason for proof in proofs if proof.status == SKIPPED})
    what = [f"{shown.signature}: {shown.figure}"] if shown else []
    what += [f"({', '.join(skipped)}: not run)"] if skipped else []
    bad, *others = cells
    counts = f"{bad:>6}{''.join(f'{cell:>7}' for cell in others)}"
    text = f"{rule.name:<{names}}  {counts}{seconds:>7.2f}s  {' '.join(what)}"
    return (text if len(text) <= columns else text[: columns - 1] + "…").rstrip() + "\n"


def _summary(proved: Sequence[tuple[Rule, Sequence[Proof]]], strict: bool) -> str:
    counts = Counter(proof.status for _, proofs in proved for proof in proofs)
    failed = [rule.name for rule, proofs in proved if complaints(rule, proofs, strict)]
    run = counts.total() - counts[SKIPPED]
    text = f"\n{len(proved) - len(failed)} of {len(proved)} rules prove themselves; {run} examples run"
    text += f", {counts[SKIPPED]} not run" if counts[SKIPPED] else ""
    return text + (f"\nthese do not: {', '.join(failed)}\n" if failed else "\n")
