"""`numlint explain`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence

import click

from numlint.cli import EXIT_CLEAN
from numlint.cli._settings import color_of, config_options, echo, settings
from numlint.pages import evidence, suppression
from numlint.rule import Example, Rule
from numlint.selection import names, suggest

EPILOG = """\
\b
Examples:
  numlint explain naive-softmax
  numlint explain NL101 --output-format json
"""


@click.command(epilog=EPILOG, short_help="Tell what a rule finds, why it fails, and the cure.")
@click.argument("rule")
@click.option(
    "--output-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="A page to read, or everything that the rule says about itself.",
)
@config_options
def command(rule: str, output_format: str, config_file: str | None, isolated: bool) -> int:
    """Tell what RULE (a name or a code) finds, why it fails and from where on, the cure, and when it is fine.

    The examples are its evidence: the bad ones fail when they are run as shown, the good
    ones do not, and those at the limit resemble the bad ones and are not reported.
    """
    _, rules = settings(["."], config_file, isolated)
    found = _find(rule, rules)
    if output_format == "json":
        import json

        from numlint.cli._description import described

        echo(json.dumps(described(found), indent=2) + "\n")
    else:
        echo("".join(_page(found, _Style(color_of(sys.stdout)))))
    return EXIT_CLEAN


def _find(wanted: str, rules: Sequence[Rule]) -> Rule:
    key = wanted.strip().lower()
    for rule in rules:
        if key in (rule.name, rule.code.lower()):
            return rule
    family = [rule for rule in rules if names(wanted, rule)]
    if family:
        listed = ", ".join(f"{rule.name} ({rule.code})" for rule in family)
        raise click.UsageError(f"{wanted!r} stands for {len(family)} rules; explain one of {listed}")
    suggestion = suggest(wanted, rules)
    hint = f"did you mean {suggestion!r}?" if suggestion else "`numlint rules` lists them all"
    raise click.UsageError(f"no rule has the name or code {wanted!r}; {hint}")


class _Style:
    """Writes headings and code, in colours or without."""

    def __init__(self, color: bool) -> None:
        self.color = color

    def bold(self, text: str) -> str:
        return click.style(text, bold=True) if self.color else text

    def dim(self, text: str) -> str:
        return click.style(text, dim=True) if self.color else text

    def code(self, source: str) -> str:
        text = self._highlighted(source) if self.color else source
        return "".join(f"    {line}\n" if line.strip() else "\n" for line in text.rstrip().split("\n"))

    @staticmethod
    def _highlighted(source: str) -> str:
        from rich.console import Console
        from rich.syntax import Syntax

        console = Console(force_terminal=True, width=200, no_color=False)
        with console.capture() as capture:
            console.print(Syntax(source, "python", theme="ansi_dark", background_color="default"), crop=False)
        return "\n".join(line.rstrip() for line in capture.get().rstrip().split("\n"))


def _page(rule: Rule, style: _Style) -> Iterator[str]:
    facts = [rule.family, f"fails by {rule.signature}" if rule.signature else "", rule.severity.value]
    facts.append("fixable" if rule.fixable else "")
    yield f"{style.bold(f'{rule.name} ({rule.code})')}  {style.dim(' · '.join(filter(None, facts)))}\n\n"
    # A heading is underlined in the page; bold type says it already.
    headings = re.compile(r"^(\S.*)\n-+$", re.MULTILINE)
    page = rule.page.rstrip()
    yield (headings.sub(lambda match: style.bold(match[1]), page) if style.color else page) + "\n"
    for title, examples in evidence(rule):
        yield from _examples(title, examples, style)
    yield f"\n{style.dim(f'Suppress it with `{suppression(rule)}` on the line.')}\n"


def _examples(title: str, examples: Sequence[Example], style: _Style) -> Iterator[str]:
    yield f"\n{style.bold(title)}\n"
    if not style.color:
        yield "-" * len(title) + "\n"
    for number, example in enumerate(examples):
        if number:
            yield "\n"
        if example.note:
            yield f"{example.note}\n\n"
        yield style.code(example.code)
        if example.call:
            with_what = f" (with {example.requires})" if example.requires else ""
            yield f"\n  {style.dim(f'run as{with_what}:')}\n\n{style.code(example.call)}"
        if example.fixed:
            yield f"\n  {style.dim('fixed:')}\n\n{style.code(example.fixed)}"
