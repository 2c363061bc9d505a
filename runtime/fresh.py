"""A fresh process for each job, where processes cannot be forked: slower, and as well contained."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from . import containment, jobs
from .modules import Lines, discard


def perform(request: dict[str, Any], say: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Run one request to its end; its events are passed on when it is over."""
    options = request["options"]
    seconds = options["limit"] + options["import_seconds"]
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "start.py")
    directory = tempfile.mkdtemp(prefix="numlint-")
    process = subprocess.Popen(
        [sys.executable, "-u", "-B", script, "--job"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        try:
            said, _ = process.communicate(jobs.written({**request, "directory": directory}), timeout=seconds)
            late = False
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
            late = True
    finally:
        process.kill()
        discard(directory)
    emitted: list[Any] = []
    result: dict[str, Any] | None = None
    for message in _messages(said, request.get("id")):
        if "event" in message:
            emitted.append(message["event"])
            say(message)
        elif isinstance(message.get("result"), dict):
            result = message["result"]
    if result is not None:
        return result
    if late:
        failure, phrase = "timeout", f"killed after {seconds:g} s"
    elif process.returncode < 0:
        failure, phrase = jobs.ended(-process.returncode)
    else:
        failure, phrase = "exit", f"ended the process with status {process.returncode}"
    return {**jobs.inconclusive(failure, phrase), "emitted": emitted}


def _messages(said: bytes, identity: Any) -> list[dict[str, Any]]:
    messages = []
    for line in said.splitlines():
        with contextlib.suppress(ValueError, RecursionError):
            message: Any = json.loads(line)
            if isinstance(message, dict) and message.get("id") == identity:
                messages.append(message)
    return messages


def main(source: int, sink: int) -> None:
    """The process itself: one request in, its lines out."""
    lines = Lines(source)
    while (line := lines.next()) is None and not lines.ended:
        lines.fill()
    if line is None:
        return
    os.close(source)
    request = json.loads(line)
    limits = containment.Limits(memory=request["options"]["memory"])
    containment.contain(request["directory"], limits)
    jobs.perform(request, jobs.load(request), sink)
    os._exit(0)
