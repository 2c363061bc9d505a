"""What keeps the code under test from doing harm: limits, a deadline, an audit hook, namespaces."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Interrupted(BaseException):
    """The deadline of a run has passed. No `except Exception` of the target can catch it."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Interrupt the ``with`` block after `seconds` of wall time; nested deadlines keep the earlier one."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def expired(*_: Any) -> None:
        raise Interrupted(f"no result within {seconds:g} s")

    left, _ = signal.getitimer(signal.ITIMER_REAL)
    if left and left <= seconds:
        yield
        return
    before = signal.signal(signal.SIGALRM, expired)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, left)
        signal.signal(signal.SIGALRM, before)
