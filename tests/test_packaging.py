"""One import package comes out of three folders, as a wheel and as an editable installation.

Everything happens on a copy of the sources, outside the checkout: an earlier build
cannot leak into the wheel, and the copy can be changed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

import numlint

FOLDERS = ("numlint", "rules", "runtime")
FILES = ("pyproject.toml", "setup.py", "README.md", "LICENSE")
NEW_RULE = '''\
"""Squaring the answer.

Only here to be found.
"""

name = "{name}"
code = "{code}"
triggers = ("exp",)
signature = "overflow"


def check(function):
    yield from ()
'''


@dataclass(frozen=True)
class Installation:
    """A virtual environment that holds numlint, and a folder that is not the checkout."""

    python: Path
    elsewhere: Path

    def run(self, *command: str) -> str:
        environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
        done = subprocess.run(
            [str(self.python.parent / command[0]), *command[1:]],
            cwd=self.elsewhere,
            env=environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def copy_sources(root: Path, target: Path) -> Path:
    for folder in FOLDERS:
        shutil.copytree(root / folder, target / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in FILES:
        shutil.copy(root / file, target / file)
    return target


def add_rule(folder: Path, name: str, code: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").touch()
    (folder / f"{name.replace('-', '_')}.py").write_text(NEW_RULE.format(name=name, code=code))


def pip(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input", *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def install(workspace: Path, *what: str) -> Installation:
    """Install `what` into a new environment, which borrows the dependencies of this one."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(workspace / "venv")], check=True)
    python = workspace / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    ask = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip())
    # Later on sys.path than what was installed, and its own .pth files are not read.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip("--python", str(python), "install", "--no-deps", "--no-index", "--no-build-isolation", *what)
    elsewhere = workspace / "elsewhere"
    elsewhere.mkdir()
    return Installation(python, elsewhere)


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the sources with one rule more, in a family folder that nothing lists.

    An earlier build has left a rule behind that is no more among the sources.
    """
    workspace = tmp_path_factory.mktemp("wheel")
    sources = copy_sources(root, workspace / "sources")
    add_rule(sources / "build" / "lib" / "numlint" / "rules" / "former", "no-more", "NL996")
    add_rule(sources / "rules" / "unheard_of", "new-in-wheel", "NL997")
    pip("wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(workspace), str(sources))
    (built,) = workspace.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def from_wheel(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return install(tmp_path_factory.mktemp("from_wheel"), str(wheel))


@pytest.fixture(scope="module")
def sources(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_sources(root, tmp_path_factory.mktemp("editable") / "sources")


@pytest.fixture(scope="module")
def editable(sources: Path) -> Installation:
    return install(sources.parent, "--editable", str(sources))


def test_the_wheel_holds_one_top_level_package(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"numlint", f"numlint-{numlint.__version__}.dist-info"}


def test_the_wheel_holds_the_modules_of_the_three_folders_and_no_others(root: Path, wheel: Path) -> None:
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".py")}
    expected = {
        Path("numlint" if folder == "numlint" else f"numlint/{folder}", file.relative_to(root / folder)).as_posix()
        for folder in FOLDERS
        for file in (root / folder).rglob("*.py")
    }
    assert packed - expected == {"numlint/rules/unheard_of/__init__.py", "numlint/rules/unheard_of/new_in_wheel.py"}
    assert expected <= packed


def test_dependencies_have_no_upper_bounds(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    metadata = archive.read(f"numlint-{numlint.__version__}.dist-info/METADATA").decode()
    requirements = re.findall(r"^Requires-Dist: ([^;\n]+)", metadata, flags=re.MULTILINE)
    assert {"libcst", "numpy", "scipy", "click", "rich"} <= {re.split(r"\W", text)[0] for text in requirements}
    assert [text for text in requirements if re.search(r"<|==|~=", text)] == []


@pytest.mark.parametrize("command", [("numlint",), ("python", "-m", "numlint")], ids=" ".join)
@pytest.mark.parametrize("kind", ["from_wheel", "editable"])
def test_it_runs_from_another_directory(kind: str, command: tuple[str, ...], request: pytest.FixtureRequest) -> None:
    installation: Installation = request.getfixturevalue(kind)
    assert numlint.__version__ in installation.run(*command, "--version")
    assert "naive-softmax" in installation.run(*command, "rules")


def test_modules_come_from_the_installation_that_is_asked(from_wheel: Installation, editable: Installation) -> None:
    modules = "numlint, numlint.rules, numlint.runtime"
    ask = f"import {modules}; print(*(module.__file__ for module in ({modules})))"
    for path in from_wheel.run("python", "-c", ask).split():
        assert Path(path).is_relative_to(from_wheel.python.parent.parent)
    top, rules, runtime = (Path(path) for path in editable.run("python", "-c", ask).split())
    home = editable.elsewhere.parent / "sources"
    assert (top.parent, rules.parent, runtime.parent) == (home / "numlint", home / "rules", home / "runtime")


def test_a_rule_in_a_new_folder_is_packaged_without_a_list(from_wheel: Installation) -> None:
    assert "new-in-wheel" in from_wheel.run("numlint", "rules")


def test_a_rule_written_after_an_editable_installation_is_seen(sources: Path, editable: Installation) -> None:
    assert "new-after-editable" not in editable.run("numlint", "rules")
    add_rule(sources / "rules" / "later", "new-after-editable", "NL998")
    assert "new-after-editable" in editable.run("numlint", "rules")


def test_every_folder_with_modules_is_a_package(root: Path) -> None:
    """Neither the packaging nor the walk over the rules sees a folder without ``__init__.py``."""
    folders = {file.parent for folder in FOLDERS for file in (root / folder).rglob("*.py")}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []
