"""The same call on other machines: what differs, what was not honoured, and which targets ask for it."""

from __future__ import annotations

import importlib.util
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numlint.confirm.emulation import KERNELS, died, emulated, emulations, kernel_set, one_thread
from numlint.confirm.machines import attach, compared, demonstrate, difference, fresh, wants_machines
from numlint.runtime import protocol
from numlint.runtime.target import Region, Role, Target
from numlint.runtime.verdict import CONFIRMED, Verdict

FIXTURE = Path(__file__).resolve().parents[2] / "fixtures" / "onehot_ols" / "unstable.py"


def machine(kernel: str = "Haswell", name: str = "openblas", **other: Any) -> dict[str, Any]:
    library = {"name": name, "kernel": kernel, "version": "0.3.31", "threads": 1, "file": "numpy.libs"}
    return {"architecture": "x86_64", "libraries": [library], "features": {}, "torch_branch": "", **other}


def ran(kernel: str, value: float) -> dict[str, Any]:
    encoded = {"return": protocol.encode(np.array([value]))}
    return {
        "status": "ran",
        "values": encoded,
        "shown": {"return": str(value)},
        "raised": "",
        "machine": machine(kernel),
    }


def target(signature: str = "overflow", code: str = "NL101", **roles: Role) -> Target:
    return Target("m.py", "m", ".", "f", Region(1, 1, 1, 2), "rule", code, signature=signature, roles=roles)


def test_rank_decisions_and_stopping_rules_want_machines_and_overflow_does_not() -> None:
    assert wants_machines(target("ill-conditioned"))
    assert wants_machines(target("premature-stop"))
    assert wants_machines(target("non-determinism"))
    assert wants_machines(target("underflow", "NL404"))
    assert not wants_machines(target("overflow"))
    assert not wants_machines(target("cancellation", "NL301", x=Role("positive")))


def test_kernel_sets_are_chosen_where_openblas_runs_on_x86() -> None:
    chosen, note = emulations(machine(features={"X86_V3": True, "X86_V4": True}))
    assert [item.name for item in chosen[:6]] == ["this machine", *KERNELS]
    assert note == ""
    without = {item.name: item.environment.get("NPY_DISABLE_CPU_FEATURES") for item in chosen}
    assert without["numpy without AVX-512"] == "X86_V4"
    assert without["numpy without AVX2"] == "X86_V4 X86_V3"


@pytest.mark.parametrize(
    ("running", "why"),
    [
        (machine("", "mkl"), "linear algebra by mkl"),
        (machine("", "accelerate", architecture="arm64"), "a processor of type arm64"),
        (machine("NEOVERSEN1", architecture="aarch64"), "a processor of type aarch64"),
    ],
)
def test_where_kernels_cannot_be_chosen_it_says_so(running: dict[str, Any], why: str) -> None:
    chosen, note = emulations(running)
    assert not {item.name for item in chosen} & set(KERNELS)
    assert note.endswith(why)


def test_another_kernel_than_asked_for_is_not_honoured() -> None:
    assert kernel_set("Katmai").honoured(machine("Prescott"))  # what older versions call it
    assert kernel_set("Haswell").honoured(machine("Zen"))
    assert not kernel_set("SkylakeX").honoured(machine("Haswell"))
    assert not kernel_set("Haswell").honoured(machine("", "mkl"))


def test_machines_that_were_not_honoured_are_not_counted() -> None:
    chosen = [kernel_set("Haswell"), kernel_set("Nehalem"), kernel_set("SkylakeX")]
    answers = [ran("Haswell", 2.0), ran("Nehalem", 2.0), ran("Haswell", 9.0)]
    shown = compared(chosen, answers, ran("Haswell", 2.0))
    assert [item.honoured for item in shown.machines] == [True, True, False]
    assert (shown.spread, shown.control) == (0.0, 0.0)


def test_the_spread_is_beside_that_of_a_rerun() -> None:
    chosen = [kernel_set("Haswell"), kernel_set("Nehalem")]
    shown = compared(chosen, [ran("Haswell", 2.0), ran("Nehalem", 5e11)], ran("Haswell", 2.5))
    assert shown.spread == pytest.approx(2.5e11)
    assert shown.control == pytest.approx(0.25)
    assert shown.value == "return"
    verdict = Verdict(CONFIRMED)
    attach(verdict, shown)
    assert [item.figure for item in verdict.machines] == [2.0, 5e11]
    assert verdict.tried["machines"]["counted"] == 2


def test_a_processor_without_the_instructions_is_a_result() -> None:
    chosen = [kernel_set("Haswell"), kernel_set("SkylakeX")]
    dead = {"status": "inconclusive", "reason": died(-4)}
    shown = compared(chosen, [ran("Haswell", 2.0), dead], ran("Haswell", 2.0))
    assert shown.machines[1].result == "this processor lacks the instructions"
    assert not shown.machines[1].honoured


def test_nothing_is_started_where_there_is_no_input() -> None:
    def ask(environment: Mapping[str, str], request: dict[str, Any]) -> dict[str, Any]:
        raise AssertionError

    assert demonstrate(target(), Verdict(CONFIRMED), ask).note == "no input to replay"


def test_knobs_of_the_user_do_not_reach_an_emulated_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    given = emulated(one_thread(MKL_CBWR="COMPATIBLE"))
    assert "OPENBLAS_CORETYPE" not in given
    assert "PYTHONPATH" not in given
    assert (given["MKL_CBWR"], given["OPENBLAS_NUM_THREADS"]) == ("COMPATIBLE", "1")


numbers = st.lists(st.floats(width=32), min_size=1, max_size=4)


@given(numbers, numbers)
def test_a_difference_is_symmetric_and_zero_only_between_equals(one: list[float], other: list[float]) -> None:
    a, b = np.array(one), np.array(other)
    assert difference(a, a) == 0.0
    assert difference(a, b) == difference(b, a) >= 0.0
    assert difference(a, None) == math.inf


def test_a_call_is_replayed_on_this_machine_and_on_another() -> None:
    """End to end: normal equations, replayed in fresh processes."""
    spec = importlib.util.spec_from_file_location("onehot", FIXTURE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    X, y, _ = module.load()
    lines = FIXTURE.read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if "inv(X.T @ X)" in text)
    column = lines[line - 1].index("inv(") + 1
    region = Region(line, column, line, lines[line - 1].index("  #") + 1)
    root = str(FIXTURE.parent)
    flagged = Target(str(FIXTURE), "unstable", root, "fit_inverse", region, "normal-equations", "NL402")
    request = {
        "op": "replay",
        "target": flagged.to_json(),
        "inputs": protocol.encode({"X": X, "y": y}),
        "rung": "slice",
        "format": "float64",
    }
    ask = fresh(sys.executable)
    here = ask(one_thread(), request)
    assert here["status"] == "ran", here
    values = {name: protocol.decode(item) for name, item in here["values"].items()}
    assert any(np.abs(value).max() > 1e6 for value in values.values())
    there = ask(kernel_set("Nehalem").environment, request)
    assert there["status"] == "ran"
    again = ask(one_thread(), request)
    assert again["values"] == here["values"]
    shown = compared([kernel_set("Nehalem")], [there], again)
    assert shown.machines[0].kernel in ("Nehalem", here["machine"]["libraries"][0]["kernel"])
