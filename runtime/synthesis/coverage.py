"""Which lines of one file a call reaches: the fitness of the search for arguments.

`sys.monitoring` where there is one (Python 3.12), which costs next to nothing, else
`sys.settrace`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

MONITORING: Any = getattr(sys, "monitoring", None)
TOOL = 4
"""An identifier that no profiler, debugger or coverage tool uses."""


@contextmanager
def lines_of(path: str) -> Iterator[set[int]]:
    """Collect the lines of `path` that run in the ``with`` block."""
    if MONITORING is not None and MONITORING.get_tool(TOOL) in (None, "numlint"):
        with _monitored(path) as lines:
            yield lines
        return
    lines = set()

    def line(frame: Any, event: str, _: Any) -> Any:
        if event == "line":
            lines.add(frame.f_lineno)
        return line

    def call(frame: Any, event: str, _: Any) -> Any:
        return line if frame.f_code.co_filename == path else None

    before = sys.gettrace()
    sys.settrace(call)
    try:
        yield lines
    finally:
        sys.settrace(before)


@contextmanager
def _monitored(path: str) -> Iterator[set[int]]:
    lines: set[int] = set()
    event = MONITORING.events.LINE

    def line(code: Any, number: int) -> Any:
        if code.co_filename == path:
            lines.add(number)
        return MONITORING.DISABLE  # one visit is enough, until the events are restarted

    if MONITORING.get_tool(TOOL) is None:
        MONITORING.use_tool_id(TOOL, "numlint")
    MONITORING.register_callback(TOOL, event, line)
    MONITORING.restart_events()
    MONITORING.set_events(TOOL, event)
    try:
        yield lines
    finally:
        MONITORING.set_events(TOOL, MONITORING.events.NO_EVENTS)
        MONITORING.register_callback(TOOL, event, None)
