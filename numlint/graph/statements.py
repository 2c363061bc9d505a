"""Lowering of statements: assignments, branches, loops, and what ends a block.

Branches are joined with ``phi(condition, then, else)``. A branch that leaves
(return, raise, continue, break) makes the opposite condition known for the rest of
the block. Names assigned in a loop become ``carried`` values at its head, whose
value on entry and at the end of an iteration are kept in `Analysis.carried`.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator

from numlint.graph.expressions import VIEW_ATTRIBUTES, attribute_of, combine, component, element_of, path_key, select
from numlint.graph.frame import MAX_INLINE_DEPTH, Closure, Frame, Path, Return, lowers
from numlint.graph.module import Definition
from numlint.graph.names import find_method, receiver_name
from numlint.graph.site import Exit, Loop
from numlint.graph.terms import decided
from numlint.graph.value import Value


def assign(frame: Frame, target: ast.expr, value: Value) -> None:
    """Bind an assignment target to a value."""
    if isinstance(target, ast.Name):
        if target.id in frame.global_names:
            value = frame.unknown("global")
        _forget(frame, target.id)
        frame.bind(target.id, value)
    elif isinstance(target, (ast.Tuple, ast.List)):
        star = any(isinstance(element, ast.Starred) for element in target.elts)
        for index, element in enumerate(target.elts):
            if isinstance(element, ast.Starred):
                assign(frame, element.value, frame.unknown("starred"))
            else:
                assign(
                    frame,
                    element,
                    frame.unknown("starred") if star else component(frame, value, index, len(target.elts)),
                )
    elif isinstance(target, ast.Attribute):
        key = path_key(target)
        if key:
            _forget(frame, key)
            frame.bind(key, value)
    elif isinstance(target, ast.Subscript):
        _store(frame, target, value)
    elif isinstance(target, ast.Starred):
        assign(frame, target.value, frame.unknown("starred"))


def _store(frame: Frame, target: ast.Subscript, value: Value) -> None:
    """``base[index] = value``: the base becomes a new value that holds both."""
    written = target.value
    while (inner := _viewed(written)) is not None and path_key(written) not in frame.env:
        written = inner
    base_key = path_key(written)
    base = frame.expression(written)
    index = frame.expression(target.slice)
    if base_key:
        _forget(frame, base_key)
        frame.bind(base_key, frame.graph.raw("store", (base, index, value), (), base.framework or value.framework))
    key = path_key(target)
    if key:
        frame.bind(key, value)


def _viewed(node: ast.expr) -> ast.expr | None:
    """Array that an expression is a view of, so that ``x.flat[i] = v`` and ``x.view(-1)[i] = v`` write into x."""
    if isinstance(node, ast.Attribute) and node.attr in VIEW_ATTRIBUTES:
        return node.value
    target = node.func if isinstance(node, ast.Call) else None
    if isinstance(target, ast.Attribute) and target.attr in ("view", "reshape", "ravel", "diagonal", "squeeze"):
        return target.value
    return None


def _forget(frame: Frame, key: str) -> None:
    """Drop what is known of the parts of a path that is bound anew, and of items indexed by it."""
    stale = [name for name in frame.paths if name.startswith((f"{key}.", f"{key}[")) or f"[{key}]" in name]
    for name in stale:
        frame.env.pop(name, None)


@lowers(ast.Assign)
def assignment(frame: Frame, node: ast.Assign) -> None:
    value = frame.expression(node.value)
    for target in node.targets:
        assign(frame, target, value)


@lowers(ast.AnnAssign)
def annotated(frame: Frame, node: ast.AnnAssign) -> None:
    if node.value is not None:
        assign(frame, node.target, frame.expression(node.value))


@lowers(ast.AugAssign)
def augmented(frame: Frame, node: ast.AugAssign) -> None:
    load = _as_load(node.target)
    value = combine(frame, node.op, frame.expression(load), frame.expression(node.value), node)
    assign(frame, node.target, value)


def _as_load(target: ast.Name | ast.Attribute | ast.Subscript) -> ast.expr:
    if isinstance(target, ast.Name):
        copy: ast.expr = ast.Name(target.id, ast.Load())
    elif isinstance(target, ast.Attribute):
        copy = ast.Attribute(target.value, target.attr, ast.Load())
    else:
        copy = ast.Subscript(target.value, target.slice, ast.Load())
    return ast.copy_location(copy, target)


@lowers(ast.Expr)
def expression_statement(frame: Frame, node: ast.Expr) -> None:
    value = frame.expression(node.value)
    if value.op == "call" and isinstance(node.value, ast.Call):
        # A call for its effect may change what it was given.
        for argument in (*node.value.args, *(keyword.value for keyword in node.value.keywords)):
            key = path_key(argument)
            if key and key in frame.env and frame.env[key].op not in ("const", "self", "function", "class", "ref"):
                frame.bind(key, frame.graph.fresh("mutated", frame.env[key]))


@lowers(ast.Return)
def return_(frame: Frame, node: ast.Return) -> None:
    value = frame.expression(node.value)
    frame.returns.append(Return(value, frame.path, node))
    if frame.loop_stack:
        for loop in frame.loop_stack:
            loop.exits.append(Exit(node, frame.path, dict(frame.env)))
    frame.terminated = True


@lowers(ast.Raise)
def raise_(frame: Frame, node: ast.Raise) -> None:
    for loop in frame.loop_stack:
        loop.exits.append(Exit(node, frame.path, dict(frame.env)))
    frame.terminated = True


@lowers(ast.Continue)
def continue_(frame: Frame, node: ast.Continue) -> None:
    frame.terminated = True


@lowers(ast.Break)
def break_(frame: Frame, node: ast.Break) -> None:
    if frame.loop_stack:
        frame.loop_stack[-1].exits.append(Exit(node, frame.path, dict(frame.env)))
    frame.terminated = True


@lowers(ast.Assert)
def assert_(frame: Frame, node: ast.Assert) -> None:
    frame.assume(frame.expression(node.test))


@lowers(ast.Global, ast.Nonlocal)
def global_(frame: Frame, node: ast.Global | ast.Nonlocal) -> None:
    frame.global_names.update(node.names)


@lowers(ast.Delete)
def delete(frame: Frame, node: ast.Delete) -> None:
    for target in node.targets:
        key = path_key(target)
        if key:
            _forget(frame, key)
            frame.env.pop(key, None)


@lowers(ast.If)
def if_(frame: Frame, node: ast.If) -> None:
    condition = frame.expression(node.test)
    holds = decided(condition) if frame.sites is None else None
    if holds is not None:  # in a helper, for these arguments
        frame.block(node.body if holds else node.orelse)
        return
    before, env = frame.path, dict(frame.env)
    frame.assume(condition)
    frame.block(node.body)
    then_env, then_ended, then_path = frame.env, frame.terminated, frame.path
    frame.env, frame.path, frame.terminated = env, before, False
    frame.assume(condition, False)
    frame.block(node.orelse)
    if then_ended and frame.terminated:
        frame.path = before
        return
    if then_ended:
        return  # the path of the else branch goes on: the condition is known to fail
    if frame.terminated:
        frame.env, frame.path, frame.terminated = then_env, then_path, False
        return
    else_env = frame.env
    frame.env, frame.path = then_env, before
    _merge(frame, condition, then_env, else_env)


def _merge(frame: Frame, condition: Value | None, one: dict[str, Value], other: dict[str, Value]) -> None:
    """Make the environment after two branches in `one`, which is the frame's."""
    for name in list(one.keys() | other.keys()):
        left, right = one.get(name), other.get(name)
        if left is right:
            continue
        if left is None or right is None:
            if "." in name or "[" in name:
                frame.env.pop(name, None)
            else:
                frame.env[name] = left or right  # type: ignore[assignment]
        elif condition is not None:
            frame.bind(name, select(frame, condition, left, right))
        else:
            frame.bind(name, join(frame, [left, right]))


def join(frame: Frame, values: list[Value]) -> Value:
    """Value that is one of several, it is not known which."""
    distinct: list[Value] = []
    for value in values:
        if value not in distinct:
            distinct.append(value)
    if len(distinct) == 1:
        return distinct[0]
    return frame.graph.raw("join", tuple(distinct), (), distinct[-1].framework)


def assigned_paths(body: list[ast.stmt]) -> list[str]:
    """Names and paths that statements assign, nested functions left out."""
    found: dict[str, None] = {}
    stack: list[ast.AST] = list(reversed(body))
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            continue
        if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store):
            key = path_key(node)
            if key:
                found[key] = None
            inner: ast.expr = node
            while isinstance(inner, ast.Subscript):
                inner = inner.value
                key = path_key(inner)
                if key:
                    found[key] = None
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            key = path_key(node.func.value)
            if key and (node.func.attr in ("append", "extend", "insert") or _is_in_place(node.func.attr)):
                found[key] = None
        stack.extend(ast.iter_child_nodes(node))
    return list(found)


def _is_in_place(method: str) -> bool:
    """Whether a method changes its receiver, as ``x.add_(y)`` does by the convention of torch."""
    return method.endswith("_") and not method.startswith("_")


def _assigned(frame: Frame, body: list[ast.stmt]) -> list[str]:
    """Names and paths that statements assign, and those that the methods which they call on ``self`` assign."""
    found = dict.fromkeys(assigned_paths(body))
    if frame.owner is None or not frame.self_name:
        return list(found)
    seen: list[Definition] = []
    regions = [(body, frame.self_name)]
    for statements, receiver in regions:
        for name in _called_on(statements, receiver):
            method = find_method(frame.analysis, frame.owner, name)
            if method is None or method in seen or len(seen) >= MAX_INLINE_DEPTH:
                continue
            seen.append(method)
            own = receiver_name(method)
            paths = (path for path in assigned_paths(method.node.body) if path.startswith(f"{own}."))
            found.update(dict.fromkeys(frame.self_name + path[len(own) :] for path in paths))
            regions.append((method.node.body, own))
    return list(found)


def _called_on(statements: list[ast.stmt], receiver: str) -> Iterator[str]:
    """Names of the methods that statements call on a receiver."""
    for statement in statements:
        for node in ast.walk(statement):
            target = node.func if isinstance(node, ast.Call) else None
            if isinstance(target, ast.Attribute) and path_key(target.value) == receiver:
                yield target.attr


@lowers(ast.For, ast.AsyncFor)
def for_(frame: Frame, node: ast.For | ast.AsyncFor) -> None:
    iterable = frame.expression(node.iter)
    loop = Loop(node, iterable=iterable, entry=frame.path)
    _iterate(frame, loop, node.body, element_of(frame, iterable, node.target), node.target)
    frame.block(node.orelse)


@lowers(ast.While)
def while_(frame: Frame, node: ast.While) -> None:
    loop = Loop(node, entry=frame.path)
    _iterate(frame, loop, node.body, None, None)
    if loop.condition is not None and not any(isinstance(exit_.node, ast.Break) for exit_ in loop.exits):
        frame.assume(loop.condition, False)
    frame.block(node.orelse)


def _attribute_on_entry(frame: Frame, name: str) -> Value | None:
    """Value of ``self.name`` before a loop that assigns it, when the function has not touched it yet."""
    receiver, _, attribute = name.partition(".")
    if not attribute.isidentifier() or receiver != frame.self_name or receiver not in frame.env:
        return None
    return attribute_of(frame, frame.env[receiver], attribute)


def _read_first(body: list[ast.stmt]) -> list[str]:
    """Names that a loop's body reads above the first line that assigns them: what the iteration before left."""
    first: dict[str, tuple[float, float]] = {}
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name):
                read, stored = first.get(node.id, (math.inf, math.inf))
                if isinstance(node.ctx, ast.Load):
                    first[node.id] = min(read, node.lineno), stored
                else:
                    first[node.id] = read, min(stored, node.lineno)
    return [name for name, (read, stored) in first.items() if read < stored < math.inf]


def _iterate(frame: Frame, loop: Loop, body: list[ast.stmt], element: Value | None, target: ast.expr | None) -> None:
    before, entry = frame.path, dict(frame.env)
    heads: dict[str, Value] = {}
    unbound: set[str] = set()
    for name in frame.analysis.assigned_in(loop.node, lambda: _assigned(frame, body)):
        initial = frame.env.get(name) or _attribute_on_entry(frame, name)
        if initial is None:
            key = loop.node.test if isinstance(loop.node, ast.While) else loop.node.target
            if name not in frame.analysis.assigned_in(key, lambda: _read_first(body)):
                continue
            initial = frame.unknown("unbound")  # read in the second iteration, and bound in the first
            unbound.add(name)
        entry[name] = initial
        heads[name] = frame.graph.fresh("carried", initial, name=name)
        frame.bind(name, heads[name])
    for name in [name for name in frame.env if ("." in name or "[" in name) and name not in heads]:
        if any(name.startswith((f"{head}.", f"{head}[")) for head in heads):
            del frame.env[name]
    frame.loop_stack.append(loop)
    if frame.loops is not None:
        frame.loops.append(loop)
    if isinstance(loop.node, ast.While):
        loop.condition = frame.expression(loop.node.test)
        frame.assume(loop.condition)
    elif target is not None and element is not None:
        assign(frame, target, element)
    frame.block(body)
    frame.loop_stack.pop()
    ended, frame.terminated = frame.terminated, False
    outcomes = [] if ended else [frame.env]
    outcomes += [exit_.env for exit_ in loop.exits if isinstance(exit_.node, ast.Break)]
    for name, head in heads.items():
        after = [env[name] for env in outcomes if name in env] or [head]
        last = frame.env.get(name, head)
        frame.analysis.carried[head.id] = (entry[name], join(frame, [last, *after]))
        loop.carried[name] = (entry[name], head, last)
    frame.path = before
    merged = dict(frame.env) if not ended else dict(entry)
    frame.env = merged
    for env in outcomes:
        for name, value in env.items():
            merged.setdefault(name, value)
    for name, head in heads.items():
        after = [env[name] for env in outcomes if name in env]
        before_it = [] if name in unbound else [entry[name]]
        frame.bind(name, join(frame, [*before_it, *after]) if after else head)


@lowers(ast.With, ast.AsyncWith)
def with_(frame: Frame, node: ast.With | ast.AsyncWith) -> None:
    before = frame.path
    for item in node.items:
        context = frame.expression(item.context_expr)
        if item.optional_vars is not None:
            assign(frame, item.optional_vars, context)
        frame.path = Path(frame.path, "with", context)
    frame.block(node.body)
    frame.path = before


@lowers(ast.Try)
def try_(frame: Frame, node: ast.Try) -> None:
    _try(frame, node)


def _try(frame: Frame, node: ast.Try) -> None:
    before, env = frame.path, dict(frame.env)
    names: list[str] = []
    for handler in node.handlers:
        names += ["Exception"] if handler.type is None else _exception_names(handler.type)
    frame.path = Path(before, "try", names=tuple(names)) if names else before
    frame.block(node.body)
    frame.path = before
    if not frame.terminated:
        frame.block(node.orelse)
    results = [] if frame.terminated else [frame.env]
    for handler in node.handlers:
        frame.env, frame.path, frame.terminated = dict(env), before, False
        if handler.name:
            frame.bind(handler.name, frame.unknown("exception"))
        frame.block(handler.body)
        if not frame.terminated:
            results.append(frame.env)
    frame.path = before
    frame.terminated = not results
    if results:
        frame.env = results[0]
        for other in results[1:]:
            _merge(frame, None, frame.env, other)
    if node.finalbody:
        ended, frame.terminated = frame.terminated, False
        frame.block(node.finalbody)
        frame.terminated = frame.terminated or ended


if hasattr(ast, "TryStar"):
    lowers(ast.TryStar)(try_)


def _exception_names(node: ast.expr) -> list[str]:
    nodes = node.elts if isinstance(node, ast.Tuple) else [node]
    return [inner.attr if isinstance(inner, ast.Attribute) else getattr(inner, "id", "") for inner in nodes]


@lowers(ast.Match)
def match_(frame: Frame, node: ast.Match) -> None:
    frame.expression(node.subject)
    before, env = frame.path, dict(frame.env)
    results = [env]
    for case in node.cases:
        frame.env, frame.path, frame.terminated = dict(env), before, False
        for inner in ast.walk(case.pattern):
            bound = getattr(inner, "name", None) or getattr(inner, "rest", None)
            if isinstance(bound, str):
                frame.bind(bound, frame.unknown("pattern"))
        frame.block(case.body)
        if not frame.terminated:
            results.append(frame.env)
    frame.path, frame.terminated = before, False
    frame.env = results[0]
    for other in results[1:]:
        _merge(frame, None, frame.env, other)


@lowers(ast.FunctionDef, ast.AsyncFunctionDef)
def function(frame: Frame, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    if frame.definition is None and node.name in frame.module.functions:
        return  # a function of the module: resolved by name, when it is used
    definition = next((item for item in frame.module.definitions if item.node is node), None)
    closure = Closure(
        definition, node, frame.module, frame.env if frame.outer is None else {**frame.outer, **frame.env}
    )
    frame.bind(node.name, frame.graph.raw("function", (), (("closure", closure),)))
