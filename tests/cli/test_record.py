"""`numlint record`: real commands in a project, recorded and unchanged."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from numlint.runtime.recorder import calls
from tests.cli.conftest import HAZARD, Numlint

OLD = os.environ.get("NUMLINT_OLD_PYTHON", "")
INTERPRETERS = [
    sys.executable,
    pytest.param(OLD, marks=pytest.mark.skipif(not OLD, reason="NUMLINT_OLD_PYTHON is not set"), id="old"),
]
MODEL = """\
import numpy as np


class Model:
    def __init__(self, weights):
        self.weights = weights

    @property
    def normalised(self):
        e = np.exp(self.weights)
        return e / e.sum()

    def predict(self, X, *, temperature=1.0, **more):
        \"\"\"Probabilities.\"\"\"
        e = np.exp(X @ self.weights / temperature)
        return e / e.sum(axis=1, keepdims=True)


def logsum(x):
    return np.log(np.sum(np.exp(x)))


if __name__ == "__main__":
    import sys

    print(logsum(np.zeros(2)))
    print("to standard error", file=sys.stderr)
    sys.exit(7)
"""


@pytest.fixture
def kept(project: Path) -> Any:
    """What the recordings hold: arguments by file and function."""
    (project / "model.py").write_text(MODEL)

    def read() -> dict[str, list[dict[str, Any]]]:
        root = project / ".numlint" / "recordings"
        folders = sorted({file.parent for file in root.rglob("*.json")})
        return {
            folder.relative_to(root).as_posix(): [call.arguments for call in calls.read(folder)] for folder in folders
        }

    return read


@pytest.mark.parametrize("python", INTERPRETERS)
def test_a_program_that_imports_what_is_recorded(numlint: Numlint, kept: Any, python: str) -> None:
    code = (
        "import model, numpy as np; m = model.Model(np.ones((3, 2)))\n"
        "m.predict(np.ones((4, 3)), hook=print); m.normalised; print(1)"
    )
    result = numlint("record", "--", python, "-c", code)
    assert (result.status, result.out) == (0, "1\n")
    assert set(kept()) == {"model.py/Model.predict", "model.py/Model.normalised"}
    [arguments] = kept()["model.py/Model.predict"]
    assert list(arguments) == ["self", "X", "temperature", "more"]
    assert arguments["self"]["object"] == "model:Model"
    assert arguments["temperature"] == 1.0


@pytest.mark.parametrize("python", INTERPRETERS)
@pytest.mark.parametrize("how", [["model.py"], ["-m", "model"]], ids=["script", "module"])
def test_a_program_that_is_itself_recorded(numlint: Numlint, kept: Any, python: str, how: list[str]) -> None:
    result = numlint("record", "--", python, *how)
    assert result.status == 7
    assert result.out == "0.6931471805599453\n"
    assert result.err.startswith("to standard error\n")
    assert set(kept()) == {"model.py/logsum"}


def test_pytest(numlint: Numlint, kept: Any, project: Path) -> None:
    (project / "test_bad.py").write_text(
        "import numpy as np\nfrom bad import probabilities\n\n"
        "def test_it():\n    assert probabilities(np.zeros((1, 4))).sum() == 1\n"
    )
    result = numlint("record", "bad.py", "--", sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert result.status == 0
    assert "1 passed" in result.out
    assert set(kept()) == {"bad.py/probabilities"}


def test_programs_that_the_command_starts(numlint: Numlint, kept: Any) -> None:
    inner = "import bad, numpy as np; bad.probabilities(np.zeros((1, 2)))"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}], check=True)"
    assert numlint("record", "--", sys.executable, "-c", code).status == 0
    assert set(kept()) == {"bad.py/probabilities"}


def test_the_summary_says_what_was_kept_and_where(numlint: Numlint, kept: Any) -> None:
    code = "import model, numpy as np; model.Model(np.ones((3, 2))).predict(np.ones((4, 3)), hook=(i for i in ()))"
    result = numlint("record", "--output", "kept", "--", sys.executable, "-c", code)
    assert "calls of 1 of 4 functions with findings kept in kept" in result.err
    assert "model.py  Model.predict  1 call (not kept: builtins:generator)" in result.err
    assert "the others were not called" in result.err


def test_the_paths_choose_the_functions(numlint: Numlint, kept: Any) -> None:
    code = "import bad, model, numpy as np; bad.probabilities(np.zeros((1, 2))); model.logsum(np.zeros(2))"
    numlint("record", "model.py", "--", sys.executable, "-c", code)
    assert set(kept()) == {"model.py/logsum"}


def test_few_calls_of_each_kind_are_kept_and_small_ones_preferred(numlint: Numlint, kept: Any) -> None:
    code = "import model, numpy as np\nfor n in [50, 40, 30, 1, 2, 2, 2]: model.logsum(np.zeros(n))"
    numlint("record", "--calls", "3", "--", sys.executable, "-c", code)
    folder = Path(".numlint", "recordings", "model.py", "logsum")
    sizes = sorted(call.arrays()["a0"].size for call in calls.read(folder))
    assert sizes == [1, 2, 30]


def test_large_calls_are_passed_over(numlint: Numlint, kept: Any) -> None:
    code = "import model, numpy as np; model.logsum(np.zeros(1000))"
    numlint("record", "--max-bytes", "1000", "--", sys.executable, "-c", code)
    assert kept() == {}


def test_the_program_sees_its_own_functions(numlint: Numlint, kept: Any) -> None:
    """Signature, documentation, source, line numbers of a traceback, and the sitecustomize of its own."""
    Path("sitecustomize.py").write_text("import os\nos.environ['OWN'] = 'mine'\n")
    code = (
        "import inspect, json, os, sys, traceback, model, numpy as np\n"
        "try: model.Model(np.ones((3, 2))).predict(None)\n"
        "except Exception as error: line = traceback.extract_tb(error.__traceback__)[-1].lineno\n"
        "predict = model.Model.predict\n"
        "print(json.dumps([str(inspect.signature(predict)), predict.__doc__, inspect.getsource(predict)[:15], line,\n"
        "  os.environ['OWN'], any('recorder' in folder for folder in sys.path)]))"
    )
    os.environ["PYTHONPATH"] = "."
    try:
        result = numlint("record", "--", sys.executable, "-c", code)
    finally:
        del os.environ["PYTHONPATH"]
    signature = "(self, X, *, temperature=1.0, **more)"
    assert json.loads(result.out) == [signature, "Probabilities.", "    def predict", 15, "mine", False]


def test_a_recorder_that_fails_is_not_seen(numlint: Numlint, kept: Any) -> None:
    code = (
        "import model\nclass Odd:\n"
        "  def __getattribute__(self, name): raise RuntimeError(name)\n"
        "try: model.logsum(Odd())\nexcept Exception as error: print(type(error).__name__)"
    )
    result = numlint("record", "--", sys.executable, "-c", code)
    assert (result.status, result.out) == (0, "RuntimeError\n")


def test_nothing_to_record(numlint: Numlint) -> None:
    result = numlint("record", "good.py", "--", sys.executable, "-c", "print('ran')")
    assert (result.status, result.out) == (0, "ran\n")
    assert "nothing to record" in result.err


def test_a_call_without_a_command(numlint: Numlint) -> None:
    assert "write it after `--`" in numlint("record", "pytest").err
    assert numlint("record", "--").status == 2


def test_a_command_that_does_not_exist(numlint: Numlint) -> None:
    result = numlint("record", "--", "no-such-program")
    assert result.status == 2
    assert result.err.startswith("error: no-such-program: No such file")


def test_the_sources_stay_as_they_are(numlint: Numlint, project: Path) -> None:
    numlint("record", "--", sys.executable, "-c", "import bad")
    assert (project / "bad.py").read_text() == HAZARD
