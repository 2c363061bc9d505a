"""Weights on emulated machines; and what the runs depend on, with the command that repeats them."""

from __future__ import annotations

import shlex
from typing import Any

from numlint.lab.conclusion import Conclusion
from numlint.lab.machines import Weights
from numlint.lab.task import phrase, spelled, written
from numlint.report.page._markup import Markup, element, figure, joined, replay, table
from numlint.report.page._measure import measures
from numlint.report.page._summary import badge


def machines(conclusion: Conclusion) -> Markup | None:
    """The largest weight of a run under each kernel set."""
    if not conclusion.weights:
        return None
    parts = [_machines(item, conclusion) for item in conclusion.weights]
    note = element(
        "p",
        "The same run in processes that choose the kernels of other processors."
        " Weights that depend on them are rounding.",
        class_="quiet",
    )
    return element("section", element("h2", "Weights by machine"), note, *parts)


def _machines(item: Weights, conclusion: Conclusion) -> Markup:
    name = phrase(item.run.configuration, conclusion.names) or item.run.configuration.task
    verdict = badge("differs", "bad") if item.depends else badge("same", "good")
    honoured = [one for one in item.machines if one.honoured]
    bars = measures([one.run.largest_weight for one in honoured]) if honoured else []
    rows: list[tuple[str, ...]] = [(one.machine, bar) for one, bar in zip(honoured, bars, strict=True)]
    rows += [(joined(one.machine, " ", badge("not here", "quiet")), "–") for one in item.machines if not one.honoured]
    ratio = f" Largest over smallest: {figure(item.spread)}." if item.depends else ""
    return element(
        "div",
        element("h3", name),
        element("p", verdict, ratio),
        table("", ("machine", "largest weight (logarithmic)"), rows),
        class_="sheet",
    )


def about(conclusion: Conclusion) -> Markup:
    """The command, the settings, and the environment."""
    asked = conclusion.asked
    sweep = asked.sweep
    run = next((run for run in conclusion.runs if run.environment), None)
    settings = {
        spelled(name): written(value)
        for name, value in (run.configuration.settings.items() if run else sweep.fixed.items())
        if name not in sweep.names
    }
    entries = {
        "task": f"{sweep.task.name}: {sweep.task.about}".rstrip(": "),
        **{f"swept: {spelled(axis.name)}": ", ".join(map(written, axis.values)) for axis in sweep.axes},
        "started": asked.started,
        "seconds": figure(conclusion.seconds),
        "interpreter": asked.interpreter,
        "results": conclusion.folder,
        **(_environment(run.environment) if run else {}),
    }
    items = [element("div", element("dt", name), element("dd", said)) for name, said in entries.items() if said]
    fixed = [element("div", element("dt", name), element("dd", value)) for name, value in settings.items()]
    command = " ".join(map(shlex.quote, asked.command))
    return element(
        "section",
        element("h2", "Environment and command"),
        element(
            "div",
            replay(command) if command else None,
            element("dl", *items),
            element("details", element("summary", "All other settings, the same in every run"), element("dl", *fixed))
            if fixed
            else None,
            class_="sheet",
        ),
    )


def _environment(environment: dict[str, Any]) -> dict[str, str]:
    shown = {
        name: str(environment[name])
        for name in ("python", "numpy", "torch", "scipy", "system", "machine", "architecture", "processors", "threads")
        if environment.get(name)
    }
    libraries = environment.get("libraries")
    if isinstance(libraries, list):
        named = [" ".join(str(item.get(key, "")) for key in ("name", "version", "kernel")) for item in libraries]
        shown["linear algebra"] = ", ".join(dict.fromkeys(" ".join(text.split()) for text in named))
    return shown
