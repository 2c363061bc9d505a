"""The program as a whole: commands, exit codes, what it says when it is called wrongly."""

from __future__ import annotations

import os
import pkgutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from numlint import __version__, cli
from tests.cli.conftest import HAZARD, Numlint


def test_without_a_command_the_commands_are_listed(numlint: Numlint) -> None:
    done = numlint("--help")
    assert done.status == 0
    for command in ("check", "explain", "init", "rules"):
        assert f"\n  {command}" in done.out


def test_every_command_explains_itself(numlint: Numlint) -> None:
    commands = [module.name for module in pkgutil.iter_modules(cli.__path__) if not module.name.startswith("_")]
    assert len(commands) >= 4
    for command in commands:
        done = numlint(command, "--help")
        assert (done.status, done.err) == (0, "")
        assert "Examples:" in done.out


def test_the_version_is_shown(numlint: Numlint) -> None:
    assert numlint("--version").out == f"numlint {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["chekc"], "no such command 'chekc'; did you mean 'check'?"),
        (["bad.py"], "no such command 'bad.py'; did you mean `numlint check bad.py`?"),
        (["check", "--selct", "NL1"], "--select"),
        (["check", "--select", "naive-sofmax"], "did you mean 'naive-softmax'?"),
        (["check", "--min-confidence", "high"], "'high' is not one of 'possible', 'likely', 'certain'"),
        (["check", "--output-format", "xml"], "'xml' is not one of"),
        (["check", "-j", "-1"], "-1"),
        (["check", "-", "bad.py"], "'-' stands for standard input"),
        (["check", "--stdin-filename", "a.py", "bad.py"], "--stdin-filename excludes paths"),
        (["check", "--config", "absent.toml"], "absent.toml: cannot be read"),
        (["check", "--config", "a.toml", "--isolated"], "exclude each other"),
        (["check", "--output-file", "absent/out.txt"], "absent/out.txt: No such file or directory"),
        (["explain"], "Missing argument"),
        (["explain", "naive-sofmax"], "did you mean 'naive-softmax'?"),
        (["explain", "xyzzy"], "`numlint rules` lists them all"),
        (["explain", "NL"], "naive-softmax (NL101)"),
    ],
)
def test_a_wrong_call_is_explained_and_exits_with_2(numlint: Numlint, arguments: list[str], message: str) -> None:
    done = numlint(*arguments)
    assert done.status == 2
    assert message in done.err
    assert "Traceback" not in done.err


def test_a_defect_of_numlint_exits_with_2(numlint: Numlint, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError("deep inside")

    monkeypatch.setattr("numlint.cli.check.run", broken)
    done = numlint("check")
    assert done.status == 2
    assert "ZeroDivisionError: deep inside" in done.err
    assert "this is a defect of numlint" in done.err


def test_ctrl_c_exits_with_130_and_few_words(numlint: Numlint, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("numlint.cli.check.run", interrupted)
    done = numlint("check")
    assert (done.status, done.out, done.err.strip()) == (130, "", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="signals are different there")
def test_ctrl_c_at_the_keyboard_ends_all_processes(tmp_path: Path) -> None:
    """The whole group gets the signal, as from a terminal."""
    for number in range(200):
        (tmp_path / f"m{number}.py").write_text(HAZARD)
    slow = (
        "import time, numlint.linter as linter\n"
        "def slow(*arguments):\n"
        "    print('started', flush=True)\n"
        "    time.sleep(60)\n"
        "linter.check_source = slow\n"
        "from numlint.cli import main\n"
        "main(['check', '-j', '2'])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", slow],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert (process.returncode, err.strip()) == (130, "")
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_a_module_can_be_run(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "numlint", "check", "--output-format", "concise"],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("bad.py:6:12: NL101 naive-softmax")


def test_a_closed_pipe_is_no_defect(project: Path) -> None:
    (project / "many.py").write_text(HAZARD * 400)
    command = f"{sys.executable} -m numlint check --output-format json many.py | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_a_terminal_without_unicode_is_served(project: Path) -> None:
    (project / "bad.py").write_text("# é\n" + HAZARD.replace("return e /", "return 'é' and e /"))
    done = subprocess.run(
        [sys.executable, "-m", "numlint", "check", "bad.py"],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"},
    )
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"naive-softmax" in done.stdout
