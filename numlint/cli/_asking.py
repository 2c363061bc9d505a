"""`numlint lab probe` and `numlint lab policy`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from numlint.cli import EXIT_CLEAN, EXIT_FOUND
from numlint.cli._settings import color_of, echo, width

if TYPE_CHECKING:
    from numlint.lab.asking import Interview

_OPTIONS = (
    click.option("--task", required=True, metavar="NAME | MODULE:FUNCTION", help="What is trained."),
    click.option("--set", "fixed", multiple=True, metavar="NAME=VALUE", help="Give a setting one value."),
    click.option("--seconds", type=click.FloatRange(0.1), default=60.0, show_default=True, help="For each question."),
    click.option("--python", metavar="PATH", help="The interpreter that trains.  [default: that of the project]"),
    click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True),
)


def subject_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what is asked, and where."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def _interview(
    shared: dict[str, Any], task: str, fixed: tuple[str, ...], seconds: float, python: str | None
) -> Interview:
    from numlint.cli.lab import described, search_path
    from numlint.confirm.interpreter import find
    from numlint.lab import sweep
    from numlint.lab.asking import Interview

    config = shared["config"]
    asked = python or shared["python"]
    interpreter = find(config.root, config.confirm.python if asked is None else asked)
    options = {"path": search_path(config)}
    found = described(task, interpreter.path, options)
    configuration = found.configuration(sweep.read(found, (), fixed).fixed)
    return Interview(configuration, interpreter.path, seconds, options, os.getcwd())


@click.command("probe", short_help="Ask a training function for failures that raise nothing.")
@subject_options
@click.option("--probe", "names", multiple=True, metavar="NAME", help="Ask this; may be repeated.  [default: all]")
@click.pass_obj
def probe(
    shared: dict[str, Any],
    task: str,
    fixed: tuple[str, ...],
    seconds: float,
    python: str | None,
    output_format: str,
    names: tuple[str, ...],
) -> int:
    """Ask a training function what no error message says.

    \b
      baseline    does the model do better than a constant, and than a line?
      gradient    is the gradient that training follows the gradient of its loss?
      linearity   is an activation missing between two layers?
      overfit     can the model learn a few examples by heart?
      repeatable  does training twice give the same model?
      restart     does training that restarts from a checkpoint continue identically?

    Each answer has its figures. What cannot be asked of a task is said, with what would make
    it possible. The exit code is 1 where a defect was found.
    """
    from numlint.confirm.interpreter import InterpreterError
    from numlint.lab.task import SettingError
    from numlint.lab.workers import CREW, WorkerError
    from numlint.report.lab import _answers
    from numlint.runtime.lab.answers import DEFECT

    try:
        found = list(_interview(shared, task, fixed, seconds, python).answers(names))
    except InterpreterError as error:
        raise click.UsageError(f"--python: {error}") from None
    except (SettingError, WorkerError) as error:
        raise click.UsageError(str(error)) from None
    finally:
        CREW.dismiss()
    echo(_answers.render(found, task, output_format, color=color_of(sys.stdout), width=width()))
    return EXIT_FOUND if any(item.verdict == DEFECT for item in found) else EXIT_CLEAN


@click.command("policy", short_help="Which layers may run in float16 or bfloat16, by measuring.")
@subject_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["float16", "bfloat16", "both"]),
    default="both",
    show_default=True,
    help="The low format.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(0, min_open=True),
    default=0.05,
    show_default=True,
    help="Relative error of outputs and gradients that is allowed.",
)
@click.option("-o", "--output", metavar="FILE.json", help="Write the policy.")
@click.option("--snippet", "code", metavar="FILE.py", help="Write Python that applies it to a model of torch.")
@click.option("-v", "--verbose", is_flag=True, help="Show every operation.")
@click.pass_obj
def policy(
    shared: dict[str, Any],
    task: str,
    fixed: tuple[str, ...],
    seconds: float,
    python: str | None,
    output_format: str,
    form: str,
    tolerance: float,
    output: str | None,
    code: str | None,
    verbose: bool,
) -> int:
    """Find the parts of a model that may run in a low format.

    Each module of a torch model, or each operation of a numpy task, is run in the format
    alone and then together with the others, forwards and backwards, and compared with
    float64. What costs more than the tolerance stays in float32.
    """
    from numlint.confirm.interpreter import InterpreterError
    from numlint.lab.task import SettingError
    from numlint.lab.workers import CREW, WorkerError
    from numlint.report.lab import _answers

    forms = ("float16", "bfloat16") if form == "both" else (form,)
    try:
        interview = _interview(shared, task, fixed, seconds, python)
        found = [interview.policy(one, tolerance) for one in forms]
    except InterpreterError as error:
        raise click.UsageError(f"--python: {error}") from None
    except (SettingError, WorkerError) as error:
        raise click.UsageError(str(error)) from None
    finally:
        CREW.dismiss()
    color = color_of(sys.stdout)
    echo(_answers.render_policies(found, task, output_format, color=color, width=width(), detail=1 + verbose))
    # Of two formats the one in which more may run, and of equals the more precise.
    best = min(found, key=lambda item: (len(item.wide), item.error))
    if output is not None:
        _write(output, json.dumps(_answers.policy_json(found, task, ("numlint", *sys.argv[1:])), indent=1) + "\n")
    if code is not None:
        if best.backend != "torch":
            raise click.UsageError(f"--snippet is for models of torch; {task} computes in {best.backend}")
        _write(code, _answers.snippet(best, task))
    return EXIT_CLEAN


def _write(name: str, text: str) -> None:
    try:
        Path(name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"{name}: {error.strerror}") from None
