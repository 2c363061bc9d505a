"""A pytest file for each confirmed finding: it fails now, and passes when the code is cured.

The test imports the user's function and calls it on the smallest input. Where only a
slice of the function could be run, it takes the statement from the file as it is at that
moment, with the assignments before it that the statement needs, so that it sees the cure.

What a verdict should hold for this, in `Sample.exact` (values encoded by the runtime's
`protocol`): each input under its name, and, optionally,

``<call>``     an expression over the names of the inputs and of the module: ``"Softmax()(z)"``
``<true>``     the true value of what the call returns, all its numbers in a row
``<entrywise>``  whether every number of it is wrong by itself, and not beside the largest
``<rtol>``     the relative error, norm-wise, that a cured function stays below
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numlint import evidence as words
from numlint.confirm.confirmation import Confirmation, Confirmed
from numlint.confirm.literals import Unwritable, source
from numlint.confirm.subject import Subject

CALL, TRUE, RTOL, ENTRYWISE = "<call>", "<true>", "<rtol>", "<entrywise>"
REACHES = " (reaches "
"""Begins what a harness says of a call that comes to the flagged expression through another function."""
_EPS = {"float64": 2.0**-52, "float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}


@dataclass(frozen=True)
class Emitted:
    """A test file: its name and text; `obstacle` says why there is none."""

    name: str
    text: str = ""
    obstacle: str = ""


def write(folder: str, confirmation: Confirmation) -> tuple[list[str], list[str]]:
    """Write a test for each finding that is confirmed on an input to be expected.

    Returns
    -------
    written : list of str
        Paths of the files.
    obstacles : list of str
        Why there is none for a finding.

    Raises
    ------
    OSError
    """
    os.makedirs(folder, exist_ok=True)
    written: list[str] = []
    obstacles: list[str] = []
    for result in confirmation.results:
        if not result.is_sure:
            continue
        made = emitted(result, confirmation.sources.get(result.case.finding.path, ""), folder)
        if made.obstacle:
            obstacles.append(f"{result.verdict.path}:{result.verdict.line} {result.verdict.rule}: {made.obstacle}")
            continue
        path = os.path.join(folder, made.name)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(made.text)
        written.append(path)
    return written, obstacles


def emitted(result: Confirmed, text: str, folder: str) -> Emitted:
    """The test of one confirmed finding, for a file in `folder`."""
    verdict = result.verdict.to_json()
    name = _name(result)
    sample = (verdict["evidence"] or {}).get("smallest") or {}
    claim = _CLAIMS.get(str(verdict["evidence"]["signature"])) if verdict["evidence"] else None
    if claim is None:
        return Emitted(name, obstacle="what fails is not the value of a call")
    given = dict(sample.get("exact") or {})
    inputs = {key: item for key, item in given.items() if not key.startswith("<")}
    if not inputs:
        return Emitted(name, obstacle="the verdict does not hold its input")
    form = str(sample.get("format") or "float64")
    try:
        spelt = {key: source(item, form) for key, item in inputs.items()}
        subject = Subject(result.case.finding.path, text)
        call = _whole(result, subject, given, set(inputs)) or _sliced(result, subject, set(inputs))
        true = _true(given, sample, form, result, subject)
    except Unwritable as error:
        return Emitted(name, obstacle=str(error))
    if call is None:
        return Emitted(name, obstacle="its call cannot be written down")
    if claim == "digits" and not true:
        return Emitted(name, obstacle="the verdict does not hold the true value")
    return Emitted(name, _file(result, verdict, call, spelt, claim, true, folder, text))


# Signature to what the test claims.
_CLAIMS = {
    "overflow": "finite", "nan": "finite", "underflow": "digits", "divergence": "finite", "cancellation": "digits",
    "absorption": "digits", "ill-conditioned": "digits", "backward-error": "digits", "wraparound": "digits",
    "non-determinism": "same", "nan-gradient": "gradient",
}  # fmt: skip
_SAYS = {
    "finite": "is_finite",
    "digits": "keeps_its_digits",
    "same": "gives_the_same_twice",
    "gradient": "has_a_finite_gradient",
}


@dataclass(frozen=True)
class Call:
    """How the value is computed in the test, and what that needs."""

    expression: str
    slice: str = ""


def _whole(result: Confirmed, subject: Subject, given: Mapping[str, Any], inputs: set[str]) -> Call | None:
    """The call of the whole function, where it can be written as an expression."""
    said = str(given.get(CALL) or result.verdict.harness).partition(REACHES)[0]
    known = set(subject.functions()) | {"np", "torch"}
    try:
        tree = ast.parse(said, mode="eval")
    except SyntaxError:
        tree = None
    if tree is not None and any(isinstance(node, ast.Call) for node in ast.walk(tree)):
        tree = _Inputs(inputs).visit(tree)
        inputs = {_identifier(name) for name in inputs}
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        if {node.id for node in names} <= inputs | known and result.verdict.rung != "slice":
            return Call(ast.unparse(_Qualified(known - {"np", "torch"} - inputs).visit(tree)))
    target = result.case.target
    scopes = subject.scopes(target.region.line, target.region.column)
    if result.verdict.rung == "slice" or len(scopes) != 1 or isinstance(scopes[0], ast.ClassDef):
        return None
    arguments = scopes[0].args
    plain = arguments.posonlyargs + arguments.args + arguments.kwonlyargs
    required = {item.arg for item in plain[: len(arguments.posonlyargs + arguments.args) - len(arguments.defaults)]}
    if not required <= inputs or not inputs <= {item.arg for item in plain} or arguments.posonlyargs:
        return None
    return Call(
        f"module.{target.qualname}({', '.join(f'{item.arg}={item.arg}' for item in plain if item.arg in inputs)})"
    )


class _Inputs(ast.NodeTransformer):
    """Inputs of what comes before the call, such as ``fit.X``, become names."""

    def __init__(self, inputs: set[str]) -> None:
        self._inputs = inputs

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Give an input its name in the test."""
        path = ast.unparse(node)
        if path in self._inputs:
            return ast.copy_location(ast.Name(_identifier(path), ast.Load()), node)
        self.generic_visit(node)
        return node


class _Qualified(ast.NodeTransformer):
    """Names of the module become attributes of ``module``."""

    def __init__(self, names: set[str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Qualify a name."""
        return ast.Attribute(ast.Name("module"), node.id) if node.id in self._names else node


def _sliced(result: Confirmed, subject: Subject, inputs: set[str]) -> Call | None:
    """The flagged statement, found in the file by what it assigns or that it returns."""
    statement, number = _statement(result, subject)
    if statement is None:
        return None
    scopes = [scope.name for scope in subject.scopes(statement.lineno)]
    place = f"{scopes!r}, {heading(statement)!r}, {number}"
    values = ", ".join(f"{name!r}: {_identifier(name)}" for name in sorted(inputs))
    return Call(f"evaluated({place}, {{{values}}})", slice=_EVALUATED)


def heading(statement: ast.stmt) -> str:
    """What a rewrite leaves of a statement: what it assigns to, or its kind."""
    targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
    return ", ".join(ast.unparse(target) for target in targets if target is not None) or type(statement).__name__


def _statement(result: Confirmed, subject: Subject) -> tuple[ast.stmt | None, int]:
    """The innermost statement with a value around the finding, and the how manieth of its heading it is."""
    span = result.case.finding.span
    scopes = subject.scopes(span.line, span.column)
    within = scopes[-1] if scopes else subject.tree
    if within is None:
        return None, 0
    statements = sorted(
        (node for node in ast.walk(within) if isinstance(node, ast.stmt) and getattr(node, "value", None) is not None),
        key=lambda node: (node.lineno, node.col_offset),
    )
    around = [node for node in statements if node.lineno <= span.line and span.end_line <= (node.end_lineno or 0)]
    if not around:
        return None, 0
    chosen = around[-1]
    return chosen, [node for node in statements if heading(node) == heading(chosen)].index(chosen)


def _true(given: Mapping[str, Any], sample: Mapping[str, Any], form: str, result: Confirmed, subject: Subject) -> str:
    """The true value of what the test computes: as the verdict encodes it, or that of the flagged expression."""
    if REACHES in result.verdict.harness:
        return ""
    if TRUE in given:
        return source(given[TRUE], "float64")
    statement, _ = _statement(result, subject)
    value = getattr(statement, "value", None)
    span = result.case.finding.span
    if value is None or (value.lineno, value.end_lineno) != (span.line, span.end_line):
        return ""
    if value.col_offset + 1 != span.column or value.end_col_offset + 1 != span.end_column:
        return ""
    whole = isinstance(statement, ast.Return) or result.verdict.rung == "slice"
    text = re.sub(r"\s+(float|bfloat)\d+$", "", str(sample.get("true") or ""))
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return ""
    return repr(value) if whole else ""


def _name(result: Confirmed) -> str:
    function = (result.case.target.qualname or result.case.target.module).replace("<locals>.", "")
    words_ = f"{function}_{result.case.finding.rule}_{result.case.finding.fingerprint[:6]}"
    return f"test_{_identifier(words_).lower()}.py"


def _identifier(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_") or "value"


def _file(
    result: Confirmed,
    verdict: dict[str, Any],
    call: Call,
    inputs: Mapping[str, str],
    claim: str,
    true: str,
    folder: str,
    program: str = "",
) -> str:
    target, form = result.case.target, str(verdict["evidence"]["smallest"]["format"])
    module = target.module
    root = os.path.relpath(target.root, os.path.abspath(folder)).replace(os.sep, "/")
    file = os.path.relpath(target.path, target.root).replace(os.sep, "/")
    function = (target.qualname or target.module).replace("<locals>.", "")
    body = [f"torch.manual_seed({verdict['seed']})"] * ("import torch" in program or "from torch" in program)
    body += [f"np.random.seed({verdict['seed']})"] * ("np.random." in program)
    body += [f"{_identifier(name)} = {text}" for name, text in inputs.items()]
    rtol = (verdict["evidence"]["smallest"]["exact"] or {}).get(RTOL) or _EPS.get(form, 2.0**-52) ** 0.5
    entrywise = bool((verdict["evidence"]["smallest"]["exact"] or {}).get(ENTRYWISE))
    body += _asserted(call.expression, claim, true, rtol, [_identifier(name) for name in inputs], entrywise)
    written = "\n".join(body)
    packaged = "." in module
    imports = ["ast"] * bool(call.slice) + ["base64"] * ("base64." in written)
    imports += ["importlib" if packaged else "importlib.util", "sys"]
    libraries = ["numpy as np"] + ["torch"] * ("torch." in written)
    what = f"{function}: {words.sentence(verdict)}"
    lines = [
        f'"""{what}.',
        "",
        f"`numlint confirm` found this ({verdict['rule']}, {verdict['code']}) and wrote this test: it fails until the",
        f'code is cured. {_provenance(verdict)}"""'.replace("\\", "\\\\"),
        "",
        *[f"import {name}" for name in imports],
        *(["import types"] if call.slice else []),
        "from pathlib import Path",
        "",
        *[f"import {name}" for name in libraries],
        "",
        f'ROOT = Path(__file__).resolve().parent / "{root}"',
        "sys.path.insert(0, str(ROOT))",
        *([f'FILE = ROOT / "{file}"'] if call.slice or not packaged else []),
        *([f'module = importlib.import_module("{module}")'] if packaged else _LOADED.format(module).splitlines()),
        "",
        "",
        *_NUMBERS.splitlines(),
        *(["", "", *call.slice.splitlines()] if call.slice else []),
        "",
        "",
        f"def test_{_identifier(function).lower()}_{_SAYS[claim]}():",
        *[f"    {line}" for line in body],
    ]
    return "\n".join(lines) + "\n"


def _provenance(verdict: Mapping[str, Any]) -> str:
    smallest = verdict["evidence"]["smallest"]
    true = f", and the true value is {smallest['true']}" if smallest["true"] else ""
    said = f"On this input it gave {smallest['got']}{true}."
    return re.sub(r"\s+", " ", said).replace('"""', "'''")


def _asserted(call: str, claim: str, true: str, rtol: float, names: list[str], entrywise: bool = True) -> list[str]:
    """The lines that compute the value and claim what a cured function fulfils."""
    if claim == "same":
        return [
            f"first = numbers({call})",
            f"again = numbers({call})",
            "assert np.array_equal(first, again, equal_nan=True)",
        ]
    if claim == "gradient":
        leaves = ", ".join(names)
        return [
            f"inputs = [item.requires_grad_() for item in ({leaves},) if getattr(item, 'is_floating_point', bool)()]",
            f"result = {call}",
            "result.sum().backward()",
            "assert all(torch.isfinite(item.grad).all() for item in inputs if item.grad is not None)",
        ]
    lines = [f"result = numbers({call})"]
    if not true:
        return [*lines, "assert np.isfinite(result).all(), result"]
    within = f"rtol={rtol:.2g}" if entrywise else f"rtol=0, atol={rtol:.2g} * np.abs(true).max()"
    return [*lines, f"true = np.ravel({true})", f"np.testing.assert_allclose(result, true, {within})"]


# Modules outside of packages may share a name: each is loaded from its own file.
_LOADED = """\
spec = importlib.util.spec_from_file_location("{0}", FILE)
module = sys.modules["{0}"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
"""

_NUMBERS = '''\
def numbers(value):
    """All numbers of a result, in one array."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().double()
    elif hasattr(value, "__dict__"):
        value = vars(value)
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (tuple, list)):
        return np.concatenate([np.zeros(0), *map(numbers, value)])
    if value is None or isinstance(value, str):
        return np.zeros(0)
    return np.asarray(value, dtype=np.float64).ravel()
'''

_EVALUATED = '''\
def evaluated(scopes, heading, number, inputs):
    """The value of a statement of the file, with the assignments before it that it needs."""

    def names(node, kind):
        return {item.id for item in ast.walk(node) if isinstance(item, ast.Name) and isinstance(item.ctx, kind)}

    def said(node):
        targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
        return ", ".join(ast.unparse(item) for item in targets if item is not None) or type(node).__name__

    within = ast.parse(FILE.read_text(encoding="utf-8"))
    for scope in scopes:
        within = next(node for node in ast.walk(within) if getattr(node, "name", None) == scope)
    statements = [node for node in ast.walk(within) if isinstance(node, ast.stmt) and getattr(node, "value", None)]
    statements.sort(key=lambda node: (node.lineno, node.col_offset))
    goal = [node for node in statements if said(node) == heading][number]
    needed, kept = names(goal.value, ast.Load) - set(inputs), []
    for node in reversed(statements[: statements.index(goal)]):
        if names(node, ast.Store) & needed:
            kept.insert(0, node)
            needed |= names(node, ast.Load) - set(inputs)
    space = {**vars(module), **{name: value for name, value in inputs.items() if "." not in name}}
    owner = types.SimpleNamespace(**{name[5:]: value for name, value in inputs.items() if name.startswith("self.")})
    space.setdefault("self", owner)
    exec(compile(ast.Module(kept, []), str(FILE), "exec"), space)
    return eval(compile(ast.Expression(goal.value), str(FILE), "eval"), space)
'''
