"""Runs as they happen: a table on a terminal, now and then a line elsewhere, nothing when quiet."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import RenderableType

    from numlint.lab.laboratory import Experiment
    from numlint.runtime.lab.configuration import Configuration
    from numlint.runtime.lab.record import Run

SECONDS = 60.0
"""Between two lines where there is no terminal."""
LATEST = 5
"""Runs that have ended and are still shown."""
_PURPOSES = {"grid": "", "boundary": "", "mitigation": "tried: ", "machine": "machine: "}


class Silence:
    """Nothing is shown."""

    def expect(self, number: int) -> None:
        """Say how many more runs are coming."""

    def begun(self, experiment: Experiment) -> None:
        """Say that a run is asked for."""

    def event(self, configuration: Configuration, event: dict[str, Any]) -> None:
        """Take an event of a run; called from the threads that talk to the workers."""

    def done(self, experiment: Experiment, run: Run) -> None:
        """Say what became of a run."""


class Lines(Silence):
    """A line on standard error every now and then."""

    def __init__(self) -> None:
        self.total = 0
        self.counts: Counter[str] = Counter()
        self._last = time.monotonic()

    def expect(self, number: int) -> None:
        self.total += number

    def done(self, experiment: Experiment, run: Run) -> None:
        self.counts[run.status] += 1
        if time.monotonic() - self._last >= SECONDS:
            self._last = time.monotonic()
            click.echo(self.said(), err=True)

    def said(self) -> str:
        number = sum(self.counts.values())
        statuses = ", ".join(f"{count} {status}" for status, count in sorted(self.counts.items()))
        total = f" of {self.total}" if self.total >= number else ""
        return f"{number}{total} runs: {statuses}"


class Board(Lines):
    """The runs under way with their epochs, those that ended last, and a bar, on standard error."""

    def __init__(self, names: Sequence[str]) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        super().__init__()
        self.names = names
        self._lock = threading.Lock()
        self._epochs: dict[str, dict[str, Any]] = {}
        self._phases: dict[str, str] = {}
        self._under_way: dict[str, Experiment] = {}
        self._latest: list[tuple[Experiment, Run]] = []
        columns = (BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[counts]}"))
        self._bar = Progress(*columns)
        self._task = self._bar.add_task("", total=None, counts="")
        self._console = Console(stderr=True)
        self.live = Live(console=self._console, transient=True, refresh_per_second=4, get_renderable=self._drawn)

    def expect(self, number: int) -> None:
        super().expect(number)
        self._bar.update(self._task, total=self.total)

    def begun(self, experiment: Experiment) -> None:
        with self._lock:
            self._under_way[experiment.configuration.fingerprint] = experiment

    def event(self, configuration: Configuration, event: dict[str, Any]) -> None:
        with self._lock:
            if "epoch" in event:
                self._epochs[configuration.fingerprint] = event["epoch"]
            elif "phase" in event:
                self._phases[configuration.fingerprint] = str(event["phase"].get("name", ""))

    def done(self, experiment: Experiment, run: Run) -> None:
        with self._lock:
            for kept in (self._under_way, self._epochs, self._phases):
                kept.pop(experiment.configuration.fingerprint, None)
            self._latest = [*self._latest[-LATEST + 1 :], (experiment, run)]
            self.counts[run.status] += 1
        statuses = ", ".join(f"{count} {status}" for status, count in sorted(self.counts.items()))
        self._bar.update(self._task, completed=sum(self.counts.values()), counts=statuses)

    def _drawn(self) -> RenderableType:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        from numlint.lab.outcome import end, sick
        from numlint.lab.task import phrase

        table = Table(box=None, pad_edge=False, header_style="cyan", expand=False)
        # The figures keep their width; where it is narrow, the words give way.
        table.add_column("run", no_wrap=True, overflow="ellipsis", max_width=44 if self._console.width >= 100 else 30)
        for name, cells in (("epoch", 5), ("loss", 8), ("gradient", 8)):
            table.add_column(name, justify="right", no_wrap=True, min_width=cells)
        table.add_column("", no_wrap=True, overflow="ellipsis")
        with self._lock:
            for experiment, run in self._latest:
                label = _PURPOSES[experiment.purpose] + phrase(run.configuration, self.names)
                last = run.epochs[-1] if run.epochs else None
                figures = (str(last.epoch), _short(last.loss), _short(last.gradient_norm)) if last else ("", "", "")
                ended = Text(end(run), style="red" if sick(run) else "green")
                table.add_row(Text(label, style="dim"), *figures, ended)
            # Those that wait for a place have no epoch yet, and are left out.
            for key, epoch in self._epochs.items():
                if key in self._under_way:
                    experiment = self._under_way[key]
                    label = _PURPOSES[experiment.purpose] + phrase(experiment.configuration, self.names)
                    figures = (
                        str(epoch.get("epoch", "")),
                        _short(epoch.get("loss")),
                        _short(epoch.get("gradient_norm")),
                    )
                    table.add_row(Text(label, style="bold"), *figures, Text(self._phases.get(key, ""), style="yellow"))
        return Group(table, self._bar)


def _short(value: Any) -> str:
    try:
        return f"{float(value):.3g}"
    except (TypeError, ValueError):
        return ""


@contextmanager
def watching(names: Sequence[str], *, quiet: bool) -> Iterator[Silence]:
    """What is shown while runs are made."""
    if quiet:
        yield Silence()
    elif not sys.stderr.isatty():
        yield Lines()
    else:
        board = Board(names)
        with board.live:
            yield board
