"""Requests get their answers whatever becomes of the servers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from numlint.confirm.interpreter import Interpreter, InterpreterError, find
from numlint.confirm.workers import AHEAD, Pool, _Schedule
from numlint.runtime.protocol import decode, encode

PROGRAM = """\
import os
import numpy as np

IMPORTED_BY = os.getpid()

def double(x): return 2 * x
def imported_by(): return IMPORTED_BY
def place(): return os.getcwd(), os.environ["HOME"]
def slow():
    while True: pass
"""


@pytest.fixture(scope="module")
def interpreter() -> Interpreter:
    return find(python=sys.executable)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs; what is temporary goes to its sibling, which must be empty at the end."""
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(PROGRAM)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path


def request(folder: Path, call: str, **arguments: Any) -> dict[str, Any]:
    file, _, function = call.partition(":")
    nowhere = {"line": 1, "column": 1, "end_line": 1, "end_column": 2}
    target = {"path": str(folder / f"{file}.py"), "module": file, "root": str(folder), "qualname": function}
    return {"op": "call", "target": {**target, "region": nowhere, "rule": "none"}, "arguments": encode(arguments)}


@pytest.mark.parametrize("fork", [True, False], ids=["forked", "fresh"])
def test_answers_come_with_their_requests(interpreter: Interpreter, program: Path, fork: bool) -> None:
    requests = [request(program, f"{file}:double", x=n) for n in range(3) for file in ("one", "two")]
    pool = Pool(interpreter, jobs=2, fork=fork)
    for asked, answer in pool.run(list(requests)):
        assert decode(answer["value"]) == 2 * decode(asked["arguments"])["x"]
        requests.remove(asked)
    assert requests == []
    assert pool.hello["numpy"] == interpreter.numpy
    assert list((program / "temporary").iterdir()) == []


def test_a_module_is_imported_once_for_all_its_requests(interpreter: Interpreter, program: Path) -> None:
    requests = [request(program, f"{file}:imported_by") for _ in range(3) for file in ("one", "two")]
    seen = {(asked["target"]["path"], decode(answer["value"])) for asked, answer in Pool(interpreter).run(requests)}
    assert len(seen) == 2


def test_each_job_has_a_folder_of_its_own(interpreter: Interpreter, program: Path) -> None:
    answers = [decode(answer["value"]) for _, answer in Pool(interpreter).run([request(program, "one:place")] * 2)]
    assert len({place for place, _ in answers}) == 2
    assert all(str(program / "temporary") in place for answer in answers for place in answer)


def test_a_fresh_process_is_killed_in_time_too(interpreter: Interpreter, program: Path) -> None:
    pool = Pool(interpreter, seconds_per_target=1, import_seconds=0.5, fork=False)
    slow, fine = (answer for _, answer in pool.run([request(program, "one:slow"), request(program, "one:double", x=1)]))
    assert slow["failure"] == "timeout"
    assert decode(fine["value"]) == 2


def test_a_request_that_is_none_is_answered(interpreter: Interpreter, program: Path) -> None:
    nonsense = {"op": "dance", "target": {"path": "x"}}
    lost = request(program, "three:double", x=1)
    answers = [answer["reason"] for _, answer in Pool(interpreter).run([nonsense, lost])]
    assert answers[0] == "there is no operation 'dance'"
    assert "three.py cannot be read" in answers[1]


def test_a_server_that_dies_costs_one_request(interpreter: Interpreter, program: Path) -> None:
    pool = Pool(interpreter, seconds_per_target=30)
    answers: list[Any] = []
    for _, answer in pool.run([request(program, f"one:{name}", x=1) for name in ("double", "double", "double")]):
        if not answers:
            (server,) = pool._servers
            server._process.kill()
        answers.append(answer)
    assert answers[0]["status"] == answers[-1]["status"] == "returned"
    assert sum(answer["status"] == "inconclusive" for answer in answers) <= 1


def test_an_interpreter_that_cannot_serve_is_an_error(tmp_path: Path, program: Path) -> None:
    file = tmp_path / "python"
    file.write_text("#!/bin/sh\necho 'no such option' >&2\nexit 2\n")
    file.chmod(0o755)
    pool = Pool(Interpreter(str(file), (3, 9), "1.0", "by this test"))
    with pytest.raises(InterpreterError, match=r"cannot run numlint's runtime: no such option"):
        list(pool.run([request(program, "one:double", x=1)]))


def test_no_request_needs_no_server(interpreter: Interpreter) -> None:
    assert list(Pool(interpreter).run([])) == []


def test_what_was_done_is_kept_when_the_caller_stops(interpreter: Interpreter, program: Path) -> None:
    run = Pool(interpreter, jobs=2).run([request(program, "one:double", x=1), *[request(program, "two:slow")] * 3])
    _, answer = next(run)
    assert decode(answer["value"]) == 2
    run.close()  # type: ignore[attr-defined]
    assert list((program / "temporary").iterdir()) == []


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
def test_ctrl_c_ends_everything_at_once(program: Path) -> None:
    script = program / "host.py"
    script.write_text(
        textwrap.dedent("""
        import json, sys
        from numlint.confirm.interpreter import find
        from numlint.confirm.workers import Pool
        try:
            for _, answer in Pool(find(python=sys.executable), 2, 60).run(json.loads(sys.stdin.read())):
                print(answer["status"], flush=True)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        """)
    )
    requests = [request(program, "one:double", x=1), request(program, "one:slow"), request(program, "two:slow")]
    marked = {**os.environ, "TMPDIR": str(program / "temporary")}
    with subprocess.Popen(
        [sys.executable, str(script)], env=marked, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as host:
        assert host.stdin is not None
        assert host.stdout is not None
        host.stdin.write(json.dumps(requests))
        host.stdin.close()
        assert host.stdout.readline() == "returned\n"
        host.send_signal(signal.SIGINT)
        start = time.monotonic()
        assert host.stdout.readline() == "interrupted\n"
        assert host.wait(timeout=30) == 0
        assert time.monotonic() - start < 30
    assert list((program / "temporary").iterdir()) == []
    left = [path for path in Path("/proc").glob("[0-9]*/environ") if _names(path, program / "temporary")]
    assert left == []


def _names(environ: Path, folder: Path) -> bool:
    try:
        return str(folder).encode() in environ.read_bytes()
    except OSError:
        return False


def numbered(files: str) -> list[dict[str, Any]]:
    return [{"target": {"path": file}, "number": number} for number, file in enumerate(files)]


def drawn(schedule: _Schedule, file: str, taken: set[str]) -> str:
    request = schedule.next(file, taken)
    return "" if request is None else f"{request['target']['path']}{request['number']}"


def test_requests_of_one_file_stay_together_until_there_is_nothing_else() -> None:
    schedule = _Schedule(numbered("abab"))
    assert drawn(schedule, "", set()) == "a0"
    assert drawn(schedule, "", {"a"}) == "b1"
    assert drawn(schedule, "a", {"b"}) == "a2"
    assert drawn(schedule, "a", {"b"}) == "b3"
    assert drawn(schedule, "a", {"b"}) == ""


def test_requests_are_not_read_far_ahead() -> None:
    read = 0

    def source() -> Iterator[dict[str, Any]]:
        nonlocal read
        for item in numbered("a" * 1000):
            read += 1
            yield item

    schedule = _Schedule(source())
    assert drawn(schedule, "", set()) == "a0"
    assert drawn(schedule, "a", set()) == "a1"
    assert read == 2
    assert drawn(schedule, "b", {"a"}) == "a2"
    assert read <= AHEAD + 2
