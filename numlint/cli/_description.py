"""A rule as data, for programs."""

from __future__ import annotations

from typing import Any

from numlint.rule import Example, Rule


def described(rule: Rule) -> dict[str, Any]:
    """Give everything that a rule says about itself; keys are only ever added."""
    return {
        "name": rule.name,
        "code": rule.code,
        "family": rule.family,
        "summary": rule.summary,
        "severity": rule.severity.value,
        "signature": rule.signature,
        "fixable": rule.fixable,
        "triggers": sorted(rule.triggers),
        "module": rule.module,
        "page": rule.page,
        "evidence": {
            "bad": [_example(example) for example in rule.bad],
            "good": [_example(example) for example in rule.good],
            "limit": [_example(example) for example in rule.limit],
        },
    }


def _example(example: Example) -> dict[str, str]:
    return {
        "code": example.code,
        "call": example.call,
        "fixed": example.fixed,
        "note": example.note,
        "requires": example.requires,
    }
