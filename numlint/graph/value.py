"""Hash-consed values: the nodes of the expression graph.

Every value is an operation of the canonical vocabulary applied to values. Equal
values are one object, so that "the same `z` in numerator and denominator" is
``is``. Construction canonicalises what mathematics considers the same: operands
of commutative operations are ordered, ``x*x`` and ``x**2`` are ``square(x)``,
``x**0.5`` is ``sqrt(x)``, ``a > b`` is ``lt(b, a)``, ``np.e ** x`` is ``exp(x)``,
and arithmetic of literals is folded.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Hashable, Iterator
from typing import Any

Attrs = tuple[tuple[str, Hashable], ...]

COMMUTATIVE = frozenset({"add", "mul", "eq", "ne", "maximum", "minimum", "logaddexp", "hypot"})
LAYOUT = frozenset({"view", "transpose", "cast"})
"""Operations whose result has the same elements in another layout or dtype."""

_FOLD: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "floordiv": operator.floordiv,
    "pow": operator.pow,
}


class Value:
    """One operation applied to values.

    Attributes
    ----------
    op : str
        Canonical operation, such as ``"exp"``.
    args : tuple of Value
    attrs : tuple of (str, hashable)
        What is not a value: the constant, a name, an axis, a dtype.
    id : int
        Order of creation within the graph.
    framework : str
        Library through which it was first computed: ``"numpy"``, ``"torch"``, ... or ``""``.
    dtype : str or None
        Dtype as found by `numlint.facts.precision.dtype_of`, None before it was asked.
    """

    __slots__ = ("args", "attrs", "dtype", "framework", "id", "op")
    __match_args__ = ("op", "args")

    def __init__(self, op: str, args: tuple[Value, ...], attrs: Attrs, number: int, framework: str) -> None:
        self.op = op
        self.args = args
        self.attrs = attrs
        self.id = number
        self.framework = framework
        self.dtype: str | None = None

    def attr(self, name: str, default: Any = None) -> Any:
        """Return the attribute `name`."""
        for key, value in self.attrs:
            if key == name:
                return value
        return default

    @property
    def constant(self) -> Any:
        """Python object of a literal, else None."""
        return self.attrs[0][1] if self.op == "const" else None

    @property
    def number(self) -> float | None:
        """Value of a numeric literal, else None."""
        if self.op == "const":
            literal = self.attrs[0][1]
            if isinstance(literal, (int, float)):
                try:
                    return float(literal)
                except OverflowError:
                    return math.inf if literal > 0 else -math.inf
        return None

    @property
    def core(self) -> Value:
        """Strip layout: the value with the same elements before reshape, transpose, cast, copy."""
        value = self
        while value.op in LAYOUT:
            value = value.args[0]
        return value

    def walk(self, limit: int = 4000) -> Iterator[Value]:
        """Iterate over this value and all that it is computed from, each once, nearest first."""
        seen = {self.id}
        queue = [self]
        for value in queue:
            yield value
            for argument in value.args:
                if argument.id not in seen and len(seen) < limit:
                    seen.add(argument.id)
                    queue.append(argument)

    def __repr__(self) -> str:
        if self.op == "const":
            return repr(self.constant)
        if self.op in ("param", "ref", "attr"):
            name = str(self.attr("name"))
            return f"{self.args[0]!r}.{name}" if self.op == "attr" and self.args else name
        if len(self.args) > 6:
            return f"{self.op}(<{len(self.args)}>)"
        return f"{self.op}({', '.join(map(repr, self.args))})"


class Graph:
    """Creates and interns values."""

    def __init__(self) -> None:
        self._values: dict[tuple[Hashable, ...], Value] = {}
        self._fresh = 0

    def const(self, literal: Hashable) -> Value:
        """Value of a literal; ``1``, ``1.0`` and ``True`` differ."""
        key = ("const", type(literal).__name__, repr(literal) if isinstance(literal, float) else literal)
        value = self._values.get(key)
        if value is None:
            value = Value("const", (), (("value", literal),), len(self._values), "")
            self._values[key] = value
        return value

    def fresh(self, op: str, *args: Value, **attrs: Hashable) -> Value:
        """Value that equals no other: unknown results, random draws, loop-carried names."""
        self._fresh += 1
        return self.raw(op, args, (*attrs.items(), ("fresh", self._fresh)))

    def raw(self, op: str, args: tuple[Value, ...] = (), attrs: Attrs = (), framework: str = "") -> Value:
        """Intern without canonicalising."""
        key = (op, *[argument.id for argument in args], attrs)
        value = self._values.get(key)
        if value is None:
            value = Value(op, args, attrs, len(self._values), framework)
            self._values[key] = value
        return value

    def make(self, op: str, args: tuple[Value, ...] = (), attrs: Attrs = (), framework: str = "") -> Value:
        """Return the canonical value of `op` applied to `args`."""
        rule = _CANONICAL.get(op)
        if rule is not None:
            value = rule(self, args)
            if value is not None:
                return value
        if op in COMMUTATIVE and len(args) == 2 and args[0].id > args[1].id:
            args = (args[1], args[0])
        return self.raw(op, args, attrs, framework)

    def fold(self, op: str, args: tuple[Value, ...]) -> Value | None:
        """Arithmetic of two literals."""
        if len(args) != 2 or args[0].op != "const" or args[1].op != "const":
            return None
        left, right = args[0].constant, args[1].constant
        if not isinstance(left, (int, float)) or not isinstance(right, (int, float)):
            return None
        if op == "pow" and (abs(right) > 64 or (abs(left) > 1e6 and abs(right) > 16)):
            left, right = float(left), float(right)
        try:
            result = _FOLD[op](left, right)
        except (ArithmeticError, ValueError):
            return None
        return self.const(result) if isinstance(result, (int, float)) else None


Canonical = Callable[[Graph, tuple[Value, ...]], "Value | None"]


def _add(graph: Graph, args: tuple[Value, ...]) -> Value | None:
    folded = graph.fold("add", args)
    if folded is not None or len(args) != 2:
        return folded
    left, right = args
    if right.op == "neg":
        return graph.make("sub", (left, right.args[0]))
    if left.op == "neg":
        return graph.make("sub", (right, left.args[0]))
    if left.number == 0:
        return right
    if right.number == 0:
        return left
    return None


def _sub(graph: Graph, args: tuple[Value, ...]) -> Value | None:
    folded = graph.fold("sub", args)
    if folded is not None or len(args) != 2:
        return folded
    if args[0].number == 0:
        return graph.make("neg", (args[1],))
    if args[1].number == 0:
        return args[0]
    if args[1].op == "neg":
        return graph.make("add", (args[0], args[1].args[0]))
    if (number := args[1].number) is not None and number < 0:
        return graph.make("add", (args[0], graph.const(-args[1].constant)))
    return None


def _mul(graph: Graph, args: tuple[Value, ...]) -> Value | None:
    folded = graph.fold("mul", args)
    if folded is not None or len(args) != 2:
        return folded
    left, right = args
    if left is right and left.op not in ("draw", "unknown"):
        return graph.make("square", (left,))
    for one, other in ((left, right), (right, left)):
        if one.number == 1:
            return other
        if one.number == -1:
            return graph.make("neg", (other,))
    if left.op == "neg" and right.op == "neg":
        return graph.make("mul", (left.args[0], right.args[0]))
    if left.op == "neg":
        return graph.make("neg", (graph.make("mul", (left.args[0], right)),))
    if right.op == "neg":
        return graph.make("neg", (graph.make("mul", (left, right.args[0])),))
    return None


def _div(graph: Graph, args: tuple[Value, ...]) -> Value | None:
    folded = graph.fold("div", args)
    if folded is not None or len(args) != 2:
        return folded
    if args[1].number == 1:
        return args[0]
    if args[0].op == "neg":
        return graph.make("neg", (graph.make("div", (args[0].args[0], args[1])),))
    return None


def _neg(graph: Graph, args: tuple[Value, ...]) -> Value | None:
    inner = args[0]
    if inner.op == "neg":
        return inner.args[0]
    if isinstance(inner.constant, (int, float)) and not isinstance(inner.constant, bool):
        return graph.const(-inner.constant)
    if inner.op == "sub":
        return graph.make("sub", (inner.args[1], inner.args[0]))
    return None


def _pow(graph: Graph, args: tuple[Value, ...]) -> Value | None:
    if len(args) != 2:
        return None
    base, exponent = args
    if base.number is not None and abs(base.number - math.e) < 1e-4:
        return graph.make("exp", (exponent,))
    power = exponent.number
    if power is None:
        return None
    folded = graph.fold("pow", args)
    if folded is not None:
        return folded
    if power == 1:
        return base
    if power == 2:
        return graph.make("square", (base,))
    if power == 0.5:
        return graph.make("sqrt", (base,))
    if power < 0:
        positive = graph.make("pow", (base, graph.const(-exponent.constant)))
        return graph.make("div", (graph.const(1), positive))
    return None


def _swap(name: str) -> Canonical:
    return lambda graph, args: graph.make(name, (args[1], args[0])) if len(args) == 2 else None


def _reciprocal_of(name: str) -> Canonical:
    def rewrite(graph: Graph, args: tuple[Value, ...]) -> Value | None:
        inner = graph.make(name, args[:1]) if name else args[0]
        return graph.make("div", (graph.const(1), inner))

    return rewrite


def _involution(name: str) -> Canonical:
    return lambda _graph, args: args[0].args[0] if len(args) == 1 and args[0].op == name else None


def _not(graph: Graph, args: tuple[Value, ...]) -> Value | None:
    inner = args[0]
    opposite = {"eq": "ne", "ne": "eq"}.get(inner.op)
    if opposite:
        return graph.make(opposite, inner.args)
    return inner.args[0] if inner.op == "not" else None


_CANONICAL: dict[str, Canonical] = {
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "div": _div,
    "neg": _neg,
    "pow": _pow,
    "not": _not,
    "gt": _swap("lt"),
    "ge": _swap("le"),
    "rsqrt": _reciprocal_of("sqrt"),
    "reciprocal": _reciprocal_of(""),
    "transpose": _involution("transpose"),
    "floordiv": lambda graph, args: graph.fold("floordiv", args),
}
