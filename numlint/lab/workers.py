"""Processes in the user's interpreter that train, one run at a time each.

A worker is started once and kept: imports, torch's above all, cost more than most runs.
It is killed when a run overstays, and another takes its place. Whatever becomes of a run,
its process included, there is one result: with the status ``timed-out`` or ``died``, the
reason, and the epochs until then.

`perform` is a plain function of a `Job`, so that any executor can call it: threads here,
the workers of a cluster elsewhere. Either way it borrows a process from the `Crew` of its
own process, and gives it back.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numlint import runtime
from numlint.confirm.emulation import KNOBS, died
from numlint.confirm.interpreter import clean
from numlint.confirm.workers import ONE_THREAD
from numlint.runtime.lab.configuration import Configuration
from numlint.runtime.lab.record import DIED, REFUSED, TIMED_OUT, Run

START = Path(next(iter(runtime.__path__)), "start.py")
MACHINES = Path(next(iter(runtime.__path__)), "machines.py")
START_SECONDS = 60.0
"""Wall time for an interpreter to start, with numpy."""
GRACE = 5.0
"""Seconds beyond its limit after which a run that does not end itself is killed."""
_LAST_WORDS = 20

Watch = Callable[[Configuration, dict[str, Any]], None]
"""Told the configuration, and each event as it comes."""


class WorkerError(Exception):
    """The interpreter does not run the lab; the message says what it said."""


@dataclass(frozen=True)
class Job:
    """A run, and where it is made.

    Attributes
    ----------
    configuration : Configuration
    python : str
        The interpreter.
    seconds : float
        Wall time after which the run is ended.
    options : dict
        Further options of the request.
    environment : dict of str to str
        Variables of the process beyond the usual ones.
    folder : str
        Working directory, which relative paths of data start from.
    """

    configuration: Configuration
    python: str
    seconds: float = 60.0
    options: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = "."

    @property
    def place(self) -> tuple[Any, ...]:
        """Jobs of one place can be done by one process."""
        return (self.python, self.folder, tuple(sorted(self.environment.items())))


def perform(job: Job, watch: Watch | None = None) -> dict[str, Any]:
    """Make a run; give it as data, whatever happens.

    Raises
    ------
    WorkerError
        The interpreter cannot be started.
    """
    with CREW.lent(job) as worker:
        return worker.run(job, watch)


class Worker:
    """One process."""

    def __init__(self, python: str, environment: Mapping[str, str], folder: str) -> None:
        self.python = python
        self.said: deque[str] = deque(maxlen=_LAST_WORDS)
        self.killed = False
        self._variables = dict(environment)
        self._number = 0
        self._ready = False
        try:
            self.process = subprocess.Popen(
                [python, "-u", "-B", str(START), "--lab"],
                env=_environment(environment),
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C in the terminal is for us alone
            )
        except OSError as error:
            raise WorkerError(f"{python} cannot be started: {error.strerror}; choose another with --python") from None
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def usable(self) -> bool:
        return not self.killed and self.process.poll() is None

    def ask(self, request: Mapping[str, Any], seconds: float = START_SECONDS) -> Any:
        """The result of a request that is not a run.

        Raises
        ------
        WorkerError
        """
        with self._limited(seconds):
            for message in self._exchange(request):
                if "result" in message:
                    self._ready = True
                    return message["result"]
        raise WorkerError(self._complaint())

    def run(self, job: Job, watch: Watch | None = None) -> dict[str, Any]:
        """Make a run; see `perform`."""
        if not self._ready:
            self.ask({"op": "tasks"})
        events: list[dict[str, Any]] = []
        options = {"seconds": job.seconds, **job.options}
        request = {"op": "run", "configuration": job.configuration.to_json(), "options": options}
        start = time.monotonic()
        with self._limited(job.seconds + GRACE) as late:
            for message in self._exchange(request):
                if "result" in message:
                    result = message["result"]
                    if "refused" in result:
                        return dict(Run(job.configuration, REFUSED, str(result["refused"])).to_json())
                    asked = job.configuration.to_json()
                    around = {**result.get("environment", {}), **surroundings(self.python, self._variables)}
                    return {**result, "configuration": asked, "environment": around}
                event = message.get("event") or {}
                events.append(event)
                if watch is not None:
                    watch(job.configuration, event)
        return self._lost(job, events, late, time.monotonic() - start)

    def kill(self) -> None:
        """End the process, and what it started."""
        self.killed = True
        with contextlib.suppress(OSError):
            if os.name == "posix":
                os.killpg(self.process.pid, 9)
            else:
                self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """Ask the process to end; it is killed when it does not."""
        with contextlib.suppress(OSError, ValueError):
            if self.process.stdin is not None:
                self.process.stdin.close()
        try:
            self.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self.kill()
        self._listener.join(timeout=2)
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError, ValueError):
                    pipe.close()

    @contextlib.contextmanager
    def _limited(self, seconds: float) -> Iterator[threading.Event]:
        """Kill the process after some seconds; the event says whether that happened."""
        late = threading.Event()

        def expire() -> None:
            late.set()
            self.kill()

        clock = threading.Timer(seconds, expire)
        clock.daemon = True
        clock.start()
        try:
            yield late
        finally:
            clock.cancel()

    def _exchange(self, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Send a request; give what comes in answer to it, until the process ends."""
        self._number += 1
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps({**request, "id": self._number}).encode() + b"\n")
            self.process.stdin.flush()
            for line in self.process.stdout:
                try:
                    message = json.loads(line)
                except ValueError:  # something of the user's printed past what the worker keeps for itself
                    continue
                if isinstance(message, dict) and message.get("id") == self._number:
                    yield message
        except (BrokenPipeError, ConnectionError):
            return

    def _lost(self, job: Job, events: list[dict[str, Any]], late: threading.Event, seconds: float) -> dict[str, Any]:
        status = self.process.wait()
        self._listener.join(timeout=2)
        if late.is_set():
            state, reason = (
                TIMED_OUT,
                f"no end after {job.seconds:g} s and {GRACE:g} s of grace; the process was killed",
            )
        else:
            state, reason = DIED, "; ".join([died(status), *list(self.said)[-1:]])
        run = Run(job.configuration, state, reason, seconds=seconds).to_json()
        return {**run, "epochs": [event["epoch"] for event in events if "epoch" in event]}

    def _listen(self) -> None:
        """Keep the last that a process complained of; a full pipe would stop it."""
        with contextlib.suppress(OSError, ValueError):
            for line in self.process.stderr or ():
                self.said.append(line.decode(errors="replace").rstrip())

    def _complaint(self) -> str:
        status = self.process.wait()
        self._listener.join(timeout=2)
        said = next((line for line in reversed(self.said) if line.strip()), died(status))
        return f"{self.python} cannot run the lab: {said}; choose another interpreter with --python"


_SURROUNDINGS: dict[tuple[Any, ...], dict[str, Any]] = {}
_DESCRIBE = """\
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("machines", sys.argv[1])
module = sys.modules["machines"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(json.dumps(module.description()))
"""


def surroundings(python: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """What results depend on besides the configuration: versions, and the kernels that linear algebra runs with.

    See `numlint.runtime.machines.description`; empty where the interpreter does not tell.
    """
    key = (python, tuple(sorted(environment.items())))
    if key not in _SURROUNDINGS:
        try:
            done = subprocess.run(
                [python, "-B", "-c", _DESCRIBE, str(MACHINES)],
                env=_environment(environment),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=START_SECONDS,
                check=False,
            )
            told = json.loads(done.stdout)
        except (OSError, ValueError, subprocess.TimeoutExpired):
            told = {}
        _SURROUNDINGS[key] = told
    return _SURROUNDINGS[key]


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in clean(os.environ).items() if name not in KNOBS}
    return {**kept, "PYTHONHASHSEED": "0", "PYTHONUTF8": "1", **dict.fromkeys(ONE_THREAD, "1"), **given}


class Crew:
    """The workers of this process: borrowed, given back, and ended together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[tuple[Any, ...], list[Worker]] = {}
        self._lent: set[Worker] = set()

    @contextlib.contextmanager
    def lent(self, job: Job) -> Iterator[Worker]:
        """A worker for a job, for as long as the block lasts."""
        with self._lock:
            waiting = self._idle.get(job.place, [])
            worker = next((waiting.pop() for _ in range(len(waiting)) if waiting[-1].usable), None)
        if worker is None:
            # On a machine of a cluster the project's interpreter may lie elsewhere.
            python = job.python if os.path.exists(job.python) else sys.executable
            worker = Worker(python, job.environment, job.folder if os.path.isdir(job.folder) else ".")
        with self._lock:
            self._lent.add(worker)
        try:
            yield worker
        finally:
            with self._lock:
                self._lent.discard(worker)
                if worker.usable:
                    self._idle.setdefault(job.place, []).append(worker)

    def dismiss(self) -> None:
        """End those that wait."""
        with self._lock:
            workers = [worker for waiting in self._idle.values() for worker in waiting]
            self._idle.clear()
        for worker in workers:
            worker.close()

    def kill(self) -> None:
        """End all, and what they are doing."""
        with self._lock:
            working = list(self._lent)
        for worker in working:
            worker.kill()
        self.dismiss()


CREW = Crew()
atexit.register(CREW.kill)
