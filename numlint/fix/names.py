"""What a name means at a place in a file, and how to spell a dotted name there.

A rewrite needs functions such as ``scipy.special.softmax``. How they are written
depends on the file: it may know the module under an alias, and it may use the plain
name for something else. So the scopes of the file are collected once, each with what
its names are bound to: an import, when that is certain, or anything else. Conditional
imports, and those for type checking only, count as anything else: they cannot be relied on.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

# Packages whose submodules can be reached as attributes of the package after importing it alone.
_EAGER = frozenset({"numpy", "cupy", "torch", "tensorflow"})
_OTHER = ""

Place = tuple[int, int]
"""A line from 1 and a column in UTF-8 bytes from 0, as the `ast` module counts."""


@dataclass(frozen=True)
class Import:
    """An import statement of one name: ``import module``, or ``from module import name``."""

    module: str
    name: str = ""

    def __str__(self) -> str:
        return f"from {self.module} import {self.name}" if self.name else f"import {self.module}"


@dataclass(frozen=True)
class Spelling:
    """How a dotted name is written at a place, and the import that this takes, if one is missing."""

    text: str
    needs: Import | None = None


@dataclass
class _Scope:
    kind: str
    start: Place
    stop: Place
    # Per name, where it is bound, and to which dotted name; `_OTHER` when to anything but an import.
    bound: dict[str, list[tuple[Place, str]]] = field(default_factory=dict)
    modules: list[tuple[Place, str]] = field(default_factory=list)
    stars: list[str] = field(default_factory=list)
    children: list[_Scope] = field(default_factory=list)

    def bind(self, name: str, place: Place, origin: str = _OTHER) -> None:
        self.bound.setdefault(name, []).append((place, origin))

    def origin(self, name: str) -> str | None:
        """The one dotted name that `name` is bound to, `_OTHER`, or None when it is not bound.

        A star import may bind any name; it is taken to leave those alone that are bound by name.
        """
        origins = {origin for _, origin in self.bound.get(name, ())} or {f"{star}.{name}" for star in self.stars}
        if not origins:
            return None
        return origins.pop() if len(origins) == 1 else _OTHER


class Names:
    """The bindings of a module."""

    def __init__(self, tree: ast.Module) -> None:
        self._module = _Scope("module", (0, 0), (1 << 60, 0))
        _Collector(self._module).visit(tree)

    def spell(self, dotted: str, place: Place) -> Spelling | None:
        """How to write `dotted` at `place`; None when every way of writing it means something else there.

        In this order: the name or the alias it is imported under, its module's alias, its
        package's alias, a new ``from module import name``, and ``import module`` when the
        plain name is taken.
        """
        chain = self._chain(place)
        parent, _, plain = dotted.rpartition(".")
        for known in _ancestors(dotted):
            for name in self._names_for(known, chain, place):
                return Spelling(name + dotted[len(known) :])
            if known == parent and self._loaded(parent, chain, place):
                return Spelling(dotted)
        if not parent:
            return Spelling(plain, Import(plain)) if self._free(plain, chain) else None
        if self._free(plain, chain):
            return Spelling(plain, Import(parent, plain))
        root = dotted.partition(".")[0]
        if self._free(root, chain, starred=True) or self._visible(root, chain, place) == root:
            return Spelling(dotted, Import(parent))
        return None

    def add(self, added: Import) -> None:
        """Count an import that is about to be added at the top of the file."""
        if added.name:
            self._module.bind(added.name, (0, 0), f"{added.module}.{added.name}")
        else:
            self._module.bind(added.module.partition(".")[0], (0, 0), added.module.partition(".")[0])
            self._module.modules.append(((0, 0), added.module))

    def _chain(self, place: Place) -> list[_Scope]:
        """The scopes that a name at `place` is looked up in, innermost first."""
        chain = [self._module]
        while inner := next((s for s in reversed(chain[0].children) if s.start <= place < s.stop), None):
            chain.insert(0, inner)
        return [scope for index, scope in enumerate(chain) if index == 0 or scope.kind != "class"]

    def _visible(self, name: str, chain: list[_Scope], place: Place) -> str | None:
        """The dotted name that `name` surely means at `place`; `_OTHER` when it means something else."""
        for scope in chain:
            origin = scope.origin(name)
            if origin is None:
                continue
            # Inside its own scope, an import counts from its own line on.
            bound = scope.bound.get(name, ())
            early = scope is chain[0] and bound and all(where > place for where, _ in bound)
            return _OTHER if early else origin
        return None

    def _names_for(self, dotted: str, chain: list[_Scope], place: Place) -> Iterator[str]:
        parent, _, plain = dotted.rpartition(".")
        for scope in chain:
            names = [name for name in scope.bound if scope.origin(name) == dotted]
            if parent in scope.stars:
                names.append(plain)
            for name in sorted(names, key=lambda name: name != plain):
                if self._visible(name, chain, place) == dotted:
                    yield name

    def _loaded(self, module: str, chain: list[_Scope], place: Place) -> bool:
        """Whether ``import module`` has been done without an alias, and is still known under its root name."""
        root = module.partition(".")[0]
        return self._visible(root, chain, place) == root and any(
            loaded == module and not (scope is chain[0] and where > place)
            for scope in chain
            for where, loaded in scope.modules
        )

    def _free(self, name: str, chain: list[_Scope], starred: bool = False) -> bool:
        """Whether a new import of `name` at the top of the file changes nothing else and is seen from `chain`.

        With `starred`, star imports are trusted not to bind it: they hardly bind the name
        of a well-known package to something else.
        """
        return not hasattr(builtins, name) and not any(
            name in scope.bound or (scope.stars and not starred) for scope in chain
        )


def _ancestors(dotted: str) -> Iterator[str]:
    """The name itself, its module, and the packages above whose submodules need no import of their own."""
    parts = dotted.split(".")
    yield dotted
    if len(parts) > 1:
        yield ".".join(parts[:-1])
    if parts[0] in _EAGER:
        for length in range(len(parts) - 2, 0, -1):
            yield ".".join(parts[:length])


class _Collector(ast.NodeVisitor):
    """Fills the scopes of a module."""

    def __init__(self, module: _Scope) -> None:
        self._stack = [module]
        self._outside: list[dict[str, _Scope]] = [{}]
        self._unsure = 0

    def _bind(self, name: str, node: ast.AST, origin: str = _OTHER) -> None:
        place = (getattr(node, "lineno", 0), getattr(node, "col_offset", 0))
        scope = self._outside[-1].get(name, self._stack[-1])
        scope.bind(name, place, _OTHER if self._unsure else origin)

    def _bind_everywhere(self, name: str, node: ast.expr | ast.stmt) -> None:
        for scope in self._stack:
            scope.bind(name, (node.lineno, node.col_offset))

    @contextmanager
    def _scope(self, kind: str, first: ast.expr | ast.stmt, last: ast.expr | ast.stmt) -> Iterator[None]:
        stop = (last.end_lineno or last.lineno, last.end_col_offset or last.col_offset)
        inner = _Scope(kind, (first.lineno, first.col_offset), stop)
        self._stack[-1].children.append(inner)
        self._stack.append(inner)
        self._outside.append({})
        unsure, self._unsure = self._unsure, 0
        yield
        self._unsure = unsure
        self._outside.pop()
        self._stack.pop()

    def _visit_all(self, nodes: list[ast.expr] | list[ast.stmt]) -> None:
        for node in nodes:
            self.visit(node)

    def _parameters(self, arguments: ast.arguments) -> None:
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        for argument in every:
            if argument is not None:
                self._bind(argument.arg, argument)

    def _outer_parts(self, arguments: ast.arguments) -> None:
        self._visit_all([default for default in (*arguments.defaults, *arguments.kw_defaults) if default is not None])

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._bind(node.name, node)
        self._visit_all(node.decorator_list)
        self._outer_parts(node.args)
        with self._scope("function", node.body[0], node):
            self._parameters(node.args)
            self._visit_all(node.body)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._outer_parts(node.args)
        with self._scope("function", node.body, node):
            self._parameters(node.args)
            self.visit(node.body)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._bind(node.name, node)
        self._visit_all([*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)])
        with self._scope("class", node.body[0], node):
            self._visit_all(node.body)

    def _visit_comprehension(self, node: ast.expr) -> None:
        with self._scope("function", node, node):
            self.generic_visit(node)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _visit_comprehension

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        # In a comprehension the target belongs to a scope further out.
        self._bind_everywhere(node.target.id, node)
        self.visit(node.value)

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._bind(node.id, node)

    def visit_Global(self, node: ast.Global) -> None:
        self._outside[-1].update(dict.fromkeys(node.names, self._stack[0]))

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        # Which of the scopes further out owns the name makes no difference: none of them may rely on it.
        for name in node.names:
            self._bind_everywhere(name, node)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.asname:
                self._bind(alias.asname, node, alias.name)
                continue
            root = alias.name.partition(".")[0]
            self._bind(root, node, root)
            if not self._unsure:
                self._stack[-1].modules.append(((node.lineno, node.col_offset), alias.name))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name == "*":
                self._stack[-1].stars.append(module)
            else:
                self._bind(alias.asname or alias.name, node, f"{module}.{alias.name}")

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self._bind(node.name, node)
        self._visit_unsure(node)

    def _visit_unsure(self, node: ast.AST) -> None:
        self._unsure += 1
        self.generic_visit(node)
        self._unsure -= 1

    visit_If = visit_For = visit_AsyncFor = visit_While = visit_Match = _visit_unsure

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        if node.name:
            self._bind(node.name, node)
        self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        if node.name:
            self._bind(node.name, node)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self._bind(node.rest, node)
        self.generic_visit(node)
