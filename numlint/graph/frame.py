"""The state of lowering one function body: its environment, path and record.

Lowering is split over `expressions`, `calls` and `statements`; each registers a
function per kind of syntax node here, and a frame dispatches to them. A frame
belongs to an `Analysis`, which holds what is shared over one checked file: the
graph, the module and the caches of inlined calls and attributes.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from numlint.graph.module import ClassDefinition, Definition, Module
from numlint.graph.project import Project
from numlint.graph.value import Graph, Value

if TYPE_CHECKING:
    from numlint.graph.site import Loop, Site

MAX_INLINE_DEPTH = 4
MAX_INLINED_CALLS = 400


class Path:
    """What is known to hold at a place: a linked list of conditions, innermost first.

    ``kind`` is ``"cond"`` (`value` holds, or fails when not `holds`), ``"try"``
    (`names` are caught), or ``"with"`` (`value` is the context manager).
    """

    __slots__ = ("depth", "holds", "id", "kind", "names", "parent", "value")
    _count = 0

    def __init__(
        self,
        parent: Path | None,
        kind: str,
        value: Value | None = None,
        holds: bool = True,
        names: tuple[str, ...] = (),
    ) -> None:
        Path._count += 1
        self.id = Path._count
        self.parent = parent
        self.kind = kind
        self.value = value
        self.holds = holds
        self.names = names
        self.depth: int = parent.depth + 1 if parent else 1


class Return(NamedTuple):
    """A ``return`` with the conditions under which it is reached."""

    value: Value
    path: Path | None
    node: ast.AST


@dataclass(eq=False)
class Closure:
    """A function value: its syntax and the environment that it was defined in."""

    definition: Definition | None
    node: ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef
    module: Module
    env: dict[str, Value] | None = None
    owner: ClassDefinition | None = None


class Passed(NamedTuple):
    """The arguments of a call of one of the project's functions, and the conditions under which it is made."""

    args: tuple[Value, ...]
    keywords: dict[str, Value]
    path: Path | None


class Analysis:
    """What the lowering of one file shares."""

    def __init__(self, module: Module, project: Project | None = None) -> None:
        self.graph = Graph()
        self.module = module
        self.project = project or Project()
        self.inlined: dict[tuple[object, ...], Value] = {}
        self.globals: dict[tuple[str, str], Value | None] = {}
        self.method_exits: dict[Definition, dict[str, Value] | None] = {}
        self.attributes: dict[tuple[ClassDefinition, str], Value | None] = {}
        self.closures: dict[Definition, Value] = {}
        self.carried: dict[int, tuple[Value, Value]] = {}
        self.stack: list[object] = []
        self.inlined_calls = 0
        self.calls: dict[Definition, list[Passed]] = {}
        self.lowered: set[Definition | None] = set()
        self.mentions: dict[str, list[Definition | None]] | None = None
        self._assigned: dict[ast.AST, list[str]] = {}

    def assigned_in(self, loop: ast.AST, find: Callable[[], list[str]]) -> list[str]:
        """Names that a loop assigns, found once however often its function is inlined."""
        names = self._assigned.get(loop)
        if names is None:
            names = self._assigned[loop] = find()
        return names


@dataclass(eq=False)
class Frame:
    """One function body under lowering."""

    analysis: Analysis
    module: Module
    definition: Definition | None
    env: dict[str, Value]
    self_name: str = ""
    owner: ClassDefinition | None = None
    outer: dict[str, Value] | None = None
    sites: list[Site] | None = None
    inlined: list[Site] = field(default_factory=list)
    loops: list[Loop] | None = None
    path: Path | None = None
    returns: list[Return] = field(default_factory=list)
    bindings: dict[str, list[tuple[int, Value]]] | None = None
    global_names: set[str] = field(default_factory=set)
    loop_stack: list[Any] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)
    terminated: bool = False
    clock: int = 0
    root_node: ast.AST | None = None
    nodes: dict[ast.AST, Value] | None = None

    @property
    def graph(self) -> Graph:
        return self.analysis.graph

    def expression(self, node: ast.AST | None) -> Value:
        """Lower an expression."""
        if node is None:
            return self.graph.const(None)
        lowering = EXPRESSIONS.get(type(node))
        if lowering is None:
            return self.unknown("syntax")
        value: Value = lowering(self, node)
        if self.nodes is not None:
            self.nodes[node] = value
        return value

    def block(self, body: list[ast.stmt]) -> None:
        """Lower statements in order, until one leaves the block."""
        for statement in body:
            if self.terminated:
                return
            lowering = STATEMENTS.get(type(statement))
            if lowering is not None:
                lowering(self, statement)

    def unknown(self, why: str) -> Value:
        """Value of which nothing is known."""
        return self.graph.fresh("unknown", why=why)

    def emit(
        self,
        op: str,
        args: tuple[Value, ...],
        node: ast.AST,
        attrs: tuple[tuple[str, Any], ...] = (),
        framework: str = "",
    ) -> Value:
        """Create the value of an operation at `node` and record the site."""
        if not framework:
            for argument in args:
                if argument.framework:
                    framework = argument.framework
                    break
        value = self.graph.make(op, args, attrs, framework)
        if self.sites is not None:
            from numlint.graph.site import Site

            self.clock += 1
            known = framework or value.framework
            self.sites.append(Site(value, node, self.path, self.clock, known, tuple(self.loop_stack)))
        return value

    def inline_site(self, value: Value, node: ast.AST) -> None:
        """Record that a call at `node` was replaced by what the called function returns."""
        if self.sites is not None:
            from numlint.graph.site import Site

            self.clock += 1
            self.inlined.append(Site(value, node, self.path, self.clock, value.framework, tuple(self.loop_stack)))

    def bind(self, name: str, value: Value) -> None:
        """Bind a local name, or a dotted attribute path, to a value."""
        self.env[name] = value
        if "." in name or "[" in name:
            self.paths.add(name)
        if self.bindings is not None:
            self.clock += 1
            self.bindings.setdefault(name, []).append((self.clock, value))

    def assume(self, value: Value, holds: bool = True) -> None:
        """From here on, `value` is known to be true (or false)."""
        if value.op != "const":
            self.path = Path(self.path, "cond", value, holds)


Lowering = Callable[[Frame, Any], Any]
EXPRESSIONS: dict[type[ast.AST], Lowering] = {}
STATEMENTS: dict[type[ast.AST], Lowering] = {}


def lowers(*kinds: type[ast.AST]) -> Callable[[Lowering], Lowering]:
    """Register the function that lowers a kind of expression or statement."""

    def register(function: Lowering) -> Lowering:
        for kind in kinds:
            (STATEMENTS if issubclass(kind, ast.stmt) else EXPRESSIONS)[kind] = function
        return function

    return register
