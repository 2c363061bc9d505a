"""Which place in the source an operation came from.

An operation is noticed deep inside numpy or torch. The stack is walked outwards, past
those libraries and this package, to the first frame of the code under test. A place is
kept as a code object and the offset of the instruction in it, which costs nothing;
line, column and text are worked out only for what is reported. Columns need Python 3.11,
where the interpreter knows them for each instruction; before, the whole line is named.
"""

from __future__ import annotations

import ast
import itertools
import linecache
import os
import sys
from collections.abc import Collection
from dataclasses import dataclass
from types import CodeType, FrameType

from ..target import Region

RUNTIME = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")
LIBRARIES = ("numpy", "torch")


class Place:
    """One instruction of the code under test.

    Attributes
    ----------
    code : code object or None
        None when no frame of the code under test was on the stack.
    instruction : int
        Its offset in the code.
    """

    def __init__(self, code: CodeType | None = None, instruction: int = -1) -> None:
        self.code = code
        self.instruction = instruction
        self.key = (id(code), instruction)

    @property
    def file(self) -> str:
        return self.code.co_filename if self.code else ""

    @property
    def function(self) -> str:
        return getattr(self.code, "co_qualname", self.code.co_name) if self.code else ""

    @property
    def region(self) -> Region:
        """Where it stands; a line without columns has column 0."""
        if self.code is None:
            return Region(0, 0, 0, 0)
        positions = getattr(self.code, "co_positions", None)
        if positions is not None and self.instruction >= 0:
            found = next(itertools.islice(positions(), self.instruction // 2, None), None)
            if found and None not in found:
                line, end_line, column, end_column = found
                return Region(line, column + 1, end_line, end_column + 1)
        return Region(self._line(), 0, self._line(), 0)

    def _line(self) -> int:
        import dis

        assert self.code is not None
        line = self.code.co_firstlineno
        for start, number in dis.findlinestarts(self.code):
            if start > self.instruction:
                break
            line = number or line
        return line

    @property
    def text(self) -> str:
        """The expression; the stripped line where its columns are unknown or it spans several lines."""
        region = self.region
        line = linecache.getline(self.file, region.line)
        if not region.column or region.end_line != region.line:
            return line.strip()
        part = line.encode()[region.column - 1 : region.end_column - 1].decode(errors="replace").strip()
        return part if _is_expression(part) else line.strip()


def _is_expression(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except (SyntaxError, ValueError):
        return False
    return True


NOWHERE = Place()


@dataclass(frozen=True)
class Scope:
    """Whose frames count.

    Attributes
    ----------
    files : collection of str
        The innermost frame in one of these files is the place; empty: the innermost
        frame outside numpy, torch and this package.
    """

    files: Collection[str] = ()

    def place(self, depth: int = 1) -> Place:
        """Where the caller's caller was called from in the code under test."""
        frame: FrameType | None = sys._getframe(depth)
        nearest: FrameType | None = None
        while frame is not None:
            name = frame.f_code.co_filename
            if name in self.files:
                return Place(frame.f_code, frame.f_lasti)
            if nearest is None and not _is_library(name):
                if not self.files:
                    return Place(frame.f_code, frame.f_lasti)
                nearest = frame
            frame = frame.f_back
        return Place(nearest.f_code, nearest.f_lasti) if nearest is not None else NOWHERE


_libraries: dict[str, bool] = {}


def _is_library(name: str) -> bool:
    known = _libraries.get(name)
    if known is None:
        folders = [RUNTIME, *(_folder(library) for library in LIBRARIES if library in sys.modules)]
        known = name.startswith(("<__array_function__", "<frozen")) or any(
            name.startswith(folder) for folder in folders
        )
        _libraries[name] = known
    return known


def _folder(library: str) -> str:
    return os.path.join(os.path.dirname(str(sys.modules[library].__file__)), "")
