"""Progress of a run on a terminal; nothing where there is none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numlint.confirm.confirmation import Confirmed
    from numlint.confirm.targets import Case


class Silence:
    """No progress."""

    def started(self, case: Case) -> None:
        """Say that a target is being run."""

    def done(self, result: Confirmed) -> None:
        """Say what became of it."""


class Bar(Silence):
    """A bar on standard error, with the latest target and the counts so far."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            BarColumn(20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[counts]}"),
            TextColumn("{task.description}", markup=False),
        )
        self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self.bar.add_task("", total=total, counts="")
        self._counts: dict[str, int] = {}
        self._open: dict[int, str] = {}

    def started(self, case: Case) -> None:
        self._open[id(case)] = f"{case.finding.path}:{case.finding.span.line} {case.finding.rule}"
        self._show()

    def done(self, result: Confirmed) -> None:
        status = result.verdict.status
        self._counts[status] = self._counts.get(status, 0) + 1
        self._open.pop(id(result.case), None)
        self.bar.advance(self._task)
        self._show()

    def _show(self) -> None:
        # Targets are read in advance; the one that waits for longest is the one that runs.
        counts = ", ".join(f"{number} {name}" for name, number in sorted(self._counts.items()))
        self.bar.update(self._task, counts=counts, description=next(iter(self._open.values()), ""))


@contextmanager
def progressing(total: int, *, quiet: bool) -> Iterator[Silence]:
    if quiet or not total or not sys.stderr.isatty():
        yield Silence()
        return
    bar = Bar(total)
    with bar.bar:
        yield bar
