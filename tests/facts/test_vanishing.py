"""Why a value can be zero: a reason for each way, and silence where a guard or the data rule it out."""

from __future__ import annotations

import ast
import textwrap

import pytest

from numlint.facts.vanishing import Zero
from numlint.function import Function
from numlint.graph.frame import Analysis
from numlint.graph.lowering import lower_function
from numlint.graph.module import Module


def zero_of(body: str) -> Zero | None:
    """Why the argument of the last logarithm in a function of x, y can be zero."""
    source = "import numpy as np\nimport torch\nfrom scipy.stats import norm\n" + textwrap.dedent(body)
    module = Module(ast.parse(source), source, "program.py")
    function = Function(lower_function(Analysis(module), module.functions["f"]))
    return function.zero_of_log(list(function.sites("log"))[-1])


def lines(*statements: str) -> str:
    return "def f(x, y):\n" + "".join(f"    {statement}\n" for statement in statements)


@pytest.mark.parametrize(
    ("statements", "kind"),
    [
        (["np.log(np.exp(-x))"], "underflow"),
        (["p = torch.softmax(x, 1)", "torch.log(p[0])"], "underflow"),
        (["torch.log(1 - torch.sigmoid(x))"], "saturation"),
        (["torch.log(1 - torch.tanh(x) ** 2)"], "saturation"),
        (["np.log(norm.pdf(x))"], "density"),
        (["np.log(y * norm.pdf(x) + y * norm.pdf(y))"], "density"),
        (["np.log(norm.sf(x))"], "tail"),
        (["torch.log(torch.relu(x))"], "attained"),
        (["np.log(np.clip(x, 0, 1))"], "attained"),
        (["np.log(np.where(x > 3, x, 0.0))"], "attained"),
        (["np.log(np.bincount(x))"], "count"),
        (["np.log(x / x.sum())"], "share"),
        (["torch.log(torch.rand(3))"], "draw"),
        (["p = x.astype(np.float32).clip(min=1e-100)", "np.log(p)"], "underflow"),
    ],
)
def test_zero_has_a_reason_that_ordinary_inputs_reach(statements: list[str], kind: str) -> None:
    zero = zero_of(lines(*statements))
    assert zero is not None
    assert (zero.kind, zero.sure) == (kind, True)


def test_a_mixture_summed_up_in_a_loop_underflows_as_its_terms_do() -> None:
    zero = zero_of(lines("total = 0.0", "for mean in y:", "    total += norm.pdf(x, mean)", "np.log(total)"))
    assert zero is not None
    assert (zero.kind, zero.sure) == ("density", True)


@pytest.mark.parametrize("argument", ["np.std(x)", "np.abs(x)", "np.mean(x == y)", "np.random.rand(3)", "np.exp(x)"])
def test_what_only_unusual_data_makes_zero_is_not_sure(argument: str) -> None:
    zero = zero_of(lines(f"np.log({argument})"))
    assert zero is not None
    assert not zero.sure


def test_an_unknown_parameter_is_a_reason_of_its_own_kind() -> None:
    zero = zero_of(lines("np.log(x)"))
    assert zero is not None
    assert zero.kind == "unknown"


@pytest.mark.parametrize(
    "statements",
    [
        ["np.log(np.exp(-x) + 1e-12)"],
        ["p = np.maximum(norm.pdf(x), 1e-300)", "np.log(p)"],
        ["p = norm.pdf(x)", "np.log(p[p > 0])"],
        ["p = norm.pdf(x)", "np.log(p[np.nonzero(p)])"],
        ["p = norm.pdf(x)", "np.where(p > 0, np.log(p), 0.0)"],
        ["p = norm.pdf(x)", "q = np.log(p)", "q[p == 0] = -100.0"],
        ["p = norm.pdf(x)", "np.log(p, out=y, where=p > 0)"],
        ["with np.errstate(divide='ignore'):", "    np.log(norm.pdf(x))"],
        ["np.log(np.bincount(x) + 1)"],
        ["np.log(torch.tril(torch.ones(3, 3)))"],
        ["torch.log(torch.softmax(5 * torch.tanh(x), 1))"],
        ["e = np.exp(x - x.max())", "np.log((e * y).sum())"],
    ],
)
def test_a_guard_or_an_intended_mask_leaves_no_reason(statements: list[str]) -> None:
    assert zero_of(lines(*statements)) is None


def test_callers_that_guard_what_they_pass_speak_for_the_parameter() -> None:
    helper = "def f(p):\n    return np.log(p)\n"
    assert zero_of(helper + "def g(x):\n    return f(np.clip(x, 1e-9, 1))\n") is None
    exposed = zero_of(helper + "def g(x):\n    return f(np.clip(x, 1e-9, 1)) + f(norm.pdf(x))\n")
    assert exposed is not None
    assert (exposed.kind, exposed.sure) == ("density", True)


def test_a_demonstration_with_literals_is_no_promise() -> None:
    zero = zero_of("def f(p):\n    return np.log(p)\ndef main():\n    print(f(np.array([0.5, 0.5])))\n")
    assert zero is not None
    assert zero.kind == "unknown"
