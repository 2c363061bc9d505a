"""Lowering of expressions, except calls."""

from __future__ import annotations

import ast
import builtins

from numlint.graph import vocabulary
from numlint.graph.frame import Closure, Frame, Path, lowers
from numlint.graph.names import attribute_of_class, attribute_of_definition, global_name, resolve
from numlint.graph.terms import decided
from numlint.graph.value import Value

BINARY: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.Pow: "pow",
    ast.MatMult: "matmul",
    ast.BitAnd: "and",
    ast.BitOr: "or",
    ast.BitXor: "xor",
    ast.LShift: "shift",
    ast.RShift: "shift",
}
COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
    ast.Eq: "eq",
    ast.NotEq: "ne",
    ast.Is: "is",
    ast.IsNot: "isnot",
    ast.In: "in",
    ast.NotIn: "notin",
}
VIEW_ATTRIBUTES = frozenset({"data", "values", "real", "A", "A1", "flat", "array"})
BUILTINS = frozenset(dir(builtins))


@lowers(ast.Constant)
def constant(frame: Frame, node: ast.Constant) -> Value:
    literal = node.value
    if literal is Ellipsis:
        return frame.graph.raw("ellipsis")
    return frame.graph.const(literal)


@lowers(ast.Name)
def name(frame: Frame, node: ast.Name) -> Value:
    return load(frame, node.id)


def load(frame: Frame, identifier: str) -> Value:
    """Value of a name: local, enclosing, global, built-in."""
    value = frame.env.get(identifier)
    if value is not None:
        return value
    if frame.outer is not None:
        value = frame.outer.get(identifier)
        if value is not None:
            return value
    value = global_name(frame.analysis, frame.module, identifier)
    if value is not None:
        return value
    if identifier in BUILTINS:
        return frame.graph.raw("ref", (), (("name", f"builtins.{identifier}"),))
    return frame.graph.raw("name", (), (("name", identifier), ("module", frame.module.path)))


def path_key(node: ast.AST) -> str | None:
    """Key of an assignable path: ``x``, ``self.x``, ``stats['obs']``, ``h[key]``; None for other targets."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = path_key(node.value)
        return f"{base}.{node.attr}" if base else None
    if isinstance(node, ast.Subscript):
        base = path_key(node.value)
        if base and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, (str, int)):
            return f"{base}[{node.slice.value!r}]"
        if base and isinstance(node.slice, ast.Name):
            return f"{base}[{node.slice.id}]"
    return None


@lowers(ast.Attribute)
def attribute(frame: Frame, node: ast.Attribute) -> Value:
    key = path_key(node)
    if key is not None:
        value = frame.env.get(key) or (frame.outer.get(key) if frame.outer else None)
        if value is not None:
            return value
    return attribute_of(frame, frame.expression(node.value), node.attr)


def attribute_of(frame: Frame, base: Value, attr: str) -> Value:
    """Value of ``base.attr``."""
    graph = frame.graph
    if base.op == "ref":
        dotted = f"{base.attr('name')}.{attr}"
        number = vocabulary.CONSTANTS.get(vocabulary.canonical_name(dotted))
        if number is not None:
            return graph.const(number)
        return resolve(frame.analysis, frame.module, dotted) or graph.raw("ref", (), (("name", dotted),))
    if base.op == "class":
        return attribute_of_definition(frame.analysis, base, attr)
    if base.op in ("self", "instance"):
        return attribute_of_class(frame.analysis, base, attr)
    if attr in ("T", "mT", "H"):
        return graph.make("transpose", (base,), (), base.framework)
    if attr == "shape":
        return graph.raw("shape", (base,))
    if attr == "size":
        return graph.raw("len", (base,))
    if base.op in ("max", "min") and attr == "values":
        return base
    if attr in VIEW_ATTRIBUTES:
        return graph.make("view", (base,), (), base.framework)
    if base.op == "finfo":
        return graph.raw("finfo", base.args, (("dtype", base.attr("dtype")), ("field", attr)))
    return graph.raw("attr", (base,), (("name", attr),))


@lowers(ast.BinOp)
def binary(frame: Frame, node: ast.BinOp) -> Value:
    left = frame.expression(node.left)
    right = frame.expression(node.right)
    return combine(frame, node.op, left, right, node)


def combine(frame: Frame, operator: ast.operator, left: Value, right: Value, node: ast.AST) -> Value:
    """Value of a binary operator applied to two values."""
    op = BINARY[type(operator)]
    if op == "mul" and left.op in ("list", "tuple") and len(left.args) <= 8:
        return frame.graph.make("view", (left,))
    if op == "mod" and isinstance(left.constant, str):
        return frame.unknown("text")
    return frame.emit(op, (left, right), node)


@lowers(ast.UnaryOp)
def unary(frame: Frame, node: ast.UnaryOp) -> Value:
    operand = frame.expression(node.operand)
    if isinstance(node.op, ast.USub):
        return frame.emit("neg", (operand,), node)
    if isinstance(node.op, ast.UAdd):
        return operand
    return frame.emit("not", (operand,), node)


@lowers(ast.BoolOp)
def boolean(frame: Frame, node: ast.BoolOp) -> Value:
    op = "and" if isinstance(node.op, ast.And) else "or"
    before = frame.path
    value = frame.expression(node.values[0])
    for operand in node.values[1:]:
        frame.assume(value, op == "and")
        value = frame.graph.make(op, (value, frame.expression(operand)))
    frame.path = before
    return value


@lowers(ast.Compare)
def compare(frame: Frame, node: ast.Compare) -> Value:
    left = frame.expression(node.left)
    result: Value | None = None
    for operator, comparator in zip(node.ops, node.comparators, strict=True):
        right = frame.expression(comparator)
        value = frame.emit(COMPARE[type(operator)], (left, right), node)
        result = value if result is None else frame.graph.make("and", (result, value))
        left = right
    assert result is not None
    return result


@lowers(ast.IfExp)
def conditional(frame: Frame, node: ast.IfExp) -> Value:
    condition = frame.expression(node.test)
    before = frame.path
    frame.assume(condition)
    body = frame.expression(node.body)
    frame.path = before
    frame.assume(condition, False)
    orelse = frame.expression(node.orelse)
    frame.path = before
    return select(frame, condition, body, orelse)


def select(frame: Frame, condition: Value, yes: Value, no: Value) -> Value:
    """Value of one of two, by a condition."""
    if yes is no:
        return yes
    holds = decided(condition) if frame.sites is None else None
    if holds is not None:
        return yes if holds else no
    return frame.graph.raw("phi", (condition, yes, no), (), yes.framework or no.framework)


@lowers(ast.Tuple, ast.List, ast.Set)
def sequence(frame: Frame, node: ast.Tuple | ast.List | ast.Set) -> Value:
    op = "tuple" if isinstance(node, ast.Tuple) else "list"
    if len(node.elts) > 256:
        return frame.unknown("long literal")
    elements = []
    starred = False
    for element in node.elts:
        if isinstance(element, ast.Starred):
            starred = True
            elements.append(frame.graph.raw("element", (frame.expression(element.value),)))
        else:
            elements.append(frame.expression(element))
    return frame.graph.raw("joined" if starred else op, tuple(elements))


@lowers(ast.Dict)
def dictionary(frame: Frame, node: ast.Dict) -> Value:
    if len(node.keys) > 256:
        return frame.unknown("long literal")
    keys = tuple(key.value if isinstance(key, ast.Constant) else None for key in node.keys)
    return frame.graph.raw("dict", tuple(frame.expression(value) for value in node.values), (("keys", keys),))


@lowers(ast.Starred)
def starred(frame: Frame, node: ast.Starred) -> Value:
    return frame.graph.raw("element", (frame.expression(node.value),))


@lowers(ast.NamedExpr)
def walrus(frame: Frame, node: ast.NamedExpr) -> Value:
    value = frame.expression(node.value)
    if isinstance(node.target, ast.Name):
        frame.bind(node.target.id, value)
    return value


@lowers(ast.Lambda)
def lambda_(frame: Frame, node: ast.Lambda) -> Value:
    closure = Closure(None, node, frame.module, {**(frame.outer or {}), **frame.env}, frame.owner)
    if frame.sites is not None:
        _body_of_lambda(frame, node)
    return frame.graph.raw("function", (), (("closure", closure),))


def _body_of_lambda(frame: Frame, node: ast.Lambda) -> None:
    """Lower the body of a lambda with unknown arguments: its operations are sites of the function around it."""
    env, path = dict(frame.env), frame.path
    parameters = node.args
    every = [*parameters.posonlyargs, *parameters.args, *parameters.kwonlyargs, parameters.vararg, parameters.kwarg]
    for parameter in every:
        if parameter is not None:
            frame.env[parameter.arg] = frame.graph.fresh("param", name=parameter.arg)
    frame.expression(node.body)
    frame.env, frame.path = env, path


@lowers(ast.Await)
def await_(frame: Frame, node: ast.Await) -> Value:
    return frame.expression(node.value)


@lowers(ast.Yield, ast.YieldFrom)
def yield_(frame: Frame, node: ast.Yield | ast.YieldFrom) -> Value:
    frame.expression(node.value)
    frame.env["<yields>"] = frame.graph.const(True)
    return frame.unknown("yield")


@lowers(ast.JoinedStr, ast.FormattedValue)
def text(frame: Frame, node: ast.JoinedStr | ast.FormattedValue) -> Value:
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.FormattedValue):
            frame.expression(inner.value)
    return frame.unknown("text")


@lowers(ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
def comprehension(frame: Frame, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
    from numlint.graph.statements import assign

    env, path = dict(frame.env), frame.path
    iterables = []
    for generator in node.generators:
        iterable = frame.expression(generator.iter)
        iterables.append(iterable)
        assign(frame, generator.target, element_of(frame, iterable, generator.target))
        for test in generator.ifs:
            frame.assume(frame.expression(test))
    if isinstance(node, ast.DictComp):
        frame.expression(node.key)
        result = frame.expression(node.value)
    else:
        result = frame.expression(node.elt)
    frame.env, frame.path = env, path
    filtered = (("filtered", True),) if any(generator.ifs for generator in node.generators) else ()
    return frame.graph.raw("comprehension", (result, *iterables), filtered, result.framework)


def element_of(frame: Frame, iterable: Value, place: ast.AST | None = None) -> Value:
    """Value of one element of an iterable; two loops over the same one, at two places, are at different elements."""
    graph = frame.graph
    inner = iterable.core
    attrs = () if place is None else (("at", (getattr(place, "lineno", 0), getattr(place, "col_offset", 0))),)
    if inner.op == "zip":
        return graph.raw("tuple", tuple(element_of(frame, item, place) for item in inner.args))
    if inner.op == "enumerate" and inner.args:
        return graph.raw("tuple", (graph.raw("element", (inner,), attrs), element_of(frame, inner.args[0], place)))
    if inner.op == "comprehension":
        return inner.args[0]
    if inner.op in ("list", "tuple") and len(inner.args) == 1:
        return inner.args[0]
    while iterable.op in ("view", "transpose"):  # a cast stays: the elements have its dtype
        iterable = iterable.args[0]
    return graph.raw("element", (iterable,), attrs, iterable.framework)


def component(frame: Frame, value: Value, index: int, count: int | None = None) -> Value:
    """Value of item `index` when `value` is unpacked."""
    graph = frame.graph
    if value.op in ("tuple", "list"):
        if -len(value.args) <= index < len(value.args):
            return value.args[index]
    elif value.op == "phi":
        yes, no = (component(frame, branch, index, count) for branch in value.args[1:])
        return select(frame, value.args[0], yes, no)
    elif (
        value.op in ("max", "min")
        and value.attr("axis") is not None
        and "torch" in frame.module.roots
        and index in (0, 1)
    ):
        return value if index == 0 else graph.raw("argmax", value.args)
    return graph.raw("index", (value, graph.const(index)), (), value.framework)


def _is_layout_index(node: ast.expr) -> bool:
    """Whether an index only adds or keeps axes: ``[:, None]``, ``[..., np.newaxis]``."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    for part in parts:
        if isinstance(part, ast.Slice):
            if part.lower or part.upper or (part.step and not isinstance(part.step, ast.UnaryOp)):
                return False
        elif isinstance(part, ast.Constant):
            if part.value is not None and part.value is not Ellipsis:
                return False
        elif not (isinstance(part, ast.Attribute) and part.attr == "newaxis"):
            return False
    return True


@lowers(ast.Subscript)
def subscript(frame: Frame, node: ast.Subscript) -> Value:
    key = path_key(node)
    if key is not None:
        value = frame.env.get(key)
        if value is not None:
            return value
    base = frame.expression(node.value)
    if _is_layout_index(node.slice):
        return frame.graph.make("view", (base,), (), base.framework)
    index = frame.expression(node.slice)
    literal = index.constant
    if isinstance(literal, int) and not isinstance(literal, bool):
        if base.op in ("tuple", "list", "phi", "max", "min"):
            return component(frame, base, literal)
    elif base.op == "dict" and literal is not None and literal in (base.attr("keys") or ()):
        position: int = base.attr("keys").index(literal)
        return base.args[position]
    return frame.graph.raw("index", (base, index), (), base.framework)


@lowers(ast.Slice)
def slice_(frame: Frame, node: ast.Slice) -> Value:
    parts = tuple(frame.expression(part) for part in (node.lower, node.upper, node.step))
    return frame.graph.raw("slice", parts)


def under(path: Path | None, condition: Value, holds: bool = True) -> Path | None:
    """Path extended by a condition."""
    return path if condition.op == "const" else Path(path, "cond", condition, holds)
