"""A parsed module: what its names mean, without running it.

Holds the syntax tree, the import map, and the functions, classes and constants
that a name at module level can refer to. All of it is lexical; whatever cannot be
known (star imports of foreign modules, names bound twice) is left out.
"""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(eq=False)
class Definition:
    """A function or method of a module, by syntax."""

    node: FunctionNode
    module: Module
    qualname: str
    owner: ClassDefinition | None = None
    parent: Definition | None = None

    @cached_property
    def decorators(self) -> frozenset[str]:
        """Last components of the decorators' names."""
        names = set()
        for decorator in self.node.decorator_list:
            target = decorator.func if isinstance(decorator, ast.Call) else decorator
            names.add(target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", ""))
        return frozenset(names)

    @property
    def is_property(self) -> bool:
        return bool(self.decorators & {"property", "cached_property", "functools.cached_property"})

    @property
    def is_static(self) -> bool:
        return "staticmethod" in self.decorators


@dataclass(eq=False)
class ClassDefinition:
    """A class of a module, by syntax."""

    node: ast.ClassDef
    module: Module
    qualname: str
    methods: dict[str, Definition] = field(default_factory=dict)
    constants: dict[str, ast.expr] = field(default_factory=dict)

    @cached_property
    def assigning(self) -> dict[str, list[Definition]]:
        """Attribute name to the methods that assign ``self.<name>``, in order of definition."""
        table: dict[str, list[Definition]] = {}
        for method in self.methods.values():
            receiver = method.node.args.args[0].arg if method.node.args.args else ""
            for name in _assigned_attributes(method.node, receiver):
                methods = table.setdefault(name, [])
                if method not in methods:
                    methods.append(method)
        return table


def _assigned_attributes(node: FunctionNode, receiver: str) -> Iterator[str]:
    statements: list[ast.stmt] = list(reversed(node.body))
    while statements:
        statement = statements.pop()
        for block in _blocks(statement):
            statements.extend(reversed(block))
        targets: list[ast.expr] = list(getattr(statement, "targets", ()))
        if isinstance(single := getattr(statement, "target", None), ast.expr):
            targets.append(single)
        targets += [item.optional_vars for item in getattr(statement, "items", ()) if item.optional_vars is not None]
        while targets:
            target = targets.pop(0)
            if isinstance(target, (ast.Tuple, ast.List)):
                targets.extend(target.elts)
                continue
            while isinstance(target, (ast.Subscript, ast.Starred)):
                target = target.value
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == receiver:
                yield target.attr


class Module:
    """A module's tree and its names.

    Parameters
    ----------
    tree : ast.Module
    source : str
        Decoded text of the file.
    path : str
    name : str
        Dotted name within the project, or ``""``.
    package : str
        Dotted name of the package that relative imports start from.
    """

    def __init__(
        self, tree: ast.Module, source: str, path: str = "<string>", name: str = "", package: str = ""
    ) -> None:
        self.tree = tree
        self.source = source
        self.path = path
        self.name = name
        self.package = package
        self.imports: dict[str, str] = {}
        self.star_imports: list[str] = []
        self.functions: dict[str, Definition] = {}
        self.classes: dict[str, ClassDefinition] = {}
        self.assignments: dict[str, list[ast.expr | None]] = {}
        self.definitions: list[Definition] = []
        self._collect(tree.body, "", None, None, top=True)

    @cached_property
    def lines(self) -> list[str]:
        """Lines as the parser counts them: form feeds and the like end none."""
        return list(io.StringIO(self.source, newline=""))

    @cached_property
    def roots(self) -> frozenset[str]:
        """First components of all imported names, at any depth of the module."""
        return frozenset(target.lstrip(".").partition(".")[0] for target in self.imports.values())

    def absolute(self, node: ast.ImportFrom) -> str:
        """Dotted name of the module that a ``from`` import names, relative ones resolved."""
        if not node.level:
            return node.module or ""
        parts = self.package.split(".") if self.package else []
        parts = parts[: len(parts) - (node.level - 1)] if node.level > 1 else parts
        return ".".join([*parts, *([node.module] if node.module else [])]) or "."

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    self.imports[alias.asname] = alias.name
                else:
                    root = alias.name.partition(".")[0]
                    self.imports[root] = root
            return
        origin = self.absolute(node)
        for alias in node.names:
            if alias.name == "*":
                self.star_imports.append(origin)
            else:
                self.imports[alias.asname or alias.name] = f"{origin}.{alias.name}"

    def _collect(
        self, body: list[ast.stmt], prefix: str, owner: ClassDefinition | None, parent: Definition | None, *, top: bool
    ) -> None:
        for node in body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                self._import(node)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                definition = Definition(node, self, prefix + node.name, owner, parent)
                self.definitions.append(definition)
                if owner is not None and parent is None:
                    owner.methods.setdefault(node.name, definition)
                elif top and parent is None:
                    self.functions[node.name] = definition
                self._collect(node.body, f"{prefix}{node.name}.", None, definition, top=False)
            elif isinstance(node, ast.ClassDef):
                cls = ClassDefinition(node, self, prefix + node.name)
                if top or node.name not in self.classes:
                    self.classes[node.name] = cls
                self._collect(node.body, f"{prefix}{node.name}.", cls, None, top=False)
            else:
                if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
                    self._assign(node, owner, top=top)
                for child in _blocks(node):
                    self._collect(child, prefix, owner, parent, top=top)

    def _assign(
        self, node: ast.Assign | ast.AnnAssign | ast.AugAssign, owner: ClassDefinition | None, *, top: bool
    ) -> None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        value = None if isinstance(node, ast.AugAssign) else node.value
        for target in targets:
            for name in ast.walk(target):
                if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):
                    simple = value if name is target else None
                    if owner is not None:
                        if simple is not None:
                            owner.constants[name.id] = simple
                    elif top:
                        self.assignments.setdefault(name.id, []).append(simple)


def _blocks(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if block and isinstance(block, list):
            yield block
    for handler in getattr(node, "handlers", ()):
        yield handler.body
    for case in getattr(node, "cases", ()):
        yield case.body
