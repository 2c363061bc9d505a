"""One trial: run a harness on one input in one format, and judge what came out.

A failure counts where the true value exists and the format can hold it, and the code
gives something else: nan, infinity, zero, or fewer than half of the digits. Two values
are judged. The *site* is the flagged expression; the *outputs* are what the caller gets.
Both must fail: an infinite intermediate that ends in the right result is benign
(``1 / (1 + exp(-x))``), and a wrong output whose flagged expression is right is somebody
else's fault. Where the rule claims an overflow or an underflow, a true value beyond the
format counts too (no rewrite helps then, and the note says so); where it claims that a
quotient is nan, a number does not, be it a wrong one.

Where the true value does not exist there are two cases. At a *pole* (a zero norm, a
count of zero, the logarithm of a probability of zero) ordinary data has no ordinary
answer: a code that meets it without a guard returns nan or raises, and that counts.
Beyond the domain (the logarithm of a negative number) the input was wrong, not the code.

The true value is dear (milliseconds), so cheaper doubts come first: non-finite numbers,
zeros that benign inputs do not give, and a disagreement between two formats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import leaves
from .arithmetic import Arithmetic
from .compare import Error, compare, disagreement
from .formats import FLOAT32, FLOAT64, Format
from .harness import Harness, Outcome
from .oracle import Truth, true_value
from .target import Target

SOUND, FAILURE, OUTSIDE, INVALID = "sound", "failure", "outside", "invalid"
HARDWARE = (ZeroDivisionError, OverflowError, FloatingPointError, np.linalg.LinAlgError)
POLE = "pole"
CONTAINED = "the error does not reach the output"
BEYOND = "the true value is beyond the format: bound the argument, or keep the logarithm"
BELOW = "the true value is below the format's range: keep its logarithm"
POLE_RULES = ("NL12", "NL2", "NL8")
"""Beginnings of the codes of rules that are about a pole: others claim that a value which exists is missed."""
DIVISION_RULES = ("NL2",)
NORMWISE_RULES = ("NL4", "NL5", "NL9")
LOGARITHMIC_RULES = ("NL121",)
"""Rules whose values are log-probabilities: ``log_softmax`` too gives 0 for -2.5e-9, and that is right."""
MISUSE = ("must be square", "dimensional", "Incompatible dimensions", "must be at least")
"""What numpy says of a `LinAlgError` that no arithmetic could have avoided: the shapes do not fit."""


@dataclass
class Trial:
    """What one input showed in one format."""

    status: str
    kind: str = ""
    """``nan``, ``inf``, ``zero``, ``sign``, ``digits``, or the name of an exception; of a contained error too."""
    error: float = 0.0
    """Relative error of the flagged expression; infinite for nan, inf and exceptions."""
    digits: float = 0.0
    got: Any = None
    true: Any = None
    note: str = ""
    oracle: str = ""
    reaches_output: bool = True

    @property
    def failed(self) -> bool:
        return self.status == FAILURE


@dataclass
class Judge:
    """Runs trials of one harness.

    Parameters
    ----------
    harness : Harness
    poles : bool
        Whether a pole reached by inputs of the right domain counts as a failure.
    elementwise : bool
        Whether the flagged expression is judged entry by entry (exp, division) or by its
        norm (a product of matrices, a solution of equations).
    claim : str
        The signature of the rule. A true value beyond the format's range is a failure where the
        claim is ``"overflow"``, or ``"underflow"``: whatever could be done about it, it is what the rule says.
    numbers : bool
        Whether a wrong number is a failure: not of a rule that says that something is not finite.
    floor : float
        Below which errors are measured against it; see `compare`.
    """

    harness: Harness
    poles: bool = True
    elementwise: bool = True
    claim: str = ""
    numbers: bool = True
    floor: float = 0.0
    seconds: float = 2.0
    runs: int = 0
    oracles: dict[str, int] = field(default_factory=dict)
    _benign_zeros: bool | None = None

    @classmethod
    def of(cls, harness: Harness, target: Target) -> Judge:
        """The judge of what the rule of a target claims."""
        poles = target.code.startswith(POLE_RULES) and target.confidence != "possible"
        return cls(
            harness,
            poles=poles,
            elementwise=not target.code.startswith(NORMWISE_RULES),
            claim=target.signature,
            numbers=not (target.code.startswith(DIVISION_RULES) and target.signature == "nan"),
            floor=1.0 if target.code.startswith(LOGARITHMIC_RULES) else 0.0,
        )

    def trial(self, inputs: dict[str, Any], form: Format) -> Trial:
        """Judge one input in one format."""
        rounded = Arithmetic(form).lift(inputs)
        run = self._run(rounded, form)
        if run.raised is not None and not _is_numerical(run.raised) and not _bad(run.sites):
            return Trial(INVALID, note=f"{type(run.raised).__name__}: {run.raised}")
        if not run.reached and not isinstance(run.raised, HARDWARE):
            return Trial(INVALID, note="the flagged expression was not evaluated")
        if not self._doubtful(run, rounded, form):
            return Trial(SOUND)
        truth = true_value(self.harness, rounded, self.seconds, form)
        self.oracles[truth.kind.split(":")[0]] = self.oracles.get(truth.kind.split(":")[0], 0) + 1
        return self._judged(run, truth, rounded, form)

    def _run(self, inputs: dict[str, Any], form: Format) -> Outcome:
        self.runs += 1
        return self.harness.run(inputs, Arithmetic(form), self.seconds)

    def _doubtful(self, run: Outcome, inputs: dict[str, Any], form: Format) -> bool:
        if run.raised is not None or _bad(run.sites) or _bad(run.outputs):
            return True
        if _zeros(run.sites) and not self.benign_zeros():
            return True
        # Rounding errors scale with eps: where float32 agrees with float64 to 5 %, float64 is right to 1e-10.
        other = self._run(inputs, FLOAT32 if form is FLOAT64 else FLOAT64)
        if other.raised is not None or len(other.sites) != len(run.sites):
            return True
        apart = disagreement(run.sites, other.sites, self.elementwise)
        return apart > (0.05 if form is FLOAT64 else math.sqrt(form.eps) / 2)

    def benign_zeros(self) -> bool:
        """Whether the flagged expression is zero somewhere on the benign input already."""
        if self._benign_zeros is None:
            self._benign_zeros = _zeros(self._run(self.harness.inputs, FLOAT64).sites)
        return self._benign_zeros

    def _judged(self, run: Outcome, truth: Truth, inputs: dict[str, Any], form: Format) -> Trial:
        if run.raised is not None and isinstance(run.raised, HARDWARE) and not _bad(run.sites):
            return self._raised(run, truth)
        site, number = _worst(run.sites, truth.sites, form, self.elementwise, self.floor)
        if site is None:
            return Trial(INVALID, note=truth.reason or "no true value", oracle=truth.kind)
        got = run.sites[number]
        true = truth.shown_site(number)
        may_vanish = self.numbers and site.kind in ("", "unrepresentable")
        gone = _vanished(run.sites, truth.sites) if may_vanish else None
        vanished = self._gone(run, truth, form, gone) if gone is not None else None
        if vanished is not None:
            return vanished
        if site.kind == "":
            return Trial(SOUND, error=site.value, oracle=truth.kind)
        if site.kind == "unrepresentable" and not _bad(got):
            return Trial(SOUND, note="a true value below the format's range became zero", oracle=truth.kind)
        if site.kind == "unrepresentable" and self.claim == "overflow" and _shape(got) == "inf" and self._spoils(run):
            return Trial(FAILURE, "inf", math.inf, 16.0, got, true, BEYOND, truth.kind)
        if site.kind == "unrepresentable" and run.outputs and not self._spoils(run):
            return Trial(SOUND, _shape(got), note=CONTAINED, oracle=truth.kind)
        if site.kind == "unrepresentable":
            return Trial(OUTSIDE, note="the true value itself is beyond the format", oracle=truth.kind)
        if site.kind == "undefined":
            if not _is_pole(truth, run):
                return Trial(OUTSIDE, note=truth.reason or "the true value is undefined", oracle=truth.kind)
            if not self.poles:
                return Trial(OUTSIDE, note=f"{truth.reason}: the caller's business", oracle=truth.kind)
            if not self._spoils(run):
                return Trial(SOUND, _shape(got), note=CONTAINED, oracle=truth.kind)
            return Trial(FAILURE, _shape(got), math.inf, 16.0, got, None, truth.reason or POLE, truth.kind)
        if site.kind in ("digits", "sign", "zero") and not self.numbers:
            return Trial(SOUND, error=site.value, note="a number, be it a wrong one", oracle=truth.kind)
        reaches = self._reaches(run, truth, form)
        if reaches is False:
            return Trial(SOUND, site.kind, site.value, note=CONTAINED, oracle=truth.kind)
        return Trial(FAILURE, site.kind, site.value, site.digits_lost, got, true, oracle=truth.kind)

    def _gone(self, run: Outcome, truth: Truth, form: Format, number: int) -> Trial | None:
        """Judge a value of the flagged expression that is zero and should not be; None where worse came out."""
        got, true = run.sites[number], truth.shown_site(number)
        if not _bad(run.outputs) and self._reaches(run, truth, form):
            note = "a number that is not zero became zero, and the result is another one"
            return Trial(FAILURE, "zero", 1.0, 16.0, got, true, note, truth.kind)
        if self.claim == "underflow" and self._gets_out(run, truth, form):
            return Trial(FAILURE, "zero", math.inf, 16.0, got, true, BELOW, truth.kind)
        return None if _bad(run.outputs) else Trial(SOUND, "zero", note=CONTAINED, oracle=truth.kind)

    def error(self, inputs: dict[str, Any], form: Format, truth: Truth, cured: Harness | None = None) -> float | None:
        """Largest relative error of site and outputs against a given truth; infinite for nan, inf and exceptions.

        None where nothing could be compared. At a pole, whatever is finite is right, where the
        rule is about poles; the others have nothing to say there.
        `cured` is the harness over rewritten code; without it the original runs.
        """
        if not self.poles and truth.sites and not truth.defined:
            return None
        self.runs += 1
        run = (cured or self.harness).run(Arithmetic(form).lift(inputs), Arithmetic(form), self.seconds)
        if run.raised is not None or _bad(run.outputs):
            return math.inf
        errors: list[float] = []
        for name, value in run.outputs.items():
            for path, leaf in leaves.leaves(value, name):
                expected = truth.output(path)
                if expected is not None:
                    error = compare(leaf, expected, form, False, self.floor)
                    errors.append(0.0 if error.kind in ("undefined", "unrepresentable") else error.value)
        if cured is not None and errors:  # the flagged place may be another expression after a rewrite
            return max(errors)
        if len(run.sites) == len(truth.sites):
            site, _ = _worst(run.sites, truth.sites, form, self.elementwise, self.floor)
            if site is not None and site.kind == "unrepresentable" and self.claim in ("overflow", "underflow"):
                errors.append(math.inf)
            elif site is not None:
                errors.append(0.0 if site.kind in ("undefined", "unrepresentable") else site.value)
        return max(errors) if errors else None

    def _raised(self, run: Outcome, truth: Truth) -> Trial:
        error = run.raised
        name = type(error).__name__
        if truth.sites and truth.defined:
            return Trial(FAILURE, name, math.inf, 16.0, f"{name}: {error}", truth.shown_site(-1), oracle=truth.kind)
        if self.poles and (truth.pole or isinstance(error, (ZeroDivisionError, np.linalg.LinAlgError))):
            return Trial(FAILURE, name, math.inf, 16.0, f"{name}: {error}", None, truth.reason or POLE, truth.kind)
        return Trial(OUTSIDE, note=f"{name}: {error}", oracle=truth.kind)

    def _spoils(self, run: Outcome) -> bool:
        """Whether something not finite gets out: in an output, or as an exception."""
        return run.raised is not None or not run.outputs or _bad(run.outputs) or not any(leaves.leaves(run.outputs))

    def _gets_out(self, run: Outcome, truth: Truth, form: Format) -> bool:
        """Whether an output is not what it should be, be it that the format has no number for it."""
        if run.raised is not None:
            return True
        for name, value in run.outputs.items():
            for path, leaf in leaves.leaves(value, name):
                expected = truth.output(path)
                if expected is None or compare(leaf, expected, form, True).kind not in ("", "undefined"):
                    return True
        return not any(leaves.leaves(run.outputs))

    def _reaches(self, run: Outcome, truth: Truth, form: Format) -> bool | None:
        """Whether the outputs are wrong as well; None where they cannot be compared."""
        if run.raised is not None:
            return True
        seen = False
        for name, value in run.outputs.items():
            for path, leaf in leaves.leaves(value, name):
                expected = truth.output(path)
                if expected is None:
                    if _bad(leaf):
                        return True
                    continue
                error = compare(leaf, expected, form, True, self.floor)
                if error.kind not in ("", "undefined", "unrepresentable"):
                    return True
                if error.kind != "" and _bad(leaf):
                    return True
                seen = True
        return False if seen else None


def _is_numerical(error: BaseException) -> bool:
    """Whether the numbers are to blame for an exception, and not what was made of their shapes."""
    misused = isinstance(error, np.linalg.LinAlgError) and any(text in str(error) for text in MISUSE)
    return isinstance(error, HARDWARE) and not misused


POLES = ("divide by zero", "Mean of empty slice", "Degrees of freedom", "encountered in divide", "scalar divide")
DOMAINS = ("encountered in log", "encountered in sqrt", "encountered in power", "encountered in arc")


def _is_pole(truth: Truth, run: Outcome) -> bool:
    """Whether the true value is missing at a pole; without an exact oracle the hardware's flags tell."""
    if truth.pole or (truth.kind.startswith("exact") and truth.reason not in ("", "undefined on this input")):
        return truth.pole
    heard = " ".join(run.warnings)
    return any(text in heard for text in POLES) and not any("invalid value " + text in heard for text in DOMAINS)


def _worst(got: list[Any], true: list[Any], form: Format, elementwise: bool, floor: float) -> tuple[Error | None, int]:
    """The worst error over the evaluations of the flagged expression, and its number."""
    rank = {"": 0, "unrepresentable": 1, "undefined": 2, "digits": 3, "sign": 4, "zero": 5, "inf": 6, "nan": 7}
    worst: Error | None = None
    number = 0
    for index, (one, other) in enumerate(zip(got, true)):
        for (_, leaf), (_, expected) in zip(leaves.leaves(one), leaves.leaves(other)):
            error = compare(leaf, expected, form, elementwise, floor)
            if worst is None or (rank.get(error.kind, 0), error.value) > (rank.get(worst.kind, 0), worst.value):
                worst, number = error, index
    return worst, number


def _vanished(got: list[Any], true: list[Any]) -> int | None:
    """The first value that is zero where the true one is not, however far below the format it lies."""
    for number, (one, other) in enumerate(zip(got, true)):
        for (_, leaf), (_, expected) in zip(leaves.leaves(one), leaves.leaves(other)):
            size = getattr(expected, "log2abs", None)
            zero = np.asarray(leaf) == 0
            if size is not None and zero.shape == np.shape(size) and np.any(zero & np.isfinite(size)):
                return number
    return None


def _bad(value: Any) -> bool:
    """Whether a structure holds a number that is not finite."""
    if type(value) is list:  # of values of the flagged expression: all of them
        return any(map(_bad, value))
    for _, leaf in leaves.leaves(value):
        array = np.asarray(leaf)
        if array.dtype.kind in "fc" and not np.all(np.isfinite(array)):
            return True
    return False


def _zeros(value: Any) -> bool:
    """Whether a structure holds an exact floating-point zero."""
    if type(value) is list:
        return any(map(_zeros, value))
    for _, leaf in leaves.leaves(value):
        array = np.asarray(leaf)
        if array.dtype.kind == "f" and bool(np.any(array == 0)):
            return True
    return False


def _shape(value: Any) -> str:
    """``nan`` or ``inf``: what a value that is not finite holds."""
    for _, leaf in leaves.leaves(value):
        array = np.asarray(leaf)
        if array.dtype.kind in "fc" and np.any(np.isnan(array)):
            return "nan"
    return "inf"
