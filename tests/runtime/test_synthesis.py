"""Calls are found for functions, methods, nested functions and abstract bases; success is the flagged value."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numlint.runtime.loading import Loaded, load
from numlint.runtime.synthesis import Failure, synthesise
from numlint.runtime.target import Region, Role, Target


@pytest.fixture
def case(tmp_path: Path) -> Any:
    """Write a module; the flagged expression is the first whose text is given."""
    names: list[str] = []

    def make(text: str, qualname: str, flagged: str, **others: Any) -> tuple[Loaded, Target]:
        name = f"sample_case_{len(names)}_{tmp_path.name.replace('-', '_')}"
        names.append(name)
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
        target = Target(str(path), name, str(tmp_path), qualname, region, "any", **others)
        return load(target), target

    yield make
    sys.path[:] = [item for item in sys.path if item != str(tmp_path)]
    for name in names:
        sys.modules.pop(name, None)


def run(case: Any, *arguments: Any, **named: Any) -> Any:
    loaded, target = case(*arguments, **named)
    harness = synthesise(loaded, target)
    assert not isinstance(harness, Failure), harness
    outcome = harness.run()
    assert outcome.reached
    assert outcome.sites
    return harness, outcome


HEAD = "import numpy as np\n"


def test_a_function_of_arrays(case: Any) -> None:
    harness, outcome = run(
        case, HEAD + "def softmax(z):\n    e = np.exp(z)\n    return e / e.sum()\n", "softmax", "np.exp(z)"
    )
    assert list(harness.inputs) == ["z"]
    assert harness.description == "softmax(z)"
    assert np.isclose(np.sum(outcome.outputs["return"]), 1.0)


def test_the_shapes_are_found_by_search(case: Any) -> None:
    text = (
        HEAD
        + "def f(A, b, c):\n    n, d = A.shape\n    assert b.shape == (d,) and c.shape == (n,)\n"
        + "    return np.exp(A @ b + c)\n"
    )
    harness, outcome = run(case, text, "f", "np.exp(A @ b + c)")
    assert outcome.outputs["return"].shape == harness.inputs["c"].shape


def test_a_method_is_called_on_a_fitted_object(case: Any) -> None:
    text = HEAD + (
        "class Model:\n"
        "    def __init__(self, scale=2.0):\n        self.scale = scale\n        self.w = None\n"
        "    def fit(self, X, y):\n        self.w = np.linalg.lstsq(X, y, rcond=None)[0]\n"
        "    def predict(self, X):\n        return np.exp(X @ self.w)\n"
    )
    harness, _ = run(case, text, "Model.predict", "np.exp(X @ self.w)")
    assert harness.description == "Model().fit(fit.X, fit.y).predict(X)"
    assert {"fit.X", "fit.y", "X"} <= set(harness.inputs)


def test_the_state_of_one_run_does_not_reach_the_next(case: Any) -> None:
    text = (
        HEAD
        + "class Counter:\n    def __init__(self):\n        self.n = 1.0\n"
        + "    def step(self):\n        self.n = np.exp(self.n)\n"
    )
    harness, outcome = run(case, text, "Counter.step", "np.exp(self.n)")
    assert harness.run().outputs == outcome.outputs == {"self.n": np.exp(1.0)}


def test_a_flag_of_the_constructor_is_turned(case: Any) -> None:
    text = HEAD + (
        "class Model:\n"
        "    def __init__(self, fast=True):\n        self.fast = fast\n"
        "    def run(self, x):\n        if not self.fast:\n            return np.log(x)\n        return x\n"
    )
    run(case, text, "Model.run", "np.log(x)")


def test_strings_come_from_comparisons(case: Any) -> None:
    text = HEAD + (
        "def norm(x, kind='l2'):\n    if kind == 'softplus':\n        return np.log1p(np.exp(x))\n"
        "    return np.abs(x)\n"
    )
    run(case, text, "norm", "np.exp(x)")


@pytest.mark.parametrize("decorator", ["property", "staticmethod", "classmethod"])
def test_members_of_every_sort(case: Any, decorator: Any) -> None:
    first = {"property": "self", "staticmethod": "x=1.0", "classmethod": "cls"}[decorator]
    text = HEAD + f"class A:\n    @{decorator}\n    def value({first}):\n        return np.exp(2.0)\n"
    run(case, text, "A.value", "np.exp(2.0)")


def test_a_nested_function_that_is_returned_is_called(case: Any) -> None:
    text = (
        HEAD
        + "def make(scale):\n    def kernel(x, y):\n        return np.exp(-scale * np.abs(x - y))\n    return kernel\n"
    )
    run(case, text, "make.<locals>.kernel", "np.exp(-scale * np.abs(x - y))")


def test_an_abstract_base_is_run_through_a_subclass(case: Any) -> None:
    text = (
        HEAD + "from abc import ABC, abstractmethod\n"
        "class Base(ABC):\n    @abstractmethod\n    def scores(self, X): ...\n"
        "    def proba(self, X):\n        return np.exp(self.scores(X))\n"
        "class Linear(Base):\n    def scores(self, X):\n        return X.sum(axis=1)\n"
    )
    harness, _ = run(case, text, "Base.proba", "np.exp(self.scores(X))")
    assert harness.description.startswith("Linear()")


def test_a_generator_is_drawn_from(case: Any) -> None:
    run(case, HEAD + "def powers(x):\n    while True:\n        x = np.exp(x)\n        yield x\n", "powers", "np.exp(x)")


def test_an_object_that_cannot_be_built_is_given_its_attributes(case: Any) -> None:
    text = HEAD + (
        "class Model:\n    def __init__(self, path):\n        self.w = np.load(path)\n"
        "    def predict(self, X):\n        return np.exp(X @ self.w)\n"
    )
    harness, _ = run(case, text, "Model.predict", "np.exp(X @ self.w)")
    assert {"self.w", "X"} <= set(harness.inputs)
    assert "given attributes" in harness.description


def test_roles_of_the_static_side_choose_the_values(case: Any) -> None:
    text = HEAD + "def f(q):\n    return np.log(q)\n"
    harness, _ = run(case, text, "f", "np.log(q)", roles={"q": Role("probability", 0.0, 1.0, "vector")})
    assert harness.roles["q"].kind == "probability"
    assert np.all((harness.inputs["q"] > 0) & (harness.inputs["q"] < 1))


def test_the_same_seed_gives_the_same_inputs(case: Any) -> None:
    text = HEAD + "def f(x, y):\n    return np.exp(x - y)\n"
    first, _ = run(case, text, "f", "np.exp(x - y)")
    second, _ = run(case, text, "f", "np.exp(x - y)")
    assert all(np.array_equal(first.inputs[name], second.inputs[name]) for name in ("x", "y"))


def test_a_changed_argument_is_an_output(case: Any) -> None:
    _, outcome = run(case, HEAD + "def f(x):\n    x[:] = np.exp(x)\n", "f", "np.exp(x)")
    assert list(outcome.outputs) == ["argument x"]


def test_a_rewritten_text_runs_on_the_same_call(case: Any) -> None:
    text = HEAD + "def f(x):\n    return np.log(1 + x)\n"
    loaded, target = case(text, "f", "np.log(1 + x)")
    harness = synthesise(loaded, target)
    other = text.replace("np.log(1 + x)", "np.log1p(x)")
    region = Region(target.region.line, 12, target.region.line, 23)
    with harness.rewritten(other, region) as rewritten:
        small = dict.fromkeys(harness.inputs, np.float64(1e-20))
        assert rewritten.run(small).outputs["return"] == 1e-20
    assert harness.run(small).outputs["return"] == 0.0


def test_a_function_that_cannot_run_says_why(case: Any) -> None:
    loaded, target = case(
        HEAD + "def f(x):\n    raise RuntimeError('no licence')\n    return np.exp(x)\n", "f", "np.exp(x)"
    )
    found = synthesise(loaded, target, 0.5)
    assert isinstance(found, Failure)
    assert "no licence" in found.reason
    assert found.remedy.startswith("numlint record")


def test_code_of_torch_gets_tensors_and_modules(case: Any) -> None:
    pytest.importorskip("torch")
    text = (
        "import torch\nfrom torch import nn\n"
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.layer = nn.Linear(3, 2)\n"
        "    def forward(self, x):\n        return torch.log(torch.sigmoid(self.layer(x)))\n"
    )
    harness, outcome = run(case, text, "Net.forward", "torch.log(torch.sigmoid(self.layer(x)))", framework="torch")
    assert isinstance(harness.inputs["x"], np.ndarray)
    assert isinstance(outcome.outputs["return"], np.ndarray)
    wide = harness.run({name: np.asarray(value, np.float64) for name, value in harness.inputs.items()})
    assert wide.outputs["return"].dtype == np.float64
