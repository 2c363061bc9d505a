"""`numlint check`: options, configuration, exit codes and output."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from numlint.report import formats
from tests.cli.conftest import HAZARD, Numlint

CURED = """\
import numpy as np
from scipy.special import softmax


def probabilities(z):
    return softmax(z, axis=1)
"""
PACK = '''\
"""A goto is considered harmful.

Whoever writes it knows.
"""

from numlint.rule import Hazard

name = "own-rule"
code = "MY101"
triggers = ("exp",)
signature = "overflow"


def check(function):
    for site in function.sites("exp"):
        yield Hazard(site, "found by my own rule")
'''


def concise(numlint: Numlint, *arguments: str) -> list[str]:
    """The findings as `path:line rule`."""
    output = numlint("check", "--output-format", "concise", *arguments).out
    return [f"{path}:{line} {rule}" for path, line, rule in re.findall(r"^(\S+?):(\d+):\d+: \w+ (\S+)", output, re.M)]


class TestExit:
    def test_nothing_found(self, numlint: Numlint) -> None:
        assert numlint("check", "good.py").status == 0

    def test_something_found(self, numlint: Numlint) -> None:
        assert numlint("check").status == 1

    def test_something_found_and_excused(self, numlint: Numlint) -> None:
        assert numlint("check", "--exit-zero").status == 0

    def test_a_file_that_cannot_be_parsed(self, numlint: Numlint, project: Path) -> None:
        (project / "bad.py").write_text("import math\nmath.exp(\n")
        done = numlint("check", "bad.py")
        assert done.status == 1
        assert "bad.py:2" in done.out

    def test_a_path_that_does_not_exist(self, numlint: Numlint) -> None:
        done = numlint("check", "absent.py", "bad.py", "--exit-zero")
        assert done.status == 2
        assert "absent.py" in done.out
        assert "naive-softmax" in done.out

    def test_a_folder_without_python_is_mentioned(self, numlint: Numlint, project: Path) -> None:
        (project / "docs").mkdir()
        done = numlint("check", "docs")
        assert (done.status, done.err) == (0, "warning: no Python files in docs\n")


class TestSelecting:
    @pytest.mark.parametrize(
        "options",
        [
            ["--select", "naive-softmax"],
            ["--select", "NL001,NL101"],
            ["--select", "NL0", "--select", "NL1"],
            ["--select", "NL0", "--extend-select", "naive-softmax"],
            ["--ignore", "NL0, unused-suppression"],
        ],
    )
    def test_the_rule_is_selected(self, numlint: Numlint, options: list[str]) -> None:
        assert concise(numlint, *options) == ["bad.py:6 naive-softmax"]

    @pytest.mark.parametrize("options", [["--select", "NL0"], ["--ignore", "all"], ["--min-confidence", "certain"]])
    def test_the_rule_is_not_selected(self, numlint: Numlint, options: list[str]) -> None:
        done = numlint("check", *options)
        assert done.status == 0, done.out


class TestConfiguration:
    def test_it_is_found_and_holds(self, numlint: Numlint, project: Path) -> None:
        (project / "pyproject.toml").write_text('[tool.numlint]\nselect = ["unused-suppression"]\n')
        assert numlint("check").status == 0
        assert numlint("check", "--isolated").status == 1
        assert numlint("check", "--extend-select", "NL101").status == 1

    def test_it_can_be_named(self, numlint: Numlint, project: Path) -> None:
        (project / "strict.toml").write_text('min-confidence = "certain"\n')
        assert numlint("check", "--config", "strict.toml").status == 0
        assert numlint("check", "--config", "strict.toml", "--min-confidence", "likely").status == 1

    def test_settings_of_a_path_hold_from_any_folder(
        self, numlint: Numlint, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (project / "tests").mkdir()
        (project / "tests" / "test_bad.py").write_text(HAZARD)
        (project / "numlint.toml").write_text('[per-path."tests/**"]\nignore = ["all"]\n')
        assert concise(numlint) == ["bad.py:6 naive-softmax"]
        monkeypatch.chdir("tests")
        assert numlint("check").status == 0

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("selekt = []\n", "error: numlint.toml:1: unknown key 'selekt'; did you mean 'select'?\n"),
            ('\nselect = ["naive-sofmax"]\n', "error: numlint.toml:2: no rule has the name or code 'naive-sofmax'"),
            ("select = [\n", "error: numlint.toml:2: not TOML"),
            ('rule-packs = ["absent_pack"]\n', "error: numlint.toml: cannot import the rule pack 'absent_pack'"),
        ],
    )
    def test_a_mistake_in_it_is_explained_and_exits_with_2(
        self, numlint: Numlint, project: Path, content: str, message: str
    ) -> None:
        (project / "numlint.toml").write_text(content)
        done = numlint("check")
        assert (done.status, done.out) == (2, "")
        assert done.err.startswith(message)

    def test_excluded_files_are_passed_over_unless_they_are_named(self, numlint: Numlint, project: Path) -> None:
        (project / "numlint.toml").write_text('extend-exclude = ["bad.py"]\n')
        assert numlint("check").status == 0
        assert numlint("check", "bad.py").status == 1
        assert numlint("check", "--force-exclude", "bad.py").status == 0

    def test_a_rule_pack_of_the_project_is_loaded(
        self, numlint: Numlint, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "path", [*sys.path])
        monkeypatch.delitem(sys.modules, "my_rules", raising=False)
        (project / "my_rules").mkdir()
        (project / "my_rules" / "__init__.py").touch()
        (project / "my_rules" / "own.py").write_text(PACK)
        (project / "numlint.toml").write_text('rule-packs = ["my_rules"]\nselect = ["MY"]\nexclude = ["my_rules"]\n')
        assert concise(numlint) == ["bad.py:5 own-rule"]
        assert "A goto is considered harmful" in numlint("explain", "MY101").out
        assert "own-rule" in numlint("rules").out
        for name in ("my_rules", "my_rules.own"):
            monkeypatch.delitem(sys.modules, name)


class TestOutput:
    @pytest.mark.parametrize("name", formats())
    def test_every_format_can_be_chosen(self, numlint: Numlint, name: str) -> None:
        done = numlint("check", "--output-format", name)
        assert (done.status, done.err) == (1, "")
        assert "naive-softmax" in done.out

    def test_without_a_terminal_there_are_no_colours(self, numlint: Numlint, monkeypatch: pytest.MonkeyPatch) -> None:
        assert "\x1b[" not in numlint("check").out
        monkeypatch.setenv("FORCE_COLOR", "1")
        assert "\x1b[" in numlint("check").out
        monkeypatch.setenv("NO_COLOR", "1")
        assert "\x1b[" not in numlint("check").out

    def test_it_can_go_to_a_file(self, numlint: Numlint, project: Path) -> None:
        done = numlint("check", "--output-format", "json", "-o", "out.json")
        assert (done.status, done.out) == (1, "")
        assert json.loads((project / "out.json").read_text())["findings"][0]["path"] == "bad.py"

    def test_statistics_count_by_rule(self, numlint: Numlint, project: Path) -> None:
        (project / "worse.py").write_text(HAZARD + "\n\ndef more(z):\n    return np.exp(z) / np.exp(z).sum()\n")
        done = numlint("check", "--statistics")
        assert done.status == 1
        assert done.out.splitlines()[0].split() == ["3", "NL101", "[*]", "naive-softmax"]


class TestStdin:
    @pytest.mark.parametrize(
        "arguments", [["-"], ["--stdin-filename", "src/a.py"], ["-", "--stdin-filename", "src/a.py"]]
    )
    def test_it_is_checked(self, numlint: Numlint, arguments: list[str]) -> None:
        done = numlint("check", "--output-format", "concise", *arguments, stdin=HAZARD)
        assert done.status == 1
        name = "src/a.py" if "src/a.py" in arguments else "<stdin>"
        assert done.out.startswith(f"{name}:6:12: NL101")

    def test_the_configuration_is_that_of_the_name(self, numlint: Numlint, project: Path) -> None:
        (project / "pkg").mkdir()
        (project / "pkg" / "numlint.toml").write_text('ignore = ["all"]\n')
        assert numlint("check", "--stdin-filename", "pkg/a.py", stdin=HAZARD).status == 0
        assert numlint("check", "--stdin-filename", "a.py", stdin=HAZARD).status == 1

    def test_the_fixed_source_goes_to_stdout_and_the_rest_to_stderr(self, numlint: Numlint) -> None:
        done = numlint("check", "--fix", "-", stdin=HAZARD + "x = 1  # numlint: ingore\n")
        assert (done.status, done.out) == (1, CURED + "x = 1  # numlint: ingore\n")
        assert "unused-suppression" in done.err


class TestFix:
    def test_the_file_is_changed_and_what_remains_is_shown(self, numlint: Numlint, project: Path) -> None:
        done = numlint("check", "--fix")
        assert (done.status, done.err) == (0, "Fixed 1 finding in 1 file.\n")
        assert (project / "bad.py").read_text() == CURED

    def test_without_it_nothing_is_changed(self, numlint: Numlint, project: Path) -> None:
        numlint("check", "--unsafe-fixes")
        assert (project / "bad.py").read_text() == HAZARD

    def test_a_diff_changes_nothing(self, numlint: Numlint, project: Path) -> None:
        done = numlint("check", "--fix", "--diff")
        assert done.status == 1
        assert "-    return e / e.sum(axis=1, keepdims=True)\n+    return softmax(z, axis=1)\n" in done.out
        assert done.err == "Would fix 1 finding in 1 file; 0 findings would remain.\n"
        assert (project / "bad.py").read_text() == HAZARD

    def test_a_diff_of_nothing_is_empty(self, numlint: Numlint) -> None:
        done = numlint("check", "--diff", "good.py")
        assert (done.status, done.out) == (0, "")

    def test_a_diff_can_be_applied(self, numlint: Numlint, project: Path) -> None:
        import subprocess

        numlint("check", "--diff", "-o", "fix.patch")
        subprocess.run(["git", "apply", "-p0", "fix.patch"], check=True, stdin=subprocess.DEVNULL)
        assert (project / "bad.py").read_text() == CURED

    def test_unused_suppressions_are_removed(self, numlint: Numlint, project: Path) -> None:
        (project / "good.py").write_text("x = 1  # numlint: ignore[naive-softmax] stale\n")
        numlint("check", "--fix")
        assert (project / "good.py").read_text() == "x = 1\n"
