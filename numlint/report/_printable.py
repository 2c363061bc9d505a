"""Text from the files that are checked, made fit for a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """`text` on one line, without what could control a terminal or turn the direction of reading.

    White space of any kind becomes a space; escape codes, bidirectional marks and the
    undecodable bytes of a file's name become U+FFFD. The length stays the same.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else " " if char.isspace() else "\N{REPLACEMENT CHARACTER}" for char in text
    )


def one_line(text: str) -> str:
    """`text` as `printable` has it, with runs of white space made one space."""
    return printable(" ".join(text.split()))
