"""A file's text, addressed the way that spans address it."""

from __future__ import annotations

import io
import re
from bisect import bisect_right
from functools import cached_property

from numlint.finding import Edit, Span

# What Python's tokenizer ends a line at. `str.splitlines` also ends lines at form feeds and U+2028.
_LINE_END = re.compile(r"\r\n|\r|\n")
_BOM = "\ufeff"


class Source:
    """Decoded text with its lines.

    A byte order mark is kept apart in `bom`: no column counts it, and a result gets it back.
    """

    def __init__(self, text: str) -> None:
        self.bom = _BOM if text.startswith(_BOM) else ""
        self.text = text[len(self.bom) :]
        ends = list(_LINE_END.finditer(self.text))
        self._starts = [0, *(end.end() for end in ends)]
        self._stops = [*(end.start() for end in ends), len(self.text)]

    @property
    def lines(self) -> int:
        """The number of lines; text that ends with a line end has an empty last line."""
        return len(self._starts)

    def line(self, number: int) -> str:
        """The text of a line, without its end; empty outside the file."""
        if not 1 <= number <= self.lines:
            return ""
        return self.text[self._starts[number - 1] : self._stops[number - 1]]

    def line_end(self, number: int) -> str:
        """The line end in use around a line: its own, else that of the line before."""
        for index in (number - 1, number - 2):
            if 0 <= index < self.lines - 1:
                return self.text[self._stops[index] : self._starts[index + 1]]
        return "\n"

    def indentation(self, number: int) -> str:
        """The white space that a line begins with, tabs kept."""
        line = self.line(number)
        return line[: len(line) - len(line.lstrip(" \t\f"))]

    def offset(self, line: int, column: int) -> int:
        """The index into `text` of a place.

        Raises
        ------
        ValueError
            When the file has no such place.
        """
        if not 1 <= line <= self.lines or not 1 <= column <= len(self.line(line)) + 1:
            raise ValueError(f"no line {line}, column {column}")
        return self._starts[line - 1] + column - 1

    def place(self, offset: int) -> tuple[int, int]:
        """The line and column of an index into `text`."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def interval(self, span: Span) -> tuple[int, int]:
        """The indices of a span's first character and of the one after its last.

        Raises
        ------
        ValueError
            When the span does not lie in the file, or ends before it begins.
        """
        start, stop = self.offset(span.line, span.column), self.offset(span.end_line, span.end_column)
        if stop < start:
            raise ValueError(f"the span ends before it begins: {span}")
        return start, stop

    def replaced(self, edits: tuple[Edit, ...]) -> str:
        """The text with non-overlapping edits applied; everything else is kept, character by character."""
        pieces, position = [], 0
        for (start, stop), text in sorted((self.interval(edit.span), edit.text) for edit in edits):
            pieces += [self.text[position:start], text]
            position = stop
        return "".join([*pieces, self.text[position:]])

    @cached_property
    def comments(self) -> tuple[tuple[int, int], ...]:
        """The intervals of all comments.

        Text that cannot be tokenized is taken to be a comment from each ``#`` on: that can
        keep a rewrite from being applied, and never loses a comment.
        """
        import tokenize

        try:
            tokens = list(tokenize.generate_tokens(io.StringIO(self.text, newline="").readline))
        except (tokenize.TokenError, SyntaxError):
            return tuple(match.span() for match in re.finditer(r"#[^\r\n]*", self.text))
        return tuple(
            (self._starts[token.start[0] - 1] + token.start[1], self._starts[token.end[0] - 1] + token.end[1])
            for token in tokens
            if token.type == tokenize.COMMENT
        )
