"""The command line: one module for each command.

A module of this package that does not begin with an underscore is a command of its
name and defines ``command``. Commands are found by walking, and only the one that is
asked for is imported.

Exit codes: 0 when nothing was found, 1 when something was found or a file could not be
checked, 2 when the call was wrong or numlint itself failed, 130 after Ctrl-C.
"""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn, cast

import click

from numlint import __version__
from numlint.config import ConfigError

EXIT_CLEAN, EXIT_FOUND, EXIT_FAILED, EXIT_INTERRUPTED = 0, 1, 2, 130


class Commands(click.Group):
    """A group whose commands are the modules of this package."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names of the commands, sorted."""
        return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in self.list_commands(ctx):
            return None
        return cast(click.Command, import_module(f"{__name__}.{cmd_name}").command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is asked for, or the one that was probably meant."""
        if args and args[0] not in self.list_commands(ctx) and not args[0].startswith("-"):
            import difflib
            import os

            close = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            hint = f"; did you mean `numlint check {args[0]}`?" if os.path.exists(args[0]) else hint
            ctx.fail(f"no such command {args[0]!r}{hint}")
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
def group() -> None:
    """Find code that is right in exact arithmetic and wrong on a computer."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command and exit.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process by default.
    """
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="backslashreplace")  # a source line can hold what a terminal cannot show
    sys.exit(_status(arguments))


def _status(arguments: Sequence[str] | None) -> int:
    try:
        status: Any = group.main(arguments, prog_name="numlint", standalone_mode=False)
    except click.Abort:
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        error.show()
        return EXIT_FAILED
    except ConfigError as error:
        click.echo(f"error: {error}", err=True)
        return EXIT_FAILED
    except Exception:
        import traceback

        traceback.print_exc()
        click.echo("\nerror: this is a defect of numlint; please report it with the lines above", err=True)
        return EXIT_FAILED
    return status if isinstance(status, int) else EXIT_CLEAN
