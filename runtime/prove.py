"""Run the examples of a rule: the bad ones fail as declared, the others hold, the rewrite repairs.

One exhibit is run once natively, and its failure is measured against what is true. What
is true is asked in this order: the same code in exact arithmetic (torch: in float64
throughout); where that has no value, as at a pole, the rewrite of the same code and the
good examples with the same call; else nothing, and then only what is not a number counts.
Examples that hold must also hold when their inputs are scaled, reversed and cast.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import itertools
import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from . import loops, symptoms
from .autograd import Given, Wide
from .exhibit import Exhibit, harness_of
from .formats import FLOAT32
from .harness import Harness, Outcome
from .leaves import leaves, mapped
from .symptoms import Expected
from .verdict import Figure

SECONDS = 2.0
EXCUSED = 100.0
"""A good algorithm is wrong by at most so many times what the rounding of its inputs explains."""
HALF = 2.0**-26
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
LOOPS = ("premature-stop", "never-stops")


@dataclass
class Proof:
    """What became of one exhibit.

    `digest` names the result; two processes that give different ones did not compute the same.
    """

    rule: str
    kind: str
    number: int
    status: str
    signature: str = ""
    figure: Figure | None = None
    reason: str = ""
    truth: str = ""
    digest: str = ""
    seconds: float = 0.0


def prove(exhibit: Exhibit) -> Proof:
    """Run one exhibit; every failure of the code is part of the proof."""
    start = time.perf_counter()
    proof = Proof(exhibit.rule, exhibit.kind, exhibit.number, FAILED)
    missing = _missing(exhibit.requires)
    if missing:
        proof.status, proof.reason = SKIPPED, f"needs {missing}"
        return proof
    try:
        _examine(exhibit, proof)
    except Exception as error:
        proof.reason = f"{type(error).__name__}: {error}"
    proof.seconds = time.perf_counter() - start
    return proof


def _missing(required: str) -> str:
    for name in required.replace(",", " ").split():
        try:
            __import__(name)
        except ImportError:
            return name
    return ""


def _examine(exhibit: Exhibit, proof: Proof) -> None:
    if any(signature == "non-determinism" for signature in exhibit.signatures):
        harness = harness_of(exhibit.code, exhibit.call, requires=exhibit.requires)
        harness.reseed = False
        run = harness.run(arithmetic=Given(), seconds=SECONDS)
        proof.digest = digest(run)
        proof.status = FAILED if run.raised else PASSED
        proof.reason = f"{type(run.raised).__name__}: {run.raised}" if run.raised else ""
        return
    harness = harness_of(exhibit.code, exhibit.call, exhibit.region, requires=exhibit.requires)
    expected = _expected(exhibit, harness, harness.inputs)
    found = _shown(exhibit, harness, harness.inputs, expected, normwise=exhibit.kind != "bad")
    if exhibit.kind != "bad":
        found = _excused(exhibit, harness, harness.inputs, expected, found)
    elif "ill-conditioned" in exhibit.signatures:
        _sensitivity(harness, found)
    proof.truth = expected.source if expected else ""
    if exhibit.kind == "bad":
        hit = symptoms.worst(found, exhibit.signatures)
        proof.status = PASSED if hit else FAILED
        if hit:
            proof.signature, proof.figure = hit
        else:
            seen = ", ".join(f"{name} ({figure.name} {figure.value:.2g})" for name, figure in found.items())
            proof.reason = f"shows {seen or 'no failure'}, not {' or '.join(exhibit.signatures)}"
        return
    proof.reason = _complaint(exhibit, found)
    if not proof.reason and exhibit.kind != "fixed":
        proof.reason = _perturbed(exhibit, harness)
    proof.status = FAILED if proof.reason else PASSED


def _sensitivity(harness: Harness, found: dict[str, Figure]) -> None:
    """A result that one rounding error in the inputs moves by more than half of its digits."""
    here, there = (harness.run(inputs, Given(), SECONDS) for inputs in (harness.inputs, _next(harness.inputs)))
    pairs = list(zip(symptoms.numbers(here.outputs), symptoms.numbers(there.outputs)))
    moved = max((symptoms.distance(one, other) for one, other in pairs if one.shape == other.shape), default=0.0)
    if moved > HALF:
        found["ill-conditioned"] = Figure("moved by one rounding error in the input", moved)


def _excused(
    exhibit: Exhibit, harness: Harness, inputs: dict[str, Any], expected: Expected | None, found: dict[str, Figure]
) -> dict[str, Figure]:
    """Without the errors that the rounding of the inputs alone explains: no algorithm can avoid those."""
    inexact = [name for name in symptoms.ACCURACY if name in found]
    if not inexact or expected is None:
        return found
    if all(np.all(np.abs(item) <= FLOAT32.tiny) for item in symptoms.numbers(expected.outputs)):
        # A root of a rounding error, where the true value is zero.
        return {name: figure for name, figure in found.items() if name not in inexact}
    nearby = reference(exhibit, harness, _next(inputs))
    pairs = list(zip(symptoms.numbers(expected.outputs), symptoms.numbers(nearby.outputs)))
    spread = max((symptoms.distance(one, other) for one, other in pairs if one.shape == other.shape), default=0.0)
    if not nearby.defined or found[inexact[0]].value <= EXCUSED * spread:
        return {name: figure for name, figure in found.items() if name not in inexact}
    return found


def _next(inputs: dict[str, Any]) -> dict[str, Any]:
    """Inputs whose numbers are one rounding error away, alternately up and down."""

    turn = itertools.count()

    def moved(item: Any) -> Any:
        upward = ((np.arange(item.size) + next(turn)) % 2 == 0).reshape(item.shape)
        return np.nextafter(item, np.where(upward, np.inf, -np.inf).astype(item.dtype))

    return {name: mapped(lambda leaf: _real(leaf, moved), value) for name, value in inputs.items()}


def _complaint(exhibit: Exhibit, found: dict[str, Figure]) -> str:
    """Why an example that should hold does not; a rewrite answers for the declared signature alone."""
    if exhibit.kind == "fixed":
        found = {name: figure for name, figure in found.items() if name in exhibit.signatures or name == "exception"}
    return ", ".join(
        f"{name}: {figure.name} {figure.value:.2g} {figure.unit}".strip() for name, figure in found.items()
    )


def _shown(
    exhibit: Exhibit, harness: Harness, inputs: dict[str, Any], expected: Expected | None, normwise: bool
) -> dict[str, Figure]:
    run = harness.run(inputs, Given(), SECONDS)
    found = symptoms.shown(run, expected, normwise)
    if "nan-gradient" in exhibit.signatures and differentiates(exhibit.call):
        for name in ("nan", "overflow"):
            if name in found:
                found["nan-gradient"] = found[name]
    if set(LOOPS) & set(exhibit.signatures):
        found.update(loops.shown(exhibit, inputs, SECONDS))
    return found


def _perturbed(exhibit: Exhibit, harness: Harness) -> str:
    for name, inputs in perturbations(harness.inputs, exhibit.cast):
        expected = _expected(exhibit, harness, inputs)
        if expected is None or not expected.defined:
            continue
        found = _shown(exhibit, harness, inputs, expected, normwise=True)
        complaint = _complaint(exhibit, _excused(exhibit, harness, inputs, expected, found))
        if complaint:
            return f"{name}: {complaint}"
    return ""


def perturbations(inputs: dict[str, Any], cast: bool = True) -> Iterator[tuple[str, dict[str, Any]]]:
    """Inputs as ordinary as the given ones: scaled, their first axis reversed, in float32."""

    def changed(function: Callable[[Any], Any]) -> dict[str, Any]:
        return {name: mapped(function, value) for name, value in inputs.items()}

    yield "halved", changed(lambda leaf: _real(leaf, lambda item: item * item.dtype.type(0.5)))
    yield "doubled", changed(lambda leaf: _real(leaf, lambda item: item * item.dtype.type(2)))
    if all(np.ndim(leaf) for _, leaf in leaves(inputs)):
        yield "reversed", changed(lambda leaf: _real(leaf, lambda item: item[::-1].copy()))
    if cast and _survive_float32(inputs):
        yield "float32", changed(lambda leaf: _real(leaf, FLOAT32.round))


def _real(leaf: Any, function: Callable[[Any], Any]) -> Any:
    if isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f":
        return function(leaf)
    if isinstance(leaf, float):
        return float(function(np.asarray(leaf, np.float64))[()])
    return leaf


def _survive_float32(inputs: dict[str, Any]) -> bool:
    """Whether the inputs stay what they are in float32: finite, none zero or equal that was not."""
    for _, leaf in leaves(inputs):
        array = np.asarray(leaf, np.float64)
        cast = FLOAT32.round(array).astype(np.float64)
        if not np.allclose(cast, array, rtol=1e-6, atol=0, equal_nan=True):
            return False
        if len(np.unique(cast)) != len(np.unique(array)):
            return False
    return True


def _expected(exhibit: Exhibit, harness: Harness, inputs: dict[str, Any]) -> Expected | None:
    """What the call should give on these inputs; None when nothing tells."""
    own = reference(exhibit, harness, inputs)
    if own.defined or exhibit.kind in ("good", "limit"):
        return own if own.defined else None
    for number, code in enumerate(exhibit.meant):
        other = harness_of(code, exhibit.call, requires=exhibit.requires)
        meant = reference(exhibit, other, _renamed(other, inputs))
        if not meant.defined:
            run = other.run(_renamed(other, inputs), Given(), SECONDS)
            meant = Expected(run.outputs, [], "")
        if meant.defined:
            meant.source = "the rewrite" if number == 0 and exhibit.meant[0] != "" else "the good example"
            meant.sites = own.sites
            return meant
    return Expected({}, own.sites, own.source) if own.sites else None


def _renamed(harness: Harness, inputs: dict[str, Any]) -> dict[str, Any]:
    return {name: inputs.get(name, value) for name, value in harness.inputs.items()}


def reference(exhibit: Exhibit, harness: Harness, inputs: dict[str, Any]) -> Expected:
    """The call in exact arithmetic, or in float64 throughout for torch."""
    if exhibit.requires:
        if "finfo" in exhibit.code:  # what depends on the format has no value without one
            return Expected()
        run = harness.run(inputs, Wide(), SECONDS)
        return Expected(run.outputs, run.sites, "float64")
    from .oracle import true_value

    if not inputs:  # numbers within the code alone cannot be replaced
        return Expected()
    truth = true_value(harness, inputs, SECONDS)
    return Expected(truth.outputs, truth.sites, truth.kind)


def differentiates(call: str) -> bool:
    """Whether a call takes a derivative: it names autograd, or a transformation of jax that differentiates."""
    names = {node.attr for node in ast.walk(ast.parse(call.strip(), mode="eval")) if isinstance(node, ast.Attribute)}
    return bool(names & {"autograd", "grad", "jacobian", "hessian", "value_and_grad", "jacfwd", "jacrev", "backward"})


def digest(run: Outcome) -> str:
    """A name of the outputs, to the last bit."""
    text = hashlib.sha256()
    for name, leaf in leaves(run.outputs):
        text.update(name.encode())
        text.update(np.ascontiguousarray(leaf).tobytes())
    if not any(True for _ in leaves(run.outputs)):
        text.update(repr(run.outputs).encode())
    return text.hexdigest()[:16]


def written(proof: Proof) -> dict[str, Any]:
    """As plain data; an infinite figure is the text ``"inf"``, since JSON has none."""
    data = asdict(proof)
    if proof.figure is not None and not math.isfinite(proof.figure.value):
        data["figure"]["value"] = str(proof.figure.value)
    return data


def main() -> None:
    """Read exhibits from standard input, one JSON object to a line; answer each with its proof.

    Each runs in a process forked from this one, so that none sees what another left behind.
    """
    from .oracle import true_value

    # What it needs is imported once, before the forks; the global generators stay as this process found them.
    harness = harness_of("", "1.0 + 1.0")
    harness.reseed = False
    true_value(harness, harness.inputs, SECONDS)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        data = json.loads(line)
        _warm(data.get("requires", ""))
        answers.write(json.dumps(_forked(Exhibit.from_json(data))) + "\n")
        answers.flush()


def _warm(required: str) -> None:
    """Import once, before the fork, what an exhibit needs."""
    if not _missing(required) and "torch" in required:
        importlib.import_module("torch.utils._python_dispatch")
        importlib.import_module("torch.utils._pytree")


def _forked(exhibit: Exhibit) -> dict[str, Any]:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        status = 1
        try:
            with os.fdopen(writer, "w") as answer:
                json.dump(written(prove(exhibit)), answer)
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    if text:
        result: dict[str, Any] = json.loads(text)
        return result
    return written(Proof(exhibit.rule, exhibit.kind, exhibit.number, FAILED, reason="its process died"))
