"""Where operations happen: sites, with the conditions under which they are reached, and loops."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from numlint.graph.frame import Path
from numlint.graph.value import Value


class Site:
    """One operation in the source of the analysed function.

    Attributes
    ----------
    value : Value
        What is computed.
    node : ast.AST
        The expression (or augmented assignment) that computes it.
    path : Path or None
        Conditions that hold here.
    clock : int
        Order of evaluation within the function.
    framework : str
    loops : tuple of Loop
        Enclosing loops, outermost first.
    """

    __slots__ = ("clock", "framework", "loops", "node", "path", "value")

    def __init__(
        self, value: Value, node: ast.AST, path: Path | None, clock: int, framework: str, loops: tuple[Any, ...]
    ) -> None:
        self.value = value
        self.node = node
        self.path = path
        self.clock = clock
        self.framework = framework
        self.loops: tuple[Loop, ...] = loops

    def conditions(self) -> Iterator[tuple[Value, bool]]:
        """Conditions known here, innermost first, each with whether it holds or fails."""
        path = self.path
        while path is not None:
            if path.kind == "cond" and path.value is not None:
                yield path.value, path.holds
            path = path.parent

    def catches(self, *names: str) -> bool:
        """Whether an enclosing ``try`` handles one of the exceptions `names`, or any exception."""
        path = self.path
        while path is not None:
            if path.kind == "try" and (not path.names or set(path.names) & {*names, "Exception", "BaseException"}):
                return True
            path = path.parent
        return False

    def contexts(self) -> Iterator[Value]:
        """Context managers of the enclosing ``with`` statements, innermost first."""
        path = self.path
        while path is not None:
            if path.kind == "with" and path.value is not None:
                yield path.value
            path = path.parent

    def __repr__(self) -> str:
        return f"<{self.value!r} at line {getattr(self.node, 'lineno', '?')}>"


class Exit(NamedTuple):
    """A ``break``, ``return`` or ``raise`` inside a loop, with the conditions under which it is reached."""

    node: ast.stmt
    path: Path | None
    env: dict[str, Value]


@dataclass(eq=False)
class Loop:
    """A loop of the analysed function.

    Attributes
    ----------
    node : ast.For or ast.While
    condition : Value or None
        Of a ``while``; in terms of the carried values.
    iterable : Value or None
        Of a ``for``.
    entry : Path or None
        Conditions that hold where the loop starts.
    carried : dict
        Name to (value on entry, value at the start of an iteration, value at its end).
    exits : list of Exit
    """

    node: ast.For | ast.AsyncFor | ast.While
    condition: Value | None = None
    iterable: Value | None = None
    entry: Path | None = None
    carried: dict[str, tuple[Value, Value, Value]] = field(default_factory=dict)
    exits: list[Exit] = field(default_factory=list)
