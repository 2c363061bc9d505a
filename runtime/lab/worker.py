"""Answers the host of the lab: JSON lines in on standard input, JSON lines out on what was standard output.

Started as ``python -u -B runtime/start.py --lab`` in the interpreter of the training function.
The first line out is a greeting, ``{"hello": {"python": ..., "numpy": ..., "available": {"torch": true, ...}}}``.
Every request has an ``id`` and an ``op``, and ends with one line ``{"id": ..., "result": ...}``:

``{"id": 1, "op": "run", "configuration": {"task": ..., "settings": {...}}, "options": {...}}``
    Train. The result is ``Run.to_json()``; its configuration has all settings of the task.
    Events on the way, at most `EVENTS_PER_SECOND` in a second: ``{"id": 1, "event": {"epoch": {...}}}``
    as `record.Epoch`; and, none of them held back, ``{"event": {"phase": {...}}}`` as `record.Phase`
    and ``{"event": {"finding": {...}}}`` as `record.Finding`, each when it is named. Numbers
    that are not finite are written as in `record`. Options, all of them optional, are the
    fields of `training.Options`: ``log_every``, ``layers``, ``shadow``, ``seconds``, ``path``, ``repeat``, ``trace``.
``{"id": 2, "op": "describe", "task": "logistic_regression", "options": {"path": [...]}}``
    ``{"name", "about", "open", "settings": {name: {"default", "about", "choices": [...]}}}``; no choices
    means any value, and `open` that other settings are taken too. ``{"refused": "why"}`` where there is no such task.
``{"id": 3, "op": "tasks"}``
    A list of such descriptions: the built-in tasks.
``{"id": 4, "op": "probe", "configuration": {...}, "probes": [], "options": {...}}``
    Ask a training function; a list of `answers.Answer`, one for each probe that is named, or for all.
``{"id": 6, "op": "probes"}``
    ``{name: question}`` of all probes (see `probes`).
``{"id": 5, "op": "policy", "configuration": {...}, "format": "float16", "tolerance": 0.05, "options": {...}}``
    ``answers.Policy.to_json()``: which parts of the model may run in the format (see `policy`).
``{"op": "exit"}``
    End; so does the end of standard input.

A request that cannot be understood gets ``{"id": ..., "result": {"refused": "why"}}``. One run
follows the other in one process. What a training function prints goes to standard error. A run
beyond its seconds ends as ``timed-out`` by itself wherever Python code runs; one that hangs in
compiled code must be killed by the host, and a process that dies answers nothing more.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import signal
import sys
import time
from dataclasses import asdict
from typing import Any

import numpy as np

from .configuration import Configuration
from .data import Refused
from .policy import policy
from .probes import answers, probes
from .probes.subject import Subject
from .record import Run, worded
from .tasks import builtin
from .training import Options, train
from .training_function import task_of

EVENTS_PER_SECOND = 5.0
LIBRARIES = ("torch", "sklearn", "pandas", "pyarrow", "scipy")


class Worker:
    """One request after the other."""

    def __init__(self, source: Any, sink: Any) -> None:
        self.source = source
        self.sink = sink

    def say(self, message: dict[str, Any]) -> None:
        self.sink.write(json.dumps(worded(message)).encode() + b"\n")
        self.sink.flush()

    def serve(self) -> None:
        """Until the host says ``exit`` or is gone."""
        self.say({"hello": hello()})
        for line in self.source:
            try:
                request = json.loads(line)
                if request.get("op") == "exit":
                    return
                result = self.answer(request)
            except Refused as error:
                result = {"refused": str(error)}
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                request, result = request if isinstance(request, dict) else {}, {"refused": f"{error!r}"}
            self.say({"id": request.get("id"), "result": result})

    def answer(self, request: dict[str, Any]) -> Any:
        operation = request.get("op")
        options = Options.from_json(request.get("options", {}))
        if operation == "run":
            return self.run(request["id"], Configuration.from_json(request["configuration"]), options).to_json()
        if operation == "describe":
            return task_of(request["task"], options.path).to_json()
        if operation == "tasks":
            return [task.to_json() for task in builtin().values()]
        if operation == "probes":
            return {name: probe.question for name, probe in probes().items()}
        if operation in ("probe", "policy"):
            subject = _subject(Configuration.from_json(request["configuration"]), options)
            if operation == "probe":
                return [item.to_json() for item in answers(subject, request.get("probes", ()), options.seconds)]
            return policy(subject, str(request["format"]), float(request["tolerance"]), options.seconds).to_json()
        raise Refused(f"there is no operation {operation!r}: run, describe, tasks, probes, probe, policy, exit")

    def run(self, identity: Any, configuration: Configuration, options: Options) -> Run:
        last = -1.0

        def say(event: dict[str, Any]) -> None:
            nonlocal last
            if "epoch" in event:
                now = time.monotonic()
                if now - last < 1.0 / EVENTS_PER_SECOND:
                    return
                last = now
            self.say({"id": identity, "event": {name: asdict(item) for name, item in event.items()}})

        return train(configuration, options, say)


def _subject(configuration: Configuration, options: Options) -> Subject:
    task = task_of(configuration.task, options.path)
    return Subject(task, task.completed(configuration))


def hello() -> dict[str, Any]:
    """What this interpreter is, and which libraries it has."""
    return {
        "python": platform.python_version(),
        "executable": sys.executable,
        "numpy": np.__version__,
        "available": {name: importlib.util.find_spec(name) is not None for name in LIBRARIES},
    }


def main() -> None:
    """Serve on standard input and output, which nothing else sees from now on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the host, which then ends this process
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    Worker(source, sink).serve()
