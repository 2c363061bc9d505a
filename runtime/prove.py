"""Run the examples of a rule: the bad ones fail as declared, the others hold, the rewrite repairs.

One exhibit is run once natively, and its failure is measured against what is true. What
is true is asked in this order: the same code in exact arithmetic (torch: in float64
throughout); where that has no value, as at a pole, the rewrite of the same code and the
good examples with the same call; else nothing, and then only what is not a number counts.
Examples that hold must also hold when their inputs are scaled, reversed and cast.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib
import json
import math
import os
import re
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from . import cause, loops, symptoms
from .autograd import Given, Wide
from .cause import EXCUSED
from .exhibit import Exhibit, harness_of
from .formats import FLOAT32, FLOAT64
from .harness import Harness, Outcome
from .leaves import leaves, mapped
from .precision import measured
from .symptoms import INEXACT, Expected
from .verdict import Figure

SECONDS = {"loop": 2.0, "jax": 30.0, "": 6.0}
"""For one run: of what may never stop, of what is compiled first, and of all the rest."""
SLOW = 0.9
"""Share of its time after which an exact run that has given nothing is held to be too slow."""
ROOTS = 8.0
"""What is zero in truth may come out as so many times the root of eps: the root of a rounding error."""
LIMIT = 120.0
"""Seconds after which the process of one exhibit is ended from outside."""
RANDOM = "non-determinism"
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
    errors: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Of a rewrite: the error before and after it in each format (`precision`)."""


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


def _seconds(exhibit: Exhibit) -> float:
    return SECONDS["loop" if set(LOOPS) & set(exhibit.signatures) else "jax" if "jax" in exhibit.requires else ""]


def _missing(required: str) -> str:
    for name in required.replace(",", " ").split():
        try:
            __import__(name)
        except ImportError:
            return name
    return ""


def _examine(exhibit: Exhibit, proof: Proof) -> None:
    if RANDOM in exhibit.signatures:
        harness = harness_of(exhibit.code, exhibit.call, requires=exhibit.requires)
        harness.reseed = False
        run = harness.run(arithmetic=Given(), seconds=_seconds(exhibit))
        proof.digest = digest(run)
        proof.status = FAILED if run.raised else PASSED
        proof.reason = f"{type(run.raised).__name__}: {run.raised}" if run.raised else ""
        return
    harness = harness_of(exhibit.code, exhibit.call, exhibit.regions, requires=exhibit.requires)
    truths = _Truths(exhibit, harness)
    expected = truths(harness.inputs)
    found = _shown(exhibit, harness, harness.inputs, expected, normwise=exhibit.kind != "bad")
    proof.truth = expected.source if expected else ""
    if exhibit.kind == "bad":
        _fails(exhibit, proof, harness, truths, found)
        return
    if exhibit.kind == "fixed":
        proof.errors = measured(exhibit, lambda other, inputs: reference(exhibit, other, inputs), _seconds(exhibit))
    found = _excused(harness.inputs, expected, truths, found)
    if exhibit.kind == "fixed" and "ill-conditioned" in exhibit.signatures:
        found, proof.reason = _settled(exhibit, harness, truths, found)
    proof.reason = _complaint(found) or proof.reason
    if not proof.reason and exhibit.kind != "fixed":
        proof.reason = _perturbed(exhibit, harness, truths)
    proof.status = FAILED if proof.reason else PASSED


def _settled(
    exhibit: Exhibit, harness: Harness, truths: _Truths, found: dict[str, Figure]
) -> tuple[dict[str, Figure], str]:
    """Judge the rewrite of what is ill-conditioned by how far one rounding error moves it.

    The true value of rounded data that is all but rank-deficient moves as wildly, and excuses any
    result: where it does, it is not asked.
    """
    explained = cause.spread(harness.inputs, truths.defined)
    if explained is not None and explained > cause.HALF:
        found = {name: figure for name, figure in found.items() if name != INEXACT}
    original = harness_of(exhibit.original, exhibit.call, requires=exhibit.requires)
    before, after = (cause.sensitivity(item, _seconds(exhibit)) for item in (original, harness))
    if after <= max(before / EXCUSED, cause.HALF):
        return found, ""
    return found, f"one rounding error in the input moves the result by {after:.2g}, the original by {before:.2g}"


def _fails(exhibit: Exhibit, proof: Proof, harness: Harness, truths: _Truths, found: dict[str, Figure]) -> None:
    """Whether a bad example fails as declared; a wrong number is named after its cause."""
    wanted = tuple(name for name in exhibit.signatures if name in cause.SIGNATURES)
    if wanted:
        found = {**found, **cause.causes(harness, truths.defined, wanted, found, _seconds(exhibit))}
    hit = symptoms.worst(found, exhibit.signatures)
    proof.status = PASSED if hit else FAILED
    if hit:
        proof.signature, proof.figure = hit
        return
    if INEXACT in found:
        found = {**found, **cause.causes(harness, truths.defined, cause.SIGNATURES, found, _seconds(exhibit))}
    proof.reason = f"shows {_said(found) or 'no failure'}, not {' or '.join(exhibit.signatures)}"


def _said(found: dict[str, Figure]) -> str:
    """What was seen, in words, each figure once: ``cancellation (relative error 0.26)``."""
    words: dict[str, list[str]] = {}
    for name, figure in found.items():
        words.setdefault(f"{figure.name} {figure.value:.2g} {figure.unit}".strip(), []).append(name)
    said = []
    for figure_, names in words.items():
        named = [name for name in names if name != INEXACT] or ["a wrong number"]
        said.append(f"{' and '.join(named)} ({figure_})")
    return ", ".join(said)


def _excused(
    inputs: dict[str, Any], expected: Expected | None, truths: _Truths, found: dict[str, Figure]
) -> dict[str, Figure]:
    """Without the error that the rounding of the inputs alone explains: no algorithm can avoid that."""
    if INEXACT not in found or expected is None:
        return found
    kept = {name: figure for name, figure in found.items() if name != INEXACT}
    if _is_root_of_zero(inputs, expected, found[INEXACT].value):
        return kept
    explained = cause.spread(inputs, truths.defined)
    return kept if explained is not None and found[INEXACT].value <= EXCUSED * explained else found


def _is_root_of_zero(inputs: dict[str, Any], expected: Expected, error: float) -> bool:
    """Whether all is zero in truth, as far as the reference can tell, and what came out is the root of an eps."""
    sizes = [float(np.abs(item).max()) for item in symptoms.numbers(inputs) if item.size and item.dtype.kind == "f"]
    largest = max([1.0, *sizes])
    true = max((float(np.abs(item).max()) for item in symptoms.numbers(expected.outputs) if item.size), default=0.0)
    known = ROOTS * math.sqrt(FLOAT64.eps) * largest if expected.source == "float64" else 0.0
    narrow = any(item.dtype.itemsize < 8 for item in symptoms.numbers(inputs) if item.dtype.kind == "f")
    eps = (FLOAT32 if narrow else FLOAT64).eps
    return true <= known and error * (true or 1.0) <= ROOTS * math.sqrt(eps) * largest


def _complaint(found: dict[str, Figure]) -> str:
    """Why an example that should hold does not."""
    return _said(found)


def _shown(
    exhibit: Exhibit, harness: Harness, inputs: dict[str, Any], expected: Expected | None, normwise: bool
) -> dict[str, Figure]:
    run = harness.run(inputs, Given(), _seconds(exhibit))
    found = symptoms.shown(run, expected, normwise, exhibit.elementwise)
    if "nan-gradient" in exhibit.signatures and differentiates(exhibit.call):
        for name in ("nan", "overflow"):
            if name in found:
                found["nan-gradient"] = found[name]
    if set(LOOPS) & set(exhibit.signatures):
        found.update(loops.shown(exhibit, inputs, _seconds(exhibit)))
    return found


def _perturbed(exhibit: Exhibit, harness: Harness, truths: _Truths) -> str:
    for name, inputs in perturbations(harness.inputs, exhibit.cast):
        expected = truths(inputs)
        if expected is None or not expected.defined:
            continue
        found = _shown(exhibit, harness, inputs, expected, normwise=True)
        complaint = _complaint(_excused(inputs, expected, truths, found))
        if complaint:
            return f"{name}: {complaint}"
    return ""


def perturbations(inputs: dict[str, Any], cast: bool = True) -> Iterator[tuple[str, dict[str, Any]]]:
    """Inputs as ordinary as the given ones: scaled, their first axis reversed, in float32."""

    def changed(function: Callable[[Any], Any]) -> dict[str, Any]:
        return {name: mapped(function, value) for name, value in inputs.items()}

    yield "halved", changed(lambda leaf: cause.real(leaf, lambda item: item * item.dtype.type(0.5)))
    yield "doubled", changed(lambda leaf: cause.real(leaf, lambda item: item * item.dtype.type(2)))
    if all(np.ndim(leaf) for _, leaf in leaves(inputs)):
        yield "reversed", changed(lambda leaf: cause.real(leaf, lambda item: item[::-1].copy()))
    if cast and _survive_float32(inputs):
        yield "float32", changed(lambda leaf: cause.real(leaf, FLOAT32.round))


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


class _Truths:
    """What the call should give, by inputs; None when nothing tells.

    A harness whose exact run took longer than it may is not tried again on other inputs.
    """

    def __init__(self, exhibit: Exhibit, harness: Harness) -> None:
        self.exhibit = exhibit
        self.harness = harness
        self._slow: set[int] = set()

    def __call__(self, inputs: dict[str, Any]) -> Expected | None:
        exhibit = self.exhibit
        if exhibit.safe:  # a rewrite that claims to be equal is held to what it was made of
            before = harness_of(exhibit.original, exhibit.call, requires=exhibit.requires)
            original = self._reference(before, _renamed(before, inputs), -1)
            if original.defined:
                original.sites, original.source = [], "the original"
                return original
        own = self._reference(self.harness, inputs, 0)
        if own.defined or exhibit.kind in ("good", "limit"):
            return own if own.defined else None
        for number, code in enumerate(exhibit.meant, start=1):
            other = harness_of(code, exhibit.call, requires=exhibit.requires)
            meant = self._reference(other, _renamed(other, inputs), number)
            if not meant.defined:
                run = other.run(_renamed(other, inputs), Given(), _seconds(exhibit))
                meant = Expected(run.outputs, [], "")
            if meant.defined:
                meant.source = "the rewrite" if number == 1 and exhibit.meant[0] != "" else "the good example"
                meant.sites = own.sites
                return meant
        return Expected({}, own.sites, own.source) if own.sites else None

    def defined(self, inputs: dict[str, Any]) -> Expected:
        """As a call, with nothing in it when nothing tells."""
        return self(inputs) or Expected()

    def _reference(self, harness: Harness, inputs: dict[str, Any], number: int) -> Expected:
        if number in self._slow:
            return Expected()
        start = time.perf_counter()
        found = reference(self.exhibit, harness, inputs)
        if not found.defined and time.perf_counter() - start > SLOW * _seconds(self.exhibit):
            self._slow.add(number)
        return found


def _renamed(harness: Harness, inputs: dict[str, Any]) -> dict[str, Any]:
    return {name: inputs.get(name, value) for name, value in harness.inputs.items()}


def reference(exhibit: Exhibit, harness: Harness, inputs: dict[str, Any]) -> Expected:
    """The call in exact arithmetic, or in float64 throughout for torch."""
    if "jax" in exhibit.requires:  # its formats are no matter of a mode
        return Expected()
    if exhibit.requires:
        if "finfo" in exhibit.code:  # what depends on the format has no value without one
            return Expected()
        run = harness.run(inputs, Wide(), _seconds(exhibit))
        return Expected(run.outputs, run.sites, "float64")
    from .oracle import true_value

    if not inputs:  # numbers within the code alone cannot be replaced
        return Expected()
    truth = true_value(harness, inputs, _seconds(exhibit))
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


def main(jobs: int = 1) -> None:
    """Read exhibits from standard input to its end, one JSON object to a line; answer each with its proof.

    Each runs in a process forked from this one, so that none sees what another left behind;
    `jobs` at a time, answered as they end.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    wanted = [Exhibit.from_json(json.loads(line)) for line in sys.stdin]
    # A fork copies the tables of the memory: those that need no framework are done before one is imported.
    for group in ([one for one in wanted if not one.requires], [one for one in wanted if one.requires]):
        _warm(group)
        for answer in _forked(group, max(jobs, 1)):
            answers.write(json.dumps(answer) + "\n")
            answers.flush()


def _warm(wanted: list[Exhibit]) -> None:
    """Import what the exhibits need once, before the forks; the global generators stay as this process found them."""
    from .oracle import true_value

    if not wanted:
        return
    harness = harness_of("", "1.0 + 1.0")
    harness.reseed = False
    true_value(harness, harness.inputs, SECONDS[""])
    required = {name for exhibit in wanted for name in exhibit.requires.split()}
    modules = sorted({name for exhibit in wanted for name in _imports(exhibit, {"scipy", *required})})
    if "torch" in required:
        # A dispatch mode imports the compiler with the first tensor that it meets.
        modules += ["torch.utils._python_dispatch", "torch.utils._pytree", "torch._dynamo", "torch.nn.functional"]
    for name in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def _imports(exhibit: Exhibit, libraries: set[str]) -> set[str]:
    """The modules of some libraries that the code of an exhibit imports."""
    found = re.findall(r"^(?:import|from) ([\w.]+)", exhibit.code, re.MULTILINE)
    return {name for name in found if name.partition(".")[0] in libraries}


def _forked(wanted: list[Exhibit], jobs: int) -> Iterator[dict[str, Any]]:
    """Run exhibits in processes of their own, so many at a time; one that takes too long is ended."""
    waiting = list(reversed(wanted))
    running: dict[int, _Child] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            child = _Child(waiting.pop())
            running[child.reader] = child
        ready, _, _ = select.select(list(running), [], [], 1.0)
        for reader in ready:
            if running[reader].read():
                yield running.pop(reader).proof("its process died")
        for reader, child in list(running.items()):
            if time.monotonic() - child.start > LIMIT:
                os.kill(child.process, signal.SIGKILL)
                yield running.pop(reader).proof(f"no result within {LIMIT:g} s")


class _Child:
    """A process that runs one exhibit."""

    def __init__(self, exhibit: Exhibit) -> None:
        self.exhibit = exhibit
        self.start = time.monotonic()
        self.text = b""
        self.reader, writer = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            status = 1
            try:
                os.close(self.reader)
                with os.fdopen(writer, "w") as answer:
                    json.dump(written(prove(exhibit)), answer)
                status = 0
            finally:
                os._exit(status)
        os.close(writer)

    def read(self) -> bool:
        """Take what there is; True at the end."""
        part = os.read(self.reader, 1 << 16)
        self.text += part
        return not part

    def proof(self, otherwise: str) -> dict[str, Any]:
        """What it said, or the reason why it said nothing."""
        os.close(self.reader)
        os.waitpid(self.process, 0)
        try:
            result: dict[str, Any] = json.loads(self.text)
        except ValueError:
            result = written(Proof(self.exhibit.rule, self.exhibit.kind, self.exhibit.number, FAILED, reason=otherwise))
        return result
