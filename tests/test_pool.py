"""Several processes do what one would do, in the same order, and none takes the others with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from numlint import pool
from numlint.pool import spread

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
START = [pytest.param("_fork", marks=needs_fork), "_spawn"]


def square(items: Sequence[int]) -> list[int]:
    return [item * item for item in items]


def die_at_3(items: Sequence[int]) -> list[int]:
    if 3 in items:
        os._exit(7)
    return square(items)


def lost(item: int, reason: str) -> int:
    return -item


@pytest.fixture(params=START)
def start(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    """Run on the processes of either kind."""
    monkeypatch.syspath_prepend(root)  # a fresh process imports this module
    chosen: Callable[..., object] = getattr(pool, request.param)
    monkeypatch.setattr(pool, "_fork", chosen)
    monkeypatch.setattr(pool, "_spawn", chosen)


@pytest.mark.usefixtures("start")
def test_results_come_in_the_order_of_the_items() -> None:
    items = list(range(101))
    assert list(spread(square, items, 2, lost)) == square(items)


@pytest.mark.usefixtures("start")
def test_the_death_of_a_process_costs_the_item_that_killed_it() -> None:
    assert list(spread(die_at_3, [1, 2, 3, 4], 2, lost)) == [1, 4, -3, 16]


@needs_fork
def test_more_processes_than_items_do_no_harm() -> None:
    assert list(spread(square, [3], 8, lost)) == [9]
    assert list(spread(square, [], 8, lost)) == []


@needs_fork
def test_large_results_arrive() -> None:
    def work(items: Sequence[int]) -> list[bytes]:
        return [b"x" * 3_000_000 for _ in items]

    assert [len(result) for result in spread(work, [1, 2, 3], 3, lambda item, reason: b"")] == [3_000_000] * 3


@needs_fork
def test_the_reason_of_a_death_is_told() -> None:
    def work(items: Sequence[int]) -> list[str]:
        os.kill(os.getpid(), signal.SIGKILL)
        return []

    (reason,) = spread(work, [1], 1, lambda item, reason: reason)
    assert reason == f"signal {int(signal.SIGKILL)}, {signal.strsignal(signal.SIGKILL)}"


@needs_fork
def test_an_exception_in_a_process_is_a_death() -> None:
    def work(items: Sequence[int]) -> list[str]:
        raise ZeroDivisionError

    assert list(spread(work, [1, 2], 2, lambda item, reason: reason)) == ["exit status 1"] * 2


@needs_fork
def test_several_processes_take_part() -> None:
    def work(items: Sequence[int]) -> list[int]:
        time.sleep(0.01)
        return [os.getpid() for _ in items]

    assert len(set(spread(work, list(range(16)), 2, lost)) - {os.getpid()}) == 2


@needs_fork
def test_an_interruption_leaves_no_process_behind(tmp_path: Path) -> None:
    script = tmp_path / "interrupted.py"
    script.write_text(
        "import os, time\n"
        "from numlint.pool import spread\n"
        "def work(items):\n"
        "    os.write(1, b'%d\\n' % os.getpid())\n"
        "    time.sleep(60)\n"
        "    return items\n"
        "list(spread(work, [1, 2], 2, None))\n"
    )
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    children = [int(process.stdout.readline()) for _ in range(2)]
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert errors.count("KeyboardInterrupt") == 1
    for child in children:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)
