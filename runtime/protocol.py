"""Values as JSON, exactly: what the host and the interpreter of the code under test tell each other.

A float is written with the shortest digits that read back as the same number; an array
that is small and finite as a list of such numbers, any other by its bytes in base64, so
that the payload of a nan, the order of the axes in memory and the byte order survive.
What JSON lacks is an object with the key ``"$"``. Nothing is ever pickled: reading a
value runs no code. A value that cannot be written becomes a `Placeholder`, which says
what it was. `literal` is the other direction of care: text that a person reads.
"""

from __future__ import annotations

import base64
import importlib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

TAG = "$"
DEPTH = 24
"""Deeper structures, and those that contain themselves, are cut by a placeholder."""
READABLE = 64
"""Arrays of at most so many elements are written as numbers."""


@dataclass(frozen=True)
class Placeholder:
    """Stands for a value that has no encoding.

    Attributes
    ----------
    type : str
        Its type: ``"pandas.core.frame.DataFrame"``.
    text : str
        What it looked like, shortened.
    """

    type: str
    text: str


def encode(value: Any, depth: int = DEPTH) -> Any:
    """A value as data that `json.dumps` accepts, without any `nan` or `inf` in it."""
    if value is None or type(value) in (bool, str):
        return value
    if type(value) is int:
        return value if abs(value) < 2**63 else {TAG: "int", "hex": hex(value)}
    if type(value) is float:
        return value if math.isfinite(value) else {TAG: "float", "value": repr(value)}
    if type(value) is complex:
        return {TAG: "complex", "parts": [encode(value.real), encode(value.imag)]}
    if type(value) is bytes:
        return {TAG: "bytes", "data": _base64(value)}
    if isinstance(value, (np.ndarray, np.generic)):
        return _encode_array(value, depth)
    if type(value).__module__ == "torch" and hasattr(value, "detach"):
        return _encode_tensor(value, depth)
    if isinstance(value, Placeholder):
        return {TAG: "placeholder", "type": value.type, "text": value.text}
    if depth == 0:
        return encode(placeholder(value))
    return _encode_container(value, depth - 1)


def _encode_container(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind is list:
        return [encode(item, depth) for item in value]
    if kind is dict:
        if TAG not in value and all(type(key) is str for key in value):
            return {key: encode(item, depth) for key, item in value.items()}
        return {TAG: "dict", "items": [[encode(key, depth), encode(item, depth)] for key, item in value.items()]}
    if kind in (tuple, set, frozenset):
        return {TAG: kind.__name__, "items": [encode(item, depth) for item in value]}
    if kind in (range, slice):
        return {TAG: kind.__name__, "items": [encode(item) for item in (value.start, value.stop, value.step)]}
    return encode(placeholder(value))


def _encode_array(value: Any, depth: int) -> Any:
    array = np.asarray(value)
    wrapped = type(value) is not np.ndarray and not isinstance(value, np.generic)
    if (wrapped and type(value) is not np.matrix) or array.dtype.names or isinstance(value, np.void):
        return encode(placeholder(value))
    data: dict[str, Any] = {TAG: "scalar" if isinstance(value, np.generic) else "array"}
    if wrapped:
        data[TAG] = "matrix"
    data["dtype"], data["shape"] = array.dtype.str, list(array.shape)
    if array.dtype.name == "bfloat16":  # numpy has no such type: the same numbers in float32
        data["dtype"], array = "bfloat16", array.astype(np.float32)
    elif array.dtype.kind == "V":
        return encode(placeholder(value))
    if array.flags.f_contiguous and not array.flags.c_contiguous:
        data["order"] = "F"
    if array.dtype.kind == "O":
        if depth == 0:
            return encode(placeholder(value))
        data["values"] = [encode(item, depth - 1) for item in array.ravel(order=data.get("order", "C"))]
    elif array.size <= READABLE and array.dtype.kind in "biuf" and array.itemsize <= 8 and np.isfinite(array).all():
        data["values"] = array.ravel(order=data.get("order", "C")).tolist()
    else:
        data["data"] = _base64(array.tobytes(order=data.get("order", "C")))
    return data


def _encode_tensor(tensor: Any, depth: int) -> Any:
    """A torch tensor as an array; bfloat16 ones as the same numbers in float32."""
    try:
        plain = tensor.detach().cpu()
        kind = str(plain.dtype).rpartition(".")[2]
        array = (plain.float() if kind == "bfloat16" else plain).numpy()
        return {TAG: "tensor", "dtype": kind, "gradient": bool(tensor.requires_grad), "array": encode(array, depth)}
    except (AttributeError, RuntimeError, TypeError):
        return encode(placeholder(tensor))


def placeholder(value: Any) -> Placeholder:
    """What is said of a value instead of the value."""
    kind = type(value)
    return Placeholder(f"{kind.__module__}.{kind.__qualname__}".replace("builtins.", ""), _shown(value, 120))


def decode(data: Any) -> Any:
    """The value that `encode` has written.

    Tensors come back as tensors where torch is loaded or can be, else as arrays; bfloat16
    arrays need ml_dtypes in the same way, else they are float32.

    Raises
    ------
    ValueError
        The data was not written by `encode`.
    """
    if isinstance(data, list):
        return [decode(item) for item in data]
    if not isinstance(data, dict):
        return data
    if TAG not in data:
        return {key: decode(item) for key, item in data.items()}
    reader = _READERS.get(data[TAG])
    if reader is None:
        raise ValueError(f"no value is encoded as {data[TAG]!r}")
    try:
        return reader(data)
    except (KeyError, TypeError) as error:
        raise ValueError(f"a malformed {data[TAG]}: {error}") from None


def _decode_array(data: dict[str, Any]) -> Any:
    held = np.dtype(np.float32 if data["dtype"] == "bfloat16" else data["dtype"])
    shape, order = tuple(data["shape"]), data.get("order", "C")
    if "data" in data:
        array = np.frombuffer(base64.b64decode(data["data"]), dtype=held)
    else:
        array = np.empty(len(data["values"]), dtype=held)
        array[:] = [decode(item) for item in data["values"]] if held.kind == "O" else data["values"]
    array = array.reshape(shape, order=order).copy(order=order)
    if data["dtype"] == "bfloat16":
        array = _as_bfloat16(array)
    if data[TAG] == "matrix":
        return np.asmatrix(array)
    return array[()] if data[TAG] == "scalar" else array


def _as_bfloat16(array: Any) -> Any:
    try:
        ml_dtypes = importlib.import_module("ml_dtypes")
    except ImportError:
        return array
    return array.astype(ml_dtypes.bfloat16)


def _decode_tensor(data: dict[str, Any]) -> Any:
    array = decode(data["array"])
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        return array
    return torch.from_numpy(array).to(getattr(torch, data["dtype"])).requires_grad_(data["gradient"])


_READERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "int": lambda data: int(data["hex"], 16),
    "float": lambda data: float(data["value"]),
    "complex": lambda data: complex(*decode(data["parts"])),
    "bytes": lambda data: base64.b64decode(data["data"]),
    "dict": lambda data: {decode(key): decode(item) for key, item in data["items"]},
    "tuple": lambda data: tuple(decode(data["items"])),
    "set": lambda data: set(decode(data["items"])),
    "frozenset": lambda data: frozenset(decode(data["items"])),
    "range": lambda data: range(*decode(data["items"])),
    "slice": lambda data: slice(*decode(data["items"])),
    "array": _decode_array,
    "matrix": _decode_array,
    "scalar": _decode_array,
    "tensor": _decode_tensor,
    "placeholder": lambda data: Placeholder(data["type"], data["text"]),
}


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def literal(value: Any, length: int = 120) -> str:
    """A value as text of at most `length` characters, as one would write it.

    Floating-point numbers have the shortest digits that tell them apart in their own
    format. The type is added where it is not what Python or numpy would assume:
    ``[[0., 89.]] float32``. What is too long is described: ``float64 array of shape
    (100, 3), from -2.1 to 7.4``.
    """
    if type(value).__module__ == "torch" and hasattr(value, "detach"):
        value = _array_of(value)
    if isinstance(value, (np.ndarray, np.generic)) and not isinstance(value, np.void):
        return _literal_array(np.asarray(value), length)
    text = _literal_container(value, length)
    return text if len(text) <= length else _cut(text, length)


def _array_of(tensor: Any) -> Any:
    try:
        return decode(_encode_tensor(tensor, DEPTH)["array"])
    except (KeyError, TypeError, ValueError):
        return tensor


_BRACKETS: dict[type, tuple[str, str]] = {list: ("[", "]"), tuple: ("(", ")"), set: ("{", "}")}


def _literal_container(value: Any, length: int) -> str:
    kind = type(value)
    if kind in (list, tuple, set) and value:
        opening, closing = _BRACKETS[kind]
        items = [literal(item, length) for item in list(value)[:length]]
        return opening + ", ".join(items) + ("," if kind is tuple and len(items) == 1 else "") + closing
    if kind is dict:
        return "{" + ", ".join(f"{key!r}: {literal(item, length)}" for key, item in list(value.items())[:length]) + "}"
    return _shown(value, length)


def _literal_array(array: Any, length: int) -> str:
    name = array.dtype.name if array.dtype.kind not in "OUSMm" else "object"
    said = "" if name in ("float64", "int64", "bool", "complex128", "object") else f" {name}"
    if array.dtype.name == "bfloat16":
        array = array.astype(np.float32)
    if array.size <= length:
        text = _nested(array, "." if array.ndim else "0") + said
        if len(text) <= length:
            return text
    return _cut(f"{name} array of shape {array.shape}{_extent(array)}", length)


def _nested(value: Any, trim: Literal[".", "0"]) -> str:
    if isinstance(value, np.ndarray):
        return "[" + ", ".join(_nested(item, trim) for item in value) + "]" if value.ndim else _nested(value[()], trim)
    if not isinstance(value, np.floating):
        return _shown(value.item() if isinstance(value, np.generic) else value, 80)
    if value == 0 or 1e-4 <= abs(float(value)) < 1e12 or not np.isfinite(value):
        return str(np.format_float_positional(value, trim=trim))
    return re.sub(r"e([+-])0*", r"e\1", np.format_float_scientific(value, trim="-")).replace("e+", "e")


def _extent(array: Any) -> str:
    if array.size == 0 or array.dtype.kind not in "iuf":
        return ""
    finite = array[np.isfinite(array)]
    strange = array.size - finite.size
    said = f", {strange} not finite" if strange else ""
    return (f", from {finite.min():.3g} to {finite.max():.3g}" if finite.size else "") + said


def _shown(value: Any, length: int) -> str:
    """`repr` of anything: the methods of the code under test may fail, or write a book."""
    try:
        return _cut(re.sub(r" at 0x[0-9a-f]+", "", " ".join(repr(value).split())), length)
    except Exception as error:
        return f"{type(value).__name__} object whose repr raises {type(error).__name__}"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: max(0, length - 3)] + "..."
