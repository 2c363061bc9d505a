"""The error before and after a rewrite, in each format."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from numlint.runtime.exhibit import Exhibit
from numlint.runtime.formats import BFLOAT16, FLOAT16, FLOAT32, FLOAT64, FORMATS
from numlint.runtime.precision import fitted, measured
from numlint.runtime.prove import reference

HEAD = "import numpy as np\n\ndef f(x, y=0.0):\n    return "


def errors(before: str, after: str, call: str, signature: str = "overflow", head: str = HEAD) -> dict[str, Any]:
    exhibit = Exhibit(
        "rule", "fixed", 0, f"{head}{after}\n", call, original=f"{head}{before}\n", signatures=(signature,)
    )
    found: dict[str, Any] = measured(exhibit, lambda harness, inputs: reference(exhibit, harness, inputs), 5.0)
    return found


def test_each_format_is_measured_in_its_own_arithmetic() -> None:
    found = errors("np.log(1 + x)", "np.log1p(x)", "f(np.array([1e-4]))", "cancellation")
    assert list(found) == list(FORMATS)
    for name, row in found.items():
        assert row["after"] < FORMATS[name].eps
        assert row["before"] > 100 * FORMATS[name].eps or row["before"] == 1.0
    assert found["bfloat16"]["before"] == 1.0


def test_a_failure_has_a_name() -> None:
    found = errors("np.exp(x) / np.exp(x).sum()", "np.exp(x - x.max())", "f(np.array([1000.0, 0.0]))", "nan")
    assert {row["before"] for row in found.values()} == {"nan"}
    found = errors("np.log(np.exp(x))", "x", "f(np.array([100.0]))")
    assert found["float64"]["before"] == 0
    assert found["float32"]["before"] == found["float16"]["before"] == "inf"


def test_python_numbers_are_of_one_format() -> None:
    found = errors("math.log(math.exp(x))", "x", "f(1000.0)", head="import math\n\ndef f(x):\n    return ")
    assert found == {"float64": {"before": "raises", "after": 0.0}}


def test_a_format_that_numpy_has_no_linear_algebra_for_is_left_out() -> None:
    found = errors("np.linalg.inv(x) @ y", "np.linalg.solve(x, y)", "f(np.eye(2), np.ones(2))", "backward-error")
    assert set(found) == {"float64", "float32"}


def test_what_is_random_has_no_error() -> None:
    assert errors("x", "x", "f(1.0)", "non-determinism") == {}


@pytest.mark.parametrize("form", [FLOAT32, FLOAT16, BFLOAT16], ids=lambda form: str(form.name))
def test_an_input_is_brought_into_the_range(form: Any) -> None:
    large = fitted({"x": 1e200}, form, ["overflow"])
    small = fitted({"x": np.array([1e-200])}, form, ["underflow"])
    assert large is not None
    assert small is not None
    assert 1.0 < large["x"] < form.largest
    assert large["x"] ** 2 > form.largest
    assert form.tiny < small["x"][0] < 1.0


def test_an_input_that_fits_is_only_rounded() -> None:
    assert fitted({"x": 1000.0, "n": 3}, FLOAT16, ["overflow"]) == {"x": 1000.0, "n": 3}


def test_numbers_that_become_equal_are_not_measured() -> None:
    assert fitted({"x": 1e9 + np.array([0.1, 0.2])}, FLOAT32, ["cancellation"]) is None
    assert fitted({"t": 1e12 + 0.001, "x": 1e12}, FLOAT32, ["cancellation"]) is None
    assert fitted({"x": 1e9 + np.array([0.1, 0.2])}, FLOAT64, ["cancellation"]) is not None
