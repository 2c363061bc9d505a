"""What probes found, and a policy for the precision of a model: as text, as JSON, and as code."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from numlint.lab.task import numeral
from numlint.report._drawing import count, drawn
from numlint.report._frame import Row, wrapped
from numlint.report.lab._table import Cell, table
from numlint.runtime.lab.answers import DEFECT, HEALTHY, UNASKED, Answer, Policy

_STYLES = {HEALTHY: "good", DEFECT: "bad", UNASKED: "caution"}
_HINTS = {DEFECT: "look", UNASKED: "to make it possible"}
_ROOT = "(model)"


def render(answers: Sequence[Answer], task: str, output_format: str, *, color: bool, width: int) -> str:
    """Answers as text or JSON."""
    if output_format == "json":
        return json.dumps({"task": task, "answers": [item.to_json() for item in answers]}, indent=1) + "\n"
    rows: list[Row] = []
    indent = 2 + max((len(item.probe) for item in answers), default=0)
    for item in answers:
        lead: Row = [(item.probe.ljust(indent), "name"), (item.verdict, _STYLES.get(item.verdict, "text"))]
        rows.append(lead)
        said = [(item.said, "text")]
        if item.remedy:
            said.append((f"{_HINTS.get(item.verdict, 'note')}: {item.remedy}", "quiet"))
        for text, style in said:
            parts = wrapped(text, max(width - indent, 20))
            rows += [[(" " * indent, "text"), (part, style)] for part in parts]
    summary = ", ".join(
        f"{number} {word}{'s' * (number > 1 and verdict == DEFECT)}"
        for verdict, word in ((DEFECT, "defect"), (HEALTHY, "healthy"), (UNASKED, "not asked"))
        if (number := sum(item.verdict == verdict for item in answers))
    )
    total: list[Row] = [
        [(f"{count(len(answers), 'probe')} of ", "heading"), (task, "heading"), (f": {summary}", "text")]
    ]
    return drawn([rows, total], color)


def render_policies(
    policies: Sequence[Policy], task: str, output_format: str, *, color: bool, width: int, detail: int
) -> str:
    """Policies as text or JSON; as text operations that may run in the low format are counted, not listed."""
    if output_format == "json":
        return json.dumps({"task": task, "policies": [item.to_json() for item in policies]}, indent=1) + "\n"
    blocks = [block for item in policies for block in _policy(item, width, detail)]
    return drawn(blocks, color)


def _policy(policy: Policy, width: int, detail: int) -> list[list[Row]]:
    number, kept = len(policy.units), len(policy.wide)
    noun = "module" if policy.backend == "torch" else "operation"
    able = f"{number - kept} of {count(number, noun)} may run in it"
    title: list[Row] = [[(f"{policy.format}: ", "heading"), (able, "good" if not kept else "caution")]]
    shown = [unit for unit in policy.units if detail > 1 or not unit.low or (detail and policy.backend == "torch")]
    lines: list[list[Cell]] = [[(head, "label") for head in (noun, "", "runs in", "error alone", "")]] if shown else []
    lines += [
        [
            (unit.name, "name"),
            (unit.kind if unit.kind != "operation" else "", "quiet"),
            (policy.format if unit.low else "float32", "good" if unit.low else "caution"),
            (_number(unit.error), "text"),
            (unit.why, "bad"),
        ]
        for unit in shown
    ]
    everything = f"all in {policy.format}: {_number(policy.error_all)}; float32: {_number(policy.error_wide)}"
    rows: list[Row] = [
        [("error of outputs and gradients ", "text"), (_number(policy.error), "name"), (f" ({everything})", "quiet")]
    ]
    if not policy.error_wide <= policy.tolerance:
        rows.append([("float32 itself is not enough: no policy helps; find out where it fails with --task", "bad")])
    if policy.loss_scale != 1:
        rows.append([(f"with a loss scale of {policy.loss_scale:g}, as a GradScaler would find", "quiet")])
    return [[*title, *table(lines, width), *rows]]


def policy_json(policies: Sequence[Policy], task: str, command: Sequence[str]) -> dict[str, Any]:
    """What is written to a file."""
    return {"task": task, "command": list(command), "policies": [item.to_json() for item in policies]}


def snippet(policy: Policy, task: str) -> str:
    """A module of Python that makes a model of torch run under the policy."""
    wide = [_path(name) for name in policy.wide]
    again = [
        _path(unit.name) for unit in policy.units if unit.low and any(_below(_path(unit.name), outer) for outer in wide)
    ]
    scaler = f'torch.amp.GradScaler("{policy.device}", init_scale={policy.loss_scale!r})'
    scaled = f"\n    # and {scaler} around backward and step" if policy.loss_scale != 1 else ""
    return f'''"""Mixed precision for {task}, as `numlint lab policy` measured it.

{policy.format} under autocast, float32 where it is needed; relative error {_number(policy.error)} against float64
(everything in {policy.format}: {_number(policy.error_all)}, float32: {_number(policy.error_wide)}).

    with torch.autocast("{policy.device}", dtype=torch.{policy.format}):
        loss = loss_of(mixed(model)(inputs))  # call mixed once, before training{scaled}
"""

import torch

FLOAT32 = {wide!r}
LOW = {again!r}  # inside of those


def mixed(model):
    """Run the modules in FLOAT32 outside of autocast."""
    for name in FLOAT32:
        _wrap(model.get_submodule(name), False)
    for name in LOW:
        _wrap(model.get_submodule(name), True)
    return model


def _wrap(module, low):
    forward = module.forward

    def run(*args, **kwargs):
        if not low:
            args = [_float32(item) for item in args]
            kwargs = {{name: _float32(item) for name, item in kwargs.items()}}
        with torch.autocast("{policy.device}", dtype=torch.{policy.format}, enabled=low):
            return forward(*args, **kwargs)

    module.forward = run


def _float32(item):
    return item.float() if isinstance(item, torch.Tensor) and item.is_floating_point() else item
'''


def _path(name: str) -> str:
    return "" if name == _ROOT else name


def _below(name: str, outer: str) -> bool:
    return name != outer and (not outer or name.startswith(f"{outer}."))


def _number(value: float) -> str:
    return "-" if math.isnan(value) else numeral(float(f"{value:.2g}"))
