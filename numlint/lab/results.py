"""A folder of results: what was asked for in ``lab.json``, and one line of JSON for each run in ``runs.jsonl``.

A line is written and flushed as soon as its run is done, so whatever ends the program
costs only the runs that were under way. Records are found again by the fingerprint of
their configuration, so a folder can be resumed: what is there is not repeated.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numlint import __version__
from numlint.lab.sweep import Axis, Sweep
from numlint.lab.task import Task
from numlint.runtime.lab.configuration import Configuration
from numlint.runtime.lab.record import Run

DEFAULT = ".numlint/lab"
GRID, BOUNDARY, MITIGATION, MACHINE = "grid", "boundary", "mitigation", "machine"
"""Why a run was made."""


class ResultsError(Exception):
    """A folder cannot be used; the message says why, and what to do."""


@dataclass(frozen=True)
class Record:
    """A run, and why it was made.

    Attributes
    ----------
    run : Run
    purpose : str
        ``"grid"``, ``"boundary"``, ``"mitigation"`` or ``"machine"``.
    machine : str
        Name of the emulated machine; empty for this one.
    """

    run: Run
    purpose: str = GRID
    machine: str = ""


@dataclass(frozen=True)
class Asked:
    """What a folder's runs are for: the sweep, and how it was asked for.

    Attributes
    ----------
    sweep : Sweep
    command : tuple of str
    interpreter : str
    started : str
        Local time, ISO 8601.
    limits : dict
        ``max_runs`` and ``seconds`` for a run.
    """

    sweep: Sweep
    command: tuple[str, ...] = ()
    interpreter: str = ""
    started: str = ""
    limits: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        sweep = self.sweep
        return {
            "numlint": __version__,
            "task": sweep.task.to_json(),
            "fixed": sweep.fixed,
            "sweep": {axis.name: list(axis.values) for axis in sweep.axes},
            "adaptive": sweep.adaptive,
            "command": list(self.command),
            "interpreter": self.interpreter,
            "started": self.started,
            "limits": self.limits,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Asked:
        task = Task.from_json(data["task"])
        axes = tuple(Axis(name, tuple(values)) for name, values in data["sweep"].items())
        sweep = Sweep(task, dict(data["fixed"]), axes, data.get("adaptive", ""))
        return cls(sweep, tuple(data["command"]), data["interpreter"], data["started"], dict(data.get("limits", {})))


class Results:
    """A folder that is being written to; may be used from several threads."""

    def __init__(self, folder: Path, asked: Asked, records: list[Record]) -> None:
        self.folder = folder
        self.asked = asked
        self.records = records
        self._known = {(record.run.configuration.fingerprint, record.machine): record for record in records}
        self._lock = threading.Lock()

    @classmethod
    def create(cls, folder: str | os.PathLike[str] | None, asked: Asked) -> Results:
        """Make a new folder; without a name, below ``.numlint/lab`` with the task and the time.

        Raises
        ------
        ResultsError
            There are results in it already, or it cannot be written.
        """
        try:
            place = Path(folder) if folder is not None else _fresh(asked)
            place.mkdir(parents=True, exist_ok=True)
            if (place / "lab.json").exists():
                raise ResultsError(
                    f"{place} holds results already; go on with --resume {place}, or name another folder"
                )
            if folder is None and not (place.parent / ".gitignore").exists():
                (place.parent / ".gitignore").write_text("# Results of `numlint lab`.\n*\n", encoding="utf-8")
            (place / "lab.json").write_text(json.dumps(asked.to_json(), indent=1) + "\n", encoding="utf-8")
            (place / "runs.jsonl").touch()
        except OSError as error:
            raise ResultsError(f"{error.filename or folder}: {error.strerror}; choose a folder with -o") from None
        return cls(place, asked, [])

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Results:
        """Read a folder.

        Raises
        ------
        ResultsError
            It holds no results, or they cannot be read.
        """
        place = Path(folder)
        try:
            asked = Asked.from_json(json.loads((place / "lab.json").read_text(encoding="utf-8")))
            records = list(_read(place / "runs.jsonl"))
        except FileNotFoundError:
            raise ResultsError(f"{place} holds no results of `numlint lab`: there is no lab.json in it") from None
        except OSError as error:
            raise ResultsError(f"{error.filename}: {error.strerror}") from None
        except (ValueError, KeyError, TypeError) as error:
            raise ResultsError(f"{place}: results that cannot be read: {error}") from None
        return cls(place, asked, records)

    def find(self, configuration: Configuration, machine: str = "") -> Run | None:
        """The run of a configuration, if it was made."""
        record = self._known.get((configuration.fingerprint, machine))
        return record.run if record else None

    def add(self, run: Run, purpose: str = GRID, machine: str = "") -> None:
        """Keep a run; it is on the disk when this returns.

        Raises
        ------
        ResultsError
        """
        record = Record(run, purpose, machine)
        data = {**run.to_json(), "purpose": purpose, "machine": machine}
        with self._lock:
            self.records.append(record)
            self._known[run.configuration.fingerprint, machine] = record
            try:
                with open(self.folder / "runs.jsonl", "a+b") as stream:
                    if not _ends_a_line(stream):
                        stream.write(b"\n")  # the line before was cut off with its program
                    stream.write(json.dumps(data).encode() + b"\n")
            except OSError as error:
                raise ResultsError(f"{self.folder}: a result cannot be written: {error.strerror}") from None

    def runs(self, *purposes: str) -> list[Run]:
        """The runs that were made for these purposes, of each configuration the latest."""
        found = {
            record.run.configuration.fingerprint: record.run
            for record in self.records
            if record.purpose in purposes and not record.machine
        }
        return list(found.values())


def _ends_a_line(stream: Any) -> bool:
    size = stream.seek(0, os.SEEK_END)
    if not size:
        return True
    stream.seek(size - 1)
    return bool(stream.read(1) == b"\n")


def _read(file: Path) -> Iterator[Record]:
    lines = file.read_bytes().split(b"\n") if file.exists() else []
    for line in lines:
        try:
            data = json.loads(line)
        except ValueError:  # empty, or cut off: that run is made again
            continue
        yield Record(Run.from_json(data), data.get("purpose", GRID), data.get("machine", ""))


def _fresh(asked: Asked) -> Path:
    """A name that is not taken."""
    label = "".join(char if char.isalnum() or char in "_-" else "-" for char in asked.sweep.task.name)
    stem = f"{label}-{time.strftime('%Y%m%d-%H%M%S')}"
    names = [stem, *(f"{stem}-{number}" for number in range(2, 1000))]
    return next(path for path in (Path(DEFAULT, name) for name in names) if not path.exists())
