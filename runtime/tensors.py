"""Functions of torch and tensorflow in terms of numpy's, for interpreters that lack the library.

A function such as ``tf.reduce_sum`` or ``torch.sigmoid`` is mathematics that numpy has too,
under other names for its arguments: ``dim`` and ``keepdim``. Written with numpy's functions
they compute in every arithmetic, the exact one included. Only what is a formula is here;
layers, optimisers and sessions are not, and whoever needs them is told that the library
is missing. Stable library functions stay stable: ``logsumexp`` shifts by the maximum.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

LIBRARIES = frozenset(["torch", "tensorflow"])
MODULES = frozenset(
    ["nn", "functional", "math", "special", "linalg", "random", "autograd", "compat", "v1", "v2", "keras"]
)


class Tensor(np.ndarray):
    """An array with the methods of a tensor."""

    def __getattr__(self, name: str) -> Any:
        known = function("torch", name)
        if known is None:
            raise AttributeError(f"it needs torch, which this interpreter does not have: Tensor.{name}")
        return lambda *arguments, **named: known(self, *arguments, **named)

    # numpy's functions call the methods of these names: they see a plain array.
    def sum(self, *arguments: Any, **named: Any) -> Any:
        return _folded("sum", self, arguments, named)

    def mean(self, *arguments: Any, **named: Any) -> Any:
        return _folded("mean", self, arguments, named)

    def prod(self, *arguments: Any, **named: Any) -> Any:
        return _folded("prod", self, arguments, named)

    def std(self, *arguments: Any, **named: Any) -> Any:
        return _folded("std", self, arguments, named)

    def var(self, *arguments: Any, **named: Any) -> Any:
        return _folded("var", self, arguments, named)

    def view(self, *shape: Any) -> Any:  # type: ignore[override]
        """torch's: the same numbers in another shape; numpy's where it is asked for a type."""
        if shape and isinstance(shape[0], (type, np.dtype)):
            return super().view(*shape)
        return self.reshape(*shape)


def _folded(name: str, x: Any, arguments: Any, named: dict[str, Any]) -> Any:
    return np.asarray(FUNCTIONS[name](np.asarray(x), *arguments, **named)).view(Tensor)


def tensor(value: Any) -> Any:
    """An array as the code under test expects it where torch is missing."""
    return np.asarray(value).view(Tensor)


def _reduced(fold: Callable[..., Any]) -> Callable[..., Any]:
    """A reduction: the axis is called ``dim`` or ``axis``, kept axes ``keepdim`` or ``keepdims``."""

    def reduce(x: Any, axis: Any = None, keepdims: bool = False, **named: Any) -> Any:
        axis = named.get("dim", named.get("reduction_indices", axis))
        keepdims = bool(named.get("keepdim", named.get("keep_dims", keepdims)))
        return fold(x, axis=tuple(axis) if isinstance(axis, list) else axis, keepdims=keepdims)

    return reduce


def _logsumexp(x: Any, axis: Any, keepdims: bool) -> Any:
    top = np.max(x, axis=axis, keepdims=True)
    total = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return total if keepdims else np.squeeze(total, axis=axis)


def _softmax(x: Any, axis: Any = -1, **named: Any) -> Any:
    axis = named.get("dim", axis)
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def _log_softmax(x: Any, axis: Any = -1, **named: Any) -> Any:
    return x - _logsumexp(x, named.get("dim", axis), True)


def _sigmoid(x: Any, **_: Any) -> Any:
    """Without overflow: exp of a number that is never positive."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def _softplus(x: Any, *_: Any, **__: Any) -> Any:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _clipped(x: Any, low: Any = None, high: Any = None, **named: Any) -> Any:
    low, high = named.get("min", named.get("clip_value_min", low)), named.get("max", named.get("clip_value_max", high))
    return np.clip(x, -np.inf if low is None else low, np.inf if high is None else high)


def _norm(x: Any, p: Any = 2, axis: Any = None, keepdims: bool = False, **named: Any) -> Any:
    axis, keepdims = named.get("dim", axis), bool(named.get("keepdim", keepdims))
    if p not in (1, 2, "fro", "euclidean"):
        raise NotImplementedError(f"the norm of order {p}")
    if p == 1:
        return np.sum(np.abs(x), axis=axis, keepdims=keepdims)
    return np.sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims))


def _spread(root: bool) -> Callable[..., Any]:
    """torch's variance divides by n - 1 unless told otherwise."""

    def spread(x: Any, axis: Any = None, keepdims: bool = False, **named: Any) -> Any:
        axis, keepdims = named.get("dim", axis), bool(named.get("keepdim", keepdims))
        ddof = named.get("correction", int(bool(named.get("unbiased", True))))
        found = np.var(x, axis=axis, ddof=ddof, keepdims=keepdims)
        return np.sqrt(found) if root else found

    return spread


def _joined(join: Callable[..., Any]) -> Callable[..., Any]:
    return lambda values, axis=0, **named: join(list(values), axis=named.get("dim", axis))


def _lengths(shape: tuple[Any, ...], named: dict[str, Any]) -> tuple[int, ...]:
    """A shape, given as one argument, as several, or by name."""
    shape = named.get("shape", named.get("size", shape[0] if shape and not isinstance(shape[0], int) else shape))
    return tuple(map(operator.index, shape))


def _normal(*shape: Any, **named: Any) -> Any:
    """From numpy's global generator: seeded where that is."""
    drawn = np.random.standard_normal(_lengths(shape, named))  # noqa: NPY002
    return drawn * named.get("stddev", 1.0) + named.get("mean", 0.0)


def _uniform(*shape: Any, **named: Any) -> Any:
    low, high = named.get("minval", 0.0), named.get("maxval", 1.0)
    return low + (high - low) * np.random.random_sample(_lengths(shape, named))  # noqa: NPY002


def _same(x: Any, *_: Any, **__: Any) -> Any:
    return x


def _filled(value: float) -> Callable[..., Any]:
    return lambda *shape, **named: np.full(_lengths(shape, named), value)


def _swapped(x: Any, *axes: Any, **named: Any) -> Any:
    """torch's transpose swaps two axes, tensorflow's takes them all."""
    return np.swapaxes(x, *axes) if len(axes) == 2 else np.transpose(x, named.get("perm", axes[0] if axes else None))


_NAMED_ALIKE = (
    "exp exp2 expm1 log log2 log10 log1p sqrt square abs sign sin cos tan sinh cosh tanh floor ceil maximum minimum "
    "matmul dot outer reshape isnan isfinite zeros_like ones_like where multiply subtract divide negative"
)
_OTHERWISE: list[tuple[str, Callable[..., Any]]] = [
    ("pow", np.power),
    ("add", np.add),
    ("sub", np.subtract),
    ("mul", np.multiply),
    ("div truediv true_divide realdiv", np.divide),
    ("mm bmm mv", np.matmul),
    ("neg", np.negative),
    ("rsqrt", lambda x, **_: 1 / np.sqrt(x)),
    ("reciprocal", lambda x, **_: 1 / x),
    ("relu", lambda x, *_, **__: np.maximum(x, 0)),
    ("sigmoid expit", _sigmoid),
    ("softplus", _softplus),
    ("logsigmoid log_sigmoid", lambda x, **_: -_softplus(-x)),
    ("softmax", _softmax),
    ("log_softmax", _log_softmax),
    ("logsumexp reduce_logsumexp", _reduced(_logsumexp)),
    ("sum reduce_sum", _reduced(np.sum)),
    ("mean reduce_mean", _reduced(np.mean)),
    ("prod reduce_prod", _reduced(np.prod)),
    ("amax reduce_max", _reduced(np.max)),
    ("amin reduce_min", _reduced(np.min)),
    ("std", _spread(True)),
    ("var", _spread(False)),
    ("norm", _norm),
    ("clamp clip clip_by_value", _clipped),
    ("cat concat concatenate", _joined(np.concatenate)),
    ("stack", _joined(np.stack)),
    ("unsqueeze", lambda x, dim: np.expand_dims(x, dim)),
    ("expand_dims", lambda x, axis, **_: np.expand_dims(x, axis)),
    ("t", np.transpose),
    ("transpose", _swapped),
    ("zeros", _filled(0.0)),
    ("ones", _filled(1.0)),
    ("randn random_normal truncated_normal", _normal),
    ("rand random_uniform", _uniform),
    (
        "Variable tensor as_tensor from_numpy constant convert_to_tensor cast detach clone contiguous cpu cuda to "
        "stop_gradient identity float double requires_grad_",
        _same,
    ),
]
FUNCTIONS: dict[str, Callable[..., Any]] = {name: getattr(np, name) for name in _NAMED_ALIKE.split()}
FUNCTIONS.update({name: known for names, known in _OTHERWISE for name in names.split()})


OF_TENSORFLOW: dict[str, Callable[..., Any]] = {"normal": _normal, "uniform": _uniform}
"""``tf.random.normal(shape)``; torch's function of that name takes the mean first."""


def function(library: str, name: str) -> Callable[..., Any] | None:
    """What stands for a function of a library; None where it is not known."""
    if library not in LIBRARIES:
        return None
    return FUNCTIONS.get(name) or (OF_TENSORFLOW.get(name) if library == "tensorflow" else None)
