"""Lowering of calls: library functions and methods by the vocabulary, the project's own functions by inlining.

What a callee is, is itself a value: a reference to a library name, a function, a
class, an instance, or unknown. So ``e = np.exp; e(x)`` and ``self.activation(x)``
need no special treatment.
"""

from __future__ import annotations

import ast
from typing import Any

from numlint.graph import vocabulary
from numlint.graph.expressions import attribute_of, element_of, path_key, select, under
from numlint.graph.frame import Closure, Frame, lowers
from numlint.graph.inlining import Keywords, inline
from numlint.graph.module import ClassDefinition, Definition
from numlint.graph.names import find_method, lineage
from numlint.graph.randomness import draw
from numlint.graph.value import Value

REDUCTIONS = frozenset(
    "sum mean prod max min var std norm any all median argmax argmin logsumexp cumsum cumprod count_nonzero".split()
)
BINARY_OPERATIONS = frozenset(
    "add sub mul div safe_div floordiv mod pow maximum minimum hypot arctan2 logaddexp xlogy rel_entr isclose lt le "
    "gt ge eq ne and or "
    "matmul outer solve tri_solve cho_solve lstsq cdist bce bce_logits cross_entropy nll_loss mse".split()
)
MOVES = frozenset("to cuda cpu train eval apply requires_grad_ float double half bfloat16 share_memory compile".split())
"""Methods that give a layer or a network back: the same function on another device, in another mode or dtype."""
COMPUTED = frozenset({"mul", "square", "abs", "exp", "div", "matmul", "sqrt", "pow"})
"""Operations whose result is an operand, and no axis: ``xp.sum(x * x)``."""
NOT_METHODS_OF_ARRAYS = frozenset({"ref", "class", "function", "self", "dict", "method"})


@lowers(ast.Call)
def call(frame: Frame, node: ast.Call) -> Value:
    if isinstance(node.func, ast.Attribute):
        if isinstance(node.func.value, ast.Call) and _is_super(node.func.value):
            return _super_call(frame, node)
        key = path_key(node.func)
        bound = frame.env.get(key) if key else None
        if bound is None:
            receiver = frame.expression(node.func.value)
            if receiver.op not in NOT_METHODS_OF_ARRAYS:
                return _method_call(frame, node, receiver, node.func.attr)
            callee = attribute_of(frame, receiver, node.func.attr)
        else:
            callee = bound
    else:
        callee = frame.expression(node.func)
    args, keywords = arguments(frame, node)
    return invoke(frame, callee, args, keywords, node)


def arguments(frame: Frame, node: ast.Call) -> tuple[list[Value], Keywords]:
    """Lower the arguments of a call; ``*args`` of a known tuple are spread, ``**kwargs`` dropped."""
    args: list[Value] = []
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            value = frame.expression(argument.value)
            if value.op in ("tuple", "list"):
                args.extend(value.args)
            else:
                args.append(element_of(frame, value))
        else:
            args.append(frame.expression(argument))
    keywords = {}
    for keyword in node.keywords:
        value = frame.expression(keyword.value)
        if keyword.arg:
            keywords[keyword.arg] = value
    return args, keywords


def invoke(frame: Frame, callee: Value, args: list[Value], keywords: Keywords, node: ast.AST) -> Value:
    """Value of calling a value."""
    if callee.op == "ref":
        return _library(frame, callee.attr("name"), args, keywords, node)
    if callee.op == "function":
        return inline(frame, callee.attr("closure"), args, keywords, node)
    if callee.op == "method":
        return _inline_method(frame, callee.args[0], callee.attr("definition"), args, keywords, node)
    if callee.op == "class":
        return _construct(frame, callee.attr("class"), args, keywords, node)
    if callee.op == "layer":
        return apply_layer(frame, callee, args, node)
    if callee.op in ("instance", "self"):
        return _call_instance(frame, callee, args, keywords, node)
    if callee.op == "phi" and len(callee.args) == 3:
        return select(
            frame,
            callee.args[0],
            invoke(frame, callee.args[1], args, keywords, node),
            invoke(frame, callee.args[2], args, keywords, node),
        )
    return opaque(frame, callee, args, keywords, node)


def opaque(
    frame: Frame, callee: Value, args: list[Value], keywords: Keywords, node: ast.AST, framework: str = ""
) -> Value:
    """Value of a call that is not understood: equal for equal arguments, otherwise unknown."""
    named = tuple(sorted(keywords.items(), key=lambda item: item[0]))
    attrs = (("name", str(callee.attr("name") or "")), ("keywords", named))
    return frame.emit("call", (callee, *args), node, attrs, framework)


def _library(frame: Frame, dotted: str, args: list[Value], keywords: Keywords, node: ast.AST) -> Value:
    name = vocabulary.canonical_name(dotted)
    framework = vocabulary.framework(dotted)
    operation = vocabulary.function(dotted)
    if operation is not None:
        if name in ("builtins.max", "builtins.min") and len(args) > 1:
            return _fold(frame, "maximum" if name.endswith("max") else "minimum", args, node)
        if name in ("torch.max", "torch.min") and len(args) > 1 and not isinstance(args[1].constant, int):
            return _fold(frame, "maximum" if name.endswith("max") else "minimum", args, node)
        if operation.op in REDUCTIONS and name.rpartition(".")[2].startswith("nan"):
            keywords = {**keywords, "skipnan": frame.graph.const(True)}
        return apply(frame, operation, args, keywords, node, framework)
    random = draw(frame, name, args, keywords, node)
    if random is not None:
        return random
    leaf = name.rpartition(".")[2]
    if leaf in ("finfo", "iinfo"):
        return frame.graph.raw("finfo", tuple(args[:1]), (("dtype", dtype_of(args[0]) if args else "float64"),))
    dtype = vocabulary.dtype(name) if name.count(".") == 1 else ""
    if args and dtype and framework in ("numpy", "torch", "jax", "tensorflow"):
        return frame.graph.make("cast", (args[0],), (("dtype", dtype),), framework)
    kind = vocabulary.layer(name)
    if kind is not None:
        attrs = tuple((key, value.constant) for key, value in keywords.items() if value.op == "const")
        activation = keywords.get("activation")
        if activation is not None:
            attrs = (*attrs, ("then", activation))
        return frame.graph.raw("layer", tuple(args), (("apply", kind), *attrs), framework)
    if name in ("functools.partial", "torch.jit.script", "jax.jit", "jax.vmap", "numba.njit", "torch.compile") and args:
        alone = len(args) == 1 and not keywords
        return args[0] if alone else opaque(frame, _ref(frame, dotted), args, keywords, node, framework)
    return opaque(frame, _ref(frame, dotted), args, keywords, node, framework)


def _ref(frame: Frame, dotted: str) -> Value:
    return frame.graph.raw("ref", (), (("name", dotted),))


def _fold(frame: Frame, op: str, args: list[Value], node: ast.AST) -> Value:
    value = args[0]
    for argument in args[1:]:
        value = frame.emit(op, (value, argument), node)
    return value


def dtype_of(value: Value) -> str:
    """Dtype that a value denotes: ``np.float32``, ``"float32"``, ``torch.half``, ``float``; or ``""``."""
    if isinstance(value.constant, str):
        return vocabulary.dtype(value.constant)
    if value.op == "ref":
        return vocabulary.dtype(value.attr("name"))
    return ""


def apply(
    frame: Frame, operation: vocabulary.Operation, args: list[Value], keywords: Keywords, node: ast.AST, framework: str
) -> Value:
    """Value of an operation of the vocabulary applied to positional and keyword arguments."""
    graph = frame.graph
    operands: dict[str, Value] = {}
    attrs: dict[str, Any] = {}
    rest: list[Value] = []
    signature = operation.signature
    for index, value in enumerate(args):
        slot = signature[index] if index < len(signature) else signature[-1] if signature[-1].startswith("*") else "_"
        if slot.startswith("*"):
            rest.append(value)
        elif slot.startswith("@"):
            attrs[slot[1:]] = value
        elif slot != "_":
            operands[slot] = value
    for name, value in keywords.items():
        for slot in (name, vocabulary.KEYWORDS.get(name, name)):
            if slot in signature and slot not in operands:
                operands[slot] = value
                break
        else:
            attrs[vocabulary.KEYWORDS.get(name, name)] = value
    if framework == "numpy" and len(args) == len(signature) + 1 and all(slot[0] not in "@_*" for slot in signature):
        attrs["out"] = args[-1]  # np.clip(x, lo, hi, x)
    missing = not (args or keywords) and signature[0][0] not in "@_*" and operation.op not in ("array", "float", "int")
    if missing or (operation.op in BINARY_OPERATIONS and len(operands) < 2):
        return opaque(frame, _ref(frame, operation.op), args, keywords, node, framework)
    wanted = [slot for slot in signature if slot[0] not in "@_*"]
    while wanted and wanted[-1] not in operands:
        wanted.pop()
    values = [operands.get(slot) or graph.const(None) for slot in wanted] + rest
    return _finish(frame, operation.op, values, attrs, node, framework)


def _finish(frame: Frame, op: str, args: list[Value], attrs: dict[str, Any], node: ast.AST, framework: str) -> Value:
    graph = frame.graph
    out = attrs.pop("out", None)
    where = attrs.pop("where", None)
    before = frame.path
    if isinstance(where, Value) and op in REDUCTIONS and args:
        args = [graph.raw("index", (args[0], where)), *args[1:]]
        where = None
    elif isinstance(where, Value):
        frame.path = under(before, where)
    special = _SPECIAL.get(op)
    if special is not None:
        value: Value = special(frame, args, attrs, node, framework)
    else:
        frozen = tuple((key, _attribute_value(value)) for key, value in sorted(attrs.items()) if key != "name")
        value = frame.emit(op, tuple(args), node, frozen, framework)
        dtype = attrs.get("dtype")
        if isinstance(dtype, Value) and dtype_of(dtype) and op not in ("zeros", "ones", "full", "empty", "eye"):
            value = graph.make("cast", (value,), (("dtype", dtype_of(dtype)),), framework)
    frame.path = before
    if isinstance(where, Value):
        value = graph.make("where", (where, value, out if isinstance(out, Value) else graph.const(None)), (), framework)
    if isinstance(out, Value) and isinstance(node, ast.Call):
        named = [keyword.value for keyword in node.keywords if keyword.arg == "out"]
        for target in named or node.args[-1:]:
            key = path_key(target)
            if key:
                frame.bind(key, value)
        if out.op in ("param", "element", "call", "attr", "index"):  # an array that other names may mean as well
            for alias in [alias for alias, known in frame.env.items() if known is out]:
                frame.bind(alias, value)
    return value


def _attribute_value(value: Any) -> Any:
    if isinstance(value, Value):
        if value.op == "const":
            return value.constant
        if value.op == "tuple" and all(item.op == "const" for item in value.args):
            return tuple(item.constant for item in value.args)
        return dtype_of(value) or value
    return value


def _clip(frame: Frame, args: list[Value], attrs: dict[str, Any], node: ast.AST, framework: str) -> Value:
    none = frame.graph.const(None)
    lo = attrs.get("lo", none)
    hi = attrs.get("hi", none)
    bounds = [*args[1:3], none, none][:2]
    low = bounds[0] if bounds[0].constant is not None or bounds[0].op != "const" else lo
    high = bounds[1] if bounds[1].constant is not None or bounds[1].op != "const" else hi
    return frame.emit("clip", (args[0], low, high), node, (), framework)


def _clamp(side: str) -> Any:
    def lower(frame: Frame, args: list[Value], attrs: dict[str, Any], node: ast.AST, framework: str) -> Value:
        none = frame.graph.const(None)
        bound = args[1] if len(args) > 1 else attrs.get(side, none)
        bounds = (bound, none) if side == "lo" else (none, bound)
        return frame.emit("clip", (args[0], *bounds), node, (), framework)

    return lower


def _cast(frame: Frame, args: list[Value], attrs: dict[str, Any], node: ast.AST, framework: str) -> Value:
    candidates = [attrs.get("dtype"), *args[1:]]
    for candidate in candidates:
        if isinstance(candidate, Value) and dtype_of(candidate):
            return frame.emit("cast", (args[0],), node, (("dtype", dtype_of(candidate)),), framework)
    return frame.graph.make("view", (args[0],), (), framework)


def _cast_to(dtype: str) -> Any:
    def lower(frame: Frame, args: list[Value], attrs: dict[str, Any], node: ast.AST, framework: str) -> Value:
        if not args:
            return frame.unknown("cast")
        return frame.emit("cast", (args[0],), node, (("dtype", dtype),), framework)

    return lower


def _number(dtype: str) -> Any:
    """``float(x)`` and ``int(x)``: a cast, or the number that a literal string spells."""

    def lower(frame: Frame, args: list[Value], attrs: dict[str, Any], node: ast.AST, framework: str) -> Value:
        literal = args[0].constant if args else None
        if isinstance(literal, str):
            try:
                return frame.graph.const(float(literal))
            except ValueError:
                return frame.unknown("text")
        if not args:
            return frame.graph.const(0)
        return frame.emit("cast", (args[0],), node, (("dtype", dtype),), framework)

    return lower


def _array(frame: Frame, args: list[Value], attrs: dict[str, Any], node: ast.AST, framework: str) -> Value:
    if not args:
        return frame.graph.raw("list")
    dtype = attrs.get("dtype")
    if isinstance(dtype, Value) and dtype_of(dtype):
        return frame.emit("cast", (args[0],), node, (("dtype", dtype_of(dtype)),), framework)
    return frame.graph.make("view", (args[0],), (), framework)


def _view(frame: Frame, args: list[Value], attrs: dict[str, Any], node: ast.AST, framework: str) -> Value:
    return frame.graph.make("view", (args[0],), (), framework) if args else frame.unknown("view")


def _transpose(frame: Frame, args: list[Value], attrs: dict[str, Any], node: ast.AST, framework: str) -> Value:
    return frame.graph.make("transpose", (args[0],), (), framework) if args else frame.unknown("transpose")


def _masked_fill(frame: Frame, args: list[Value], attrs: dict[str, Any], node: ast.AST, framework: str) -> Value:
    if len(args) < 3:
        return args[0]
    return frame.emit("where", (args[1], args[2], args[0]), node, (), framework)


def _where(frame: Frame, args: list[Value], attrs: dict[str, Any], node: ast.AST, framework: str) -> Value:
    if len(args) < 3:
        return frame.emit("nonzero", tuple(args[:1]), node, (), framework)
    return frame.emit("where", tuple(args[:3]), node, (), framework)


def _map(frame: Frame, args: list[Value], attrs: dict[str, Any], node: ast.AST, framework: str) -> Value:
    if len(args) < 2:
        return frame.unknown("map")
    result = invoke(frame, args[0], [element_of(frame, item) for item in args[1:]], {}, node)
    return frame.graph.raw("comprehension", (result, *args[1:]))


def _fill(frame: Frame, args: list[Value], attrs: dict[str, Any], node: ast.AST, framework: str) -> Value:
    return args[-1] if args else frame.unknown("fill")


_SPECIAL: dict[str, Any] = {
    "clip": _clip,
    "clamp_min": _clamp("lo"),
    "clamp_max": _clamp("hi"),
    "cast": _cast,
    "half": _cast_to("float16"),
    "bfloat16": _cast_to("bfloat16"),
    "double": _cast_to("float64"),
    "float": _number("float64"),
    "int": _number("int64"),
    "array": _array,
    "view": _view,
    "transpose": _transpose,
    "masked_fill": _masked_fill,
    "where": _where,
    "map": _map,
    "fill_": _fill,
}


def _method_call(frame: Frame, node: ast.Call, receiver: Value, name: str) -> Value:
    args, keywords = arguments(frame, node)
    graph = frame.graph
    if receiver.op == "layer" and name in MOVES:
        return receiver
    if receiver.op == "instance":
        return _instance_method(frame, receiver, name, args, keywords, node)
    if receiver.op == "rng":
        random = draw(frame, f"rng.{name}", [receiver, *args], keywords, node)
        if random is not None:
            return random
    if name in ("append", "add", "extend", "insert", "appendleft") and args and isinstance(node.func, ast.Attribute):
        key = path_key(node.func.value)
        if key and receiver.op in ("list", "appended", "carried", "join", "phi", "unknown") and name != "add":
            item = args[-1] if name != "extend" else element_of(frame, args[-1])
            frame.bind(key, graph.raw("appended", (receiver, item), (), item.framework))
            return graph.const(None)
    if name in ("float", "int") and not args:
        dtype = "float32" if name == "float" else "int64"
        return frame.emit("cast", (receiver,), node, (("dtype", dtype),), receiver.framework)
    operation = vocabulary.method(name)
    if operation is None or not _numeric(receiver, name, args):
        in_place_draw = draw(frame, f"tensor.{name}", [receiver, *args], keywords, node)
        if in_place_draw is not None:
            _rebind(frame, node, in_place_draw)
            return in_place_draw
        attr = graph.raw("attr", (receiver,), (("name", name),))
        return opaque(frame, attr, args, keywords, node, receiver.framework)
    framework = receiver.framework or module_framework(frame)
    elementwise = not operation.signature and operation.op not in _SPECIAL
    reduction = operation.op in REDUCTIONS and args and ("axis" in keywords or args[0].op in COMPUTED)
    if (elementwise or reduction) and len(args) == 1 and vocabulary.function(f"numpy.{name}"):
        return _library(
            frame, f"numpy.{name}", args, keywords, node
        )  # `xp.exp(x)`: the receiver is a namespace of arrays
    operation = operation._replace(signature=("x", *operation.signature))
    value = apply(frame, operation, [receiver, *args], keywords, node, framework)
    if name.endswith("_"):
        _rebind(frame, node, value)
    return value


def _rebind(frame: Frame, node: ast.Call, value: Value) -> None:
    if isinstance(node.func, ast.Attribute):
        key = path_key(node.func.value)
        if key:
            frame.bind(key, value)


def _numeric(receiver: Value, name: str, args: list[Value]) -> bool:
    """Whether a method name on this receiver can mean the array operation."""
    if isinstance(receiver.constant, str) or receiver.op in ("tuple", "dict", "layer"):
        return False
    if name in ("log", "inv", "inverse") and args:
        return False  # a logger, a transformation
    if name == "split" and (not args or isinstance(args[0].constant, str)):
        return False  # of text
    return not (receiver.op == "list" and name in ("copy", "sort", "add"))


def module_framework(frame: Frame) -> str:
    """Framework that the module works in, where only one is imported."""
    roots = frame.module.roots
    found = {vocabulary.FRAMEWORKS[root] for root in roots if root in vocabulary.FRAMEWORKS} - {"python"}
    for name in ("torch", "tensorflow", "jax"):
        if name in found:
            return name
    return "numpy" if "numpy" in found else next(iter(found), "")


def _construct(frame: Frame, cls: ClassDefinition, args: list[Value], keywords: Keywords, node: ast.AST) -> Value:
    return frame.graph.raw("instance", tuple(args), (("class", cls), ("keywords", tuple(sorted(keywords)))))


def _instance_method(
    frame: Frame, receiver: Value, name: str, args: list[Value], keywords: Keywords, node: ast.AST
) -> Value:
    method = find_method(frame.analysis, receiver.attr("class"), name)
    if method is not None:
        return _inline_method(frame, receiver, method, args, keywords, node)
    attribute = attribute_of(frame, receiver, name)
    if attribute.op != "attr":
        return invoke(frame, attribute, args, keywords, node)
    if name in MOVES and "torch" in frame.module.roots:
        return receiver
    return opaque(frame, attribute, args, keywords, node)


def _call_instance(frame: Frame, receiver: Value, args: list[Value], keywords: Keywords, node: ast.AST) -> Value:
    cls = receiver.attr("class")
    for name in ("__call__", "forward", "call"):
        method = find_method(frame.analysis, cls, name) if cls is not None else None
        if method is not None:
            return _inline_method(frame, receiver, method, args, keywords, node)
    return opaque(frame, receiver, args, keywords, node)


def _is_super(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == "super"


def _super_call(frame: Frame, node: ast.Call) -> Value:
    args, keywords = arguments(frame, node)
    assert isinstance(node.func, ast.Attribute)
    if frame.owner is not None:
        for parent in lineage(frame.analysis, frame.owner)[1:]:
            method = parent.methods.get(node.func.attr)
            if method is not None:
                receiver = frame.env.get(frame.self_name) or frame.unknown("self")
                return _inline_method(frame, receiver, method, args, keywords, node)
    return opaque(frame, _ref(frame, f"super.{node.func.attr}"), args, keywords, node)


def _inline_method(
    frame: Frame, receiver: Value, method: Definition, args: list[Value], keywords: Keywords, node: ast.AST
) -> Value:
    closure = Closure(method, method.node, method.module, None, method.owner)
    if method.is_static:
        return inline(frame, closure, args, keywords, node)
    return inline(frame, closure, [receiver, *args], keywords, node, receiver=receiver)


def apply_layer(frame: Frame, layer: Value, args: list[Value], node: ast.AST) -> Value:
    """Value of calling a layer object, such as ``nn.Softmax(dim=1)``."""
    graph = frame.graph
    if not args:
        return frame.unknown("layer")
    kind = layer.attr("apply")
    value = args[0]
    if kind == "sequential":
        for inner in layer.args:
            value = invoke(frame, inner, [value], {}, node)
        return value
    attrs = (("axis", layer.attr("dim")),) if kind in ("softmax", "log_softmax") else ()
    if kind in ("bce", "bce_logits", "cross_entropy", "nll_loss", "mse"):
        return frame.emit(kind, tuple(args[:2]), node, (), layer.framework)
    if kind in ("linear", "leaky", "norm_layer"):
        value = graph.raw(kind, (value, layer), (), layer.framework)
    else:
        value = frame.emit(kind, (value,), node, attrs, layer.framework)
    then = layer.attr("then")
    if isinstance(then, Value):
        if isinstance(then.constant, str):
            operation = vocabulary.function(f"keras.activations.{then.constant}")
            return value if operation is None else frame.emit(operation.op, (value,), node, (), layer.framework)
        return invoke(frame, then, [value], {}, node)
    return value
