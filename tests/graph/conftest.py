"""Lowering of small programs for the tests of the graph."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from numlint.function import Function
from numlint.graph.frame import Analysis
from numlint.graph.lowering import lower_function, lower_module
from numlint.graph.module import Module
from numlint.graph.project import Project

Lower = Callable[..., Function]


@pytest.fixture
def lower(tmp_path: Path) -> Lower:
    """Lower the function `name` (default: the last one; ``"<module>"``: the top level) of some source text."""

    def run(source: str, name: str = "", **files: str) -> Function:
        for file, text in files.items():
            target = tmp_path / (file.replace("__", "/") + ".py")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(textwrap.dedent(text))
        source = textwrap.dedent(source)
        module = Module(ast.parse(source), source, str(tmp_path / "program.py"))
        analysis = Analysis(module, Project())
        if name == "<module>":
            return Function(lower_module(analysis))
        named = [item for item in module.definitions if item.qualname == name] if name else module.definitions[-1:]
        return Function(lower_function(analysis, named[0]))

    return run
