"""Names beyond the function: globals, imports, the project's modules, and attributes of objects."""

from __future__ import annotations

import ast

from numlint.graph import vocabulary
from numlint.graph.frame import Analysis, Closure, Frame
from numlint.graph.module import ClassDefinition, Definition, Module
from numlint.graph.value import Value

MAX_NESTED_METHODS = 6


def global_name(analysis: Analysis, module: Module, name: str) -> Value | None:
    """Value of a name at the top level of `module`, or None."""
    key = (module.path, name)
    if key in analysis.globals:
        return analysis.globals[key]
    analysis.globals[key] = None  # while it is being computed: a cycle is unknown
    value = _global_name(analysis, module, name)
    analysis.globals[key] = value
    return value


def _global_name(analysis: Analysis, module: Module, name: str) -> Value | None:
    graph = analysis.graph
    if name in module.functions and name not in module.assignments:
        return function_value(analysis, module.functions[name])
    if name in module.classes:
        return graph.raw("class", (), (("class", module.classes[name]),))
    if name in module.imports:
        dotted = module.imports[name]
        number = vocabulary.CONSTANTS.get(vocabulary.canonical_name(dotted))
        if number is not None:
            return graph.const(number)
        return resolve(analysis, module, dotted) or graph.raw("ref", (), (("name", dotted),))
    assigned = module.assignments.get(name)
    if assigned is not None:
        if len(assigned) == 1 and assigned[0] is not None:
            frame = Frame(analysis, module, None, {})
            return frame.expression(assigned[0])
        return None
    for origin in module.star_imports:
        if vocabulary.framework(origin):
            dotted = f"{origin}.{name}"
            if vocabulary.function(dotted) or vocabulary.canonical_name(dotted) in vocabulary.CONSTANTS:
                return graph.raw("ref", (), (("name", dotted),))
            continue
        target = analysis.project.find(origin, module.path)
        if target is not None and target is not module:
            value = global_name(analysis, target, name)
            if value is not None:
                return value
    return None


def function_value(analysis: Analysis, definition: Definition) -> Value:
    """Value of a function of the project."""
    value = analysis.closures.get(definition)
    if value is None:
        closure = Closure(definition, definition.node, definition.module, None, definition.owner)
        value = analysis.closures[definition] = analysis.graph.raw("function", (), (("closure", closure),))
    return value


def resolve(analysis: Analysis, module: Module, dotted: str) -> Value | None:
    """Value of a dotted name of the project's own code, or None for a library's."""
    if vocabulary.framework(dotted):
        return None
    parts = dotted.split(".")
    for size in range(len(parts) - 1, 0, -1):
        target = analysis.project.find(".".join(parts[:size]), module.path)
        if target is None:
            continue
        if target is module and size == len(parts):
            return None
        value = global_name(analysis, target, parts[size])
        if value is None or size + 1 == len(parts):
            return value
        return None
    return None


def attribute_of_class(analysis: Analysis, base: Value, attr: str) -> Value:
    """Value of an attribute of an object of the project: what its class's methods assign to it.

    When one method assigns it, the value that it leaves there; when several do, a
    ``join`` of them; otherwise a class constant, a method, or unknown.
    """
    graph = analysis.graph
    cls: ClassDefinition | None = base.attr("class")
    unknown = graph.raw("attr", (base,), (("name", attr),))
    if cls is None:
        return unknown
    for owner in lineage(analysis, cls):
        if attr in owner.methods and attr not in owner.assigning:
            method = owner.methods[attr]
            if method.is_property:
                return unknown
            return graph.raw("method", (base,), (("definition", method),))
        if attr in owner.assigning:
            return _assigned(analysis, owner, attr) or unknown
        if attr in owner.constants:
            return Frame(analysis, owner.module, None, {}).expression(owner.constants[attr])
    return unknown


def attribute_of_definition(analysis: Analysis, base: Value, attr: str) -> Value:
    """Value of an attribute of a class itself: a static method, a method of a class, a constant, or unknown."""
    graph = analysis.graph
    for owner in lineage(analysis, base.attr("class")):
        method = owner.methods.get(attr)
        if method is not None:
            if "classmethod" in method.decorators:
                return graph.raw("method", (base,), (("definition", method),))
            return function_value(analysis, method)
        if attr in owner.constants:
            return Frame(analysis, owner.module, None, {}).expression(owner.constants[attr])
    return graph.raw("attr", (base,), (("name", attr),))


def _assigned(analysis: Analysis, cls: ClassDefinition, attr: str) -> Value | None:
    key = (cls, attr)
    if key in analysis.attributes:
        return analysis.attributes[key]
    analysis.attributes[key] = None
    values: list[Value] = []
    for method in cls.assigning[attr][:4]:
        value = exit_environment(analysis, method).get(f"{receiver_name(method)}.{attr}")
        if value is None:
            if any(exits is None for exits in analysis.method_exits.values()):
                del analysis.attributes[key]  # asked for while methods are under way: it can be known later
            return None
        if value.constant is None and value.op == "const":
            continue  # `self.x = None` is a placeholder
        if value not in values:
            values.append(value)
    if not values or len(cls.assigning[attr]) > 4:
        return None
    result = values[0] if len(values) == 1 else analysis.graph.raw("join", tuple(values), (), values[0].framework)
    analysis.attributes[key] = result
    return result


def receiver_name(method: Definition) -> str:
    """Name of the first parameter of a method."""
    arguments = method.node.args.posonlyargs + method.node.args.args
    return arguments[0].arg if arguments else ""


def exit_environment(analysis: Analysis, method: Definition) -> dict[str, Value]:
    """Environment that a method leaves behind when its parameters are unknown; empty while recursive."""
    if method in analysis.method_exits:
        return analysis.method_exits[method] or {}
    if sum(exits is None for exits in analysis.method_exits.values()) > MAX_NESTED_METHODS:
        return {}
    analysis.method_exits[method] = None
    from numlint.graph.lowering import parameter_frame

    frame = parameter_frame(analysis, method)
    # What a method leaves does not depend on who asks: calls are inlined as deep as when it is analysed itself.
    outer, analysis.stack = analysis.stack, [method]
    try:
        frame.block(method.node.body)
    finally:
        analysis.stack = outer
    analysis.method_exits[method] = frame.env
    return frame.env


def lineage(analysis: Analysis, cls: ClassDefinition) -> list[ClassDefinition]:
    """Return the class and its bases within the project, nearest first."""
    found = [cls]
    for current in found:
        if len(found) > 8:
            break
        for base in current.node.bases:
            value: Value | None = None
            if isinstance(base, ast.Name):
                value = global_name(analysis, current.module, base.id)
            elif isinstance(base, ast.Attribute):
                value = Frame(analysis, current.module, None, {}).expression(base)
            if value is not None and value.op == "class":
                parent = value.attr("class")
                if parent not in found:
                    found.append(parent)
    return found


def find_method(analysis: Analysis, cls: ClassDefinition, name: str) -> Definition | None:
    """Return the method `name` of a class of the project, inherited ones included."""
    for owner in lineage(analysis, cls):
        if name in owner.methods:
            return owner.methods[name]
    return None
