"""The evidence of the rules on seeds and orders, run: only bad examples differ between fresh processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from numlint.finding import Confidence
from numlint.fix import fix_text
from numlint.linter import check_source
from numlint.rule import Example, load

RULES = [rule for rule in load() if rule.name in ("unseeded-rng", "seed-ignored-when-zero", "unordered-reduction")]
KINDS = ("bad", "good", "limit")
PROGRAM = """
import json, random, sys
import numpy as np
results = {}
for name, (code, call) in json.load(sys.stdin).items():
    np.random.seed(None)  # as in a fresh process: the example before may have set a seed
    random.seed(None)
    namespace = {"np": np, "__name__": "example"}
    exec(code, namespace)
    results[name] = repr(eval(call, namespace))
json.dump(results, sys.stdout)
"""


def _examples() -> dict[str, Example]:
    return {
        f"{kind} {rule.name} {number}": example
        for rule in RULES
        for kind in KINDS
        for number, example in enumerate(getattr(rule, kind))
        if example.call and not example.requires
    }


@pytest.fixture(scope="module")
def results() -> dict[str, set[str]]:
    """What each runnable example returns in three fresh processes with three hash seeds."""
    payload = json.dumps({name: (example.code, example.call) for name, example in _examples().items()})
    found: dict[str, set[str]] = {}
    for seed in ("1", "2", "3"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            input=payload,
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        for name, text in json.loads(done.stdout).items():
            found.setdefault(name, set()).add(text)
    return found


@pytest.mark.parametrize("name", list(_examples()))
def test_only_a_bad_example_differs_between_processes(name: str, results: dict[str, set[str]]) -> None:
    assert (len(results[name]) > 1) == name.startswith("bad")


def found(code: str, path: str = "program.py") -> list[tuple[str, int, Confidence]]:
    findings, problems = check_source(code.encode(), path, RULES)
    assert problems == []
    return [(item.rule, item.span.line, item.confidence) for item in findings]


def test_a_function_is_reported_once_at_its_first_draw() -> None:
    code = "import numpy as np\ndef f(x):\n    a = np.random.rand(3)\n    b = np.random.rand(3)\n    return a + b\n"
    assert found(code) == [("unseeded-rng", 3, Confidence.LIKELY)]


def test_seeding_another_library_is_no_seed() -> None:
    code = "import random\nimport numpy as np\nrandom.seed(0)\nprint(np.random.rand(3))\n"
    assert found(code) == [("unseeded-rng", 4, Confidence.LIKELY)]
    assert found(code.replace("random.seed(0)", "np.random.seed(0)")) == []


def test_a_seed_from_the_clock_or_from_nothing_is_no_seed() -> None:
    for seed in ("np.random.seed()", "np.random.seed(None)", "np.random.seed(int(time.time()))"):
        code = f"import time\nimport numpy as np\n{seed}\nprint(np.random.rand(3))\n"
        assert found(code) == [("unseeded-rng", 4, Confidence.LIKELY)]


def test_tests_may_vary() -> None:
    code = "import numpy as np\ndef data():\n    return np.random.rand(3)\n"
    for path in ("test_model.py", "model_test.py", "conftest.py", "tests/data.py"):
        assert found(code, path) == [("unseeded-rng", 2 + 1, Confidence.POSSIBLE)]


def test_arguments_hidden_in_a_dictionary_are_not_judged() -> None:
    code = "from sklearn.cluster import KMeans\ndef f(x, options):\n    return KMeans(**options).fit(x)\n"
    assert found(code) == []


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("KFold(5)", []),
        ("KFold(5, shuffle=True)", [Confidence.LIKELY]),
        ("KFold(5, shuffle=True, random_state=seed)", []),
        ("KMeans(3)", [Confidence.LIKELY]),
        ("KMeans(3, init=seed)", []),
        ("KMeans(3, random_state=None)", [Confidence.POSSIBLE]),
        ("DecisionTreeClassifier()", [Confidence.POSSIBLE]),
    ],
)
def test_scikit_learn_draws_where_its_parameters_say_so(call: str, expected: list[Confidence]) -> None:
    code = (
        "from sklearn.cluster import KMeans\nfrom sklearn.model_selection import KFold\n"
        f"from sklearn.tree import DecisionTreeClassifier\ndef f(x, seed):\n    return {call}\n"
    )
    assert [confidence for _, _, confidence in found(code)] == expected


def test_a_seed_set_in_another_module_of_the_project_counts(tmp_path: Path) -> None:
    (tmp_path / "setup_run.py").write_text("import numpy as np\ndef fix(seed=None):\n    np.random.seed(seed)\n")
    code = "import numpy as np\nfrom setup_run import fix\n{}\nprint(np.random.rand(3))\n"
    path = str(tmp_path / "program.py")
    assert found(code.format("fix(7)"), path) == []
    assert found(code.format("fix()"), path) == [("unseeded-rng", 4, Confidence.LIKELY)]


def test_seed_zero_is_not_lost_on_the_way_to_a_helper(tmp_path: Path) -> None:
    (tmp_path / "setup_run.py").write_text("import numpy as np\ndef fix(seed):\n    np.random.seed(seed)\n")
    code = "import numpy as np\nfrom setup_run import fix\ndef run(seed=None):\n    if seed:\n        fix(seed)\n"
    assert found(code, str(tmp_path / "program.py")) == [("seed-ignored-when-zero", 4, Confidence.LIKELY)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("    if not seed:\n        seed = 42\n", "    if seed is None:\n        seed = 42\n"),
        ("    seed = seed if seed else 42\n", "    seed = seed if seed is not None else 42\n"),
        ("    seed = seed or 42\n", "    seed = 42 if seed is None else seed\n"),
    ],
)
def test_a_seed_replaced_before_it_is_used_is_still_that_seed(before: str, after: str) -> None:
    code = f"import numpy as np\ndef rng(seed=None):\n{before}    return np.random.default_rng(seed)\n"
    findings, _ = check_source(code.encode(), "program.py", RULES)
    assert fix_text(code, findings, unsafe=False)[0] == code.replace(before, after)
