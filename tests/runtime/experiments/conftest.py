"""Harnesses around small functions, as the ladder would make them."""

from __future__ import annotations

import itertools
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from numlint.runtime import loading
from numlint.runtime.experiments import Experiment, Result, Session
from numlint.runtime.harness import Harness
from numlint.runtime.invocation import called
from numlint.runtime.observation import install, rewritten
from numlint.runtime.target import Candidate, Region, Role, Target

Experimenting = Callable[..., Result]
NUMBER = itertools.count()


def region_of(source: str, text: str) -> Region:
    """The first place of a text."""
    before, found, _ = source.partition(text)
    assert found, text
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return Region(line, column, line, column + len(text))


@pytest.fixture
def experimenting(tmp_path: Path) -> Iterator[Experimenting]:
    """Runs an experiment on the first function of a module, with the given inputs."""
    made: list[str] = []

    def experiment(
        chosen: Experiment,
        signature: str,
        code: str,
        flagged: str,
        inputs: dict[str, Any],
        roles: dict[str, Role] | None = None,
        fixed: str = "",
        **options: Any,
    ) -> Result:
        source = "import numpy as np\n\n" + textwrap.dedent(code)
        name = f"subject_of_experiment_{next(NUMBER)}"
        made.append(name)
        file = tmp_path / f"{name}.py"
        file.write_text(source)
        qualname = source.partition("def ")[2].partition("(")[0]
        candidates: tuple[Candidate, ...] = ()
        if fixed:
            other = source.replace(flagged, fixed)
            candidates = (Candidate("the rewrite", other, region_of(other, fixed), text=fixed),)
        target = Target(
            str(file), name, str(tmp_path), qualname, region_of(source, flagged), "rule", signature=signature,
            roles=roles or {}, candidates=candidates,
        )  # fmt: skip
        loaded = loading.load(target)
        observer, functions = install(loaded, target)
        harness = Harness(
            "synthesised", f"{qualname}(...)", inputs, roles or {}, lambda _: None,
            lambda _, given: called(functions[0], given), observer, [loaded.module],
        )  # fmt: skip
        harness.rewritten = lambda text, region: rewritten(harness, loaded, functions, text, region)
        assert chosen.applies(target, harness)
        return chosen.run(harness, Session(target, **options))

    yield experiment
    for name in made:
        sys.modules.pop(name, None)
