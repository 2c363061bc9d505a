"""For people: a line for each run, then why, then what helped when it was tried."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from numlint.lab.boundary import Boundary
from numlint.lab.conclusion import Conclusion
from numlint.lab.machines import Weights
from numlint.lab.outcome import BROKEN, end, sick, signatures
from numlint.lab.recommend import CURED, NO_HELP, Remedy, Trial
from numlint.lab.task import numeral, phrase, spelled, written
from numlint.report._drawing import count, drawn
from numlint.report._frame import Row, wrapped
from numlint.report._printable import one_line, printable
from numlint.report.lab._table import Cell, table
from numlint.runtime.lab.record import CONVERGED, EXHAUSTED, REFUSED, STATUSES, Run

name = "text"

RUNS, LINES, TRIALS = 20, 8, 10
"""Runs, lines of a section, and mitigations of a run that are shown without --verbose."""
_STYLES = {CONVERGED: "good", EXHAUSTED: "caution", "stopped": "caution", REFUSED: "caution"}
_VERDICTS = {CURED: "good", NO_HELP: "quiet", "better": "caution"}


def render(conclusion: Conclusion, *, color: bool, width: int, detail: int) -> str:
    """The runs, the condition numbers and the recommendation; the evidence for them; a summary."""
    width = max(width, 40)
    blocks = [_verdict(conclusion, width, detail)]
    if detail:
        blocks += [
            _phases(conclusion, width, detail),
            _signatures(conclusion, width, detail),
            _boundaries(conclusion, width, detail),
            _machines(conclusion.weights, conclusion.names, width),
            *(_remedy(remedy, conclusion.names, width, detail) for remedy in conclusion.remedies),
        ]
    blocks.append(_summary(conclusion, width))
    return drawn([block for block in blocks if block], color)


def _verdict(conclusion: Conclusion, width: int, detail: int) -> list[Row]:
    rows: list[Row] = []
    shown = conclusion.runs if detail > 1 else _sample(conclusion.runs, RUNS)
    if conclusion.was_refused and len({run.reason for run in conclusion.runs}) == 1:
        shown = conclusion.runs[:1]  # the others could not be made for the same reason
    for run in shown:
        rows += _line(
            [("Run ", "text"), (_named(run, conclusion.names), "name"), (": ", "text")], _end(run), _style(run), width
        )
    hidden = len(conclusion.runs) - len(shown)
    if hidden:
        seen = {id(run) for run in shown}
        statuses = _counts([run for run in conclusion.runs if id(run) not in seen])
        rows.append([(f"... and {count(hidden, 'run')}: {statuses}; -v shows all", "quiet")])
    for label, key in (("X^T X", "gram"), ("the Hessian, at the end", "hessian_end")):
        low, high = conclusion.conditions(key)
        if not math.isnan(low):
            said = _number(low) if _number(low) == _number(high) else f"{_number(low)} to {_number(high)}"
            rows.append([(f"Condition number({label}): ", "text"), (said, "bad" if high >= 1e7 else "name")])
    rows += _recommended(conclusion, width)
    return rows


def _recommended(conclusion: Conclusion, width: int) -> list[Row]:
    found = list(conclusion.recommendations())
    rows: list[Row] = []
    for text, remedies in found:
        number = sum(remedy.stands_for for remedy in remedies)
        cured = all(remedy.best is not None and remedy.best.verdict == CURED for remedy in remedies)
        where = ""
        if len(found) > 1 or not cured:
            shown = _named(remedies[0].failing, conclusion.names)
            like = f" and {number - 1} like it" if number > 1 else ""
            where = f" (for {shown}{like}{'' if cured else '; it helps, and is no cure'})"
        rows += _line([("Recommendation: ", "text")], f"{text}{where}", "good" if cured else "caution", width)
    if not found and any(remedy.trials for remedy in conclusion.remedies):
        rows.append([("Recommendation: none; nothing that was tried helped", "caution")])
    return rows


def _sample(runs: Sequence[Run], number: int) -> list[Run]:
    """Some runs of every kind, in their order: as many of each as its share, and a few of each failure."""
    if len(runs) <= number:
        return list(runs)
    kinds: dict[tuple[object, ...], list[Run]] = {}
    for run in runs:
        kinds.setdefault((run.status, signatures(run)), []).append(run)
    kept: set[int] = set()
    for group in sorted(kinds.values(), key=lambda group: (not sick(group[0]), len(group))):
        share = min(len(group), max(3 if sick(group[0]) else 1, number * len(group) // len(runs)), number - len(kept))
        kept.update(id(group[place * len(group) // share]) for place in range(share))
    return [run for run in runs if id(run) in kept]


def _named(run: Run, names: Sequence[str]) -> str:
    return printable(phrase(run.configuration, names) or run.configuration.task)


def _end(run: Run, *, brief: bool = False) -> str:
    named = signatures(run)
    # A divergence says itself; what else was named is worth a word.
    besides = [item for item in named if not (run.status in BROKEN and item == "divergence")]
    return one_line(end(run, brief=brief)) + (f"; {', '.join(besides)}" if besides else "")


def _style(run: Run) -> str:
    return _STYLES.get(run.status, "bad") if not (run.status == CONVERGED and sick(run)) else "caution"


def _line(beginning: Row, text: str, style: str, width: int) -> list[Row]:
    """A text after a beginning, wrapped below it where it does not fit."""
    used = sum(len(part) for part, _ in beginning)
    parts = wrapped(text, max(width - used, 1))
    if used + max(map(len, parts)) <= width:
        return [[*beginning, (parts[0], style)], *([("    ", "text"), (part, style)] for part in parts[1:])]
    return [beginning, *([("    ", "text"), (part, style)] for part in wrapped(text, width - 4))]


def _phases(conclusion: Conclusion, width: int, detail: int) -> list[Row]:
    """Runs that were in more than one phase, or in one that is not healthy; each course of training once."""
    courses: dict[tuple[str, ...], list[Run]] = {}
    for run in conclusion.runs:
        names = tuple(phase.name for phase in run.phases)
        if names and set(names) != {"healthy"}:
            courses.setdefault(names, []).append(run)
    chosen = sorted(courses.values(), key=len, reverse=True)
    lines: list[list[Cell]] = []
    for group in chosen if detail > 1 else chosen[:LINES]:
        run = group[len(group) // 2]
        course = ", ".join(f"{phase.name} {_epochs(phase.first, phase.last)}" for phase in run.phases)
        worst = next((phase for phase in reversed(run.phases) if phase.name != "healthy" and phase.evidence), None)
        lines.append(
            [
                (count(len(group), "run"), "quiet"),
                (_named(run, conclusion.names), "name"),
                (course + (f" ({worst.evidence})" if worst else ""), "text"),
            ]
        )
    return _section("Phases of training, with their epochs", lines, width, len(chosen) - len(lines))


def _epochs(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _signatures(conclusion: Conclusion, width: int, detail: int) -> list[Row]:
    lines: list[list[Cell]] = []
    for signature, found in conclusion.named():
        for number, (run, finding) in enumerate(found[: len(found) if detail > 1 else 1]):
            place = " ".join(part for part in (finding.layer, finding.where) if part)
            figure = finding.figure + (f" [{place}]" if place else "")
            lines.append(
                [
                    ("" if number else signature, "bad"),
                    ("" if number else count(len(found), "run"), "quiet"),
                    (f"epoch {finding.epoch}", "text"),
                    (f"{_named(run, conclusion.names)}: {figure}", "text"),
                ]
            )
    return _section("Signatures of failure, where each was named first", lines, width)


def _boundaries(conclusion: Conclusion, width: int, detail: int) -> list[Row]:
    found = [item for item in conclusion.boundaries if detail > 1 or _tells(item)]
    if not found:
        return []
    setting = spelled(found[0].setting)
    others = [name for name in conclusion.names if name != found[0].setting]
    # Between two values of a grid lies anything; a bisection has closed in on one.
    exact = bool(conclusion.asked.sweep.adaptive)
    heads = ["", "holds at", "fails at", *(["boundary"] if exact else [])]
    if found[0].setting == "lr":
        heads += ["2/lambda_max", *(["ratio"] if exact else [])]
    lines: list[list[Cell]] = [[(head, "label") for head in heads]]
    shown = found if detail > 1 else found[:RUNS]
    for item in shown:
        name = printable(phrase(item.configuration, others)) or conclusion.task.name
        figures = {
            "holds at": (_number(item.holds), "good"),
            "fails at": (_number(item.fails), "bad"),
            "boundary": (_number(item.value), "name"),
            "2/lambda_max": (_number(item.theory), "text"),
            "ratio": (_number(item.value / item.theory if item.theory else math.nan), "quiet"),
        }
        lines.append([(name, "name"), *(figures[head] for head in heads[1:])])
    how = "by bisection" if exact else "from the grid"
    title = "Learning-rate boundary" if setting == "lr" else f"Boundary of {setting}"
    return _section(f"{title}, {how}", lines, width, len(found) - len(shown))


def _tells(item: Boundary) -> bool:
    return not math.isnan(item.fails) or not math.isnan(item.theory)


def _machines(weights: Sequence[Weights], names: Sequence[str], width: int) -> list[Row]:
    """A column for each run, a line for each machine."""
    if not weights:
        return []
    heads: list[Cell] = [("", "label")]
    for item in weights:
        values = [written(item.run.configuration.settings.get(name)) for name in names]
        heads.append((" ".join(values) or item.run.configuration.task, "label"))
    lines: list[list[Cell]] = [heads]
    for place, one in enumerate(weights[0].machines):
        line: list[Cell] = [(one.machine, "text")]
        for item in weights:
            honoured = item.machines[place].honoured
            size = item.machines[place].run.largest_weight
            line.append((_number(size), "bad" if item.depends else "text") if honoured else ("not here", "quiet"))
        lines.append(line)
    verdicts: list[Cell] = [
        ("differs" if item.depends else "same", "bad" if item.depends else "good") for item in weights
    ]
    return _section("Largest weight on emulated machines", [*lines, [("", "text"), *verdicts]], width)


def _remedy(remedy: Remedy, names: Sequence[str], width: int, detail: int) -> list[Row]:
    failing = remedy.failing
    like = f", as {count(remedy.stands_for - 1, 'other run')}" if remedy.stands_for > 1 else ""
    title = f"Tried for {_named(failing, names)}{like}"
    rows: list[Row] = [[(part, "heading")] for part in wrapped(title, width)]
    if not remedy.trials:
        return [*rows, [("  nothing to try: no mitigation of this task is for that", "quiet")]]
    # Each that was tried alone, and of the combinations those that helped: the others would bury them.
    told = [trial for trial in remedy.trials if len(trial.mitigations) == 1 or trial.verdict != NO_HELP]
    shown = remedy.trials if detail > 1 else sorted(told, key=lambda trial: trial.rank)[:TRIALS]
    before: list[Cell] = [("before", "label"), ("", "text"), ("", "text"), (_end(failing, brief=True), _style(failing))]
    ranked = sorted(shown, key=lambda trial: (trial.verdict == NO_HELP, trial.rank))
    rows += table([before, *map(_trial, ranked)], width)
    hidden = len(remedy.trials) - len(ranked)
    if hidden:
        rows.append([(f"  ... and {count(hidden, 'combination')} that helped no more; -v shows all", "quiet")])
    return rows


def _trial(trial: Trial) -> list[Cell]:
    note = f" ({trial.alters})" if trial.alters and trial.verdict != NO_HELP else ""
    after = _end(trial.run, brief=True) + note
    verdict = (trial.verdict, _VERDICTS.get(trial.verdict, "text"))
    return [
        verdict,
        (trial.name, "name"),
        (_changes(trial), "text"),
        (after, "text" if trial.verdict != NO_HELP else "quiet"),
    ]


def _changes(trial: Trial) -> str:
    return " ".join(f"{spelled(key)}={written(value)}" for key, value in sorted(trial.settings.items()))


def _section(title: str, lines: Sequence[Sequence[Cell]], width: int, hidden: int = 0) -> list[Row]:
    if not lines:
        return []
    rows: list[Row] = [[(title, "heading")], *table(lines, width)]
    if hidden > 0:
        rows.append([(f"  ... and {hidden} more; -v shows all", "quiet")])
    return rows


def _summary(conclusion: Conclusion, width: int) -> list[Row]:
    rows: list[Row] = []
    for note in conclusion.notes:
        rows += [
            [("note: " if not number else "  ", "caution"), (part, "text")]
            for number, part in enumerate(wrapped(note, width - 6))
        ]
    total: Row = [(count(len(conclusion.runs), "run"), "heading")]
    if conclusion.runs:
        total.append((f": {_counts(conclusion.runs)}", "text"))
    total.append((f" in {_time(conclusion.seconds)}", "quiet"))
    rows.append(total)
    named = sum(bool(run.findings) for run in conclusion.runs)
    if named:
        rows.append([(f"{count(named, 'run')} with a signature of failure", "text")])
    trials = [trial for remedy in conclusion.remedies for trial in remedy.trials]
    if trials:
        helped = sum(trial.verdict != NO_HELP for trial in trials)
        cured = sum(trial.verdict == CURED for trial in trials)
        rows.append([(f"{count(len(trials), 'mitigation')} tried: {helped} helped, {cured} of them cured", "text")])
    if conclusion.left:
        rows.append([(f"{count(conclusion.left, 'run')} left: numlint lab --resume {conclusion.folder}", "caution")])
    if conclusion.folder:
        rows.append([("results in ", "quiet"), (printable(conclusion.folder), "path")])
    return rows


def _counts(runs: Sequence[Run]) -> str:
    counts = Counter(run.status for run in runs)
    words = {EXHAUSTED: "not converged"}
    return ", ".join(
        f"{counts[status]} {words.get(status, status.replace('-', ' '))}" for status in STATUSES if counts[status]
    )


def _number(value: float) -> str:
    return "-" if math.isnan(value) else numeral(float(f"{value:.{3 if abs(value) < 1e5 else 2}g}"))


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds // 60)} min {seconds % 60:.0f} s"
