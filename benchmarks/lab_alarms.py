"""How often the lab raises an alarm on a run that has nothing wrong, and what logging costs.

    python -m benchmarks.lab_alarms [SEEDS [FIRST]]

Each configuration is trained with so many seeds, which change data, initial weights and the order
of batches. Learning rates are below 2 / curvature, scales are moderate, forms are stable and
nothing is ended early. The thresholds were set on seeds below 24; measured are those from FIRST on.
An alarm is any phase but healthy, or any signature.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from numlint.runtime.lab.configuration import Configuration
from numlint.runtime.lab.training import Options, train

SEEDS, FIRST = 24, 1000
HEALTHY: tuple[tuple[str, dict[str, Any]], ...] = (
    ("linear_regression", {"lr": 0.3}),
    ("linear_regression", {"lr": 0.1, "precision": "float32", "batch": 50, "epochs": 60}),
    ("logistic_regression", {"lr": 0.5, "l2": 1e-2}),
    ("logistic_regression", {"lr": 0.3, "precision": "float32", "batch": 32, "epochs": 80}),
    ("logistic_regression", {"lr": 0.5, "precision": "float16", "epochs": 150}),
    ("softmax_regression", {"lr": 0.5, "precision": "float32"}),
    ("softmax_regression", {"lr": 0.3, "precision": "mixed", "momentum": 0.5, "epochs": 150}),
    ("mlp", {"lr": 0.1, "precision": "float32"}),
    ("mlp", {"lr": 0.05, "batch": 32, "epochs": 80}),
    ("mlp", {"lr": 0.05, "activation": "relu", "precision": "mixed", "epochs": 120}),
    ("rnn", {"lr": 0.02, "clip": 1.0, "epochs": 120}),
)


def measured(seeds: int, first: int) -> dict[str, Any]:
    """Rates by configuration and over all, and the cost of logging an epoch in milliseconds of processor time."""
    rows, alarms, runs = [], Counter[str](), 0
    for task, settings in HEALTHY:
        found, epochs, logging, started = 0, 0, 0.0, time.thread_time()
        for seed in range(first, first + seeds):
            run = train(Configuration(task, {**settings, "seed": seed, "order": seed}), Options())
            names = {phase.name for phase in run.phases} - {"healthy"} | {item.signature for item in run.findings}
            alarms.update(names)
            found += bool(names)
            epochs += len(run.epochs)
            logging += run.logging_seconds
        runs += seeds
        each = 1e3 * (time.thread_time() - started) / epochs
        rows.append(
            {
                "task": task,
                "settings": settings,
                "alarms": found,
                "runs": seeds,
                "epoch_ms": round(each, 3),
                "logging_ms": round(1e3 * logging / epochs, 3),
            }
        )
        cost = f"epoch {each:.2f} ms, of which logging {rows[-1]['logging_ms']:.2f}"
        print(f"{found:3} of {seeds} alarmed, {cost}: {task} {settings}", flush=True)
    total = sum(row["alarms"] for row in rows)
    print(f"{total} of {runs} healthy runs alarmed ({total / runs:.1%}): {dict(alarms)}")
    return {"runs": runs, "alarms": total, "kinds": dict(alarms), "configurations": rows}


if __name__ == "__main__":
    given = [int(item) for item in sys.argv[1:3]]
    result = measured(*given, *(SEEDS, FIRST)[len(given) :])
    Path(__file__).with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
