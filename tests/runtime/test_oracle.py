"""The true value of what code computes."""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import pytest

from numlint.runtime.arithmetic import Arithmetic
from numlint.runtime.compare import compare
from numlint.runtime.exact import available
from numlint.runtime.formats import FLOAT32, FLOAT64
from numlint.runtime.harness import Harness
from numlint.runtime.instrument import Observer
from numlint.runtime.oracle import Truth, true_value

pytestmark = pytest.mark.skipif(not available(), reason="needs python-flint or mpmath")


def harness(body: str, **inputs: Any) -> Harness:
    module = types.ModuleType("target")
    head = "import math\nimport random\nimport numpy as np\n"
    exec(f"{head}def f({', '.join(inputs)}):\n" + "\n".join("    " + line for line in body.split("\n")), vars(module))
    observer = Observer()
    vars(module)["see"] = observer

    def call(state: Any, given: dict[str, Any]) -> dict[str, Any]:
        return {"return": module.f(**given)}

    return Harness("slice", "f", inputs, {}, lambda given: None, call, observer, [module])


def truth_of(body: str, **inputs: Any) -> Truth:
    return true_value(harness(body, **inputs))


def value(truth: Truth, path: str = "return") -> Any:
    found = truth.output(path)
    assert found is not None
    return found


def test_digits_that_float64_loses() -> None:
    truth = truth_of("return np.log(1 + np.exp(x))", x=np.array([-40.0, -380.0]))
    assert truth.defined
    np.testing.assert_allclose(value(truth), np.exp([-40.0, -380.0]), rtol=1e-15)


def test_values_beyond_the_range_of_float64_keep_their_logarithm() -> None:
    truth = truth_of("return np.exp(x)", x=np.array([1000.0, -1000.0]))
    np.testing.assert_allclose(value(truth).log2abs, np.array([1000.0, -1000.0]) / np.log(2))
    assert truth.defined


def test_the_part_that_one_float64_does_not_hold() -> None:
    third = value(truth_of("return x / 3", x=1.0))
    assert float(third) == 1 / 3
    assert 0 < abs(float(third.low)) < 2**-54
    assert float(value(truth_of("return 1 / 3 - x / 3", x=1.0))) == pytest.approx(-float(third.low))


def test_overflow_on_the_way_to_a_true_value() -> None:
    truth = truth_of("e = see(np.exp(x))\nreturn e / e.sum()", x=np.array([1000.0, 0.0]))
    np.testing.assert_allclose(value(truth), [1.0, 0.0], atol=1e-300)
    assert len(truth.sites) == 1
    assert truth.sites[0].log2abs[0] == pytest.approx(1442.695)
    assert truth.shown_site(0)[1] == 1.0


def test_the_rounded_inputs_are_the_true_ones() -> None:
    inputs = Arithmetic(FLOAT32).lift({"x": np.array([0.1])})
    truth = true_value(harness("return x * 1", x=np.array([0.1])), inputs)
    assert value(truth)[0] == float(np.float32(0.1))


@pytest.mark.parametrize(
    ("body", "pole"),
    [
        ("return x / (x - x)", True),
        ("return np.log(x - x)", True),
        ("return np.linalg.inv(np.ones((2, 2)) * x)", True),
        ("return math.log(-x)", False),
        ("return np.log(-x)", False),
        ("return np.sqrt(-x)", False),
        ("return np.arcsin(x + 1)", False),
    ],
)
def test_no_true_value_and_whether_it_is_a_pole(body: str, pole: bool) -> None:
    truth = truth_of(body, x=1.0)
    assert not truth.defined
    assert truth.reason
    assert truth.pole is pole
    assert truth.kind.startswith("exact")


def test_zero_times_the_logarithm_of_zero_is_zero() -> None:
    truth = truth_of("return -(p * np.log(p)).sum()", p=np.array([0.0, 1.0, 0.5, 0.5]))
    assert truth.defined
    assert float(value(truth)) == pytest.approx(np.log(2))
    crossed = truth_of("return -(y @ np.log(p))", p=np.array([0.0, 0.5]), y=np.array([0.0, 1.0]))
    assert float(value(crossed)) == pytest.approx(np.log(2))


def test_an_infinity_that_ends_in_a_number_is_defined() -> None:
    truth = truth_of("return 1 / (1 + np.exp(-np.log(x)))", x=np.array([0.0, 1.0]))
    assert truth.defined
    np.testing.assert_array_equal(value(truth), [0.0, 0.5])


def test_precision_grows_until_a_comparison_is_decided() -> None:
    truth = truth_of("return 1.0 if (1 + np.exp(-x)) > 1 else 2.0", x=300.0)
    assert float(value(truth)) == 1.0
    assert truth.precision > 256
    assert not truth.assumed


def test_what_no_precision_decides_is_taken_for_equal() -> None:
    truth = truth_of("return 1.0 if np.sqrt(x) * np.sqrt(x) > x else 2.0", x=2.0)
    assert float(value(truth)) == 2.0
    assert truth.assumed == 1


def test_a_rank_deficient_problem_has_its_solution_of_minimum_norm() -> None:
    x = np.column_stack([np.ones(6), np.tile([1.0, 0.0], 3), np.tile([0.0, 1.0], 3)])
    y = np.arange(6.0)
    for body in ("return np.linalg.pinv(x) @ y", "return np.linalg.lstsq(x, y, rcond=None)[0]"):
        np.testing.assert_allclose(value(truth_of(body, x=x, y=y)), np.linalg.lstsq(x, y, rcond=None)[0], atol=1e-14)


def test_random_draws_are_those_of_the_native_run() -> None:
    subject = harness("return x * np.random.randn(3) + random.random()", x=np.ones(3))
    np.testing.assert_allclose(value(true_value(subject)), subject.run().outputs["return"], rtol=1e-15)


def test_extended_precision_serves_where_exact_arithmetic_does_not_reach() -> None:
    if np.finfo(np.longdouble).eps >= np.finfo(np.float64).eps:
        pytest.skip("longdouble is float64 here")
    truth = truth_of("return np.nextafter(x, 2.0) if 0 else np.spacing(x) * 0 + x", x=np.array([1.0]))
    assert truth.kind == "extended"


def test_no_true_value_says_why() -> None:
    truth = truth_of("return np.fft.fft(x).real.astype(np.float64)", x=np.ones(3))
    assert truth.kind.startswith("none: exact arithmetic has no")
    assert not truth.defined


def test_an_exception_of_the_target_is_no_true_value() -> None:
    truth = truth_of("raise KeyError('a')", x=1.0)
    assert truth.kind == "none: KeyError: 'a'"


def test_a_loop_without_end_stops_in_time() -> None:
    truth = true_value(harness("while True: x = x * 1.0", x=1.0), seconds=0.2)
    assert truth.kind.startswith("none")


def test_names_of_outputs_are_those_of_the_native_run() -> None:
    body = "return {'loss': x.sum(), 'all': [x[0] * i for i in range(10)], 'pair': (x, x[0])}"
    truth = truth_of(body, x=np.ones(2))
    assert set(truth.outputs) == {"return['loss']", "return['all']", "return['pair'][0]", "return['pair'][1]"}


def test_the_names_of_the_target_are_put_back() -> None:
    subject = harness("return float(x[0])", x=np.ones(1))
    before = dict(vars(subject.modules[0]))
    true_value(subject)
    assert dict(vars(subject.modules[0])) == before


def test_a_true_value_judges_a_native_run() -> None:
    subject = harness("return (x ** 2).mean() - x.mean() ** 2", x=np.array([1e8, 1e8 + 1, 1e8 + 2]))
    error = compare(subject.run().outputs["return"], value(true_value(subject)), FLOAT64)
    assert error.failed
