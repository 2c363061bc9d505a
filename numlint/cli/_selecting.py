"""The options that say which rules to run, shared by the commands that make findings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from numlint.rule import Rule
from numlint.selection import Layer, UnknownSelector, resolve

Command = TypeVar("Command", bound=Callable[..., Any])


def selecting_options(command: Command) -> Command:
    """Add the options that select rules."""
    select = click.option(
        "--select", metavar="RULES", multiple=True, help="Run only these: names, codes or prefixes, by commas."
    )
    extend = click.option(
        "--extend-select", metavar="RULES", multiple=True, help="Run these besides those that are selected."
    )
    ignore = click.option("--ignore", metavar="RULES", multiple=True, help="Do not run these.")
    return select(extend(ignore(command)))


def layer(select: Sequence[str], extend_select: Sequence[str], ignore: Sequence[str], rules: Sequence[Rule]) -> Layer:
    """What the command line says about rules.

    Raises
    ------
    click.UsageError
        When a selector names no rule.
    """
    return Layer(
        _selectors("--select", select, rules) if select else None,
        _selectors("--extend-select", extend_select, rules),
        _selectors("--ignore", ignore, rules),
    )


def _selectors(option: str, values: Sequence[str], rules: Sequence[Rule]) -> tuple[str, ...]:
    selectors = tuple(filter(None, (part.strip() for value in values for part in value.split(","))))
    for selector in selectors:
        try:
            resolve(selector, rules)
        except UnknownSelector as error:
            raise click.UsageError(f"{option}: {error}") from None
    return selectors
