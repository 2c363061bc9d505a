"""An example of a rule as a harness: its module, its call, and the numbers of the call as inputs.

The call of an example is an expression such as ``np.log(likelihood(np.full(9, 2.0), 0.0))``.
Its largest parts that name nothing but numpy (or torch) and give floating-point numbers
are what the example is run *on*: they are taken out and become the inputs of a harness,
so that they can be scaled, permuted, cast and replaced by exact numbers. What is left is
a function of these inputs, compiled into the example's own module.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from types import ModuleType
from typing import Any

import numpy as np

from .harness import Harness
from .instrument import OBSERVE, Observer, Transform, compiled, observing
from .leaves import is_floating, is_number, leaves
from .target import Region, Role

KINDS = ("bad", "fixed", "good", "limit")
CALL = "__numlint_call__"
TENSOR = "__numlint_tensor__"
INPUT = "input_{}"


@dataclass(frozen=True)
class Exhibit:
    """One example to be run.

    Attributes
    ----------
    rule, kind, number :
        Which example it is: the name of the rule, one of `KINDS`, and its place in the list.
    code, call, requires : str
        From the example.
    signatures : tuple of str
        How a bad example fails as declared; for the others, what must not be seen.
    regions : tuple of Region
        The flagged expressions.
    meant : tuple of str
        Modules on which the same call gives what is meant where the example's own
        formula has no value in exact arithmetic either: its rewrite, the good examples.
    cast : bool
        Whether an example that holds must hold on inputs in float32 as well.
    elementwise : bool
        Whether each entry of a result is judged by itself; else by the largest one.
    original : str
        Of a rewrite: the code that it was made of.
    safe : bool
        Of a rewrite: whether it claims to be equal to the original in exact arithmetic.
    """

    rule: str
    kind: str
    number: int
    code: str
    call: str
    requires: str = ""
    signatures: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()
    meant: tuple[str, ...] = ()
    cast: bool = True
    elementwise: bool = True
    original: str = ""
    safe: bool = False

    @property
    def label(self) -> str:
        return f"{self.kind} {self.number + 1}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Exhibit:
        known = {item.name for item in fields(cls)}
        values = {key: value for key, value in data.items() if key in known}
        values["regions"] = tuple(Region(**item) for item in values.get("regions", ()))
        values["signatures"] = tuple(values.get("signatures", ()))
        values["meant"] = tuple(values.get("meant", ()))
        return cls(**values)


def harness_of(
    code: str,
    call: str,
    regions: tuple[Region, ...] = (),
    transforms: tuple[Transform, ...] = (),
    additions: dict[str, Any] | None = None,
    requires: str = "",
) -> Harness:
    """Make the harness of an example: its module is executed, its call is not yet.

    `transforms` change the tree of the module, `additions` are names that they use.
    The call may name numpy as ``np``, and the framework that it requires.

    Raises
    ------
    Exception
        Whatever the module raises when it is imported.
    """
    module = ModuleType("numlint_example")
    sys.modules[module.__name__] = module  # dataclasses look there
    observer = Observer()
    for framework in requires.split():
        module.__dict__[framework] = importlib.import_module(framework)
    module.__dict__.update({"np": np, OBSERVE: observer, TENSOR: _tensor, **(additions or {})})
    transforms = (*(observing(region, code) for region in regions), *transforms)
    exec(compiled(code, "example.py", transforms), module.__dict__)
    expression, inputs = _without_numbers(call, module.__dict__)
    exec(compile(_function(expression, list(inputs)), "call.py", "exec"), module.__dict__)
    function: Callable[..., Any] = module.__dict__[CALL]
    return Harness(
        rung="declared",
        description=" ".join(call.split()),
        inputs=inputs,
        roles={name: Role() for name in inputs},
        prepare=lambda _: None,
        call=lambda _, given: {"return": function(**given)},
        observer=observer,
        modules=[module],
    )


def _function(expression: ast.expr, names: list[str]) -> ast.Module:
    """``def call(input_0, ...): return expression``: a comprehension in an ``eval`` would not see its locals."""
    tree = ast.parse(f"def {CALL}({', '.join(names)}):\n    return None")
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    assert isinstance(definition.body[0], ast.Return)
    definition.body[0].value = expression
    return ast.fix_missing_locations(tree)


def _without_numbers(call: str, names: dict[str, Any]) -> tuple[ast.expr, dict[str, Any]]:
    """The call with its numbers taken out, and the numbers."""
    taken = _TakeNumbers({key: names[key] for key in ("np", "torch") if key in names})
    expression: Any = taken.visit(ast.parse(call.strip(), mode="eval").body)
    return expression, taken.inputs


class _TakeNumbers(ast.NodeTransformer):
    def __init__(self, libraries: dict[str, Any]) -> None:
        self.libraries = libraries
        self.inputs: dict[str, Any] = {}

    def visit(self, node: ast.AST) -> ast.AST:
        value = self._value(node) if isinstance(node, ast.expr) else None
        if value is None:
            return self.generic_visit(node)
        name = ast.Name(INPUT.format(len(self.inputs)), ast.Load())
        detach = getattr(value, "detach", None)
        if detach is None:
            self.inputs[name.id] = value
            return name
        self.inputs[name.id] = detach().float().numpy() if str(value.dtype) == "torch.bfloat16" else detach().numpy()
        needs_gradient = ast.Constant(bool(value.requires_grad))
        return ast.Call(ast.Name(TENSOR, ast.Load()), [name, needs_gradient], [])

    def _value(self, node: ast.expr) -> Any:
        """Floating-point numbers that the node stands for, None when it stands for something else."""
        named = {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}
        stored = any(isinstance(item, (ast.NamedExpr, ast.Lambda, ast.Starred)) for item in ast.walk(node))
        if stored or not named <= set(self.libraries):
            return None
        try:
            value = eval(compile(ast.Expression(node), "call.py", "eval"), {"__builtins__": builtins, **self.libraries})
        except Exception:  # a part of a larger expression, such as a slice
            return None
        if hasattr(value, "requires_grad") and not isinstance(value, type):
            return value if value.is_floating_point() else None
        if isinstance(value, (list, tuple)):
            found = [item for _, item in leaves(value)]
            numeric = all(is_number(item) or isinstance(item, (np.ndarray, list, tuple)) for item in value)
            return value if numeric and found and any(is_floating(item) for item in found) else None
        return value if is_floating(value) else None


def _tensor(value: Any, needs_gradient: bool) -> Any:
    """The tensor that an input of a torch example stands for."""
    import torch

    tensor = value.detach().clone() if isinstance(value, torch.Tensor) else torch.tensor(value)
    return tensor.requires_grad_(needs_gradient)
