"""The facts are sound: whatever a program computes lies in the range that was inferred for it.

Programs are drawn at random over the vocabulary, as source text in static single
assignment, with guards, masks, branches and loops; they are run by numpy on random
inputs, extreme ones included, and every intermediate value is compared with its range.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from numlint.facts.range import Range
from numlint.function import Function
from numlint.graph.frame import Analysis
from numlint.graph.lowering import lower_function
from numlint.graph.module import Module

UNARY = (
    "np.exp({0})",
    "np.log({0})",
    "np.log1p({0})",
    "np.expm1({0})",
    "np.sqrt({0})",
    "np.abs({0})",
    "-{0}",
    "{0} ** 2",
    "{0} ** 3",
    "{0} * {0}",
    "1 - {0}",
    "1 + {0}",
    "1 / {0}",
    "{0} / 2",
    "np.tanh({0})",
    "np.sin({0})",
    "np.arctan({0})",
    "scipy.special.expit({0})",
    "scipy.special.softmax({0})",
    "np.exp2({0})",
    "np.log2({0})",
    "np.cbrt({0})",
    "np.square({0})",
    "np.maximum({0}, 0)",
    "np.maximum({0}, 1e-12)",
    "np.minimum({0}, 5.0)",
    "np.clip({0}, 1e-7, 1 - 1e-7)",
    "np.clip({0}, -3, None)",
    "{0} - np.max({0})",
    "{0} - {0}.min()",
    "np.exp({0} - np.max({0}))",
    "{0}.max() - {0}.min()",
    "np.sum({0})",
    "{0}.mean()",
    "np.var({0})",
    "{0}.std() + 1e-8",
    "np.prod({0})",
    "np.cumsum({0})",
    "np.linalg.norm({0})",
    "{0} / np.linalg.norm({0})",
    "{0} / {0}.sum()",
    "np.abs({0}) / np.abs({0}).sum()",
    "np.exp({0}) / (1 + np.exp({0}))",
    "np.where({0} > 0, {0}, 1.0)",
    "np.where({0} == 0, 1.0, {0})",
    "np.where({0} < -1, -{0}, {0} + 1)",
    "np.nan_to_num({0})",
    "{0}.astype(np.float32)",
    "{0}[{0} > 0]",
    "np.isfinite({0})",
    "np.sign({0})",
    "np.reshape({0}, (-1,))",
    "np.round({0})",
)
BINARY = (
    "{0} + {1}",
    "{0} - {1}",
    "{0} * {1}",
    "{0} / {1}",
    "np.maximum({0}, {1})",
    "np.minimum({0}, {1})",
    "np.hypot({0}, {1})",
    "np.where({0} < {1}, {0}, {1})",
    "{0} / ({0} + {1})",
    "np.abs({0}) / (np.abs({0}) + np.abs({1}))",
)
BLOCKS = (
    "if np.all({0} > 0):\n        {n} = np.log({0})\n    else:\n        {n} = {0} * 0.0",
    "if np.any({0} == 0):\n        return locals(), False\n    {n} = 1 / np.abs({0})",
    "{n} = np.copy({0})\n    {n}[{n} == 0] = 1.0\n    {n} = 1 / {n}",
    "{n} = {0}\n    for _ in range(3):\n        {n} = {n} * 0.5 + 1",
    "{n} = 0.0\n    for item in {0}:\n        {n} += item ** 2",
    "{n} = 1\n    while {n} < 5:\n        {n} = {n} + 1",
    "{n} = 1.0\n    for item in {0}:\n        {n} *= np.exp(-np.abs(item))",
    "{n} = np.sum({0} > 0)\n    if {n} == 0:\n        return locals(), False\n    {n} = 1.0 / {n}",
)
NUMBERS = st.one_of(
    st.floats(width=64),
    st.floats(-10, 10),
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e-300, 1e300, 5e-324, 1e-17, math.inf, math.nan]),
    st.sampled_from([709.0, 710.0, -745.0, -746.0]),
)
ARRAYS = st.lists(NUMBERS, min_size=1, max_size=4).map(lambda items: np.array(items, dtype=np.float64))


@st.composite
def programs(draw: Callable[[Any], Any]) -> str:
    names = ["x", "y"]
    lines = ["import numpy as np", "import scipy.special", "def program(x, y):"]
    for number in range(draw(st.integers(1, 7))):
        new = f"v{number}"
        kind = draw(st.integers(0, 9))
        one, other = draw(st.sampled_from(names)), draw(st.sampled_from(names))
        if kind < 6:
            lines.append(f"    {new} = " + draw(st.sampled_from(UNARY)).format(one))
        elif kind < 8:
            lines.append(f"    {new} = " + draw(st.sampled_from(BINARY)).format(one, other))
        else:
            lines.append("    " + draw(st.sampled_from(BLOCKS)).format(one, n=new))
        names.append(new)
    lines.append("    return locals(), True")
    return "\n".join(lines) + "\n"


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(source=programs(), x=ARRAYS, y=ARRAYS)
def test_every_computed_value_lies_in_its_inferred_range(source: str, x: np.ndarray, y: np.ndarray) -> None:
    namespace: dict[str, Any] = {}
    exec(compile(source, "program", "exec"), namespace)
    with np.errstate(all="ignore"):
        try:
            values, to_the_end = namespace["program"](x.copy(), y.copy())
        except (ValueError, TypeError, ZeroDivisionError, IndexError, OverflowError, AttributeError):
            return  # shapes that do not broadcast, an index that does not fit
    module = Module(ast.parse(source), source)
    function = Function(lower_function(Analysis(module), module.definitions[0]))
    paths = [None, function.body.returns[-1].path] if to_the_end else [None]
    for name, value in function.body.env.items():
        single = name != "item"  # the loop variable is assigned anew after an early return
        for path in paths if single and values.get(name) is not None else ():
            known = function.facts.range(value, path)
            for item in np.atleast_1d(np.asarray(values[name], dtype=np.float64)).ravel():
                story = f"{name} = {item!r} is not in {known} of {value!r}\n{source}\n{x!r} {y!r}"
                assert _allows(known, float(item)), story


def _allows(known: Range, value: float) -> bool:
    """Whether a range holds a value; the sign of zero is not tracked, so that of a quotient by zero is open."""
    return known.contains(value) or (math.isinf(value) and known.contains(-value))
