"""The same call twice: whether the result is the same.

Between two runs nothing changes that the caller has control of, and everything that he
has not: the state of the global generators, the contents of memory that `np.empty` hands
out, the order in which a set of strings or a folder is listed. The first is done by
seeding, the others by exchanging the functions that are called, whatever their names in
the file. Where it is the caller's seed that decides, the control shows it: with the same
seed the runs agree. A rewrite must give the same result in both runs.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
import glob
import hashlib
import json
import os
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import numpy as np

from .. import leaves, protocol
from ..harness import Harness, Outcome, seed_everything
from ..stubs import installed
from ..target import Candidate, Target
from ..variant import CALLEE, calling, varied
from ..verdict import CureResult, Evidence, Figure, Sample
from . import Experiment, Result, Session

LISTINGS = (os.listdir, glob.glob, glob.iglob)
SETS = (builtins.set, builtins.frozenset)
SEEDED_ELSEWHERE = "seed-ignored"
"""Rules about a seed that is not taken: whether it matters shows where numbers are drawn."""
SEEDED = (int, float, bool, np.number)
"""Elements whose order in a set does not depend on the hash seed."""


@dataclasses.dataclass(frozen=True)
class Circumstance:
    """What changes between two runs.

    Attributes
    ----------
    name : str
    words : str
        What the caller did not change, as a reader sees it.
    run : callable
        ``run(harness, number) -> Outcome``: the run of that number.
    """

    name: str
    words: str
    run: Callable[[Harness, int], Outcome]


def reseeded(harness: Harness, number: int) -> Outcome:
    """A run from another state of the global generators."""
    return dataclasses.replace(harness, seed=harness.seed + 7919 * number, reseed=True).run()


def repeated(harness: Harness, number: int) -> Outcome:
    """A run from one state of the global generators."""
    return dataclasses.replace(harness, reseed=True).run()


class Reordered(set):  # type: ignore[type-arg]
    """A set that lists its elements as another process might."""

    turn = 0

    def __iter__(self) -> Iterator[Any]:
        items = list(super().__iter__())
        if all(isinstance(item, SEEDED) for item in items):
            return iter(items)
        return iter(_turned(items, self.turn))


def _turned(items: Iterable[Any], turn: int) -> list[Any]:
    """Another order of `items` in every turn, the same for the same turn."""
    found = sorted(items, key=repr)
    return [found[place] for place in np.random.default_rng(turn).permutation(len(found))]


def elsewhere(turn: int) -> Callable[[Any], Any]:
    """What stands for a called function in another process, on another machine, on a used heap."""
    generator = np.random.default_rng(turn)

    def exchange(function: Any) -> Any:
        if function in SETS:
            return lambda *items: type("Reordered", (Reordered,), {"turn": turn})(*items)
        if any(function is listing for listing in LISTINGS):
            return lambda *arguments, **named: _turned(function(*arguments, **named), turn)
        if _is_empty(function):
            return lambda *arguments, **named: _dirty(function(*arguments, **named), generator)
        return function

    def callee(function: Any) -> Any:
        try:
            return exchange(function)
        except TypeError:  # a callable that cannot be compared
            return function

    return callee


def _is_empty(function: Any) -> bool:
    torch = installed("torch")
    known = [np.empty, np.empty_like, *([torch.empty, torch.empty_like] if torch is not None else [])]
    return any(function is item for item in known)


def _dirty(memory: Any, generator: np.random.Generator) -> Any:
    """Uninitialised memory as it may be found: any numbers at all."""
    kind = getattr(getattr(memory, "dtype", None), "kind", "")
    found = generator.standard_normal(tuple(memory.shape))
    if kind in ("f", "c"):
        memory[...] = found
    elif kind in ("i", "u"):
        memory[...] = np.abs(100 * found).astype(memory.dtype)
    elif hasattr(memory, "is_floating_point") and memory.is_floating_point():
        memory.copy_(installed("torch").as_tensor(found))
    return memory


def sets_called(tree: ast.Module) -> ast.Module:
    """Transform: ``{a, b}`` and set comprehensions are calls of `set`, which `CALLEE` exchanges."""

    class Sets(ast.NodeTransformer):
        def _called(self, node: Any) -> ast.AST:
            self.generic_visit(node)
            name = ast.Call(ast.Name(CALLEE, ast.Load()), [ast.Name("set", ast.Load())], [])
            return ast.copy_location(ast.Call(name, [node], []), node)

        visit_Set = visit_SetComp = _called

    Sets().visit(tree)
    return ast.fix_missing_locations(tree)


def circumstances(target: Target) -> Iterator[Circumstance]:
    """The ways in which two runs of one call can differ."""
    yield Circumstance("global generator", "the state of the global generators differs, the arguments do not", reseeded)
    yield Circumstance("entropy", "nothing differs, the seeds of all global generators included", repeated)

    def otherwise(harness: Harness, number: int) -> Outcome:
        names = {CALLEE: elsewhere(number)}
        with varied(harness, target, (calling(target.region.line), sets_called), names) as fits:
            return harness.run() if fits else repeated(harness, 0)

    yield Circumstance("elsewhere", "uninitialised memory, or the order of a set or a folder, differs", otherwise)


def zero_seeded(harness: Harness, target: Target) -> Harness | None:
    """The call with zero for the integers that the flagged expression tests; None where it tests none."""
    try:
        with open(target.path, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return None
    lines = range(target.region.line, target.region.end_line + 1)
    named = {
        node.id if isinstance(node, ast.Name) else node.attr
        for node in ast.walk(tree)
        if isinstance(node, (ast.Name, ast.Attribute)) and node.lineno in lines
    }
    tested = {
        name: 0
        for name, value in harness.inputs.items()
        if name.rpartition(".")[2] in named and (value is None or (isinstance(value, int) and value is not True))
    }
    return dataclasses.replace(harness, inputs={**harness.inputs, **tested}) if tested else None


def draws(harness: Harness) -> bool:
    """Whether a run moves one of the global generators on, besides seeding them."""

    def state() -> tuple[Any, ...]:
        numpys: Any = np.random.get_state()  # noqa: NPY002 - the state that the target draws from
        return (random.getstate(), numpys[1].tobytes(), *numpys[2:])

    seed_everything(harness.seed)
    before = state()
    dataclasses.replace(harness, reseed=False).run()
    return state() != before


def difference(one: Any, other: Any) -> float:
    """Largest relative difference between two results; infinite where their structure differs."""
    first, second = dict(leaves.leaves(one)), dict(leaves.leaves(other))
    if first.keys() != second.keys():
        return float("inf")
    worst = 0.0
    for name, value in first.items():
        here, there = np.asarray(value), np.asarray(second[name])
        if here.shape != there.shape:
            return float("inf")
        if here.dtype.kind == "O" or np.array_equal(here, there, equal_nan=here.dtype.kind in "fc"):
            continue
        with np.errstate(all="ignore"):
            apart = np.abs(here.astype(np.complex128) - there.astype(np.complex128))
            scale = max(float(np.nanmax(np.abs(there.astype(np.complex128)))), 1e-300)
            found = float(np.nanmax(apart)) / scale
        worst = max(worst, found if np.isfinite(found) else float("inf"))
    return worst


def digest(outcome: Outcome) -> str:
    """Names the result of a run; two processes that give different ones did not compute the same."""
    content = protocol.encode({name: list(leaves.leaves(value)) for name, value in outcome.outputs.items()})
    raised = type(outcome.raised).__name__ if outcome.raised is not None else ""
    return hashlib.blake2b(json.dumps([content, raised]).encode(), digest_size=8).hexdigest()


class Repetition(Experiment):
    name = "repetition"
    signatures = ("non-determinism",)

    def run(self, harness: Harness, session: Session) -> Result:
        session.perturbations += ["seed", "memory", "order"]
        notes = []
        for variant in (harness, zero_seeded(harness, session.target)):
            for circumstance in circumstances(session.target) if variant is not None else ():
                assert variant is not None
                runs = [circumstance.run(variant, number) for number in range(2)]
                session.runs += 2
                session.inputs += 1
                if any(run.raised is not None for run in runs):
                    notes.append(
                        f"{type(runs[0].raised or runs[1].raised).__name__}: {runs[0].raised or runs[1].raised}"
                    )
                    continue
                apart = difference(runs[0].outputs, runs[1].outputs)
                if apart > 0:
                    evidence = self._evidence(variant, circumstance, runs, apart)
                    cures = [_cure(variant, circumstance, item, apart) for item in session.target.candidates]
                    return Result(evidence, cures)
        if not notes and not draws(harness) and SEEDED_ELSEWHERE in session.target.rule:
            return Result(unjudged="the call draws no random numbers: what it seeds is drawn from elsewhere")
        return Result(note=f"no input could be judged: {notes[0]}" if notes and len(notes) >= 3 else "")

    def _evidence(self, harness: Harness, circumstance: Circumstance, runs: list[Outcome], apart: float) -> Evidence:
        note = f"two runs of the same call differ: {circumstance.words}"
        if circumstance.run is reseeded and difference(*(repeated(harness, 0).outputs for _ in range(2))) == 0:
            note += "; when the caller seeds the global generators, they agree"
        one, other = (protocol.literal(run.outputs.get("return")) for run in runs)
        sample = Sample(
            {name: protocol.literal(value) for name, value in harness.inputs.items()},
            "float64",
            one,
            other,
            exact=protocol.encode(harness.inputs),
        )
        figure = Figure("largest difference between two runs", apart)
        return Evidence("non-determinism", "plain", figure, "float64", smallest=sample, note=note)


def _cure(harness: Harness, circumstance: Circumstance, candidate: Candidate, before: float) -> CureResult:
    """Whether a rewrite gives the same result twice."""
    result = CureResult(candidate.summary, "not-run", text=candidate.text, safety=candidate.safety)
    if harness.rewritten is None or not candidate.source:
        result.reason = "advice only: there is no edit to run"
        return result
    with ExitStack() as stack:
        place: AbstractContextManager[Harness | None] = harness.rewritten(candidate.source, candidate.region)
        cured = stack.enter_context(place)
        if cured is None:
            result.reason = "the rewritten function does not fit the place of the original"
            return result
        run = reseeded if circumstance.name == "elsewhere" else circumstance.run
        runs = [run(dataclasses.replace(cured, inputs=harness.inputs), number) for number in range(2)]
        seed_everything(harness.seed)
    error = next((outcome.raised for outcome in runs if outcome.raised is not None), None)
    if error is not None:
        result.status, result.reason = "rejected", f"raises {type(error).__name__}: {error}"
        return result
    after = difference(runs[0].outputs, runs[1].outputs)
    result.inputs, result.failed_before, result.failed_after = 1, 1, int(after > 0)
    result.error_before, result.error_after = before, after
    result.status = "verified" if after == 0 else "rejected"
    result.reason = "" if after == 0 else "two runs still differ"
    return result


EXPERIMENT = Repetition()
