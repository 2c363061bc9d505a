"""Watch numbers while code runs: ranges, births of inf and nan, and digits lost, by source line.

In `confirm` the tracer runs on one failing input and names the operation where the failure
began. In a program of one's own, ``with numlint.trace():`` does the same, cheaply.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from types import ModuleType, TracebackType
from typing import Any, TextIO

from ..stubs import installed
from . import report
from .events import Event, Ledger, blamed, recording
from .namespace import patched
from .position import Scope
from .shadow import Ranges, Shadow

__all__ = ["Event", "Ledger", "Ranges", "Shadow", "blamed", "trace"]


class trace:
    """Trace the numpy and torch operations of a ``with`` block, and print what went wrong first.

    While the block runs, the names of numpy, `math`, `float` and `sum` in the caller's
    module (and in `modules`) stand for traced look-alikes: arrays that are made or passed
    through them are followed from there on, into other modules too. torch needs no such
    names: every torch operation of this thread is seen, backward passes included.

    Compiled code sees plain arrays: what scipy, pandas or an extension computes is one
    blank, and tracing begins anew where its result meets a traced name. In the mode
    ``"shadow"`` the true value is lost, and taken to be the rounded one, in fft, complex
    numbers, eigenvalues and singular values, ``np.vectorize``, ``.flat``, writing into an
    array that was made outside the block, and `float` in a module that is not traced.
    `lost` counts them.

    Parameters
    ----------
    mode : str
        ``"ranges"``: ranges and births of inf and nan. ``"shadow"``: a wider value beside
        every number, which shows lost digits too, and costs ten to a hundred times more.
    modules : sequence of module
        Other modules whose names are traced.
    output : text stream, optional
        Where the report goes; default `sys.stderr`. None prints nothing when `quiet`.
    quiet : bool
        Print nothing.

    Examples
    --------
    >>> import numlint
    >>> with numlint.trace() as t:  # doctest: +SKIP
    ...     train(model, data)
    >>> t.first.line  # doctest: +SKIP
    """

    def __init__(
        self,
        mode: str = "ranges",
        modules: Sequence[ModuleType] = (),
        output: TextIO | None = None,
        quiet: bool = False,
    ) -> None:
        if mode not in ("ranges", "shadow"):
            raise ValueError(f"mode must be 'ranges' or 'shadow', not {mode!r}")
        self.ledger = Ledger(shadow=mode == "shadow", scope=Scope())
        self._modules = tuple(modules)
        self._output = output
        self._quiet = quiet
        self._stack = ExitStack()

    def __enter__(self) -> trace:
        caller = sys.modules.get(sys._getframe(1).f_globals.get("__name__", ""))
        modules = [*self._modules, *([caller] if caller is not None else [])]
        self._stack.enter_context(recording(self.ledger))
        self._stack.enter_context(patched(modules))
        if installed("torch") is not None:
            from .torch_mode import tracing

            self._stack.enter_context(tracing(self.ledger))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()
        if not self._quiet:
            (self._output or sys.stderr).write(self.report())

    @property
    def events(self) -> list[Event]:
        """One event for each operation at each place."""
        return self.ledger.events

    @property
    def first(self) -> Event | None:
        """The first operation that went wrong; None when none did."""
        return self.ledger.first

    @property
    def lost(self) -> dict[str, int]:
        """How often which operation lost the true value."""
        return dict(self.ledger.lost)

    def report(self) -> str:
        """The first bad operation and a short table, as plain text."""
        return report.text(self.ledger)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"a trace has no {name!r}; it has events, first, lost and report()")
