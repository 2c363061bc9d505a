"""What is written in one interpreter is read in the other as the same value, to the bit."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from numlint.runtime.protocol import Placeholder, decode, encode, literal

DTYPES = st.one_of(
    arrays.floating_dtypes(),
    arrays.integer_dtypes(),
    arrays.unsigned_integer_dtypes(),
    arrays.boolean_dtypes(),
    arrays.complex_number_dtypes(),
    arrays.unicode_string_dtypes(max_len=5),
    arrays.datetime64_dtypes(),
)
ARRAYS = arrays.arrays(DTYPES, arrays.array_shapes(min_dims=0, min_side=0, max_side=9))
ATOMS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.text(), st.binary(), ARRAYS
)
KEYS = st.one_of(st.text(), st.just("$"), st.integers(), st.tuples(st.integers(), st.text()))
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner), st.lists(inner).map(tuple), st.dictionaries(KEYS, inner), st.frozensets(st.integers())
    ),
    max_leaves=8,
)


def carried(value: Any) -> Any:
    """As it arrives on the other side of the pipe."""
    return decode(json.loads(json.dumps(encode(value), allow_nan=False)))


def identical(left: Any, right: Any) -> bool:
    if type(left) is not type(right):
        return False
    if isinstance(left, (np.ndarray, np.generic)):
        return bool(left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes())
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(identical, left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(identical(left[key], right[key]) for key in left)
    if isinstance(left, complex):
        return identical(left.real, right.real) and identical(left.imag, right.imag)
    if isinstance(left, float):
        return repr(left) == repr(right)
    return bool(left == right)


@given(VALUES)
def test_every_value_returns_exactly(value: Any) -> None:
    assert identical(carried(value), value)


@given(ARRAYS)
def test_a_scalar_returns_as_a_scalar_of_its_type(array: Any) -> None:
    for scalar in array.ravel()[:1]:
        assert identical(carried(scalar), scalar)


@pytest.mark.parametrize("value", [-0.0, 5e-324, math.nan, -math.inf, 2**200, -(2**63), range(3), slice(1, None), {1}])
def test_what_json_lacks_returns(value: Any) -> None:
    assert repr(carried(value)) == repr(value)


def test_the_payload_of_a_nan_and_the_order_in_memory_return() -> None:
    odd = np.array([0x7FF8000000000123, 0xFFF8000000000000], dtype=np.uint64).view(np.float64)
    assert carried(odd).tobytes() == odd.tobytes()
    columns = np.asfortranarray(np.random.default_rng(0).normal(size=(20, 7)))
    assert carried(columns).flags.f_contiguous
    assert (carried(columns) == columns).all()


def test_what_arrives_can_be_written_to() -> None:
    arrived = carried(np.zeros(1000))
    arrived[0] = 1.0
    assert arrived[0] == 1.0


def test_arrays_of_objects_and_matrices_return() -> None:
    mixed = np.array([1, None, "x", 2.5], dtype=object)
    assert carried(mixed).tolist() == mixed.tolist()
    assert type(carried(np.asmatrix([[1.0, 2.0]]))) is np.matrix


def test_bfloat16_returns_and_is_float32_where_the_type_is_unknown() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    array = np.array([1.0, 3.140625, np.inf], dtype=ml_dtypes.bfloat16)
    assert carried(array).dtype == array.dtype
    assert np.array_equal(carried(array), array)
    assert np.frombuffer(np.float32(3.140625).tobytes(), np.float32)[0] == encode(array[:2])["values"][1]


def test_tensors_return() -> None:
    torch = pytest.importorskip("torch")
    for dtype in (torch.float32, torch.bfloat16, torch.int64):
        tensor = torch.arange(6).reshape(2, 3).to(dtype)
        assert carried(tensor).dtype == dtype
        assert torch.equal(carried(tensor), tensor)
    assert carried(torch.ones(2, requires_grad=True)).requires_grad


class Stubborn:
    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize("value", [object(), len, Stubborn(), np.zeros(2, dtype=[("a", int)]), np.ma.array([1.0])])
def test_what_has_no_encoding_says_what_it_was(value: object) -> None:
    arrived = carried([value, 1.0])
    assert isinstance(arrived[0], Placeholder)
    assert type(value).__name__ in arrived[0].type
    assert arrived[1] == 1.0
    assert isinstance(carried(arrived[0]), Placeholder)


def test_a_structure_that_contains_itself_is_cut() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert "Placeholder" in repr(carried(endless))


@pytest.mark.parametrize("data", [{"$": "pickle", "data": "gASVKAAAA"}, {"$": "array", "dtype": "<f8"}])
def test_nothing_else_is_read(data: Any) -> None:
    with pytest.raises(ValueError, match=r"no value is encoded|malformed"):
        decode(data)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (89.0, "89.0"),
        (math.nan, "nan"),
        (np.float64(88.72), "88.72"),
        (np.float32(0.1), "0.1 float32"),
        (np.array([[0, 89]], np.float32), "[[0., 89.]] float32"),
        (np.array([1e-300, 2.5, np.inf]), "[1e-300, 2.5, inf]"),
        (np.array([0, 2, 1]), "[0, 2, 1]"),
        (np.array([-1.0, 2.0]), "[-1., 2.]"),
        (np.array([True]), "[True]"),
        (np.zeros((0, 3)), "[]"),
        ({"x": np.array([1.0]), "k": (3,)}, "{'x': [1.], 'k': (3,)}"),
        (np.arange(300.0).reshape(100, 3), "float64 array of shape (100, 3), from 0 to 299"),
        (np.where(np.arange(300) < 3, np.nan, 1.0), "float64 array of shape (300,), from 1 to 1, 3 not finite"),
    ],
)
def test_literals_read_as_one_would_write_them(value: Any, text: str) -> None:
    assert literal(value) == text


@given(VALUES, st.integers(10, 200))
def test_literals_are_short_and_of_one_line(value: Any, length: int) -> None:
    text = literal(value, length)
    assert len(text) <= length
    assert "\n" not in text
