"""Entry points of the lowering: a function or the top level of a module, as a `Body`."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from numlint.graph import calls, expressions, statements  # noqa: F401  (they register what they lower)
from numlint.graph.frame import Analysis, Frame, Return
from numlint.graph.module import Definition, Module
from numlint.graph.names import receiver_name
from numlint.graph.site import Loop, Site
from numlint.graph.value import Value


@dataclass(eq=False)
class Body:
    """A lowered function body."""

    analysis: Analysis
    module: Module
    definition: Definition | None
    node: ast.AST
    sites: list[Site]
    loops: list[Loop]
    returns: list[Return]
    env: dict[str, Value]
    bindings: dict[str, list[tuple[int, Value]]]
    nodes: dict[ast.AST, Value]
    inlined: list[Site]

    def callee(self, node: ast.AST) -> str:
        """Return the dotted library name that a call calls, as it was imported: ``"scipy.linalg.pinv"``; or ``""``."""
        target: ast.expr | None = node.func if isinstance(node, ast.Call) else None
        leaf = ""
        if isinstance(target, ast.Attribute) and target not in self.nodes:
            leaf, target = f".{target.attr}", target.value
        known = self.nodes.get(target) if target is not None else None
        return f"{known.attr('name')}{leaf}" if known is not None and known.op == "ref" else ""


def parameter_frame(analysis: Analysis, definition: Definition) -> Frame:
    """Frame of a function whose arguments are unknown: each parameter is a ``param``."""
    frame = Frame(analysis, definition.module, definition, {}, owner=definition.owner)
    parameters = definition.node.args
    positional = parameters.posonlyargs + parameters.args
    defaults: dict[str, ast.expr] = dict(
        zip([p.arg for p in positional[len(positional) - len(parameters.defaults) :]], parameters.defaults, strict=True)
    )
    defaults.update(
        {p.arg: d for p, d in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True) if d is not None}
    )
    extra = [item for item in (parameters.vararg, parameters.kwarg) if item is not None]
    for parameter in (*positional, *parameters.kwonlyargs, *extra):
        default = defaults.get(parameter.arg)
        literal = frame.expression(default).constant if default is not None else None
        if isinstance(literal, (list, dict, set)):
            literal = None
        annotation = ast.unparse(parameter.annotation) if parameter.annotation is not None else ""
        frame.env[parameter.arg] = analysis.graph.raw(
            "param",
            (),
            (
                ("name", parameter.arg),
                ("function", definition),
                ("default", literal),
                ("has_default", default is not None),
                ("annotation", annotation),
            ),
        )
    if definition.owner is not None and not definition.is_static and positional:
        frame.self_name = receiver_name(definition)
        frame.env[frame.self_name] = analysis.graph.raw("self", (), (("class", definition.owner),))
    return frame


def lower_function(analysis: Analysis, definition: Definition, outer: dict[str, Value] | None = None) -> Body:
    """Lower a function with unknown arguments and record its sites and loops."""
    frame = parameter_frame(analysis, definition)
    frame.outer = outer
    return _lower(frame, definition.node.body, definition.node)


def lower_module(analysis: Analysis) -> Body:
    """Lower the top level of the module."""
    frame = Frame(analysis, analysis.module, None, {})
    return _lower(frame, analysis.module.tree.body, analysis.module.tree)


def _lower(frame: Frame, body: list[ast.stmt], node: ast.AST) -> Body:
    frame.sites, frame.loops, frame.bindings, frame.nodes = [], [], {}, {}
    for name, value in frame.env.items():
        frame.bindings[name] = [(0, value)]
    analysis = frame.analysis
    analysis.lowered.add(frame.definition)
    analysis.inlined_calls = 0
    analysis.stack.append(frame.definition or frame.module)
    try:
        frame.block(body)
    finally:
        analysis.stack.pop()
    return Body(
        analysis,
        frame.module,
        frame.definition,
        node,
        frame.sites,
        frame.loops,
        frame.returns,
        frame.env,
        frame.bindings,
        frame.nodes,
        frame.inlined,
    )
