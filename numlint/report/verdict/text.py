"""For people: each verdict as a few lines that answer "is that really a problem here?"."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.cells import cell_len

from numlint import evidence as words
from numlint.confirm.confirmation import Confirmation, Confirmed
from numlint.confirm.cures import verified
from numlint.finding import Problem, Rewrite
from numlint.report._drawing import count, drawn
from numlint.report._frame import Row, wrapped
from numlint.report._printable import one_line, printable
from numlint.rule import Rule

name = "text"

_GAP = "   "
_MEASURE = 100
"""Where the verdict stands at the end of a heading, however wide the terminal is."""
_BRIEF = 30
"""Longer values of machines are given by their largest entry."""
_LABELS = ((100, 23), (0, 18))
"""From which width on labels take how many columns."""
_STATUS = {"confirmed": "bad", "refuted": "good", "outside-domain": "quiet", "inconclusive": "caution"}
_RUNGS = {"recorded": "recorded call", "declared": "declared call", "synthesised": "synthesised call", "slice": "slice"}

Line = tuple[str, str, list[str]]
"""A label, the style of what follows, and phrases that are kept together where they fit."""


def render(confirmation: Confirmation, rules: Sequence[Rule], *, color: bool, width: int, detail: int) -> str:
    """Verdicts in the order of the findings, then what was not run, then a summary."""
    width = max(width, 40)
    shown = [result for result in confirmation.results if detail or result.is_sure]
    blocks = [_block(result, width, detail) for result in shown]
    blocks += [_problem(problem, width) for problem in confirmation.problems]
    blocks.append(_summary(confirmation, width))
    return drawn(blocks, color)


def _block(result: Confirmed, width: int, detail: int) -> list[Row]:
    rows = _heading(result, width)
    for line in _lines(result, detail):
        rows += _laid_out(line, width)
    return rows


def _heading(result: Confirmed, width: int) -> list[Row]:
    verdict = result.verdict
    place: Row = [(printable(verdict.path), "path"), (f":{verdict.line}:{verdict.column}", "place")]
    what: Row = [(f" {verdict.rule}", "name"), (f" ({verdict.code})", "quiet")]
    if verdict.function and verdict.function != "<module>":
        what.append((f" in {printable(verdict.function)}", "quiet"))
    realism = verdict.evidence.realism if verdict.evidence is not None and verdict.status == "confirmed" else ""
    sure = result.is_sure or verdict.status != "confirmed"
    style = _STATUS.get(verdict.status, "text") if sure else "quiet"
    said = words.STATUS.get(verdict.status, verdict.status).upper()
    right: Row = [(said, style), *([(f"  {realism}", "text")] if realism else [])]
    measure = min(width, _MEASURE)
    for above, beside in (([], [*place, *what]), ([place], [(" ", "text"), *what])):
        room = measure - _cells(beside) - _cells(right)
        if room > 1:
            return [*above, [*beside, (" " * room, "text"), *right]]
    return [place, [(" ", "text"), *what], [("  ", "text"), *right]]


def _lines(result: Confirmed, detail: int) -> Iterator[Line]:
    verdict = asdict(result.verdict)
    if verdict["status"] == "confirmed" and verdict["evidence"]:
        yield from _failure(verdict["evidence"])
    elif verdict["reason"]:
        yield "because", "text", [verdict["reason"]]
    if verdict["remedy"] and verdict["status"] != "confirmed":
        yield "to run it", "name", [verdict["remedy"]]
    yield from _cures(verdict, detail, {item.rewrite.summary: item.rewrite for item in result.case.rewritten})
    yield from _machines(verdict["machines"])
    if verdict["status"] != "confirmed" or detail > 1:
        yield from _tried(verdict["tried"])
    if verdict["rung"]:
        stubbed = [f"without {', '.join(verdict['stubbed'])}"] if verdict["stubbed"] else []
        run = _RUNGS.get(verdict["rung"], verdict["rung"])
        yield "run as", "text", [f"{run}: {verdict['harness']}" if verdict["harness"] else run, *stubbed]
    if verdict["status"] == "confirmed":
        yield "replay", "command", [result.verdict.replay]


def _failure(evidence: dict[str, Any]) -> Iterator[Line]:
    phrases = words.boundary(evidence) or words.figure(evidence)
    yield words.chain(evidence), "text", phrases
    if evidence["realism"] == "extreme":
        yield "", "quiet", ["only beyond what data can be expected to be: a margin, no warning"]
    origin = evidence["origin"]
    if origin:
        values = [f"{key} {origin[key]}" for key in ("operand", "result") if origin[key]]
        said = ", ".join(value.replace("operand", "input", 1) for value in values)
        if origin["digits_lost"]:
            said = f"{said}, {words.number(origin['digits_lost'])} digits lost".lstrip(", ")
        what = origin["text"] or origin["operation"]
        yield f"began at line {origin['line']}", "text", [f"{what}: {said}" if said and what else what or said]
    smallest = evidence["smallest"]
    if smallest:
        arguments = ", ".join(f"{key} = {text}" for key, text in smallest["arguments"].items())
        form = smallest["format"]
        given = f"{arguments} {form}".strip() if form not in arguments and form != "float64" else arguments
        got = smallest["got"].removesuffix(f" {form}")
        came, should = words.outcomes(evidence)
        true = [f"{should} {smallest['true']}"] if smallest["true"] else []
        # Where the two are the same, what differs is not what is returned.
        yield "smallest input", "text", [given, *([f"{came} {got}", *true] if got != smallest["true"] else [])]
    if not evidence["reaches_output"]:
        yield "", "quiet", ["the wrong value does not reach what the function returns"]
    if evidence["note"]:
        yield "note", "text", [evidence["note"]]


def _cures(verdict: dict[str, Any], detail: int, rewrites: Mapping[str, Rewrite]) -> Iterator[Line]:
    evidence = verdict["evidence"] or {}
    labels = {"verified": "cure", "changes-semantics": "not equal", "rejected": "rejected", "not-run": "not run"}
    for cure in sorted(verdict["cures"], key=lambda item: list(labels).index(item["status"])):
        if cure["status"] == "not-run" and detail < 2:
            continue
        rewrite = rewrites.get(cure["summary"])
        text = _dotted(cure["text"], rewrite.imports if rewrite else ()) or cure["summary"]
        style = {"verified": "good", "changes-semantics": "caution"}.get(cure["status"], "text")
        label = labels[cure["status"]]
        if cure["status"] == "verified":
            labels["verified"] = "cures, too"
        yield label, style, [text, *_figures(cure, evidence)]


def _dotted(text: str, imports: Sequence[str]) -> str:
    """A replacement with the names that it imports in full."""
    for name in imports:
        text = re.sub(rf"(?<![\w.]){re.escape(name.rpartition('.')[2])}\b(?!\s*=)", name, text)
    return text


def _figures(cure: dict[str, Any], evidence: dict[str, Any]) -> list[str]:
    """The figure of a rewrite beside that of the code as it is."""
    reason = [cure["reason"]] if cure["reason"] else []
    if cure["error_after"] is None:
        return reason
    after, before = cure["error_after"], cure["error_before"]
    wrong = words.outcome(evidence)
    said = f"largest relative error {words.error(after)}" if math.isfinite(after) else f"still {wrong}"
    if cure["failed_after"]:
        failing = words.failing_formats(cure)
        where = f" in {words.listed(failing)}" if failing and len(failing) < len(cure["by_format"]) else ""
        said += f", fails{where} on {cure['failed_after']}"
    said += f" of {count(cure['inputs'], 'input')}" if cure["failed_after"] else f" on {count(cure['inputs'], 'input')}"
    if before is not None:
        was = words.error(before) if math.isfinite(before) else wrong
        said += f" (before: {was} on {cure['failed_before']})"
    return [said, *(reason if not cure["failed_after"] else [])]  # else the reason says the same


def _machines(machines: list[dict[str, Any]]) -> Iterator[Line]:
    """One line for each machine, in columns; one for all of them where they agree."""
    honoured = [machine for machine in machines if machine["honoured"]]
    if len(honoured) > 1 and len({machine["result"] for machine in honoured}) == 1:
        names = ", ".join(machine["name"] for machine in honoured)
        yield "machines", "text", [f"the same on all {len(honoured)} that could be tried", f"({names})"]
        return
    shown = [(machine["name"], *_result(machine)) for machine in machines]
    wide = [max((cell_len(row[column]) for row in shown), default=0) for column in (0, 1)]
    for number, (called, result, kernel) in enumerate(shown):
        said = f"{called:<{wide[0]}}  {result:<{wide[1]}}  {kernel}".rstrip()
        yield "" if number else "machines", "columns", [said]


def _result(machine: dict[str, Any]) -> tuple[str, str]:
    """What came out on a machine, shortened, and the kernels that really ran."""
    if not machine["honoured"]:
        return "not available here", machine["result"] or f"{machine['kernel']} ran instead"
    brief = machine["result"]
    if len(brief) > _BRIEF and machine["figure"] is not None:
        brief = f"largest entry {words.number(machine['figure'])}"
    return brief, f"({machine['kernel']} kernels)" if machine["kernel"] not in ("", machine["name"]) else ""


def _tried(tried: dict[str, Any]) -> Iterator[Line]:
    """What was done to make it fail."""
    said = [count(int(tried[key]), key[:-1]) for key in ("inputs", "runs") if tried.get(key)]
    if said:
        forms = [", ".join(map(str, tried["formats"]))] if tried.get("formats") else []
        oracle = [f"true values by {tried['oracle']}"] if tried.get("oracle") else []
        yield "tried", "text", [", ".join(said), *forms, *oracle]
    if tried.get("perturbations"):
        yield "", "quiet", [", ".join(map(str, tried["perturbations"]))]


def _laid_out(line: Line, width: int) -> list[Row]:
    label, style, phrases = line
    left = next(columns for least, columns in _LABELS if width >= least)
    room = width - 2 - left
    if style == "command":  # to be copied: in one piece
        fits = cell_len(phrases[0]) <= room
        above: list[Row] = [] if fits else [[(f"  {label}", "heading")]]
        start = f"  {label}{' ' * (left - cell_len(label))}" if fits else "    "
        return [*above, [(start, "heading"), (printable(phrases[0]), "quiet")]]
    texts = _columns(phrases, room) if style == "columns" else _filled(phrases, room)
    style = "text" if style == "columns" else style
    label = one_line(label)
    rows: list[Row] = []
    if cell_len(label) >= left:  # too long to stand beside anything
        rows, label = [[(f"  {label}", "heading")]], ""
    for text in texts or [""]:
        beside = f"  {label}{' ' * (left - cell_len(label))}"
        rows.append([(beside, "heading"), (text, style)] if text else [(beside.rstrip(), "heading")])
        label = ""
    return rows


def _filled(phrases: Sequence[str], room: int) -> list[str]:
    """Phrases in lines: side by side where they fit whole, else each wrapped on lines of its own."""
    lines: list[str] = []
    for phrase in (one_line(phrase) for phrase in phrases if phrase):
        if lines and cell_len(lines[-1]) + len(_GAP) + cell_len(phrase) <= room:
            lines[-1] += _GAP + phrase
        elif cell_len(phrase) > room and (bracket := phrase.find(" (before: ")) > 0:
            lines += [*wrapped(phrase[:bracket], room), *wrapped(phrase[bracket + 1 :], room)]
        else:
            lines += wrapped(phrase, room)
    return lines


def _columns(phrases: Sequence[str], room: int) -> list[str]:
    text = printable(phrases[0])
    return [text] if cell_len(text) <= room else wrapped(text, room)


def _cells(row: Row) -> int:
    return sum(cell_len(text) for text, _ in row)


def _problem(problem: Problem, width: int) -> list[Row]:
    place = f":{problem.line}:{max(problem.column, 1)}" if problem.line else ""
    rows: list[Row] = [[(printable(problem.path), "path"), (place, "place"), (" not checked", "bad")]]
    for text in (problem.message, problem.hint):
        rows += [[(f"  {part}", "text")] for part in wrapped(printable(text), min(width, _MEASURE) - 2) if part]
    return rows


def _summary(confirmation: Confirmation, width: int) -> list[Row]:
    """Counts by status and rung, what can be fixed, and how long it took."""
    results = confirmation.results
    rows: list[Row] = [[("nothing to confirm", "heading")]]
    if results:
        statuses = _by_status(confirmation)
        first: Row = [(count(len(results), "finding"), "heading")]
        together: Row = [(": ", "text"), *_joined(statuses, ", ")]
        fits = _cells([*first, *together]) <= width
        rows = [[*first, *together]] if fits else [first, *([("  ", "text"), item] for item in statuses)]
        rungs = Counter(result.verdict.rung for result in results if result.verdict.rung)
        said = ", ".join(f"{rungs[rung]} {_RUNGS[rung]}{'s' * (rungs[rung] > 1)}" for rung in _RUNGS if rungs[rung])
        took = f" in {confirmation.seconds:.1f} s" if confirmation.seconds else ""
        rows.append([(f"run{took}{': ' if said else ''}{said}", "text")])
    if confirmation.left:
        rows.append([(f"interrupted: {count(confirmation.left, 'finding')} without a verdict", "caution")])
    if confirmation.problems:
        rows.append([(f"{len(confirmation.problems)} not checked", "bad")])
    fixable = sum(verified(result) is not None and result.is_sure for result in results)
    return [*rows, [(f"{count(fixable, 'verified rewrite')}: --fix applies them", "good")]] if fixable else rows


def _joined(pieces: Sequence[tuple[str, str]], between: str) -> Row:
    row: Row = []
    for piece in pieces:
        row += [(between, "text"), piece] if row else [piece]
    return row


def _by_status(confirmation: Confirmation) -> Row:
    statuses = Counter(result.verdict.status for result in confirmation.results)
    realism = Counter(
        result.verdict.evidence.realism
        for result in confirmation.results
        if result.verdict.status == "confirmed" and result.verdict.evidence is not None
    )
    row: Row = []
    for status, style in _STATUS.items():
        if not statuses[status]:
            continue
        said = f"{statuses[status]} {words.STATUS[status]}"
        if status == "confirmed":
            kinds = ("plain", "realistic", "stress", "extreme")
            said += f" ({', '.join(f'{realism[kind]} {kind}' for kind in kinds if realism[kind])})"
            style = style if any(result.is_sure for result in confirmation.results) else "quiet"
        row.append((said, style))
    return row
