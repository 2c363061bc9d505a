"""Transfer functions: the range of an operation from the ranges of its operands.

One entry per operation of the vocabulary. An operation without an entry has the
unknown range. Thresholds are those of float64, in which the analysis computes;
rules ask `numlint.facts.precision` for the other formats.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from numlint.facts.range import (
    COUNT,
    INF,
    NONNEGATIVE,
    SIGNED_UNIT,
    TOP,
    UNIT,
    Range,
    absolute,
    add,
    div,
    maximum,
    minimum,
    mul,
    neg,
    square,
    sub,
)
from numlint.graph.value import Value

Transfer = Callable[[Value, list[Range]], Range]


def _monotone(function: Callable[[float], float], lowest: float = -INF, highest: float = INF) -> Transfer:
    """Range of an increasing function, clipped to its image; outside its domain it is nan."""

    def transfer(value: Value, ranges: list[Range]) -> Range:
        x = ranges[0]
        lo = max(_apply(function, x.lo, lowest), lowest)
        hi = min(_apply(function, x.hi, highest), highest)
        widened = Range(lo, hi, nan=x.nan).widen()
        return Range(max(widened.lo, lowest), min(widened.hi, highest), nan=x.nan)

    return transfer


def _apply(function: Callable[[float], float], x: float, default: float) -> float:
    try:
        return function(x)
    except OverflowError:
        return INF
    except ValueError:
        return default


def _exp_bound(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return INF


def _exp(value: Value, ranges: list[Range]) -> Range:
    x = ranges[0]
    result = Range(_exp_bound(x.lo), _exp_bound(x.hi), nan=x.nan).widen()
    hi = 1.0 if x.hi == 0 else result.hi
    return Range(max(result.lo, 0.0), hi, nan=x.nan, nonzero=result.lo > 0)


def _expm1(value: Value, ranges: list[Range]) -> Range:
    x = ranges[0]
    lo = -1.0 if x.lo == -INF else math.expm1(min(x.lo, 709.0))
    hi = INF if x.hi > 709.7 else math.expm1(x.hi)
    widened = Range(lo, hi).widen()
    return Range(max(widened.lo, -1.0), widened.hi, nan=x.nan, nonzero=not x.can_be_zero and (x.lo > 0 or x.hi < 0))


def _log(base: float = math.e) -> Transfer:
    scale = math.log(base)

    def transfer(value: Value, ranges: list[Range]) -> Range:
        x = ranges[0]
        negative = x.lo < 0
        lo = -INF if x.lo <= 0 else INF if x.lo == INF else math.log(x.lo) / scale
        hi = INF if x.hi == INF else -INF if x.hi <= 0 else math.log(x.hi) / scale
        widened = Range(lo, hi).widen()
        if x.lo == 1:
            widened = widened._replace(lo=0.0)
        if x.hi == 1:
            widened = widened._replace(hi=0.0)
        if x.positive and x.lo == 0 and lo == -INF:
            widened = widened._replace(lo=-1100.0)  # log of the least subnormal is -744.4, log2 of it -1074
        return widened._replace(nan=x.nan or negative)

    return transfer


def _log1p(value: Value, ranges: list[Range]) -> Range:
    x = ranges[0]
    lo = -INF if x.lo <= -1 else INF if x.lo == INF else math.log1p(x.lo)
    hi = INF if x.hi == INF else -INF if x.hi <= -1 else math.log1p(x.hi)
    widened = Range(lo, hi).widen()
    nonzero = x.lo > 0 or x.hi < 0
    return widened._replace(nan=x.nan or x.lo < -1, nonzero=nonzero)


def _sqrt(value: Value, ranges: list[Range]) -> Range:
    x = ranges[0]
    lo = math.sqrt(x.lo) if x.lo > 0 else 0.0
    hi = math.sqrt(x.hi) if x.hi > 0 else 0.0
    positive = not x.can_be_zero and x.lo >= 0
    return Range(lo, hi, positive and lo == 0, False, positive, x.nan or x.lo < 0)


def _pow(value: Value, ranges: list[Range]) -> Range:
    base, exponent = ranges[0], ranges[1] if len(ranges) > 1 else TOP
    power = value.args[1].number if len(value.args) > 1 else None
    if power is not None and power == int(power) and power % 2 == 0 and power > 0:
        magnitude = absolute(base)
        return _power_bounds(magnitude, power)._replace(integer=base.integer, nan=base.nan)
    if base.lo >= 0 and exponent.lo >= 0 and base.hi <= 1:
        lo = 0.0 if exponent.hi == INF or base.lo == 0 else _power(base.lo, exponent.hi)
        return Range(lo, 1.0, nan=base.nan or exponent.nan).widen()._replace(lo=max(0.0, lo * (1 - 1e-15)), hi=1.0)
    if base.lo >= 0:
        if power is not None and power > 0:
            return _power_bounds(base, power)._replace(nan=base.nan)
        if base.lo >= 1 and exponent.lo >= 0:
            return Range(1.0, INF, nan=base.nan or exponent.nan, nonzero=True)
        return NONNEGATIVE
    return TOP


def _power(base: float, exponent: float) -> float:
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return INF
    except ValueError:
        return 0.0


def _power_bounds(base: Range, power: float) -> Range:
    result = Range(_power(base.lo, power), _power(base.hi, power)).widen()
    lo = max(result.lo, 0.0)
    return Range(lo, result.hi, nan=False, nonzero=lo > 0)


def _clip(value: Value, ranges: list[Range]) -> Range:
    x = ranges[0]
    bounds = [
        argument if argument.op != "const" or argument.constant is not None else None for argument in value.args[1:3]
    ]
    result = x
    if len(bounds) > 0 and bounds[0] is not None:
        result = maximum(result, ranges[1]._replace(nan=False))
    if len(bounds) > 1 and bounds[1] is not None:
        result = minimum(result, ranges[2]._replace(nan=False))
    nonzero = result.nonzero or result.lo > 0 or result.hi < 0
    return result._replace(nan=x.nan, nonzero=nonzero)


def _same(value: Value, ranges: list[Range]) -> Range:
    return ranges[0] if ranges else TOP


def _hull(value: Value, ranges: list[Range]) -> Range:
    if not ranges:
        return TOP
    result = ranges[0]
    for other in ranges[1:]:
        result = result.join(other)
    return result


def _sum(value: Value, ranges: list[Range]) -> Range:
    x = ranges[0]
    # The sum may have no term, or many: only the sign survives.
    lo = 0.0 if x.lo >= 0 else -INF
    hi = 0.0 if x.hi <= 0 else INF
    return Range(lo, hi, nan=x.nan or x.lo == -INF or x.hi == INF, integer=x.integer)


def _mean(value: Value, ranges: list[Range]) -> Range:
    x = ranges[0].widen()  # the mean of equal numbers may be off by some ulps
    relative = 1e-12
    lo = x.lo if x.lo in (0.0, -INF) else x.lo - abs(x.lo) * relative
    hi = x.hi if x.hi in (0.0, INF) else x.hi + abs(x.hi) * relative
    positive = x.lo > 0
    return Range(lo, hi, nonzero=positive and lo > 0)


def _prod(value: Value, ranges: list[Range]) -> Range:
    x = ranges[0]
    if x.lo >= 0 and x.hi <= 1:
        return Range(0.0, 1.0, nan=x.nan)
    if x.lo >= 1:
        return Range(1.0, INF, nan=x.nan, nonzero=True, integer=x.integer)
    if x.integer:
        return Range(0.0 if x.lo >= 0 else -INF, INF, nan=x.nan, integer=True, nonzero=not x.can_be_zero)
    return Range(0.0, INF) if x.lo >= 0 else TOP


def _extreme(value: Value, ranges: list[Range]) -> Range:
    return ranges[0]._replace(lo_open=ranges[0].lo_open, hi_open=ranges[0].hi_open)


def _where(value: Value, ranges: list[Range]) -> Range:
    return ranges[1].join(ranges[2]) if len(ranges) > 2 else TOP


def _logistic(x: float) -> float:
    if abs(x) > 700:
        return 0.0 if x < 0 else 1.0
    return 1.0 / (1.0 + math.exp(-x))


def _sigmoid(value: Value, ranges: list[Range]) -> Range:
    x = ranges[0]
    result = Range(_logistic(x.lo), _logistic(x.hi)).widen()
    lo, hi = max(result.lo, 0.0), min(result.hi, 1.0)
    return Range(lo, hi, nan=x.nan, nonzero=lo > 0)


def _softplus(value: Value, ranges: list[Range]) -> Range:
    x = ranges[0]
    lo = max(0.0, x.lo) if x.lo > -700 else 0.0
    positive = x.lo > -700
    return Range(
        lo, INF if x.hi == INF else max(x.hi, 0.0) + 0.6932, nan=x.nan, nonzero=positive, lo_open=positive and lo == 0
    )


def _matmul(value: Value, ranges: list[Range]) -> Range:
    if len(ranges) < 2:
        return TOP
    a, b = ranges[0], ranges[1]
    left, right = value.args[0], value.args[1]
    if left is right and left.op not in ("transpose", "index"):
        # dot(v, v) of a vector is a sum of squares; of a matrix it is not, and then its sign is unknown.
        return TOP
    if a.lo >= 0 and b.lo >= 0:
        return Range(0.0, INF)
    return TOP


def _element(value: Value, ranges: list[Range]) -> Range:
    inner = value.args[0]
    if inner.op == "enumerate":
        return COUNT
    if inner.op == "arange":
        return ranges[0]
    return ranges[0] if inner.op not in ("unknown", "attr") else TOP


def _arange(value: Value, ranges: list[Range]) -> Range:
    integer = all(r.integer for r in ranges)
    if len(ranges) == 1:
        return Range(0.0, max(0.0, ranges[0].hi - 1 if integer else ranges[0].hi), nan=False, integer=integer)
    if len(ranges) >= 2:
        step = ranges[2] if len(ranges) > 2 else Range(1.0, 1.0, nan=False, nonzero=True)
        if step.lo > 0:
            return Range(
                ranges[0].lo, max(ranges[0].lo, ranges[1].hi), nan=False, integer=integer, nonzero=ranges[0].lo > 0
            )
        low = min(ranges[0].lo, ranges[1].lo)
        return Range(low, max(ranges[0].hi, ranges[1].hi), nan=False, integer=integer)
    return TOP


def _softmax(value: Value, ranges: list[Range]) -> Range:
    x = ranges[0] if ranges else TOP
    return Range(0.0, 1.0, nan=True, nonzero=x.hi - x.lo < 700.0)  # at least exp(lo - hi) / n


def _fixed(range_: Range) -> Transfer:
    return lambda value, ranges: range_


def _draw(value: Value, ranges: list[Range]) -> Range:
    return Range(0.0, 1.0, hi_open=True, nan=False) if value.attr("unit") else TOP


def _variance(value: Value, ranges: list[Range]) -> Range:
    return NONNEGATIVE


def _log_sum_exp(value: Value, ranges: list[Range]) -> Range:
    return TOP


def _tanh(value: Value, ranges: list[Range]) -> Range:
    x = ranges[0]
    lo = -1.0 if x.lo == -INF else math.tanh(x.lo)
    hi = 1.0 if x.hi == INF else math.tanh(x.hi)
    widened = Range(lo, hi).widen()
    return Range(max(widened.lo, -1.0), min(widened.hi, 1.0), nan=x.nan, nonzero=x.lo > 0 or x.hi < 0)


LARGEST = {"float16": 65504.0, "bfloat16": 3.3895313892515355e38, "float32": 3.4028234663852886e38}
"""Largest number of the formats narrower than float64."""


def _finfo(value: Value, ranges: list[Range]) -> Range:
    if value.attr("field") in ("eps", "epsneg", "resolution"):  # from float64 to bfloat16
        return Range(1.1e-16, 0.01, nan=False, nonzero=True)
    if value.attr("field") in ("tiny", "smallest_normal", "smallest_subnormal"):
        return Range(
            2.2e-308 if value.attr("field") != "smallest_subnormal" else 4.9e-324, 1e-4, nan=False, nonzero=True
        )
    if value.attr("field") == "max":
        return Range(65504.0, LARGEST.get(str(value.attr("dtype")), 1.7976931348623157e308), nan=False, nonzero=True)
    return TOP


def _two(function: Callable[[Range, Range], Range]) -> Transfer:
    return lambda value, ranges: function(ranges[0], ranges[1]) if len(ranges) > 1 else TOP


TRANSFER: dict[str, Transfer] = {
    "add": _two(add),
    "sub": _two(sub),
    "mul": _two(mul),
    "div": _two(div),
    "neg": lambda value, ranges: neg(ranges[0]),
    "square": lambda value, ranges: square(ranges[0]),
    "abs": lambda value, ranges: absolute(ranges[0]),
    "maximum": _two(maximum),
    "minimum": _two(minimum),
    "pow": _pow,
    "exp": _exp,
    "exp2": _monotone(lambda x: 0.0 if x == -INF else 2.0**x if x < 1024 else INF, 0.0),
    "expm1": _expm1,
    "log": _log(),
    "log2": _log(2.0),
    "log10": _log(10.0),
    "log1p": _log1p,
    "sqrt": _sqrt,
    "cbrt": _monotone(lambda x: math.copysign(abs(x) ** (1 / 3), x)),
    "sigmoid": _sigmoid,
    "logsigmoid": _fixed(Range(-INF, 0.0)),
    "softplus": _softplus,
    "relu": lambda value, ranges: maximum(ranges[0], Range(0.0, 0.0, nan=False)),
    "softmax": _softmax,
    "log_softmax": _fixed(Range(-INF, 0.0)),
    "tanh": _tanh,
    "sin": _fixed(SIGNED_UNIT),
    "cos": _fixed(SIGNED_UNIT),
    "arctan": _fixed(Range(-1.5708, 1.5708)),
    "arctan2": _fixed(Range(-3.1416, 3.1416)),
    "arccos": _fixed(Range(0.0, 3.1416)),
    "arcsin": _fixed(Range(-1.5708, 1.5708)),
    "cosh": _fixed(Range(1.0 - 1e-15, INF)),
    "erf": _fixed(SIGNED_UNIT),
    "erfc": _fixed(Range(0.0, 2.0)),
    "sign": _fixed(SIGNED_UNIT),
    "hypot": _fixed(NONNEGATIVE),
    "norm": _fixed(NONNEGATIVE),
    "var": _variance,
    "std": _variance,
    "ptp": _fixed(NONNEGATIVE),
    "pdf": _fixed(NONNEGATIVE),
    "cdf": _fixed(UNIT),
    "sf": _fixed(UNIT),
    "logpdf": _fixed(TOP),
    "entr": _fixed(TOP),
    "cdist": _fixed(NONNEGATIVE),
    "pdist": _fixed(NONNEGATIVE),
    "len": _fixed(COUNT),
    "count_nonzero": _fixed(COUNT),
    "bincount": _fixed(Range(0.0, INF)),
    "argmax": _fixed(COUNT),
    "argmin": _fixed(COUNT),
    "matrix_rank": _fixed(COUNT),
    "mse": _fixed(NONNEGATIVE),
    "bce": _fixed(NONNEGATIVE),
    "clip": _clip,
    "where": _where,
    "phi": _where,
    "join": _hull,
    "list": _hull,
    "tuple": _hull,
    "joined": _hull,
    "appended": _hull,
    "comprehension": _same,
    "element": _element,
    "view": _same,
    "transpose": _same,
    "index": _same,
    "take": _same,
    "split": _same,
    "triangle": lambda value, ranges: ranges[0].join(Range(0.0, 0.0, nan=False)),
    "diag": lambda value, ranges: ranges[0].join(Range(0.0, 0.0, nan=False)),
    "round": lambda value, ranges: ranges[0] if ranges[0].integer else ranges[0]._replace(
        lo=math.floor(ranges[0].lo) if ranges[0].lo > -INF else -INF,
        hi=math.ceil(ranges[0].hi) if ranges[0].hi < INF else INF,
        lo_open=False, hi_open=False, nonzero=ranges[0].lo >= 1 or ranges[0].hi <= -1,
    ),
    "sum": _sum,
    "mean": _mean,
    "median": _mean,
    "prod": _prod,
    "max": _extreme,
    "min": _extreme,
    "cumsum": _sum,
    "cumprod": _prod,
    "matmul": _matmul,
    "outer": _two(mul),
    "arange": _arange,
    "linspace": _hull,
    "zeros": _fixed(Range(0.0, 0.0, nan=False)),
    "ones": _fixed(Range(1.0, 1.0, nan=False, nonzero=True)),
    "full": _same,
    "eye": _fixed(Range(0.0, 1.0, nan=False)),
    "isnan": _fixed(Range(0.0, 1.0, nan=False, integer=True)),
    "draw": _draw,
    "finfo": _finfo,
    "gamma": _fixed(TOP),
    "store": lambda value, ranges: ranges[0].join(ranges[2]),
    "nan_to_num": lambda value, ranges: (
        ranges[0].join(Range(0.0, 0.0)) if ranges[0].nan else ranges[0]
    )._replace(nan=False),
    "normalize": _fixed(SIGNED_UNIT),
    "shape": _fixed(COUNT),
    "call": _fixed(TOP),
}  # fmt: skip
