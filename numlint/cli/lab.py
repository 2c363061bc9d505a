"""`numlint lab`."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from numlint.cli import EXIT_CLEAN, EXIT_FAILED, EXIT_FOUND, EXIT_INTERRUPTED
from numlint.cli._asking import policy, probe
from numlint.cli._settings import color_of, config_options, echo, width
from numlint.cli._watching import Silence, watching

if TYPE_CHECKING:
    from numlint.config import Config
    from numlint.lab.boundary import Boundary
    from numlint.lab.conclusion import Conclusion
    from numlint.lab.laboratory import Laboratory
    from numlint.lab.machines import Weights
    from numlint.lab.recommend import Remedy
    from numlint.lab.results import Asked, Results
    from numlint.lab.task import Task

FAILURES = 3
"""Kinds of failure for which mitigations are tried."""

EPILOG = """\
\b
Examples:
  numlint lab --task logistic_regression --sweep precision,lr,lambda
  numlint lab --task linear_regression --sweep solver --set condition=1e10
  numlint lab --task mlp --sweep precision=float32,float16 --sweep lr=1e-3:1:log:7
  numlint lab --task train:fit --sweep seed=0:4            your own function
  numlint lab --task logistic_regression --adaptive lr     where does it diverge?
  numlint lab tasks                                        tasks and their settings
  numlint lab probe --task train:fit                       failures that raise nothing
  numlint lab policy --task train:fit                      which layers may run in float16?
  numlint lab compare BEFORE AFTER                         two folders of results
  numlint lab --resume .numlint/lab/...                    go on

\b
Exit codes:
  0  every run went well
  1  a run diverged or failed, or a signature of failure was named in one
  2  the call or the configuration is wrong, or numlint failed
  130  after Ctrl-C; what was done until then is kept
"""


@dataclass(frozen=True)
class Limits:
    """How much is done."""

    max_runs: int | None = None
    seconds: float = 60.0
    time_limit: float | None = None
    trials: int = 36


@click.group(
    epilog=EPILOG,
    invoke_without_command=True,
    short_help="Train under stress: is the model wrong, or is the computation unstable?",
)
@click.option("--task", metavar="NAME | MODULE:FUNCTION", help="What is trained; `numlint lab tasks` lists them.")
@click.option(
    "--sweep",
    "sweeps",
    multiple=True,
    metavar="SETTINGS",
    help="Names, or names with values: lr=0.1,1; lr=1e-4:1:log:9; seed=0:4. May be repeated.",
)
@click.option("--set", "fixed", multiple=True, metavar="NAME=VALUE", help="Fix a setting. May be repeated.")
@click.option("--adaptive", metavar="NAME[=LOW:HIGH]", help="Search the boundary of this setting by bisection.")
@click.option("--machines", is_flag=True, help="Repeat runs on emulated machines, and compare the weights.")
@click.option("--max-runs", type=click.IntRange(1), metavar="N", help="Make at most so many, spread over the grid.")
@click.option("--seconds", type=click.FloatRange(0.1), metavar="S", help="Time for each run.  [default: 60]")
@click.option("--time-limit", type=click.FloatRange(0.1), metavar="S", help="Begin no run after so many seconds.")
@click.option(
    "--trials", type=click.IntRange(0), default=36, show_default=True, metavar="N", help="Mitigations to try, at most."
)
@click.option("--shadow", is_flag=True, help="Log the digits that each layer loses, against a float64 shadow.")
@click.option("-j", "--jobs", type=click.IntRange(0), metavar="N", help="Runs at a time; 0 for one for each processor.")
@click.option("--scheduler", metavar="ADDRESS", help="Run on the workers of this Dask scheduler.")
@click.option("--python", metavar="PATH", help="The interpreter that trains.  [default: that of the project]")
@click.option("-o", "--output", metavar="DIR", help="Folder of the results.  [default: .numlint/lab/TASK-TIME]")
@click.option("--resume", metavar="DIR", help="Make the runs that are missing in this folder of results.")
@click.option("--report", "page", metavar="FILE.html", help="Write a page with figures.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("-q", "--quiet", is_flag=True, help="Show the verdict only, and no progress.")
@click.option("-v", "--verbose", is_flag=True, help="Show every run and every trial.")
@config_options
@click.pass_context
def command(
    ctx: click.Context,
    task: str | None,
    sweeps: tuple[str, ...],
    fixed: tuple[str, ...],
    adaptive: str | None,
    machines: bool,
    max_runs: int | None,
    seconds: float | None,
    time_limit: float | None,
    trials: int,
    shadow: bool,
    jobs: int | None,
    scheduler: str | None,
    python: str | None,
    output: str | None,
    resume: str | None,
    page: str | None,
    output_format: str,
    quiet: bool,
    verbose: bool,
    config_file: str | None,
    isolated: bool,
) -> int:
    """Train many times, with one thing changed at a time, and say what makes it fail and what helps.

    Every run has the same data, the same seeds and the same settings but those that are
    swept. Each is followed epoch by epoch: loss, norms, lost updates, saturation, overflow;
    phases of training and signatures of failure are named with their epoch. For runs that
    failed, mitigations are tried and shown with what came of them.
    """
    if ctx.invoked_subcommand is not None:
        ctx.obj = {"python": python, "config": _config(config_file, isolated)}
        return EXIT_CLEAN
    from numlint.confirm.interpreter import InterpreterError, find
    from numlint.lab.cluster import ClusterError
    from numlint.lab.results import ResultsError
    from numlint.lab.task import SettingError
    from numlint.lab.workers import WorkerError

    if quiet and verbose:
        raise click.UsageError("--quiet and --verbose exclude each other")
    if resume is None and task is None:
        raise click.UsageError("name what is trained with --task; `numlint lab tasks` lists the tasks")
    if resume is not None and (task or sweeps or fixed or adaptive or output):
        raise click.UsageError("--resume goes on with what was asked for then; leave --task, --sweep, --set and -o out")
    config = _config(config_file, isolated)
    limits = Limits(max_runs, seconds or 60.0, time_limit, trials)
    try:
        interpreter = find(config.root, config.confirm.python if python is None else python)
        options = {"path": search_path(config), "shadow": shadow}
        if resume is not None:
            from numlint.lab.results import Results

            results = Results.open(resume)
            limits = _resumed(limits, seconds, results.asked)
        else:
            assert task is not None
            found = described(task, interpreter.path, options)
            results = _created(found, sweeps, fixed, adaptive, limits, str(interpreter), output)
        order = Order(limits, machines, jobs, scheduler, quiet, interpreter.path, options)
        conclusion, interrupted = _carried_out(results, order)
    except InterpreterError as error:
        raise click.UsageError(f"--python: {error}") from None
    except ClusterError as error:
        raise click.UsageError(f"--scheduler: {error}") from None
    except (SettingError, ResultsError, WorkerError) as error:
        raise click.UsageError(str(error)) from None
    from numlint.report import lab as formats

    detail = 2 if verbose else 0 if quiet else 1
    echo(formats.render(output_format, conclusion, color=color_of(sys.stdout), width=width(), detail=detail))
    if page is not None:
        _written(page, conclusion)
    if interrupted:
        return EXIT_INTERRUPTED
    if conclusion.was_refused:
        return EXIT_FAILED
    return EXIT_CLEAN if conclusion.is_healthy else EXIT_FOUND


def _written(page: str, conclusion: Conclusion) -> None:
    from pathlib import Path

    from numlint.report.lab.page import write

    try:
        write(Path(page), conclusion)
    except OSError as error:
        raise click.UsageError(f"--report {page}: {error.strerror}") from None


@dataclass(frozen=True)
class Order:
    """How the runs of a folder are made."""

    limits: Limits
    machines: bool
    jobs: int | None
    scheduler: str | None
    quiet: bool
    python: str
    options: dict[str, Any] = field(default_factory=dict)


def _config(config_file: str | None, isolated: bool) -> Config:
    from numlint import config

    if config_file and isolated:
        raise click.UsageError("--config and --isolated exclude each other")
    return config.load("" if isolated else config_file or config.find(["."]))


def search_path(config: Config) -> list[str]:
    """Where the module of a training function is looked for."""
    folders = [os.getcwd(), *(os.path.abspath(os.path.join(config.root, folder)) for folder in config.src)]
    return list(dict.fromkeys(folders))


def described(name: str, python: str, options: dict[str, Any]) -> Task:
    """A task with its settings, as its interpreter tells of it."""
    from numlint.lab.task import Task
    from numlint.lab.workers import CREW, Job
    from numlint.runtime.lab.configuration import Configuration

    with CREW.lent(Job(Configuration(name), python, folder=os.getcwd())) as worker:
        answer = worker.ask({"op": "describe", "task": name, "options": options})
    if "refused" in answer:
        raise click.UsageError(f"--task {name}: {answer['refused']}")
    return Task.from_json({**answer, "name": name})


def _created(
    task: Task,
    sweeps: Sequence[str],
    fixed: Sequence[str],
    adaptive: str | None,
    limits: Limits,
    interpreter: str,
    output: str | None,
) -> Results:
    from numlint.lab import sweep
    from numlint.lab.results import Asked, Results

    asked = Asked(
        sweep.read(task, sweeps, fixed, adaptive),
        ("numlint", *sys.argv[1:]),
        interpreter,
        time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        {"max_runs": limits.max_runs, "seconds": limits.seconds},
    )
    return Results.create(output, asked)


def _resumed(limits: Limits, seconds: float | None, asked: Asked) -> Limits:
    """The limits of a folder, where no others are given."""
    most = limits.max_runs if limits.max_runs is not None else asked.limits.get("max_runs")
    return Limits(most, seconds or asked.limits.get("seconds", 60.0), limits.time_limit, limits.trials)


def _carried_out(results: Results, order: Order) -> tuple[Conclusion, bool]:
    """Make what is missing; give what came of it, and whether Ctrl-C cut it short."""
    from numlint.lab.conclusion import Conclusion, bracketed, ordered
    from numlint.lab.laboratory import Laboratory, Recipe
    from numlint.lab.results import BOUNDARY, GRID

    sweep = results.asked.sweep
    start = time.monotonic()
    limit = order.limits.time_limit
    boundaries: list[Boundary] = []
    remedies: list[Remedy] = []
    weights: list[Weights] = []
    notes: list[str] = []
    interrupted = False
    left = 0
    with ExitStack() as stack:
        watch = stack.enter_context(watching(sweep.names, quiet=order.quiet))
        site = stack.enter_context(_site(order, watch))
        recipe = Recipe(order.python, order.limits.seconds, order.options, os.getcwd())
        deadline = start + limit if limit is not None else math.inf
        laboratory = Laboratory(site, results, recipe, deadline, begun=watch.begun, done=watch.done)
        try:
            left = _sweep(laboratory, order, watch, boundaries)
            runs = ordered(results.runs(GRID, BOUNDARY), sweep)
            if order.machines:
                weights += _machines(laboratory, order, runs, sweep.names, watch, notes)
            remedies += _remedies(laboratory, order, runs, watch)
        except KeyboardInterrupt:
            interrupted = True
    runs = ordered(results.runs(GRID, BOUNDARY), sweep)
    if interrupted:
        wanted = min(sweep.size, order.limits.max_runs or sweep.size)
        left = max(0, wanted - len(runs)) if not sweep.adaptive else 1
    elif sweep.adaptive and left:
        notes.append(f"{left} boundaries were not found before the limit; --resume goes on with them")
    if not sweep.adaptive and "lr" in sweep.task.parameters:
        boundaries = list(bracketed(runs, sweep.names))
    if not sweep.adaptive and order.limits.max_runs is not None and order.limits.max_runs < sweep.size:
        notes.append(f"{order.limits.max_runs} runs of a grid of {sweep.size}, spread over it by --max-runs")
    return (
        Conclusion(
            results.asked,
            runs,
            tuple(boundaries),
            tuple(remedies),
            tuple(weights),
            tuple(notes),
            left,
            time.monotonic() - start,
            str(results.folder),
        ),
        interrupted,
    )


def _site(order: Order, watch: Silence) -> Any:
    from numlint.lab.cluster import Cluster
    from numlint.lab.laboratory import Local
    from numlint.pool import available

    if order.scheduler is not None:
        return Cluster(order.scheduler)
    return Local(order.jobs or available(), watch.event)


def _sweep(laboratory: Laboratory, order: Order, watch: Silence, boundaries: list[Boundary]) -> int:
    """Fill the grid, or search the boundaries; give how much is left."""
    from numlint.lab import boundary
    from numlint.lab.laboratory import Experiment
    from numlint.lab.sweep import selected

    sweep = laboratory.results.asked.sweep
    most = order.limits.max_runs
    if sweep.adaptive:
        found = dict(laboratory.search(boundary.searches(sweep), math.inf if most is None else most))
        boundaries += [found[number] for number in sorted(found)]
        return boundary.combinations(sweep) - len(found)
    wanted = selected(list(sweep.configurations()), most)
    watch.expect(sum(laboratory.results.find(item) is None for item in wanted))
    done = sum(1 for _ in laboratory.runs(Experiment(item) for item in wanted))
    return len(wanted) - done


def _machines(
    laboratory: Laboratory, order: Order, runs: Sequence[Any], names: Sequence[str], watch: Silence, notes: list[str]
) -> list[Weights]:
    from numlint.lab import machines

    described: dict[str, Any] = next((run.environment for run in runs if run.environment.get("libraries")), {})
    emulations, note = machines.emulated(described)
    if note:
        notes.append(note)
    chosen = machines.chosen(runs, names) if emulations else []
    watch.expect(len(chosen) * len(emulations))
    found = dict(laboratory.search(machines.weights(run, emulations) for run in chosen))
    return [found[number] for number in sorted(found)]


def _remedies(laboratory: Laboratory, order: Order, runs: Sequence[Any], watch: Silence) -> list[Remedy]:
    from numlint.lab import recommend

    failing = recommend.representatives(runs, FAILURES) if order.limits.trials else []
    if not failing:
        return []
    budget = max(1, order.limits.trials // len(failing))
    task = laboratory.results.asked.sweep.task
    found = dict(laboratory.search(recommend.remedy(run, task, number, budget) for run, number in failing))
    return [found[number] for number in sorted(found)]


@command.command("tasks", short_help="List the tasks with their settings.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--python", metavar="PATH", help="The interpreter that trains.  [default: that of the project]")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def tasks(shared: dict[str, Any], names: tuple[str, ...], python: str | None, output_format: str) -> int:
    """List what can be trained, and the settings of each task with their defaults."""
    from numlint.confirm.interpreter import InterpreterError, find
    from numlint.lab.task import Task
    from numlint.lab.workers import CREW, Job, WorkerError
    from numlint.report.lab import _tasks
    from numlint.runtime.lab.configuration import Configuration

    config = shared["config"]
    asked = python or shared["python"]
    try:
        interpreter = find(config.root, config.confirm.python if asked is None else asked)
        if names:
            found = [described(name, interpreter.path, {"path": search_path(config)}) for name in names]
        else:
            with CREW.lent(Job(Configuration(""), interpreter.path, folder=os.getcwd())) as worker:
                found = [Task.from_json(item) for item in worker.ask({"op": "tasks"})]
    except InterpreterError as error:
        raise click.UsageError(f"--python: {error}") from None
    except WorkerError as error:
        raise click.UsageError(str(error)) from None
    finally:
        CREW.dismiss()
    echo(_tasks.render(found, output_format, settings=bool(names), color=color_of(sys.stdout), width=width()))
    return EXIT_CLEAN


@command.command("compare", short_help="Show two folders of results side by side.")
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
@click.option("--across", metavar="NAMES", default="", help="Settings in which they may differ, by commas.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("-v", "--verbose", is_flag=True, help="Show every pair, also those that ended alike.")
def compare(one: str, other: str, across: str, output_format: str, verbose: bool) -> int:
    """Pair the runs of two folders that differ in nothing but what is compared.

    Refused where they differ in more: a difference of the results then has no one cause.
    The exit code is 1 when runs of a pair ended in different ways.
    """
    from numlint.lab.comparison import UnmatchedError
    from numlint.lab.comparison import compare as compared
    from numlint.lab.results import Results, ResultsError
    from numlint.report.lab import _comparison

    names = [name.strip() for name in across.split(",") if name.strip()]
    try:
        comparison = compared(Results.open(one), Results.open(other), names)
    except (ResultsError, UnmatchedError) as error:
        raise click.UsageError(str(error)) from None
    for name, (mine, theirs) in comparison.surroundings.items():
        click.echo(f"warning: {name} differs: {mine} and {theirs}", err=True)
    color = color_of(sys.stdout)
    echo(_comparison.render(comparison, (one, other), output_format, color=color, width=width(), all_pairs=verbose))
    return EXIT_FOUND if comparison.changed else EXIT_CLEAN


command.add_command(probe)
command.add_command(policy)
