"""Bytes become text as Python reads them; what cannot be read says why."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from numlint.finding import Problem
from numlint.source import Unreadable, decode, read


def problem(source: bytes) -> Problem:
    with pytest.raises(Unreadable) as caught:
        decode(source, "a.py")
    return caught.value.problem


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"x = 1\n",
        "π = 3\r\n".encode(),
        b"\xef\xbb\xbfx = 1\n",
        "# -*- coding: latin-1 -*-\ns = 'é'\n".encode("latin-1"),
        "#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\ns = '€'\n".encode("cp1252"),
    ],
    ids=["empty", "ascii", "utf-8, crlf", "byte order mark", "latin-1", "cp1252 on the second line"],
)
def test_decoding_and_encoding_give_the_same_bytes(source: bytes) -> None:
    decoded = decode(source, "a.py")
    assert decoded.encode(decoded.text) == source
    assert not decoded.text.startswith("\ufeff")


def test_a_coding_declaration_counts_in_the_first_two_lines_only() -> None:
    assert decode("a = 1\nb = 2\n# coding: latin-1\ns = 'é'\n".encode(), "a.py").encoding == "utf-8"


def test_a_wrong_byte_is_located() -> None:
    found = problem(b"x = 1\ns = 'caf" + b"\xe9'\n")
    assert (found.line, found.column) == (2, 9)
    assert found.message == "byte 0xe9 is not valid UTF-8"
    assert "coding" in found.hint


def test_a_wrong_byte_behind_a_byte_order_mark_is_located() -> None:
    found = problem(b"\xef\xbb\xbfx = 1\ns = '\xe9'\n")
    assert (found.line, found.message) == (2, "byte 0xe9 is not valid UTF-8")


def test_an_unknown_encoding_is_named() -> None:
    found = problem(b"#!/usr/bin/python\n# coding: klingon\n")
    assert found.line == 2
    assert "klingon" in found.message


def test_utf_16_is_recognised() -> None:
    assert "UTF-16" in problem("x = 1\n".encode("utf-16")).message


def test_a_binary_file_is_no_python() -> None:
    found = problem(b"\x7fELF\n\x02\x01\x00\x00")
    assert found.line == 2
    assert "null bytes" in found.message


def unreadable(path: Path) -> Problem:
    with pytest.raises(Unreadable) as caught:
        read(str(path))
    assert caught.value.problem.path == str(path)
    return caught.value.problem


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    assert unreadable(tmp_path / "absent.py").message == "no such file or directory"


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    assert unreadable(tmp_path).message.startswith("cannot be read: ")


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege on Windows")
def test_a_link_to_itself_says_so(tmp_path: Path) -> None:
    link = tmp_path / "loop.py"
    link.symlink_to(link)
    assert "symbolic link" in unreadable(link).message


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_says_so(tmp_path: Path) -> None:
    secret = tmp_path / "secret.py"
    secret.touch(mode=0)
    assert unreadable(secret).message == "cannot be read: permission denied"
