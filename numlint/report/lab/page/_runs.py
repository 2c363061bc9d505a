"""The runs: all losses together, then each run with its curves, its phases and its signatures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from numlint.lab.conclusion import Conclusion
from numlint.lab.outcome import end, severity, sick
from numlint.lab.task import phrase
from numlint.report._drawing import count
from numlint.report.lab.page._lines import TONES, Curve, legend, panel
from numlint.report.page._markup import Markup, element, figure, joined, table
from numlint.report.page._summary import badge, card
from numlint.runtime.lab.record import (
    CONVERGED,
    DIED,
    DIVERGED,
    EXHAUSTED,
    FAILED,
    REFUSED,
    STOPPED,
    TIMED_OUT,
    Epoch,
    Finding,
    Run,
)

KINDS = {
    CONVERGED: ("converged", "at a minimum, as far as the format resolves it"),
    EXHAUSTED: ("unfinished", "all epochs made, or stopped, away from a minimum"),
    STOPPED: ("unfinished", ""),
    DIVERGED: ("diverged", "the loss is not finite, or grew beyond all bounds"),
    FAILED: ("broken", "raised, hung, died, or could not be run"),
    TIMED_OUT: ("broken", ""),
    DIED: ("broken", ""),
    REFUSED: ("broken", ""),
}
LABELS = {"unfinished": "not converged", "broken": "failed"}
TOGETHER, SHOWN, OPEN = 40, 60, 3
"""Curves in one drawing, runs that are shown with their curves, and of these those that are open from the start."""
NORMS: tuple[tuple[str, str, Callable[[Epoch], float]], ...] = (
    ("gradient", "ink-float64", lambda epoch: epoch.gradient_norm),
    ("update", "ink-float32 dashed", lambda epoch: epoch.update_norm),
    ("weights", "ink-bfloat16 dotted", lambda epoch: epoch.weight_norm),
)


def cards(runs: Sequence[Run]) -> Markup:
    """How many runs ended how; a press hides or shows them."""
    meanings: dict[str, str] = {}
    for kind, meaning in KINDS.values():
        meanings.setdefault(kind, meaning)
    numbers = {kind: sum(KINDS[run.status][0] == kind for run in runs) for kind in meanings}
    found = [card(kind, numbers[kind], LABELS.get(kind, kind), meaning) for kind, meaning in meanings.items()]
    return element("section", *found, class_="cards", aria_label="Runs by their end; press to show or hide")


def together(conclusion: Conclusion) -> Markup | None:
    """The losses of all runs in one drawing."""
    runs = [run for run in conclusion.runs if run.epochs]
    if len(runs) < 2:
        return None
    shown = [runs[place * len(runs) // TOGETHER] for place in range(TOGETHER)] if len(runs) > TOGETHER else runs
    shown = sorted(shown, key=lambda run: -severity(run)[0])  # what went well lies on top
    curves = [Curve(_name(run, conclusion), _losses(run), f"ink-{KINDS[run.status][0]} thin") for run in shown]
    last = max(run.epochs[-1].epoch for run in shown)
    picture = panel(curves, "loss", last, 320)
    if picture is None:
        return None
    present = {KINDS[run.status][0] for run in shown}
    entries = [(LABELS.get(kind, kind), f"ink-{kind}") for kind in dict.fromkeys(k for k, _ in KINDS.values())]
    said = f"{len(shown)} of {count(len(runs), 'run')}. " if len(shown) < len(runs) else ""
    note = element(
        "figcaption",
        f"{said}A cross marks the epoch from which on the loss is inf, nan, or a million times what it was.",
    )
    names = legend([entry for entry in entries if entry[1].removeprefix("ink-") in present])
    drawing = element("figure", names, element("div", picture, class_="scroll"), note, class_="plot")
    return element("section", element("h2", "All losses"), element("div", drawing, class_="sheet"))


def articles(conclusion: Conclusion) -> Markup | None:
    """Each run with its curves; the failures first, one of each kind open."""
    if not conclusion.runs:
        return None
    ordered = sorted(enumerate(conclusion.runs), key=lambda item: (not sick(item[1]), item[0]))
    seen: set[tuple[object, ...]] = set()
    parts = []
    for _, run in ordered[:SHOWN]:
        kind = (run.status, tuple(phase.name for phase in run.phases))
        parts.append(_article(run, conclusion, opened=kind not in seen and len(seen) < OPEN))
        seen.add(kind)
    hidden = len(ordered) - len(parts)
    note = element("p", f"{count(hidden, 'more run')}, whose records are in {conclusion.folder}.", class_="quiet")
    return element("section", element("h2", "Runs"), *parts, note if hidden else None, class_="runs")


def _article(run: Run, conclusion: Conclusion, *, opened: bool) -> Markup:
    kind = KINDS[run.status][0]
    heading = element(
        "summary",
        badge(LABELS.get(kind, kind), kind),
        element("strong", _name(run, conclusion)),
        element("span", end(run), class_="quiet"),
        *(badge(name, "signature") for name in dict.fromkeys(item.signature for item in run.findings)),
    )
    drawn = curves(run)
    parts = [
        drawn if drawn else element("p", run.reason or "No epoch was finished.", class_="quiet"),
        _phases(run),
        _findings(run.findings),
        _facts(run),
    ]
    return element("details", heading, *parts, class_=f"run {kind}", open=opened, data_status=kind)


def curves(run: Run) -> Markup | None:
    """Loss above norms, with the phases behind both."""
    if not run.epochs:
        return None
    last = run.epochs[-1].epoch
    losses = panel([Curve("loss", _losses(run), "ink-loss")], "loss", last, 200, run.phases)
    norms = [Curve(name, [(e.epoch, of(e)) for e in run.epochs], style) for name, style, of in NORMS]
    known = [curve for curve in norms if any(not math.isnan(value) for _, value in curve.points)]
    # What was never measured is nan from the first epoch on, and is no failure.
    measured = [Curve(curve.name, _measured(curve.points), curve.style) for curve in known]
    below = panel(measured, "norm", last, 190, run.phases)
    tones = {tone: name for name, tone in TONES.items() if any(phase.name == name for phase in run.phases)}
    names = legend([("loss", "ink-loss"), *((f"{curve.name} norm", curve.style) for curve in measured)])
    if losses is None and below is None:
        return None
    words = ", ".join(f"{phase.name} {_epochs(phase.first, phase.last)}" for phase in run.phases)
    caption = element("figcaption", f"Phases: {words}." if tones else "")
    return element("figure", names, element("div", losses, below, class_="scroll"), caption, class_="plot")


def _measured(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    first = next((place for place, (_, value) in enumerate(points) if not math.isnan(value)), len(points))
    return list(points[first:])


def _losses(run: Run) -> list[tuple[int, float]]:
    return [(epoch.epoch, epoch.loss) for epoch in run.epochs]


def _phases(run: Run) -> Markup | None:
    told = [phase for phase in run.phases if phase.evidence and phase.name != "healthy"]
    if not told:
        return None
    rows = [(phase.name, _epochs(phase.first, phase.last), phase.evidence) for phase in told]
    return element("section", table("Phases and what speaks for them", ("phase", "epochs", "evidence"), rows))


def _findings(findings: Sequence[Finding]) -> Markup | None:
    if not findings:
        return None
    rows = [
        (
            finding.signature,
            str(finding.epoch),
            joined(finding.figure, element("br") if finding.where else None, element("code", finding.where)),
            finding.layer or "–",
        )
        for finding in sorted(findings, key=lambda finding: finding.epoch)
    ]
    return element("section", table("Signatures of failure", ("signature", "epoch", "figure", "layer"), rows))


def _facts(run: Run) -> Markup:
    found = run.conditions
    lost = max((epoch.lost_updates for epoch in run.epochs), default=math.nan)
    lr = run.configuration.settings.get("lr")
    entries = {
        "condition of the design": found.design,
        "condition of the Hessian, at first and last": (found.hessian_start, found.hessian_end),
        "learning rate": float(lr) if isinstance(lr, (int, float)) else math.nan,
        "2/lambda_max": found.largest_stable_lr,
        "largest weight": run.largest_weight,
        "most updates lost in an epoch": lost if lost > 0 else math.nan,
        "seconds": run.seconds,
        "of these, for logging": run.logging_seconds,
    }
    items = []
    for name, value in entries.items():
        known = [item for item in (value if isinstance(value, tuple) else (value,)) if not math.isnan(item)]
        if known:
            text = f"{100 * known[0]:.0f} %" if "lost" in name else ", ".join(map(figure, known))
            items.append(element("div", element("dt", name), element("dd", text)))
    return element("dl", *items)


def _name(run: Run, conclusion: Conclusion) -> str:
    return phrase(run.configuration, conclusion.names) or run.configuration.task


def _epochs(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}–{last}"
