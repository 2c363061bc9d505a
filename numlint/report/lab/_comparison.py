"""Two folders of results side by side."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from numlint.lab.comparison import Comparison
from numlint.lab.outcome import end, last_loss, severity, signatures
from numlint.lab.task import numeral, phrase, spelled
from numlint.report._drawing import count, drawn
from numlint.report._frame import Row
from numlint.report._printable import printable
from numlint.report.lab._table import Cell, table
from numlint.runtime.lab.record import Run


def render(
    comparison: Comparison, folders: Sequence[str], output_format: str, *, color: bool, width: int, all_pairs: bool
) -> str:
    """The pairs as text or JSON; as text those that ended alike are counted, unless all are asked for."""
    if output_format == "json":
        return json.dumps(_data(comparison, folders), indent=1) + "\n"
    shown = list(comparison.pairs) if all_pairs else [pair for pair in comparison.pairs if _differ(*pair)]
    rows: list[Row] = [
        [("A ", "label"), (printable(folders[0]), "path")],
        [("B ", "label"), (printable(folders[1]), "path")],
    ]
    if comparison.across:
        rows.append([("compared across ", "quiet"), (", ".join(map(spelled, comparison.across)), "name")])
    lines: list[list[Cell]] = []
    for one, other in shown:
        lines.append([(phrase(one.configuration, comparison.names) or comparison.task, "name")])
        for side, run in (("A", one), ("B", other)):
            lines.append([(f"  {side} {_across(run, comparison)}".rstrip(), "label"), *_figures(run)])
    summary: list[Row] = [[(_summary(comparison, len(comparison.pairs) - len(shown)), "heading")]]
    if any(comparison.alone):
        left = " and ".join(
            f"{number} of {side}" for number, side in zip(comparison.alone, "AB", strict=True) if number
        )
        summary.append([(f"without a counterpart: {left}", "caution")])
    return drawn([block for block in (rows, table(lines, width, 0), summary) if block], color)


def _differ(one: Run, other: Run) -> bool:
    return one.status != other.status or signatures(one) != signatures(other)


def _across(run: Run, comparison: Comparison) -> str:
    return phrase(run.configuration, comparison.across)


def _figures(run: Run) -> list[Cell]:
    named = ", ".join(signatures(run))
    loss = last_loss(run)
    text = end(run) + (f"; {named}" if named else "")
    figure = "" if math.isnan(loss) else f"loss {numeral(loss)}"
    return [(figure, "text"), (text, "bad" if severity(run)[0] > 1 else "text")]


def _summary(comparison: Comparison, alike: int) -> str:
    better = sum(severity(other) < severity(one) for one, other in comparison.pairs)
    worse = sum(severity(other) > severity(one) for one, other in comparison.pairs)
    said = f"{count(len(comparison.pairs), 'pair')}: B is better in {better}, worse in {worse}"
    return f"{said}; {alike} ended alike and are not shown" if alike else said


def _data(comparison: Comparison, folders: Sequence[str]) -> dict[str, Any]:
    def side(run: Run) -> dict[str, Any]:
        data = run.to_json()
        kept = {name: data[name] for name in ("configuration", "status", "final_loss", "largest_weight", "conditions")}
        return {**kept, "end": end(run), "signatures": list(signatures(run)), "epochs": len(run.epochs)}

    return {
        "folders": list(folders),
        "task": comparison.task,
        "across": list(comparison.across),
        "surroundings": {name: list(pair) for name, pair in comparison.surroundings.items()},
        "alone": list(comparison.alone),
        "pairs": [[side(one), side(other)] for one, other in comparison.pairs],
    }
