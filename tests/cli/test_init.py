"""`numlint init`: sets a project up, keeps what is there, and does it once."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from numlint.config import load
from numlint.finding import Confidence
from tests.cli.conftest import Numlint

PYPROJECT = '# mine\n[project]\nname = "subject"  # keep\n'
HOOK = "    - id: numlint\n"


def repos(text: str) -> list[object]:
    import yaml  # type: ignore[import-untyped]

    listed = yaml.safe_load(text)["repos"]
    assert isinstance(listed, list)
    return listed


def test_an_empty_project_gets_a_configuration_and_a_hook(numlint: Numlint, project: Path) -> None:
    done = numlint("init")
    assert done.status == 0
    assert load("numlint.toml").min_confidence is Confidence.LIKELY
    assert len(repos((project / ".pre-commit-config.yaml").read_text())) == 1
    assert done.out.splitlines() == [
        "numlint.toml: written",
        ".pre-commit-config.yaml: written; `pre-commit install` makes git run it",
    ]


@pytest.mark.parametrize("before", [PYPROJECT, PYPROJECT.rstrip("\n"), PYPROJECT.replace("\n", "\r\n"), ""])
def test_pyproject_gets_a_section_and_keeps_the_rest(numlint: Numlint, project: Path, before: str) -> None:
    (project / "tests").mkdir()
    path = project / "pyproject.toml"
    path.write_bytes(before.encode())
    assert numlint("init").status == 0
    after = path.read_bytes().decode()
    assert after.startswith(before)
    assert after.count("\r\n") == (after.count("\n") if "\r\n" in before else 0)
    config = load("pyproject.toml")
    assert config.min_confidence is Confidence.LIKELY
    assert [settings.pattern for settings in config.per_path] == ["tests/**"]
    assert not (project / "numlint.toml").exists()


def test_twice_is_once(numlint: Numlint, project: Path) -> None:
    (project / "pyproject.toml").write_text(PYPROJECT)
    numlint("init")
    files = {path: path.read_bytes() for path in project.iterdir()}
    done = numlint("init")
    assert done.status == 0
    assert "already" in done.out.splitlines()[0]
    assert "already" in done.out.splitlines()[1]
    assert {path: path.read_bytes() for path in project.iterdir()} == files


@pytest.mark.parametrize("content", ["[project\n", "tool = { other = { x = 1 } }\n"], ids=["broken", "inline table"])
def test_a_pyproject_that_takes_no_section_is_kept(numlint: Numlint, project: Path, content: str) -> None:
    (project / "pyproject.toml").write_text(content)
    done = numlint("init", "--no-pre-commit")
    assert done.status == 2
    assert "not changed" in done.err
    assert (project / "pyproject.toml").read_text() == content


@pytest.mark.parametrize(
    "before",
    [
        "repos:\n  - repo: https://example.com/x\n    rev: v1\n    hooks:\n      - id: x\n",
        "repos:\n- repo: https://example.com/x\n  rev: v1\n  hooks:\n  - id: x\n",
        "# mine\nrepos:  # all\n-   repo: local\n    hooks: []\n\n# the end\nci:\n  skip: [x]\n",
        "default_stages: [pre-commit]\nrepos:\n  - repo: local\n    hooks: []\n  # a remark\n",
        "repos: []\nfail_fast: true\n",
        "repos:\n",
    ],
)
def test_the_hook_is_added_to_those_that_are_there(numlint: Numlint, project: Path, before: str) -> None:
    import yaml

    path = project / ".pre-commit-config.yaml"
    path.write_text(before)
    numlint("init")
    after = path.read_text()
    old, new = yaml.safe_load(before), yaml.safe_load(after)
    added = new["repos"].pop()
    assert added["hooks"][0]["id"] == "numlint"
    assert new == {**old, "repos": old["repos"] or []}
    removed = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line.startswith("- ")]
    assert removed == ["- repos: []"] * (old["repos"] == [])


def test_a_hook_file_that_is_not_understood_is_kept(numlint: Numlint, project: Path) -> None:
    path = project / ".pre-commit-config.yaml"
    path.write_text("{repos: [{repo: local, hooks: []}]}\n")
    done = numlint("init")
    assert done.status == 2
    assert "- id: numlint" in done.err
    assert path.read_text() == "{repos: [{repo: local, hooks: []}]}\n"


def test_another_folder_can_be_named(numlint: Numlint, project: Path) -> None:
    (project / "sub").mkdir()
    assert numlint("init", "sub", "--no-pre-commit").status == 0
    assert [path.name for path in (project / "sub").iterdir()] == ["numlint.toml"]
