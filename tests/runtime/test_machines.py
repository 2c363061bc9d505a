"""A process says which kernels it really runs, whatever it was asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from numlint.runtime import machines

PROGRAM = """\
import json, sys
{before}
from numlint.runtime import machines
print(json.dumps(machines.description()))
"""


def described(before: str = "", **environment: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(before=before)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    data: dict[str, Any] = json.loads(done.stdout)
    return data


def openblas() -> bool:
    names = {item.name for item in machines.libraries()}
    return "openblas" in names and described()["architecture"] in ("x86_64", "AMD64")


needs_openblas = pytest.mark.skipif(not openblas(), reason="needs numpy with OpenBLAS on x86-64")


def test_numpy_has_a_library_of_linear_algebra() -> None:
    found = machines.libraries()
    assert found
    assert "numpy" in found[0].file
    assert machines.description()["numpy"] == np.__version__


@needs_openblas
def test_the_kernels_are_those_that_run() -> None:
    assert {item["kernel"] for item in described(OPENBLAS_CORETYPE="Nehalem")["libraries"]} == {"Nehalem"}


@needs_openblas
def test_a_wrong_name_is_seen_to_be_none() -> None:
    """OpenBLAS takes another kernel set without a word."""
    said = described(OPENBLAS_CORETYPE="Pentagram")
    assert said["libraries"] == described()["libraries"]


@needs_openblas
def test_threadpoolctl_and_the_library_itself_agree() -> None:
    alone = described("sys.modules['threadpoolctl'] = None", OPENBLAS_CORETYPE="Nehalem")["libraries"]
    asked = described(OPENBLAS_CORETYPE="Nehalem")["libraries"]
    assert [(item["kernel"], item["version"]) for item in alone] == [
        (item["kernel"], item["version"]) for item in asked
    ]


def test_features_that_are_switched_off_are_listed_as_off() -> None:
    used = [name for name, on in machines.features().items() if on]
    if not used:
        pytest.skip("numpy has no loops to choose between here")
    assert described(NPY_DISABLE_CPU_FEATURES=used[-1])["features"][used[-1]] is False


def test_the_seed_of_the_hashes_is_known() -> None:
    assert described(PYTHONHASHSEED="3")["hash_seed"] == "3"
    assert described(PYTHONHASHSEED="random")["hash_seed"] == "random"


def test_without_torch_there_is_no_branch_of_it() -> None:
    if "torch" not in sys.modules:
        assert machines.torch_branch() == ""
