"""A contained process that has imported one module of the user, and forks one process per job.

Importing is most of what a verdict costs, and one job must not see what another has done
to numpy. Forking gives both. The server keeps the clock: what does not answer in time is
killed with all its descendants, and imported anew for the next job. A process that has
threads after the import cannot be forked safely (jax, tensorflow); it does one job itself.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from . import confinement, containment, jobs

LONGEST_LINE = 256 << 20
"""More than this in one message is no answer but an attack on our memory."""


class Lines:
    """Lines of a descriptor."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.ended = False
        self._pending = bytearray()
        self._scanned = 0

    def fill(self) -> None:
        """Read what is there; waits when nothing is."""
        chunk = os.read(self.descriptor, 1 << 16)
        self.ended = not chunk or len(self._pending) > LONGEST_LINE
        self._pending += chunk

    def next(self) -> bytes | None:
        """The next whole line that has been read."""
        end = self._pending.find(b"\n", self._scanned)
        if end < 0:
            self._scanned = len(self._pending)
            return None
        line = bytes(self._pending[:end])
        del self._pending[: end + 1]
        self._scanned = 0
        return line


class HostGone(Exception):
    """The host has closed our standard input."""


class TooLate(Exception):
    """Nothing was said in time."""


@dataclass
class ModuleProcess:
    """The server's side of it."""

    process: int
    requests: int
    answers: Lines
    report: int
    directory: str
    key: tuple[Any, ...]
    imported: bool = False
    last_words: str | None = None
    confined: dict[str, bool] = field(default_factory=dict)

    @classmethod
    def start(cls, key: tuple[Any, ...], limits: containment.Limits, own: Sequence[int]) -> ModuleProcess:
        """Fork it; `own` are the server's descriptors, which it must not have."""
        directory = tempfile.mkdtemp(prefix="numlint-")
        report = os.open(os.path.join(directory, "report"), os.O_RDWR | os.O_CREAT)
        os.unlink(os.path.join(directory, "report"))
        requests, ask = os.pipe()
        answer, answers = os.pipe()
        process = os.fork()
        if process == 0:
            for descriptor in (ask, answer, *own):
                os.close(descriptor)
            _serve(requests, answers, report, directory, limits)
        os.close(requests)
        os.close(answers)
        return cls(process, ask, Lines(answer), report, directory, key)

    def ask(self, request: dict[str, Any]) -> None:
        os.ftruncate(self.report, 0)
        os.lseek(self.report, 0, os.SEEK_SET)
        with contextlib.suppress(BrokenPipeError):  # it is dead: the answers end, which says so
            jobs.send(self.requests, jobs.written(request))

    def receive(self, until: float, host: Lines) -> dict[str, Any] | None:
        """The next message; None when it has ended.

        Raises
        ------
        TooLate, HostGone
        """
        while True:
            line = self.answers.next()
            if line is not None:
                with contextlib.suppress(ValueError, RecursionError):
                    message = json.loads(line)
                    if isinstance(message, dict):
                        return message
                continue  # the code under test has found our pipe and writes into it
            if self.answers.ended:
                return None
            ready, _, _ = select.select([self.answers.descriptor, host.descriptor], [], [], max(0, until - _now()))
            if host.descriptor in ready:
                host.fill()
                if host.ended:
                    raise HostGone
            if self.answers.descriptor in ready:
                self.answers.fill()
            elif _now() >= until:
                raise TooLate

    def stack(self) -> str:
        """What was reported of the stack of the job."""
        if self.last_words is not None:
            return self.last_words
        return os.pread(self.report, 1 << 16, 0).decode(errors="replace")

    def kill(self) -> int:
        """End it with all that it has started; its status, as of `os.waitpid`."""
        with contextlib.suppress(OSError):
            os.killpg(self.process, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.kill(self.process, signal.SIGKILL)
        try:
            _, status = os.waitpid(self.process, 0)
        except ChildProcessError:
            status = 0
        sweep()
        self.last_words = self.stack()
        for descriptor in (self.requests, self.answers.descriptor, self.report):
            os.close(descriptor)
        discard(self.directory)
        return status


def sweep(kept: int = 0) -> None:
    """Kill what a job has left behind: every descendant of this process but the module's process `kept`.

    They are stopped first: what multiplies faster than it is killed does not end.
    """
    for _ in range(50):
        strays = [process for process in confinement.descendants(os.getpid()) if process != kept]
        if not strays:
            return
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for process in strays:
                with contextlib.suppress(OSError):
                    os.kill(process, number)
        for process in strays:
            with contextlib.suppress(OSError):
                os.waitpid(process, os.WNOHANG)
        time.sleep(0.001)


def discard(directory: str) -> None:
    """Remove a temporary directory, whatever has been done to it."""

    def opened(function: Any, path: str, _: Any) -> None:
        with contextlib.suppress(OSError):
            os.chmod(os.path.dirname(path), 0o700)
            os.chmod(path, 0o700)
            function(path)

    shutil.rmtree(directory, onerror=opened)
    shutil.rmtree(directory, ignore_errors=True)


def _now() -> float:
    return time.monotonic()


def _serve(requests: int, answers: int, report: int, directory: str, limits: containment.Limits) -> NoReturn:
    """The process itself: import the module, then a fork per request, until the requests end."""
    try:
        contained = containment.contain(directory, limits)
        lines = Lines(requests)
        loaded, first = None, True
        for number in range(1 << 30):
            request = _next(lines)
            if request is None:
                break
            if first:
                loaded, first = _loaded(request, answers, report, contained), False
            if _threads() > 1:
                _work(request, loaded, answers, report, directory)
                break
            gc.collect()
            gc.freeze()  # pages that no collection touches stay shared
            process = contained.permission.fork()
            if process == 0:
                os.close(requests)
                confinement.die_with_parent()
                place = os.path.join(directory, str(number))
                os.mkdir(place)
                _work(request, loaded, answers, report, place)
                os._exit(0)
            _, status = os.waitpid(process, 0)
            jobs.send(answers, jobs.written({"ended": status}))
    finally:
        os._exit(0)


def _next(lines: Lines) -> dict[str, Any] | None:
    while True:
        line = lines.next()
        if line is not None:
            request: dict[str, Any] = json.loads(line)
            return request
        if lines.ended:
            return None
        lines.fill()


def _loaded(request: dict[str, Any], answers: int, report: int, contained: containment.Contained) -> Any:
    seconds = request["options"]["import_seconds"]
    jobs.watch(report, 0.8 * seconds)
    loaded = jobs.load(request)
    faulthandler.cancel_dump_traceback_later()
    kernel = contained.confinement
    jobs.send(answers, jobs.written({"imported": {"network": kernel.network, "files": kernel.files}}))
    return loaded


def _work(request: dict[str, Any], loaded: Any, answers: int, report: int, directory: str) -> None:
    containment.move_into(directory)
    seconds = request["options"]["limit"]
    jobs.watch(report, max(0.8 * seconds, seconds - 1.0))
    jobs.send(answers, jobs.written({"started": request.get("id")}))
    jobs.perform(request, loaded, answers)
    faulthandler.cancel_dump_traceback_later()


def _threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        # No count of the system's threads: Python's own, and the libraries known to start some.
        import threading

        return threading.active_count() + len({"jax", "jaxlib", "tensorflow"} & sys.modules.keys())
