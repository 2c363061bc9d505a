"""`numlint.trace` in a program of one's own."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest

import numlint


def test_importing_numlint_does_not_import_numpy() -> None:
    code = "import sys, numlint; assert 'numpy' not in sys.modules; assert callable(numlint.trace)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("mode", ["ranges", "shadow"])
def test_the_first_bad_operation_is_printed(mode: str) -> None:
    said = io.StringIO()
    with np.errstate(all="ignore"), numlint.trace(mode, output=said) as t:
        z = np.array([1.0, 1000.0])
        p = np.exp(z) / np.sum(np.exp(z))
    assert np.isnan(p[1])
    assert t.first is not None
    assert t.first.operation == "exp"
    assert "exp overflows: operand 1000.0, result inf" in said.getvalue()
    assert "test_trace_api.py:" in said.getvalue()


def test_a_clean_block_says_so() -> None:
    said = io.StringIO()
    with numlint.trace(output=said) as t:
        np.exp(np.array([1.0, 2.0]))
    assert t.first is None
    assert "no operation went wrong" in said.getvalue()


def test_names_are_restored() -> None:
    before = np
    with numlint.trace(quiet=True):
        assert np is not before
    assert np is before
    assert "float" not in globals()


def test_a_wrong_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="ranges"):
        numlint.trace("wide")
