"""Rules prove themselves: their examples run in the user's interpreter.

Every example with a call becomes an exhibit: a bad one with the region and the signature
that the rule itself reports for it, its rewrite, and the good and limit ones. The runtime
runs each and measures. What should differ between two processes, or should not, runs in
two fresh ones.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numlint.finding import Safety
from numlint.linter import check_source
from numlint.rule import Example, Rule

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
KINDS = ("bad", "fixed", "good", "limit")
RANDOM = "non-determinism"
NORMWISE = ("NL4", "NL5", "NL9")
# The folder of the runtime need not be importable there under any name.
START = (
    "import importlib, runpy, sys; here = sys.argv[1]; "
    "runpy.run_path(here + '/start.py', run_name='start')['register'](here); "
    "importlib.import_module('numlint_runtime.prove').main(int(sys.argv[2]))"
)


class ProveError(Exception):
    """The interpreter could not be started, or it ended before it had answered."""


@dataclass(frozen=True)
class Proof:
    """What became of one example: `figure` is what was measured, in words."""

    rule: str
    kind: str
    number: int
    status: str
    signature: str = ""
    figure: str = ""
    reason: str = ""
    truth: str = ""
    seconds: float = 0.0
    digest: str = ""
    errors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Of a rewrite: the error before and after it, by format."""

    @property
    def label(self) -> str:
        return f"{self.kind} {self.number + 1}"


def exhibits(rule: Rule) -> Iterator[dict[str, Any]]:
    """The examples of a rule that can be run, as the runtime reads them."""
    for kind in ("bad", "good", "limit"):
        for number, example in enumerate(getattr(rule, kind)):
            if not example.call:
                continue
            signatures, regions = _declared(rule, example) if kind == "bad" else ((rule.signature,), ())
            exhibit = {
                "rule": rule.name,
                "kind": kind,
                "number": number,
                "code": example.code,
                "call": example.call,
                "requires": example.requires,
                "signatures": signatures,
                "regions": regions,
                # Precision and dtype: there the format is what an example is about.
                "cast": not rule.code.startswith("NL7"),
                # A small entry of a solution or of an eigenvector cannot be better than the large ones.
                "elementwise": not rule.code.startswith(NORMWISE),
                "meant": _meant(rule, example) if kind == "bad" else (),
            }
            yield exhibit
            if example.fixed:
                yield {
                    **exhibit,
                    "kind": "fixed",
                    "code": example.fixed,
                    "regions": (),
                    "original": example.code,
                    "safe": _is_safe(rule, example),
                }


def _declared(rule: Rule, example: Example) -> tuple[tuple[str, ...], tuple[dict[str, int], ...]]:
    """The signatures that the rule reports for an example, and the places."""
    findings, _ = check_source(example.code.encode(), "example.py", [rule])
    if not findings:
        return (rule.signature,), ()
    declared = [example.signature] if example.signature else [finding.signature for finding in findings]
    spans = dict.fromkeys(finding.span for finding in findings)
    regions = tuple(
        {
            "line": span.line,
            "column": span.column,
            "end_line": span.end_line,
            "end_column": span.end_column,
        }
        for span in spans
    )
    return tuple(dict.fromkeys(declared)), regions


def _is_safe(rule: Rule, example: Example) -> bool:
    """Whether the rewrite of an example claims to be equal in exact arithmetic."""
    findings, _ = check_source(example.code.encode(), "example.py", [rule])
    return all(item.rewrite is not None and item.rewrite.safety is Safety.SAFE for item in findings)


def _meant(rule: Rule, example: Example) -> tuple[str, ...]:
    """Codes that say what an example means where its own formula has no value."""
    called = " ".join(example.call.split())
    good = [item.code for item in (*rule.good, *rule.limit) if " ".join(item.call.split()) == called]
    return tuple(dict.fromkeys([*([example.fixed] if example.fixed else []), *good]))


def prove(rules: Iterable[Rule], python: str = sys.executable, jobs: int = 1) -> Iterator[Proof]:
    """Run the examples of some rules in an interpreter, `jobs` at a time; proofs come in the order of the rules.

    Raises
    ------
    ProveError
    """
    wanted = [exhibit for rule in rules for exhibit in exhibits(rule)]
    random = [exhibit for exhibit in wanted if RANDOM in exhibit["signatures"]]
    again = {_key(answer): answer for answer in _answers(random, python, "3", jobs)} if random else {}
    answers = {}
    order = iter([_key(exhibit) for exhibit in wanted])
    awaited = next(order, None)
    for answer in _answers(wanted, python, "0", jobs):
        answers[_key(answer)] = answer
        while awaited in answers:
            ready = answers[awaited]
            yield _proof(_compared(ready, again[awaited]) if awaited in again else ready)
            awaited = next(order, None)


def _key(answer: dict[str, Any]) -> tuple[str, str, int]:
    return answer["rule"], answer["kind"], answer["number"]


def _compared(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Judge an example by the results of two processes."""
    if one["status"] != PASSED:
        return one
    differ = one["digest"] != other["digest"]
    figure = {"name": "two processes differ", "value": 2.0, "unit": "results"} if differ else None
    expected = one["kind"] == "bad"
    reason = "" if differ == expected else "two processes differ" if differ else "two processes give the same result"
    return {
        **one,
        "status": FAILED if reason else PASSED,
        "reason": reason,
        "figure": figure,
        "signature": RANDOM if expected and differ else "",
    }


def _proof(answer: dict[str, Any]) -> Proof:
    names = Proof.__dataclass_fields__
    values = {name: value for name, value in answer.items() if name in names}
    values["figure"] = _figure(answer.get("figure"))
    return Proof(**values)


def _figure(figure: dict[str, Any] | None) -> str:
    """A measured number in words: ``relative error 0.33``."""
    if not figure:
        return ""
    value = float(figure["value"])
    return " ".join(part for part in (figure["name"], f"{value:.2g}", figure["unit"]) if part)


def _answers(wanted: Sequence[dict[str, Any]], python: str, hash_seed: str, jobs: int) -> Iterator[dict[str, Any]]:
    """What a process of the interpreter says to each exhibit, in the order in which they end."""
    runtime = Path(__file__).resolve().parent.parent / "runtime"
    if not runtime.is_dir():
        # An editable install maps the package to a folder beside this one.
        runtime = Path(__file__).resolve().parents[2] / "runtime"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as questions:
        questions.writelines(json.dumps(exhibit) + "\n" for exhibit in wanted)
        questions.seek(0)
        try:
            process = subprocess.Popen(
                [python, "-u", "-B", "-c", START, str(runtime), str(jobs)],
                stdin=questions,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            raise ProveError(f"{python}: {error.strerror}") from error
        answered = 0
        try:
            assert process.stdout
            for line in process.stdout:
                yield json.loads(line)
                answered += 1
        finally:
            with contextlib.suppress(ProcessLookupError):  # its children too, when the reader stops
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if answered < len(wanted):
            said.seek(0)
            words = said.read().strip().splitlines()
            raise ProveError(f"{python} ended: {words[-1] if words else 'without a word'}")


def record(proved: Iterable[tuple[Rule, Sequence[Proof]]]) -> list[dict[str, Any]]:
    """What was measured, as plain data; without times, so that two runs can be compared.

    `example` names the text that was run: figures are out of date when it is another one.
    """
    return [
        {
            "rule": rule.name,
            "code": rule.code,
            "proofs": [
                {
                    "kind": proof.kind,
                    "number": proof.number + 1,
                    "example": identity(rule, proof.kind, proof.number),
                    "status": proof.status,
                    **{
                        key: value
                        for key in ("signature", "figure", "reason", "truth", "errors")
                        if (value := getattr(proof, key))
                    },
                }
                for proof in proofs
            ],
        }
        for rule, proofs in proved
    ]


def identity(rule: Rule, kind: str, number: int) -> str:
    """A name of the text of an example: its code, its call and its rewrite."""
    example = getattr(rule, "bad" if kind == "fixed" else kind)[number]
    text = "\0".join((example.code, example.call, example.fixed))
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
