"""The sieve lets through what a rule could look at, and little else."""

from __future__ import annotations

import ast

import pytest

from numlint.graph.module import Module
from numlint.rule import load
from numlint.suspect import Suspects

RULES = tuple(rule for rule in load() if rule.name in ("naive-softmax", "seed-ignored-when-zero"))
SUSPECTS = Suspects(RULES)


def rules_for(body: str, imports: str = "import torch") -> list[str]:
    source = f"{imports}\ndef function(x, seed=None):\n    {body}\n"
    if not SUSPECTS.file(source.encode()):
        return []
    found = SUSPECTS.examine(source.encode()).functions(Module(ast.parse(source), source))
    return [rule.name for rules, definition in found if definition is not None for rule in rules]


@pytest.mark.parametrize("body", ["return torch.exp(x)", "return x.exp()", "return x.exp_()"])
def test_every_spelling_of_a_trigger_counts(body: str) -> None:
    assert rules_for(body) == ["naive-softmax"]


def test_a_trigger_counts_by_the_name_that_the_file_gives_it() -> None:
    assert rules_for("return e(x)", "from torch import exp as e") == ["naive-softmax"]


@pytest.mark.parametrize("body", ["return expand(x)  # exp", "return 'exp'", "return exponent", "return _exp_of(x)"])
def test_comments_strings_and_longer_names_do_not_count(body: str) -> None:
    assert rules_for(body) == []


def test_all_parts_of_a_trigger_must_occur() -> None:
    assert rules_for("return seed") == []
    assert rules_for("return seed or 1") == ["seed-ignored-when-zero"]


def test_a_file_without_a_numeric_library_is_passed_over() -> None:
    assert rules_for("return exp(x)", "import os") == []
