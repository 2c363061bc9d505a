"""The figures of the speed benchmark: medians, ratios to ruff, and what a process and its children used."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def speed(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.speed")


def test_medians_and_ratios_to_ruff(speed: ModuleType) -> None:
    runs = {
        "ruff": [speed.Run(0.2, 0.3, 20.0), speed.Run(0.1, 0.3, 21.0), speed.Run(0.9, 0.3, 20.0)],
        "numlint": [speed.Run(1.0, 1.5, 60.0)],
    }
    figures = speed.figures(runs)
    assert figures["ruff"]["median_seconds"] == 0.2
    assert figures["ruff"]["peak_mib"] == 21.0
    assert figures["numlint"]["times_ruff"] == 5.0
    table = speed.table("pkg", {"files": 2, "lines": 10, "tools": figures})
    assert [line.split()[0] for line in table.splitlines()[2:]] == ["ruff", "numlint"]


@pytest.mark.skipif(not hasattr(os, "posix_spawn"), reason="needs posix_spawn")
def test_a_run_counts_the_memory_of_its_largest_process_and_the_time_of_all(speed: ModuleType, tmp_path: Path) -> None:
    inner = "b = bytearray(60 * 2**20); sum(range(10**6))"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    tool = speed.Tool("probe", "probe", lambda _bin, _paths: [])
    run = speed.once(tool, [sys.executable, "-c", outer], tmp_path)
    assert 60 < run.peak < 150
    assert run.cpu > 0
    assert 0 < run.seconds < 30


def test_a_tool_that_fails_stops_the_benchmark(speed: ModuleType, tmp_path: Path) -> None:
    tool = speed.Tool("probe", "probe", lambda _bin, _paths: [])
    with pytest.raises(SystemExit, match="probe failed with 3"):
        speed.once(tool, [sys.executable, "-c", "raise SystemExit(3)"], tmp_path)
