"""Floating-point formats: their limits, and which one a value has.

Limits follow from IEEE 754 (and bfloat16's eight exponent bits); they are what the
thresholds in messages are made of.
"""

from __future__ import annotations

from typing import NamedTuple

from numlint.graph.value import Value


class Format(NamedTuple):
    """A floating-point format.

    Attributes
    ----------
    name : str
    eps : float
        Spacing at 1.
    tiny : float
        Least positive subnormal number; smaller ones round to zero.
    largest : float
    exp_overflow : float
        exp(x) is infinite above.
    exp_underflow : float
        exp(x) is zero below.
    """

    name: str
    eps: float
    tiny: float
    largest: float
    exp_overflow: float
    exp_underflow: float


FLOAT64 = Format("float64", 2.220446049250313e-16, 5e-324, 1.797e308, 709.78, -745.1)
FLOAT32 = Format("float32", 1.1920929e-07, 1.4e-45, 3.403e38, 88.72, -103.97)
FLOAT16 = Format("float16", 9.765625e-4, 5.96e-8, 65504.0, 11.09, -17.3)
BFLOAT16 = Format("bfloat16", 7.8125e-3, 9.2e-41, 3.39e38, 88.72, -92.9)
FORMATS = {item.name: item for item in (FLOAT64, FLOAT32, FLOAT16, BFLOAT16)}

_DEFAULT = {"torch": FLOAT32, "tensorflow": FLOAT32, "jax": FLOAT32, "mxnet": FLOAT32, "theano": FLOAT32}


_UNTYPED = frozenset(
    "const param unknown call attr name enumerate zip draw lt le eq ne self ref function class".split()
)
_FIRST_ONLY = frozenset("index element view transpose sum mean clip store take".split())


def dtype_of(value: Value) -> str:
    """Dtype that a value certainly has, or ``""``."""
    if value.dtype is None:
        value.dtype = ""  # while it is being computed
        value.dtype = _dtype(value)
    return value.dtype


def _dtype(value: Value) -> str:
    if value.op == "cast":
        return str(value.attr("dtype"))
    declared = value.attr("dtype")
    if isinstance(declared, str) and value.op in ("zeros", "ones", "full", "empty", "eye"):
        return declared
    if value.framework == "python" and value.op != "view":
        return "float64"
    if value.op in _UNTYPED:
        return ""
    operands = value.args[:1] if value.op in _FIRST_ONLY else value.args
    found = {dtype_of(argument) for argument in operands if argument.op != "const"}
    if len(found) == 1:
        return found.pop()
    return "float64" if "float64" in found else ""


def working_format(value: Value, framework: str = "") -> Format:
    """Format that a value is computed in: its dtype where known, else the default of its framework."""
    known = FORMATS.get(dtype_of(value))
    return known or _DEFAULT.get(framework or value.framework, FLOAT64)


def formats_of(framework: str) -> tuple[Format, ...]:
    """Formats that matter in a framework, the usual one first."""
    return (FLOAT32, FLOAT16) if framework in _DEFAULT else (FLOAT64, FLOAT32, FLOAT16)


def exp_thresholds(framework: str, sign: str = "") -> str:
    """Sentence on where exp overflows, for the formats that matter in a framework."""
    return ", ".join(f"{item.name} from {sign}{item.exp_overflow:.1f}" for item in formats_of(framework))
