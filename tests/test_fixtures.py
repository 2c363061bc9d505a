"""The fixtures: what numlint says of them, and what their twins compute when they run."""

from __future__ import annotations

import ast
import importlib.util
import io
import os
import platform
import re
import subprocess
import sys
import tokenize
from collections import Counter
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from numlint.config import Config
from numlint.linter import check_source
from numlint.rule import Rule, load

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
FILES = sorted(
    path.relative_to(FIXTURES).as_posix() for path in FIXTURES.rglob("*.py") if path.parent.name != "hostile"
)
STATIC_ONLY = {"vae"}
RUNNABLE = sorted({Path(file).parent.name for file in FILES} - STATIC_ONLY)
KINDS = ("expect", "possible", "miss")
MARK = re.compile(r"#\s*(expect|possible|miss):\s*([a-z0-9-]+(?:,\s*[a-z0-9-]+)*)")


@cache
def rules() -> tuple[Rule, ...]:
    return load()


def marks(source: bytes, kind: str) -> Counter[tuple[int, str]]:
    """Line and rule of each mark of a kind, in comments only."""
    found: Counter[tuple[int, str]] = Counter()
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        if token.type == tokenize.COMMENT:
            for mark, names in MARK.findall(token.string):
                if mark == kind:
                    found.update((token.start[0], name) for name in re.split(r",\s*", names))
    return found


@pytest.mark.parametrize("file", FILES)
def test_findings_are_those_that_the_file_expects(file: str) -> None:
    source = (FIXTURES / file).read_bytes()
    findings, problems = check_source(source, file, rules())
    shown, hidden = (
        Counter((item.span.line, item.rule) for item in findings if (item.confidence >= Config().min_confidence) is yes)
        for yes in (True, False)
    )
    assert problems == []
    assert shown == marks(source, "expect")
    assert marks(source, "possible") <= hidden
    assert not marks(source, "miss") & (shown + hidden), "no longer missed: change the mark"


def test_marks_name_rules() -> None:
    names = {rule.name for rule in rules()}
    for file in FILES:
        source = (FIXTURES / file).read_bytes()
        assert {name for kind in KINDS for _, name in marks(source, kind)} <= names, file


def test_each_program_has_a_twin_without_marks() -> None:
    for folder in {Path(file).parent for file in FILES}:
        assert {f"{folder}/unstable.py", f"{folder}/stable.py"} <= set(FILES)
        assert marks((FIXTURES / folder / "unstable.py").read_bytes(), "expect")
        assert not any(marks((FIXTURES / folder / "stable.py").read_bytes(), kind) for kind in KINDS)


def test_every_fixture_says_what_it_is() -> None:
    assert [file for file in FILES if not ast.get_docstring(ast.parse((FIXTURES / file).read_bytes()))] == []


def module(folder: str, twin: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"fixture_{folder}_{twin}", FIXTURES / folder / f"{twin}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def report(folder: str, twin: str) -> dict[str, dict[str, float]]:
    """What the program reports, by row; a report of one row is that of the row ``""``."""
    with np.errstate(all="ignore"):
        rows = module(folder, twin).report()
    return rows if isinstance(next(iter(rows.values())), dict) else {"": rows}


def figures(folder: str, twin: str) -> dict[str, float]:
    return report(folder, twin)[""]


@pytest.mark.parametrize("folder", RUNNABLE)
@pytest.mark.parametrize("twin", ["unstable", "stable"])
def test_programs_run_with_numpy_alone(folder: str, twin: str, tmp_path: Path) -> None:
    command = [sys.executable, str(FIXTURES / folder / f"{twin}.py")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    if twin == "stable":
        assert done.stderr == ""


def test_onehot_ols_by_the_inverse_is_worthless() -> None:
    row = report("onehot_ols", "unstable")["inverse"]
    assert not row["weight"] < 1e6
    assert row["rate"] != pytest.approx(0.0839, rel=0.1)


def test_onehot_ols_stable_is_the_least_squares_solution_of_smallest_norm() -> None:
    program = module("onehot_ols", "stable")
    X, y, newcomer = program.load()
    w = program.fit_lstsq(X, y)
    assert np.abs(X.T @ (X @ w - y)).max() < 1e-10
    # The intercept minus the sum of a group: these three span the null space of the design.
    starts = np.cumsum([1, program.REGIONS, program.CHANNELS])
    for start, levels in zip(starts, (program.REGIONS, program.CHANNELS, program.TARIFFS), strict=True):
        null = np.zeros(len(w))
        null[0], null[start : start + levels] = 1.0, -1.0
        assert np.abs(X @ null).max() == 0.0
        assert abs(null @ w) < 1e-10
    for row in report("onehot_ols", "stable").values():
        assert row["rate"] == pytest.approx(program.expected_rate(newcomer, w), rel=1e-9)
        assert row["rate"] == pytest.approx(0.0839, rel=1e-2)


def blas_chooses_its_kernels() -> bool:
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return platform.machine() in ("x86_64", "AMD64") and "DYNAMIC_ARCH" in blas.get("openblas configuration", "")


@pytest.mark.skipif(not blas_chooses_its_kernels(), reason="needs numpy with OpenBLAS on x86-64")
def test_onehot_ols_depends_on_the_processor_only_where_it_is_unstable() -> None:
    def printed(twin: str, fit: str) -> set[str]:
        """The lines that two kernel sets print for one way of fitting."""
        outputs = set()
        for kernels in ("Nehalem", "Haswell"):
            done = subprocess.run(
                [sys.executable, "-W", "ignore", str(FIXTURES / "onehot_ols" / f"{twin}.py")],
                env=os.environ | {"OPENBLAS_CORETYPE": kernels, "OPENBLAS_NUM_THREADS": "1"},
                capture_output=True,
                text=True,
                check=True,
            )
            outputs |= {line for line in done.stdout.splitlines() if line.startswith(fit)}
        return outputs

    assert len(printed("unstable", "inverse")) == 2
    assert len(printed("stable", "lstsq")) == 1


@pytest.mark.parametrize("fit", ["pinv", "lstsq"])
def test_float32_design_keeps_a_direction_that_is_only_rounding(fit: str) -> None:
    unstable, stable = (report("float32_design", twin)[fit] for twin in ("unstable", "stable"))
    assert unstable["weight"] > 1e3
    assert abs(unstable["prediction"]) > 1e3
    assert stable["weight"] == pytest.approx(0.3153, rel=1e-3)
    assert stable["prediction"] == pytest.approx(0.5756, rel=1e-3)


def test_softmax_classifier() -> None:
    first, second = report("softmax_classifier", "unstable"), report("softmax_classifier", "unstable")
    assert np.isnan(first["micrometre"]["loss"])
    assert first["metre"]["loss"] > 1.0
    assert first["metre"]["epoch"] < 100
    assert first["metre"]["weight"] != second["metre"]["weight"]
    stable = report("softmax_classifier", "stable")
    assert stable == report("softmax_classifier", "stable")
    for row in stable.values():
        assert row["accuracy"] == 1.0
        assert row["loss"] < 0.01


def test_mixture_em() -> None:
    for row in report("mixture_em", "unstable").values():
        assert np.isnan(list(row.values())).all()
    stable = report("mixture_em", "stable")
    assert stable["outlier"]["error"] < 0.3
    assert stable["spectra"]["error"] < 0.3
    # Forty independent channels of variance 1e-10 each.
    assert stable["spectra"]["log_det"] == pytest.approx(40 * np.log(1e-10), rel=0.02)


def test_naive_bayes() -> None:
    assert not np.isfinite(list(figures("naive_bayes", "unstable").values())).any()
    stable = figures("naive_bayes", "stable")
    assert stable["posterior"] == pytest.approx(1.0)
    assert stable["gaussian score"] == pytest.approx(-800.0 - 0.5 * np.log(2.0 * np.pi))
    assert stable["entropy"] == pytest.approx(np.log(2.0))
    assert stable["divergence"] == pytest.approx(0.5 * np.log(4.0 / 3.0))
    assert stable["surprise"] == pytest.approx(np.log(13.0))
    assert -4000.0 < stable["log evidence"] < -3000.0


def test_logistic_regression() -> None:
    assert not np.isfinite(list(figures("logistic_regression", "unstable").values())).any()
    stable = figures("logistic_regression", "stable")
    logits, repaid = module("logistic_regression", "stable").load()
    z, y = logits.astype(np.float64), repaid.astype(np.float64)
    loss = np.mean(np.logaddexp(0.0, np.where(y > 0.5, -z, z)))
    for name in ("cross entropy", "clipped loss", "padded loss"):
        assert stable[name] == pytest.approx(loss, rel=1e-5)
    assert stable["softplus"] == pytest.approx(np.logaddexp(0.0, z).mean(), rel=1e-5)
    assert stable["log sigmoid"] == pytest.approx(z.min(), rel=1e-5)


def test_discrete_survival() -> None:
    assert min(figures("discrete_survival", "unstable").values()) > 1e-6
    assert max(figures("discrete_survival", "stable").values()) < 1e-15


def test_nearest_neighbours() -> None:
    unstable, stable = (figures("nearest_neighbours", twin) for twin in ("unstable", "stable"))
    assert unstable["right"] < 100
    assert unstable["nan"] > 0.01
    assert unstable["spread"] != pytest.approx(stable["spread"], rel=0.1)
    assert (stable["right"], stable["nan"]) == (200, 0.0)
    assert stable["spread"] == pytest.approx(0.1 / np.sqrt(12.0), rel=0.1)


def test_sphere() -> None:
    truth = {
        "short distance": 0.03,
        "undefined distances": 0,
        "sagitta": 6.371e6 * 0.5e-16,
        "sine": 0.03 / 6.371e6,
        "long": 5.0,
        "short": 5.0,
    }
    unstable, stable = (figures("sphere", twin) for twin in ("unstable", "stable"))
    for name, value in truth.items():
        assert stable[name] == pytest.approx(value, rel=1e-6), name
        assert unstable[name] != pytest.approx(value, rel=0.1), name


def test_iterations() -> None:
    unstable, stable = (figures("iterations", twin) for twin in ("unstable", "stable"))
    budget = module("iterations", "unstable").BUDGET
    assert (unstable["root"], unstable["newton"]) == (budget, budget)
    assert unstable["eigenvalue"] == pytest.approx(1.0)
    assert np.isnan(unstable["minimum"])
    assert stable["root"] < 10
    assert stable["newton"] == 50
    assert stable["eigenvalue"] == pytest.approx(2.0)
    assert stable["minimum"] == pytest.approx(1.0)
