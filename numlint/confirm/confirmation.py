"""The run of the whole: targets go to the interpreter of the code, verdicts come back one by one."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from numlint.confirm.targets import Case
from numlint.confirm.verdicts import SURE
from numlint.finding import Problem
from numlint.runtime.verdict import CONFIRMED, INCONCLUSIVE, STATUSES, Verdict

Request = dict[str, Any]
Exchange = Callable[[Iterable[Request]], Iterator[tuple[Request, dict[str, Any]]]]
"""What runs requests and gives each back with its answer, in any order."""


@dataclass(frozen=True)
class Options:
    """How hard to try.

    Attributes
    ----------
    seed : int
    seconds : float
        For each target.
    formats : tuple of str
    machines : bool
        Whether to demonstrate on emulated machines.
    packs : tuple of str
        Packages with further perturbations.
    given : tuple of str
        Other options of the command line that a replay needs, such as ``("--python", ".venv/bin/python")``.
    """

    seed: int = 0
    seconds: float = 10.0
    formats: tuple[str, ...] = ("float64", "float32", "float16")
    machines: bool = True
    packs: tuple[str, ...] = ()
    given: tuple[str, ...] = ()


@dataclass(frozen=True)
class Confirmed:
    """A finding with what became of it."""

    case: Case
    verdict: Verdict

    @property
    def is_sure(self) -> bool:
        """Whether it fails on an input that can be expected."""
        return is_sure(self.verdict)


@dataclass(frozen=True)
class Confirmation:
    """The outcome of a run, as far as it came.

    Attributes
    ----------
    results : tuple of Confirmed
        In the order of the findings.
    problems : tuple of Problem
        What could not be read or parsed.
    sources : mapping of str to str
        Decoded text by path.
    remarks : tuple of str
        What was asked for and is not there.
    left : int
        Findings that Ctrl-C left without a verdict.
    seconds : float
    seed : int
    python : str
        The interpreter that ran the code.
    """

    results: tuple[Confirmed, ...] = ()
    problems: tuple[Problem, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    left: int = 0
    seconds: float = 0.0
    seed: int = 0
    python: str = ""

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        return tuple(result.verdict for result in self.results)


def is_sure(verdict: Verdict) -> bool:
    """Whether a verdict is a confirmation on an input that can be expected."""
    return verdict.status == CONFIRMED and verdict.evidence is not None and verdict.evidence.realism in SURE


def request(case: Case, options: Options) -> Request:
    """What is sent to the runtime for one finding."""
    return {
        "op": "confirm",
        "target": case.target.to_json(),
        "options": {key: item for key, item in asdict(options).items() if key != "given"},
    }


def confirm(
    cases: Sequence[Case], exchange: Exchange, options: Options, started: Callable[[Case], None] = lambda case: None
) -> Iterator[Confirmed]:
    """Confirm findings; iterate over the results as they come.

    Parameters
    ----------
    cases : sequence of Case
    exchange : callable
        Runs requests in the interpreter of the code under test.
    options : Options
    started : callable
        Is told which target is asked for next.
    """
    requests = [request(case, options) for case in cases]
    lines = Counter((case.finding.path, case.finding.span.line) for case in cases)
    by_request = {id(sent): case for sent, case in zip(requests, cases, strict=True)}

    def feed() -> Iterator[Request]:
        for sent in requests:
            started(by_request[id(sent)])
            yield sent

    for sent, answer in exchange(feed()):
        case = by_request[id(sent)]
        verdict = _named(answered(answer), case, options)
        verdict.replay = replay(case, options, alone=lines[case.finding.path, case.finding.span.line] == 1)
        yield Confirmed(case, verdict)


def replay(case: Case, options: Options, *, alone: bool = True) -> str:
    """The command line that reaches the verdict on a finding again; `alone` says that no other is on its line."""
    finding, plain = case.finding, Options()
    words = ["numlint", "confirm", f"{finding.path}:{finding.span.line}", "--seed", str(options.seed)]
    words += [] if alone else ["--select", finding.rule]
    words += ["--confidence", "possible"] if finding.confidence.label == "possible" else []
    words += ["--formats", ",".join(options.formats)] if options.formats != plain.formats else []
    words += ["--seconds", f"{options.seconds:g}"] if options.seconds != plain.seconds else []
    words += [] if options.machines else ["--no-machines"]
    return shlex.join([*words, *options.given])


REMEDIES = {
    "timeout": "give it longer: --seconds 60",
    "memory": "declare smaller inputs: --inputs FILE",
}
"""What would make a target run, by the kind of failure that ended it."""


def answered(answer: Mapping[str, Any]) -> Verdict:
    """The verdict that an answer is; one that was cut short keeps what was known of it until then."""
    known = {item.name for item in fields(Verdict)}
    said: dict[str, Any] = {"status": INCONCLUSIVE, "reason": "the runtime gave no verdict"}
    for event in answer.get("emitted") or ():
        said |= {key: item for key, item in event.items() if key in known} if isinstance(event, Mapping) else {}
    said |= {key: item for key, item in answer.items() if key in known}
    said.setdefault("remedy", REMEDIES.get(str(answer.get("failure")), ""))
    if said["status"] not in STATUSES:
        said |= {"status": INCONCLUSIVE, "reason": f"the runtime answered {said['status']!r}"}
    return Verdict.from_json(said)


def _named(verdict: Verdict, case: Case, options: Options) -> Verdict:
    """The verdict with what the host knows better: where the finding stands, by the path that the user knows."""
    finding = case.finding
    verdict.path, verdict.line, verdict.column = finding.path, finding.span.line, finding.span.column
    verdict.rule, verdict.code, verdict.fingerprint = finding.rule, finding.code, finding.fingerprint
    verdict.function = case.target.qualname or "<module>"
    verdict.seed = options.seed
    return verdict
