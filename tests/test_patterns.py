"""What `exclude` and `per-path` patterns match."""

from __future__ import annotations

import pytest

from numlint.patterns import check, matches


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("build", "build"),
        ("build", "a/b/build/c.py"),
        ("build/", "a/build/c.py"),
        ("*_pb2.py", "proto/user_pb2.py"),
        ("tests/**", "tests/test_a.py"),
        ("tests/**", "tests/deep/er/test_a.py"),
        ("tests", "tests/test_a.py"),
        ("src/*/gen", "src/a/gen/x.py"),
        ("**/gen/*.py", "gen/x.py"),
        ("**/gen/*.py", "a/b/gen/x.py"),
        ("a/**/z.py", "a/z.py"),
        ("a/**/z.py", "a/b/c/z.py"),
        ("./setup.py", "setup.py"),
        ("v[0-9].py", "v1.py"),
        ("v[!0-9].py", "vx.py"),
        ("file?.py", "dir/file1.py"),
        ("a+b(c).py", "a+b(c).py"),
    ],
)
def test_a_pattern_matches(pattern: str, path: str) -> None:
    assert matches([pattern], path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("build", "rebuild/a.py"),
        ("build", "build.py"),
        ("tests/**", "src/tests/a.py"),
        ("src/*", "lib/src/a.py"),
        ("a/*.py", "a/b/c.py"),
        ("v[!0-9].py", "v1.py"),
        ("a.py", "axpy"),
        ("file?.py", "file/.py"),
    ],
)
def test_a_pattern_does_not_match(pattern: str, path: str) -> None:
    assert not matches([pattern], path)


def test_no_pattern_matches_nothing() -> None:
    assert not matches([], "a.py")


def test_any_of_several_patterns_suffices() -> None:
    assert matches(["docs", "tests/**"], "tests/a.py")


def test_a_malformed_pattern_is_explained() -> None:
    assert check("tests/**") == ""
    assert check(" ") == "an empty pattern"
    assert check("[z-a]").startswith("not a pattern: ")
