"""Verdicts in words: the sentences that every format shares.

They take verdicts as plain data, as the verdict file holds them, so that `check` can say
what was proved without importing anything that runs code.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

Data = Mapping[str, Any]
STATUS = {
    "confirmed": "confirmed",
    "refuted": "refuted",
    "outside-domain": "outside domain",
    "inconclusive": "inconclusive",
}
_EPS = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}
_FORMATS = tuple(_EPS)


def status(verdict: Data) -> str:
    """``confirmed, realistic``."""
    realism = (verdict.get("evidence") or {}).get("realism", "")
    said = STATUS.get(verdict["status"], str(verdict["status"]))
    return f"{said}, {realism}" if realism and verdict["status"] == "confirmed" else said


def sentence(verdict: Data) -> str:
    """One line for a verdict: ``overflow -> nan: float32 from max|z| = 88.73, float16 from 11.1``; or its reason."""
    evidence = verdict.get("evidence")
    if verdict["status"] != "confirmed" or not evidence:
        return " ".join(str(verdict.get("reason") or "").split())
    return f"{chain(evidence)}: {', '.join(boundary(evidence) or figure(evidence))}"


def chain(evidence: Data) -> str:
    """How it failed: ``overflow -> nan``."""
    return " -> ".join(evidence.get("chain") or ()) or str(evidence.get("signature", ""))


def boundary(evidence: Data) -> list[str]:
    """From which magnitude on each format fails, the one at hand first and with the name of the knob.

    A knob with forms has no magnitude: ``float64, float32 and float16 where a row of X is 0``.
    """
    known = evidence.get("boundary") or {}
    fails: dict[str, float | None] = dict(known.get("fails_from") or {})
    own = str(evidence.get("format", ""))
    order = sorted(fails, key=lambda name: (name != own, fails[name] is None, fails[name] or 0.0))
    failing = [name for name in order if fails[name] is not None]
    sound = [name for name in _FORMATS if name in fails and fails[name] is None]
    if known.get("form") and failing:
        # A form that comes later was needed by other formats: of this one they say nothing.
        same = [name for name in failing if (fails[name] or 0.0) <= (fails[failing[0]] or 0.0)]
        said = [f"{listed(same)} where {known['form']}"]
    else:
        said = [f"{name} from {number(fails[name])}" for name in failing]
        if said:
            said[0] = f"{failing[0]} from {at(str(known.get('knob') or evidence.get('knob') or ''), fails[failing[0]])}"
    return [*said, f"not {' or '.join(sound)}"] if said and sound else said


def at(knob: str, magnitude: float | None) -> str:
    """A knob at a magnitude: ``max|z| = 88.73``, ``y divided by 1.6``, ``387 features``."""
    value = number(magnitude)
    if not knob:
        return value
    if knob.startswith("number of "):
        return f"{value} {knob[len('number of ') :]}"
    return f"{knob} {value}" if knob.endswith(" by") else f"{knob} = {value}"


def listed(names: Sequence[str]) -> str:
    """``float64, float32 and float16``."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def figure(evidence: Data) -> list[str]:
    """The measured number of the signature, and where it was measured."""
    measured = evidence.get("figure") or {}
    said: list[str] = []
    if measured.get("name"):
        unit = f" {measured['unit']}" if measured.get("unit") else ""
        said.append(f"{measured['name']} {number(measured.get('value'))}{unit}")
    magnitude = evidence.get("magnitude")
    knob = f" at {at(evidence['knob'], magnitude)}" if evidence.get("knob") and magnitude is not None else ""
    return [*said, f"{evidence.get('format', '')}{knob}"]


def outcomes(evidence: Data) -> tuple[str, str]:
    """What to call the result of a sample, and the other that it is compared with."""
    pairs = {"non-determinism": ("one run gave", "another"), "premature-stop": ("stopped at", "run on")}
    return pairs.get(str(evidence.get("signature")), ("got", "true"))


def failing_formats(cure: Data) -> list[str]:
    """The formats in which a rewrite still loses more than half of the digits."""
    errors = {name: after for name, (_, after) in (cure.get("by_format") or {}).items()}
    return [name for name in _FORMATS if name in errors and not (errors[name] or 0.0) <= _EPS[name] ** 0.5]


def outcome(evidence: Data) -> str:
    """What came out that should not have: ``nan``, ``inf``, or nothing where the number was merely wrong."""
    said = {*(evidence.get("chain") or ()), str(evidence.get("signature"))}
    return "nan" if said & {"nan", "nan-gradient"} else "inf" if "overflow" in said else "not finite"


def number(value: float | None) -> str:
    """A number with as many digits as convince."""
    if value is None:
        return "unknown"
    if math.isfinite(value) and value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.4g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")


def error(value: float | None) -> str:
    """A relative error."""
    return (
        "unknown" if value is None else "0" if value == 0 else f"{value:.1e}".replace("e-0", "e-").replace("e+0", "e")
    )
