"""Tasks, with their settings."""

from __future__ import annotations

import json
from collections.abc import Sequence

from numlint.lab.task import Parameter, Task, spelled, written
from numlint.report._drawing import drawn
from numlint.report._frame import Row, wrapped
from numlint.report.lab._table import Cell, table


def render(tasks: Sequence[Task], output_format: str, *, settings: bool, color: bool, width: int) -> str:
    """The tasks as text or JSON; as text each setting on a line of its own, or just their names."""
    if output_format == "json":
        return json.dumps([task.to_json() for task in tasks], indent=1) + "\n"
    return drawn([_block(task, settings, width) for task in tasks], color)


def _block(task: Task, settings: bool, width: int) -> list[Row]:
    heading: Row = [(task.name, "name"), (f"  {task.about}" if task.about else "", "text")]
    rows = [heading]
    if not settings:
        names = ", ".join(f"{spelled(one.name)}={written(one.default)}" for one in task.parameters.values())
        return [*rows, *([("  ", "text"), (part, "quiet")] for part in wrapped(names, width - 2))]
    lines: list[list[Cell]] = [
        [(spelled(one.name), "label"), (written(one.default), "text"), (_about(one), "text")]
        for one in task.parameters.values()
    ]
    rows += table(lines, width)
    if task.open:
        rows.append([("  and any other setting that its function reads", "quiet")])
    return rows


def _about(parameter: Parameter) -> str:
    choices = ", ".join(map(written, parameter.choices))
    usual = "" if parameter.choices or not parameter.values else ", ".join(map(written, parameter.values))
    besides = f" [{choices}]" if choices else f" [swept over {usual}]" if usual else ""
    return parameter.about + besides
