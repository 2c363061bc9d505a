"""The packages that numlint is measured on: pinned releases, downloaded once, tests left out."""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
"""The wheel is the same one on every machine: only its Python files are read."""

PYTHON = "3.11"


@dataclass(frozen=True)
class Release:
    """A release on PyPI."""

    name: str
    version: str

    @property
    def requirement(self) -> str:
        return f"{self.name}=={self.version}"


@dataclass(frozen=True)
class Package:
    """An unpacked release.

    Attributes
    ----------
    release : Release
    root : Path
        Folder that holds the package's own folder, and nothing but its Python files.
    files : tuple of str
        Paths of the files below `root`, sorted.
    lines : int
    sha256 : str
        Of the wheel.
    """

    release: Release
    root: Path
    files: tuple[str, ...]
    lines: int
    sha256: str


RELEASES = (
    Release("scikit-learn", "1.9.1"),
    Release("scipy", "1.17.1"),
    Release("statsmodels", "0.15.0"),
    Release("gpytorch", "1.15.2"),
    Release("pyro-ppl", "1.9.2"),
    Release("hmmlearn", "0.3.3"),
)


def chosen(names: Sequence[str]) -> tuple[Release, ...]:
    """Releases by name; all when none is named.

    Raises
    ------
    SystemExit
        When a name is not one of them.
    """
    known = {release.name: release for release in RELEASES}
    unknown = [name for name in names if name not in known]
    if unknown:
        sys.exit(f"unknown package {', '.join(unknown)}; one of {', '.join(known)}")
    return tuple(known[name] for name in names) or RELEASES


@contextlib.contextmanager
def cache(folder: Path | None) -> Iterator[Path]:
    """Yield the cache folder, or a temporary one when none is given."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="numlint-benchmarks-") as temporary:
        yield Path(temporary).resolve()


def unpack(release: Release, folder: Path) -> Package:
    """Download a release into the cache folder, unless it is there, and unpack its files that are no tests."""
    wheel = _wheel(release, folder / "wheels")
    root = folder / "packages" / f"{release.name}-{release.version}"
    with zipfile.ZipFile(wheel) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".py") and not is_test(name))
        lines = 0
        for name in names:
            data = archive.read(name)
            lines += data.count(b"\n")
            target = root / name
            if not target.exists() or target.stat().st_size != len(data):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
    return Package(release, root, tuple(names), lines, hashlib.sha256(wheel.read_bytes()).hexdigest())


def is_test(path: str) -> bool:
    """Whether a file belongs to the tests of a package, by its name and its folders."""
    *folders, name = PurePosixPath(path).parts
    if not {"test", "tests", "testing"}.isdisjoint(folders):
        return True
    return name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py"


def _wheel(release: Release, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    pattern = f"{release.name.replace('-', '_')}-{release.version}-*.whl"
    known = sorted(folder.glob(pattern))
    if known:
        return known[0]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    command += ["--python-version", PYTHON, "--implementation", "cp", "--dest", str(folder)]
    for platform in PLATFORMS:
        command += ["--platform", platform]
    subprocess.run([*command, release.requirement], check=True)
    return next(iter(sorted(folder.glob(pattern))))
