"""Small programs for the tests of the facts."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable

import pytest

from numlint.function import Function
from numlint.graph.frame import Analysis
from numlint.graph.lowering import lower_function
from numlint.graph.module import Module

Analyse = Callable[..., Function]


@pytest.fixture
def analyse() -> Analyse:
    """Analyse the function `name` (default: the first one) of some source text."""

    def run(source: str, name: str = "") -> Function:
        source = "import math\nimport numpy as np\nimport torch\nfrom scipy import stats\n" + textwrap.dedent(source)
        module = Module(ast.parse(source), source, "program.py")
        found = [item for item in module.definitions if not name or item.qualname == name]
        return Function(lower_function(Analysis(module), found[0]))

    return run
