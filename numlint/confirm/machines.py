"""The same call on other machines, each emulated in a fresh process.

A result that a reader can trust does not depend on the processor that it was computed on.
The smallest failing input of a verdict is replayed on every machine that can be emulated
here, and the values are compared, norm-wise. Machines that were asked for in vain are
said so, and not counted. Beside them stands a control, the first machine once more: where
a rerun alone differs, no machine is to blame.
"""

from __future__ import annotations

import contextlib
import json
import math
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numlint.confirm.emulation import ILLEGAL, Emulation, died, emulated, emulations, one_thread
from numlint.confirm.workers import GRACE, START
from numlint.runtime.target import Target
from numlint.runtime.verdict import Machine, Verdict

MEMORY = 4 << 30
IMPORT_SECONDS = 60.0
SENSITIVE = frozenset({"ill-conditioned", "backward-error", "premature-stop", "never-stops", "non-determinism"})
"""Signatures of failures that the order of roundings can bring about, or hide."""
FAMILIES = ("NL4", "NL5")
"""Linear algebra; iteration and stopping."""
Answer = dict[str, Any]
Ask = Callable[[Mapping[str, str], Answer], Answer]
"""Sends one request to a fresh process with these variables set, and gives its answer."""


@dataclass(frozen=True)
class Demonstration:
    """What the machines showed.

    Attributes
    ----------
    machines : list of Machine
    spread : float
        Largest relative difference, norm-wise, between two machines that were honoured;
        infinite where a value is finite on one of them only.
    control : float
        The same between two runs on one machine.
    value : str
        Which value differs most: ``"return"``.
    note : str
        What could not be emulated, and why.
    """

    machines: list[Machine] = field(default_factory=list)
    spread: float = 0.0
    control: float = 0.0
    value: str = ""
    note: str = ""


def wants_machines(target: Target) -> bool:
    """Whether the result of a target may depend on the machine: on the order of roundings, of ties, of reductions.

    A formula that overflows does so everywhere; a rank decision, an iteration that stops
    by a residual, or a sum over a set may come out either way.
    """
    by_role = any(role.kind in ("design", "spd", "distance") for role in target.roles.values())
    return target.signature in SENSITIVE or target.code.startswith(FAMILIES) or (by_role and target.signature == "nan")


def demonstrate(target: Target, verdict: Verdict, ask: Ask) -> Demonstration:
    """Replay the smallest failing input of a verdict on every machine.

    Parameters
    ----------
    target : Target
    verdict : Verdict
        With `evidence.smallest.exact`; else there is nothing to replay.
    ask : callable
        See `fresh`.
    """
    sample = verdict.evidence.smallest if verdict.evidence else None
    if sample is None or not sample.exact:
        return Demonstration(note="no input to replay")
    request = {
        "op": "replay",
        "target": target.to_json(),
        "inputs": {name: value for name, value in sample.exact.items() if not name.startswith("<")},
        "format": sample.format,
        "rung": verdict.rung,
        "harness": verdict.harness,
        "seed": verdict.seed,
    }
    first = ask(one_thread(), request)
    if first.get("status") != "ran":
        return Demonstration(note=f"cannot be replayed: {first.get('reason', 'no answer')}")
    torch = target.framework == "torch"
    chosen, note = emulations(first["machine"], torch=torch, hashes=target.signature == "non-determinism")
    answers = [first, *(ask(item.environment, request) for item in chosen[1:])]
    return compared(chosen, answers, ask(one_thread(), request), note)


def attach(verdict: Verdict, shown: Demonstration) -> None:
    """Write into a verdict what the machines showed."""
    verdict.machines = shown.machines
    verdict.tried["machines"] = {
        "counted": sum(machine.honoured for machine in shown.machines),
        "largest difference between machines": shown.spread,
        "between two runs on one": shown.control,
        "of": shown.value,
        "note": shown.note,
    }


def compared(chosen: Sequence[Emulation], answers: Sequence[Answer], again: Answer, note: str = "") -> Demonstration:
    """The demonstration from the answers of the machines; `again` is the first of them once more."""
    honest = [
        item.honoured(said["machine"]) if _ran(said) else False for item, said in zip(chosen, answers, strict=True)
    ]
    counted = [_values(said) for said, yes in zip(answers, honest, strict=True) if yes]
    value, spread = _spread(counted)
    _, control = _spread([_values(answers[0]), _values(again)])
    shown = value or next(iter(answers[0].get("values", {})), "")
    machines = [_machine(item, said, shown, yes) for item, said, yes in zip(chosen, answers, honest, strict=True)]
    return Demonstration(machines, spread, control, value, note)


def _ran(answer: Answer) -> bool:
    return answer.get("status") == "ran"


def _machine(emulation: Emulation, answer: Answer, name: str, honoured: bool) -> Machine:
    if not _ran(answer):
        reason = str(answer.get("reason", "no answer"))
        return Machine(emulation.name, dict(emulation.environment), "", False, reason)
    kernels = dict.fromkeys(item["kernel"] for item in answer["machine"]["libraries"] if item["kernel"])
    if emulation.branch:
        kernels = {f"MKL {answer['machine']['torch_branch']}": None}
    value = _values(answer).get(name)
    size = _largest(value) if value is not None else None
    result = answer["raised"] or answer["shown"].get(name, "")
    return Machine(emulation.name, dict(emulation.environment), ", ".join(kernels), honoured, result, size)


def _values(answer: Answer) -> dict[str, Any]:
    from numlint.runtime import protocol

    return {name: protocol.decode(item) for name, item in answer.get("values", {}).items()}


def _largest(value: Any) -> float | None:
    """The largest magnitude; not finite where one element is not."""
    import numpy as np

    return float(np.abs(value).max()) if value.size else None


def _spread(runs: Sequence[Mapping[str, Any]]) -> tuple[str, float]:
    """The name of the value that differs most between runs, and by how much."""
    worst = ("", 0.0)
    for number, one in enumerate(runs):
        for other in runs[number + 1 :]:
            for name in one.keys() | other.keys():
                apart = difference(one.get(name), other.get(name))
                if apart > worst[1] or (apart == worst[1] > 0 and not name.startswith("site") and name < worst[0]):
                    worst = (name, apart)
    return worst


def difference(one: Any, other: Any) -> float:
    """Relative difference of two arrays, norm-wise; infinite where they cannot be compared."""
    import numpy as np

    if one is None or other is None or np.shape(one) != np.shape(other):
        return math.inf
    finite = np.isfinite(one)
    if not np.array_equal(finite, np.isfinite(other)):
        return math.inf
    a, b = np.where(finite, one, 0.0), np.where(finite, other, 0.0)
    scale = min(np.abs(a).max(initial=0.0), np.abs(b).max(initial=0.0))
    apart = np.abs(a - b).max(initial=0.0)
    with np.errstate(all="ignore"):
        return float(apart / scale) if scale else (math.inf if apart else 0.0)


def fresh(python: str, seconds: float = 20.0) -> Ask:
    """Ask one fresh server of the runtime, in the interpreter `python`, for each request."""

    def ask(environment: Mapping[str, str], request: Answer) -> Answer:
        options = {"limit": seconds, "import_seconds": IMPORT_SECONDS, "memory": MEMORY, **request.get("options", {})}
        with tempfile.TemporaryDirectory(prefix="numlint-") as directory:
            process = subprocess.Popen(
                [python, "-u", "-B", str(START)],
                env={**emulated(environment), **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), directory)},
                cwd=directory,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
                start_new_session=True,
            )
            clock = threading.Timer(seconds + IMPORT_SECONDS + GRACE, process.kill)
            clock.start()
            try:
                return _asked(process, {**request, "id": 1, "options": options})
            finally:
                clock.cancel()
                process.kill()
                process.wait()

    return ask


def _asked(process: subprocess.Popen[str], request: Answer) -> Answer:
    """The result of a request; where there is none, why."""
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdout, contextlib.suppress(BrokenPipeError):
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        for line in process.stdout:
            result = json.loads(line).get("result")
            if isinstance(result, dict):
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.close()  # the server ends when its host is gone, and its children with it
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=5)
                return {**result, "reason": ILLEGAL} if "SIGILL" in str(result.get("reason", "")) else result
    return {"status": "inconclusive", "reason": died(process.wait())}
