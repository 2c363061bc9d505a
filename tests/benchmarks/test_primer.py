"""The primer's file keeps one finding to a line, and its diff says what changed."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOUND = [
    ["pkg/a.py", 10, "naive-softmax", "likely", "f1"],
    ["pkg/a.py", 20, "zero-division", "possible", "f2"],
    ["pkg/b.py", 5, "zero-division", "likely", "f3"],
]


@pytest.fixture
def primer(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.primer")


def result(findings: list[list[Any]], problems: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "version": "1.0",
        "sha256": "00",
        "files": 2,
        "lines": 1000,
        "problems": list(problems),
        "findings_per_1000_lines": {"likely or certain": 2.0, "all": 3.0},
        "rules": {"zero-division": {"certain": 0, "likely": 1, "possible": 1}},
        "findings": findings,
    }


def test_the_file_is_json_with_a_line_for_each_finding(primer: ModuleType) -> None:
    text = primer.layout({"pkg": result(FOUND), "empty": result([])})
    assert json.loads(text) == {"pkg": result(FOUND), "empty": result([])}
    assert sum('"likely", "f' in line or '"possible", "f' in line for line in text.splitlines()) == len(FOUND)


def test_nothing_changed(primer: ModuleType) -> None:
    assert list(primer.compare("pkg", result(FOUND), result(FOUND))) == []


def test_what_changed_is_said_finding_by_finding(primer: ModuleType) -> None:
    moved = ["pkg/a.py", 11, "naive-softmax", "likely", "f1"]
    surer = ["pkg/a.py", 20, "zero-division", "likely", "f2"]
    new = ["pkg/c.py", 1, "log-of-zero", "certain", "f4"]
    changes = list(primer.compare("pkg", result(FOUND), result([moved, surer, new], ("pkg/c.py:3 too deep",))))
    assert changes == [
        "! pkg/c.py:3 too deep",
        "~ pkg/a.py:11 naive-softmax [likely], was at line 10",
        "~ pkg/a.py:20 zero-division [likely], was [possible]",
        "- pkg/b.py:5 zero-division [likely]",
        "+ pkg/c.py:1 log-of-zero [certain]",
    ]


def test_the_tests_of_a_package_are_left_out(primer: ModuleType) -> None:
    packages = importlib.import_module("benchmarks.packages")
    tests = ("pkg/tests/data.py", "pkg/test_a.py", "pkg/a_test.py", "conftest.py", "pkg/testing/make.py")
    assert all(packages.is_test(path) for path in tests)
    assert not packages.is_test("pkg/latest.py")


def test_the_kept_file_agrees_with_itself() -> None:
    kept = ROOT / "benchmarks" / "primer.json"
    if not kept.exists():
        pytest.skip("no primer is kept yet")
    for name, package in json.loads(kept.read_text()).items():
        counted = sum(sum(counts.values()) for counts in package["rules"].values())
        assert counted == len(package["findings"]), name
        assert len({row[4] for row in package["findings"]}) == counted, f"{name}: fingerprints are not unique"
