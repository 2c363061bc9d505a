"""Formats are found by walking, and imported one at a time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules

import pytest

import numlint.report
from numlint.report import Report, formats, render
from numlint.rule import Rule


def test_the_formats_are_the_modules_of_the_package() -> None:
    assert formats() == ("concise", "full", "github", "json", "sarif", "statistics")


def test_each_format_says_the_name_it_is_found_by() -> None:
    modules = [m.name for m in iter_modules(numlint.report.__path__) if not m.name.startswith("_") and not m.ispkg]
    assert sorted(import_module(f"numlint.report.{name}").name for name in modules) == list(formats())


@pytest.mark.parametrize("name", formats())
@pytest.mark.parametrize("color", [True, False])
def test_output_is_empty_or_ends_its_last_line(
    name: str, color: bool, outcome: Report, empty: Report, rules: Sequence[Rule]
) -> None:
    for report in (outcome, empty):
        text = render(name, report, rules, color=color, width=80)
        assert text == "" or (text.endswith("\n") and not text.endswith("\n\n"))


@pytest.mark.parametrize("name", formats())
def test_there_is_no_escape_code_without_colour(name: str, outcome: Report, rules: Sequence[Rule]) -> None:
    assert "\033" not in render(name, outcome, rules, color=False, width=80)


@pytest.mark.parametrize("name", ["json", "sarif", "github"])
def test_output_for_machines_has_no_colour_at_all(name: str, outcome: Report, rules: Sequence[Rule]) -> None:
    assert render(name, outcome, rules, color=True, width=80) == render(name, outcome, rules, color=False, width=80)


def test_an_unknown_format_is_refused_with_those_there_are(empty: Report) -> None:
    with pytest.raises(ValueError, match="no output format 'xml'; one of concise, full"):
        render("xml", empty, (), color=False, width=80)
    with pytest.raises(ValueError, match="no output format '_frame'"):
        render("_frame", empty, (), color=False, width=80)


def imported_by(code: str) -> set[str]:
    """The modules that are loaded after running `code` in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, types\nfrom numlint import report\n{code}\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


EMPTY = "types.SimpleNamespace(findings=(), problems=(), files=0, skipped=0, suppressed=0, sources={})"


def test_listing_the_formats_imports_none_of_them() -> None:
    modules = imported_by("report.formats()")
    assert "numlint.report" in modules
    assert {name for name in modules if name.startswith("numlint.report.")} == set()


@pytest.mark.parametrize("name", formats())
def test_rich_is_imported_for_people_only(name: str) -> None:
    modules = imported_by(f"report.render({name!r}, {EMPTY}, (), color=True, width=80)")
    assert f"numlint.report.{name}" in {module.rstrip("_") for module in modules}
    assert any(module.partition(".")[0] == "rich" for module in modules) == (name == "full")
    assert "libcst" not in modules
