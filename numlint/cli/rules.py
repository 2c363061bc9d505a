"""`numlint rules`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from numlint.cli import EXIT_CLEAN
from numlint.cli._settings import color_of, config_options, echo, settings, width
from numlint.rule import Rule

WIDE = 120
EPILOG = """\
\b
Examples:
  numlint rules
  numlint rules --output-format json | jq -r '.[].name'
  numlint rules --prove naive-softmax
  numlint rules --prove NL4 -j 2 --strict
  numlint rules --prove --output-format json > proofs.json
  numlint explain naive-softmax
"""


@click.command(epilog=EPILOG, short_help="List the rules.")
@click.option(
    "--output-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="A table, or everything that the rules say about themselves; with --prove, everything that was measured.",
)
@click.option(
    "--prove",
    is_flag=False,
    flag_value="",
    default=None,
    metavar="[RULE]",
    help="Run the examples: the bad ones fail as declared, the others hold, the rewrites repair.",
)
@click.option("--python", default=sys.executable, metavar="PATH", help="With --prove: run them in this interpreter.")
@click.option("--strict", is_flag=True, help="With --prove: an example that cannot run here is an error.")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="With --prove: examples at a time; 0 for one for each processor.",
)
@config_options
def command(
    output_format: str,
    prove: str | None,
    python: str,
    strict: bool,
    jobs: int,
    config_file: str | None,
    isolated: bool,
) -> int:
    """List the rules, those of your own packs too."""
    _, rules = settings(["."], config_file, isolated)
    if prove is not None:
        from numlint.cli import _prove

        return _prove.report(
            _prove.chosen(rules, prove),
            python,
            strict=strict,
            jobs=jobs,
            as_json=output_format == "json",
            write=echo,
            columns=width() if sys.stdout.isatty() else WIDE,
        )
    if output_format == "json":
        import json

        from numlint.cli._description import described

        echo(json.dumps([described(rule) for rule in rules], indent=2) + "\n")
    else:
        echo(_table(rules, color=color_of(sys.stdout), columns=width()))
    return EXIT_CLEAN


def _table(rules: Sequence[Rule], *, color: bool, columns: int) -> str:
    """One line for each rule, below the name of its family."""
    codes = max(len(rule.code) for rule in rules)
    names = max(len(rule.name) for rule in rules)
    lines = []
    family = ""
    for rule in sorted(rules, key=lambda rule: rule.code):
        if rule.family and rule.family != family:
            family = rule.family
            heading = f"{rule.code[:3]}  {family}"
            lines += ["", click.style(heading, bold=True) if color else heading]
        mark = "fix" if rule.fixable else "   "
        start = f"{rule.code:<{codes}}  {rule.name:<{names}}  {mark}  "
        summary = rule.summary.rstrip(".")
        room = columns - len(start)
        if len(summary) > room > 20:
            summary = summary[: room - 1].rstrip() + "…"
        lines.append(start + (click.style(summary, dim=True) if color else summary))
    return "\n".join([*lines, ""]).lstrip("\n")
