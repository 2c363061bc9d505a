"""Loops that stop too early, or never: the examples' own loops counted, and run on past their stop.

The tree of the example is changed: each iteration ticks, and what would leave a loop
(``break``, ``return``, a condition that has become false) does so only when nothing is to
be run on. A loop that ticks without an end never stops; one whose result still moves when
it is run on for many more iterations had stopped too early.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

import numpy as np

from .autograd import Given
from .containment import Interrupted
from .exhibit import Exhibit, harness_of
from .harness import Outcome
from .symptoms import numbers
from .verdict import Figure

ENDLESS = 100_000
"""Iterations after which a loop is held to have no end."""
FURTHER = 200
"""How many times as many iterations a loop is run on."""
LEAST = 20_000
MOVED = 0.01
"""Relative change of the result that makes a stop premature."""
SMALL = 1e-6
"""What counts as zero beside the inputs."""
NAME = "__numlint_further__"


@dataclass
class Meter:
    """Counts iterations, and says whether a loop is to be run on.

    `budget` is the number of iterations before which no loop may be left.
    """

    count: int = 0
    budget: int = 0
    exhausted: int = 0

    def ran_out(self) -> None:
        """A loop over a range has come to its end: its test was never met."""
        self.exhausted = self.count

    def __call__(self) -> bool:
        self.count += 1
        if self.count > ENDLESS:
            raise Interrupted(f"{ENDLESS} iterations without an end")
        return self.count < self.budget


class _RunOn(ast.NodeTransformer):
    """Make every way out of a loop ask whether it is to be run on."""

    def __init__(self) -> None:
        self.depth = 0

    def _asked(self) -> ast.expr:
        return ast.Call(ast.Name(NAME, ast.Load()), [], [])

    def _guarded(self, node: ast.stmt) -> ast.AST:
        if not self.depth:
            return node
        return ast.If(ast.UnaryOp(ast.Not(), self._asked()), [node], [])

    def visit_Break(self, node: ast.Break) -> ast.AST:
        return self._guarded(node)

    def visit_Return(self, node: ast.Return) -> ast.AST:
        return self._guarded(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        outer, self.depth = self.depth, 0
        self.generic_visit(node)
        self.depth = outer
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1
        if any(isinstance(inner, (ast.Break, ast.Return)) for part in node.body for inner in ast.walk(part)):
            ran_out = ast.Attribute(ast.Name(NAME, ast.Load()), "ran_out", ast.Load())
            node.orelse.insert(0, ast.Expr(ast.Call(ran_out, [], [])))
        node.body.insert(0, ast.Expr(self._asked()))
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1
        node.body.insert(0, ast.Expr(self._asked()))
        node.test = ast.BoolOp(ast.Or(), [node.test, self._asked()])
        return node


def running_on(tree: ast.Module) -> ast.Module:
    """Transform of a module; it needs a `Meter` under the name `NAME`."""
    changed: ast.Module = _RunOn().visit(tree)
    return ast.fix_missing_locations(changed)


def _run(exhibit: Exhibit, meter: Meter, inputs: dict[str, Any], seconds: float) -> Outcome:
    harness = harness_of(
        exhibit.code, exhibit.call, transforms=(running_on,), additions={NAME: meter}, requires=exhibit.requires
    )
    return harness.run(inputs, Given(), seconds)


def shown(exhibit: Exhibit, inputs: dict[str, Any], seconds: float) -> dict[str, Figure]:
    """``never-stops`` or ``premature-stop`` with its figure, or neither."""
    meter = Meter()
    stopped = _run(exhibit, meter, inputs, seconds)
    if isinstance(stopped.raised, TimeoutError):
        return {"never-stops": Figure("iterations without an end", float(meter.count))}
    if stopped.raised is not None or not meter.count:
        return {}
    if "never-stops" in exhibit.signatures and meter.exhausted:
        return {"never-stops": Figure("iterations, the test is not met", float(meter.exhausted))}
    on = Meter(budget=min(max(FURTHER * meter.count, LEAST), ENDLESS // 2))
    further = _run(exhibit, on, inputs, 2 * seconds)
    if further.raised is not None:
        return {}
    largest = max((float(np.abs(item).max()) for item in numbers(inputs) if item.size), default=0.0)
    moved = _moved(stopped.outputs, further.outputs, largest)
    return {"premature-stop": Figure("result moves on by", moved)} if moved > MOVED else {}


def _moved(stopped: Any, further: Any, scale: float) -> float:
    """Relative distance of two results, of which one may be zero but for its error; infinite where one is no number."""
    moved = 0.0
    for one, other in zip(numbers(stopped), numbers(further)):
        if one.shape != other.shape:
            continue
        if not np.all(np.isfinite(one)):
            return float("inf")
        with np.errstate(all="ignore"):
            if one.size and np.all(np.isfinite(other)):
                size = max(SMALL * scale, float(np.abs(one).max()), float(np.abs(other).max()))
                moved = max(moved, float(np.abs(one - other).max()) / size if size else 0.0)
    return moved
