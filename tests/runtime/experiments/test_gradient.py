"""Gradients that are nan, or infinite, where the value is right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from numlint.runtime.experiments import Session  # noqa: E402
from numlint.runtime.experiments.gradient import EXPERIMENT, GradientJudge  # noqa: E402
from numlint.runtime.formats import FLOAT32, FLOAT64  # noqa: E402
from numlint.runtime.harness import Harness  # noqa: E402
from numlint.runtime.instrument import Observer  # noqa: E402
from numlint.runtime.synthesis.values import received  # noqa: E402
from numlint.runtime.target import Region, Role, Target  # noqa: E402


def harness(function: Any, x: list[float]) -> Harness:
    observer = Observer()

    def call(_: Any, given: dict[str, Any]) -> dict[str, Any]:
        return {"return": observer(function(received(given["x"], "tensor")))}

    inputs = {"x": np.array(x, dtype=np.float32)}
    return Harness("synthesised", "f(x)", inputs, {"x": Role()}, lambda _: None, call, observer)


def target(signature: str = "nan-gradient") -> Target:
    return Target("", "m", "", "f", Region(1, 1, 1, 2), "sqrt-at-zero", "NL801", signature=signature, framework="torch")


def norm(x: Any) -> Any:
    return torch.sqrt((x**2).sum())


def masked(x: Any) -> Any:
    return torch.where(x > 0, torch.sqrt(x), torch.zeros_like(x))


def masked_twice(x: Any) -> Any:
    inner = torch.where(x > 0, x, torch.ones_like(x))
    return torch.where(x > 0, torch.sqrt(inner), torch.zeros_like(x))


def sigmoid(x: Any) -> Any:
    return 1 / (1 + torch.exp(-x))


@pytest.mark.parametrize(("function", "x"), [(norm, [0.0, 0.0]), (masked, [-1.0, 2.0]), (sigmoid, [-100.0])])
def test_a_nan_gradient_beside_a_right_value_is_a_failure(function: Any, x: list[float]) -> None:
    case = harness(function, x)
    trial = GradientJudge(case).trial(case.inputs, FLOAT32)
    assert (trial.status, trial.kind) == ("failure", "nan")
    # A difference quotient, taken on one side, decides that there is a derivative and is not shown as one.
    assert trial.true is None or np.isfinite(trial.true).all()


@pytest.mark.parametrize(
    ("function", "x"), [(masked_twice, [-1.0, 2.0]), (torch.sigmoid, [-100.0]), (norm, [3.0, 4.0])]
)
def test_a_gradient_that_is_a_number_is_none(function: Any, x: list[float]) -> None:
    case = harness(function, x)
    assert GradientJudge(case).trial(case.inputs, FLOAT32).status == "sound"


def test_a_derivative_that_is_infinite_is_the_functions_own() -> None:
    case = harness(torch.sqrt, [0.0])
    trial = GradientJudge(case).trial(case.inputs, FLOAT64)
    assert trial.status == "outside"
    assert "infinite" in trial.note


def test_a_value_that_is_not_finite_is_not_its_business() -> None:
    case = harness(torch.log, [0.0])
    assert GradientJudge(case).trial(case.inputs, FLOAT32).status == "outside"


def test_it_finds_the_input_by_itself_and_judges_no_other_signature() -> None:
    case = harness(norm, [3.0, 4.0])
    assert EXPERIMENT.applies(target(), case)
    assert not EXPERIMENT.applies(target("overflow"), case)
    found = EXPERIMENT.run(case, Session(target(), seconds=5.0)).evidence
    assert found is not None
    assert (found.signature, found.format, found.realism) == ("nan-gradient", "float32", "realistic")
    assert found.smallest is not None
    assert set(found.smallest.arguments) == {"x"}
