"""Run a target once more on given inputs, and say what came out and on which kernels.

The operation behind the machines: the host starts one process for each emulated machine,
and each replays the same inputs. The ladder is climbed again with the same seed, so the
harness is the one that the verdict was reached with; its inputs are replaced.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import protocol
from .arithmetic import Arithmetic
from .formats import FORMATS
from .harness import Harness, Outcome
from .leaves import leaves
from .machines import description
from .target import Target

SITES = 4
"""So many values of the flagged expression are compared; the others follow from them."""


def replay(payload: dict[str, Any], emit: Callable[[Any], None]) -> dict[str, Any]:
    """Replay one call.

    Parameters
    ----------
    payload : dict
        ``target`` (see `Target.to_json`); ``inputs``, encoded by `protocol`; ``format``;
        ``rung`` and ``harness``, the description, of the verdict; ``seed``.
    emit : callable

    Returns
    -------
    dict
        ``status`` is ``"ran"``, and then ``values`` has every number that came out, by the
        name of its leaf, and of the flagged expression as ``site[0]``, encoded; ``shown``
        the same as text; ``raised``; ``machine``, see `machines.description`. Or
        ``"inconclusive"`` with a ``reason``.
    """
    target = Target.from_json(payload["target"])
    harness = _harness(target, payload)
    if harness is None:
        return {"status": "inconclusive", "reason": "the call of the verdict could not be built again"}
    emit({"phase": f"replaying {harness.description}"})
    inputs = {**harness.inputs, **protocol.decode(payload.get("inputs") or {})}
    outcome = harness.run(inputs, Arithmetic(FORMATS[payload.get("format") or "float64"]), seconds=10.0)
    values = dict(_values(outcome))
    raised = outcome.raised
    return {
        "status": "ran",
        "values": {name: protocol.encode(value) for name, value in values.items()},
        "shown": {name: protocol.literal(value, 60) for name, value in values.items()},
        "raised": "" if raised is None else f"{type(raised).__name__}: {raised}"[:200],
        "machine": description(),
    }


def _harness(target: Target, payload: dict[str, Any]) -> Harness | None:
    """The harness that the verdict was reached with, by its rung and its description."""
    from .ladder import Options, ladder
    from .loading import load

    rung, call = payload.get("rung") or "", payload.get("harness") or ""
    rungs = (rung,) if rung else Options.rungs
    for harness in ladder(
        payload.get("loaded") or load(target), target, Options(rungs, seed=int(payload.get("seed") or 0))
    ):
        if not call or harness.description == call:
            return harness
    return None


def _values(outcome: Outcome) -> list[tuple[str, Any]]:
    """Numeric leaves of what came out, in double precision."""
    found = [(name, leaf) for key, value in outcome.outputs.items() for name, leaf in leaves(value, key)]
    found += [
        (name, leaf)
        for number, site in enumerate(outcome.sites[:SITES])
        for name, leaf in leaves(site, f"site[{number}]")
    ]
    return [(name, np.asarray(leaf, dtype=np.float64)) for name, leaf in found if np.asarray(leaf).dtype.kind in "fiub"]
