"""Tests that are written for confirmed findings: they fail now, and pass when the code is cured."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numlint.confirm.confirmation import Confirmation
from numlint.confirm.cures import changes
from numlint.confirm.emit import write
from numlint.confirm.literals import Unwritable, source
from numlint.runtime import protocol
from numlint.runtime.verdict import Evidence, Figure, Sample, Verdict
from tests.confirm.conftest import REFUTED, overflow

Confirm = Callable[..., Confirmation]


def outcomes(path: str) -> list[bool]:
    """Whether the tests of a file pass, run as a fresh process would."""
    sys.modules.pop("model", None)
    before = list(sys.path)
    try:
        tests = [item for name, item in runpy.run_path(path).items() if name.startswith("test_")]
        with np.errstate(all="ignore"):
            return [_passes(test) for test in tests]
    finally:
        sys.path[:] = before
        sys.modules.pop("model", None)


def _passes(test: Callable[[], None]) -> bool:
    try:
        test()
    except AssertionError:
        return False
    return True


def cure(confirmation: Confirmation) -> None:
    (change,), _ = changes(confirmation.results, confirmation.sources)
    Path(change.path).write_text(change.after)


def failing(inputs: Mapping[str, Any], rung: str, harness: str, **more: Any) -> Verdict:
    """A verdict for the first candidate of a finding, verified."""
    sample = Sample(
        {}, more.pop("form", "float64"), more.pop("got", "nan"), more.pop("true", ""), protocol.encode(inputs)
    )
    evidence = Evidence(
        more.pop("signature", "nan"), "realistic", Figure("relative error", 1.0), sample.format, smallest=sample
    )
    return overflow(rung=rung, harness=harness, evidence=evidence, cures=more.pop("cures", overflow().cures))


def test_a_call_of_the_whole_function(confirmed: Confirm) -> None:
    confirmation = confirmed(overflow())
    (path,), obstacles = write("tests/numerics", confirmation)
    assert obstacles == []
    text = Path(path).read_text()
    assert "def test_softmax_is_finite():" in text
    assert "z = np.array([[0.0, 89.0]], dtype=np.float32)" in text
    assert "module.softmax(z)" in text
    assert outcomes(path) == [False]
    cure(confirmation)
    assert outcomes(path) == [True]


def test_a_method_by_the_call_of_the_harness(confirmed: Confirm) -> None:
    source = """\
    import numpy as np


    class Head:
        def forward(self, z):
            e = np.exp(z)
            return e / e.sum(axis=1, keepdims=True)
    """
    verdict = failing({"z": np.array([[0.0, 800.0]])}, "synthesised", "Head().forward(z)")
    confirmation = confirmed(verdict, source=source)
    (path,), _ = write("checks", confirmation)
    assert "module.Head().forward(z)" in Path(path).read_text()
    assert outcomes(path) == [False]
    cure(confirmation)
    assert outcomes(path) == [True]


def test_a_slice_takes_the_statement_from_the_file_as_it_is(confirmed: Confirm) -> None:
    source = """\
    import numpy as np


    class Head:
        def fit(self, client):
            z = client.download() @ self.w
            e = np.exp(z)
            p = e / e.sum(axis=1, keepdims=True)
            client.upload(p)
    """
    verdict = failing({"z": np.array([[0.0, 800.0]])}, "slice", "expression of line 8", true="[[0., 1.]]")
    confirmation = confirmed(verdict, source=source)
    (path,), _ = write("checks", confirmation)
    assert outcomes(path) == [False]
    cure(confirmation)
    assert outcomes(path) == [True]


def test_lost_digits_are_compared_with_the_true_value(confirmed: Confirm) -> None:
    source = """\
    import numpy as np


    def spread(x):
        return (x ** 2).mean() - x.mean() ** 2
    """
    true = 0.25
    inputs = {"x": np.array([1e8, 1e8 + 1])}
    case = confirmed(REFUTED, source=source).results[0].case
    cures = [type(overflow().cures[0])(case.rewritten[0].rewrite.summary, "verified", inputs=3)]
    verdict = failing(
        inputs, "synthesised", "spread(x)", signature="cancellation", true=str(true), got="0", cures=cures
    )
    confirmation = confirmed(verdict, source=source)
    (path,), _ = write("checks", confirmation)
    assert "test_spread_keeps_its_digits" in Path(path).read_text()
    assert outcomes(path) == [False]
    cure(confirmation)
    assert outcomes(path) == [True]


def test_nothing_is_written_for_what_is_not_confirmed(confirmed: Confirm) -> None:
    assert write("checks", confirmed(REFUTED)) == ([], [])


@pytest.mark.parametrize(
    ("verdict", "obstacle"),
    [
        (failing({}, "synthesised", "softmax(z)"), "the verdict does not hold its input"),
        (
            failing({"z": 1.0}, "synthesised", "softmax(z)", signature="premature-stop"),
            "what fails is not the value of a call",
        ),
        (failing({"z": object()}, "synthesised", "softmax(z)"), "a value of the kind 'placeholder'"),
        (failing({"z": 1.0}, "synthesised", "softmax(z)", signature="cancellation"), "does not hold the true value"),
    ],
)
def test_what_cannot_be_written_is_said(confirmed: Confirm, verdict: Verdict, obstacle: str) -> None:
    written, (said,) = write("checks", confirmed(verdict))
    assert written == []
    assert said.startswith("model.py:6 naive-softmax: ")
    assert obstacle in said


@pytest.mark.parametrize(
    "value",
    [
        1,
        2.5,
        float("inf"),
        "text",
        None,
        [1, (2.0, "a")],
        {"a": 1.5},
        10**30,
        range(3),
        np.float64(2.5),
        np.array([[1.0, 2.0], [3.0, 4.0]]),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array([1, 2, 3]),
        np.array([True, False]),
        np.array([np.nan, 1.0]),
        np.linspace(0, 1, 200).reshape(20, 10),
        np.zeros((0, 3)),
        np.array(2.0),
    ],
)
def test_an_encoded_value_is_written_as_source(value: Any) -> None:
    import base64

    text = source(protocol.encode(value), "float64")
    read = eval(text, {"np": np, "base64": base64})
    np.testing.assert_equal(read, value)
    if isinstance(value, np.ndarray):
        assert (read.dtype, read.shape) == (value.dtype, value.shape)


def test_floating_numbers_are_written_in_the_format_that_failed() -> None:
    assert source(protocol.encode(np.array([0.1])), "float32") == "np.array([0.1], dtype=np.float32)"
    with pytest.raises(Unwritable, match="bfloat16"):
        source(protocol.encode(np.array([0.1])), "bfloat16")
