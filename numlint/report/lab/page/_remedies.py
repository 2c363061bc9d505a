"""What was tried for the runs that failed, before and after side by side."""

from __future__ import annotations

from collections.abc import Sequence

from numlint.lab.conclusion import Conclusion
from numlint.lab.outcome import end, signatures
from numlint.lab.recommend import CURED, NO_HELP, Remedy, Trial
from numlint.lab.task import phrase, spelled, written
from numlint.report._drawing import count
from numlint.report.lab.page._lines import Curve, legend, panel
from numlint.report.page._markup import Markup, element, joined, table
from numlint.report.page._summary import badge
from numlint.runtime.lab.record import Run

_BADGES = {CURED: "good", NO_HELP: "quiet", "better": "caution"}


def recommendation(conclusion: Conclusion) -> Markup | None:
    """The recommendation in a line, at the top of the page."""
    found = list(conclusion.recommendations())
    items = []
    for text, remedies in found:
        number = sum(remedy.stands_for for remedy in remedies)
        cured = all(remedy.best is not None and remedy.best.verdict == CURED for remedy in remedies)
        verdict = f"cures {count(number, 'run')}" if cured else f"helps {count(number, 'run')}, and is no cure"
        items.append(element("li", badge(verdict, "good" if cured else "caution"), element("strong", text)))
    if not items:
        tried = any(remedy.trials for remedy in conclusion.remedies)
        return element("p", "Nothing that was tried helped.", class_="lead") if tried else None
    return element("ul", *items, class_="recommended", aria_label="Recommendations")


def remedies(conclusion: Conclusion) -> Markup | None:
    """Each failing run with all that was tried for it."""
    parts = [_remedy(item, conclusion) for item in conclusion.remedies]
    return element("section", element("h2", "What was tried"), *parts) if parts else None


def _remedy(remedy: Remedy, conclusion: Conclusion) -> Markup:
    failing = remedy.failing
    name = phrase(failing.configuration, conclusion.names) or failing.configuration.task
    like = f" It stands for {count(remedy.stands_for - 1, 'other run')} that failed alike." * (remedy.stands_for > 1)
    heading = element("h3", name)
    lead = element("p", element("strong", end(failing)), f".{like}", class_="lead")
    if not remedy.trials:
        return element(
            "div",
            heading,
            lead,
            element("p", "No mitigation of this task is for that.", class_="quiet"),
            class_="sheet",
        )
    ranked = sorted(remedy.trials, key=lambda trial: (trial.verdict == NO_HELP, trial.rank))
    best = remedy.best
    rows = [("as it was", badge("before", "bad"), "", _ended(failing), "")]
    rows += [
        (trial.name, badge(trial.verdict, _BADGES[trial.verdict]), _changes(trial), _ended(trial.run), trial.alters)
        for trial in ranked
    ]
    heads = ("what", "verdict", "settings", "what came of it", "what it alters")
    return element("div", heading, lead, _sides(failing, best), table("", heads, rows), class_="sheet tried")


def _sides(before: Run, best: Trial | None) -> Markup | None:
    """The losses before and after the best mitigation, on the same axes."""
    if best is None or not before.epochs or not best.run.epochs:
        return None
    pairs = (("before", before, "ink-diverged dashed"), (best.name, best.run, "ink-converged"))
    curves = [Curve(name, [(epoch.epoch, epoch.loss) for epoch in run.epochs], style) for name, run, style in pairs]
    last = max(run.epochs[-1].epoch for _, run, _ in pairs)
    picture = panel(curves, "loss", last, 210)
    if picture is None:
        return None
    names = legend([(name, style) for name, _, style in pairs])
    return element("figure", names, element("div", picture, class_="scroll"), class_="plot")


def _ended(run: Run) -> Markup:
    named: Sequence[str] = signatures(run)
    return joined(end(run, brief=True), element("small", f"; {', '.join(named)}") if named else None)


def _changes(trial: Trial) -> Markup:
    words = [f"{spelled(key)}={written(value)}" for key, value in sorted(trial.settings.items())]
    return element("code", " ".join(words))
