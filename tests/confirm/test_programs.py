"""Small programs as users write them, confirmed from end to end: what is said of each, and what must not be."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from numlint.runtime.confirm import confirm
from numlint.runtime.slices import cuts
from numlint.runtime.target import Region, Target
from numlint.runtime.verdict import Verdict
from tests.confirm.conftest import Check

Prove = Callable[..., Verdict]
HEAD = "import numpy as np\nfrom numpy.linalg import inv\n\n\n"


@pytest.fixture
def prove(check: Check, tmp_path: Path) -> Iterator[Prove]:
    """The verdict on the finding of a rule in a program."""
    before = set(sys.modules)

    def run(program: str, rule: str, **options: Any) -> Verdict:
        name = f"program_{abs(hash((program, str(tmp_path))))}.py"
        (case,) = [case for case in check(program, name) if case.finding.rule == rule]
        given = {"seconds": 30.0, **options}
        return Verdict.from_json(confirm({"target": case.target.to_json(), "options": given}, lambda _: None))

    yield run
    for name in set(sys.modules) - before:
        if name.startswith("program_"):
            del sys.modules[name]
    sys.path[:] = [item for item in sys.path if item != str(tmp_path)]


def got(verdict: Verdict) -> str:
    """What came out on the smallest input; empty without a failure."""
    return verdict.evidence.smallest.got if verdict.evidence and verdict.evidence.smallest else ""


SOFTMAX = HEAD + "def softmax(z):\n    e = np.exp(z)\n    return e / e.sum(axis=-1, keepdims=True)\n"


def test_the_boundary_of_an_overflow_is_the_number_of_the_textbooks(prove: Prove) -> None:
    evidence = prove(SOFTMAX, "naive-softmax").evidence
    assert evidence is not None
    assert evidence.boundary is not None
    fails = evidence.boundary.fails_from
    assert evidence.boundary.knob == "max|z|"
    assert fails["float64"] == pytest.approx(709.8, rel=2e-3)
    assert fails["float32"] == pytest.approx(88.73, rel=2e-3)
    assert fails["float16"] == pytest.approx(11.09, rel=2e-3)


def test_what_is_blamed_happened_on_the_input_that_is_shown(prove: Prove) -> None:
    evidence = prove(SOFTMAX, "naive-softmax").evidence
    assert evidence is not None
    assert evidence.origin is not None
    assert evidence.smallest is not None
    assert evidence.origin.line == 6
    assert evidence.origin.operand.rstrip("0.") in evidence.smallest.arguments["z"]


def test_a_matrix_that_is_not_square_is_no_numerical_failure(prove: Prove) -> None:
    program = HEAD + "def density(x, mean, covariance):\n    d = x - mean\n    return d @ inv(covariance) @ d.T\n"
    verdict = prove(program, "explicit-inverse")
    assert "square" not in got(verdict)
    program = HEAD + "class Gaussian:\n    def fit(self, X):\n        self.cov_ = np.cov(X.T)\n        return self\n\n"
    program += "    def volume(self):\n        return np.log(np.linalg.det(self.cov_))\n"
    verdict = prove(program, "log-of-det")
    assert "dimensional" not in got(verdict)


def test_the_logarithm_of_zero_is_no_failure_of_a_rule_about_underflow(prove: Prove) -> None:
    program = HEAD + "def volume(covariance):\n    return np.log(np.linalg.det(covariance))\n"
    verdict = prove(program, "log-of-det")
    assert not got(verdict) or (verdict.evidence and verdict.evidence.smallest and verdict.evidence.smallest.true)


def test_what_goes_wrong_before_the_flagged_expression_is_not_its_failure(prove: Prove) -> None:
    program = HEAD + (
        "rng = np.random.default_rng(0)\nX = rng.normal(size=(50, 3))\ny = X @ [1.0, 2.0, 3.0]\n"
        "w = inv(X.T @ X) @ X.T @ y\nlogits = X @ w\np = np.exp(logits) / np.exp(logits).sum()\n"
    )
    evidence = prove(program, "naive-softmax").evidence
    assert evidence is not None
    assert evidence.origin is not None
    assert evidence.origin.line == 10
    assert "condition" not in evidence.knob


def test_a_value_and_its_own_sum_are_not_independent_inputs() -> None:
    program = HEAD + "def share(record):\n    w = record.weights()\n    w = w * w + 1\n    return w / w.sum()\n"
    paths = [cut.paths for cut in cuts(program, "program.py", Region(8, 12, 8, 23), {"np": None})]
    assert paths
    assert not any("w.sum()" in taken for taken in paths)


def test_a_number_of_things_is_a_whole_number(prove: Prove) -> None:
    program = HEAD + "def likelihood(p):\n    return np.log(np.prod(p))\n"
    evidence = prove(program, "product-of-probabilities").evidence
    assert evidence is not None
    assert evidence.boundary is not None
    assert evidence.boundary.knob == "number of samples"
    assert all(edge == int(edge) for edge in evidence.boundary.fails_from.values() if edge is not None)


def test_without_an_experiment_for_it_nothing_is_refuted(prove: Prove) -> None:
    program = "import torch\n\n\ndef norm(x):\n    return torch.sqrt((x**2).sum())\n"
    pytest.importorskip("torch")
    assert prove(program, "sqrt-at-zero").status in ("confirmed", "inconclusive")


TORCH = """\
import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.q = nn.Linear(dim, dim)

    def forward(self, x):
        w = torch.exp(self.q(x))
        return w / w.sum(-1, keepdim=True)


def weights(scores):
    w = scores.exp()
    return w / w.sum(-1, keepdim=True)
"""


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch")


def test_torch_is_its_own_reference_in_float64(prove: Prove, torch: Any) -> None:
    program = TORCH[: TORCH.index("class")] + TORCH[TORCH.index("def weights") :]
    verdict = prove(program, "naive-softmax")
    assert (verdict.status, verdict.cures[0].status) == ("confirmed", "verified")
    evidence = verdict.evidence
    assert evidence is not None
    assert evidence.origin is not None
    assert evidence.boundary is not None
    assert (evidence.origin.line, evidence.origin.operation) == (6, "exp")
    assert evidence.boundary.fails_from["float32"] == pytest.approx(88.73, rel=2e-3)


def test_a_layer_has_the_same_weights_in_every_format(prove: Prove, torch: Any) -> None:
    """In float64 it would draw others: a difference that is no error, on the plainest input."""
    verdict = prove(TORCH[: TORCH.index("def weights")], "naive-softmax")
    assert verdict.evidence is not None
    assert verdict.evidence.realism != "plain"
    assert verdict.evidence.smallest is not None
    assert "nan" in verdict.evidence.smallest.got or "not finite" in verdict.evidence.smallest.got


def test_a_pole_is_seen_in_torch_too(prove: Prove, torch: Any) -> None:
    verdict = prove("import torch\n\n\ndef unit(x):\n    return x / x.norm(dim=1, keepdim=True)\n", "zero-division")
    assert verdict.status == "confirmed"
    assert verdict.evidence is not None
    assert verdict.evidence.note == "division by zero"


def test_log_softmax_cures_although_it_rounds_small_logarithms_to_zero(prove: Prove, torch: Any) -> None:
    program = "import torch\n\n\ndef loss(z):\n    p = torch.softmax(z, dim=1)\n    return torch.log(p)\n"
    verdict = prove(program, "log-of-softmax")
    assert verdict.status == "confirmed"
    assert [cure.status for cure in verdict.cures] == ["verified"]


def test_what_is_fitted_is_the_same_for_every_arithmetic(prove: Prove) -> None:
    """Fitting in float64 gives other weights where it is chaotic: a difference that `predict` has no part in."""
    program = HEAD + (
        "class Model:\n    def fit(self, X):\n        self.w_ = np.sin(1e7 * X).sum()\n        return self\n\n"
        "    def loss(self, X):\n        return np.log(1 + np.exp(self.w_ * X))\n"
    )
    evidence = prove(program, "naive-softplus").evidence
    assert evidence is not None
    assert evidence.realism != "plain"


def test_a_guard_for_float32_is_no_less_a_cure_for_being_none_in_float16(prove: Prove) -> None:
    verdict = prove(HEAD + "def unit(x):\n    return x / np.linalg.norm(x)\n", "zero-division")
    assert [cure.status for cure in verdict.cures] == ["verified"] or not verdict.cures
    assert all("float16" in cure.reason for cure in verdict.cures)


def test_a_constant_under_a_root_changes_the_meaning(prove: Prove, torch: Any) -> None:
    verdict = prove("import torch\n\n\ndef norm(x):\n    return torch.sqrt((x**2).sum())\n", "sqrt-at-zero")
    assert verdict.status == "confirmed"
    assert [cure.status for cure in verdict.cures] == ["changes-semantics"]


def test_an_overflow_that_a_mask_discards_is_no_failure_on_any_rung(prove: Prove) -> None:
    """Alone, the exponential overflows; the function returns what it should."""
    program = HEAD + "def elu(z, alpha):\n    return np.where(z > 0, z, alpha * (np.exp(z) - 1))\n"
    verdict = prove(program, "exp-overflow")
    assert verdict.status == "refuted"
    assert verdict.reason == "where the flagged expression goes wrong, what comes out is right"


def accused(tmp_path: Path, body: str, rule: str, code: str, signature: str, **options: Any) -> Verdict:
    """The verdict on an expression of which a check says nothing: as if a rule had flagged it."""
    text = f"{HEAD}def f(x):\n    return {body}\n"
    path = tmp_path / "accused.py"
    path.write_text(text)
    line = text.splitlines().index(f"    return {body}") + 1
    region = Region(line, 12, line, 12 + len(body))
    target = Target(str(path), "accused", str(tmp_path), "f", region, rule, code, signature=signature)
    sys.modules.pop("accused", None)
    try:
        given = {"seconds": 20.0, **options}
        return Verdict.from_json(confirm({"target": target.to_json(), "options": given}, lambda _: None))
    finally:
        sys.modules.pop("accused", None)
        sys.path[:] = [item for item in sys.path if item != str(tmp_path)]


EXPONENTIALS = "np.exp(x - np.max(x, axis=-1, keepdims=True))"
SHIFTED = f"{EXPONENTIALS} / {EXPONENTIALS}.sum(-1, keepdims=True)"


@pytest.mark.parametrize(
    ("body", "rule", "code", "signature", "formats"),
    [
        (SHIFTED, "naive-softmax", "NL101", "nan", ("float64", "float32", "float16")),
        ("1 / (1 + np.exp(-x))", "naive-sigmoid", "NL103", "overflow", ("float64",)),
        ("np.logaddexp(0, x)", "naive-softplus", "NL104", "overflow", ("float64", "float32")),
        ("np.log(np.abs(x) + 2)", "log-of-zero", "NL125", "nan", ("float64", "float32", "float16")),
    ],
    ids=["shifted softmax", "forward sigmoid", "logaddexp", "positive logarithm"],
)
def test_safe_code_is_never_confirmed_whoever_accuses_it(
    tmp_path: Path, body: str, rule: str, code: str, signature: str, formats: tuple[str, ...]
) -> None:
    verdict = accused(tmp_path, body, rule, code, signature, formats=formats)
    assert verdict.status == "refuted"
    assert verdict.tried["inputs"] > 50


@pytest.mark.parametrize("body", ["np.sqrt(-1 - x * x)", "np.log(-1 - np.abs(x))", "np.arccos(2 + x * x)"])
def test_an_input_outside_the_domain_is_never_a_failure(tmp_path: Path, body: str) -> None:
    assert accused(tmp_path, body, "log-of-zero", "NL125", "nan").status == "outside-domain"


def test_a_rule_about_a_zero_divisor_says_nothing_of_lost_digits(prove: Prove) -> None:
    program = f"{HEAD}def scores(events):\n    values = np.array([event**2 for event in events])\n"
    program += "    return (values - values.mean()) / np.maximum(values.std(ddof=1), 1e-8)\n"
    evidence = prove(program, "std-of-one").evidence
    assert evidence is not None
    assert (evidence.signature, evidence.realism) == ("nan", "realistic")
    assert evidence.smallest is not None
    assert "nan" in evidence.smallest.got
