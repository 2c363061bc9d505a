"""Search over kinds of value, guided by the lines that a call reaches.

One coordinate per slot. A change is kept when the call reaches more lines of the file; the
slots that the failing line reads, directly or through local names, are changed first, and
the error message proposes kinds (a wrong number of axes, sizes that do not fit). The first
call that evaluates the flagged expression is a success; a few more are tried for one that
also returns, with a finite result.
"""

from __future__ import annotations

import ast
import random
import re
import time
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from types import GeneratorType, SimpleNamespace
from typing import Any

import numpy as np

from ..containment import Interrupted, deadline
from ..harness import ordinary, quiet, seed_everything
from ..instrument import Observer
from ..leaves import leaves
from ..loading import Loaded
from ..stubs import Stub, StubModule
from .candidates import ABSENT, Slot, evidence, fill, hinted, item_of
from .coverage import lines_of
from .use import Use, dependencies
from .values import DUCK, KINDS, RECORD, RECORDS, K, Kind, N, halved, received

Assignment = dict[str, Kind]
"""By input name."""
STALL = 40
"""Calls that return, without reaching more, after which something else than these slots must decide."""
MORE = 25
"""Calls after the first success, for one that also returns with a finite result."""
FURTHER = 120
"""Calls after one that reaches the flagged expression and raises later, for one that returns."""
PATIENCE = 3.0
ITEMS = 8
"""How many items of a generator are taken."""


@dataclass
class Trial:
    """What one call came to."""

    finished: bool = False
    reached: bool = False
    finite: bool = False
    lines: frozenset[int] = frozenset()
    error: BaseException | None = None
    line: int = 0
    value: Any = None

    @property
    def rank(self) -> tuple[bool, bool, bool]:
        return self.reached, self.finished, self.finite

    @property
    def message(self) -> str:
        return f"{type(self.error).__name__}: {str(self.error)[:200]}" if self.error is not None else ""


class Duck(SimpleNamespace):
    """An object with the attributes that the code reads; what is not there gets a value by its name."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        value = by_name(name)
        setattr(self, name, value)
        return value

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, str):
            raise TypeError("an object with attributes has no items by number")
        return getattr(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        setattr(self, key, value)

    def __call__(self, *arguments: Any, **_: Any) -> Any:
        return halved(*arguments)


def by_name(name: str) -> Any:
    """The value that a name alone speaks for."""
    found = evidence(Slot(name, name))
    return found[0].make(np.random.default_rng(0)) if found and found[0] is not DUCK else Duck()


def natural(kind: Kind, name: str, seed: int, use: Use | None = None) -> Any:
    """The value of a kind for an input; numbers as numpy has them."""
    if kind is DUCK or kind.name == DUCK.name:
        return Duck(**dict.fromkeys(use.methods, halved) if use else {})
    return kind.make(np.random.default_rng([seed, zlib.crc32(name.encode())]))


def given(kind: Kind, slot: Slot, seed: int, rows: int = N) -> Any:
    """The value of a kind for a slot; tensors begin in the precision that torch has by default."""
    value = natural(kind.of_rows(rows), slot.name, seed, slot.use)
    if kind.form == "tensor" and isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype(np.float32)
    return value


@dataclass
class Search:
    """The search for one target, with its budget."""

    loaded: Loaded
    observer: Observer
    seed: int = 0
    seconds: float = 4.0
    trials: int = 0
    best: Trial = field(default_factory=Trial)
    patience: float = 0.6
    """Seconds for one call."""
    rows: int = N
    """How many samples the data have."""
    guards: frozenset[str] = frozenset()
    """Names that decide whether the flagged line is reached."""
    started: float = field(default_factory=time.monotonic)
    busy: float = field(default_factory=time.process_time)

    def left(self) -> float:
        """Seconds of work that are left; where the machine is busy with other things, they last longer."""
        return self.seconds - max(time.process_time() - self.busy, (time.monotonic() - self.started) / PATIENCE)

    @contextmanager
    def share(self, part: float) -> Iterator[None]:
        """Only a part of the time that is left, within the ``with`` block."""
        whole = self.seconds
        self.seconds -= self.left() * (1 - part)
        try:
            yield
        finally:
            self.seconds = whole

    def run(self, action: Callable[[], Any]) -> Trial:
        """One call under a deadline, watched."""
        for _ in range(6):
            trial = self._run(action, self.patience)
            missing = re.search(r"name '(\w+)' is not defined", str(trial.error))
            if not (isinstance(trial.error, NameError) and missing) or missing.group(1) in vars(self.loaded.module):
                break
            vars(self.loaded.module)[missing.group(1)] = by_name(missing.group(1))
        if trial.rank > self.best.rank or len(trial.lines) > len(self.best.lines):
            self.best = trial
        return trial

    def _run(self, action: Callable[[], Any], seconds: float) -> Trial:
        self.trials += 1
        trial = Trial()
        lines: set[int] = set()
        seed_everything(self.seed)
        with quiet(), warnings.catch_warnings(), np.errstate(all="ignore"), self.observer.watching() as seen:
            warnings.simplefilter("ignore")
            try:
                with deadline(max(0.02, min(seconds, self.left()))), lines_of(self.loaded.path) as lines:
                    trial.value = action()
                    if isinstance(trial.value, GeneratorType):
                        trial.value = list(islice(trial.value, ITEMS))
                trial.finished = True
            except (Exception, SystemExit, KeyboardInterrupt, Interrupted) as error:
                trial.error, trial.line = error, _line(error, self.loaded.path)
                error.__traceback__ = None
            trial.reached = bool(seen.count)
            if trial.reached and seen.values and all(isinstance(value, (Stub, StubModule)) for value in seen.values):
                trial.reached, trial.finished = False, False
                trial.error = trial.error or ImportError("a module that the flagged expression calls is missing")
        trial.lines = frozenset(lines)
        trial.finite = trial.finished and is_finite(trial.value)
        return trial

    def over(
        self,
        slots: list[Slot],
        action: Callable[[dict[str, Any]], Any],
        reach: bool = True,
        limit: int = 150,
        tree: ast.AST | None = None,
        first: Assignment | None = None,
    ) -> tuple[Assignment, Trial] | None:
        """Kinds with which `action` succeeds: evaluates the flagged expression, or, without `reach`, returns."""
        chance = random.Random(self.seed)
        flow = dependencies(tree) if tree is not None else {}
        current = {slot.name: (first or {}).get(slot.name) or slot.kinds[0] for slot in slots}
        seen: set[tuple[str, ...]] = set()
        found: tuple[Assignment, Trial] | None = None
        after = 0

        def attempt(assignment: Assignment) -> Trial | None:
            key = tuple(kind.name for kind in assignment.values())
            if key in seen:
                return None
            seen.add(key)
            try:
                values = self.values(slots, assignment)
            except Exception as error:  # a kind whose library is missing
                return Trial(error=error)
            return self.run(lambda: action(values))

        best = attempt(current) or Trial()
        trial: Trial | None = best
        tried = current
        stall = 0.0
        for _ in range(limit):
            good = trial is not None and (trial.reached or (not reach and trial.finished))
            if trial is not None and good and (found is None or trial.rank > found[1].rank):
                found = (dict(tried), trial)
            if best.error is not None:
                self._supply(slots, current, best.error, tree)
            if found is not None:
                after += 1
                if found[1].finite or after > (MORE if found[1].finished else FURTHER):
                    break
            if not slots or self.left() <= 0 or (best.finished and not best.reached and stall > STALL):
                break
            tried = self._changed(slots, current, best, flow, chance, stall)
            trial = attempt(tried)
            if trial is None:
                stall += 0.3
            elif len(trial.lines) > len(best.lines) or trial.rank > best.rank:
                current, best, stall = tried, trial, 0.0
            elif len(trial.lines) == len(best.lines) and chance.random() < 0.5:
                current, best, stall = tried, trial, stall + 1
            else:
                stall += 1
        return found

    def _supply(self, slots: list[Slot], current: Assignment, error: BaseException, tree: ast.AST | None) -> None:
        """A slot for the item that a dictionary in use turned out to lack."""
        key = error.args[0] if isinstance(error, KeyError) and error.args else None
        if not isinstance(key, str):
            return
        for slot in [item for item in slots if current[item.name].name in (RECORD.name, RECORDS.name)]:
            item = item_of(slot, key, slot.path, tree or self.loaded.tree, {})
            if item.name not in current:
                slots.append(fill(item, any(kind.form == "tensor" for kind in slot.kinds[:20])))
                current[item.name] = item.kinds[0]

    def _changed(
        self,
        slots: list[Slot],
        current: Assignment,
        best: Trial,
        flow: dict[str, set[str]],
        chance: random.Random,
        stall: float,
    ) -> Assignment:
        """The assignment with one to three slots changed, those that the failing line reads first."""
        blamed = [slot for slot in slots if not slot.optional] or slots
        hints: list[Kind] = []
        if isinstance(best.error, Interrupted):
            blamed = [
                slot
                for slot in slots
                if isinstance(slot.default, int) or any(item.role == "size" for item in slot.kinds[:3])
            ]
            blamed = blamed or slots
        elif best.error is not None:
            text = self.loaded.source.splitlines()[best.line - 1] if best.line else ""
            text += " " + best.message
            read = set(re.findall(r"[A-Za-z_][\w.]*", text))
            read |= {name.rpartition(".")[0] for name in read} | {name[5:] for name in read if name.startswith("self.")}
            read = read.union(*(flow[name] for name in read if name in flow))
            mentioned = [slot for slot in slots if slot.path in read or (slot.key and slot.key in text)]
            blamed = [slot for slot in mentioned if not slot.optional or chance.random() < 0.3] or mentioned or blamed
        elif best.finished and not best.reached:
            blamed = [slot for slot in slots if self.guards & {slot.path, f"self.{slot.path}"}] or slots
        if chance.random() < 0.15:
            blamed = slots
        count = 1 if chance.random() < 0.6 else min(len(blamed), chance.choice((1, 2, 2, 3)))
        changed = dict(current)
        for slot in chance.sample(blamed, max(1, count)):
            hints = hinted(best.message, current[slot.name]) if best.error is not None else []
            if hints and chance.random() < 0.5:
                kind = chance.choice(hints)
                tensor = current[slot.name].form == "tensor" or any(item.form == "tensor" for item in slot.kinds[:2])
                changed[slot.name] = kind.received_as("tensor") if tensor and kind.ndim > 0 and not kind.form else kind
            else:
                place = min(int(chance.expovariate(1 / (3 + stall / 10))), len(slot.kinds) - 1)
                changed[slot.name] = slot.kinds[place]
        return changed

    def values(self, slots: list[Slot], assignment: Assignment) -> dict[str, Any]:
        """What the code receives, by input name; a slot left at its default is not there."""
        values = {}
        for slot in slots:
            kind = assignment[slot.name]
            if kind is not ABSENT:
                values[slot.name] = received(given(kind, slot, self.seed, self.rows), kind.form)
        return assembled(slots, values)


def assembled(slots: list[Slot], values: dict[str, Any]) -> dict[str, Any]:
    """Values with the dictionaries filled; items whose dictionary is something else are left out."""
    whole = {slot.name: values[slot.name] for slot in slots if not slot.parent and slot.name in values}
    for slot in slots:
        holder = whole.get(slot.parent) if slot.parent and slot.name in values else None
        if type(holder) is list:
            for _ in range(K - len(holder)):
                holder.append({})
        for record in holder if type(holder) is list else [holder]:
            if type(record) is dict:
                record[slot.key] = values[slot.name]
    return whole


def _line(error: BaseException, path: str) -> int:
    line = 0
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def is_finite(value: Any) -> bool:
    """Whether every number in a result is finite."""
    try:
        return all(bool(np.all(np.isfinite(item))) for _, item in leaves(ordinary(value)))
    except Exception:  # an object that pretends to be one
        return True


__all__ = ["KINDS", "Assignment", "Duck", "Search", "Trial", "is_finite", "natural"]
