"""Work on many items with several processes, in order, and survive the death of any of them.

Processes are forked where that is possible: they inherit what is already imported
and loaded, which costs a few milliseconds where a fresh process would cost a start of
the program. A pipe that holds the numbers of the chunks is the queue; each process
takes the next number from it and writes its results to a pipe of its own. A chunk
whose process died is done again, one item at a time, to find the item to blame.
"""

from __future__ import annotations

import os
import pickle
import signal
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Work = Callable[[Sequence[Item]], list[Result]]

_NUMBER = struct.Struct("=I")
_HEADER = struct.Struct("=IQ")
_MAX_CHUNKS = 2048
"""Their numbers must fit into the smallest pipe, which holds 16 KiB."""
CHUNKS_PER_JOB = 16
"""Small enough that no process waits long for the last one, large enough to stay among neighbouring files."""


def available() -> int:
    """Count the processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def spread(
    work: Work[Item, Result], items: Sequence[Item], jobs: int, lost: Callable[[Item, str], Result]
) -> Iterator[Result]:
    """Apply `work` to all items in `jobs` processes, and give the results in order.

    Parameters
    ----------
    work : callable
        Takes some items and gives a result for each. Without fork it must be picklable.
    items : sequence
    jobs : int
    lost : callable
        Gives the result of an item whose process died, from the item and the reason.
    """
    start = _fork if hasattr(os, "fork") else _spawn
    size = max(1, -(-len(items) // min(jobs * CHUNKS_PER_JOB, _MAX_CHUNKS)))
    chunks = [items[first : first + size] for first in range(0, len(items), size)]
    done, _ = start(work, chunks, min(jobs, len(chunks)))
    for number, chunk in enumerate(chunks):
        if number in done:
            yield from done[number]
            continue
        for item in chunk:
            alone, reason = start(work, [[item]], 1)
            yield alone[0][0] if alone else lost(item, reason)


def _fork(work: Work[Item, Result], chunks: Sequence[Sequence[Item]], jobs: int) -> tuple[dict[int, list[Result]], str]:
    """Do the chunks in forked processes; give what was done, and why the rest was not."""
    queue, feed = os.pipe()
    os.write(feed, b"".join(map(_NUMBER.pack, range(len(chunks)))))
    os.close(feed)
    children: dict[int, int] = {}
    try:
        for _ in range(jobs):
            receive, send = os.pipe()
            pid = os.fork()
            if not pid:
                _serve(work, chunks, queue, send)
            os.close(send)
            children[receive] = pid
        return _gather(children)
    finally:
        os.close(queue)
        for receive, pid in children.items():  # left over after an exception such as Ctrl-C
            os.close(receive)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _serve(work: Work[Item, Result], chunks: Sequence[Sequence[Item]], queue: int, send: int) -> NoReturn:
    """Be a child process."""
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # the parent alone answers Ctrl-C
        while number := os.read(queue, _NUMBER.size):
            (index,) = _NUMBER.unpack(number)
            payload = pickle.dumps(work(chunks[index]), pickle.HIGHEST_PROTOCOL)
            _write(send, _HEADER.pack(index, len(payload)) + payload)
        status = 0
    finally:
        # Nothing that the parent has registered or buffered may happen twice.
        os._exit(status)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _gather(children: dict[int, int]) -> tuple[dict[int, list[Any]], str]:
    """Read results until all children are gone; removes those from `children`."""
    import select

    buffers = {receive: bytearray() for receive in children}
    done: dict[int, list[Any]] = {}
    reason = ""
    while children:
        for receive in select.select(list(children), [], [])[0]:
            data = os.read(receive, 1 << 20)
            if not data:
                os.close(receive)
                status = os.waitpid(children.pop(receive), 0)[1]
                reason = _cause(status) or reason
                continue
            buffer = buffers[receive]
            buffer += data
            while len(buffer) >= _HEADER.size:
                index, length = _HEADER.unpack_from(buffer)
                if len(buffer) < _HEADER.size + length:
                    break
                done[index] = pickle.loads(buffer[_HEADER.size : _HEADER.size + length])
                del buffer[: _HEADER.size + length]
    return done, reason


def _cause(status: int) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return f"signal {number}, {signal.strsignal(number) or 'unknown'}"
    code = os.WEXITSTATUS(status)
    return f"exit status {code}" if code else ""


def _spawn(
    work: Work[Item, Result], chunks: Sequence[Sequence[Item]], jobs: int
) -> tuple[dict[int, list[Result]], str]:
    """Do the same in fresh processes, where there is no fork."""
    import multiprocessing
    import sys
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    done: dict[int, list[Result]] = {}
    reason = ""
    # A rule pack is found through the path of the parent.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, sys.path.extend, (list(sys.path),)) as executor:
        futures = [executor.submit(work, chunk) for chunk in chunks]
        try:
            for index, future in enumerate(futures):
                try:
                    done[index] = future.result()
                except BrokenProcessPool as error:
                    reason = str(error)
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise
    return done, reason
