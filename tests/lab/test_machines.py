"""The same run on emulated machines."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from numlint.confirm.emulation import Emulation, kernel_set, one_thread
from numlint.lab.machines import chosen, emulated, weights
from numlint.lab.task import Task
from numlint.runtime.lab.record import Run
from tests.lab.conftest import Bench, Instant, ran

MACHINES = [Emulation("this machine", one_thread()), kernel_set("Haswell"), kernel_set("SkylakeX")]


def description(kernel: str) -> dict[str, Any]:
    libraries = [{"name": "openblas", "kernel": kernel, "version": ""}]
    return {"libraries": libraries, "features": {}, "torch_branch": "", "architecture": "x86_64"}


@pytest.fixture
def found(bench: Callable[..., Bench], task: Task) -> Callable[..., Any]:
    """What three machines make of a run: this one and Haswell have Haswell kernels, the third has `other`."""

    def make(sizes: dict[str, float], other: str) -> Any:
        def submit(job: Any) -> Any:
            wanted = job.environment.get("OPENBLAS_CORETYPE", "Haswell")
            kernel = wanted if wanted == "Haswell" else other
            run = ran(job.configuration, 1.0, largest_weight=sizes[kernel], environment=description(kernel))
            return Instant(lambda configuration: run).submit(job)

        place = bench(lambda configuration: ran(configuration, 1.0))
        place.site.submit = submit  # type: ignore[method-assign]
        [(_, result)] = place.laboratory.search([weights(ran(task.configuration({}), 1.0), MACHINES)])
        return result

    return make


def test_weights_that_differ_depend_on_the_machine(found: Callable[..., Any]) -> None:
    result = found({"Haswell": 2.0, "SkylakeX": 5e11}, "SkylakeX")
    assert [(item.machine, item.honoured) for item in result.machines] == [
        ("this machine", True),
        ("Haswell", True),
        ("SkylakeX", True),
    ]
    assert result.depends
    assert result.spread == 2.5e11


def test_weights_that_differ_by_rounding_do_not(found: Callable[..., Any]) -> None:
    assert not found({"Haswell": 2.0, "SkylakeX": 2.001}, "SkylakeX").depends


def test_a_machine_that_was_not_honoured_does_not_count(found: Callable[..., Any]) -> None:
    result = found({"Haswell": 2.0, "Nehalem": 5e11}, "Nehalem")
    assert [item.honoured for item in result.machines] == [True, True, False]
    assert not result.depends


def test_weights_that_are_finite_on_one_machine_only_depend_on_it(found: Callable[..., Any]) -> None:
    assert math.isinf(found({"Haswell": 2.0, "SkylakeX": math.inf}, "SkylakeX").spread)


def test_of_each_way_of_solving_the_run_with_the_largest_weights_is_repeated(task: Task) -> None:
    def run(loss: str, lr: float, size: float) -> Run:
        return ran(task.configuration({"loss": loss, "lr": lr}), 1.0, largest_weight=size)

    runs = [run("naive", 0.1, 1.0), run("naive", 1.0, 3.0), run("stable", 0.1, 2.0), run("stable", 1.0, 1.0)]
    assert chosen(runs, ("loss", "lr")) == [runs[1], runs[2]]


def test_what_cannot_be_emulated_is_said() -> None:
    assert "does not say" in emulated({})[1]
    machines, note = emulated({**description(""), "libraries": [{"name": "accelerate", "kernel": ""}]})
    assert "accelerate" in note
    assert machines[0].name == "this machine"
