"""Matrix products seen flat: the factors of ``X.T @ W @ X`` in any association and any spelling.

A transposition of a product is pushed down to its factors, ``(A @ B).T`` is the chain
``B.T, A.T``, so that a Gram matrix is a chain whose first and last factor are the
same value, transposed and not. Two- and three-operand `einsum` calls that spell a
product are chains too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from numlint.graph.terms import terms
from numlint.graph.value import LAYOUT, Value

MAX_FACTORS = 24
PRODUCTS = frozenset({"matmul", "multi_dot", "einsum"})
SMALL = 4
"""Order up to which a matrix whose size the code says is taken to be harmless: a camera, a pose."""


class Factor(NamedTuple):
    """A factor of a matrix product.

    Attributes
    ----------
    value : Value
        Without layout: two factors hold the same matrix when these are one object.
    transposed : bool
        Whether the factor is the transpose of `value`.
    operand : Value
        As it stands in the source.
    flipped : bool
        Whether a transposition of the whole product still applies to `operand`.
    """

    value: Value
    transposed: bool
    operand: Value
    flipped: bool


class Gram(NamedTuple):
    """A matrix ``X.T @ W @ X``, possibly scaled, possibly with something added.

    Attributes
    ----------
    design : Value
        ``X``, without layout.
    transposed : bool
        Whether `design` is the transpose of ``X``: the chain begins with `design` itself.
    weighted : bool
    matrix : Value
        The product itself, without what is added.
    added : tuple of Value
        Other summands, such as ``lam * eye(n)``.
    """

    design: Value
    transposed: bool
    weighted: bool
    matrix: Value
    added: tuple[Value, ...]


def plain(value: Value) -> tuple[Value, bool]:
    """Strip layout; also return whether what was stripped transposes."""
    transposed = False
    while value.op in LAYOUT:
        transposed ^= value.op == "transpose"
        value = value.args[0]
    return value, transposed


def chain(value: Value) -> tuple[Factor, ...]:
    """Return the factors of a matrix product, in order; a single factor when it is none."""
    found: list[Factor] = []
    _collect(value, False, found)
    return tuple(found)


def _collect(operand: Value, flip: bool, found: list[Factor]) -> None:
    value, own = plain(operand)
    transposed = flip != own
    parts = _operands(value) if len(found) < MAX_FACTORS else None
    if parts is None:
        found.append(Factor(value, transposed, operand, flip))
        return
    for part, turned in reversed(parts) if transposed else parts:
        _collect(part, turned != transposed, found)


def _operands(value: Value) -> list[tuple[Value, bool]] | None:
    """Return the operands of a product in order, each with whether it enters transposed; None for no product."""
    if value.op == "matmul" and len(value.args) == 2:
        return [(argument, False) for argument in value.args]
    if value.op == "multi_dot" and len(value.args) == 1 and value.args[0].op in ("list", "tuple"):
        return [(argument, False) for argument in value.args[0].args]
    if value.op == "einsum":
        return _path(value)
    return None


def _path(value: Value) -> list[tuple[Value, bool]] | None:
    """Order the operands of an `einsum` as a product: from letter to letter, from the first of the result to its last.

    A vector that shares the contracted letter, as ``n`` in ``ni,n,nj->ij``, is a
    diagonal matrix between its neighbours.
    """
    subscripts = value.attr("subscripts")
    if not isinstance(subscripts, str) or subscripts.count("->") != 1:
        return None
    left, _, result = subscripts.replace(" ", "").replace("...", "").partition("->")
    letters = left.split(",")
    batch = {letter for letter in result if all(letter in item for item in letters)}
    result = "".join(letter for letter in result if letter not in batch)
    letters = ["".join(letter for letter in item if letter not in batch) for item in letters]
    if len(letters) != len(value.args) or not 0 < len(result) <= 2 or any(len(item) not in (1, 2) for item in letters):
        return None
    here, rest, path = result[0], dict(enumerate(letters)), []
    while rest:
        index = min((i for i, item in rest.items() if here in item), key=lambda i: (len(letters[i]), i), default=None)
        if index is None:
            return None
        item = rest.pop(index)
        path.append((value.args[index], len(item) == 2 and item[0] != here))
        if len(item) == 2:
            here = item[1] if item[0] == here else item[0]
    return path if len(result) == 1 or here == result[1] else None


def multiplicands(value: Value) -> Iterator[tuple[Value, bool]]:
    """Iterate over a value and its elementwise factors, ``w * X`` or ``X / s``, each with whether it is transposed."""
    stack = [plain(value)]
    while stack:
        inner, transposed = stack.pop()
        yield inner, transposed
        if inner.op in ("mul", "div", "neg"):
            for argument in inner.args:
                part, own = plain(argument)
                stack.append((part, own != transposed))


def gram(value: Value) -> Gram | None:
    """Read a value as ``X.T @ W @ X`` (or ``X @ W @ X.T``), scaled, and with other summands."""
    added: list[Value] = []
    found: Gram | None = None
    for term in terms(value):
        inner = unscaled(term.value)
        single = _single(inner) if found is None else None
        if single is None:
            added.append(term.value)
        else:
            found = single
    return found._replace(added=tuple(added)) if found is not None else None


def unscaled(value: Value) -> Value:
    """Strip ``/ n`` and ``2 *`` around a product."""
    inner = value.core
    while True:
        if inner.op == "div" and inner.args[0].core.op in (*PRODUCTS, "mul", "div"):
            inner = inner.args[0].core
        elif inner.op == "mul":
            matrices = [argument.core for argument in inner.args if argument.core.op in PRODUCTS]
            if len(matrices) != 1:
                return inner
            inner = matrices[0]
        else:
            return inner


def _single(value: Value) -> Gram | None:
    if value.op not in PRODUCTS:
        return None
    factors = chain(value)
    if len(factors) < 2:
        return None
    ends = [(part, flag != factors[0].flipped) for part, flag in multiplicands(factors[0].operand)]
    others = [(part, flag != factors[-1].flipped) for part, flag in multiplicands(factors[-1].operand)]
    for part, transposed in ends:
        if part.op != "const" and (part, not transposed) in others:
            weighted = len(factors) > 2 or _weighs(factors[0], part) or _weighs(factors[-1], part)
            return Gram(part, not transposed, weighted, value, ())
    return None


def _weighs(factor: Factor, design: Value) -> bool:
    """Whether a factor is more than a constant multiple of the design."""
    value = factor.value
    while value.op in ("mul", "div") and value is not design:
        rest = [plain(argument)[0] for argument in value.args if argument.core.op != "const"]
        if len(rest) != 1:
            return True
        value = rest[0]
    return value is not design


def holds(factor: Factor, design: Value) -> bool:
    """Whether a factor is a matrix or an elementwise multiple of it, transposed or not."""
    return any(inner is design for inner, _ in multiplicands(factor.value))


def powers(value: Value) -> Iterator[tuple[Value, float]]:
    """Iterate over the factors of a scalar expression with their exponents: roots, powers and quotients are followed.

    ``1 / sqrt(c * det)`` gives ``c`` and ``det`` with -0.5. An exponent that is not a
    literal counts as a fraction, 0.5, with the sign that is written.
    """
    stack = [(value.core, 1.0)]
    while stack:
        inner, exponent = stack.pop()
        if inner.op == "mul":
            stack.extend((argument.core, exponent) for argument in inner.args)
        elif inner.op == "div" and len(inner.args) == 2:
            stack.append((inner.args[0].core, exponent))
            stack.append((inner.args[1].core, -exponent))
        elif inner.op in ("neg", "abs", "item", "float"):
            stack.append((inner.args[0].core, exponent))
        elif inner.op in ("sqrt", "square"):
            stack.append((inner.args[0].core, exponent * (0.5 if inner.op == "sqrt" else 2.0)))
        elif inner.op == "pow" and len(inner.args) == 2:
            power = inner.args[1].core
            sign = -1.0 if power.op == "neg" else 1.0
            stack.append((inner.args[0].core, exponent * (power.number if power.number is not None else sign * 0.5)))
        else:
            yield inner, exponent


def order(value: Value, depth: int = 0) -> int | None:
    """Return the number of rows of a square matrix, where the code says it."""
    inner = value.core
    if depth > 12:
        return None
    if inner.op in ("list", "tuple"):
        rows = [argument.core for argument in inner.args]
        square = all(row.op in ("list", "tuple") and len(row.args) == len(rows) for row in rows)
        return len(rows) if square and rows else None
    if inner.op in ("eye", "zeros", "ones", "empty"):
        shape = inner.attr("shape")
        sizes = {shape} if inner.op == "eye" and isinstance(shape, int) else set(shape) if _is_pair(shape) else set()
        size = sizes.pop() if len(sizes) == 1 else None
        return size if isinstance(size, int) else None
    if inner.op == "index" and inner.args[1].op == "tuple":
        lengths = [_length(part) for part in inner.args[1].args if part.op == "slice"]
        return lengths[0] if len(lengths) == 2 and lengths[0] == lengths[1] else None
    if inner.op in PRODUCTS:
        factors = chain(inner)
        known = {order(factor.value, depth + 1) for factor in (factors[0], factors[-1]) if factor.value is not inner}
    elif inner.op in ("phi", "where", "join"):
        known = {order(argument, depth + 1) for argument in inner.args[inner.op != "join" :]}
        return known.pop() if len(known) == 1 else None
    elif inner.op in ("add", "sub", "mul", "div", "neg", "store"):
        known = {order(argument, depth + 1) for argument in inner.args[: 1 if inner.op == "store" else None]}
    else:
        return None
    known.discard(None)
    return known.pop() if len(known) == 1 else None


def _is_pair(shape: object) -> bool:
    return isinstance(shape, tuple) and len(shape) == 2


def _length(part: Value) -> int | None:
    lower, upper = part.args[0].constant or 0, part.args[1].constant
    if isinstance(lower, int) and isinstance(upper, int) and 0 <= lower < upper:
        return upper - lower
    return None


def is_small(value: Value) -> bool:
    """Whether a matrix is known to be so small that its inverse and determinant are harmless."""
    known = order(value)
    return known is not None and known <= SMALL


def is_diagonal(value: Value, depth: int = 0) -> bool:
    """Whether a matrix is diagonal by construction, entry by entry too: ``D = zeros(...)``, ``D[i, i] = w[i]``."""
    inner = value.core
    if depth > 12:
        return False
    if inner.op in ("diag", "eye", "zeros"):
        return True
    if inner.op in ("inv", "sqrt", "square"):
        return is_diagonal(inner.args[0], depth + 1)
    if inner.op in ("mul", "div"):
        return any(is_diagonal(argument, depth + 1) for argument in inner.args)
    if inner.op in ("add", "sub", "join"):
        return all(argument.core.op == "carried" or is_diagonal(argument, depth + 1) for argument in inner.args)
    if inner.op == "store":
        index = inner.args[1]
        on_diagonal = index.op == "tuple" and len(index.args) == 2 and index.args[0] is index.args[1]
        return on_diagonal and (inner.args[0].core.op == "carried" or is_diagonal(inner.args[0], depth + 1))
    return False


def is_simple_to_invert(value: Value) -> bool:
    """Whether a matrix is diagonal or orthogonal by construction."""
    inner = value.core
    if is_diagonal(inner):
        return True
    if inner.op == "index" and inner.args[1].op == "const":
        source, part = inner.args[0].core.op, inner.args[1].constant
        return (source, part) in (("qr", 0), ("svd", 0), ("svd", 2), ("eigh", 1))
    return False


def is_symmetric(value: Value) -> bool:
    """Whether a matrix is symmetric by construction."""
    inner = value.core
    if inner.op in ("cov", "corrcoef", "eye", "diag"):
        return True
    if inner.op in ("add", "sub"):
        left, right = (plain(argument) for argument in inner.args)
        if left[0] is right[0] and left[1] != right[1] and inner.op == "add":
            return True
        return all(is_symmetric(argument) for argument in inner.args)
    if inner.op in ("mul", "div") and len(inner.args) == 2:
        matrices = [argument for argument in inner.args if is_symmetric(argument)]
        others = [argument for argument in inner.args if argument not in matrices]
        return bool(matrices) and all(_is_scalar(argument) for argument in others)
    return inner.op in PRODUCTS and _reads_backwards(chain(inner))


def _reads_backwards(factors: tuple[Factor, ...]) -> bool:
    """Whether a product is its own transpose: ``A.T @ B.T @ S @ B @ A`` with a symmetric ``S``, or none."""
    if len(factors) < 2:
        return False
    for one, other in zip(factors, reversed(factors), strict=True):
        if one is other:
            return is_symmetric(one.value)
        if one.value is not other.value or one.transposed == other.transposed:
            return False
    return True


def _is_scalar(value: Value) -> bool:
    return value.core.op in ("const", "len", "index", "sum", "max", "mean") or value.core.number is not None
