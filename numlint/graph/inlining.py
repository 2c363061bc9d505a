"""Inlining: the value that a function of the project returns for given arguments."""

from __future__ import annotations

import ast

from numlint.graph.expressions import select
from numlint.graph.frame import MAX_INLINE_DEPTH, MAX_INLINED_CALLS, Closure, Frame, Passed, Path
from numlint.graph.names import receiver_name
from numlint.graph.value import Value

Keywords = dict[str, Value]


def inline(
    frame: Frame, closure: Closure, args: list[Value], keywords: Keywords, node: ast.AST, receiver: Value | None = None
) -> Value:
    """Value that a function of the project returns for these arguments.

    The body is lowered with the parameters bound; its sites are not recorded (the
    function is analysed on its own), only its result is used. Attributes that the
    caller has set on ``self`` are visible, and those that the callee sets survive.
    """
    analysis = frame.analysis
    definition = closure.definition
    identity = definition or closure.node
    if definition is not None and frame.sites is not None:
        analysis.calls.setdefault(definition, []).append(Passed(tuple(args), keywords, frame.path))
    body: list[ast.stmt] = (
        [ast.Return(closure.node.body)] if isinstance(closure.node, ast.Lambda) else closure.node.body
    )
    too_deep = len(analysis.stack) >= MAX_INLINE_DEPTH + 2 or analysis.inlined_calls >= MAX_INLINED_CALLS
    if too_deep or identity in analysis.stack or isinstance(closure.node, ast.AsyncFunctionDef):
        return frame.graph.raw("call", (frame.graph.raw("function", (), (("closure", identity),)), *args))
    own = receiver is not None and receiver.op == "self"
    state = tuple((key, value.id) for key, value in frame.env.items() if "." in key) if own else ()
    key = (identity, tuple(value.id for value in args), tuple(sorted((k, v.id) for k, v in keywords.items())), state)
    if key in analysis.inlined and closure.env is None:
        frame.inline_site(analysis.inlined[key], node)
        return analysis.inlined[key]
    analysis.inlined_calls += 1
    child = Frame(analysis, closure.module, definition, {}, owner=closure.owner, outer=closure.env)
    bind_parameters(child, closure.node.args, args, keywords)
    if own and definition is not None:
        child.self_name = receiver_name(definition)
        prefix = f"{frame.self_name}."
        for name, value in frame.env.items():
            if name.startswith(prefix):
                child.bind(f"{child.self_name}.{name[len(prefix) :]}", value)
    analysis.stack.append(identity)
    try:
        child.block(body)
    finally:
        analysis.stack.pop()
    result = returned(child)
    if own and definition is not None:
        prefix = f"{child.self_name}."
        for name, value in child.env.items():
            caller_name = f"{frame.self_name}.{name[len(prefix) :]}"
            if name.startswith(prefix) and frame.env.get(caller_name) is not value:
                frame.bind(caller_name, value)
    analysis.inlined[key] = result
    frame.inline_site(result, node)
    return result


def bind_parameters(child: Frame, parameters: ast.arguments, args: list[Value], keywords: Keywords) -> None:
    """Bind the parameters of a function to the arguments of a call; unknown where the call does not say."""
    positional = parameters.posonlyargs + parameters.args
    defaults: dict[str, ast.expr] = dict(
        zip([p.arg for p in positional[len(positional) - len(parameters.defaults) :]], parameters.defaults, strict=True)
    )
    defaults.update(
        {p.arg: d for p, d in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True) if d is not None}
    )
    for parameter, value in zip(positional, args, strict=False):
        child.env[parameter.arg] = value
    for parameter in positional[len(args) :] + parameters.kwonlyargs:
        if parameter.arg in keywords:
            child.env[parameter.arg] = keywords[parameter.arg]
        elif parameter.arg in defaults:
            child.env[parameter.arg] = child.expression(defaults[parameter.arg])
        else:
            child.env[parameter.arg] = child.unknown("argument")
    if parameters.vararg is not None:
        child.env[parameters.vararg.arg] = child.graph.raw("tuple", tuple(args[len(positional) :]))
    if parameters.kwarg is not None:
        child.env[parameters.kwarg.arg] = child.unknown("kwargs")


def returned(frame: Frame) -> Value:
    """Value that a lowered body returns: its returns, selected by the conditions that lead to them."""
    graph = frame.graph
    if "<yields>" in frame.env or not frame.returns:
        return frame.unknown("no return") if "<yields>" in frame.env else graph.const(None)
    result = frame.returns[-1].value
    for earlier in reversed(frame.returns[:-1]):
        condition = _innermost(earlier.path)
        if condition is None:
            result = graph.raw("join", (earlier.value, result), (), result.framework or earlier.value.framework)
        elif condition[1]:
            result = select(frame, condition[0], earlier.value, result)
        else:
            result = select(frame, condition[0], result, earlier.value)
    return result


def _innermost(path: Path | None) -> tuple[Value, bool] | None:
    while path is not None and path.kind != "cond":
        path = path.parent
    if path is None or path.value is None:
        return None
    return path.value, path.holds
