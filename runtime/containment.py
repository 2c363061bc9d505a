"""What keeps the code under test from doing harm, and from lasting for ever.

`contain` is called once in a forked process, before it imports anything of the user: a
session of its own, a temporary directory as working directory and home, an environment
without secrets, no standard input, limits on memory, files and processes, then what the
kernel can refuse (`confinement`) and what Python can (`audit`). Processes forked later
inherit it all. What remains open is said in `audit`. `deadline` ends a single run from
within; the parent's clock ends whatever escapes it.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from . import audit, confinement

# Where programs and libraries are, how numbers are computed, and the language; nothing that could be a secret.
KEPT_VARIABLES = re.compile(
    r"PATH|LANG|LANGUAGE|LC_\w+|TZ|LD_LIBRARY_PATH|DYLD_\w+|VIRTUAL_ENV|CONDA_PREFIX|CUDA_VISIBLE_DEVICES"
    r"|SYSTEMROOT|WINDIR|PATHEXT|COMSPEC|NUMBER_OF_PROCESSORS|PROCESSOR_\w+"
    r"|(OPENBLAS|OMP|MKL|KMP|NPY|NUMEXPR|VECLIB|BLIS|TORCH|JAX|XLA|GLIBC)_\w+|MPLBACKEND|PYTHONHASHSEED"
)


@dataclass(frozen=True)
class Limits:
    """What a contained process may use.

    Attributes
    ----------
    memory : int
        Bytes of address space beyond what the process has when it is contained.
    file_size : int
        Bytes of one file.
    open_files, processes : int
        Processes are counted where the system lets us count those of the code under test alone.
    processor : int
        Seconds that one process may compute: the last resort, should its parent be gone.
    """

    memory: int = 4 << 30
    file_size: int = 64 << 20
    open_files: int = 256
    processes: int = 128
    processor: int = 600


@dataclass(frozen=True)
class Contained:
    """How far a process is contained, and its permission to fork."""

    permission: audit.Permission
    confinement: confinement.Confinement


def contain(directory: str, limits: Limits | None = None) -> Contained:
    """Contain this process and all that it will start, for good; writing is possible below `directory` alone."""
    if hasattr(os, "setsid"):
        with contextlib.suppress(OSError):  # it is the first of its session already
            os.setsid()
    confinement.die_with_parent()
    with open(os.devnull, "r+b", buffering=0) as nothing:
        for descriptor in (0, 1, 2):
            os.dup2(nothing.fileno(), descriptor)
    move_into(directory)
    reduce_environment(directory)
    confined = confinement.confine(directory)
    limit(limits or Limits(), confined.network)
    permission = audit.Permission()
    audit.refuse(directory, permission)
    return Contained(permission, confined)


def move_into(directory: str) -> None:
    """Make a directory the working directory, and that of temporary files."""
    os.chdir(directory)
    tempfile.tempdir = directory


def reduce_environment(directory: str) -> None:
    """Keep what `KEPT_VARIABLES` names; home and temporary files are in `directory`."""
    kept = {name: value for name, value in os.environ.items() if KEPT_VARIABLES.fullmatch(name.upper())}
    places = dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP", "XDG_CACHE_HOME"), directory)
    os.environ.clear()
    os.environ.update({**kept, **places, "USER": "nobody", "LOGNAME": "nobody"})


def limit(limits: Limits, processes_are_counted_apart: bool) -> None:
    """Set the limits of the system, below those that hold already."""
    try:
        import resource
    except ImportError:  # Windows has none
        return
    wanted = {
        resource.RLIMIT_AS: address_space() + limits.memory,
        resource.RLIMIT_FSIZE: limits.file_size,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: limits.processor,
    }
    if processes_are_counted_apart:
        wanted[resource.RLIMIT_NPROC] = limits.processes
    for kind, value in wanted.items():
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.suppress(OSError, ValueError):  # macOS knows no limit of the address space
            resource.setrlimit(kind, (value, value))


def address_space() -> int:
    """Bytes of address space that this process has; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return 0


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
