"""What the server says on its pipe, line by line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from numlint import runtime
from numlint.runtime.protocol import decode, encode
from numlint.runtime.server import rungs_below

START = Path(next(iter(runtime.__path__)), "start.py")
PROGRAM = """\
import os
import numpy as np
print("garbage on standard output")
os.write(1, b"{}\\n")

def double(x):
    print("more garbage")
    return 2 * x

def odd(): return np.float32(0.1), float("nan"), object
"""


class Talk:
    """A server, and what is said to it."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self.folder, self.process = folder, process

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        message: dict[str, Any] = json.loads(self.process.stdout.readline())
        return message

    def say(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def call(self, identity: int, function: str, **arguments: Any) -> None:
        target = {
            "path": str(self.folder / "program.py"),
            "module": "program",
            "root": str(self.folder),
            "qualname": function,
            "region": {"line": 1, "column": 1, "end_line": 1, "end_column": 2},
            "rule": "none",
        }
        self.say({"id": identity, "op": "call", "target": target, "arguments": encode(arguments)})


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Talk]:
    (tmp_path / "program.py").write_text(PROGRAM)
    with subprocess.Popen(
        [sys.executable, "-u", "-B", str(START)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        yield Talk(tmp_path, process)
        process.kill()


def test_greeting_events_and_result_come_in_this_order(talk: Talk) -> None:
    assert "hello" in talk.hear()
    talk.call(7, "double", x=[1.0])
    assert talk.hear() == {"id": 7, "event": {"phase": "calling double"}}
    answer = talk.hear()
    assert answer["id"] == 7
    assert decode(answer["result"]["value"]) == [1.0, 1.0]


def test_requests_may_be_sent_before_they_are_answered(talk: Talk) -> None:
    talk.say({"id": 1, "op": "ping"})
    talk.call(2, "double", x=3)
    talk.say({"id": 3, "op": "ping"})
    talk.say({"op": "exit"})
    heard = [talk.hear() for _ in range(5)]
    assert [message["id"] for message in heard if "result" in message] == [1, 2, 3]
    assert talk.process.wait(timeout=30) == 0


def test_values_without_an_encoding_do_not_spoil_the_answer(talk: Talk) -> None:
    talk.hear()
    talk.call(1, "odd")
    talk.hear()
    small, undefined, placeholder = decode(talk.hear()["result"]["value"])
    assert small.dtype == "float32"
    assert undefined != undefined
    assert placeholder.type == "type"


@pytest.mark.parametrize(
    ("failure", "emitted", "rungs"),
    [
        ("timeout", [], ["slice"]),
        ("timeout", [{"rung": "recorded"}], ["declared", "synthesised", "slice"]),
        ("signal", [{"rung": "recorded"}, {"rung": "synthesised"}, {"phase": "calling"}], ["slice"]),
        ("timeout", [{"rung": "slice"}], []),
        ("protocol", [], []),
    ],
)
def test_what_ends_the_process_on_one_rung_leaves_the_rungs_below(
    failure: str, emitted: list[Any], rungs: list[str]
) -> None:
    request = {"op": "confirm", "options": {}}
    assert rungs_below(request, {"failure": failure, "emitted": emitted}) == rungs


def test_they_are_tried_once() -> None:
    request = {"op": "confirm", "options": {"rungs": ["slice"]}}
    assert rungs_below(request, {"failure": "timeout", "emitted": []}) == []


def test_it_leaves_when_the_host_is_gone(talk: Talk) -> None:
    talk.hear()
    assert talk.process.stdin is not None
    talk.process.stdin.close()
    assert talk.process.wait(timeout=30) == 0
