"""Seeding: which global generators a module seeds, and on whose behalf.

A draw from a global generator is repeatable when something seeds it first: the same
function, a caller of it in the module, a method of the same class, or what runs when
the module is run or imported (its top level, ``main()``, a project's ``set_seed``).
Calls are followed by name, through the module and into the project's own modules. A
function that seeds only ``if seed is not None`` seeds for those callers that pass one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple
from weakref import WeakKeyDictionary

from numlint.graph import vocabulary
from numlint.graph.module import ClassDefinition, Definition, Module
from numlint.graph.names import receiver_name
from numlint.graph.project import Project
from numlint.graph.randomness import ARGUMENTS, GENERATORS, source_of

ALL = frozenset({"numpy", "python", "torch", "tensorflow"})
"""The global generators."""

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

MAX_IMPORT_DEPTH = 3


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
        self._scopes: dict[Definition | None, _Scope] = {}
        self._effects: dict[Definition | None, frozenset[Seed]] = {}
        self._foreign: dict[str, tuple[Seeding, Definition] | None] = {}
        self._at_import: frozenset[str] | None = None

    # -- questions ----------------------------------------------------------------------

    def at_import(self, depth: int = 0) -> frozenset[str]:
        """Generators seeded when the module is run, or when it is imported."""
        if self._at_import is None:
            self._at_import = frozenset()  # while it is being computed: modules may import each other
            found = _sources(self.effects(None))
            if depth < MAX_IMPORT_DEPTH:
                for imported in self._imported():
                    found |= seeding(imported, self.project).at_import(depth + 1)
            self._at_import = found
        return self._at_import

    def before(self, definition: Definition | None) -> frozenset[str]:
        """Generators seeded for the body of `definition`: by itself, its callers, its class, or the module."""
        found = self.at_import()
        for scope in self._around(definition):
            found |= _sources(self.effects(scope))
        return found

    def runs(self, definition: Definition | None) -> bool:
        """Whether running the module as a script reaches `definition`."""
        return None in self._around(definition, mates=False)

    @property
    def learns(self) -> bool:
        """Whether the module trains a model."""
        return any(self._scope(definition).learns for definition in (None, *self.module.definitions))

    def draws_first(self, definition: Definition | None, source: str) -> bool:
        """Whether `definition` is where a script draws from `source` first; its top level counts as first."""
        every = (None, *self.module.definitions)
        drawing = (scope for scope in every if source in self._scope(scope).draws and self.runs(scope))
        return next(drawing, definition) is definition

    def seed_arguments(self, definition: Definition | None, depth: int = 0) -> Iterator[tuple[ast.Call, ast.expr]]:
        """Calls of a body that take a seed, with the argument.

        Seeders, generators, calls with ``random_state=``, and functions of the project that seed.
        """
        scope = self._scope(definition)
        for call in scope.seeders:
            yield call, call.args[0]
        for call in scope.calls:
            if not call.args and not call.keywords:
                continue
            known = self._seed_parameters(definition, call, depth) if depth < MAX_IMPORT_DEPTH else {}
            yield from ((call, argument) for index, argument in enumerate(call.args) if index in known.values())
            yield from ((call, item.value) for item in call.keywords if item.arg in ARGUMENTS or item.arg in known)

    def effects(self, definition: Definition | None) -> frozenset[Seed]:
        """Return what a call of `definition` seeds, itself and through what it calls."""
        known = self._effects.get(definition)
        if known is None:
            self._effects[definition] = frozenset()  # while it is being computed: functions may call each other
            scope = self._scope(definition)
            found = set(scope.seeds)
            for call in scope.calls:
                for seeds, callee in self._callees(definition, call):
                    found.update(_passed_on(seeds.effects(callee), call, callee, _optional_parameters(definition)))
            known = self._effects[definition] = frozenset(found)
        return known

    # -- how they are answered ----------------------------------------------------------

    def _seed_parameters(self, definition: Definition | None, call: ast.Call, depth: int) -> dict[str, int]:
        """Parameters by which a function of the project takes a seed, with their positions in the call."""
        found: dict[str, int] = {}
        for seeds, callee in self._callees(definition, call):
            positions = _positions(callee)
            for _, argument in seeds.seed_arguments(callee, depth + 1):
                if isinstance(argument, ast.Name) and argument.id in positions:
                    found[argument.id] = positions[argument.id]
        return found

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

    @cached_property
    def _callers(self) -> dict[Definition, set[Definition | None]]:
        found: dict[Definition, set[Definition | None]] = {}
        for caller in (None, *self.module.definitions):
            for call in self._scope(caller).calls:
                for callee in self._local(caller, call.func):
                    found.setdefault(callee, set()).add(caller)
        return found

    @cached_property
    def _nested(self) -> dict[tuple[Definition | None, str], Definition]:
        """Functions within functions."""
        inner = (item for item in self.module.definitions if item.parent is not None)
        return {(item.parent, item.node.name): item for item in inner}

    def _lineage(self, cls: ClassDefinition) -> Iterator[ClassDefinition]:
        yield cls
        for base in cls.node.bases:
            parent = self.module.classes.get(base.id) if isinstance(base, ast.Name) else None
            if parent is not None and parent is not cls:
                yield parent

    def _scope(self, definition: Definition | None) -> _Scope:
        scope = self._scopes.get(definition)
        if scope is None:
            body = definition.node.body if definition is not None else self.module.tree.body
            scope = self._scopes[definition] = _Scope()
            optional = _optional_parameters(definition)
            for node in own_nodes(body):
                if isinstance(node, ast.Call):
                    self._record(scope, node, optional)
        return scope

    def _record(self, scope: _Scope, call: ast.Call, optional: frozenset[str]) -> None:
        dotted = vocabulary.canonical_name(dotted_name(self.module, call.func))
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        sources = seeder(dotted)
        if call.args and (sources or dotted in MAKERS or (not dotted and method in RESEEDING)):
            scope.seeders.append(call)
        if not sources:
            scope.calls.append(call)
            scope.draws.add(source_of(dotted))
            scope.learns |= method in GRADIENTS
        elif self._repeatable(call):
            given = call.args[0] if call.args else None
            parameter = given.id if isinstance(given, ast.Name) and given.id in optional else ""
            scope.seeds.append(Seed(sources, parameter))

    def _repeatable(self, call: ast.Call) -> bool:
        """Whether a seeding call is given a seed, and not the time of day."""
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        if not arguments or _is_none(arguments[0]):
            return False
        inner = [node for argument in arguments for node in ast.walk(argument) if isinstance(node, ast.Call)]
        return not any(dotted_name(self.module, node.func) in CLOCKS for node in inner)

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
        if dotted and not vocabulary.framework(dotted):
            if dotted not in self._foreign:
                self._foreign[dotted] = self._elsewhere(dotted)
            found = self._foreign[dotted]
            if found is not None:
                yield found

    def _elsewhere(self, dotted: str) -> tuple[Seeding, Definition] | None:
        prefix, _, name = dotted.rpartition(".")
        target = self.project.find(prefix, self.module.path) if prefix else None
        for _ in range(MAX_IMPORT_DEPTH):  # a name may be passed on by the package's __init__
            if target is None or name in target.functions or name not in target.imports:
                break
            prefix, _, name = target.imports[name].rpartition(".")
            target = self.project.find(prefix, target.path)
        if target is None or target is self.module or name not in target.functions:
            return None
        return seeding(target, self.project), target.functions[name]

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


def _sources(seeds: Iterable[Seed]) -> frozenset[str]:
    return frozenset().union(*(seed.sources for seed in seeds))


def _passed_on(seeds: Iterable[Seed], call: ast.Call, callee: Definition, optional: frozenset[str]) -> Iterator[Seed]:
    """What a caller seeds by calling `callee`: a seed that depends on a parameter counts when one is passed."""
    for seed in seeds:
        if not seed.parameter:
            yield seed
            continue
        given = _given(call, seed.parameter, callee)
        if given is not None and not _is_none(given):
            name = given.id if isinstance(given, ast.Name) else ""
            yield Seed(seed.sources, name if name in optional else "")


def _given(call: ast.Call, parameter: str, callee: Definition) -> ast.expr | None:
    """Argument that a call passes for a parameter."""
    position = _positions(callee).get(parameter, -1)
    if 0 <= position < len(call.args):
        return call.args[position]
    named = next((item.value for item in call.keywords if item.arg in (parameter, None)), None)
    starred = next((item for item in call.args if isinstance(item, ast.Starred)), None)
    return named if named is not None else starred


def _positions(callee: Definition) -> dict[str, int]:
    """Parameters of a function and their positions in a call; -1 for those given by name alone."""
    arguments = callee.node.args
    names = [item.arg for item in arguments.posonlyargs + arguments.args]
    bound = 1 if callee.owner is not None and not callee.is_static else 0
    found = {item.arg: -1 for item in arguments.kwonlyargs}
    found.update((name, index - bound) for index, name in enumerate(names))
    return found


def own_nodes(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Iterate over the nodes of a body, names, literals, and functions within it left out."""
    stack = list(body)
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.Name, ast.Constant, ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        yield node
        # ast.iter_child_nodes, without its two generators: this runs over whole modules.
        for name in node._fields:
            child = getattr(node, name, None)
            if isinstance(child, list):
                stack += [item for item in child if isinstance(item, ast.AST)]
            elif isinstance(child, ast.AST):
                stack.append(child)
