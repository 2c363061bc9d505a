"""`numlint init`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

import click

from numlint.cli import EXIT_CLEAN, EXIT_FAILED
from numlint.config import parse_toml

SETTINGS = """\
{section}# Findings from this confidence on are shown: "possible", "likely" or "certain".
min-confidence = "likely"
# Rules that are not run: names, codes or prefixes of codes; `numlint rules` lists them.
ignore = []
"""
PER_PATH = """\

# What is checked less strictly.
[{prefix}per-path."{folder}/**"]
min-confidence = "certain"
"""
HOOK = """\
- repo: local
  hooks:
    - id: numlint
      name: numlint
      entry: numlint check --force-exclude
      language: system
      types: [python]
      require_serial: true
"""
PRE_COMMIT = ".pre-commit-config.yaml"

EPILOG = """\
\b
Examples:
  numlint init
  numlint init --no-pre-commit path/to/project
"""


@dataclass(frozen=True)
class Step:
    """What was done to a file, or why nothing was."""

    file: str
    text: str
    failed: bool = False


@click.command(epilog=EPILOG, short_help="Write a configuration and a pre-commit hook.")
@click.argument("folder", default=".", type=click.Path(exists=True, file_okay=False))
@click.option("--pre-commit/--no-pre-commit", default=True, help="Add the hook to .pre-commit-config.yaml.")
def command(folder: str, pre_commit: bool) -> int:
    """Write a configuration and a pre-commit hook into FOLDER (by default the current one).

    What is there is kept; what is already set up is left alone.
    """
    steps = [_configure(folder)]
    if pre_commit:
        steps.append(_hook(os.path.join(folder, PRE_COMMIT)))
    for step in steps:
        click.echo(f"{os.path.normpath(step.file)}: {step.text}", err=step.failed)
    return EXIT_FAILED if any(step.failed for step in steps) else EXIT_CLEAN


def _configure(folder: str) -> Step:
    own, pyproject = os.path.join(folder, "numlint.toml"), os.path.join(folder, "pyproject.toml")
    tests = next((name for name in ("tests", "test") if os.path.isdir(os.path.join(folder, name))), "")
    if os.path.exists(own):
        return Step(own, "already there")
    if not os.path.exists(pyproject):
        _write(own, SETTINGS.format(section="") + (PER_PATH.format(prefix="", folder=tests) if tests else ""))
        return Step(own, "written")
    before = _read(pyproject)
    try:
        document = parse_toml(before)
    except ValueError as error:
        return Step(pyproject, f"not changed, since it is not TOML: {error}", failed=True)
    tool = document.get("tool", {})
    if isinstance(tool, dict) and "numlint" in tool:
        return Step(pyproject, "already has a [tool.numlint] section")
    block = SETTINGS.format(section="[tool.numlint]\n")
    block += PER_PATH.format(prefix="tool.numlint.", folder=tests) if tests else ""
    after = before + ("" if before.endswith("\n") or not before else "\n") + ("\n" if before else "") + block
    try:
        parse_toml(after)
    except ValueError:
        return Step(pyproject, "not changed, since its `tool` takes no further sections; add them by hand", failed=True)
    _write(pyproject, after if "\r\n" not in before else re.sub(r"\r?\n", "\r\n", after))
    return Step(pyproject, "[tool.numlint] added")


def _hook(file: str) -> Step:
    if not os.path.exists(file):
        _write(file, "repos:\n" + _indented(HOOK, "  "))
        return Step(file, "written; `pre-commit install` makes git run it")
    before = _read(file)
    if re.search(r"^\s*(?:-\s+)?id:\s*['\"]?numlint\b", before, re.MULTILINE):
        return Step(file, "already runs numlint")
    after = _with_hook(before)
    if after is None:
        return Step(file, f"not changed, since its list of repos is not understood; add this to it:\n\n{HOOK}", True)
    _write(file, after)
    return Step(file, "hook added")


def _with_hook(text: str) -> str | None:
    """Add the hook at the end of the list of repos, indented like the items that are there; None if there is none.

    The text is edited rather than parsed, so that comments and layout stay.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines()
    start = next(
        (number for number, line in enumerate(lines) if re.match(r"repos:\s*(\[\s*\])?\s*(#.*)?$", line)), None
    )
    if start is None:
        return None
    lines[start] = re.sub(r"\s*\[\s*\]", "", lines[start])
    indent, end = "  ", start + 1
    for number, line in enumerate(lines[start + 1 :], start + 1):
        item = re.match(r"(\s*)- ", line)
        if item and end == start + 1:
            indent = item[1]
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not (line.startswith(" ") or line.startswith("- ")):
            break
        end = number + 1
    added = [*lines[:end], *_indented(HOOK, indent).splitlines(), *lines[end:]]
    return newline.join(added) + newline


def _indented(text: str, indent: str) -> str:
    return "".join(indent + line for line in text.splitlines(keepends=True))


def _read(file: str) -> str:
    with open(file, encoding="utf-8", newline="") as stream:
        return stream.read()


def _write(file: str, text: str) -> None:
    with open(file, "w", encoding="utf-8", newline="") as stream:
        stream.write(text)
