"""A file with findings, read once more and as a whole: where a finding stands, and what its function computes.

`check` parses only what is suspicious and forgets the graph when it is done. To run a
function, one must know its name as Python spells it (`outer.<locals>.inner`), where it
can be imported from, and what its inputs stand for.
"""

from __future__ import annotations

import ast
import os
import sys
from functools import cached_property

from numlint.finding import Finding, Span
from numlint.fix.fit import parsed
from numlint.fix.source import Source
from numlint.function import Function
from numlint.graph.frame import Analysis
from numlint.graph.lowering import Body, lower_function, lower_module
from numlint.graph.module import Definition, Module
from numlint.graph.project import Project, package_of
from numlint.linter import RECURSION_LIMIT

Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Subject:
    """One file under confirmation.

    Parameters
    ----------
    path : str
    text : str
        The decoded file.
    project : Project, optional
        Shared over the files of one run.
    """

    def __init__(self, path: str, text: str, project: Project | None = None) -> None:
        self.path = path
        self.source = Source(text)
        self._project = project or Project()
        self._bodies: dict[Definition, Body] = {}

    @cached_property
    def tree(self) -> ast.Module | None:
        """The syntax tree; None when the file is no Python."""
        return parsed(self.source.text)

    @cached_property
    def _analysis(self) -> Analysis | None:
        if self.tree is None:
            return None
        module = Module(self.tree, self.source.text, self.path, package=package_of(self.path))
        return Analysis(module, self._project)

    @property
    def module(self) -> str:
        """Dotted name that the file is imported under."""
        stem = os.path.splitext(os.path.basename(self.path))[0]
        package = package_of(self.path)
        if stem == "__init__":
            return package or os.path.basename(os.path.dirname(os.path.abspath(self.path)))
        return f"{package}.{stem}" if package else stem

    @property
    def root(self) -> str:
        """Folder that the module is imported from: the first one upwards that is no package."""
        folder = os.path.dirname(os.path.abspath(self.path))
        package = package_of(self.path)
        for _ in package.split(".") if package else ():
            folder = os.path.dirname(folder)
        return folder

    def qualname(self, span: Span) -> str:
        """Name of the innermost function around a region, as its ``__qualname__`` says it; empty at the top level."""
        scopes = self.scopes(span.line, span.column)
        while scopes and isinstance(scopes[-1], ast.ClassDef):
            scopes.pop()
        parts: list[str] = []
        for scope, within in zip(scopes, [None, *scopes], strict=False):
            if isinstance(within, ast.FunctionDef | ast.AsyncFunctionDef):
                parts.append("<locals>")
            parts.append(scope.name)
        return ".".join(parts)

    def scopes(self, line: int, column: int = 1 << 30) -> list[Scope]:
        """The classes and functions whose bodies hold a place, outermost first."""
        found: list[Scope] = []
        stack: list[ast.AST] = [self.tree] if self.tree is not None else []
        while stack:
            for node in ast.iter_child_nodes(stack.pop()):
                if not isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
                    continue
                if isinstance(node, Scope) and _holds(node, line, column):
                    found.append(node)
                    stack = [node]
                    break
                stack.append(node)
        return found

    def functions(self) -> list[str]:
        """Names of all functions and classes, without ``<locals>``, in source order."""
        analysis = self._analysis
        if analysis is None:
            return []
        return [*(item.qualname for item in analysis.module.definitions), *analysis.module.classes]

    def function(self, finding: Finding) -> Function | None:
        """What the function of a finding computes; None when that cannot be told."""
        if self._analysis is None:
            return None
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, RECURSION_LIMIT))
        try:
            definitions = [
                definition
                for definition in self._analysis.module.definitions
                if definition.qualname == finding.function and _holds(definition.node, finding.span.line, 1 << 30)
            ]
            if definitions:
                return Function(self._body(definitions[-1]))
            return Function(lower_module(self._analysis)) if finding.function == "<module>" else None
        except Exception:  # what cannot be analysed has no roles, and is confirmed all the same
            return None
        finally:
            sys.setrecursionlimit(limit)

    def _body(self, definition: Definition) -> Body:
        assert self._analysis is not None
        if definition not in self._bodies:
            outer = self._body(definition.parent).env if definition.parent is not None else None
            self._bodies[definition] = lower_function(self._analysis, definition, outer)
        return self._bodies[definition]


def _holds(node: Scope, line: int, column: int) -> bool:
    """Whether a place lies in the body: decorators, defaults and annotations belong to the scope around."""
    first = node.body[0]
    # The tree counts columns in bytes; that matters only where the body stands on the line of its ``def``.
    start = (first.lineno, first.col_offset + 1 if first.lineno == node.lineno else 0)
    return start <= (line, column) and line <= (node.end_lineno or node.lineno)
