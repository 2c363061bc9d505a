"""Let the kernel refuse, on Linux, what the audit hook cannot see: writes and network use of machine code.

Landlock (Linux 5.13) takes from a process, and from all that it starts, the right to
change files anywhere but below one directory. A user and a network namespace of its own
leave it no network interface. Neither needs privileges; where the kernel or the container
around us lacks them, the hook stands alone, and `Confinement` says so.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from dataclasses import dataclass
from typing import Any

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 36, 38
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
# The same numbers on every architecture that Linux has been given since 2011, x86 included.
LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446
RULE_PATH_BENEATH = 1
# WRITE_FILE, then REMOVE_DIR to MAKE_SYM, then REFER (version 2) and TRUNCATE (version 3).
WRITE_FILE = 1 << 1
RIGHTS = {1: WRITE_FILE | sum(1 << bit for bit in range(4, 13)), 2: 1 << 13, 3: 1 << 14}


@dataclass(frozen=True)
class Confinement:
    """What the kernel refuses.

    Attributes
    ----------
    network, files : bool
        Whether network use, and changes of files outside the directory, are refused to machine code too.
    """

    network: bool = False
    files: bool = False


def confine(directory: str) -> Confinement:
    """Confine this process, and all that it will start, for good."""
    if not sys.platform.startswith("linux"):
        return Confinement()
    return Confinement(network=_no_network(), files=_no_writing(directory))


def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _no_network() -> bool:
    user, group = os.getuid(), os.getgid()
    if _libc().unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        return False
    # The same user inside as outside, else the code would see that it is nobody.
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        try:
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
        except OSError:  # nobody, then
            continue
    return True


def _no_writing(directory: str) -> bool:
    libc = _libc()
    version = libc.syscall(LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    rights = sum(bits for since, bits in RIGHTS.items() if since <= version)
    wanted = struct.pack("=Q", rights)
    rules = libc.syscall(LANDLOCK_CREATE_RULESET, wanted, ctypes.c_size_t(len(wanted)), 0)
    if rules < 0:
        return False
    try:
        for path, given in ((directory, rights), ("/dev/null", WRITE_FILE)):
            beneath = os.open(path, getattr(os, "O_PATH", 0) | os.O_CLOEXEC)
            rule = struct.pack("=Qi", given, beneath)
            added = libc.syscall(LANDLOCK_ADD_RULE, rules, RULE_PATH_BENEATH, rule, 0)
            os.close(beneath)
            if added != 0:
                return False
        no_more: int = libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        restricted: int = libc.syscall(LANDLOCK_RESTRICT_SELF, rules, 0)
        return no_more == restricted == 0
    finally:
        os.close(rules)


def die_with_parent() -> None:
    """Be killed when the parent dies, however it dies."""
    if sys.platform.startswith("linux"):
        _libc().prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of what descendants leave behind, so that it can be found and killed."""
    if sys.platform.startswith("linux"):
        _libc().prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(process: int) -> list[int]:
    """All processes below one, children before their children."""
    found: list[int] = []
    waiting = [process]
    while waiting:
        parent = waiting.pop()
        try:
            threads = os.listdir(f"/proc/{parent}/task")
        except OSError:
            continue
        for thread in threads:
            try:
                with open(f"/proc/{parent}/task/{thread}/children") as file:
                    children = [int(number) for number in file.read().split()]
            except OSError:
                continue
            found += children
            waiting += children
    return found
