"""Which files are checked: named ones always, folders by what is not excluded."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from numlint.config import Config, load
from numlint.discover import Files, discover, shown

needs_links = pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege on Windows")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def lay(*files: str) -> None:
    for file in files:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).touch()


def search(*paths: str, config: Config | None = None, force_exclude: bool = False) -> Files:
    return discover(paths or ["."], config or load(""), force_exclude=force_exclude)


def test_python_files_of_a_folder_are_found_in_order() -> None:
    lay("b.py", "a/z.py", "a/b/c.py", "notes.md", "a/stub.pyi", "script")
    assert search().paths == ["a/b/c.py", "a/z.py", "b.py"]


def test_a_file_is_found_once_however_it_is_named(project: Path) -> None:
    lay("a.py", "pkg/b.py")
    found = search("a.py", "./a.py", str(project / "a.py"), ".", "pkg")
    assert (found.named, found.walked) == ({"a.py"}, {"pkg/b.py"})


def test_paths_outside_of_the_current_folder_are_absolute(tmp_path: Path) -> None:
    other = tmp_path / "other"
    lay(str(other / "a.py"))
    assert search("../other").paths == [str(other / "a.py")]
    assert shown("../project-2/a.py") == str(tmp_path / "project-2" / "a.py")


def test_a_missing_path_is_a_problem_and_the_others_are_found() -> None:
    lay("a.py")
    found = search("a.py", "absent.py")
    assert found.paths == ["a.py"]
    assert [(problem.path, problem.message) for problem in found.problems] == [
        ("absent.py", "no such file or directory")
    ]


def test_a_notebook_is_a_problem_when_it_is_named_and_passed_over_otherwise() -> None:
    lay("a.ipynb")
    assert "notebooks" in search("a.ipynb").problems[0].message
    assert search() == Files()


class TestExcludes:
    def test_what_holds_no_source_of_the_project_is_passed_over_without_a_word(self) -> None:
        lay(".git/hooks/a.py", ".venv/lib/a.py", "node_modules/x/a.py", "build/lib/a.py", "a.py")
        found = search()
        assert (found.paths, found.skipped) == (["a.py"], 0)

    def test_a_virtual_environment_is_recognised_by_its_content(self) -> None:
        lay("my-env/pyvenv.cfg", "my-env/lib/a.py", "a.py")
        assert search().paths == ["a.py"]

    def test_a_virtual_environment_that_is_asked_for_is_walked(self) -> None:
        lay("venv/pyvenv.cfg", "venv/lib/site-packages/pkg/a.py")
        assert search("venv/lib/site-packages").paths == ["venv/lib/site-packages/pkg/a.py"]
        assert search("venv").paths == []  # site-packages lies below and is excluded

    def test_the_excludes_of_the_configuration_are_counted(self) -> None:
        lay("a.py", "gen/a.py", "src/a_pb2.py", "docs/conf.py")
        config = replace(load(""), extend_exclude=("gen", "*_pb2.py", "docs/**"))
        found = search(config=config)
        assert (found.paths, found.skipped) == (["a.py"], 3)

    def test_exclude_replaces_the_defaults(self) -> None:
        lay("build/a.py", "b.py")
        assert search(config=replace(load(""), exclude=("b.py",))).paths == ["build/a.py"]

    def test_patterns_start_at_the_folder_of_the_configuration(self, project: Path) -> None:
        lay("pkg/tests/a.py", "pkg/b.py", "tests/a.py")
        config = replace(load(""), root=str(project / "pkg"), extend_exclude=("tests/**",))
        assert search(config=config).paths == ["pkg/b.py", "tests/a.py"]

    def test_a_named_file_is_checked_although_it_is_excluded(self) -> None:
        lay("gen/a.py")
        config = replace(load(""), extend_exclude=("gen",))
        assert search("gen/a.py", config=config).paths == ["gen/a.py"]
        assert search("gen", config=config).paths == ["gen/a.py"]

    def test_force_exclude_holds_for_named_files(self) -> None:
        lay("gen/a.py", "b.py")
        config = replace(load(""), extend_exclude=("gen",))
        found = search("gen/a.py", "b.py", config=config, force_exclude=True)
        assert (found.paths, found.skipped) == (["b.py"], 1)


class TestGitignore:
    @pytest.fixture(autouse=True)
    def repository(self, project: Path) -> None:
        subprocess.run(["git", "init", "--quiet", str(project)], check=True, stdin=subprocess.DEVNULL)

    @staticmethod
    def ignore(content: str, file: str = ".gitignore") -> None:
        lay(file)
        Path(file).write_text(content)

    def test_what_git_ignores_is_passed_over_and_counted(self) -> None:
        self.ignore("# generated\n/gen/\n*_out.py\n")
        lay("a.py", "gen/a.py", "gen/b.py", "pkg/gen/a.py", "pkg/x_out.py")
        found = search()
        assert (found.paths, found.skipped) == (["a.py", "pkg/gen/a.py"], 2)

    def test_a_nested_file_overrules_its_parents(self) -> None:
        self.ignore("*_out.py\n")
        self.ignore("!keep_out.py\nlocal.py\n", "pkg/.gitignore")
        lay("keep_out.py", "local.py", "pkg/keep_out.py", "pkg/x_out.py", "pkg/local.py", "pkg/sub/local.py")
        assert search().paths == ["local.py", "pkg/keep_out.py"]

    def test_the_exclude_file_of_the_repository_counts(self) -> None:
        self.ignore("scratch.py\n", ".git/info/exclude")
        lay("scratch.py", "a.py")
        assert search().paths == ["a.py"]

    def test_the_files_above_a_folder_count(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ignore("x_*.py\n/pkg/sub/only_here.py\n")
        lay("pkg/sub/x_1.py", "pkg/sub/only_here.py", "pkg/sub/a.py")
        assert search("pkg/sub").paths == ["pkg/sub/a.py"]
        monkeypatch.chdir("pkg")
        assert search().paths == ["sub/a.py"]

    def test_an_ignored_folder_that_is_asked_for_is_walked(self) -> None:
        self.ignore("gen/\n")
        self.ignore("b.py\n", "gen/sub/.gitignore")
        lay("gen/a.py", "gen/sub/a.py", "gen/sub/b.py")
        assert search("gen").paths == ["gen/a.py", "gen/sub/a.py"]
        assert search("gen/sub").paths == ["gen/sub/a.py"]

    def test_a_named_file_is_checked_although_git_ignores_it(self) -> None:
        self.ignore("a.py\n")
        lay("a.py")
        assert search("a.py").paths == ["a.py"]

    def test_it_can_be_switched_off(self) -> None:
        self.ignore("a.py\n")
        lay("a.py")
        assert search(config=replace(load(""), respect_gitignore=False)).paths == ["a.py"]

    def test_a_malformed_line_does_not_disable_the_others(self) -> None:
        self.ignore("!\na.py\n")
        lay("a.py", "b.py")
        assert search().paths == ["b.py"]

    def test_git_agrees(self) -> None:
        self.ignore("*.tmp.py\n/one/*\n!/one/keep.py\ntwo/**/deep.py\n**/three\n\\#odd.py\n trailing.py\nf[0-9].py\n")
        lay("a.tmp.py", "one/x.py", "one/keep.py", "two/deep.py", "two/a/b/deep.py", "x/three/a.py", "#odd.py", "f1.py")
        lay("fx.py", "b/one/x.py", "b/two/deep.py")
        listed = subprocess.run(
            ["git", "ls-files", "--others", "--exclude-standard", "-z", "*.py"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert search().paths == sorted(filter(None, listed.stdout.split("\0")))


def test_without_a_gitignore_the_pattern_matcher_is_not_imported() -> None:
    lay("a.py")
    code = "import sys; from numlint import config, discover; discover.discover(['.'], config.load('')); "
    subprocess.run([sys.executable, "-c", code + "assert 'pathspec' not in sys.modules"], check=True)


@needs_links
class TestLinks:
    def test_a_circle_of_links_is_survived(self, project: Path) -> None:
        lay("pkg/a.py")
        Path("pkg/again").symlink_to(project)
        Path("pkg/loop.py").symlink_to(project / "pkg" / "loop.py")
        assert search() == Files(walked={"pkg/a.py"})

    def test_a_link_to_nothing_is_passed_over(self) -> None:
        lay("a.py")
        Path(".#a.py").symlink_to("user@host.1234")
        assert search().paths == ["a.py"]

    def test_a_link_to_a_file_is_checked(self, tmp_path: Path) -> None:
        lay(str(tmp_path / "outside.py"))
        Path("inside.py").symlink_to(tmp_path / "outside.py")
        assert search().paths == ["inside.py"]

    def test_a_link_to_a_folder_is_walked_when_it_is_asked_for(self, tmp_path: Path) -> None:
        lay(str(tmp_path / "outside" / "a.py"))
        Path("inside").symlink_to(tmp_path / "outside")
        assert search().paths == []
        assert search("inside").paths == ["inside/a.py"]


def test_a_folder_that_cannot_be_read_is_a_problem_and_the_others_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    lay("secret/a.py", "b.py")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("secret"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)  # the mode of a folder does not keep root out
    found = search()
    assert found.paths == ["b.py"]
    assert [(problem.path, problem.message) for problem in found.problems] == [
        ("secret", "cannot be read: permission denied")
    ]
