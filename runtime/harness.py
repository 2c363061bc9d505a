"""A way to run a target: named inputs, a recipe, and what is seen when it runs.

A harness is what every rung of the ladder ends in. Its `inputs` are the arguments of
the target and of whatever brings its object into the needed state (``"fit.X"``), so that
a perturbation sees one flat dictionary. Preparation runs natively on the inputs' own
dtype; only the target itself runs in another arithmetic.
"""

from __future__ import annotations

import io
import random
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from .arithmetic import NATIVE, Arithmetic
from .instrument import Observer
from .stubs import installed
from .target import Region, Role

Inputs = dict  # dict[str, Any]: name to value


@dataclass
class Outcome:
    """What one run showed.

    Attributes
    ----------
    outputs : dict of str to Any
        ``"return"``, attributes of the object that the call set (``"self.weights"``) and
        arguments that it changed (``"argument X"``), lowered to ordinary arrays.
    sites : list of Any
        Values of the flagged expression in order of evaluation, lowered; the first of them where there are many.
    reached : bool
        Whether the flagged expression was evaluated.
    raised : BaseException or None
    warnings : tuple of str
        Floating-point warnings, such as ``"overflow encountered in exp"``.
    """

    outputs: dict[str, Any] = field(default_factory=dict)
    sites: list[Any] = field(default_factory=list)
    reached: bool = False
    raised: BaseException | None = None
    warnings: tuple[str, ...] = ()


@dataclass
class Harness:
    """A runnable target.

    Attributes
    ----------
    rung : str
        ``"recorded"``, ``"declared"``, ``"synthesised"`` or ``"slice"``.
    description : str
        The call in words, such as ``"KMeans(k=3).predict(X)"``.
    inputs : dict of str to Any
        Base inputs: benign, inside their roles.
    roles : dict of str to Role
        By input name.
    prepare : callable
        ``prepare(inputs) -> state``: native; builds and fits the object. May return None.
    call : callable
        ``call(state, inputs) -> outputs``: the target itself; returns the dictionary `Outcome.outputs`.
    observer : Observer
    modules : list of module
        Modules whose globals an arithmetic patches: that of the target, and those of the
        project that it calls into.
    """

    rung: str
    description: str
    inputs: dict[str, Any]
    roles: dict[str, Role]
    prepare: Callable[[dict[str, Any]], Any]
    call: Callable[[Any, dict[str, Any]], dict[str, Any]]
    observer: Observer
    modules: list[ModuleType] = field(default_factory=list)
    seed: int = 0
    reseed: bool = True
    """Start every run from the same state of the global generators."""
    redrawn: Callable[[int], dict[str, Any]] | None = None
    """Base inputs of the same kinds from another seed; None where they are given, as recorded ones are."""
    tensors: frozenset[str] = frozenset()
    """Inputs that the code is given as tensors of torch."""
    rewritten: Callable[[str, Region], AbstractContextManager[Harness | None]] | None = None
    """``with harness.rewritten(source, region) as other``: the same call over another text of the
    module, where `region` is observed; None when the text does not fit. Not available when this is None."""

    def run(
        self, inputs: dict[str, Any] | None = None, arithmetic: Arithmetic = NATIVE, seconds: float = 2.0
    ) -> Outcome:
        """Run on `inputs` (default: the base inputs). Exceptions of the target are part of the outcome.

        Raises
        ------
        TimeoutError
            Never; a run that takes too long has `raised` set to one.
        """
        from .containment import Interrupted, deadline

        outcome = Outcome()
        chosen = self.inputs if inputs is None else inputs
        with quiet() as caught, warnings.catch_warnings(record=True) as heard, np.errstate(all="warn"):
            warnings.simplefilter("always")
            if self.reseed:
                seed_everything(self.seed)
            try:
                with deadline(seconds):
                    state = self.prepare(Arithmetic(arithmetic.prepared).lift(chosen))
                    lifted = arithmetic.lift(chosen)
                    with self.observer.watching() as sites, arithmetic.patched(self.modules):
                        try:
                            outputs = self.call(arithmetic_state(arithmetic, state), lifted)
                        finally:
                            outcome.reached = bool(sites.count)
                            outcome.sites = [ordinary(arithmetic.lower(value)) for value in sites.values]
                    outcome.outputs = {name: ordinary(arithmetic.lower(value)) for name, value in outputs.items()}
            except Interrupted as error:
                outcome.raised = TimeoutError(str(error))
            except (Exception, SystemExit, KeyboardInterrupt) as error:
                outcome.raised = error
        del caught
        outcome.warnings = tuple(
            dict.fromkeys(str(item.message) for item in heard if issubclass(item.category, RuntimeWarning))
        )
        return outcome


def arithmetic_state(arithmetic: Arithmetic, state: Any) -> Any:
    """The prepared object with its floating-point attributes lifted, where the arithmetic is not native."""
    if state is None or type(arithmetic) is Arithmetic:
        return state
    attributes = getattr(state, "__dict__", None)
    if isinstance(attributes, dict):
        for name, value in list(attributes.items()):
            try:
                attributes[name] = arithmetic.lift(value)
            except Exception:  # an attribute that cannot be lifted stays as it is
                continue
    return state


def ordinary(value: Any, depth: int = 4) -> Any:
    """Tensors, data frames and sparse matrices as numpy arrays, inside containers too."""
    torch = installed("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        tensor = value.detach().cpu().resolve_conj()
        return (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy()
    home = type(value).__module__.partition(".")[0]
    if home == "pandas" and hasattr(value, "to_numpy"):
        return value.to_numpy()
    if home == "scipy" and hasattr(value, "toarray"):
        return value.toarray()
    if home in ("jax", "jaxlib") and hasattr(value, "addressable_data") and not type(value).__name__.endswith("Tracer"):
        # bfloat16 is no number of numpy's own.
        return np.asarray(value.astype("float32") if str(value.dtype) == "bfloat16" else value)
    if depth and type(value) in (list, tuple):
        return type(value)([ordinary(item, depth - 1) for item in value])
    if depth and type(value) is dict:
        return {key: ordinary(item, depth - 1) for key, item in value.items()}
    return value


def seed_everything(seed: int) -> None:
    """Set the state of the global generators of random, numpy and, where it is loaded, torch."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the state that the target draws from
    torch = installed("torch")
    if torch is not None:
        torch.manual_seed(seed)


@contextmanager
def quiet() -> Iterator[io.StringIO]:
    """Swallow what the target prints."""
    with redirect_stdout(Silence()) as sink:
        yield sink


class Silence(io.StringIO):
    """Takes what is printed and keeps nothing."""

    def write(self, text: str) -> int:
        return len(text)
