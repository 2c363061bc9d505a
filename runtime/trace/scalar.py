"""Tracing code that computes with plain Python floats: instrumentation at the syntax tree.

A loop that starts from a literal never meets a traced value, and neither does a function
that imports `math` inside itself. So the operands of arithmetic are adopted (``a + b``
becomes ``adopt(a) + adopt(b)``) and whatever is called is replaced by its traced
look-alike (``math.exp(x)`` becomes ``callee(math.exp)(x)``). Lines and columns stay those
of the source. About ten times slower than plain code; `sys.settrace` costs ninety times.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any

from ..instrument import code_of, compiled, exchanged
from .evaluate import adopt
from .events import current
from .namespace import stand_in

ADOPT, CALLEE = "__numlint_adopt__", "__numlint_callee__"
ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult)


def tracing(tree: ast.Module) -> ast.Module:
    """Transform that adopts the operands of arithmetic, and traces what is called."""
    _Instrument().visit(tree)
    return ast.fix_missing_locations(tree)


class _Instrument(ast.NodeTransformer):
    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ARITHMETIC):
            node.left, node.right = _called(ADOPT, node.left), _called(ADOPT, node.right)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ARITHMETIC):
            node.value = _called(ADOPT, node.value)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        node.func = _called(CALLEE, node.func)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return node  # annotations compute nothing

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is not None:
            node.value = self.visit(node.value)
        return node


def _called(name: str, argument: ast.expr) -> ast.Call:
    function = ast.copy_location(ast.Name(name, ast.Load()), argument)
    return ast.copy_location(ast.Call(function, [argument], []), argument)


def _adopted(value: Any) -> Any:
    return adopt(value) if current() is not None and not isinstance(value, (list, tuple)) else value


def _callee(value: Any) -> Any:
    return stand_in(value) if current() is not None else value


@contextmanager
def instrumented(function: FunctionType, source: str) -> Iterator[bool]:
    """Run the ``with`` block with a function's arithmetic traced.

    Parameters
    ----------
    function : function
    source : str
        Of its module.

    Yields
    ------
    bool
        False when the source does not belong to the function: then nothing is changed.
    """
    try:
        module = compiled(source, function.__code__.co_filename, (tracing,))
    except SyntaxError:
        yield False
        return
    code = code_of(module, function.__qualname__, function.__code__.co_firstlineno)
    if code is None:
        yield False
        return
    with exchanged(function, code, {ADOPT: _adopted, CALLEE: _callee}) as done:
        yield done
