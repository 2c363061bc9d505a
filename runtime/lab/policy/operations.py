"""The units of a computation in numpy: each operation, by the line of source that it stands in.

An array that rounds what every operation takes and gives to the format of its unit: float32,
or the low format with sums and products accumulated in float32, as hardware does; or float64
in the shadow. It is handed to the user's own code in place of the parameters, so that forward
and backward pass are measured as they are written.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...formats import Format
from ..answers import Unit
from ..probes.subject import CannotAsk, arrays
from . import Measured

Pass = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""From parameters to what is compared: outputs and gradients by name."""
SHARE = 1e-3
NEEDED = "yield gradient_of (or loss_of), a function from a dict of arrays to a dict of gradients (to the loss)"
_PASSED_OVER = (os.path.dirname(np.__file__), os.path.abspath(__file__))


@dataclass
class Choice:
    """Which operations are in the low format, and what was seen of them.

    Attributes
    ----------
    form : Format
    low : collection of str
    wide : type
        Of the others.
    seen : dict of str to None
        Operations in the order in which they were made first.
    origin : str
        The first that gave an inf or nan from finite numbers.
    flushed : bool
        Whether one gave zeros by underflow.
    """

    form: Format
    low: Collection[str] = ()
    wide: Any = np.float32
    seen: dict[str, None] = field(default_factory=dict)
    origin: str = ""
    flushed: bool = False

    def taken(self, unit: str, item: Any) -> Any:
        plain = np.asarray(item).view(np.ndarray)
        if plain.dtype.kind != "f":
            return item.view(np.ndarray) if isinstance(item, Traced) else item
        return self.form.round(plain).astype(np.float32) if unit in self.low else plain.astype(self.wide)

    def given(self, unit: str, result: Any, inputs: list[Any]) -> Any:
        plain = np.asarray(result)
        if plain.dtype.kind != "f":
            return result
        if unit in self.low:
            rounded = self.form.round(plain).astype(np.float32)
            self.flushed = self.flushed or bool(((rounded == 0) & (plain != 0)).any())
            plain = rounded
        if not self.origin and not np.isfinite(plain).all():
            self.origin = unit
        found = plain.view(Traced)
        found.choice = self
        return found


class Traced(np.ndarray[Any, Any]):
    """An array whose operations are made as a `Choice` says."""

    choice: Choice | None = None

    def __array_finalize__(self, source: Any) -> None:
        self.choice = getattr(source, "choice", None)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        choice = next(item.choice for item in inputs + kwargs.get("out", ()) if isinstance(item, Traced))
        assert choice is not None
        unit = f"{_line()} {ufunc.__name__}"
        choice.seen.setdefault(unit)
        out = kwargs.pop("out", None)
        kwargs.pop("dtype", None)
        taken = [choice.taken(unit, item) for item in inputs]
        with np.errstate(all="ignore"):
            result = getattr(ufunc, method)(*taken, **kwargs)
        if isinstance(result, tuple):
            return tuple(choice.given(unit, item, taken) for item in result)
        if result is None:
            return None
        made = choice.given(unit, result, taken)
        if out is None:
            return made
        out[0].view(np.ndarray)[...] = np.asarray(made).view(np.ndarray)
        return out[0]


def _line() -> str:
    """The innermost line that is not of numpy."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PASSED_OVER):
        frame = frame.f_back
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"


class Operations:
    """A pass with its parameters."""

    backend = "numpy"
    device = "cpu"

    def __init__(self, made: Pass, parameters: Mapping[str, Any], form: Format) -> None:
        self.made = made
        self.parameters = parameters
        self.form = form
        exact = Choice(form, wide=np.float64)
        self.exact = self._run(exact)
        self.units = [Unit(name, "operation") for name in exact.seen]

    def measure(self, low: Collection[str]) -> Measured:
        """See `Bench`."""
        choice = Choice(self.form, frozenset(low))
        found = self._run(choice)
        whole = math.sqrt(sum(float(np.square(item).sum()) for item in self.exact.values()))
        error = max(
            (_relative(found[name] - exact, exact, SHARE * whole) for name, exact in self.exact.items()), default=0.0
        )
        if not math.isfinite(error):
            return Measured(math.inf, choice.origin, "overflow")
        return Measured(error, "", "underflow" if choice.flushed else "rounding")

    def _run(self, choice: Choice) -> dict[str, Any]:
        traced = {}
        for name, item in self.parameters.items():
            traced[name] = item.astype(choice.wide).view(Traced)
            traced[name].choice = choice
        with np.errstate(all="ignore"):
            made = self.made(traced)
        return {name: np.asarray(item, dtype=np.float64).view(np.ndarray) for name, item in made.items()}


def _relative(error: Any, exact: Any, least: float) -> float:
    apart = float(np.linalg.norm(np.atleast_1d(error)))
    size = max(float(np.linalg.norm(np.atleast_1d(exact))), least)
    if not math.isfinite(apart):
        return math.inf
    return apart / size if size else 0.0 if not apart else math.inf


def bench(state: Mapping[str, Any], form: Format) -> Operations:
    """The operations of the pass that a state offers.

    Raises
    ------
    CannotAsk
    """
    objective = state.get("objective")
    parameters = arrays(state)
    if objective is not None:
        data = objective.data

        def both(p: Mapping[str, Any]) -> Mapping[str, Any]:
            done = objective.problem.both(p, data.X, data.y, 1.0)
            return {"loss": done.loss, **{f"gradient by {name}": item for name, item in done.gradients.items()}}

        return Operations(both, parameters, form)
    loss_of, gradient_of = state.get("loss_of"), state.get("gradient_of")
    if not parameters or not (loss_of or gradient_of):
        raise CannotAsk("it yields neither a model of torch nor a function of its parameters", NEEDED)

    def offered(p: Mapping[str, Any]) -> Mapping[str, Any]:
        found = {} if loss_of is None else {"loss": loss_of(p)}
        gradients = {} if gradient_of is None else gradient_of(p)
        return {**found, **{f"gradient by {name}": item for name, item in gradients.items()}}

    return Operations(offered, parameters, form)
