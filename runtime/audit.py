"""Refuse what code under test has no business to do, through Python's audit events.

A hook sees every event that CPython raises before it opens a file, starts a process or
makes a socket, and refuses by raising: the code meets a `PermissionError`. A hook cannot
be removed again, and holds in forked processes. Reading is allowed; writing, deleting and
renaming are allowed below one directory.

What the hook cannot see: machine code. ``ctypes`` calls the C library, and an extension
module may open a file, without an event. That is the known hole; `confinement` closes it
for files and the network where the kernel can. A path relative to a directory's descriptor
is judged where the event tells the descriptor; for opening it does not.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any


class Refused(PermissionError):
    """The code under test tried to do what numlint does not let it do."""


class Permission:
    """Lets one process fork, for the moment of the fork; its children have none."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._granted = False

    def fork(self) -> int:
        """`os.fork`, for the process that made this object."""
        if os.getpid() != self._owner:
            raise Refused("numlint does not let code under test start processes")
        self._granted = True
        try:
            return os.fork()
        finally:
            self._granted = False

    def __bool__(self) -> bool:
        return self._granted and os.getpid() == self._owner


NETWORK = (
    "socket.connect socket.bind socket.sendto socket.sendmsg socket.getaddrinfo socket.gethostbyname "
    "socket.gethostbyaddr socket.getnameinfo socket.sethostname"
).split()
PROCESSES = (
    "subprocess.Popen os.system os.exec os.spawn os.posix_spawn os.fork os.forkpty os.startfile os.startfile/2 "
    "pty.spawn os.kill os.killpg signal.pthread_kill"
).split()
OWN_LIMITS = ("resource.setrlimit", "resource.prlimit")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
SINKS = ("/dev/null", "/dev/full", "/dev/tty", "nul", "NUL")

# Which arguments of an event are paths, and where the descriptors stand that these are relative to.
CHANGES: dict[str, tuple[tuple[int, int | None], ...]] = {
    "os.remove": ((0, 1),),
    "os.rmdir": ((0, 1),),
    "os.mkdir": ((0, 2),),
    "os.chmod": ((0, 2),),
    "os.chown": ((0, 3),),
    "os.utime": ((0, 3),),
    "os.rename": ((0, 2), (1, 3)),
    "os.link": ((0, 2), (1, 3)),
    "os.symlink": ((1, 2),),
    "os.truncate": ((0, None),),
    "os.chflags": ((0, None),),
    "os.lchflags": ((0, None),),
    "os.lchmod": ((0, None),),
    "os.setxattr": ((0, None),),
    "os.removexattr": ((0, None),),
    "sqlite3.connect": ((0, None),),
}


def refuse(directory: str, permission: Permission | None = None) -> None:
    """Install the hook in this process, for good.

    Parameters
    ----------
    directory : str
        Below it everything may be changed.
    permission : Permission, optional
        Who may fork nevertheless.
    """
    allowed = os.path.realpath(directory)

    def opened(arguments: tuple[Any, ...]) -> None:
        path, mode, flags = arguments
        writes = flags & WRITING if isinstance(flags, int) else set("wax+") & set(mode or "")
        if writes:
            _inside(allowed, path, None, "write")
        elif isinstance(path, str) and path.startswith("/proc/") and path.endswith(("/environ", "/mem")):
            raise Refused("numlint does not let code under test read the memory of processes")

    def changed(event: str) -> Callable[[tuple[Any, ...]], None]:
        def check(arguments: tuple[Any, ...]) -> None:
            for position, relative_to in CHANGES[event]:
                base = arguments[relative_to] if relative_to is not None and relative_to < len(arguments) else None
                _inside(allowed, arguments[position], base, event.partition(".")[2])

        return check

    def forked(_: tuple[Any, ...]) -> None:
        if not permission:
            raise Refused("numlint does not let code under test start processes")

    checks: dict[str, Callable[[tuple[Any, ...]], None]] = {
        "open": opened,
        **{event: changed(event) for event in CHANGES},
        **{event: _refusing("use the network") for event in NETWORK},
        **{event: _refusing("start or signal processes") for event in PROCESSES},
        **{event: _refusing("change its limits") for event in OWN_LIMITS},
        "os.fork": forked,
        "socket.__new__": _local_socket,
    }
    find = checks.get

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        check = find(event)
        if check is not None:
            check(arguments)

    _close_the_unaudited_door()
    sys.addaudithook(hook)


def _refusing(what: str) -> Callable[[tuple[Any, ...]], None]:
    def check(_: tuple[Any, ...]) -> None:
        raise Refused(f"numlint does not let code under test {what}")

    return check


def _local_socket(arguments: tuple[Any, ...]) -> None:
    """A pair of local sockets, as an event loop makes for itself, reaches nobody."""
    family = arguments[1]
    if family not in (1, -1):  # AF_UNIX, or that of a descriptor
        raise Refused("numlint does not let code under test use the network")


def _inside(allowed: str, path: Any, base: Any, what: str) -> None:
    if isinstance(path, int) or path is None:  # a descriptor was opened before, or belongs to nothing (":memory:")
        return
    name = os.fsdecode(path)
    if name in SINKS or name == ":memory:":
        return
    if isinstance(base, int) and base >= 0 and not os.path.isabs(name):
        name = os.path.join(os.readlink(f"/proc/self/fd/{base}"), name)
    # The directory is resolved, the last name is not: a link is removed, not what it points to.
    real = os.path.realpath(name)
    parent = os.path.join(os.path.realpath(os.path.dirname(os.path.abspath(name))), os.path.basename(name))
    follows = what in ("write", "chmod", "truncate", "utime", "chown")
    judged = real if follows else parent
    if judged != allowed and not judged.startswith(allowed + os.sep):
        raise Refused(f"numlint does not let code under test change files outside its directory ({what} {name})")


def _close_the_unaudited_door() -> None:
    """multiprocessing starts processes by a function of C that raises no event."""
    try:
        import _posixsubprocess
    except ImportError:
        return

    def fork_exec(*_: Any) -> int:
        raise Refused("numlint does not let code under test start processes")

    _posixsubprocess.fork_exec = fork_exec
