"""From findings to targets: the name as Python spells it, where to import it from, rewrites, regions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from numlint.confirm.subject import Subject
from numlint.finding import Span
from numlint.runtime.target import Target
from tests.confirm.conftest import SOFTMAX, Check

NESTED = """\
import numpy as np


class Model:
    def predict(self, z):
        return np.log(1 + np.exp(z))

    class Inner:
        def method(self, z):
            return np.log(1 + np.exp(z))


def outer(a):
    def inner(z):
        return np.log(1 + np.exp(z))
    return inner


if True:
    def conditional(z):
        return np.log(1 + np.exp(z))

top = np.log(1 + np.exp(np.loadtxt("z")))
"""


def test_functions_have_the_names_that_python_gives_them(check: Check) -> None:
    names = {case.finding.span.line: case.target.qualname for case in check(NESTED)}
    assert names == {
        6: "Model.predict",
        10: "Model.Inner.method",
        15: "outer.<locals>.inner",
        21: "conditional",
        23: "",
    }


def test_a_default_belongs_to_the_scope_around() -> None:
    subject = Subject("model.py", "def f(x=1 / 3):\n    return x\n\n\ndef g(x): return x / 2\n")
    assert subject.qualname(Span(1, 9, 1, 14)) == ""
    assert subject.qualname(Span(2, 12, 2, 13)) == "f"
    assert subject.qualname(Span(5, 18, 5, 23)) == "g"


def test_a_module_is_imported_from_the_first_folder_that_is_no_package(check: Check, tmp_path: Path) -> None:
    for folder in ("pkg", "pkg/sub"):
        (tmp_path / "src" / folder).mkdir(parents=True)
        (tmp_path / "src" / folder / "__init__.py").touch()
    target = check(SOFTMAX, "src/pkg/sub/model.py")[0].target
    assert (target.module, target.root) == ("pkg.sub.model", str(tmp_path / "src"))
    target = check(SOFTMAX, "src/pkg/sub/__init__.py")[0].target
    assert (target.module, target.root) == ("pkg.sub", str(tmp_path / "src"))
    target = check(SOFTMAX, "script.py")[0].target
    assert (target.module, target.root) == ("script", str(tmp_path))


def test_a_target_survives_json(check: Check) -> None:
    target = check(SOFTMAX)[0].target
    assert Target.from_json(json.loads(json.dumps(target.to_json()))) == target


def at(source: str, target: object) -> str:
    """The text at the region of a candidate, on one line."""
    region = target.region  # type: ignore[attr-defined]
    lines = source.splitlines()[region.line - 1 : region.end_line]
    lines[-1] = lines[-1][: region.end_column - 1]
    return lines[0][region.column - 1 :] if len(lines) == 1 else "\n".join([lines[0][region.column - 1 :], *lines[1:]])


@pytest.mark.parametrize(
    ("source", "rule", "shown"),
    [
        (SOFTMAX.replace("softmax", "shares"), "naive-softmax", "softmax(z, axis=1)"),
        ("import numpy as np\ndef f(x):\n    return np.log(1 + x)\n", "use-log1p", "np.log1p(x)"),
        (
            "import numpy as np\ndef f(X):\n    return (X - X.mean(0)) / X.std(0)\n",
            "zero-division",
            "(X - X.mean(0)) / np.maximum(X.std(0), 1e-30)",
        ),
        (
            "import numpy as np\ndef f(X, y):\n    P = np.linalg.pinv(X)\n    return P @ y\n",
            "pinv-default-cutoff",
            "np.linalg.lstsq(X, y, rcond=None)[0]",
        ),
    ],
)
def test_a_candidate_is_the_whole_module_and_says_where_the_new_expression_stands(
    check: Check, source: str, rule: str, shown: str
) -> None:
    target = next(case.target for case in check(source) if case.finding.rule == rule)
    own = target.candidates[0]
    compile(own.source, "model.py", "exec")
    assert own.text == shown
    assert at(own.source, own) == shown


def test_imports_are_part_of_a_candidate(check: Check) -> None:
    source = check(SOFTMAX.replace("softmax", "shares"))[0].target.candidates[0].source
    assert "from scipy.special import softmax" in source
    own = check(SOFTMAX)[0].target.candidates[0]
    assert "import scipy.special" in own.source, "the plain name means the function itself"
    assert own.text == "scipy.special.softmax(z, axis=1)"


def test_the_normal_equations_come_with_the_look_alikes_that_do_not_cure(check: Check) -> None:
    (case,) = check("import numpy as np\n\n\ndef fit(X, y):\n    return np.linalg.inv(X.T @ X) @ X.T @ y\n")
    shown = [(item.safety, item.text) for item in case.target.candidates]
    assert shown[0] == ("safe", "np.linalg.lstsq(X, y, rcond=None)[0]")
    assert ("display", "np.linalg.solve(X.T @ X, X.T @ y)") in shown


def test_what_is_written_already_is_no_alternative_to_itself(check: Check) -> None:
    (case,) = check("import numpy as np\n\n\ndef fit(X, y):\n    return np.linalg.pinv(X) @ y\n")
    assert "np.linalg.pinv(X) @ y" not in [item.text for item in case.target.candidates[1:]]


def test_a_finding_without_an_edit_has_no_candidate(check: Check) -> None:
    (case,) = [
        case
        for case in check("import numpy as np\ndef f(n):\n    return np.log(np.random.rand(n))\n")
        if not case.rewritten
    ][:1]
    assert case.target.candidates == ()


def test_a_byte_order_mark_is_no_part_of_a_module_that_is_compiled(check: Check) -> None:
    from dataclasses import replace

    from numlint.confirm.targets import cases

    finding = check(SOFTMAX)[0].finding
    (case,) = cases([replace(finding)], {finding.path: "\ufeff" + SOFTMAX})
    assert not case.target.candidates[0].source.startswith("\ufeff")
