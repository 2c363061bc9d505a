"""`numlint check`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

import click

from numlint import report as formats
from numlint.cli import EXIT_CLEAN, EXIT_FAILED, EXIT_FOUND
from numlint.cli._selecting import layer, selecting_options
from numlint.cli._settings import color_of, config_options, echo, settings, width
from numlint.finding import Confidence
from numlint.rule import Rule
from numlint.run import Fixing, Report, run, run_text
from numlint.selection import Selection

EPILOG = """\
\b
Examples:
  numlint check                                 the current folder
  numlint check src tests/test_model.py         some paths
  numlint check --select NL4,naive-softmax      two of the rules
  numlint check --min-confidence possible       also what may well be harmless
  numlint check --diff                          what the safe fixes would change
  numlint check --fix --unsafe-fixes            change it, and what needs a second look
  numlint check --output-format sarif --output-file numlint.sarif
  git show HEAD:model.py | numlint check --stdin-filename model.py -

\b
Exit codes:
  0  nothing was found
  1  something was found, or a file could not be read or parsed
  2  the call or the configuration is wrong (a path does not exist), or numlint failed
"""


@click.command(epilog=EPILOG, short_help="Check files and folders for numerical hazards.")
@click.argument("paths", nargs=-1)
@selecting_options
@click.option(
    "--min-confidence",
    type=click.Choice([confidence.label for confidence in Confidence]),
    help="Show findings from this confidence on, in every path.  [default: likely]",
)
@click.option("--fix", is_flag=True, help="Apply the fixes that keep the meaning, and show what remains.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix or --diff: also those that may change shape or dtype.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, and change nothing.")
@click.option(
    "--output-format",
    type=click.Choice(formats.formats()),
    default="full",
    show_default=True,
    help="How to show what was found.",
)
@click.option("-o", "--output-file", metavar="FILE", help="Write it to this file.")
@click.option("--statistics", is_flag=True, help="Show how often each rule found something; same as the format.")
@click.option(
    "--verdicts", "verdict_file", metavar="FILE", help="Show what `numlint confirm` proved, as it wrote it there."
)
@click.option(
    "--confirmed-only", is_flag=True, help="With --verdicts: only findings that fail on inputs to be expected."
)
@click.option("--stdin-filename", metavar="PATH", help="Check standard input as if it were this file.")
@click.option(
    "-j", "--jobs", type=click.IntRange(0), default=0, metavar="N", help="Processes; 0 for one for each processor."
)
@config_options
@click.option("--force-exclude", is_flag=True, help="Pass over excluded files even when they are named.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 although something was found.")
def command(
    paths: tuple[str, ...],
    select: tuple[str, ...],
    extend_select: tuple[str, ...],
    ignore: tuple[str, ...],
    min_confidence: str | None,
    fix: bool,
    unsafe_fixes: bool,
    diff: bool,
    output_format: str,
    output_file: str | None,
    statistics: bool,
    verdict_file: str | None,
    confirmed_only: bool,
    stdin_filename: str | None,
    jobs: int,
    config_file: str | None,
    isolated: bool,
    force_exclude: bool,
    exit_zero: bool,
) -> int:
    """Check PATHS, files and folders (by default the current one), for numerical hazards.

    The code is read and never run. A finding names the values that fail, the reason and
    a stable way to write it; `numlint explain RULE` tells the rest. A comment
    `# numlint: ignore[RULE] reason` suppresses it.
    """
    if confirmed_only and verdict_file is None:
        raise click.UsageError("--confirmed-only needs the verdicts: --verdicts FILE, which `numlint confirm` writes")
    from_stdin = _reads_stdin(paths, stdin_filename)
    where = [stdin_filename or "."] if from_stdin else list(paths or ["."])
    config, rules = settings(where, config_file, isolated)
    selection = Selection(
        rules,
        (config.layer, layer(select, extend_select, ignore, rules)),
        config.per_path,
        config.min_confidence,
        override=Confidence[min_confidence.upper()] if min_confidence else None,
    )
    fixing = Fixing.NONE
    if fix or diff:
        fixing = Fixing.UNSAFE if unsafe_fixes else Fixing.SAFE
    _collect_less_garbage()
    fixed_source = b""
    if from_stdin:
        source = sys.stdin.buffer.read()
        report, fixed_source = run_text(source, stdin_filename or "", config, selection, fixing=fixing)
    else:
        report = run(where, config, selection, jobs=jobs, fixing=fixing, write=not diff, force_exclude=force_exclude)
        if not report.files and not report.problems:
            click.echo(f"warning: no Python files in {', '.join(where)}", err=True)
    if verdict_file is not None:
        report = _with_verdicts(report, verdict_file, confirmed_only)
    if diff:
        _show_diff(report, output_file)
    elif from_stdin and fix:
        sys.stdout.buffer.write(fixed_source)
        sys.stdout.flush()
        click.echo(formats.render(output_format, report, rules, color=False, width=width()), err=True, nl=False)
    else:
        _show(report, rules, "statistics" if statistics else output_format, output_file)
        if report.fixed:
            click.echo(f"Fixed {_count(report.fixed, 'finding')} in {_count(len(report.changes), 'file')}.", err=True)
    return _status(report, exit_zero=exit_zero, would_change=diff and bool(report.changes))


def _reads_stdin(paths: Sequence[str], stdin_filename: str | None) -> bool:
    if "-" in paths and len(paths) > 1:
        raise click.UsageError("'-' stands for standard input and excludes other paths")
    if stdin_filename is not None and paths and "-" not in paths:
        raise click.UsageError("--stdin-filename excludes paths other than '-'")
    return "-" in paths or stdin_filename is not None


def _with_verdicts(report: Report, file: str, confirmed_only: bool) -> Report:
    from numlint.confirm import verdicts

    try:
        known = verdicts.read(file)
        findings, changed = verdicts.joined(report.findings, report.sources, known, confirmed_only=confirmed_only)
    except verdicts.Unusable as error:
        raise click.UsageError(f"--verdicts: {error}") from None
    if changed:
        places = ", ".join(f"{finding.path}:{finding.span.line}" for finding in changed[:3])
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        click.echo(f"warning: changed since {file} was written: {places}{more}; run `numlint confirm` again", err=True)
    return replace(report, findings=findings)


def _collect_less_garbage() -> None:
    """Trade memory for time: little of what an analysis makes is in cycles, and all of it dies with the process."""
    import gc

    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


def _show(report: Report, rules: Sequence[Rule], output_format: str, output_file: str | None) -> None:
    if output_file is None:
        echo(formats.render(output_format, report, rules, color=color_of(sys.stdout), width=width()))
    else:
        _write(output_file, formats.render(output_format, report, rules, color=False, width=100))


def _show_diff(report: Report, output_file: str | None) -> None:
    from numlint.fix import diff

    text = "".join(diff(change.path, change.before, change.after) for change in report.changes)
    if output_file is not None:
        _write(output_file, text)
    elif color_of(sys.stdout):
        echo("".join(map(_coloured, text.splitlines(keepends=True))))
    else:
        echo(text)
    for problem in report.problems:
        click.echo(f"{problem.path}:{problem.line}: {problem.message}", err=True)
    message = f"Would fix {_count(report.fixed, 'finding')} in {_count(len(report.changes), 'file')}"
    click.echo(f"{message}; {_count(len(report.findings), 'finding')} would remain.", err=True)


def _coloured(line: str) -> str:
    if line.startswith(("---", "+++")):
        return click.style(line, bold=True)
    return click.style(line, fg={"-": "red", "+": "green", "@": "cyan"}.get(line[:1]))


def _write(file: str, text: str) -> None:
    try:
        with open(file, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
    except OSError as error:
        raise click.UsageError(f"--output-file: {file}: {error.strerror}") from None


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _status(report: Report, *, exit_zero: bool, would_change: bool) -> int:
    if report.failed:
        return EXIT_FAILED
    found = bool(report.findings or report.problems or would_change)
    return EXIT_FOUND if found and not exit_zero else EXIT_CLEAN
