"""``numlint rules --prove``: a table of the rules, with what was run and what it showed."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence

import click

from numlint.cli import EXIT_CLEAN, EXIT_FAILED, EXIT_FOUND
from numlint.confirm.prove import FAILED, KINDS, SKIPPED, Proof, ProveError, by_rule, prove
from numlint.rule import Rule


def chosen(rules: Sequence[Rule], names: str) -> list[Rule]:
    """The rules that are named, by name, code or the beginning of a code; all when none is.

    Raises
    ------
    click.UsageError
    """
    if not names:
        return list(rules)
    found = [rule for name in names.split(",") for rule in rules if rule.name == name or rule.code.startswith(name)]
    if not found:
        raise click.UsageError(f"no rule is named {names!r}; `numlint rules` lists them")
    return found


def report(rules: Sequence[Rule], python: str, strict: bool, write: Callable[[str], None]) -> int:
    """Run the examples of some rules, one line for each rule; what fails follows its line."""
    names = max(len(rule.name) for rule in rules)
    write(f"{'rule':<{names}}  {'bad':>6}{'fixed':>7}{'good':>7}{'limit':>7}{'time':>8}  fails by\n")
    proofs: list[Proof] = []
    try:
        by_name = {rule.name: rule for rule in rules}
        for name, group in itertools.groupby(prove(rules, python), key=lambda proof: proof.rule):
            rule, own = by_name[name], list(group)
            proofs += own
            write(line(rule, own, names))
            for proof in own:
                if proof.status == FAILED or (proof.status == SKIPPED and strict):
                    write(f"    {proof.label}: {proof.reason}{': not run' if proof.status == SKIPPED else ''}\n")
    except ProveError as error:
        click.echo(f"error: {error}", err=True)
        return EXIT_FAILED
    return _verdict(rules, proofs, strict, write)


def line(rule: Rule, proofs: Sequence[Proof], names: int) -> str:
    """One rule: executed and passed by kind, time, and the largest of what its bad examples showed."""
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
    return f"{rule.name:<{names}}  {counts}{seconds:>7.2f}s  {' '.join(what)}\n"


def _verdict(rules: Sequence[Rule], proofs: Sequence[Proof], strict: bool, write: Callable[[str], None]) -> int:
    counts = Counter(proof.status for proof in proofs)
    groups = by_rule(proofs)
    failed = [
        rule.name
        for rule in rules
        if any(proof.status == FAILED or (strict and proof.status == SKIPPED) for proof in groups.get(rule.name, []))
        or not any(proof.kind == "bad" for proof in groups.get(rule.name, []))
    ]
    run = counts.total() - counts[SKIPPED]
    silent = [rule.name for rule in rules if not any(proof.kind == "bad" for proof in groups.get(rule.name, []))]
    if silent:
        write(f"no bad example can be run: {', '.join(silent)}\n")
    write(f"\n{len(rules) - len(failed)} of {len(rules)} rules prove themselves; {run} examples run")
    write(f", {counts[SKIPPED]} not run\n" if counts[SKIPPED] else "\n")
    return EXIT_FOUND if failed else EXIT_CLEAN
