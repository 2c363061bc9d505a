"""What the callers of a function pass to it.

A function is analysed with unknown arguments; `arguments` asks the callers in the same
module, so that ``density(x, mean, X.var())`` says what ``variance`` is. Callers are
lowered when they are first asked about, and every call that lowering meets is recorded.
"""

from __future__ import annotations

import ast
from typing import NamedTuple

from numlint.graph.frame import Analysis, Path
from numlint.graph.module import Definition
from numlint.graph.value import Value

MAX_CALLERS = 6


class Argument(NamedTuple):
    """A value that is passed for a parameter, and the conditions under which it is."""

    value: Value
    path: Path | None


def arguments(analysis: Analysis, parameter: Value) -> tuple[Argument, ...]:
    """Return what the module's own callers pass for a parameter: a value of operation ``param``."""
    definition = parameter.attr("function")
    name = str(parameter.attr("name"))
    if not isinstance(definition, Definition) or definition.module is not analysis.module:
        return ()
    _lower_callers(analysis, definition)
    parameters = definition.node.args
    positional = [item.arg for item in parameters.posonlyargs + parameters.args]
    found: list[Argument] = []
    for call in analysis.calls.get(definition, ()):
        value = call.keywords.get(name)
        if value is None and name in positional and positional.index(name) < len(call.args):
            value = call.args[positional.index(name)]
        if value is not None and value is not parameter:
            found.append(Argument(value, call.path))
    return tuple(found)


def _lower_callers(analysis: Analysis, definition: Definition) -> None:
    from numlint.graph.lowering import lower_function, lower_module

    for caller in _mentions(analysis).get(definition.node.name, ())[:MAX_CALLERS]:
        if caller not in analysis.lowered and caller is not definition:
            if caller is None:
                lower_module(analysis)
            else:
                lower_function(analysis, caller)


def _mentions(analysis: Analysis) -> dict[str, list[Definition | None]]:
    """Names that are called, each with the functions that call it; None stands for the top level."""
    if analysis.mentions is None:
        analysis.mentions = {}
        inner: set[ast.AST] = {definition.node for definition in analysis.module.definitions}
        bodies: list[tuple[Definition | None, ast.AST]] = [(item, item.node) for item in analysis.module.definitions]
        for caller, body in [*bodies, (None, analysis.module.tree)]:
            stack: list[ast.AST] = [body]
            while stack:
                node = stack.pop()
                if isinstance(node, ast.Call):
                    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                    callers = analysis.mentions.setdefault(called, [])
                    if caller not in callers:
                        callers.append(caller)
                stack.extend(child for child in ast.iter_child_nodes(node) if child not in inner)
    return analysis.mentions
