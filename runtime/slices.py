"""The flagged expression alone, as a function of what it reads.

A backward slice over the statements before it: an assignment, a masked store, a guard or
an ``if`` block that defines a needed name is kept, and what it reads is needed in turn.
Free names and attribute chains (``self.w``) become parameters; names of the module stay
what they are. Every node keeps its position, so the observed region is the same. The
longest slice comes first; each shorter one has its earliest statement cut off, down to
the expression itself, in which a call that cannot run becomes a parameter as well.
"""

from __future__ import annotations

import ast
import builtins
import copy
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .harness import Harness
from .instrument import OBSERVE, Observer, observing
from .loading import Loaded
from .observation import imports
from .stubs import installed
from .synthesis import default_dtype, imported, project_modules
from .synthesis.candidates import Slot, fill
from .synthesis.roles import role_of
from .synthesis.search import Assignment, Search, given, natural
from .synthesis.state import defaults
from .synthesis.use import chained, dotted, use_of
from .synthesis.values import received
from .target import Region, Role, Target

FUNCTION = "__numlint_slice__"
TRIALS = 60
SHORTEST, SHARE = 3, 0.6
"""So many of the shortest slices are always tried, for so many seconds each."""


def slices(loaded: Loaded, target: Target, seconds: float = 3.0, seed: int = 0) -> Iterator[Harness]:
    """Harnesses of slices that run, longest first.

    Parameters
    ----------
    loaded : Loaded
    target : Target
    seconds : float
        For the search of all.
    seed : int
    """
    observer = Observer()
    vars(loaded.module)[OBSERVE] = observer
    found = {ast.dump(cut.tree): cut for cut in cuts(loaded.source, loaded.path, target.region, vars(loaded.module))}
    todo = list(found.values())
    left = seconds
    failed = 0
    for place, cut in enumerate(todo):
        last = len(todo) - place <= SHORTEST
        if left <= 0 and not last:
            continue
        if cut.first < failed <= cut.line and not last:  # it stops where a longer one did
            continue
        started = time.process_time()
        share = SHARE if last else min(left / 2, 1.0)
        harness, stopped = _searched(cut, loaded, target, observer, share, seed)
        left -= time.process_time() - started  # what is done with a slice in between does not count
        if harness is not None:
            yield harness
        else:
            failed = stopped


class Cut:
    """One slice: statements, the names that it takes, and the tree that is compiled."""

    def __init__(self, statements: list[ast.stmt], paths: list[str], scope: ast.AST, line: int) -> None:
        self.paths = paths
        self.scope = scope
        self.line = line
        self.length = len(statements)
        self.first = min(getattr(item, "lineno", line) for item in statements)
        parameters = [ast.arg(_plain(path)) for path in paths]
        arguments = ast.arguments([], parameters, None, [], [], None, [])
        function = ast.FunctionDef(FUNCTION, arguments, [_Renamed(paths).visit(item) for item in statements], [])
        if hasattr(function, "type_params"):
            function.type_params = []
        self.tree = ast.fix_missing_locations(ast.Module([function], []))

    def function(self, path: str, names: dict[str, Any]) -> Any:
        """The slice compiled into a namespace."""
        local: dict[str, Any] = {}
        exec(compile(self.tree, path, "exec", dont_inherit=True), names, local)
        return local[FUNCTION]


def _plain(path: str) -> str:
    return "".join(letter if letter.isalnum() or letter == "_" else "_" for letter in path.replace(".", "__dot__"))


class _Renamed(ast.NodeTransformer):
    """Attribute chains and cut-off calls that are parameters become names."""

    def __init__(self, paths: list[str]) -> None:
        self.paths = set(paths)

    def visit(self, node: ast.AST) -> Any:
        path = dotted(node) or (ast.unparse(node) if isinstance(node, ast.Call) else "")
        if path in self.paths and not (isinstance(node, ast.Name) and path.isidentifier()):
            return ast.copy_location(ast.Name(_plain(path), getattr(node, "ctx", ast.Load())), node)
        return self.generic_visit(node)


def cuts(source: str, path: str, region: Region, names: dict[str, Any]) -> Iterator[Cut]:
    """Slices that end in the observed expression at `region`, longest first.

    Raises
    ------
    SyntaxError
    """
    tree = observing(region, source)(ast.parse(source, path))
    chain = _chain(tree)
    if not chain:
        return
    scope = next((node for node in reversed(chain) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))), tree)
    at_module = scope is tree
    statement = next(node for node in reversed(chain) if isinstance(node, ast.stmt))
    observed = next(node for node in reversed(chain) if _is_observed(node))
    endings: list[ast.expr] = [
        value for value in (getattr(statement, "value", None), observed) if isinstance(value, ast.expr)
    ]
    if not any(_is_observed(item) for item in ast.walk(endings[0])):
        endings = [item for item in (observed,) if isinstance(item, ast.expr)]
    preceding = _preceding(chain, scope)
    known = set(dir(builtins)) | (set() if at_module else set(names))
    imported_names = _imported_names(tree)
    known |= {name for name in imported_names if name in names}
    if at_module:
        known |= {name for name, value in names.items() if callable(value) or name.startswith("__")}
    kept = _needed(preceding, endings[0])
    for ending in dict.fromkeys(endings):
        relevant = kept if ending is endings[0] else _needed(preceding, ending)
        for start in range(len(relevant) + 1):
            yield _cut([*relevant[start:], _return(ending, statement)], known, scope, statement.lineno)
    bare = _return(endings[-1], statement)
    for calls in (_foreign_calls(bare, known), _opaque_calls(bare, known, names)):
        if calls and _are_independent(bare, calls, known):
            yield _cut([bare], known, scope, statement.lineno, calls)


def _return(value: ast.expr, statement: ast.stmt) -> ast.stmt:
    return ast.copy_location(ast.Return(value), statement)


def _is_observed(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == OBSERVE


def _chain(tree: ast.AST) -> list[ast.AST]:
    """Nodes from the module down to the observed expression."""
    if _is_observed(tree):
        return [tree]
    for child in ast.iter_child_nodes(tree):
        below = _chain(child)
        if below:
            return [tree, *below]
    return []


def _preceding(chain: list[ast.AST], scope: ast.AST) -> list[ast.stmt]:
    """Statements before the flagged one, in its block and in the blocks around it up to the function."""
    found: list[ast.stmt] = []
    inside = chain[chain.index(scope) :]
    for node, child in zip(inside, inside[1:]):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and child in block:
                found += block[: block.index(child)]
    return found


def _needed(preceding: list[ast.stmt], ending: ast.expr) -> list[ast.stmt]:
    """The statements that define, directly or through others, what the ending reads."""
    needed = _read(ending)
    kept: list[ast.stmt] = []
    for statement in reversed(preceding):
        if not isinstance(
            statement,
            (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.If, ast.For, ast.While, ast.With, ast.Expr, ast.Try),
        ):
            continue
        written = _written(statement)
        if not written & needed:
            continue
        if _leaves(statement):
            continue
        plain = isinstance(statement, ast.Assign) and all(isinstance(item, ast.Name) for item in statement.targets)
        if plain:
            needed -= written
        needed |= _read(statement)
        kept.insert(0, statement)
    return kept


def _leaves(statement: ast.stmt) -> bool:
    return any(isinstance(node, (ast.Return, ast.Yield, ast.YieldFrom, ast.Await)) for node in ast.walk(statement))


def _read(node: ast.AST) -> set[str]:
    found = set()
    for item in ast.walk(node):
        named = isinstance(item, (ast.Name, ast.Attribute, ast.Subscript)) and isinstance(item.ctx, ast.Load)
        if named and dotted(item):
            found.add(dotted(item))
    return found


MUTATING = frozenset("append extend add fill sort update insert add_ mul_ div_ sub_ clamp_ shuffle".split())


def _written(statement: ast.stmt) -> set[str]:
    """Names and attributes that a statement assigns, stores into or changes in place."""
    found: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Store):
            found.add(dotted(node))
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            inner = node.value
            while isinstance(inner, ast.Subscript):
                inner = inner.value
            found.add(dotted(inner))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATING:
            found.add(dotted(node.func.value))
        elif isinstance(node, ast.Call):
            found.update(dotted(keyword.value) for keyword in node.keywords if keyword.arg == "out")
    return found - {""}


def _imported_names(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
    return found


def _cut(statements: list[ast.stmt], known: set[str], scope: ast.AST, line: int, calls: list[str] | None = None) -> Cut:
    copies = [copy.deepcopy(item) for item in statements]
    return Cut(copies, [*(calls or ()), *_free(copies, known, set(calls or ()))], scope, line)


def _free(statements: list[ast.stmt], known: set[str], calls: set[str]) -> list[str]:
    """Names and attribute chains that the statements read before they define them."""
    defined: set[str] = set()
    free: dict[str, None] = {}

    def visit(node: ast.AST, inner: frozenset[str]) -> None:
        if isinstance(node, ast.Call) and ast.unparse(node) in calls:
            return
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
            for generator in node.generators:
                visit(generator.iter, inner)
                inner = inner | _stored(generator.target)
                for test in generator.ifs:
                    visit(test, inner)
            for part in ("key", "value", "elt"):
                if hasattr(node, part):
                    visit(getattr(node, part), inner)
            return
        if isinstance(node, ast.Lambda):
            own = frozenset(item.arg for item in [*node.args.args, *node.args.kwonlyargs])
            visit(node.body, inner | own)
            return
        if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)) and dotted(node):
            _name(node, inner)
            return
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
            if node.value is not None:
                visit(node.value, inner)
            if isinstance(node, ast.AugAssign):
                load = copy.copy(node.target)
                load.ctx = ast.Load()
                visit(load, inner)
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                visit(target, inner)
            return
        if isinstance(node, ast.For):
            visit(node.iter, inner)
            visit(node.target, inner)
            for item in [*node.body, *node.orelse]:
                visit(item, inner)
            return
        for child in ast.iter_child_nodes(node):
            visit(child, inner)

    def _name(node: Any, inner: frozenset[str]) -> None:
        path = dotted(node)
        chain = chained(path)
        root = chain[0]
        if isinstance(node.ctx, ast.Store):
            defined.add(path)
            return
        if root in inner or root in defined or root == OBSERVE or root in known:
            return
        if any("".join(chain[:count]) in defined for count in range(1, len(chain) + 1)):
            return
        free[_input(chain)] = None

    for statement in statements:
        visit(statement, frozenset())
    return list(free)


def _input(chain: list[str]) -> str:
    """The part of a chain that is a value of its own: ``self.w`` of ``self.w.T``, ``X`` of ``X.shape``."""
    from .synthesis.use import ARRAY_ATTRIBUTES, DICT_ATTRIBUTES, LIST_ATTRIBUTES, RANDOM_ATTRIBUTES, STRING_ATTRIBUTES

    methods = ARRAY_ATTRIBUTES | DICT_ATTRIBUTES | LIST_ATTRIBUTES | RANDOM_ATTRIBUTES | STRING_ATTRIBUTES
    start = 2 if chain[0] in ("self", "cls") and len(chain) > 1 else 1
    for place in range(start, len(chain)):
        if chain[place].lstrip(".") in methods:
            return "".join(chain[:place])
    return "".join(chain)


def _stored(target: ast.AST) -> frozenset[str]:
    return frozenset(item.id for item in ast.walk(target) if isinstance(item, ast.Name))


def _foreign_calls(statement: ast.stmt, known: set[str]) -> list[str]:
    """Calls of what the module does not define, such as ``self.forward(x)``: their values become parameters."""
    found: list[str] = []
    for node in ast.walk(statement):
        if isinstance(node, ast.Call) and not _is_observed(node):
            name = dotted(node.func)
            holds = any(_is_observed(item) for item in ast.walk(node))
            if name and not holds and name.split(".")[0] not in known and ast.unparse(node) not in found:
                found.append(ast.unparse(node))
    return found


def _are_independent(statement: ast.stmt, calls: list[str], known: set[str]) -> bool:
    """Whether no call reads what the rest, or another call, reads: ``w.sum()`` is nothing beside ``w``."""
    parts = [_values(ast.parse(call, mode="eval")) - known for call in calls]

    class Without(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> ast.AST:
            return ast.Constant(0) if ast.unparse(node) in calls else self.generic_visit(node)

    parts.append(_values(Without().visit(copy.deepcopy(statement))) - known)
    return all(not one & other for number, one in enumerate(parts) for other in parts[number + 1 :])


def _values(node: ast.AST) -> set[str]:
    """What a piece of code reads: names, and attributes of ``self`` up to their first."""
    found = set()
    for path in _read(node):
        chain = path.split(".")
        found.add(".".join(chain[:2]) if chain[0] in ("self", "cls") else chain[0])
    return found - {"self", "cls", OBSERVE}


EXACT = ("numpy", "math", "cmath", "builtins", "torch", "scipy.special", "scipy.linalg", "autograd", "jax")
"""Modules whose functions are mathematics, and keep what they are."""


def _opaque_calls(statement: ast.stmt, known: set[str], names: dict[str, Any]) -> list[str]:
    """Calls that are no mathematics that could be followed: models, densities of a library, methods of objects."""
    found = _foreign_calls(statement, known)
    for node in ast.walk(statement):
        if isinstance(node, ast.Call) and not any(_is_observed(item) for item in ast.walk(node)):
            path = dotted(node.func)
            root = path.split(".")[0]
            if root in names and not _is_mathematics(path, names) and ast.unparse(node) not in found:
                found.append(ast.unparse(node))
    return found


def _is_mathematics(path: str, names: dict[str, Any]) -> bool:
    """Whether what a path names in the module is a function of one of the modules in `EXACT`, or of the project."""
    value = names.get(path.split(".")[0])
    for part in path.split(".")[1:]:
        value = getattr(value, part, None)
    home = str(getattr(value, "__module__", None) or type(value).__module__)
    if isinstance(value, (np.ufunc, type)) or home == names.get("__name__"):
        return not _is_model(value)
    return any(home == name or home.startswith(f"{name}.") for name in EXACT) and not _is_model(value)


def _is_model(value: Any) -> bool:
    torch: Any = installed("torch")
    kind = getattr(getattr(torch, "nn", None), "Module", None)
    return isinstance(kind, type) and isinstance(value, kind)


RESULTS = (
    (r"(^|_)(log_?(pdf|pmf|prob|cdf|sf)|score)", "any", -np.inf, np.inf),
    (r"(pdf|density|likelihood)", "nonnegative", 0.0, np.inf),
    (r"(pmf|cdf|sf|proba?|probabilities|sigmoid|softmax|expit)$", "probability", 0.0, 1.0),
)
"""By the name of a function: what its results stand for."""


def _of_call(path: str) -> Role | None:
    """What the value of a call that became a parameter stands for."""
    name = path.partition("(")[0].rpartition(".")[2].lower()
    for pattern, kind, low, high in RESULTS:
        if re.search(pattern, name):
            return Role(kind, low, high, why=f"computed by {name}")
    return None


def _slots(cut: Cut, target: Target, tensors: bool, module: Any) -> list[Slot]:
    slots = []
    owner = getattr(module, target.qualname.split(".")[0], None)
    usual = defaults(owner) if isinstance(owner, type) else {}
    for path in cut.paths:
        role = target.roles.get(path) or (_of_call(path) if "(" in path else None)
        slot = Slot(path, path, use_of(path, cut.scope), role=role)
        slot.usual = usual.get(path[5:].strip("_")) if path.startswith("self.") else None
        slots.append(fill(slot, tensors))
    return slots


def _searched(
    cut: Cut, loaded: Loaded, target: Target, observer: Observer, seconds: float, seed: int
) -> tuple[Harness | None, int]:
    """The harness of a slice; else None, and the line at which its best call stopped."""
    try:
        function = cut.function(loaded.path, vars(loaded.module))
    except (SyntaxError, ValueError, TypeError):  # such as `nonlocal`, or a ``break`` without its loop
        return None, 0
    tensors = target.framework == "torch" or any(name.split(".")[0] == "torch" for name in imported(loaded.tree))
    slots = _slots(cut, target, tensors, loaded.module)
    search = Search(loaded, observer, seed, seconds)
    found = search.over(
        slots,
        lambda values: function(*[values[slot.name] for slot in slots]),
        limit=TRIALS + 20 * len(slots),
        tree=cut.scope,
    )
    if found is None or not found[1].finished:
        return None, search.best.line
    return _harness(cut, function, slots, found[0], loaded, target, observer, seed), 0


def _harness(
    cut: Cut,
    function: Any,
    slots: list[Slot],
    kinds: Assignment,
    loaded: Loaded,
    target: Target,
    observer: Observer,
    seed: int,
) -> Harness:
    numeric = [slot for slot in slots if kinds[slot.name].numeric]

    def drawn(seed: int) -> dict[str, Any]:
        return {slot.name: given(kinds[slot.name], slot, seed) for slot in numeric}

    roles = {slot.name: role_of(slot.path, kinds[slot.name], slot.role) for slot in numeric}

    def call(_: Any, inputs: dict[str, Any]) -> dict[str, Any]:
        arguments = []
        for slot in slots:
            kind = kinds[slot.name]
            if slot.name in inputs:
                arguments.append(received(copy.copy(inputs[slot.name]), kind.form))
            else:
                arguments.append(natural(kind, slot.name, seed, slot.use))
        with default_dtype(inputs):
            return {"return": function(*arguments)}

    lines = "expression" if cut.length == 1 else f"last {cut.length} statements up to the expression"
    harness = Harness(
        "slice",
        f"{lines} of line {cut.line}",
        drawn(seed),
        roles,
        lambda _: None,
        call,
        observer,
        project_modules(loaded, target),
        seed,
    )

    @contextmanager
    def rewritten(source: str, region: Region) -> Iterator[Harness | None]:
        yield _over(source, region, cut, slots, kinds, loaded, target, observer, seed)

    harness.redrawn = drawn
    harness.tensors = frozenset(name for name in harness.inputs if kinds[name].form == "tensor")
    harness.rewritten = rewritten
    return harness


def _over(
    source: str,
    region: Region,
    cut: Cut,
    slots: list[Slot],
    kinds: Assignment,
    loaded: Loaded,
    target: Target,
    observer: Observer,
    seed: int,
) -> Harness | None:
    """The same slice of another text of the module: the one that takes the same inputs, or fewer."""
    try:
        names = imports(source, loaded)
        vars(loaded.module).update({name: value for name, value in names.items() if name not in vars(loaded.module)})
        taken = {slot.path for slot in slots}
        fitting = [
            other for other in cuts(source, loaded.path, region, vars(loaded.module)) if set(other.paths) <= taken
        ]
        if not fitting:
            return None
        other = min(fitting, key=lambda item: (abs(item.length - cut.length), -len(item.paths)))
        function = other.function(loaded.path, vars(loaded.module))
    except ImportError:
        raise
    except Exception:
        return None
    by_path = {slot.path: slot for slot in slots}
    return _harness(other, function, [by_path[path] for path in other.paths], kinds, loaded, target, observer, seed)


__all__ = ["Cut", "cuts", "slices"]
