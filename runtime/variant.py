"""Other versions of the target's function: its tree is changed, and the harness runs as before.

A variant differs from the original in one respect (a stop that is not taken, an order
that is another one, an operand that is watched) and is otherwise compiled from the same
file, so that whatever comes out differently is due to that.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from .harness import Harness
from .instrument import Transform, code_of, compiled, exchanged, observing, outermost
from .loading import Loaded
from .observation import functions_at
from .target import Target

WATCH = "__numlint_watch__"
CALLEE = "__numlint_callee__"


@contextmanager
def varied(
    harness: Harness, target: Target, transforms: tuple[Transform, ...], names: dict[str, Any]
) -> Iterator[bool]:
    """Run the ``with`` block with a variant in place; False where the function cannot be exchanged.

    Parameters
    ----------
    harness : Harness
        One that calls the whole function; the code of a slice is not that of the function.
    target : Target
    transforms : tuple of Transform
    names : dict of str to Any
        What the transforms refer to.
    """
    module = harness.modules[0] if harness.modules and harness.rung != "slice" else None
    function, qualname = outermost(module, target.qualname) if module and target.qualname else (None, "")
    if module is None or function is None:
        yield False
        return
    try:
        source = source_of(target.path)
        code = code_of(
            compiled(source, target.path, (observing(target.region, source), *transforms)),
            qualname,
            function.__code__.co_firstlineno,
        )
    except (OSError, SyntaxError, ValueError):
        code = None
    if code is None:
        yield False
        return
    loaded = Loaded(module, source, ast.Module([], []), target.path)
    with ExitStack() as stack:
        fits = [
            stack.enter_context(exchanged(item, code, names)) for item in functions_at(loaded, target.qualname, code)
        ]
        yield bool(fits) and all(fits)


def source_of(path: str) -> str:
    """Text of a Python file.

    Raises
    ------
    OSError, SyntaxError
    """
    with open(path, "rb") as file:
        content = file.read()
    return importlib.util.decode_source(content)


def enclosing(tree: ast.Module, line: int) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The innermost function around a line."""
    found = None
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.lineno <= line <= (node.end_lineno or 0):
            found = node if found is None or node.lineno >= found.lineno else found
    return found


def calling(line: int) -> Transform:
    """Transform: in the function around a line, ``f(x)`` is ``CALLEE(f)(x)``."""

    class Calls(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> ast.AST:
            self.generic_visit(node)
            if not (isinstance(node.func, ast.Name) and node.func.id in ("super", "locals", "globals", "vars", "dir")):
                node.func = ast.copy_location(ast.Call(ast.Name(CALLEE, ast.Load()), [node.func], []), node.func)
            return node

    return _within(line, Calls)


def multiplying(line: int) -> Transform:
    """Transform: in the function around a line, ``a @ b`` is ``WATCH(a, b)``."""

    class Products(ast.NodeTransformer):
        def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
            self.generic_visit(node)
            if not isinstance(node.op, ast.MatMult):
                return node
            return ast.copy_location(ast.Call(ast.Name(WATCH, ast.Load()), [node.left, node.right], []), node)

    return _within(line, Products)


def _within(line: int, transformer: Callable[[], ast.NodeTransformer]) -> Transform:
    def transform(tree: ast.Module) -> ast.Module:
        function = enclosing(tree, line)
        if function is not None:
            function.body = [transformer().visit(node) for node in function.body]
            ast.fix_missing_locations(tree)
        return tree

    return transform
