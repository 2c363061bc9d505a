"""Machines that can be emulated by the environment of a process, and whether they were.

x86 processors differ, for linear algebra, in which of five kernel sets OpenBLAS chooses;
for numpy's own loops, in the width of their registers; besides, in the number of threads.
Each is read from the environment when a library is loaded. What was asked for may not be
honoured: a processor without AVX-512 cannot run its kernels, a name may stand for other
kernels in another version, MKL has others, Accelerate and ARM none of these. So each
process describes itself, and is held against what was asked for.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numlint.confirm.interpreter import clean

KERNELS = {
    "Katmai": "Katmai Coppermine Northwood Prescott Banias Core2 Penryn Dunnington Athlon Opteron Opteron_SSE3 Nano",
    "Nehalem": "Nehalem Atom Barcelona Bobcat",
    "Sandybridge": "Sandybridge Bulldozer Piledriver Steamroller Excavator",
    "Haswell": "Haswell Zen",
    "SkylakeX": "SkylakeX Cooperlake SapphireRapids",
}
"""The five kernel sets of OpenBLAS for x86, with the names under which versions of it report them."""

THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
KNOBS = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES", "MKL_CBWR", "OPENBLAS_VERBOSE", *THREADS)


@dataclass(frozen=True)
class Emulation:
    """A machine to be emulated.

    Attributes
    ----------
    name : str
    environment : mapping of str to str
    kernels : frozenset of str
        Names of which the linear algebra must report one; empty: any.
    off : frozenset of str
        Features of the processor that numpy must not use.
    branch : str
        What torch's MKL must report; empty: any.
    """

    name: str
    environment: Mapping[str, str] = field(default_factory=dict)
    kernels: frozenset[str] = frozenset()
    off: frozenset[str] = frozenset()
    branch: str = ""

    def honoured(self, machine: Mapping[str, Any]) -> bool:
        """Whether a process, by its own description, is what was asked for."""
        running = [item["kernel"] for item in machine["libraries"] if item["name"] == "openblas"]
        if self.kernels and not (running and {name.casefold() for name in running} <= self.kernels):
            return False
        if any(machine["features"].get(name, False) for name in self.off):
            return False
        return not self.branch or machine["torch_branch"] == self.branch


def emulations(machine: Mapping[str, Any], *, torch: bool = False, hashes: bool = False) -> tuple[list[Emulation], str]:
    """The machines that an interpreter can emulate, by its `numlint.runtime.machines.description`, and what it cannot.

    The first is the machine as it is, with one thread.
    """
    names = {item["name"] for item in machine["libraries"]}
    x86 = str(machine["architecture"]).lower() in ("x86_64", "amd64", "i686", "x86")
    found, notes = [Emulation("this machine", one_thread())], []
    if "openblas" in names and x86:
        found += [kernel_set(name) for name in KERNELS]
    else:
        what = ", ".join(sorted(names - {"openblas"})) or "no known library"
        why = f"linear algebra by {what}" if x86 else f"a processor of type {machine['architecture']}"
        notes.append(f"OpenBLAS's kernel sets for x86 cannot be chosen: {why}")
    found += _loops(machine["features"])
    if torch and machine["torch_branch"]:
        found.append(Emulation("torch, compatible branch", one_thread(MKL_CBWR="COMPATIBLE"), branch="COMPATIBLE"))
    if (os.cpu_count() or 1) > 1:
        found.append(Emulation("two threads", dict.fromkeys(THREADS, "2")))
    if hashes:
        found += [Emulation(f"hash seed {seed}", one_thread(PYTHONHASHSEED=seed)) for seed in ("1", "2")]
    return found, "; ".join(notes)


def kernel_set(name: str) -> Emulation:
    """The machine with one of the `KERNELS` of OpenBLAS, and one thread."""
    accepted = frozenset(item.casefold() for item in KERNELS[name].split())
    return Emulation(name, one_thread(OPENBLAS_CORETYPE=name), kernels=accepted)


def _loops(features: Mapping[str, bool]) -> list[Emulation]:
    """numpy without its loops for AVX-512, and without those for AVX2 and FMA as well, where it has them."""
    wide = [name for name in features if name.startswith("AVX512") or name == "X86_V4"]
    fused = [name for name in features if name in ("AVX2", "FMA3", "X86_V3")]
    found = []
    for name, off in (("numpy without AVX-512", wide), ("numpy without AVX2", [*wide, *fused] if fused else [])):
        if off:
            found.append(Emulation(name, one_thread(NPY_DISABLE_CPU_FEATURES=" ".join(off)), off=frozenset(off)))
    return found


def one_thread(**variables: str) -> dict[str, str]:
    """These variables, and one thread."""
    return {**variables, **dict.fromkeys(THREADS, "1")}


def emulated(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process on an emulated machine: of the knobs, these and no other."""
    kept = {name: value for name, value in clean(os.environ).items() if name not in KNOBS}
    return {**kept, "PYTHONHASHSEED": "0", "PYTHONUTF8": "1", **environment}


ILLEGAL = "this processor lacks the instructions"


def died(status: int) -> str:
    """Why a process ended without an answer, by its exit status."""
    if status == -signal.SIGILL:
        return ILLEGAL
    return f"killed by signal {-status}" if status < 0 else f"ended with status {status}, without an answer"
