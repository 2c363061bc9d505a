"""Functions of torch and tensorflow, written with numpy's, agree with the libraries, and stay stable."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from numlint.runtime import tensors
from numlint.runtime.tensors import FUNCTIONS, tensor

Z = np.array([[-1.5, 0.3, 2.0], [0.1, -0.2, 0.4]])
CALLS: dict[str, dict[str, Any]] = {
    "sigmoid": {},
    "softplus": {},
    "logsigmoid": {},
    "softmax": {"dim": 1},
    "log_softmax": {"dim": 1},
    "logsumexp": {"dim": 1, "keepdim": True},
    "sum": {"dim": 0},
    "mean": {"dim": 1, "keepdim": True},
    "std": {"dim": 1},
    "var": {"dim": 1, "unbiased": False},
    "norm": {},
    "clamp": {"min": -0.5, "max": 0.5},
    "unsqueeze": {"dim": 1},
    "rsqrt": {},
    "relu": {},
}


@pytest.mark.parametrize("name", CALLS)
def test_a_function_is_that_of_torch(name: str) -> None:
    torch = pytest.importorskip("torch")
    named = CALLS[name]
    values = np.abs(Z) if name == "rsqrt" else Z
    theirs: Any = getattr(torch, name, None) or getattr(torch.nn.functional, name)
    expected = theirs(torch.from_numpy(values), **named).numpy()
    np.testing.assert_allclose(FUNCTIONS[name](values, **named), expected, rtol=1e-13)


def test_what_is_stable_in_the_library_is_stable_here() -> None:
    large = np.array([[1000.0, -1000.0]])
    assert np.isfinite(FUNCTIONS["logsumexp"](large, dim=1)).all()
    assert np.isfinite(FUNCTIONS["softmax"](large, dim=1)).all()
    assert FUNCTIONS["log_softmax"](large, dim=1)[0, 1] == -2000
    assert FUNCTIONS["logsigmoid"](np.array(-1000.0)) == -1000
    with np.errstate(over="raise"):
        assert FUNCTIONS["sigmoid"](np.array([-1000.0, 1000.0])).tolist() == [0, 1]


def test_tensorflows_names_and_arguments_are_understood() -> None:
    assert FUNCTIONS["reduce_sum"](Z, axis=1, keepdims=True).shape == (2, 1)
    assert FUNCTIONS["reduce_mean"](Z, [0, 1]) == pytest.approx(Z.mean())
    assert FUNCTIONS["concat"]([Z, Z], axis=1).shape == (2, 6)
    assert FUNCTIONS["clip_by_value"](Z, -0.5, 0.5).max() == 0.5


def test_methods_chain_as_those_of_a_tensor() -> None:
    x = tensor(Z)
    assert x.exp().sum(dim=1, keepdim=True).log().shape == (2, 1)
    assert x.view(3, 2).shape == (3, 2)
    assert float((x**2).sum().sqrt()) == pytest.approx(np.linalg.norm(Z))
    with pytest.raises(AttributeError, match="needs torch"):
        x.backward()


def test_random_numbers_have_the_mean_and_the_spread_that_were_asked_for() -> None:
    np.random.seed(0)  # noqa: NPY002 - the generator that is meant
    drawn = FUNCTIONS["random_normal"](shape=[1000], mean=5.0, stddev=0.1)
    assert (drawn.mean(), drawn.std()) == (pytest.approx(5.0, abs=0.02), pytest.approx(0.1, rel=0.1))
    assert 2 <= FUNCTIONS["random_uniform"]([100], minval=2.0, maxval=3.0).min() <= 3
    assert tensors.function("torch", "normal") is None  # the mean comes first there


def test_other_libraries_and_names_are_not_known() -> None:
    assert tensors.function("tensorflow", "Session") is None
    assert tensors.function("cupy", "exp") is None
