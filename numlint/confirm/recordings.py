"""Run a command with the recorder switched on, and keep what it leaves.

The recorder is the runtime's own code, reached through `PYTHONPATH`: the interpreters
that the command starts need no numlint. It writes into a folder of its own beside the
recordings; when the command is done, the calls of each function that was recorded take
the place of its earlier ones.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from numlint.finding import Finding

DEFAULT = os.path.join(".numlint", "recordings")
CALLS = 8
BYTES = 1 << 22
TOP_LEVEL = "<module>"


@dataclass(frozen=True)
class Recorded:
    """What is kept of one function: how many calls, and the classes of the arguments that could not be kept."""

    file: str
    function: str
    calls: int
    lost: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recording:
    """What became of a recorded command.

    Attributes
    ----------
    status : int
        Exit status of the command, as a shell gives it.
    functions : tuple of Recorded
    wanted : int
        Functions with findings.
    """

    status: int
    functions: tuple[Recorded, ...] = ()
    wanted: int = 0


@dataclass
class Wanted:
    """Functions to be recorded, by file."""

    root: str
    functions: dict[str, set[str]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(map(len, self.functions.values()))

    def settings(self, folder: str, calls: int, limit: int) -> dict[str, object]:
        """What the recorder reads."""
        targets = {
            os.path.realpath(path): {"file": _within(path, self.root), "functions": sorted(functions)}
            for path, functions in self.functions.items()
        }
        return {"folder": folder, "targets": targets, "calls": calls, "limit": limit}


def wanted(findings: Iterable[Finding], root: str) -> Wanted:
    """Give the functions that hold findings; code at the top level of a module has no arguments."""
    found = Wanted(root)
    for finding in findings:
        if finding.function and finding.function != TOP_LEVEL:
            found.functions.setdefault(finding.path, set()).add(finding.function)
    return found


def _within(path: str, root: str) -> str:
    """Path of a file within the project; one outside keeps its whole path."""
    absolute = os.path.abspath(path)
    relative = os.path.relpath(absolute, root)
    inside = not relative.startswith(os.pardir)
    return Path(relative).as_posix() if inside else Path(absolute).as_posix().split(":")[-1].lstrip("/")


def record(
    command: Sequence[str], functions: Wanted, output: str = DEFAULT, *, calls: int = CALLS, limit: int = BYTES
) -> Recording:
    """Run a command, its input and output untouched, and keep calls of some functions.

    Parameters
    ----------
    command : sequence of str
    functions : Wanted
    output : str
        Folder of the recordings.
    calls : int
        Calls to keep of each function.
    limit : int
        Bytes that one call may have.

    Raises
    ------
    OSError
        The command cannot be started, or `output` cannot be written.
    """
    _prepare(output)
    with tempfile.TemporaryDirectory(prefix=".fresh-", dir=output) as fresh:
        settings = os.path.join(fresh, "settings.json")
        with open(settings, "w", encoding="utf-8") as stream:
            json.dump(functions.settings(os.path.join(os.path.abspath(fresh), "calls"), calls, limit), stream)
        status = _run(command, environment(os.environ, os.path.abspath(settings)))
        return Recording(status, tuple(_collected(Path(fresh, "calls"), Path(output))), functions.count)


def environment(inherited: Mapping[str, str], settings: str) -> dict[str, str]:
    """Give the environment that switches the recorder on."""
    spec = importlib.util.find_spec("numlint.runtime")
    assert spec is not None
    assert spec.submodule_search_locations
    startup = os.path.join(os.path.abspath(next(iter(spec.submodule_search_locations))), "recorder", "startup")
    before = inherited.get("PYTHONPATH")
    return {
        **inherited,
        "PYTHONPATH": startup + os.pathsep + before if before else startup,
        "NUMLINT_RECORD": settings,
    }


def _prepare(output: str) -> None:
    os.makedirs(output, exist_ok=True)
    ignore = os.path.join(output, ".gitignore")
    if not os.path.exists(ignore):
        with open(ignore, "w", encoding="utf-8") as stream:
            stream.write("# Arguments of real calls, kept by `numlint record`.\n*\n")


def _run(command: Sequence[str], variables: Mapping[str, str]) -> int:
    with subprocess.Popen(command, env=dict(variables)) as process:
        while True:
            try:
                status = process.wait()
                break
            except KeyboardInterrupt:  # Ctrl-C reaches the command as well, and it decides what to do
                continue
    return status if status >= 0 else 128 - status


def _collected(fresh: Path, output: Path) -> Iterator[Recorded]:
    """Move the calls of each recorded function to where its earlier ones were."""
    for folder in sorted({file.parent for file in fresh.rglob("*.json")}):
        place = folder.relative_to(fresh)
        calls = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))]
        shutil.rmtree(output / place, ignore_errors=True)
        (output / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folder, output / place)
        lost = tuple(sorted({kind for call in calls for kind in call["opaque"]}))
        yield Recorded(place.parent.as_posix(), place.name, len(calls), lost)
