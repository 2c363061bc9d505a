"""What the code under test imports and this interpreter lacks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from numlint.runtime.instrument import Observer
from numlint.runtime.stubs import Missing, Stub, StubModule, installed

PROGRAM = """
import sys
from numlint.runtime.stubs import FINDER
for name in ("autograd", "autograd.numpy", "jax", "jax.numpy", "tensorflow"):
    FINDER.add(name)
"""


def run(code: str, folder: Path) -> str:
    """Run code in an interpreter that finds stubs only; its standard output."""
    blocked = "".join(f"sys.modules.pop({name!r}, None)\n" for name in ("autograd", "jax", "tensorflow"))
    program = PROGRAM + blocked + "sys.meta_path.insert(0, FINDER)\n" + code
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_library_with_numpys_functions_is_numpy(tmp_path: Path) -> None:
    code = "import autograd.numpy as np, numpy\nimport jax.numpy as jnp\nprint(np is numpy, jnp is numpy)"
    assert run(code, tmp_path) == "True True"


def test_functions_that_are_formulas_compute(tmp_path: Path) -> None:
    code = "import tensorflow as tf\nprint(float(tf.nn.sigmoid(tf.zeros([1]))[0]), float(tf.reduce_sum([1.0, 2.0])))"
    assert run(code, tmp_path) == "0.5 3.0"


def test_what_a_stub_gives_remembers_its_library(tmp_path: Path) -> None:
    code = "import tensorflow as tf\nprint(tf.Session().run(1).library)"
    assert run(code, tmp_path) == "tensorflow"


def test_the_value_of_a_stub_is_no_value() -> None:
    with pytest.raises(Missing, match="it needs tensorflow, which this interpreter does not have"):
        Observer()(Stub.of("tensorflow"))


def test_arithmetic_with_a_stub_is_none() -> None:
    with pytest.raises(Missing, match="needs torch"):
        np.ones(3) + Stub.of("torch")


def test_an_empty_array_shows_nothing() -> None:
    observer = Observer()
    with observer.watching() as seen:
        observer(np.zeros((0, 3)))
        observer(np.zeros(1))
    assert seen.count == 1


def test_a_stub_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert installed("numpy") is np
    monkeypatch.setitem(sys.modules, "nowhere", StubModule("nowhere"))
    assert installed("nowhere") is None
