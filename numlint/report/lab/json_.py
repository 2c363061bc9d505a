"""All that is known, for programs: one JSON object. The runs with their epochs are in the folder of results."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

from numlint import __version__
from numlint.lab.conclusion import Conclusion
from numlint.lab.outcome import end
from numlint.lab.recommend import Remedy, Trial
from numlint.runtime.lab.record import Run

name = "json"


def render(conclusion: Conclusion, *, color: bool, width: int, detail: int) -> str:
    """One JSON object, indented; numbers that are not finite are written as texts."""
    asked = conclusion.asked
    data = {
        "numlint": __version__,
        "task": conclusion.task.name,
        "command": list(asked.command),
        "interpreter": asked.interpreter,
        "fixed": asked.sweep.fixed,
        "sweep": {axis.name: list(axis.values) for axis in asked.sweep.axes},
        "adaptive": asked.sweep.adaptive,
        "healthy": conclusion.is_healthy,
        "runs": [_run(run) for run in conclusion.runs],
        "boundaries": [
            {**asdict(item), "configuration": item.configuration.to_json(), "value": item.value}
            for item in conclusion.boundaries
        ],
        "recommendations": [
            {"do": text, "runs": sum(remedy.stands_for for remedy in remedies)}
            for text, remedies in conclusion.recommendations()
        ],
        "remedies": [_remedy(item) for item in conclusion.remedies],
        "machines": [
            {
                "configuration": item.run.configuration.to_json(),
                "depends": item.depends,
                "machines": [
                    {"machine": one.machine, "honoured": one.honoured, "largest_weight": one.run.largest_weight}
                    for one in item.machines
                ],
            }
            for item in conclusion.weights
        ],
        "notes": list(conclusion.notes),
        "left": conclusion.left,
        "seconds": round(conclusion.seconds, 3),
        "results": conclusion.folder,
    }
    return json.dumps(_worded(data), indent=1) + "\n"


def _run(run: Run) -> dict[str, Any]:
    data = run.to_json()
    data["epochs"] = len(run.epochs)
    return {**data, "fingerprint": run.configuration.fingerprint, "end": end(run)}


def _remedy(remedy: Remedy) -> dict[str, Any]:
    best = remedy.best
    return {
        "failing": _run(remedy.failing),
        "stands_for": remedy.stands_for,
        "best": best.name if best else None,
        "trials": [_trial(trial) for trial in remedy.trials],
    }


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "mitigations": [item.name for item in trial.mitigations],
        "settings": trial.settings,
        "verdict": trial.verdict,
        "alters": trial.alters,
        "after": _run(trial.run),
    }


def _worded(value: Any) -> Any:
    """JSON has no inf and no nan."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _worded(item) for key, item in value.items()}
    return [_worded(item) for item in value] if isinstance(value, (list, tuple)) else value
