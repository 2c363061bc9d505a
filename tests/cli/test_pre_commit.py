"""The hook that the repository offers, run by pre-commit on a scratch repository."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

HAZARD = """\
import numpy as np


def probabilities(z):
    return np.exp(z) / np.exp(z).sum()
"""
IDENTITY = {
    f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "n"), ("EMAIL", "n@n"))
}


def run(*command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(
        command,
        cwd=folder,
        env={**inherited, **IDENTITY, **environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A repository with staged files, one of them bad, one bad and excluded."""
    folder = tmp_path / "scratch"
    (folder / "generated").mkdir(parents=True)
    run("git", "init", "--quiet", ".", folder=folder)
    (folder / "good.py").write_text("x = 1\n")
    (folder / "bad.py").write_text(HAZARD)
    (folder / "notes.md").write_text("np.exp(z) / np.exp(z).sum()\n")
    (folder / "generated" / "bad.py").write_text(HAZARD)
    (folder / "numlint.toml").write_text('extend-exclude = ["generated"]\n')
    run("git", "add", ".", folder=folder)
    return folder


def hook(root: Path) -> dict[str, object]:
    """The hook as it is offered."""
    import yaml  # type: ignore[import-untyped]

    (found,) = yaml.safe_load((root / ".pre-commit-hooks.yaml").read_text())
    assert isinstance(found, dict)
    return found


def test_the_manifest_is_valid(root: Path) -> None:
    done = run(
        sys.executable, "-m", "pre_commit", "validate-manifest", str(root / ".pre-commit-hooks.yaml"), folder=root
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_commit_with_a_hazard_is_stopped(root: Path, scratch: Path, tmp_path: Path) -> None:
    offered = hook(root)
    entry = str(offered["entry"]).replace("numlint", f"{sys.executable} -m numlint", 1)
    local = {**offered, "entry": entry, "language": "system"}
    # JSON is YAML.
    (scratch / ".pre-commit-config.yaml").write_text(json.dumps({"repos": [{"repo": "local", "hooks": [local]}]}))
    home = {"PRE_COMMIT_HOME": str(tmp_path / "home")}
    installed = run(sys.executable, "-m", "pre_commit", "install", folder=scratch, **home)
    assert installed.returncode == 0, installed.stdout + installed.stderr

    run("git", "add", ".", folder=scratch)
    stopped = run("git", "commit", "-m", "a hazard", folder=scratch, **home)
    assert stopped.returncode != 0
    assert "bad.py:5" in stopped.stderr
    assert "naive-softmax" in stopped.stderr
    assert "generated" not in stopped.stderr
    assert "notes.md" not in stopped.stderr

    (scratch / "bad.py").write_text(HAZARD.replace("sum()", "sum()  # numlint: ignore[naive-softmax] bounded"))
    run("git", "add", ".", folder=scratch)
    passed = run("git", "commit", "-m", "excused", folder=scratch, **home)
    assert passed.returncode == 0, passed.stdout + passed.stderr


def test_the_repository_can_be_used_as_a_hook(root: Path, scratch: Path, tmp_path: Path) -> None:
    """pre-commit clones the repository and installs it; what it depends on is borrowed from this environment."""
    offered = tmp_path / "offered"
    for folder in ("numlint", "rules", "runtime"):
        shutil.copytree(root / folder, offered / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in root.iterdir():
        if file.is_file() and file.name != ".git":
            shutil.copy(file, offered)
    run("git", "init", "--quiet", ".", folder=offered)
    run("git", "add", ".", folder=offered)
    run("git", "commit", "--quiet", "-m", "the working tree", folder=offered)
    borrowed = tmp_path / "borrowed"
    borrowed.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if "numlint" not in entry.name:
            (borrowed / entry.name).symlink_to(entry)
    done = run(
        sys.executable, "-m", "pre_commit", "try-repo", str(offered), "numlint", "--all-files", "--verbose",
        folder=scratch,
        PRE_COMMIT_HOME=str(tmp_path / "home"),
        PYTHONPATH=str(borrowed),
        PIP_NO_INDEX="1",
        PIP_NO_DEPS="1",
        PIP_NO_BUILD_ISOLATION="0",
    )  # fmt: skip
    shutil.rmtree(tmp_path / "home", ignore_errors=True)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "bad.py:5" in done.stdout, done.stdout + done.stderr
    assert "generated" not in done.stdout.partition("- hook id: numlint")[2]
