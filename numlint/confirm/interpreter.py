"""Which interpreter runs the code under test: the one that its project runs in, not the one that runs numlint.

Asked for first is what the user names; then the active virtual environment, the one that
lies beside the project's pyproject.toml, the active conda environment, and numlint's own
interpreter. It needs Python 3.9 and numpy, nothing of numlint.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

OLDEST = (3, 9)
OLDEST_NUMPY = (1, 21)
_PATIENCE = 60.0
_PROBE = """\
import json, sys
try:
    import numpy
    version, problem = numpy.__version__, ""
except Exception as error:
    version, problem = "", f"{type(error).__name__}: {error}"
print(json.dumps([list(sys.version_info[:3]), version, problem]))
"""


class InterpreterError(Exception):
    """No interpreter can run the code; the message says which, why, and what to do."""


@dataclass(frozen=True)
class Interpreter:
    """A Python that can run the runtime.

    Attributes
    ----------
    path : str
    version : tuple of int
    numpy : str
        Version of its numpy.
    why : str
        Why this one: ``"the active virtual environment"``.
    """

    path: str
    version: tuple[int, ...]
    numpy: str
    why: str

    def __str__(self) -> str:
        return f"Python {'.'.join(map(str, self.version))} with numpy {self.numpy} ({self.path}, {self.why})"


def find(
    root: str | os.PathLike[str] = ".", python: str = "", environment: Mapping[str, str] | None = None
) -> Interpreter:
    """Find the interpreter of a project, and make sure that it can run the runtime.

    Parameters
    ----------
    root : path-like
        A file or folder of the project.
    python : str
        What the user asked for: a path, a name on PATH, or the folder of an environment.
    environment : mapping, optional
        By default that of this process.

    Raises
    ------
    InterpreterError
    """
    path, why = choose(os.fspath(root), python, os.environ if environment is None else environment)
    return probe(path, why)


def choose(root: str, python: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """Path of the interpreter, and why it is that one.

    Raises
    ------
    InterpreterError
        The one that the user asked for does not exist.
    """
    if python:
        return _named(python, environment), "as asked for"
    for folder, why in _environments(root, environment):
        path = executable(folder)
        if path:
            return path, why
    return sys.executable, "the one that runs numlint"


def _named(python: str, environment: Mapping[str, str]) -> str:
    path = executable(python) if os.path.isdir(python) else ""
    path = path or shutil.which(python, path=environment.get("PATH")) or ""
    if path:
        return os.path.abspath(path)
    if os.path.isdir(python):
        raise InterpreterError(f"{python} holds no Python interpreter; name the folder of an environment, or a file")
    if os.path.exists(python):
        raise InterpreterError(f"{python} is not executable; name the file of a Python interpreter with --python")
    raise InterpreterError(f"there is no interpreter {python}; name the one that runs your code with --python")


def _environments(root: str, environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if environment.get("VIRTUAL_ENV"):
        yield environment["VIRTUAL_ENV"], "the active virtual environment"
    folder = os.path.abspath(root)
    while True:
        if os.path.isfile(os.path.join(folder, "pyproject.toml")):
            for name in (".venv", "venv"):
                yield os.path.join(folder, name), f"{name} of the project"
            break
        above = os.path.dirname(folder)
        if above == folder:
            break
        folder = above
    if environment.get("CONDA_PREFIX"):
        yield environment["CONDA_PREFIX"], "the active conda environment"


def executable(folder: str) -> str:
    """The interpreter in the folder of an environment; empty when there is none."""
    for name in ("bin/python", "bin/python3", "Scripts/python.exe", "python.exe"):
        path = os.path.join(folder, *name.split("/"))
        if os.access(path, os.X_OK):
            return path
    return ""


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without what would change how an interpreter starts, or what it finds."""
    return {name: value for name, value in environment.items() if not name.upper().startswith("PYTHON")}


def probe(path: str, why: str) -> Interpreter:
    """Ask an interpreter for its versions.

    Raises
    ------
    InterpreterError
        It does not start, is too old, or has no numpy.
    """
    named = f"{path} ({why})"
    try:
        done = subprocess.run(
            [path, "-B", "-c", _PROBE],
            env=clean(os.environ),
            cwd=os.path.dirname(os.path.abspath(path)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
        version, numpy, problem = json.loads(done.stdout.splitlines()[-1])
    except OSError as error:
        raise InterpreterError(f"{named} cannot be started: {error.strerror}; choose another with --python") from None
    except subprocess.TimeoutExpired:
        raise InterpreterError(f"{named} did not answer in {_PATIENCE:g} s; choose another with --python") from None
    except (IndexError, ValueError, TypeError):
        said = done.stderr.decode(errors="replace").strip().splitlines()
        reason = said[-1] if said else f"exit status {done.returncode}"
        raise InterpreterError(f"{named} is no Python that works: {reason}; choose another with --python") from None
    if tuple(version) < OLDEST:
        raise InterpreterError(
            f"{named} is Python {'.'.join(map(str, version))}, and numlint runs code in Python"
            f" {'.'.join(map(str, OLDEST))} or newer; choose another with --python"
        )
    if not numpy:
        missing = "has no numpy" if problem.startswith("ModuleNotFoundError") else f"cannot import numpy ({problem})"
        raise InterpreterError(
            f"{named} {missing}, which numlint needs where your code runs; install it with"
            f" `{path} -m pip install numpy`, or choose the interpreter of your code with --python"
        )
    if tuple(int(part) for part in numpy.split(".")[:2]) < OLDEST_NUMPY:
        raise InterpreterError(
            f"{named} has numpy {numpy}, and numlint needs {'.'.join(map(str, OLDEST_NUMPY))} or newer there;"
            f" upgrade it with `{path} -m pip install --upgrade numpy`, or choose another with --python"
        )
    return Interpreter(path, tuple(version), numpy, why)
