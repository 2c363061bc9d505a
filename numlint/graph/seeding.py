"""Seeding: which global generators a module seeds, and on whose behalf.

A draw from a global generator is repeatable when something seeds it first: the same
function, a caller of it in the module, a method of the same class, or what runs when
the module is run or imported (its top level, ``main()``, a project's ``set_seed``).
Calls are followed by name, through the module and into the project's own modules. A
function that seeds only ``if seed is not None`` seeds for those callers that pass one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from weakref import WeakKeyDictionary

from numlint.graph import vocabulary
from numlint.graph.module import ClassDefinition, Definition, Module
from numlint.graph.names import receiver_name
from numlint.graph.project import Project
from numlint.graph.randomness import ARGUMENTS, GENERATORS, source_of

ALL = frozenset({"numpy", "python", "torch", "tensorflow"})

SEEDERS = """
numpy: numpy.random.seed numpy.random.set_state
python: random.seed random.setstate
torch: torch.manual_seed torch.random.manual_seed torch.set_rng_state torch.random.set_rng_state
torch: torch.cuda.manual_seed torch.cuda.manual_seed_all torch.cuda.set_rng_state
tensorflow: tensorflow.set_random_seed tensorflow.random.set_random_seed tensorflow.random.set_seed
all: keras.utils.set_random_seed tensorflow.keras.utils.set_random_seed pyro.set_rng_seed monai.utils.set_determinism
all: pytorch_lightning.seed_everything lightning.seed_everything lightning.pytorch.seed_everything
all: lightning_fabric.seed_everything
all: transformers.set_seed transformers.trainer_utils.set_seed accelerate.utils.set_seed accelerate.set_seed
all: stable_baselines3.common.utils.set_random_seed fastai.torch_core.set_seed fastai.basics.set_seed
all: fastai.vision.all.set_seed
"""
"""Library functions that seed global generators: which, and the dotted names."""

CLOCKS = frozenset(
    "time.time time.time_ns time.perf_counter datetime.datetime.now os.urandom os.getpid uuid.uuid4".split()
)
"""Calls whose result differs from run to run: what they seed is not repeatable."""

GRADIENTS = frozenset("backward minimize apply_gradients compute_gradients fit train_on_batch".split())
"""Methods by which a script trains a model."""

RESEEDING = frozenset({"seed", "manual_seed", "set_seed"})
"""Methods by which a generator object is given a seed."""

MAKERS = frozenset(GENERATORS) | {
    "sklearn.utils.check_random_state",
    "jax.random.PRNGKey",
    "jax.random.key",
    "numpy.random.SeedSequence",
}
"""What makes a generator from a seed."""

MAX_CALL_DEPTH = 6


class Seed(NamedTuple):
    """A seeding call: which generators, and the parameter (None by default) that it depends on."""

    sources: frozenset[str]
    parameter: str = ""


@dataclass(eq=False)
class _Scope:
    """What a function body, or the top level, does itself."""

    seeds: list[Seed] = field(default_factory=list)
    seeders: list[ast.Call] = field(default_factory=list)
    calls: list[ast.Call] = field(default_factory=list)
    draws: set[str] = field(default_factory=set)
    learns: bool = False


def _table() -> dict[str, frozenset[str]]:
    table: dict[str, frozenset[str]] = {}
    for line in SEEDERS.strip().splitlines():
        source, _, names = line.partition(":")
        for name in names.split():
            table[name] = ALL if source == "all" else frozenset({source})
    return table


_SEEDERS = _table()
_KNOWN: WeakKeyDictionary[Module, Seeding] = WeakKeyDictionary()


def seeder(dotted: str) -> frozenset[str]:
    """Return the generators that the library function `dotted` seeds."""
    return _SEEDERS.get(vocabulary.canonical_name(dotted), frozenset())


def dotted_name(module: Module, node: ast.AST) -> str:
    """Dotted name of a library or project object that an expression refers to by import, or ``""``."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    root = module.imports.get(node.id) if isinstance(node, ast.Name) else None
    return ".".join([root, *reversed(parts)]) if root else ""


def seeding(module: Module, project: Project) -> Seeding:
    """Return what `module` seeds; computed once."""
    known = _KNOWN.get(module)
    if known is None:
        known = _KNOWN[module] = Seeding(module, project)
    return known


class Seeding:
    """The seeding calls of one module, and who runs them.

    Parameters
    ----------
    module : Module
    project : Project
        Where imported functions are looked up.
    """

    def __init__(self, module: Module, project: Project) -> None:
        self.module = module
        self.project = project
        self._nested: dict[tuple[Definition | None, str], Definition] = {
            (item.parent, item.node.name): item for item in module.definitions if item.parent is not None
        }
        self._scopes: dict[Definition | None, _Scope] = {None: self._scope(None, module.tree.body)}
        for definition in module.definitions:
            self._scopes[definition] = self._scope(definition, definition.node.body)
        self._callers: dict[Definition, set[Definition | None]] = {}
        for caller, scope in self._scopes.items():
            for call in scope.calls:
                for callee in self._local(caller, call.func):
                    self._callers.setdefault(callee, set()).add(caller)
        self._at_import: frozenset[str] | None = None

    # -- questions ----------------------------------------------------------------------

    def at_import(self, depth: int = 0) -> frozenset[str]:
        """Generators seeded when the module is run, or when it is imported."""
        if self._at_import is None:
            self._at_import = frozenset()  # while it is being computed: modules may import each other
            found = self._performed(None, None, depth, set())
            if depth < 2:
                for imported in self._imported():
                    found |= seeding(imported, self.project).at_import(depth + 1)
            self._at_import = found
        return self._at_import

    def before(self, definition: Definition | None) -> frozenset[str]:
        """Generators seeded for the body of `definition`: by itself, its callers, its class, or the module."""
        found = self.at_import()
        for scope in self._around(definition):
            found |= self._performed(scope, None, 0, set())
        return found

    def runs(self, definition: Definition | None) -> bool:
        """Whether running the module as a script reaches `definition`."""
        return None in self._around(definition, mates=False)

    @property
    def learns(self) -> bool:
        """Whether the module trains a model."""
        return any(scope.learns for scope in self._scopes.values())

    def draws_first(self, definition: Definition | None, source: str) -> bool:
        """Whether `definition` is where a script draws from `source` first; its top level counts as first."""
        reached = (scope for scope, own in self._scopes.items() if source in own.draws and self.runs(scope))
        return next(reached, definition) is definition

    def seed_arguments(self, definition: Definition | None, depth: int = 0) -> Iterator[tuple[ast.Call, ast.expr]]:
        """Calls of a body that take a seed, with the argument.

        Seeders, generators, calls with ``random_state=``, and functions of the project that seed.
        """
        scope = self._scopes.get(definition)
        if scope is None or depth > 2:
            return
        for call in scope.seeders:
            yield call, call.args[0]
        for call in scope.calls:
            if not call.args and not call.keywords:
                continue
            known = self._seed_parameters(definition, call, depth)
            yield from ((call, argument) for index, argument in enumerate(call.args) if index in known.values())
            yield from ((call, item.value) for item in call.keywords if item.arg in ARGUMENTS or item.arg in known)

    def _seed_parameters(self, definition: Definition | None, call: ast.Call, depth: int) -> dict[str, int]:
        """Parameters by which a function of the project takes a seed, with their positions in the call."""
        found: dict[str, int] = {}
        for seeds, callee in self._callees(definition, call):
            arguments = callee.node.args
            names = [item.arg for item in arguments.posonlyargs + arguments.args]
            every = {*names, *(item.arg for item in arguments.kwonlyargs)}
            bound = 1 if callee.owner is not None and not callee.is_static else 0
            for _, argument in seeds.seed_arguments(callee, depth + 1):
                if isinstance(argument, ast.Name) and argument.id in every:
                    found[argument.id] = names.index(argument.id) - bound if argument.id in names else -1
        return found

    # -- how they are answered ----------------------------------------------------------

    def _around(self, definition: Definition | None, *, mates: bool = True) -> set[Definition | None]:
        """`definition`, its callers, the functions that enclose them, and the methods of their classes."""
        found: set[Definition | None] = {definition}
        queue = [definition]
        for current in queue:
            if current is None:
                continue
            near: set[Definition | None] = set(self._callers.get(current, ()))
            if current.parent is not None:
                near.add(current.parent)
            if mates and current.owner is not None:
                near.update(method for cls in self._lineage(current.owner) for method in cls.methods.values())
            queue.extend(near - found)
            found |= near
        return found

    def _lineage(self, cls: ClassDefinition) -> Iterator[ClassDefinition]:
        yield cls
        for base in cls.node.bases:
            parent = self.module.classes.get(base.id) if isinstance(base, ast.Name) else None
            if parent is not None and parent is not cls:
                yield parent

    def _scope(self, definition: Definition | None, body: list[ast.stmt]) -> _Scope:
        scope = _Scope()
        optional = _optional_parameters(definition)
        stack: list[ast.AST] = list(body)
        while stack:
            node = stack.pop()
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            if isinstance(node, ast.Call):
                dotted = dotted_name(self.module, node.func)
                sources = seeder(dotted)
                method = node.func.attr if isinstance(node.func, ast.Attribute) and not dotted else ""
                if node.args and (sources or vocabulary.canonical_name(dotted) in MAKERS or method in RESEEDING):
                    scope.seeders.append(node)
                if not sources:
                    scope.calls.append(node)
                    scope.draws.add(source_of(vocabulary.canonical_name(dotted)))
                    scope.learns |= isinstance(node.func, ast.Attribute) and node.func.attr in GRADIENTS
                elif self._repeatable(node):
                    names = {argument.id for argument in node.args[:1] if isinstance(argument, ast.Name)}
                    scope.seeds.append(Seed(sources, next(iter(names & optional), "")))
            stack.extend(ast.iter_child_nodes(node))
        return scope

    def _repeatable(self, call: ast.Call) -> bool:
        """Whether a seeding call is given a seed, and not the time of day."""
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        if not arguments or _is_none(arguments[0]):
            return False
        inner = [node for argument in arguments for node in ast.walk(argument) if isinstance(node, ast.Call)]
        return not any(dotted_name(self.module, node.func) in CLOCKS for node in inner)

    def _performed(
        self, definition: Definition | None, call: ast.Call | None, depth: int, active: set[Definition | None]
    ) -> frozenset[str]:
        """Generators that a call of `definition` seeds; of any call when `call` is None."""
        scope = self._scopes.get(definition)
        if scope is None or definition in active or depth > MAX_CALL_DEPTH:
            return frozenset()
        active = active | {definition}
        found: set[str] = set()
        for seed in scope.seeds:
            if call is None or not seed.parameter or _passes(call, seed.parameter, definition):
                found |= seed.sources
        for inner in scope.calls:
            if found >= ALL:
                break
            for seeds, callee in self._callees(definition, inner):
                found |= seeds._performed(callee, inner, depth + 1, active)
        return frozenset(found)

    def _local(self, definition: Definition | None, callee: ast.expr) -> Iterator[Definition]:
        """Functions of this module that a call by this expression runs."""
        if isinstance(callee, ast.Name):
            nested = self._nested.get((definition, callee.id))
            if nested is not None:
                yield nested
            elif callee.id in self.module.functions:
                yield self.module.functions[callee.id]
            elif callee.id in self.module.classes and "__init__" in self.module.classes[callee.id].methods:
                yield self.module.classes[callee.id].methods["__init__"]
        elif isinstance(callee, ast.Attribute) and isinstance(callee.value, ast.Name):
            owner = definition.owner if definition is not None else None
            own = owner is not None and definition is not None and callee.value.id == receiver_name(definition)
            cls = owner if own else self.module.classes.get(callee.value.id)
            for near in self._lineage(cls) if cls is not None else ():
                if callee.attr in near.methods:
                    yield near.methods[callee.attr]
                    return

    def _callees(self, definition: Definition | None, call: ast.Call) -> Iterator[tuple[Seeding, Definition]]:
        """Functions that a call runs, in this module or another one of the project."""
        for callee in self._local(definition, call.func):
            yield self, callee
        dotted = dotted_name(self.module, call.func)
        if not dotted or vocabulary.framework(dotted):
            return
        prefix, _, name = dotted.rpartition(".")
        target = self.project.find(prefix, self.module.path) if prefix else None
        for _ in range(3):  # a name may be passed on by the package's __init__
            if target is None or name in target.functions or name not in target.imports:
                break
            prefix, _, name = target.imports[name].rpartition(".")
            target = self.project.find(prefix, target.path)
        if target is not None and target is not self.module and name in target.functions:
            yield seeding(target, self.project), target.functions[name]

    def _imported(self) -> Iterator[Module]:
        """Modules of the project that this one imports at the top level."""
        seen: set[str] = set()
        for dotted in self.module.imports.values():
            if vocabulary.framework(dotted):
                continue
            for name in (dotted, dotted.rpartition(".")[0]):
                if not name or name in seen:
                    continue
                seen.add(name)
                target = self.project.find(name, self.module.path)
                if target is not None and target is not self.module:
                    yield target


def _optional_parameters(definition: Definition | None) -> frozenset[str]:
    """Parameters whose default is None."""
    if definition is None:
        return frozenset()
    arguments = definition.node.args
    positional = (arguments.posonlyargs + arguments.args)[::-1]
    pairs = [*zip(positional, arguments.defaults[::-1], strict=False)]
    pairs += [(p, d) for p, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None]
    return frozenset(parameter.arg for parameter, default in pairs if _is_none(default))


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _passes(call: ast.Call, parameter: str, definition: Definition | None) -> bool:
    """Whether a call gives `parameter`."""
    if definition is None or any(keyword.arg in (parameter, None) for keyword in call.keywords):
        return True
    arguments = definition.node.args
    names = [item.arg for item in arguments.posonlyargs + arguments.args]
    if parameter not in names:
        return False
    bound = definition.owner is not None and not definition.is_static
    given = len(call.args) + (1 if bound else 0)
    return names.index(parameter) < given or any(isinstance(argument, ast.Starred) for argument in call.args)
