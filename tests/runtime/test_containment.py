"""A contained process can change nothing outside its directory, and a deadline ends what runs too long."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from numlint.runtime.containment import Interrupted, deadline

needs_timer = pytest.mark.skipif(sys.platform == "win32", reason="there is no interval timer")


def contained(directory: Path, code: str, **environment: str) -> str:
    """What `code` says with `say`, in a process that was contained first."""
    program = (
        "import os, sys\n"
        "said = os.dup(1)\n"
        "say = lambda value: os.write(said, str(value).encode())\n"
        "from numlint.runtime import containment\n"
        f"held = containment.contain({str(directory)!r}, containment.Limits(memory=1 << 28, open_files=64))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program + code],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout


def test_it_lives_in_its_directory(tmp_path: Path) -> None:
    code = "import tempfile\nsay([os.getcwd(), os.path.expanduser('~'), tempfile.gettempdir()])"
    assert contained(tmp_path, code) == str([str(tmp_path)] * 3)


def test_the_environment_keeps_what_numbers_depend_on_and_no_secret(tmp_path: Path) -> None:
    code = "say(sorted(name for name in os.environ if name in ('API_KEY', 'OMP_NUM_THREADS', 'PATH')))"
    assert contained(tmp_path, code, API_KEY="x", OMP_NUM_THREADS="1") == "['OMP_NUM_THREADS', 'PATH']"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits are those of Linux")
def test_memory_and_files_are_limited(tmp_path: Path) -> None:
    assert contained(tmp_path, "try:\n    bytearray(1 << 30)\nexcept MemoryError:\n    say('no')") == "no"
    code = "try:\n    [open('/dev/null') for _ in range(100)]\nexcept OSError:\n    say('no')"
    assert contained(tmp_path, "kept = []\n" + code) == "no"


def test_limits_cannot_be_lifted(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    code = (
        "import resource\ntry:\n    resource.setrlimit(resource.RLIMIT_AS, (-1, -1))\n"
        "except PermissionError as error:\n    say(error)"
    )
    assert "change its limits" in contained(tmp_path, code)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_only_the_holder_of_the_permission_forks_and_its_children_do_not(tmp_path: Path) -> None:
    code = """
def forks(function):
    try:
        process = function()
    except PermissionError:
        return False
    if process == 0:
        try:
            os._exit(any(forks(other) for other in (os.fork, held.permission.fork)))
        finally:
            os._exit(9)
    return os.WEXITSTATUS(os.waitpid(process, 0)[1]) == 0
say([forks(os.fork), forks(held.permission.fork), forks(os.fork)])
"""
    assert contained(tmp_path, code) == "[False, True, False]"


def test_an_event_loop_runs_without_the_network(tmp_path: Path) -> None:
    code = "import asyncio\nasync def five(): return 5\nsay(asyncio.run(five()))"
    assert contained(tmp_path, code) == "5"


@needs_timer
def test_a_deadline_interrupts_what_catches_exceptions() -> None:
    def stubborn() -> None:
        while True:
            try:
                time.sleep(10)
            except Exception:
                continue

    with pytest.raises(Interrupted, match=r"no result within 0\.05 s"), deadline(0.05):
        stubborn()


@needs_timer
def test_the_earlier_of_nested_deadlines_holds() -> None:
    with pytest.raises(Interrupted, match=r"within 0\.05 s"), deadline(0.05), deadline(10):
        time.sleep(10)
    with deadline(10):
        with pytest.raises(Interrupted, match=r"within 0\.05 s"), deadline(0.05):
            time.sleep(10)
        time.sleep(0.01)
