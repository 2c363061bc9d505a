"""Hostile code gets its result like any other, harms nothing, and is not noticed by its neighbours."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from numlint.confirm.interpreter import Interpreter, InterpreterError, find
from numlint.confirm.workers import Pool
from numlint.runtime.protocol import decode

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the kernel of Linux")
HOSTILE = Path(__file__).resolve().parents[2] / "fixtures" / "hostile"
LIMIT, IMPORT_LIMIT = 1.0, 2.0
PRECIOUS = "not to be lost"

Answer = dict[str, Any]


def old_python() -> str:
    """Where an old interpreter with an old numpy is, if the tests are told of one or can find it."""
    told = os.environ.get("NUMLINT_OLD_PYTHON", "")
    return told or shutil.which("python3.9") or ""


@pytest.fixture(scope="module", params=["this", "old"])
def interpreter(request: pytest.FixtureRequest) -> Interpreter:
    """The interpreter of the tests, and an old one."""
    python = sys.executable if request.param == "this" else old_python()
    if not python:
        pytest.skip("no old interpreter; NUMLINT_OLD_PYTHON names one")
    try:
        return find(python=python)
    except InterpreterError as error:
        pytest.skip(str(error))


def request(program: str, **arguments: Any) -> dict[str, Any]:
    """Ask for a call of ``file:function``."""
    file, _, function = program.partition(":")
    nowhere = {"line": 1, "column": 1, "end_line": 1, "end_column": 2}
    target = {
        "path": str(HOSTILE / f"{file}.py"),
        "module": file,
        "root": str(HOSTILE),
        "qualname": function,
        "region": nowhere,
        "rule": "none",
    }
    return {"op": "call", "target": target, "arguments": arguments}


@dataclass
class World:
    """What hostile code could harm."""

    interpreter: Interpreter
    outside: Path
    temporary: Path
    port: int
    connections: list[Any]

    def run(self, *requests: dict[str, Any], jobs: int = 1) -> list[Answer]:
        """With a healthy neighbour before and after, who must be well; answers in the order of the requests."""
        first, last = (request("healthy:compute", x=2.0) for _ in range(2))
        pool = Pool(self.interpreter, jobs, LIMIT, import_seconds=IMPORT_LIMIT, memory=1 << 29)
        answers = {id(asked): answer for asked, answer in pool.run([first, *requests, last])}
        assert [decode(answers[id(neighbour)].get("value")) for neighbour in (first, last)] == [2.0, 2.0]
        return [answers[id(asked)] for asked in requests]

    def check(self) -> None:
        """Nothing has changed, nothing is left, nobody has called."""
        assert sorted(path.name for path in self.outside.iterdir()) == ["precious.txt"]
        precious = self.outside / "precious.txt"
        assert precious.read_text() == PRECIOUS
        assert precious.stat().st_mode & 0o777 == 0o640
        assert precious.stat().st_mtime > 1e9
        assert list(self.temporary.iterdir()) == []
        assert left_behind(self.temporary) == []
        assert self.connections == []


def left_behind(directory: Path) -> list[str]:
    """Processes whose environment names a directory: all that descend from our servers."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(directory).encode() in entry.read_bytes() and int(entry.parent.name) != os.getpid():
                found.append((entry.parent / "cmdline").read_text())
        except OSError:
            continue
    return found


@pytest.fixture(scope="module")
def listener() -> Iterator[tuple[int, list[Any]]]:
    """A port of this machine, and those who have connected to it."""
    connections: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            try:
                while True:
                    connections.append(server.accept())
            except OSError:
                return

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1], connections


@pytest.fixture
def world(
    interpreter: Interpreter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listener: tuple[int, list[Any]]
) -> Iterator[World]:
    outside, temporary = tmp_path / "outside", tmp_path / "temporary"
    outside.mkdir()
    temporary.mkdir()
    (outside / "precious.txt").write_text(PRECIOUS)
    (outside / "precious.txt").chmod(0o640)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    made = World(interpreter, outside, temporary, *listener)
    yield made
    made.check()


def said(answer: Answer) -> str:
    assert answer["status"] == "inconclusive", answer
    return str(answer["reason"])


def test_what_never_ends_is_killed_and_the_line_is_said(world: World) -> None:
    loop, sleep = world.run(request("endless_loop:spin"), request("endless_loop:sleep"), jobs=2)
    assert loop["failure"] == sleep["failure"] == "timeout"
    assert said(loop).startswith("killed after 1 s, while calling spin, in spin (endless_loop.py, line ")
    assert "in sleep (endless_loop.py, line 14)" in said(sleep)
    assert loop["emitted"] == [{"phase": "calling spin"}]


def test_what_ignores_signals_and_catches_everything_is_killed(world: World) -> None:
    answers = world.run(request("clings:hold_on"), request("clings:trap_everything"), jobs=2)
    assert [answer["failure"] for answer in answers] == ["timeout", "timeout"]


@linux
def test_memory_is_limited(world: World) -> None:
    once, always = world.run(request("endless_memory:hoard"), request("endless_memory:hoard_whatever_is_said"), jobs=2)
    assert "more memory" in said(once)
    assert always["failure"] == "timeout"


def test_a_crash_is_a_result(world: World) -> None:
    segv, abort, stack = world.run(
        request("crash:segmentation_fault"), request("crash:abort"), request("crash:overflow_the_stack")
    )
    assert said(segv).startswith("killed by SIGSEGV, while calling segmentation_fault")
    assert "in segmentation_fault (crash.py, line 8)" in said(segv)
    assert "SIGABRT" in said(abort)
    assert stack["failure"] in ("signal", "memory", "exception", "timeout")  # as the version of Python has it


def test_leaving_is_a_result(world: World) -> None:
    polite, rude = world.run(request("leave:politely"), request("leave:at_once"))
    assert said(polite) == "SystemExit: nothing to do (leave.py, line 8)"
    assert said(rude) == "ended the process with status 0, while calling at_once"


def test_output_goes_nowhere_and_input_is_empty(world: World) -> None:
    flood, pretend, ask, child = world.run(
        request("talk:flood"), request("talk:pretend"), request("talk:ask"), request("talk:ask_through_a_child")
    )
    assert decode(flood["value"]) == "done"
    assert decode(pretend["value"]) == "done"
    assert decode(ask["value"]) == ""
    assert "Refused" in said(child)


def test_the_network_is_refused(world: World) -> None:
    refused = world.run(
        request("network:connect", port=world.port),
        request("network:listen"),
        request("network:resolve"),
        request("network:download", port=world.port),
    )
    assert all("use the network" in said(answer) for answer in refused)


@linux
def test_the_kernel_refuses_the_network_to_machine_code(world: World) -> None:
    (answer,) = world.run(request("network:machine_code", port=world.port))
    if decode(answer["value"]) == 0:
        world.connections.clear()
        pytest.skip("this system has no network namespaces for us")


CHANGES = (
    "overwrite append_by_descriptor create save delete delete_everything rename take_away truncate forbid make_folder "
    "link through_a_link through_a_descriptor age database"
).split()


def test_files_outside_are_not_changed(world: World) -> None:
    for name, answer in zip(
        CHANGES, world.run(*(request(f"files:{name}", outside=str(world.outside)) for name in CHANGES)), strict=True
    ):
        assert "change files outside its directory" in said(answer), name


@linux
def test_the_kernel_refuses_changes_of_files_to_machine_code(world: World) -> None:
    (answer,) = world.run(request("files:machine_code", outside=str(world.outside)))
    if decode(answer["value"]) == 0:
        (world.outside / "precious.txt").write_text(PRECIOUS)
        (world.outside / "precious.txt").chmod(0o640)
        pytest.skip("this system has no Landlock")


def test_reading_is_allowed_and_so_is_writing_at_home(world: World) -> None:
    home, locked = world.run(
        request("files:read_and_write_at_home", outside=str(world.outside)),
        request("files:lock_up_home", outside=str(world.outside)),
    )
    assert decode(home["value"]) == PRECIOUS
    assert decode(locked["value"]) == "done"


def test_processes_are_neither_started_nor_stopped(world: World) -> None:
    names = "fork run shell replace_itself spawn kill_parent".split()
    for name, answer in zip(names, world.run(*(request(f"processes:{name}") for name in names)), strict=True):
        assert "processes" in said(answer), name


@linux
def test_no_process_is_left_behind(world: World) -> None:
    bomb, daemon, threads = world.run(
        request("processes:machine_code"), request("processes:daemon"), request("processes:threads")
    )
    assert bomb["failure"] == "timeout"
    assert daemon.get("literal") == threads.get("literal") == "'done'", (daemon, threads)


def test_patches_of_shared_things_are_not_seen_by_the_next(world: World) -> None:
    patched, after = world.run(request("patches:numpy"), request("patches:environment"))
    assert decode(patched["value"]) == "done"
    assert decode(after["value"])["PATH"]


def test_no_secret_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", "0123-secret-4567")
    own, parents = world.run(request("patches:environment"), request("patches:environment_of_the_parent"))
    assert "0123-secret" not in str(own) + str(parents)
    assert parents["status"] == "inconclusive"


@pytest.mark.parametrize(
    ("file", "failure", "reason"),
    [
        ("raises_on_import", "exception", "AttributeError"),
        ("exits_on_import", "exit", "ended the process with status 7, while importing the module"),
        ("crashes_on_import", "signal", "killed by SIGSEGV, while importing the module"),
        ("hangs_on_import", "timeout", "killed after 2 s, while importing the module"),
    ],
)
def test_a_module_that_cannot_be_imported_says_so_for_each_of_its_targets(
    world: World, file: str, failure: str, reason: str
) -> None:
    first, second = world.run(request(f"{file}:gone"), request(f"{file}:gone"))
    assert first["failure"] == second["failure"] == failure
    assert reason in said(first)
    assert said(first) == said(second)


def test_what_does_not_need_the_missing_dependency_runs(world: World) -> None:
    answer, _ = world.run(request("missing_dependency:compute"), request("missing_dependency:compute_with_it"))
    assert decode(answer["value"]) == pytest.approx(2.718281828)
