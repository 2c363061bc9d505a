"""Answers the host: JSON lines in on standard input, JSON lines out on what was standard output.

The first line out is a greeting: ``{"hello": {...}}``. A request is ``{"id": 1, "op":
"confirm", "target": {...}, "options": {...}}``; on the way to its answer ``{"id": 1,
"result": {...}}`` there may be events, ``{"id": 1, "event": ...}``. What never answers,
crashes or leaves is answered for, ``{"status": "inconclusive", "failure": ..., "reason":
...}``, with the events until then as ``"emitted"``.

The server runs no code of the user. It imports numpy and what else is safe to import
before a fork, and keeps a `modules.ModuleProcess` for the file that the last request was
about. Where processes cannot be forked, each job starts a fresh one.

Options: ``limit`` and ``import_seconds``, after which a job and an import are killed;
``memory`` in bytes; ``preload``, names of libraries that the file imports. Operations have
further ones.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import confinement, containment, fresh, jobs
from .modules import HostGone, Lines, ModuleProcess, TooLate, sweep
from .verdict import RUNGS

LIBRARIES = ("flint", "mpmath", "ml_dtypes", "threadpoolctl", "scipy", "torch", "jax")
FORKABLE = {"flint", "ml_dtypes", "mpmath", "pandas", "scipy", "sklearn", "statsmodels", "torch"}
"""Libraries that start no thread when they are imported: safe to be imported before a fork."""
LATE = {"torch": "torch._dynamo"}
"""What a library imports when it is first used in earnest: seconds that would count as the target's."""
ALWAYS = ("numpy.linalg", "numpy.random", "flint", "ml_dtypes")
EVENTS_KEPT = 64
DEADLY = ("timeout", "signal", "exit", "memory")
"""Failures that end the process of a job."""
DEFAULTS: dict[str, Any] = {"limit": 20.0, "import_seconds": 60.0, "memory": containment.Limits().memory}


def hello() -> dict[str, Any]:
    """What this interpreter is, and which libraries it has."""
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "executable": sys.executable,
        "numpy": np.__version__,
        "available": {name: importlib.util.find_spec(name) is not None for name in LIBRARIES},
        "fork": hasattr(os, "fork"),
    }


class Server:
    """One request after the other."""

    def __init__(self, source: int, sink: int, forks: bool) -> None:
        self.host = Lines(source)
        self.sink = sink
        self.forks = forks
        self.module: ModuleProcess | None = None
        self.unusable: dict[tuple[Any, ...], dict[str, Any]] = {}

    def say(self, message: dict[str, Any]) -> None:
        jobs.send(self.sink, jobs.written(message))

    def serve(self) -> None:
        """Until the host says ``exit`` or is gone."""
        self.say({"hello": hello()})
        _preload(ALWAYS)
        with contextlib.suppress(HostGone, BrokenPipeError):
            while self.answer(self.heard()):
                pass
        self.leave()

    def heard(self) -> dict[str, Any]:
        while True:
            line = self.host.next()
            if line is not None:
                request: dict[str, Any] = json.loads(line)
                return request
            if self.host.ended:
                raise HostGone
            self.host.fill()

    def answer(self, request: dict[str, Any]) -> bool:
        """Answer one request; False when it was the last."""
        operation = request.get("op")
        if operation == "exit":
            return False
        if operation == "ping":
            result: dict[str, Any] = {"status": "pong"}
        elif operation not in jobs.OPERATIONS:
            result = jobs.inconclusive("protocol", f"there is no operation {operation!r}")
        else:
            request["options"] = {**DEFAULTS, **request.get("options", {})}
            result = self.perform(request)
        self.say({"id": request.get("id"), "result": result})
        return True

    def perform(self, request: dict[str, Any]) -> dict[str, Any]:
        """Perform a request; where a rung of the ladder ends the process, the rungs below are tried without it."""
        start = time.monotonic()
        result = self.attempt(request)
        if "failure" in result:  # nobody else has kept the time
            result["seconds"] = round(time.monotonic() - start, 3)
        lower = rungs_below(request, result)
        if not lower:
            return result
        again = self.attempt({**request, "options": {**request["options"], "rungs": lower}})
        if "failure" in again:
            return result
        again["seconds"] = round(time.monotonic() - start, 3)
        again.setdefault("tried", {}).setdefault("notes", []).append(f"before: {result['reason']}")
        return again

    def attempt(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self.forks:
            return fresh.perform(request, self.say)
        target, options = request["target"], request["options"]
        key = (target["path"], target["module"], target["root"], options["memory"])
        if key in self.unusable:
            return self.unusable[key]
        if self.module is not None and self.module.key != key:
            self.leave()
        if self.module is None:
            _preload(options.get("preload", ()))
            jobs.prepare(request["op"])
            limits = containment.Limits(
                memory=options["memory"], processor=int(options["limit"] + options["import_seconds"]) + 1
            )
            self.module = ModuleProcess.start(key, limits, (self.host.descriptor, self.sink))
        result = self.converse(self.module, request)
        if self.module is not None:
            sweep(kept=self.module.process)
        return result

    def converse(self, module: ModuleProcess, request: dict[str, Any]) -> dict[str, Any]:
        """Send a request to the module's process, and hear it to its end."""
        emitted: list[Any] = []
        result: dict[str, Any] | None = None
        options = request["options"]
        seconds, started = options["import_seconds"], False
        module.ask(request)
        until = time.monotonic() + seconds
        while True:
            try:
                message = module.receive(until, self.host)
            except TooLate:
                failure, phrase = "timeout", f"killed after {seconds:g} s"
                break
            if message is None:
                status = self.leave()
                if result is not None:
                    return result
                failure, phrase = jobs.ended(status)
                break
            if "imported" in message and not module.imported:
                module.imported, module.confined = True, message["imported"]
            elif "started" in message and not started:
                started, seconds = True, options["limit"]
                until = time.monotonic() + seconds
            elif "ended" in message and module.imported:
                if result is not None:
                    return result
                failure, phrase = jobs.ended(message["ended"])
                break
            elif message.get("id") == request.get("id") and "event" in message:
                emitted = [*emitted, message["event"]][-EVENTS_KEPT:]
                self.say(message)
            elif message.get("id") == request.get("id") and isinstance(message.get("result"), dict):
                result = message["result"]
        return self.failed(module, request, failure, phrase, emitted)

    def failed(
        self, module: ModuleProcess, request: dict[str, Any], failure: str, phrase: str, emitted: list[Any]
    ) -> dict[str, Any]:
        """The result in place of one that did not come."""
        where = jobs.place(module.stack(), request["target"]["path"])
        phases = [event["phase"] for event in emitted if isinstance(event, dict) and "phase" in event]
        doing = "importing the module" if not module.imported else (phases[-1] if phases else "")
        reason = ", ".join(part for part in (phrase, doing and f"while {doing}", where) if part)
        result = {**jobs.inconclusive(failure, reason), "emitted": emitted}
        if not module.imported:
            self.unusable[module.key] = result
        if self.module is module and (failure == "timeout" or not module.imported):
            self.leave()
        return result

    def leave(self) -> int:
        """End the process of the present module, if there is one."""
        module, self.module = self.module, None
        return module.kill() if module is not None else 0


def rungs_below(request: dict[str, Any], result: dict[str, Any]) -> list[str]:
    """The rungs under the one on which the process of a request ended; none where that was the last."""
    if request["op"] != "confirm" or result.get("failure") not in DEADLY or "rungs" in request["options"]:
        return []
    events = [event for event in result.get("emitted", ()) if isinstance(event, dict)]
    climbed = [event["rung"] for event in events if event.get("rung") in RUNGS]
    # Nothing is said before the first harness is found: then the search for a call has ended it.
    last = climbed[-1] if climbed else "synthesised"
    return list(RUNGS[RUNGS.index(last) + 1 :])


def _preload(names: Sequence[str]) -> None:
    for name in names:
        if name.split(".")[0] in FORKABLE | {"numpy"}:
            with contextlib.suppress(Exception):
                importlib.import_module(name)
                if name in LATE:
                    importlib.import_module(LATE[name])


def main(arguments: Sequence[str] = ()) -> None:
    """Serve on standard input and output, which nothing else sees from now on."""
    source, sink = os.dup(0), os.dup(1)
    with open(os.devnull, "r+b", buffering=0) as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(nothing.fileno(), 1)
    if "--job" in arguments:
        fresh.main(source, sink)
        return
    confinement.adopt_orphans()
    forks = hasattr(os, "fork") and "--fresh" not in arguments
    Server(source, sink, forks).serve()
