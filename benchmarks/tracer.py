"""What tracing costs: `numlint.trace` in both modes, beside torch's anomaly detection, as ratios in one run.

    python benchmarks/tracer.py

Writes ``benchmarks/tracer.json`` (medians of the ratios to the plain run, machine and
versions) and prints them. Parts that are not installed are left out.
"""

from __future__ import annotations

import importlib.util
import json
import platform
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

import numlint

REPEATS = 15


def logistic_regression() -> Callable[[], Any]:
    """Ten steps of gradient descent on 1000 samples of 20 features."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(1000, 20))
    y = (X[:, 0] > 0).astype(float)

    def train() -> Any:
        w = np.zeros(20)
        for _ in range(10):
            p = 1 / (1 + np.exp(-(X @ w)))
            w = w - 0.1 * (X.T @ (p - y)) / len(y)
        return w

    return train


def perceptron(batch: int) -> Callable[[], Any]:
    """Forward and backward pass of a perceptron with one hidden layer."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(64, 128), torch.nn.Tanh(), torch.nn.Linear(128, 10))
    x, y = torch.randn(batch, 64), torch.randint(0, 10, (batch,))

    def step() -> Any:
        net.zero_grad()
        torch.nn.functional.cross_entropy(net(x), y).backward()

    return step


def seconds(work: Callable[[], Any], around: Callable[[], AbstractContextManager[Any]]) -> float:
    with around():
        start = time.process_time()
        work()
        return time.process_time() - start


def ratios(work: Callable[[], Any], ways: dict[str, Callable[[], AbstractContextManager[Any]]]) -> dict[str, float]:
    """Median processor time of each way over that of the plain run, measured in turn."""
    taken: dict[str, list[float]] = {name: [] for name in ("plain", *ways)}
    for _ in range(REPEATS):
        taken["plain"].append(seconds(work, nullcontext))
        for name, around in ways.items():
            taken[name].append(seconds(work, around))
    plain = statistics.median(taken["plain"])
    result = {name: round(statistics.median(taken[name]) / plain, 1) for name in ways}
    return {"plain milliseconds": round(plain * 1e3, 2), **result}


def main() -> None:
    ways: dict[str, Callable[[], AbstractContextManager[Any]]] = {
        "ranges": lambda: numlint.trace(quiet=True),
        "shadow": lambda: numlint.trace("shadow", quiet=True),
    }
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    results = {"numpy logistic regression, 1000x20, 10 steps": ratios(logistic_regression(), ways)}
    if importlib.util.find_spec("torch"):
        import torch

        versions["torch"] = torch.__version__
        ways["torch.autograd.detect_anomaly"] = lambda: torch.autograd.detect_anomaly(check_nan=True)
        for batch in (32, 2048):
            results[f"torch perceptron 64-128-10, batch {batch}, one step"] = ratios(perceptron(batch), ways)
    machine = {"machine": platform.machine(), "system": platform.system()}
    report = {"machine": machine, "versions": versions, "ratios": results}
    Path(__file__).with_suffix(".json").write_text(json.dumps(report, indent=2) + "\n")
    for name, found in results.items():
        print(name, *(f"{key} {value}" for key, value in found.items()), sep="\n  ")


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")
    main()
