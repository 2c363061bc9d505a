"""Servers in the user's interpreter, several at a time, and requests spread over them.

A server imports a file's module once and forks a process for each request about it, so
requests of one file go to one server while there are other files to do. All decisions are
made in the calling thread; each server has a thread that does nothing but talk to it.
Whatever becomes of a request, its server included, it has an answer: a result with the
status ``inconclusive`` and the reason.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import queue
import re
import shutil
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from numlint import runtime
from numlint.confirm.interpreter import Interpreter, InterpreterError, clean

Request = dict[str, Any]
Answer = dict[str, Any]

START = Path(next(iter(runtime.__path__)), "start.py")
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
"""A process with threads cannot be forked, and as many servers run as there are processors."""
GRACE = 30.0
"""Seconds beyond its own limits after which a server that says nothing is given up."""
AHEAD = 32
"""Requests that may be read in advance, to find one for an idle server."""
_IMPORT = re.compile(rb"^[ \t]*(?:import|from)[ \t]+([A-Za-z_][\w.]*)", re.MULTILINE)


class Pool:
    """Runs requests in an interpreter.

    Parameters
    ----------
    interpreter : Interpreter
    jobs : int
        Servers that run at a time.
    seconds_per_target : float
        Wall time after which a target is killed.
    import_seconds : float
        Wall time after which the import of a module is killed, with all its requests.
    memory : int
        Bytes that a target may use.
    fork : bool
        Whether the interpreter may fork; a process is started for each request otherwise.
    """

    def __init__(
        self,
        interpreter: Interpreter,
        jobs: int = 1,
        seconds_per_target: float = 20.0,
        *,
        import_seconds: float = 60.0,
        memory: int = 4 << 30,
        fork: bool = True,
    ) -> None:
        self.interpreter = interpreter
        self.jobs = max(1, jobs)
        self.options = {"limit": seconds_per_target, "import_seconds": import_seconds, "memory": memory}
        self.fork = fork
        self.hello: dict[str, Any] = {}
        self._directory = ""
        self._servers: list[_Server] = []
        self._preloads: dict[str, list[str]] = {}

    def __enter__(self) -> Pool:
        self.start(1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self, number: int) -> None:
        """Start servers until there are `number`; they make ready while the caller goes on."""
        if not self._directory:
            self._directory = tempfile.mkdtemp(prefix="numlint-")
        while len(self._servers) < min(number, self.jobs):
            self._servers.append(_Server(self._command(), self._environment()))

    def close(self) -> None:
        """End all servers with their children, and remove what was temporary."""
        servers, self._servers = self._servers, []
        for server in servers:
            server.dismiss()
        for server in servers:
            server.end()
        shutil.rmtree(self._directory, ignore_errors=True)
        self._directory = ""

    def run(self, requests: Iterable[Request]) -> Iterator[tuple[Request, Answer]]:
        """Give each request with its answer, as they come; closes the pool at the end.

        Raises
        ------
        InterpreterError
            The interpreter does not run the runtime.
        """
        schedule = _Schedule(requests)
        finished: queue.SimpleQueue[tuple[_Server, Request, Answer | BaseException]] = queue.SimpleQueue()
        busy: set[_Server] = set()
        try:
            while True:
                self._hand_out(schedule, busy, finished)
                if not busy:
                    return
                server, request, answer = finished.get()
                busy.discard(server)
                if isinstance(answer, BaseException):
                    raise answer
                self.hello = server.hello
                self._hand_out(schedule, busy, finished)
                yield request, answer
        finally:
            self.close()

    def _hand_out(self, schedule: _Schedule, busy: set[_Server], finished: Any) -> None:
        """A request for every idle server; another server while there are requests for it."""
        while True:
            idle = [server for server in self._servers if server not in busy]
            if not idle and len(self._servers) >= self.jobs:
                return
            server = idle[0] if idle else None
            request = schedule.next(server.file if server else "", {other.file for other in busy})
            if request is None:
                return
            if server is None:
                self.start(len(self._servers) + 1)
                server = self._servers[-1]
            busy.add(server)
            server.file = _file(request)
            server.give(self._completed(request), request, finished)

    def _completed(self, request: Request) -> Request:
        """The request with the pool's options, where it has none of its own."""
        given = {**self.options, "preload": self._preload(_file(request)), "mpmath": self._mpmath()}
        return {**request, "options": {**given, **request.get("options", {})}}

    def _preload(self, path: str) -> list[str]:
        """What a file imports. The server decides which of it is safe to import before a fork."""
        if path not in self._preloads:
            try:
                found = _IMPORT.findall(Path(path).read_bytes())
            except OSError:  # the server says so
                found = []
            self._preloads[path] = sorted({name.decode() for name in found})
        return self._preloads[path]

    def _mpmath(self) -> str:
        """A directory with our mpmath and nothing else, for an interpreter that has no python-flint."""
        link = Path(self._directory, "libraries", "mpmath")
        if not link.exists():
            spec = importlib.util.find_spec("mpmath")
            if spec is None or spec.origin is None:
                return ""
            link.parent.mkdir(exist_ok=True)
            try:
                link.symlink_to(Path(spec.origin).parent)
            except OSError:  # Windows grants links to few
                shutil.copytree(Path(spec.origin).parent, link)
        return str(link.parent)

    def _command(self) -> list[str]:
        return [self.interpreter.path, "-u", "-B", str(START), *([] if self.fork else ["--fresh"])]

    def _environment(self) -> dict[str, str]:
        kept = clean(os.environ)
        settings = {"PYTHONHASHSEED": "0", "PYTHONUTF8": "1", **dict.fromkeys(ONE_THREAD, "1")}
        return {**kept, **settings, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), self._directory)}


def _file(request: Mapping[str, Any]) -> str:
    return str(request.get("target", {}).get("path", ""))


class _Schedule:
    """Requests by file, in their order, read only as far ahead as is needed."""

    def __init__(self, requests: Iterable[Request]) -> None:
        self._source = iter(requests)
        self._waiting: dict[str, deque[Request]] = {}
        self._count = 0

    def next(self, file: str, taken: set[str]) -> Request | None:
        """The next request for a server that has imported `file`, while others work on the files `taken`."""
        self._read(lambda: file in self._waiting if file else bool(self._waiting.keys() - taken))
        if not self._waiting:
            return None
        free = [name for name in self._waiting if name not in taken]
        longest = max(self._waiting, key=lambda name: len(self._waiting[name]))
        chosen = file if file in self._waiting else free[0] if free else longest
        request = self._waiting[chosen].popleft()
        self._count -= 1
        if not self._waiting[chosen]:
            del self._waiting[chosen]
        return request

    def _read(self, enough: Any) -> None:
        while not enough() and self._count < AHEAD:
            request = next(self._source, None)
            if request is None:
                return
            self._waiting.setdefault(_file(request), deque()).append(request)
            self._count += 1


class _Server:
    """One server process, started again when it dies, and the thread that talks to it."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.command, self.environment = command, environment
        self.file = ""
        self.hello: dict[str, Any] = {}
        self._ended = False
        self._number = 0
        self._inbox: queue.SimpleQueue[tuple[Request, Request, Any] | None] = queue.SimpleQueue()
        self._process = self._started()
        threading.Thread(target=self._talk, daemon=True).start()

    def _started(self) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                self.command,
                env=self.environment,
                cwd=self.environment["TMPDIR"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C in the terminal is for us alone
            )
        except OSError as error:
            raise InterpreterError(f"{self.command[0]} cannot be started: {error.strerror}") from None

    def give(self, sent: Request, request: Request, finished: Any) -> None:
        """Have a request done; the server, the request and the answer are put into `finished`."""
        self._inbox.put((sent, request, finished))

    def _talk(self) -> None:
        while (item := self._inbox.get()) is not None:
            sent, request, finished = item
            try:
                finished.put((self, request, self._answer(sent)))
            except BaseException as error:
                finished.put((self, request, error))

    def _answer(self, sent: Request) -> Answer:
        self._number += 1
        options = sent["options"]
        limit = options["limit"] + options["import_seconds"] + GRACE
        clock = threading.Timer(limit, self._process.kill)
        clock.daemon = True
        clock.start()
        emitted: list[Any] = []
        try:
            self._greet()
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps({**sent, "id": self._number}).encode() + b"\n")
            self._process.stdin.flush()
            for message in self._messages():
                if message.get("id") != self._number:
                    continue
                if "result" in message:
                    return dict(message["result"])
                emitted.append(message.get("event"))
        except (BrokenPipeError, ConnectionError):
            pass
        finally:
            clock.cancel()
        status = self._process.wait()
        if not self._ended:
            self._close_pipes()
            self._process, self.hello = self._started(), {}
        reason = f"the server of the runtime ended with status {status}"
        return {"status": "inconclusive", "failure": "server", "reason": reason, "emitted": emitted}

    def _greet(self) -> None:
        """Hear the greeting, once.

        Raises
        ------
        InterpreterError
        """
        if self.hello:
            return
        for message in self._messages():
            if "hello" in message:
                self.hello = message["hello"]
                threading.Thread(target=self._drain, args=(self._process,), daemon=True).start()
                return
        assert self._process.stderr is not None
        said = self._process.stderr.read().decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise InterpreterError(f"{self.command[0]} cannot run numlint's runtime: {said[-1]}; see `--python`")

    @staticmethod
    def _drain(process: subprocess.Popen[bytes]) -> None:
        """Read what a server complains of: a full pipe would stop it."""
        with contextlib.suppress(OSError, ValueError):
            while process.stderr is not None and process.stderr.read(1 << 16):
                pass

    def _messages(self) -> Iterator[dict[str, Any]]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message = json.loads(line)
            yield message

    def dismiss(self) -> None:
        """Ask it to end: without us it kills its children, removes its files and leaves."""
        self._ended = True
        self._inbox.put(None)
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()

    def end(self) -> None:
        """Wait until it has ended; it is killed when it does not."""
        try:
            self._process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._close_pipes()

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError, ValueError):
                    pipe.close()
