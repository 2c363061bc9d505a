"""One job in a contained process: look up its operation, run it, write what it says as lines.

Every end that Python can see becomes a result; the others (a signal, `os._exit`) are
seen by the parent. Shared by the forked and by the fresh process.
"""

from __future__ import annotations

import faulthandler
import gc
import importlib
import json
import os
import re
import signal
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np

from . import protocol

# Found when it is first asked for, so that a server that never confirms never loads it.
OPERATIONS = {
    "confirm": "confirm:confirm",
    "replay": "replay:replay",
    "call": "calling:call",
}
Emit = Callable[[Any], None]


def inconclusive(failure: str, reason: str) -> dict[str, Any]:
    """A result that says why there is none; `failure` names its kind."""
    return {"status": "inconclusive", "failure": failure, "reason": reason}


def written(message: dict[str, Any]) -> bytes:
    """One line; numpy's numbers become Python's, anything else what `protocol` makes of it."""

    def other(value: Any) -> Any:
        return value.item() if isinstance(value, np.generic) else protocol.encode(value)

    return json.dumps(message, default=other).encode() + b"\n"


def send(descriptor: int, line: bytes) -> None:
    """Write all of a line: a pipe may take it in parts."""
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def prepare(operation: str) -> None:
    """Import the module of an operation before the fork: it is ours, and every job needs it."""
    try:
        importlib.import_module(f".{OPERATIONS[operation].split(':')[0]}", __package__)
    except ImportError:
        return  # the job meets it again, and says so


def load(request: dict[str, Any]) -> Any:
    """The module of a request's target, or None; the operation meets the error again and reports it."""
    from . import loading
    from .target import Target

    try:
        return loading.load(Target.from_json(request["target"]))
    except (Exception, SystemExit, KeyboardInterrupt):
        return None


def perform(request: dict[str, Any], loaded: Any, answers: int) -> None:
    """Run the operation of a request and write its result to the descriptor `answers`."""
    identity = request.get("id")

    def emit(event: Any) -> None:
        send(answers, written({"id": identity, "event": event}))

    module, _, name = OPERATIONS[request["op"]].partition(":")
    try:
        operation = getattr(importlib.import_module(f".{module}", __package__), name)
        line = written({"id": identity, "result": operation({**request, "loaded": loaded}, emit)})
    except MemoryError:
        gc.collect()
        line = written({"id": identity, "result": inconclusive("memory", "it needs more memory than it may have")})
    except BaseException as error:  # whatever leaves an operation is the code's under test or a defect of ours
        line = written({"id": identity, "result": inconclusive("exception", described(error))})
    send(answers, line)


def described(error: BaseException) -> str:
    """An exception in one line, with the place outside of this package where it was raised."""
    try:
        text = " ".join(str(error).split())[:200]
    except Exception:
        text = ""
    here = os.path.dirname(os.path.abspath(__file__))
    stack = traceback.extract_tb(error.__traceback__)
    frames = [frame for frame in stack if not os.path.abspath(frame.filename).startswith(here)] or stack
    where = f" ({os.path.basename(frames[-1].filename)}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}{': ' if text else ''}{text}{where}"


def watch(report: int, seconds: float) -> None:
    """Write the stack to the descriptor `report` on a crash, and shortly before the time is over."""
    faulthandler.enable(file=report, all_threads=False)
    faulthandler.dump_traceback_later(seconds, file=report)


_FRAME = re.compile(r'File "(.+)", line (\d+) in (.+)')


def place(report: str, path: str) -> str:
    """The innermost line of a file in a stack that `watch` has written, in words; empty when it is not there."""
    frames = _FRAME.findall(report)
    own = [frame for frame in frames if os.path.basename(frame[0]) == os.path.basename(path)]
    for file, line, function in own[:1]:
        return f"in {function} ({os.path.basename(file)}, line {line})"
    return ""


def ended(status: int) -> tuple[str, str]:
    """How a process ended, from `os.waitpid`: the kind of failure, and a phrase."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        try:
            name = signal.Signals(number).name
        except ValueError:
            name = f"signal {number}"
        perhaps = ", perhaps by the system for lack of memory" if number == signal.SIGKILL else ""
        return "signal", f"killed by {name}{perhaps}"
    return "exit", f"ended the process with status {os.WEXITSTATUS(status)}"
