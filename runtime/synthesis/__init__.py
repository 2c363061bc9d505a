"""Arguments for a function that nobody has called: found by search, brought into a harness.

The outermost function that holds the flagged expression is called: a function directly, a
method on an object that the planner built and brought into the needed state, a nested
function through the one around it. When that does not succeed, its callers in the same
module are tried, and then a bare object whose attributes are inputs. Success means that
the flagged expression was evaluated.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from ..harness import Harness
from ..loading import Loaded
from ..observation import install, rewritten
from ..stubs import installed
from ..target import Target
from .candidates import Slot, fill, slots_of
from .outputs import attributes, gathered
from .roles import role_of
from .search import Search, Trial, assembled, given, natural
from .state import Plan, Planner, Step, classes_for, copied, node_of, passed, preparations
from .use import guards
from .values import ABSENT, Kind, number, received

DEPTH = 2
LOOPING = ("premature-stop", "never-stops")
"""Failures of a loop, which a single evaluation of its test cannot show."""
QUICK = 0.01
FEW = number(5, "size")
REPEATING = re.compile(r"(?i)iter|epoch|step|round|draw|repeat|trees|estimators|generations|episodes|sweeps|restarts")
MANY = 48
"""Samples for a loop: fewer are fitted exactly, and the iteration has no way to go."""


@dataclass(frozen=True)
class Failure:
    """Why no harness was found, and the one line that would help."""

    reason: str
    remedy: str


def synthesise(loaded: Loaded, target: Target, session_seconds: float = 4.0, seed: int = 0) -> Harness | Failure:
    """A harness for the whole function.

    Parameters
    ----------
    loaded : Loaded
    target : Target
    session_seconds : float
        For the search.
    seed : int
    """
    remedy = "numlint record -- pytest"
    observer, functions = install(loaded, target)
    if not functions:
        reason = (
            "it is code of a module, not of a function"
            if not target.qualname
            else "the function does not exist after loading"
        )
        return Failure(reason, remedy)
    search = Search(loaded, observer, seed, session_seconds)
    if target.signature in LOOPING:
        search.rows, search.patience = MANY, 1.5
    with repaired_default_dtype():
        synthesis = Synthesis(loaded, target, search, functions)
        plan = synthesis.plan()
    if plan is None:
        best = search.best
        where = f" at line {best.line}" if best.line else ""
        reason = f"{best.message}{where}" if best.message else "no call evaluates the flagged expression"
        return Failure(f"{reason} ({search.trials} calls tried)", remedy)
    return synthesis.quickened(plan)


class Synthesis:
    """The synthesis of one target."""

    def __init__(self, loaded: Loaded, target: Target, search: Search, functions: list[FunctionType]) -> None:
        self.loaded = loaded
        self.target = target
        self.search = search
        self.functions = functions
        self.function = functions[0]
        node = node_of(loaded.tree, self.function)
        search.guards = guards(node, target.region.line) if node is not None else frozenset()
        self.ready: list[tuple[Step, dict[str, Any]]] = []
        tensors = target.framework == "torch" or "torch" in {name.partition(".")[0] for name in imported(loaded.tree)}
        self.planner = Planner(loaded.tree, target.roles, tensors)
        self.owner, self.name = self._owner()

    def _owner(self) -> tuple[type | None, str]:
        """The class that the function is defined in, or None; and its name there."""
        holder: Any = self.loaded.module
        parts = self.function.__qualname__.split(".")
        for part in parts[:-1]:
            holder = getattr(holder, part, None)
        return (holder if inspect.isclass(holder) else None), parts[-1]

    def plan(self) -> Plan | None:
        """Steps that end in the evaluation of the flagged expression; those of a call that returns before others."""
        kept: Plan | None = None
        for attempt in self._ways():
            if kept is not None and self.search.left() <= 0:
                break
            plan = attempt()
            if plan is not None and plan.finished:
                return plan
            kept = kept or plan
        return kept

    def _ways(self) -> Iterator[Callable[[], Plan | None]]:
        """Ways to call the target, the most direct first; a test that is not in the loop which it ends comes last."""
        if self.target.signature in LOOPING and not self._in_loop():
            yield lambda: self._through_callers(looping=True)
        if self.owner is None:
            yield lambda: self._call_function(self.function)
        else:
            yield from self._on_class(self.owner)
        yield self._through_callers

    def _on_class(self, owner: type) -> Iterator[Callable[[], Plan | None]]:
        static = inspect.getattr_static(owner, self.name, None)
        if self.name in ("__init__", "__new__"):
            for kind in classes_for(owner, self.name):
                yield partial(self._finish, Plan(words=kind.__name__), self.planner.construct(kind), None)
        elif isinstance(static, (staticmethod, classmethod)):
            yield lambda: self._call_function(getattr(owner, self.name), f"{owner.__name__}.")
            return
        else:
            kinds = classes_for(owner, self.name)
            for place, kind in enumerate(kinds):
                yield partial(self._shared, kind, static, 1 / (len(kinds) - place + 1))
        yield lambda: self._bare_plan(static)

    def _shared(self, kind: type, static: Any, share: float) -> Plan | None:
        with self.search.share(share):
            return self._on_object(kind, static)

    def _in_loop(self) -> bool:
        """Whether a loop of the function itself holds the flagged expression."""
        node = node_of(self.loaded.tree, self.function)
        return node is not None and any(
            isinstance(item, (ast.For, ast.While)) and item.lineno <= self.target.region.line <= (item.end_lineno or 0)
            for item in ast.walk(node)
        )

    def _call_function(self, function: Any, words: str = "") -> Plan | None:
        plain = inspect.unwrap(getattr(function, "__func__", function))

        def perform(_: Any, arguments: dict[str, Any]) -> Any:
            positional, named = passed(step.slots, arguments)
            return function(*positional, **named)

        try:
            step = self.planner.step(function, plain, perform)
        except (TypeError, ValueError):
            return None
        return self._finish(Plan(words=words + getattr(function, "__name__", "function")), step, None)

    def _finish(self, plan: Plan, step: Step, state: Any) -> Plan | None:
        """The plan with the target's own step, when it reaches the flagged expression, or what it returns does."""
        returned: list[Any] = []

        def action(values: dict[str, Any]) -> Any:
            result = step.perform(copied(state), values)
            if inspect.isfunction(result) and result.__code__.co_filename == self.loaded.path:
                returned.append((result, dict(values)))
            return result

        found = self.search.over(step.slots, action, tree=step.tree, first=plan.kinds)
        if found is not None:
            return plan.then(step, found[0], found[1].finished)
        if returned and self.search.left() > 0:
            return self._returned(plan, step, state)
        return None

    def _returned(self, plan: Plan, step: Step, state: Any) -> Plan | None:
        """Call the function that the outer one returns."""
        made = self.search.over(
            step.slots,
            lambda values: step.perform(copied(state), values),
            reach=False,
            limit=40,
            tree=step.tree,
            first=plan.kinds,
        )
        if made is None or not inspect.isfunction(made[1].value):
            return None
        inner = made[1].value

        def perform(function: Any, arguments: dict[str, Any]) -> Any:
            positional, named = passed(last.slots, arguments)
            return function(*positional, **named)

        last = self.planner.step(inner, inner, perform)
        step.builds = True
        for slot in last.slots:
            slot.name = f"{inner.__name__}.{slot.path}"
        before = plan.then(step, made[0])
        found = self.search.over(last.slots, lambda values: perform(inner, values), tree=last.tree)
        return before.then(last, found[0], found[1].finished) if found is not None else None

    def _on_object(self, kind: type, static: Any) -> Plan | None:
        constructor = self.planner.construct(kind)
        built = self.search.over(
            constructor.slots,
            lambda values: constructor.perform(None, values),
            reach=False,
            limit=80,
            tree=constructor.tree,
        )
        if built is None:
            return None
        plan = Plan(words=f"{kind.__name__}().{self.name}").then(constructor, built[0])
        state = built[1].value
        if built[1].reached:
            return plan
        decides = {f"self.{slot.path}" for slot in constructor.slots} & self.search.guards
        found = self._jointly(plan, constructor, static) if decides else None
        found = found or self._on_state(plan, state, static, DEPTH, {self.name})
        if found is None and constructor.slots and self.search.left() > 0:
            found = self._jointly(plan, constructor, static)
        return found

    def _last_step(self, state: Any, static: Any) -> Step | None:
        if isinstance(static, property) or not callable(getattr(type(state), self.name, None)):
            return Step(
                "", [], lambda state, _: getattr(state, self.name), tree=node_of(self.loaded.tree, self.function)
            )
        return self.planner.method(state, self.name, "")

    def _on_state(self, plan: Plan, state: Any, static: Any, depth: int, done: set[str]) -> Plan | None:
        step = self._last_step(state, static)
        if step is None:
            return None
        found = self._finish(plan, step, state)
        if found is not None or depth == 0 or self.search.left() <= 0:
            return found
        for name in preparations(state, self.function, self.loaded.tree, done)[:5]:
            prepare = self.planner.method(state, name, name)
            if prepare is None or self.search.left() <= 0:
                continue
            box: list[Any] = []

            def action(values: dict[str, Any], prepare: Step = prepare, box: list[Any] = box) -> Any:
                fresh = copied(state)
                result = prepare.perform(fresh, values)
                box[:] = [fresh]
                return result

            ready = self.search.over(prepare.slots, action, reach=False, limit=60, tree=prepare.tree, first=plan.kinds)
            if ready is None:
                continue
            if ready[1].reached:
                through = plan.then(prepare, ready[0])
                through.words = plan.words.rpartition(".")[0] + f".{name} (reaches {self.name})"
                return through
            self.ready.append((prepare, ready[0]))
            self.search.run(lambda: action(self.search.values(prepare.slots, ready[0])))  # noqa: B023 - called at once
            if box:
                found = self._on_state(plan.then(prepare, ready[0]), box[0], static, depth - 1, done | {name})
                if found is not None:
                    return found
        return None

    def _jointly(self, plan: Plan, constructor: Step, static: Any) -> Plan | None:
        """Constructor, preparation and target searched together: the flagged branch can depend on all."""
        for prepared in ([], self.ready[:1]):
            if self.search.left() <= 0 or (prepared == [] and self.ready):
                continue
            steps = [constructor, *(step for step, _ in prepared)]
            kinds = dict(plan.kinds)
            for _, chosen in prepared:
                kinds.update(chosen)

            def built(values: dict[str, Any], steps: list[Step] = steps) -> Any:
                state: Any = None
                for step in steps:
                    result = step.perform(state, values)
                    state = result if step.builds else state
                return state

            slots = [slot for step in steps for slot in step.slots]
            trial = self.search.run(lambda: built(self.search.values(slots, kinds)))  # noqa: B023 - called at once
            last = self._last_step(trial.value, static) if trial.finished else None
            if last is None:
                continue

            def action(values: dict[str, Any], last: Step = last, built: Any = built) -> Any:
                return last.perform(built(values), values)

            together = [*slots, *last.slots]
            found = self.search.over(together, action, tree=last.tree, first=kinds, limit=150)
            if found is not None:
                adopted([*steps, last], together)
                return Plan([*steps, last], found[0], plan.words, found[1].finished)
        return None

    def _bare_plan(self, static: Any) -> Plan | None:
        """The method on an object without its constructor; its attributes are inputs."""
        assert self.owner is not None
        blank = self.planner.bare(self.owner, self.function, self.name, None)
        if blank is None:
            return None
        try:
            step = self._last_step(blank.perform(None, {}), static)
        except Exception:
            return None
        if step is None:
            return None
        slots = [*blank.slots, *step.slots]

        def action(values: dict[str, Any]) -> Any:
            return step.perform(blank.perform(None, values), values)

        found = self.search.over(slots, action, tree=step.tree, limit=200)
        if found is None:
            return None
        adopted([blank, step], slots)
        words = f"{self.owner.__name__}.{self.name} on an object with given attributes"
        return Plan([blank, step], found[0], words, found[1].finished)

    def _through_callers(self, looping: bool = False) -> Plan | None:
        """Functions of the module and methods of its classes that call the target; `looping`: in a loop."""
        kept: Plan | None = None
        for owner, node in _definitions(self.loaded.tree):
            if self.search.left() <= 0:
                break
            if node.name == self.name or not _calls(node, self.name, looping):
                continue
            holder = getattr(self.loaded.module, owner.name, None) if owner is not None else self.loaded.module
            function = inspect.unwrap(getattr(holder, node.name, None) or _missing)
            if not inspect.isfunction(function):
                continue
            with self._calling(function, holder if inspect.isclass(holder) else None, node.name):
                plan = self._called()
            if plan is not None:
                plan.words += f" (reaches {self.name})" if " (reaches" not in plan.words else ""
                if plan.finished:
                    return plan
                kept = kept or plan
        return kept

    def _called(self) -> Plan | None:
        if self.owner is None:
            return self._call_function(self.function)
        return next((plan for attempt in self._on_class(self.owner) if (plan := attempt()) is not None), None)

    @contextmanager
    def _calling(self, function: FunctionType, owner: type | None, name: str) -> Iterator[None]:
        """Within the ``with`` block, another function is called to reach the flagged expression."""
        before = self.function, self.owner, self.name
        self.function, self.owner, self.name = function, owner, name
        try:
            yield
        finally:
            self.function, self.owner, self.name = before

    def quickened(self, plan: Plan) -> Harness:
        """The harness of a plan, with fewer iterations where they take long: true values take far longer."""
        harness = self.harness(plan)
        counts = [slot for step in plan.steps for slot in step.slots if _repeats(slot, plan.kinds[slot.name])]
        if not counts or self.target.signature in LOOPING:
            return harness
        started = time.monotonic()
        harness.run()
        if time.monotonic() - started < QUICK:
            return harness
        for slot in counts:
            fewer = replace(plan, kinds={**plan.kinds, slot.name: FEW})
            outcome = self.harness(fewer).run()
            if outcome.reached and outcome.raised is None:
                plan = fewer
        return self.harness(plan)

    def harness(self, plan: Plan) -> Harness:
        """The harness that a plan amounts to."""
        slots = [slot for step in plan.steps for slot in step.slots if plan.kinds[slot.name].numeric]
        roles = {slot.name: role_of(slot.path, plan.kinds[slot.name], slot.role) for slot in slots}

        rows = self.search.rows

        def drawn(seed: int) -> dict[str, Any]:
            return {slot.name: given(plan.kinds[slot.name], slot, seed, rows) for slot in slots}

        *before, last = plan.steps
        search = self.search

        def arguments(step: Step, inputs: dict[str, Any]) -> dict[str, Any]:
            values = {}
            for slot in step.slots:
                kind = plan.kinds[slot.name]
                if slot.name in inputs:
                    values[slot.name] = received(inputs[slot.name], kind.form)
                elif kind is not ABSENT:
                    values[slot.name] = natural(kind, slot.name, search.seed, slot.use)
            return assembled(step.slots, values)

        def prepare(inputs: dict[str, Any]) -> Any:
            state: Any = None
            with default_dtype(inputs):
                for step in before:
                    result = step.perform(state, arguments(step, inputs))
                    state = result if step.builds else state
                return in_dtype(state, inputs)

        def call(state: Any, inputs: dict[str, Any]) -> dict[str, Any]:
            own = state if state is None else copied(state)
            reference = attributes(copied(own)) if own is not None else {}
            values = arguments(last, inputs)
            passed_in = {slot.path: copied(values[slot.name]) for slot in last.slots if slot.name in values}
            with default_dtype(inputs):
                result = last.perform(own, values)
                if last.builds:
                    own = None
                after = {slot.path: values[slot.name] for slot in last.slots if slot.name in values}
                return gathered(result, own, reference, after, passed_in)

        harness = Harness(
            "synthesised",
            self._described(plan),
            drawn(search.seed),
            roles,
            prepare,
            call,
            search.observer,
            project_modules(self.loaded, self.target),
            search.seed,
        )
        harness.redrawn = drawn
        harness.tensors = frozenset(name for name in harness.inputs if plan.kinds[name].form == "tensor")
        harness.rewritten = lambda source, region: rewritten(harness, self.loaded, self.functions, source, region)
        return harness

    def _described(self, plan: Plan) -> str:
        """The call in words."""
        words = plan.words
        name, _, rest = words.partition(" ")
        *before, last = plan.steps

        def given(step: Step) -> str:
            passed_on = [slot for slot in step.slots if not slot.parent and plan.kinds[slot.name] is not ABSENT]
            return ", ".join(slot.name for slot in passed_on)

        if before and "()." in name:
            between = "".join(f".{step.name}({given(step)})" for step in before[1:])
            name = name.replace("().", f"({given(before[0])}){between}.", 1)
        elif before and not rest:
            name = f"{name}({given(before[0])})"  # what a function returns is called
        return f"{name}({given(last)})" + (f" {rest}" if rest else "")


def imported(tree: ast.Module) -> set[str]:
    """Dotted names of the modules that a file imports."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def _repeats(slot: Slot, kind: Kind) -> bool:
    """Whether a parameter says how often something is done, and is left at a large default."""
    whole = isinstance(slot.default, int) and not isinstance(slot.default, bool)
    return kind is ABSENT and whole and slot.default > 10 and REPEATING.search(slot.path.rpartition(".")[2]) is not None


def _missing() -> None: ...


def _definitions(tree: ast.Module) -> Iterator[tuple[ast.ClassDef | None, ast.FunctionDef]]:
    """Functions of a module and methods of its classes."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield None, node
        elif isinstance(node, ast.ClassDef):
            yield from ((node, item) for item in node.body if isinstance(item, ast.FunctionDef))


def _calls(node: ast.AST, name: str, looping: bool = False) -> bool:
    """Whether a definition calls, or reads as a property, what has this name; `looping`: within a loop."""
    places = [item for item in ast.walk(node) if isinstance(item, (ast.For, ast.While))] if looping else [node]
    return any(name in (getattr(item, "id", ""), getattr(item, "attr", "")) for at in places for item in ast.walk(at))


def adopted(steps: list[Step], slots: list[Slot]) -> None:
    """Give the slots of items that the search has added to the steps whose arguments they are part of."""
    for step in steps:
        names = {slot.name for slot in step.slots}
        step.slots += [slot for slot in slots if slot.parent in names and slot.name not in names]


def project_modules(loaded: Loaded, target: Target) -> list[ModuleType]:
    """The target's module, and the modules of its project that it uses."""
    found = [loaded.module]
    root = target.root.rstrip("/") + "/"
    for item in list(vars(loaded.module).values()):
        module = item if isinstance(item, ModuleType) else sys.modules.get(getattr(item, "__module__", None) or "")
        file = getattr(module, "__file__", None) or ""
        if module is not None and module not in found and file.startswith(root) and "site-packages" not in file:
            found.append(module)
    return found


def _floating(inputs: dict[str, Any]) -> Any:
    """The dtype of the floating-point arrays among the inputs, or None."""
    for value in inputs.values():
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            return value.dtype
    return None


@contextmanager
def default_dtype(inputs: dict[str, Any]) -> Iterator[None]:
    """torch's default dtype is that of the inputs: what the code creates then fits them."""
    torch = installed("torch")
    dtype = _floating(inputs)
    if torch is None or dtype is None or str(dtype) not in ("float16", "float32", "float64"):
        yield
        return
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, str(dtype)))
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def repaired_default_dtype() -> Iterator[None]:
    """Whatever the code under search does to torch's default dtype is undone."""
    torch = installed("torch")
    before = torch.get_default_dtype() if torch is not None else None
    try:
        yield
    finally:
        if torch is not None:
            torch.set_default_dtype(before)


def in_dtype(state: Any, inputs: dict[str, Any]) -> Any:
    """A torch module in the dtype of the inputs."""
    torch = installed("torch")
    dtype = _floating(inputs)
    if torch is not None and dtype is not None and isinstance(state, torch.nn.Module):
        return state.to(getattr(torch, str(dtype)))
    return state


__all__ = ["Failure", "Slot", "Trial", "fill", "slots_of", "synthesise"]
