"""Encoded inputs of a verdict as Python source, for a test that anybody can read.

The encoding is that of the runtime's `protocol`; it is read here without numpy. Floating
arrays and scalars are written in the format in which the code failed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

TAG = "$"
_NUMPY = {"f": "float", "i": "int", "u": "uint", "c": "complex"}


class Unwritable(ValueError):
    """A value that cannot be written as source."""


def source(data: Any, form: str) -> str:
    """The expression for an encoded value.

    Parameters
    ----------
    data : Any
    form : str
        Format of its floating-point numbers: ``"float32"``.

    Raises
    ------
    Unwritable
    """
    if isinstance(data, list):
        return f"[{', '.join(source(item, form) for item in data)}]"
    if not isinstance(data, Mapping):
        return repr(data)
    if TAG not in data:
        return f"{{{', '.join(f'{key!r}: {source(item, form)}' for key, item in data.items())}}}"
    kind = data[TAG]
    if kind == "float":
        return _number(float(data["value"]))
    if kind == "int":
        return str(data["hex"])
    if kind in ("tuple", "set", "frozenset"):
        items = ", ".join(source(item, form) for item in data["items"])
        return f"({items},)" if kind == "tuple" else f"{kind}([{items}])"
    if kind in ("range", "slice"):
        return f"{kind}({', '.join(source(item, form) for item in data['items'])})"
    if kind in ("array", "scalar", "matrix"):
        return _array(data, form)
    if kind == "tensor":
        gradient = ", requires_grad=True" if data["gradient"] else ""
        dtype = form if str(data["dtype"]).startswith(("float", "bfloat")) else data["dtype"]
        return f"torch.tensor({_values(data['array'])}, dtype=torch.{dtype}{gradient})"
    raise Unwritable(f"a value of the kind {kind!r}")


def _array(data: Mapping[str, Any], form: str) -> str:
    code = str(data["dtype"]).lstrip("<>|=")
    if code == "bfloat16" or (code[0] == "f" and form == "bfloat16"):
        raise Unwritable("bfloat16, which numpy does not have")
    if code[0] == "f":
        dtype = f"np.{form or 'float64'}"
    elif code == "b1":
        dtype = "bool"
    elif code[0] in _NUMPY:
        dtype = f"np.{_NUMPY[code[0]]}{8 * int(code[1:])}"
    else:
        raise Unwritable(f"an array of {data['dtype']}")
    if data[TAG] == "scalar" and "values" in data:
        return f"{dtype}({_number(data['values'][0])})"
    shape = tuple(data["shape"])
    if "values" in data:
        return f"np.array({_values(data)}, dtype={dtype})" if all(shape) else f"np.empty({shape}, dtype={dtype})"
    flat = f'np.frombuffer(base64.b64decode("{data["data"]}"), dtype="{data["dtype"]}")'
    order = f', order="{data["order"]}"' if "order" in data else ""
    return f"{flat}.reshape({shape}{order}).astype({dtype})"


def _values(data: Mapping[str, Any]) -> str:
    if "values" not in data:
        raise Unwritable("a large tensor")
    shape = list(data["shape"])
    strides = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    if data.get("order") == "F":
        strides = [math.prod(shape[:axis]) for axis in range(len(shape))]
    return _nested(data["values"], shape, strides, 0)


def _nested(values: Sequence[Any], shape: list[int], strides: list[int], start: int) -> str:
    if not shape:
        return _number(values[start])
    rows = (_nested(values, shape[1:], strides[1:], start + row * strides[0]) for row in range(shape[0]))
    return f"[{', '.join(rows)}]"


def _number(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value!r}")'
    return repr(value)
