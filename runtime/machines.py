"""Which machine this process is, as far as floating-point results depend on it.

OpenBLAS carries kernels for every x86 processor and chooses when it is loaded, by the
processor or by ``OPENBLAS_CORETYPE``. A name that it does not know, or that a later
version has merged with another, does not fail: something else is chosen. So what was
asked for is never believed; the library is asked what it runs, through threadpoolctl
where that is installed, else through its own C function. The same holds for MKL's
``MKL_CBWR`` and for numpy's own loops (``NPY_DISABLE_CPU_FEATURES``).

Needs numpy alone, and nothing of this package: a program may load this file by its path.
"""

from __future__ import annotations

import ctypes
import glob
import importlib
import itertools
import os
import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any

import numpy as np

PREFIXES, SUFFIXES = ("scipy_", ""), ("64_", "_64", "")
"""With which wheels rename the functions of OpenBLAS, so that two of them fit into one process."""
CBWR = {1: "off", 2: "auto", 3: "COMPATIBLE", 4: "SSE2", 6: "SSSE3", 7: "SSE4_1", 8: "SSE4_2", 9: "AVX", 10: "AVX2"}
"""Branches of MKL's conditional numerical reproducibility, by the number that it gives them."""
_EVERY_BRANCH = -1


@dataclass(frozen=True)
class Library:
    """A library of linear algebra in this process.

    Attributes
    ----------
    name : str
        ``"openblas"``, ``"mkl"``, ``"accelerate"``, ...
    kernel : str
        The kernel set that runs: ``"Haswell"``; of MKL, its branch.
    version : str
    threads : int
        0 when unknown.
    file : str
    """

    name: str
    kernel: str = ""
    version: str = ""
    threads: int = 0
    file: str = ""


def libraries() -> list[Library]:
    """The libraries of linear algebra that are loaded, numpy's own first."""
    found = list(_by_threadpoolctl()) or list(_by_symbol())
    found = [_branch(item) if item.name == "mkl" else item for item in found]
    if not any("numpy" in item.file for item in found):
        built = _built_with()
        if built and not any(item.name in built for item in found):
            found.insert(0, Library(built, file="numpy"))
    return sorted(found, key=lambda item: ("numpy" not in item.file, item.file))


def _by_threadpoolctl() -> Iterator[Library]:
    try:
        threadpoolctl = importlib.import_module("threadpoolctl")
    except ImportError:
        return
    for item in threadpoolctl.threadpool_info():
        if item.get("user_api") == "blas":
            yield Library(
                item.get("internal_api") or "",
                item.get("architecture") or "",
                item.get("version") or "",
                item.get("num_threads") or 0,
                item.get("filepath") or "",
            )


def _by_symbol() -> Iterator[Library]:
    """OpenBLAS libraries that wheels bundle; the same path gives the library that is loaded already."""
    for package in ("numpy", "scipy"):
        module = sys.modules.get(package)
        folder = os.path.dirname(getattr(module, "__file__", "") or "")
        if not folder:
            continue
        for pattern in (f"{folder}.libs/*openblas*", f"{folder}/.dylibs/*openblas*", f"{folder}/.libs/*openblas*"):
            for file in sorted(glob.glob(pattern)):
                name = _asked(file, "corename")
                if name:
                    version = re.search(r"\d+\.\d+[\w.]*", _asked(file, "config"))
                    yield Library("openblas", name, version.group() if version else "", file=file)


def _asked(file: str, question: str) -> str:
    """What OpenBLAS answers to ``openblas_get_...``; empty where it has no such function."""
    try:
        library = ctypes.CDLL(file)
    except OSError:
        return ""
    for prefix, suffix in itertools.product(PREFIXES, SUFFIXES):
        function = getattr(library, f"{prefix}openblas_get_{question}{suffix}", None)
        if function is not None:
            function.restype = ctypes.c_char_p
            return str((function() or b"").decode("ascii", "replace"))
    return ""


def _branch(library: Library) -> Library:
    """MKL with the branch that it takes."""
    branch = _cbwr(library.file, ("MKL_CBWR_Get", "mkl_cbwr_get", "mkl_serv_cbwr_get"))
    return Library(library.name, branch or library.kernel, library.version, library.threads, library.file)


def _cbwr(file: str, symbols: tuple[str, ...]) -> str:
    try:
        library = ctypes.CDLL(file)
    except OSError:
        return ""
    for symbol in symbols:
        function = getattr(library, symbol, None)
        if function is not None:
            number = int(function(_EVERY_BRANCH))
            return CBWR.get(number, f"branch {number}")
    return ""


def torch_branch() -> str:
    """The branch of the MKL inside torch, where torch is loaded and has one."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.backends.mkl.is_available():
        return ""
    files = glob.glob(os.path.join(os.path.dirname(torch.__file__ or ""), "lib", "*torch_cpu.*"))
    return next(
        (branch for branch in (_cbwr(file, ("mkl_serv_cbwr_get", "MKL_CBWR_Get")) for file in files) if branch), ""
    )


def _built_with() -> str:
    """The library that numpy was built with, by its own account."""
    try:
        configuration: Any = np.show_config(mode="dicts")
        name = str(configuration["Build Dependencies"]["blas"]["name"]).lower()
    except (KeyError, TypeError):  # numpy before 1.26 prints it only
        return ""
    for known in ("openblas", "mkl", "accelerate", "blis"):
        if known in name:
            return known
    return name


def features() -> dict[str, bool]:
    """Processor features that numpy has loops for and this processor has, by name: whether they are in use.

    numpy knows them by groups since 2.4 (``X86_V3``), by instruction sets before (``AVX2``).
    """
    core = _multiarray()
    known = dict(getattr(core, "__cpu_features__", {}))
    disabled = set(os.environ.get("NPY_DISABLE_CPU_FEATURES", "").replace(",", " ").split())
    listed = getattr(core, "__cpu_dispatch__", ())
    return {name: bool(known.get(name)) for name in listed if known.get(name) or name in disabled}


def _multiarray() -> ModuleType | None:
    for name in ("numpy._core._multiarray_umath", "numpy.core._multiarray_umath"):
        if name in sys.modules:
            return sys.modules[name]
    return None


def kernel() -> str:
    """The kernel sets that run in this process, each named once: ``"Haswell"``."""
    return ", ".join(dict.fromkeys(item.kernel for item in libraries() if item.kernel))


def description() -> dict[str, Any]:
    """This process as plain data: versions, libraries with their kernels, features, the seed of the hashes."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "architecture": platform.machine(),
        "libraries": [asdict(item) for item in libraries()],
        "features": features(),
        "torch_branch": torch_branch(),
        "hash_seed": os.environ.get("PYTHONHASHSEED", "")
        if not sys.flags.hash_randomization or _seeded()
        else "random",
    }


def _seeded() -> bool:
    return os.environ.get("PYTHONHASHSEED", "random") not in ("", "random")
