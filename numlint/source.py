"""Reading a file, and turning its bytes into text the way Python does.

Whatever stands in the way of a check (a missing file, no permission, bytes that
are no text) is raised as `Unreadable`, which carries the `Problem` to show.
"""

from __future__ import annotations

from dataclasses import dataclass

from numlint.finding import Problem

UTF8_BOM = b"\xef\xbb\xbf"
FOREIGN_BOMS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


class Unreadable(Exception):
    """A file that cannot be checked."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(frozen=True)
class Text:
    """Decoded source; line endings are those of the file.

    Attributes
    ----------
    text : str
    encoding : str
        The codec that turns `text` into the same bytes again, byte order mark included.
    """

    text: str
    encoding: str

    def encode(self, text: str) -> bytes:
        """Encode a changed version of the text as the file was encoded."""
        return text.encode(self.encoding)


def read(path: str) -> bytes:
    """Read a file.

    Raises
    ------
    Unreadable
        When the file cannot be opened or read.
    """
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise Unreadable(Problem(path, "no such file or directory")) from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise Unreadable(Problem(path, f"cannot be read: {reason[0].lower()}{reason[1:]}")) from None


def decode(source: bytes, path: str) -> Text:
    """Decode Python source by its byte order mark or coding declaration, UTF-8 without one.

    Raises
    ------
    Unreadable
        When the bytes are no text, or not in the declared encoding.
    """
    for mark, name in FOREIGN_BOMS.items():
        if source.startswith(mark):
            raise Unreadable(Problem(path, f"the file is {name}, which Python does not read", "save it as UTF-8", 1))
    if (null := source.find(b"\0")) >= 0:
        line = source.count(b"\n", 0, null) + 1
        message = "not Python source: the file contains null bytes"
        raise Unreadable(Problem(path, message, "exclude it, if it is binary", line))
    encoding = _encoding(source, path)
    try:
        return Text(source.decode(encoding), encoding)
    except UnicodeDecodeError as error:
        # The codec of a file with a byte order mark counts from behind the mark.
        start = error.start + (len(UTF8_BOM) if encoding == "utf-8-sig" else 0)
        line_start = source.rfind(b"\n", 0, start) + 1
        shown = "UTF-8" if encoding in ("utf-8", "utf-8-sig") else encoding
        raise Unreadable(
            Problem(
                path,
                f"byte 0x{source[start]:02x} is not valid {shown}",
                "save the file as UTF-8, or declare its encoding on the first line: # -*- coding: latin-1 -*-",
                source.count(b"\n", 0, start) + 1,
                len(source[line_start:start].decode(encoding, "replace")) + 1,
            )
        ) from None


def _encoding(source: bytes, path: str) -> str:
    # A declaration counts in the first two lines only.
    end = source.find(b"\n", source.find(b"\n") + 1)
    head = source if end < 0 else source[: end + 1]
    if b"coding" not in head:
        return "utf-8-sig" if source.startswith(UTF8_BOM) else "utf-8"
    import tokenize

    try:
        return tokenize.detect_encoding(iter(head.splitlines(keepends=True)).__next__)[0]
    except SyntaxError as error:
        line = 1 if b"coding" in head.split(b"\n", 1)[0] else 2
        raise Unreadable(Problem(path, str(error.msg), "declare an encoding that Python knows", line)) from None
