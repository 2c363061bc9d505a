"""Rules come from the built-in pack, installed packs, and packs that the configuration names."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from numlint import packs
from numlint.config import Config, ConfigError, load

RULE = '''\
"""Never the same twice.

Only an example.
"""

name = "{name}"
code = "{code}"
triggers = ("exp",)
signature = "overflow"


def check(function):
    return ()
'''


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test imports is gone after it."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("scratch"):
            del sys.modules[name]


def lay(folder: Path, pack: str, **modules: str) -> None:
    (folder / pack).mkdir(parents=True)
    (folder / pack / "__init__.py").touch()
    for name, content in modules.items():
        (folder / pack / f"{name}.py").write_text(content)


def config(folder: Path, *names: str) -> Config:
    return replace(load(""), root=str(folder), file="numlint.toml", rule_packs=names)


def names_of(config: Config) -> set[str]:
    return {rule.name for rule in packs.load(config)}


def test_the_built_in_rules_are_always_there() -> None:
    assert {"naive-softmax", "unused-suppression"} <= names_of(load(""))


def test_a_pack_is_found_beside_the_configuration(tmp_path: Path) -> None:
    lay(tmp_path, "scratch_beside", one=RULE.format(name="one", code="MY1"), two=RULE.format(name="two", code="MY2"))
    assert {"one", "two", "naive-softmax"} <= names_of(config(tmp_path, "scratch_beside"))


def test_a_single_module_is_a_pack(tmp_path: Path) -> None:
    (tmp_path / "scratch_single.py").write_text(RULE.format(name="single", code="MY1"))
    assert "single" in names_of(config(tmp_path, "scratch_single"))


def test_a_folder_of_the_project_cannot_stand_in_for_a_library(tmp_path: Path) -> None:
    lay(tmp_path, "click")
    lay(tmp_path, "scratch_shadow", one=RULE.format(name="one", code="MY1"))
    packs.load(config(tmp_path, "scratch_shadow"))
    assert sys.path[-1] == str(tmp_path)


def test_an_installed_pack_is_loaded_without_being_named(tmp_path: Path) -> None:
    site = tmp_path / "site"
    lay(site, "scratch_installed", one=RULE.format(name="installed", code="MY1"))
    info = site / "scratch_installed-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: scratch-installed\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[numlint.rules]\nscratch = scratch_installed\n")
    sys.path.append(str(site))
    assert packs.installed() == ["scratch_installed"]
    assert "installed" in names_of(load(""))


def test_without_an_installed_pack_the_metadata_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "importlib.metadata", None)  # importing it fails
    assert packs.installed() == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("import absent_library\n", "absent_library"),
        ("def check(:\n", "scratch_broken/one.py:1"),
        ("1 / 0\n", "ZeroDivisionError('division by zero') (.*scratch_broken/one.py:1)"),
        (RULE.format(name="one", code="NL101"), "NL101 is already taken by numlint.rules"),
        (RULE.format(name="one", code="MY1").replace('"overflow"', '"boom"'), "unknown signature 'boom'"),
    ],
)
def test_a_pack_that_cannot_be_loaded_is_explained(tmp_path: Path, content: str, message: str) -> None:
    import re

    lay(tmp_path, "scratch_broken", one=content)
    with pytest.raises(ConfigError) as caught:
        packs.load(config(tmp_path, "scratch_broken"))
    assert re.search(message.replace("(", r"\(").replace(")", r"\)"), str(caught.value))
