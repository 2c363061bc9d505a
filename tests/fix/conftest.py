"""Findings made from the text they replace, so that a test reads as before and after."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from numlint.finding import Confidence, Edit, Finding, Rewrite, Safety, Severity, Span


def _span(text: str, part: str) -> Span:
    text = text.removeprefix("\ufeff")
    start = text.index(part)

    def place(offset: int) -> tuple[int, int]:
        before = text[:offset].replace("\r\n", "\n")
        return before.count("\n") + 1, len(before) - before.rfind("\n")

    return Span(*place(start), *place(start + len(part)))


def _found(
    text: str,
    *changes: tuple[str, str],
    imports: tuple[str, ...] = (),
    safety: Safety = Safety.SAFE,
) -> Finding:
    edits = tuple(Edit(_span(text, old), new) for old, new in changes)
    return Finding(
        rule="naive-softmax",
        code="NL101",
        path="model.py",
        span=edits[0].span if edits else Span(1, 1, 1, 1),
        function="f",
        message="",
        confidence=Confidence.LIKELY,
        severity=Severity.WARNING,
        signature="overflow",
        framework="numpy",
        rewrite=Rewrite("use softmax", edits, imports, safety),
    )


@pytest.fixture(scope="session")
def found() -> Callable[..., Finding]:
    """``found(text, (old, new), ..., imports=(...), safety=...)``: the first occurrence of each `old` is replaced."""
    return _found
