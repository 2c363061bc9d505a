"""What the commands share: finding the configuration and loading the rules."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from numlint import config, packs
from numlint.config import Config
from numlint.rule import Rule

Command = TypeVar("Command", bound=Callable[..., Any])


def config_options(command: Command) -> Command:
    """Add the options that say which configuration to use."""
    isolated = click.option("--isolated", is_flag=True, help="Use no configuration file.")
    file = click.option(
        "--config",
        "config_file",
        metavar="FILE",
        help="Use this pyproject.toml or numlint.toml instead of the nearest one.",
    )
    return file(isolated(command))


def settings(paths: Iterable[str], config_file: str | None, isolated: bool) -> tuple[Config, tuple[Rule, ...]]:
    """Load the configuration that holds for some paths, and the rules that it makes known.

    Raises
    ------
    ConfigError
        When either has a mistake.
    """
    if config_file and isolated:
        raise click.UsageError("--config and --isolated exclude each other")
    chosen = config.load("" if isolated else config_file or config.find(paths))
    rules = packs.load(chosen)
    chosen.check_rules(rules)
    return chosen, rules


def color_of(stream: Any) -> bool:
    """Whether to write colours to a stream, by the conventions of NO_COLOR and FORCE_COLOR."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return bool(stream.isatty()) and os.environ.get("TERM") != "dumb"


def width() -> int:
    """Give the columns of the terminal; 100 where there is none."""
    import shutil

    return shutil.get_terminal_size((100, 24)).columns


def echo(text: str) -> None:
    """Write text that has its own line ends and colours."""
    sys.stdout.write(text)
    sys.stdout.flush()
