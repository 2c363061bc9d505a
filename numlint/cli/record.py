"""`numlint record`."""

from __future__ import annotations

import click

from numlint.cli import EXIT_FAILED
from numlint.cli._settings import config_options, settings
from numlint.selection import Selection

EPILOG = """\
\b
Examples:
  numlint record -- pytest                        of every function with a finding
  numlint record src/model.py -- python train.py  of those in one file
  numlint confirm                                 runs the functions on what was kept

\b
Exit codes:
  that of the command; 2 when it could not be run
"""


class Separated(click.Command):
    """A command whose arguments end at ``--``; what follows is another program's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments before ``--``, and put the others aside."""
        if "--" in args:
            place = args.index("--")
            ctx.meta["numlint.command"] = args[place + 1 :]
            args = args[:place]
        return super().parse_args(ctx, args)


@click.command(
    cls=Separated,
    epilog=EPILOG,
    options_metavar="[OPTIONS]",
    short_help="Keep arguments of real calls for `numlint confirm`.",
)
@click.argument("paths", nargs=-1, metavar="[PATHS]... -- COMMAND...")
@click.option(
    "-o", "--output", metavar="DIR", help="Folder of the recordings, relative to here.  [default: .numlint/recordings]"
)
@click.option(
    "--calls", type=click.IntRange(1), default=8, show_default=True, metavar="N", help="Calls to keep of a function."
)
@click.option(
    "--max-bytes",
    type=click.IntRange(1),
    default=1 << 22,
    show_default=True,
    metavar="N",
    help="Pass over calls with larger arguments.",
)
@config_options
@click.pass_context
def command(
    ctx: click.Context,
    paths: tuple[str, ...],
    output: str | None,
    calls: int,
    max_bytes: int,
    config_file: str | None,
    isolated: bool,
) -> int:
    """Run COMMAND, and keep arguments of the functions in which `numlint check PATHS` finds something.

    The command runs as it always does: its input, output and exit status are its own, and
    it needs no numlint. Of each function a few calls that differ in shape, type or magnitude
    are kept, the smallest first, as arrays and JSON; nothing is pickled.
    """
    from numlint.confirm import recordings
    from numlint.run import run

    program = ctx.meta.get("numlint.command", [])
    if not program:
        raise click.UsageError("no command; write it after `--`, as in `numlint record -- pytest`")
    where = list(paths or ["."])
    config, rules = settings(where, config_file, isolated)
    report = run(where, config, Selection(rules, (config.layer,), config.per_path, config.min_confidence))
    functions = recordings.wanted(report.findings, config.root)
    folder = output or recordings.DEFAULT
    try:
        recording = recordings.record(program, functions, folder, calls=calls, limit=max_bytes)
    except OSError as error:
        click.echo(f"error: {error.filename or program[0]}: {error.strerror}", err=True)
        return EXIT_FAILED
    click.echo(_summary(recording, folder), err=True)
    return recording.status


def _summary(recording: object, folder: str) -> str:
    from numlint.confirm.recordings import Recording

    assert isinstance(recording, Recording)
    if not recording.wanted:
        return "numlint record: nothing to record, since no function has a finding"
    done, wanted = len(recording.functions), recording.wanted
    lines = [f"numlint record: calls of {done} of {_count(wanted, 'function')} with findings kept in {folder}"]
    for item in recording.functions:
        lost = f" (not kept: {', '.join(item.lost)})" if item.lost else ""
        lines.append(f"  {item.file}  {item.function}  {_count(item.calls, 'call')}{lost}")
    if done < wanted:
        lines.append("  the others were not called in this run")
    return "\n".join(lines)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
