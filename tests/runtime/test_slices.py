"""The flagged expression runs alone, on its free names, with the guards that precede it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numlint.runtime.ladder import Options, ladder
from numlint.runtime.loading import load
from numlint.runtime.slices import slices
from numlint.runtime.target import Region, Target


@pytest.fixture
def case(tmp_path: Path) -> Any:
    name = f"sample_slice_{tmp_path.name.replace('-', '_')}"

    def make(text: str, qualname: str, flagged: str) -> Any:
        path = Path(tmp_path) / f"{name}.py"
        path.write_text(text)
        node = next(
            node
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.expr) and ast.get_source_segment(text, node) == flagged
        )
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        region = Region(node.lineno, node.col_offset + 1, node.end_lineno, node.end_col_offset + 1)
        target = Target(str(path), name, str(tmp_path), qualname, region, "any")
        return load(target), target

    yield make
    sys.path[:] = [item for item in sys.path if item != str(tmp_path)]
    sys.modules.pop(name, None)


HEAD = "import numpy as np\n"


def test_free_names_and_attributes_become_inputs_longest_slice_first(case: Any) -> None:
    text = HEAD + (
        "class A:\n    def f(self, X):\n        unrelated = missing()\n        z = X @ self.w\n"
        "        p = 1 / (1 + np.exp(-z))\n"
        "        return np.log(p)\n"
    )
    first, *_, last = list(slices(*case(text, "A.f", "np.log(p)")))
    assert set(first.inputs) == {"X", "self.w"}
    assert set(last.inputs) == {"p"}
    assert first.rung == "slice"
    assert first.run().reached


def test_guards_before_the_expression_are_kept(case: Any) -> None:
    text = (
        HEAD
        + "def f(x, n):\n    missing()\n    x[x < 1] = 1\n"
        + "    if n:\n        x = np.maximum(x, 2)\n    return np.log(x)\n"
    )
    first = next(slices(*case(text, "f", "np.log(x)")))
    assert np.all(first.run({**first.inputs, "x": np.zeros(4)}).sites[0] >= 0)


def test_code_of_a_module_is_sliced(case: Any) -> None:
    text = HEAD + "data = open('not-there').read()\nfor row in data:\n    z = row * 2\n    print(np.exp(z))\n"
    first = next(slices(*case(text, "", "np.exp(z)")))
    assert set(first.inputs) == {"row"}


def test_a_call_that_cannot_run_becomes_an_input(case: Any) -> None:
    text = HEAD + "class A:\n    def f(self):\n        return np.exp(self.engine.scores(3))\n"
    assert any(
        "self.engine.scores" in name
        for item in slices(*case(text, "A.f", "np.exp(self.engine.scores(3))"))
        for name in item.inputs
    )


def test_a_rewrite_is_sliced_in_the_same_way(case: Any) -> None:
    text = HEAD + "def f(x):\n    y = x * 1.0\n    return np.log(1 + y)\n"
    loaded, target = case(text, "f", "np.log(1 + y)")
    harness = next(slices(loaded, target))
    with harness.rewritten(text.replace("np.log(1 + y)", "np.log1p(y)"), Region(4, 12, 4, 23)) as other:
        assert other.run(dict.fromkeys(harness.inputs, 1e-20)).outputs["return"] == 1e-20


def test_the_ladder_goes_down_and_keeps_account(case: Any) -> None:
    text = (
        HEAD
        + "def f(x):\n    missing_engine.start()\n    return np.exp(x)\n\n"
        + "def g(x):\n    raise OSError('no device')\n    return np.log(x)\n"
    )
    loaded, target = case(text, "g", "np.log(x)")
    rungs = ladder(loaded, target, Options(seconds=1.0))
    assert [harness.rung for harness in rungs] == ["slice"]
    reasons = {rung: (reason, remedy) for rung, reason, remedy in rungs.reasons}
    assert set(reasons) == {"recorded", "declared", "synthesised"}
    assert "no device" in reasons["synthesised"][0]
    assert reasons["synthesised"][1].startswith("numlint record")


def test_a_slice_that_stops_early_leaves_time_for_the_shorter_ones(case: Any) -> None:
    lines = "".join(f"a{number + 1} = unknown_library_{number}(a{number}).go()\n" for number in range(30))
    text = HEAD + f"a0 = np.zeros(3)\n{lines}b = np.exp(a30.output / a30.scale)\n"
    last = list(slices(*case(text, "", "np.exp(a30.output / a30.scale)"), seconds=1.0))[-1]
    assert set(last.inputs) == {"a30.output", "a30.scale"}


def test_what_a_library_computes_is_an_input_in_the_shortest_slice(case: Any) -> None:
    text = HEAD + "from statistics import NormalDist\ndef f(x):\n    return np.log(NormalDist().cdf(x))\n"
    last = list(slices(*case(text, "f", "np.log(NormalDist().cdf(x))")))[-1]
    assert last.run().reached


def test_items_taken_by_name_are_inputs(case: Any) -> None:
    text = HEAD + "def f(table):\n    return np.log(table['a.b'] / table['c'])\n"
    last = list(slices(*case(text, "f", "np.log(table['a.b'] / table['c'])")))[-1]
    assert set(last.inputs) == {"table['a.b']", "table['c']"}
    assert last.run().reached


def test_a_density_of_a_library_is_not_negative(case: Any) -> None:
    text = HEAD + "def f(model, X):\n    return np.prod(model.predict_proba(X), axis=0)\n"
    last = list(slices(*case(text, "f", "np.prod(model.predict_proba(X), axis=0)")))[-1]
    assert list(last.inputs) == ["model.predict_proba(X)"]
    role = last.roles["model.predict_proba(X)"]
    assert (role.kind, role.low, role.high) == ("probability", 0.0, 1.0)


def test_a_call_that_raises_is_the_last_resort(case: Any) -> None:
    text = HEAD + "def f(x):\n    e = np.exp(x)\n    raise RuntimeError('no display')\n    return e\n"
    found = list(ladder(*case(text, "f", "np.exp(x)"), Options(seconds=1.0)))
    assert {harness.rung for harness in found} == {"slice"}
