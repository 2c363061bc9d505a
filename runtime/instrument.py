"""See the value of the flagged expression while the target runs, without touching its file.

The function's source is parsed, the flagged expression ``E`` becomes
``__numlint_observe__(E)``, and the code object so compiled takes the place of the
function's own (`function.__code__ = ...`). The function object stays the same: methods,
decorated and nested functions, and references held elsewhere all see the change. The
same exchange of code puts a rewritten function in place, or one whose ``break`` is
disabled.
"""

from __future__ import annotations

import ast
import copy
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType, FunctionType, ModuleType
from typing import Any

from .stubs import Missing, Stub
from .target import Region

OBSERVE = "__numlint_observe__"
KEPT = 64
NUMBERS = 1024
"""More of what is small: a product of a thousand factors fails at its end."""


@dataclass
class Seen:
    """Values of the flagged expression during one run."""

    values: list[Any] = field(default_factory=list)
    count: int = 0


class Observer:
    """Receives the values of the flagged expression; installed as `OBSERVE` in the target's globals."""

    def __init__(self) -> None:
        self._seen: Seen | None = None

    def __call__(self, value: Any) -> Any:
        if isinstance(value, Stub):
            raise Missing(value.library)
        if self._seen is not None and getattr(value, "size", 1) != 0:  # an empty array shows nothing
            self._seen.count += 1
            single = all(side == 1 for side in getattr(value, "shape", ()))
            if len(self._seen.values) < (NUMBERS if single else KEPT):
                self._seen.values.append(_copied(value))
        return value

    @contextmanager
    def watching(self) -> Iterator[Seen]:
        """Collect during the ``with`` block."""
        before, self._seen = self._seen, Seen()
        try:
            yield self._seen
        finally:
            self._seen = before


def _copied(value: Any) -> Any:
    """Arrays are copied: what is computed in place afterwards would change what was seen."""
    copied = getattr(value, "copy", None)
    if hasattr(value, "__array__") and callable(copied):
        return copied()
    return value.detach().clone() if hasattr(value, "detach") else value


Transform = Callable[[ast.Module], ast.Module]


def observing(region: Region, source: str) -> Transform:
    """Transform that wraps the expression at `region`; a statement there is observed by what it computes."""
    lines = source.splitlines(keepends=True)

    def transform(tree: ast.Module) -> ast.Module:
        changed = _update_at(tree, region, lines)
        target = _expression_at(tree, region, lines) if changed is None else None
        if changed is not None:
            _Follow(changed).visit(tree)
        elif target is not None:
            _Wrap(target).visit(tree)
        ast.fix_missing_locations(tree)
        return tree

    return transform


def _update_at(tree: ast.Module, region: Region, lines: list[str]) -> ast.AugAssign | None:
    """The statement ``a *= b`` whose region it is: what it computes is in ``a`` afterwards."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign) and _region(node, lines) == region:
            return node
    return None


def _expression_at(tree: ast.Module, region: Region, lines: list[str]) -> ast.expr | None:
    """The expression whose region it is; else the value of the statement there; else the largest inside."""
    best: ast.expr | None = None
    statement: ast.stmt | None = None
    for node in ast.walk(tree):
        if not hasattr(node, "lineno"):
            continue
        where = _region(node, lines)
        if isinstance(node, ast.expr) and not isinstance(getattr(node, "ctx", ast.Load()), (ast.Store, ast.Del)):
            if where == region:
                return node
            inside = (where.line, where.column) >= (region.line, region.column) and (
                where.end_line,
                where.end_column,
            ) <= (region.end_line, region.end_column)
            if inside and (best is None or _size(where) > _size(_region(best, lines))):
                best = node
        elif (
            isinstance(node, ast.stmt)
            and where.line <= region.line <= where.end_line
            and (statement is None or node.lineno >= statement.lineno)
        ):
            statement = node
    value = (
        getattr(statement, "value", None)
        if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.Return, ast.Expr))
        else None
    )
    if best is not None and not isinstance(best, ast.Starred):
        return best
    return value if isinstance(value, ast.expr) else None


def _size(where: Region) -> tuple[int, int]:
    return where.end_line - where.line, where.end_column - where.column


def _region(node: Any, lines: list[str]) -> Region:
    """Region of a node; the tree counts columns in bytes of UTF-8."""

    def column(line: int, offset: int) -> int:
        text = lines[line - 1] if line <= len(lines) else ""
        return offset + 1 if text.isascii() else len(text.encode()[:offset].decode(errors="replace")) + 1

    return Region(
        node.lineno, column(node.lineno, node.col_offset), node.end_lineno, column(node.end_lineno, node.end_col_offset)
    )


class _Wrap(ast.NodeTransformer):
    def __init__(self, target: ast.expr) -> None:
        self.target = target

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self.target:
            name = ast.copy_location(ast.Name(OBSERVE, ast.Load()), node)
            return ast.copy_location(ast.Call(name, [self.generic_visit(node)], []), node)  # type: ignore[list-item]
        return self.generic_visit(node)


class _Follow(ast.NodeTransformer):
    """Look at what a statement has changed, after it."""

    def __init__(self, target: ast.AugAssign) -> None:
        self.target = target

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        if node is not self.target:
            return node
        value = copy.deepcopy(node.target)
        value.ctx = ast.Load()
        name = ast.copy_location(ast.Name(OBSERVE, ast.Load()), node)
        seen = ast.copy_location(ast.Call(name, [value], []), node)
        return [node, ast.copy_location(ast.Expr(seen), node)]


def compiled(source: str, path: str, transforms: tuple[Transform, ...] = ()) -> CodeType:
    """The module's code after the transforms.

    Raises
    ------
    SyntaxError
    """
    tree = ast.parse(source, path)
    for transform in transforms:
        tree = transform(tree)
    return compile(tree, path, "exec", dont_inherit=True)


def code_of(module_code: CodeType, qualname: str, line: int = 0) -> CodeType | None:
    """Code object of a function, by its qualified name; `line` decides between several of one name."""
    found = list(_codes(module_code, [part for part in qualname.split(".") if part != "<locals>"]))
    if len(found) > 1 and line:
        found.sort(key=lambda code: (not code.co_firstlineno <= line, line - code.co_firstlineno))
    return found[0] if found else None


def _codes(code: CodeType, parts: list[str]) -> Iterator[CodeType]:
    if not parts:
        yield code
        return
    for constant in code.co_consts:
        if isinstance(constant, CodeType) and constant.co_name == parts[0]:
            yield from _codes(constant, parts[1:])


def outermost(module: ModuleType, qualname: str) -> tuple[FunctionType | None, str]:
    """The outermost function on the way to `qualname`, and its own qualified name.

    The code of a nested function is a constant of the function around it: exchanging the
    outer code exchanges the inner.
    """
    owner: Any = module
    walked: list[str] = []
    for part in qualname.split("."):
        if part == "<locals>":
            break
        walked.append(part)
        try:
            owner = inspect.getattr_static(owner, part)
        except AttributeError:
            return None, ""
        function = plain_function(owner)
        if function is not None and not inspect.isclass(owner):
            return function, ".".join(walked)
    return None, ""


def plain_function(value: Any) -> FunctionType | None:
    """The Python function inside a method, property, classmethod or decorated function."""
    for _ in range(16):
        if isinstance(value, FunctionType):
            wrapped = getattr(value, "__wrapped__", None)
            if wrapped is None:
                return value
            value = wrapped
        elif isinstance(value, (staticmethod, classmethod)):
            value = value.__func__
        elif isinstance(value, property):
            value = value.fget
        elif hasattr(value, "func") and not isinstance(value, type):  # functools.cached_property, partial
            value = value.func
        elif hasattr(value, "__wrapped__") and not isinstance(value, type):
            value = value.__wrapped__
        else:
            return None
    return None


@contextmanager
def exchanged(function: FunctionType, code: CodeType, additions: dict[str, Any] | None = None) -> Iterator[bool]:
    """Run the ``with`` block with another code object in a function; False when it does not fit.

    `additions` are names put into the function's globals, such as those of new imports.
    """
    if len(code.co_freevars) != len(function.__code__.co_freevars):
        yield False
        return
    before = function.__code__
    names = function.__globals__
    missing = object()
    saved = {name: names.get(name, missing) for name in additions or ()}
    names.update(additions or {})
    function.__code__ = code
    try:
        yield True
    finally:
        function.__code__ = before
        for name, value in saved.items():
            if value is missing:
                names.pop(name, None)
            else:
                names[name] = value
