"""Where a failure began: the operation to blame, found by tracing the failing input once.

The shadow names the first inf or nan that is born where the true value is finite, or the
zero that it came of; else the operation that loses most digits by itself. When the shadow
cannot run, ranges alone show births of inf and nan; when that fails too, numpy's own
warnings are turned into errors, and the traceback names the line.
"""

from __future__ import annotations

import linecache
import math
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from . import leaves
from .arithmetic import Arithmetic
from .formats import Format
from .harness import Harness, Outcome
from .target import Region
from .verdict import Origin

SECONDS = 4.0


def blame(harness: Harness, inputs: dict[str, Any], format: Format, region: Region | None = None) -> Origin | None:
    """Name the operation where the failure on `inputs` began.

    Parameters
    ----------
    harness : Harness
    inputs : dict of str to Any
        The failing input.
    format : Format
    region : Region, optional
        The flagged expression: it wins among operations that lose nearly the same number of digits.

    Returns
    -------
    Origin or None
        None when no operation can be named.
    """
    from .trace.events import blamed
    from .trace.shadow import Ranges, Shadow

    preferred = range(region.line, region.end_line + 1) if region is not None else ()
    if "torch" in sys.modules:
        from .autograd import ready

        ready()
    files = {file for file in (getattr(module, "__file__", None) for module in harness.modules) if file}
    for kind in (Shadow, Ranges):
        tracer = kind(format, files)
        outcome = _run(harness, inputs, tracer)
        if outcome is None or _is_ours(outcome.raised):
            continue
        # What happens outside of the code under test, such as in a copy of an object, is not to blame.
        events = [event for event in tracer.ledger.events if not files or event.file in files]
        event = blamed(events, finite=_is_finite(outcome), preferred=preferred)
        if event is not None and event.line:
            return _origin(event)
    return _raised(harness, inputs, format, files)


def _run(harness: Harness, inputs: dict[str, Any], arithmetic: Arithmetic) -> Outcome | None:
    try:
        return harness.run(inputs, arithmetic, SECONDS)
    except Exception:  # the tracer's own failure: the next, simpler one is tried
        return None


def _is_ours(error: BaseException | None) -> bool:
    """Whether an exception is the tracer's doing: the plain run is not known to raise these."""
    return isinstance(error, (TypeError, AttributeError, RecursionError))


def _is_finite(outcome: Outcome) -> bool:
    """Whether all results are finite numbers."""
    if outcome.raised is not None:
        return False
    for value in (outcome.outputs, outcome.sites):
        for _, leaf in leaves.leaves(value):
            array = np.asarray(leaf)
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                return False
    return True


def _origin(event: Any) -> Origin:
    failure = event.birth or event.zero
    operand, result = (failure.operand, failure.result) if failure is not None else event.worst
    if failure is None or (event.birth is None and event.digits_lost > 1 and event.worst[0]):
        operand, result = event.worst
    return Origin(
        line=event.line,
        text=event.place.text,
        operation=event.operation,
        operand=operand,
        result=result,
        digits_lost=round(event.digits_lost if math.isfinite(event.digits_lost) else 0.0, 1),
    )


class _Strict(Arithmetic):
    """Native arithmetic in which a floating-point warning is an error."""

    @contextmanager
    def patched(self, modules: Any) -> Iterator[None]:
        with np.errstate(over="raise", divide="raise", invalid="raise"):
            yield


def _raised(harness: Harness, inputs: dict[str, Any], format: Format, files: set[str]) -> Origin | None:
    """The line of the first floating-point error that numpy itself, or Python, reports."""
    outcome = _run(harness, inputs, _Strict(format))
    error = outcome.raised if outcome is not None else None
    if not isinstance(error, (ArithmeticError, np.linalg.LinAlgError)):
        return None
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if frame.filename in files]
    if not inside or not inside[-1].lineno:
        return None
    last = inside[-1]
    line = int(last.lineno or 0)
    return Origin(line=line, text=linecache.getline(last.filename, line).strip(), operation="", result=str(error))
