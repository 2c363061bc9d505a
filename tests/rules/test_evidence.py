"""The evidence of every rule, read: bad examples are found and fixed as stated, good ones are not flagged.

And run, as far as numpy and scipy suffice: a bad example fails on its confirming
input, a good or limit example survives on its own.
"""

from __future__ import annotations

import math
import signal
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from numlint.finding import Confidence, Finding
from numlint.fix import fix_text
from numlint.linter import check_source
from numlint.rule import FAMILIES, Example, Rule, load

RULES = load()


def _examples(kind: str) -> Iterator[Any]:
    for rule in RULES:
        for number, example in enumerate(getattr(rule, kind)):
            yield pytest.param(rule, example, id=f"{rule.name}-{number}")


def _findings(rule: Rule, code: str) -> list[Finding]:
    findings, problems = check_source(code.encode(), "example.py", [rule])
    assert problems == []
    return findings


@pytest.mark.parametrize(("rule", "example"), _examples("bad"))
def test_a_bad_example_is_found(rule: Rule, example: Example) -> None:
    assert _findings(rule, example.code)


@pytest.mark.parametrize(("rule", "example"), _examples("bad"))
def test_a_bad_example_is_rewritten_as_stated(rule: Rule, example: Example) -> None:
    text, _ = fix_text(example.code, _findings(rule, example.code), unsafe=True)
    assert text == (example.fixed or example.code)
    again, _ = fix_text(text, _findings(rule, text), unsafe=True)
    assert again == text


@pytest.mark.parametrize(("rule", "example"), [*_examples("good"), *_examples("limit")])
def test_a_good_or_limit_example_is_not_flagged(rule: Rule, example: Example) -> None:
    assert [item for item in _findings(rule, example.code) if item.confidence >= Confidence.LIKELY] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_has_evidence_and_a_page(rule: Rule) -> None:
    assert rule.bad
    assert rule.good
    assert rule.family, f"{rule.code} is in none of {', '.join(FAMILIES)}"
    assert rule.summary.endswith(".")
    for section in ("Cure", "When it is fine", "References"):
        assert f"\n{section}\n{'-' * len(section)}\n" in rule.page


def _run(code: str, call: str) -> Any:
    """Result of `call` in the namespace of `code`; interrupted after five seconds."""
    namespace: dict[str, Any] = {"np": np}
    exec(compile(code, "example", "exec"), namespace)

    def too_long(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(5)
    try:
        return eval(call, namespace)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _survives(result: Any) -> bool:
    if isinstance(result, (tuple, list)):
        return all(_survives(item) for item in result)
    if isinstance(result, dict):
        return all(_survives(item) for item in result.values())
    if isinstance(result, (bool, str, int)) or result is None:
        return True
    if isinstance(result, float):
        return math.isfinite(result)
    array = np.asarray(result)
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())


def _runnable(kind: str) -> Iterator[Any]:
    for rule in RULES:
        for number, example in enumerate(getattr(rule, kind)):
            if example.call and not example.requires:
                yield pytest.param(rule, example, id=f"{rule.name}-{number}")


@pytest.mark.parametrize(("rule", "example"), [*_runnable("good"), *_runnable("limit")])
def test_a_good_or_limit_example_survives_its_input(rule: Rule, example: Example) -> None:
    with np.errstate(all="ignore"):
        assert _survives(_run(example.code, example.call))


@pytest.mark.parametrize(
    ("rule", "example"), [item for item in _runnable("bad") if item.values[0].signature in ("nan", "overflow")]
)
def test_a_bad_example_fails_on_its_confirming_input(rule: Rule, example: Example) -> None:
    try:
        with np.errstate(all="ignore"):
            result = _run(example.code, example.call)
        if not _survives(result):
            return
        # The value is right, or only so by a detour: then the hardware's exception tells.
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            _run(example.code, example.call)
    except (ArithmeticError, ValueError, np.linalg.LinAlgError, TimeoutError):
        return
    pytest.fail(f"nothing fails: {result!r}")
