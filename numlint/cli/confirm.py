"""`numlint confirm`."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from numlint.cli import EXIT_CLEAN, EXIT_FAILED, EXIT_FOUND, EXIT_INTERRUPTED
from numlint.cli._outcome import cure, show, write_besides
from numlint.cli._progress import progressing
from numlint.cli._selecting import layer, selecting_options
from numlint.cli._settings import config_options, settings
from numlint.finding import Confidence
from numlint.selection import Selection

if TYPE_CHECKING:
    from numlint.config import Config
    from numlint.confirm.confirmation import Confirmed, Exchange, Options
    from numlint.confirm.interpreter import Interpreter
    from numlint.confirm.machines import Ask
    from numlint.confirm.selection import Chosen
    from numlint.confirm.targets import Case

FORMATS = ("float64", "float32", "float16", "bfloat16")
PATIENCE = 5.0
"""Seconds that a target may take beyond one and a half times its own before it is killed."""
OUTPUT_FORMATS = ("text", "json", "sarif", "github")

EPILOG = """\
\b
Examples:
  numlint confirm                               the findings in the current folder
  numlint confirm src/model.py:41               those of one line
  numlint confirm src/model.py::Model.predict   those of one function
  numlint confirm --fix                         apply the rewrites that were verified
  numlint confirm --emit-tests tests/numerics   a test that fails now for each
  numlint confirm --python .venv/bin/python     run the code in this interpreter
  numlint check --output-format json | numlint confirm --from -

\b
Exit codes:
  0  nothing was confirmed
  1  a finding was confirmed on an input that can be expected, or a file could not be read
  2  the call or the configuration is wrong, or numlint failed
  130  after Ctrl-C; what was proved until then is shown
"""


@click.command(epilog=EPILOG, short_help="Run the code: does it fail, from which magnitude on, and what cures it?")
@click.argument("paths", nargs=-1, metavar="[FILE | FOLDER | FILE::FUNCTION | FILE:LINE]...")
@click.option(
    "--from", "findings_file", metavar="FILE", help="Confirm the findings that `check` wrote as JSON; - for stdin."
)
@selecting_options
@click.option(
    "--confidence",
    "--min-confidence",
    "confidence",
    type=click.Choice([confidence.label for confidence in Confidence]),
    help="Confirm findings from this confidence on.  [default: likely]",
)
@click.option("--python", metavar="PATH", help="The interpreter that runs the code.  [default: that of the project]")
@click.option(
    "-j", "--jobs", type=click.IntRange(0), metavar="N", help="Findings at a time; 0 for one for each processor."
)
@click.option("--seconds", type=click.FloatRange(0.1), metavar="S", help="Time for each finding.  [default: 10]")
@click.option("--seed", type=click.IntRange(0), metavar="N", help="Where all randomness starts.  [default: 0]")
@click.option("--formats", metavar="NAMES", default="float64,float32,float16", show_default=True, help="By commas.")
@click.option("--machines/--no-machines", default=True, help="Demonstrate on emulated machines.  [default: machines]")
@click.option("--perturbations", metavar="PACKAGE", multiple=True, help="Use the perturbations of this package, too.")
@click.option("--inputs", metavar="FILE", help="Inputs that you declare for functions.")
@click.option("--output-format", type=click.Choice(OUTPUT_FORMATS), default="text", show_default=True)
@click.option("-o", "--output-file", metavar="FILE", help="Write the outcome to this file.")
@click.option("--report", "page", metavar="FILE.html", help="Write a page with figures.")
@click.option("--verdicts", "verdict_file", metavar="FILE", help="Write the verdicts, for `numlint check --verdicts`.")
@click.option("--emit-tests", "tests", metavar="DIR", help="Write a pytest file for each confirmed finding.")
@click.option("--fix", is_flag=True, help="Apply the rewrites that were verified.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, and change nothing.")
@click.option("-q", "--quiet", is_flag=True, help="Show confirmed findings only, and no progress.")
@click.option("-v", "--verbose", is_flag=True, help="Show also what was tried.")
@config_options
def command(
    paths: tuple[str, ...],
    findings_file: str | None,
    select: tuple[str, ...],
    extend_select: tuple[str, ...],
    ignore: tuple[str, ...],
    confidence: str | None,
    python: str | None,
    jobs: int | None,
    seconds: float | None,
    seed: int | None,
    formats: str,
    machines: bool,
    perturbations: tuple[str, ...],
    inputs: str | None,
    output_format: str,
    output_file: str | None,
    page: str | None,
    verdict_file: str | None,
    tests: str | None,
    fix: bool,
    diff: bool,
    quiet: bool,
    verbose: bool,
    config_file: str | None,
    isolated: bool,
) -> int:
    """Run the functions that `numlint check` warns about, and show which of them fail.

    Each is run in a process of its own that can reach neither the network nor your files,
    on inputs that were recorded, declared or made up, in several formats, against the true
    value. A finding is confirmed, refuted, outside its domain or inconclusive; a confirmed
    one comes with the magnitude from which it fails, the smallest input, and rewrites that
    were run on the same inputs.
    """
    from numlint.confirm.confirmation import Confirmation, Options
    from numlint.confirm.declared import DeclarationError
    from numlint.confirm.interpreter import InterpreterError, find
    from numlint.confirm.machines import fresh
    from numlint.confirm.selection import UnknownPlace, choose, place, recall

    if fix and diff:
        raise click.UsageError("--fix and --diff exclude each other")
    if quiet and verbose:
        raise click.UsageError("--quiet and --verbose exclude each other")
    if findings_file is not None and paths:
        raise click.UsageError("--from and paths exclude each other")
    try:
        places = [place(path) for path in (paths or (".",))]
        config, rules = settings([place.path for place in places], config_file, isolated)
        given = config.confirm
        layers = (config.layer, layer(select, extend_select, ignore, rules))
        least = Confidence[confidence.upper()] if confidence else None
        if findings_file is not None:
            everything = Selection(rules, override=Confidence.POSSIBLE)
            chosen = recall(_read(findings_file), findings_file, config, everything)
        else:
            selection = Selection(rules, layers, config.per_path, config.min_confidence, override=least)
            everything = Selection(rules, layers, config.per_path, override=Confidence.POSSIBLE)
            chosen = choose(places, config, selection, everything=everything)
    except UnknownPlace as error:
        raise click.UsageError(str(error)) from None
    options = Options(
        seed=given.seed if seed is None else seed,
        seconds=given.seconds if seconds is None else seconds,
        formats=_formats(formats),
        machines=machines,
        packs=(*given.perturbation_packs, *perturbations),
        given=_given(python, inputs, perturbations, config_file, isolated),
    )
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="numlint-") as folder:
        try:
            interpreter = find(config.root, given.python if python is None else python)
            declared = _declared(given.inputs if inputs is None else inputs, paths, folder)
            exchange = _exchange(interpreter, given.jobs if jobs is None else jobs, options.seconds)
            ask = fresh(interpreter.path) if machines else None
            results, left = _confirmed(_cases(chosen, config, declared), exchange, options, ask, quiet=quiet)
        except InterpreterError as error:
            raise click.UsageError(f"--python: {error}") from None
        except DeclarationError as error:
            raise click.UsageError(f"--inputs: {error}") from None
    confirmation = Confirmation(
        results=tuple(results),
        problems=chosen.report.problems,
        sources=chosen.report.sources,
        remarks=chosen.remarks,
        left=left,
        seconds=time.monotonic() - start,
        seed=options.seed,
        python=interpreter.path,
    )
    for remark in confirmation.remarks:
        click.echo(f"note: {remark}", err=True)
    fixed = cure(confirmation, show=diff, write=fix, output_file=output_file) if fix or diff else 0
    if not diff:
        show(confirmation, rules, output_format, output_file, detail=2 if verbose else 0 if quiet else 1)
    write_besides(confirmation, rules, page, verdict_file, tests)
    if left:
        return EXIT_INTERRUPTED
    if chosen.report.failed:
        return EXIT_FAILED
    remaining = sum(result.is_sure for result in results) - (fixed if fix else 0)
    return EXIT_FOUND if remaining or confirmation.problems else EXIT_CLEAN


def _given(
    python: str | None, inputs: str | None, perturbations: Sequence[str], config_file: str | None, isolated: bool
) -> tuple[str, ...]:
    """What was said on the command line and changes verdicts, for the line that replays one."""
    said = [] if python is None else ["--python", python]
    said += [] if inputs is None else ["--inputs", inputs]
    said += [word for package in perturbations for word in ("--perturbations", package)]
    said += [] if config_file is None else ["--config", config_file]
    return (*said, *(["--isolated"] if isolated else []))


def _read(file: str) -> str:
    try:
        if file == "-":
            return sys.stdin.read()
        with open(file, encoding="utf-8") as stream:
            return stream.read()
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"--from: {file}: {getattr(error, 'strerror', None) or error}") from None


def _formats(names: str) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    for name in chosen:
        if name not in FORMATS:
            raise click.UsageError(f"--formats: no format {name!r}; they are {', '.join(FORMATS)}")
    if not chosen:
        raise click.UsageError(f"--formats: name at least one of {', '.join(FORMATS)}")
    return chosen


def _declared(inputs: str, paths: Sequence[str], folder: str) -> str:
    """The file of declared inputs, as the runtime reads it; empty when there is none."""
    from numlint.confirm import declared

    file = inputs or declared.find(paths or (".",))
    return declared.prepared(file, folder) if file else ""


def _cases(chosen: Chosen, config: Config, declared: str) -> list[Case]:
    from numlint.confirm.recordings import DEFAULT
    from numlint.confirm.targets import cases
    from numlint.graph.project import Project

    project = Project(tuple(os.path.join(config.root, folder) for folder in config.src))
    kept = dict.fromkeys(os.path.abspath(os.path.join(folder, DEFAULT)) for folder in (".", config.root))
    recordings = tuple(folder for folder in kept if os.path.isdir(folder))
    return cases(chosen.findings, chosen.report.sources, project=project, declared=declared, recordings=recordings)


def _exchange(interpreter: Interpreter, jobs: int, seconds: float) -> Exchange:
    """What runs requests in that interpreter."""
    from numlint.confirm.workers import Pool
    from numlint.pool import available

    # The search ends by itself after the seconds; what is killed runs away, or waits for something.
    return Pool(interpreter, jobs or available(), 1.5 * seconds + PATIENCE).run


def _confirmed(
    cases: Sequence[Case], exchange: Exchange, options: Options, ask: Ask | None, *, quiet: bool
) -> tuple[list[Confirmed], int]:
    """Confirm everything, or as much as Ctrl-C leaves; in the order of the findings, with how many are left."""
    from numlint.confirm.confirmation import confirm
    from numlint.confirm.machines import attach, demonstrate, wants_machines

    results: dict[int, Confirmed] = {}
    order = {id(case): number for number, case in enumerate(cases)}
    try:
        with progressing(len(cases), quiet=quiet) as progress:
            for result in confirm(cases, exchange, options, progress.started) if cases else ():
                results[order[id(result.case)]] = result
                if ask is not None and result.is_sure and wants_machines(result.case.target):
                    attach(result.verdict, demonstrate(result.case.target, result.verdict, ask))
                progress.done(result)
    except KeyboardInterrupt:
        click.echo(err=True)
    return [results[number] for number in sorted(results)], len(cases) - len(results)
