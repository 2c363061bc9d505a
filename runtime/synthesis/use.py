"""How a function uses a value: what its body says about the kind of a parameter.

`path` is what the body writes, such as ``X`` or ``self.weights``. The facts are the
number of axes that subscripts, ``axis=`` and ``a, b = X.shape`` ask for, the functions
that it is handed to, the strings that it is compared with, the attributes that are read.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

ARRAY_ATTRIBUTES = frozenset(
    "T shape dtype ndim size dot sum mean std var max min argmax argmin reshape ravel flatten copy astype any all "
    "transpose cumsum clip round prod sort argsort tolist fill nonzero item squeeze repeat swapaxes diagonal trace "
    "conj real imag view numpy detach cpu cuda to float double long exp log pow abs backward unsqueeze permute "
    "contiguous requires_grad grad data add_ mul_ expand type_as new zero_ device norm t softmax sigmoid gather".split()
)
LIST_ATTRIBUTES = frozenset("append extend insert pop remove index count".split())
DICT_ATTRIBUTES = frozenset("items keys values get update setdefault".split())
STRING_ATTRIBUTES = frozenset("lower upper strip split startswith endswith format encode".split())
RANDOM_ATTRIBUTES = frozenset(
    "normal uniform randint choice randn rand random_sample standard_normal permutation shuffle integers "
    "multivariate_normal gamma beta dirichlet multinomial poisson exponential".split()
)
FRAME_ATTRIBUTES = frozenset("iloc loc columns groupby dropna fillna drop iterrows value_counts head to_numpy".split())
SQUARE = frozenset("inv det cholesky slogdet eigh eig eigvalsh cho_factor cho_solve logm expm solve".split())
WHOLE = frozenset("range zeros ones eye empty arange identity".split())
REDUCING = frozenset("mean sum std var median average min max cov".split())
COLLECTION = re.compile(r"(cluster|group|member|indices|idxs|indexes|rows|fold|bucket|segment|leaf)")
"""Names of what holds several rows."""
LOGARITHMIC = frozenset("log log2 log10 sqrt".split())


@dataclass
class Use:
    """Facts about one value.

    Attributes
    ----------
    ndim : int
        Axes that the body asks for; -1 when nothing does.
    literals : list of Any
        What it is compared with.
    attributes : set of str
        Attributes that are read, without those of arrays.
    methods : set of str
        Those of `attributes` that are called.
    keys : list of str
        Strings by which its items are taken.
    held : list of str
        Strings that it is asked to contain.
    marks : set of str
        ``"called"``, ``"square"``, ``"whole"``, ``"log"``, ``"iterated"``, ``"matmul"``, ``"length"``, ``"dict"``,
        ``"list"``, ``"groups"`` (iterated, and each item picks rows), ``"members"`` (picks rows), ``"records"`` (its
        items are dictionaries), ``"string"``, ``"random"``, ``"frame"``, ``"array"``, ``"tested"``, ``"index"``,
        ``"counted"`` (looked up in a probability mass), ``"share"`` and ``"rate"`` (parameters of distributions:
        probabilities, or positive), ``"classes"`` (its different values are asked for), ``"arithmetic"``.
    """

    ndim: int = -1
    literals: list[Any] = field(default_factory=list)
    attributes: set[str] = field(default_factory=set)
    methods: set[str] = field(default_factory=set)
    marks: set[str] = field(default_factory=set)
    keys: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)

    def axes(self, count: int) -> None:
        self.ndim = max(self.ndim, count)


def dotted(node: ast.AST) -> str:
    """``self.weights`` or ``stats['obs']`` as text; empty for anything but names, attributes and named items."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value)
        return f"{owner}.{node.attr}" if owner else ""
    if isinstance(node, ast.Subscript) and (key := _named_item(node)):
        owner = dotted(node.value)
        return f"{owner}[{key!r}]" if owner else ""
    return ""


def chained(path: str) -> list[str]:
    """The parts of a path: ``self``, ``.stats`` and ``['obs']``."""
    return re.findall(r"\[(?:'[^']*'|\"[^\"]*\")\]|\.?\w+", path)


def _named_item(node: ast.Subscript) -> str:
    """The string by which an item is taken; empty where it is none."""
    key = node.slice
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""


def use_of(path: str, tree: ast.AST) -> Use:
    """Facts about `path` in the body of `tree`."""
    use = Use()
    for node in ast.walk(tree):
        for visit in (_call, _subscript, _attribute, _compare, _operator, _statement):
            visit(node, path, use)
    if picks_rows(path, tree):
        use.marks.add("members")
    elif any(picks_rows(item, tree) for item in items_of(path, tree)):
        use.marks.add("groups")
    return use


def picks_rows(path: str, tree: ast.AST) -> bool:
    """Whether a value is a list of numbers of rows."""
    items = items_of(path, tree)
    if any(_is_index(item, tree) for item in items):  # one after the other; else each of them is a list itself
        return not any(_is_collection(item, tree) for item in items)
    return _is_taken(path, tree) or (_is_index(path, tree) and (bool(items) or _is_collection(path, tree)))


def _is_index(path: str, tree: ast.AST) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript):
            first = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
            if dotted(first) == path:
                return True
    return False


def _is_taken(path: str, tree: ast.AST) -> bool:
    """Whether it says which rows ``take`` takes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "take" and node.args:
            of_module = dotted(node.func).split(".")[0] in ("np", "numpy", "jnp", "cp")
            if path in [dotted(item) for item in (node.args[1:2] if of_module else node.args[:1])]:
                return True
    return False


def _is_collection(path: str, tree: ast.AST) -> bool:
    """Whether an index stands for several rows: it has a length, or what it picks is averaged over the rows."""
    if COLLECTION.search(path) or items_of(path, tree):
        return True
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if dotted(node.func) == "len" and path in [dotted(item) for item in node.args]:
            return True
        name = dotted(node.func).rpartition(".")[2] or getattr(node.func, "attr", "")
        over_rows = any(item.arg == "axis" and getattr(item.value, "value", None) == 0 for item in node.keywords)
        if name in REDUCING and (over_rows or name == "cov"):
            reduced = [*node.args[:1], *([node.func.value] if isinstance(node.func, ast.Attribute) else [])]
            if any(isinstance(item, ast.Subscript) and dotted(item.slice) == path for item in reduced):
                return True
    return False


def items_of(path: str, tree: ast.AST) -> set[str]:
    """Names that the items of a value are bound to, one after the other."""
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, (ast.For, ast.comprehension)):
            continue
        target, source = node.target, node.iter
        if isinstance(source, ast.Call) and dotted(source.func) == "enumerate" and source.args:
            source = source.args[0]
            target = target.elts[1] if isinstance(target, ast.Tuple) and len(target.elts) == 2 else target
        if dotted(source) == path and dotted(target):
            found.add(dotted(target))
    return found


def _call(node: ast.AST, path: str, use: Use) -> None:
    if not isinstance(node, ast.Call):
        return
    if dotted(node.func) == path:
        use.marks.add("called")
        return
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    owner = dotted(node.func.value) if isinstance(node.func, ast.Attribute) else ""
    given = [dotted(item) for item in node.args]
    if path in given or owner == path:
        for keyword in node.keywords:
            number = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
            if keyword.arg in ("axis", "dim") and isinstance(number, int) and number >= 0:
                use.axes(number + 1)
    if path in given:
        for mark, names in (("square", SQUARE), ("whole", WHOLE), ("log", LOGARITHMIC), ("length", {"len"})):
            if name in names:
                use.marks.add(mark)
        _distribution(name, owner, given.index(path), use)
        if name in ("unique", "bincount", "Counter"):
            use.marks.add("classes")
        if name in ("enumerate", "zip", "list", "sorted", "iter", "sum"):
            use.marks.add("iterated")
        if name == "isinstance" and len(node.args) == 2:
            _instance(dotted(node.args[1]), use)
        if name in ("dot", "matmul", "mm", "outer"):
            use.marks.add("matmul")
        if name in ("float", "int", "log", "exp", "sqrt") and not owner:
            use.axes(0)


def _distribution(name: str, owner: str, place: int, use: Use) -> None:
    """What an argument of a probability mass or density is: the value that is looked up, then the parameters."""
    kind = owner.rpartition(".")[2]
    if name not in ("pmf", "logpmf", "pdf", "logpdf"):
        return
    if place == 0 and name.endswith("pmf"):
        use.marks.add("counted")
    elif place > 0:
        shares = (kind in ("bernoulli", "geom") and place == 1) or (kind in ("binom", "nbinom") and place == 2)
        positive = kind in ("poisson", "gamma", "beta", "chi2", "expon", "t", "f") or place == 2
        if shares or positive:
            use.marks.add("share" if shares else "rate")


def _instance(name: str, use: Use) -> None:
    last = name.rpartition(".")[2]
    marks = {"ndarray": "array", "str": "string", "dict": "dict", "list": "list", "DataFrame": "frame", "int": "whole"}
    if last in marks:
        use.marks.add(marks[last])


def _subscript(node: ast.AST, path: str, use: Use) -> None:
    if not isinstance(node, ast.Subscript):
        return
    if dotted(node.slice) == path:
        use.marks.add("index")
    if dotted(node.value) == f"{path}.shape" and isinstance(node.slice, ast.Constant):
        number = node.slice.value
        if isinstance(number, int):
            use.axes(number + 1 if number >= 0 else -number)
    if dotted(node.value) != path:
        return
    if isinstance(node.slice, ast.Tuple):
        use.axes(sum(not _new_axis(item) for item in node.slice.elts))
    elif key := _named_item(node):
        use.marks.add("dict")
        if key not in use.keys:
            use.keys.append(key)
    else:
        use.axes(1)


def _new_axis(node: ast.AST) -> bool:
    return dotted(node).endswith("newaxis") or (isinstance(node, ast.Constant) and node.value is None)


def _attribute(node: ast.AST, path: str, use: Use) -> None:
    method = node.func if isinstance(node, ast.Call) else None
    if isinstance(method, ast.Attribute) and dotted(method.value) == path and method.attr not in ARRAY_ATTRIBUTES:
        use.methods.add(method.attr)
    if not isinstance(node, ast.Attribute) or dotted(node.value) != path:
        return
    for mark, names in (
        ("list", LIST_ATTRIBUTES),
        ("dict", DICT_ATTRIBUTES),
        ("string", STRING_ATTRIBUTES),
        ("random", RANDOM_ATTRIBUTES),
        ("frame", FRAME_ATTRIBUTES),
        ("array", ARRAY_ATTRIBUTES),
    ):
        if node.attr in names:
            use.marks.add(mark)
            break
    else:
        use.attributes.add(node.attr)
    if node.attr == "T":
        use.axes(2)


def _compare(node: ast.AST, path: str, use: Use) -> None:
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        if any(dotted(side) == path for side in sides):
            use.literals += [value for side in sides for value in _constants(side) if value not in use.literals]
        if isinstance(node.ops[0], (ast.In, ast.NotIn)) and dotted(sides[1]) == path:
            use.held += [value for value in _constants(sides[0]) if isinstance(value, str) and value not in use.held]
        for side, other in zip(sides, [*sides[1:], sides[0]]):
            if dotted(side) == f"{path}.shape" and isinstance(other, ast.Tuple):
                use.axes(len(other.elts))
            elif dotted(side) == f"{path}.ndim" and isinstance(other, ast.Constant) and isinstance(other.value, int):
                use.axes(other.value)
    if isinstance(node, (ast.If, ast.IfExp, ast.While)):
        tests = node.test.values if isinstance(node.test, ast.BoolOp) else [node.test]
        for test in tests:
            inner = test.operand if isinstance(test, ast.UnaryOp) else test
            if dotted(inner) == path:
                use.marks.add("tested")


def _constants(node: ast.AST) -> Iterator[Any]:
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, int, float)):
        yield node.value
    elif isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        for item in node.elts:
            yield from _constants(item)


def _operator(node: ast.AST, path: str, use: Use) -> None:
    if isinstance(node, ast.BinOp) and path in (dotted(node.left), dotted(node.right)):
        use.marks.add("matmul" if isinstance(node.op, ast.MatMult) else "arithmetic")


def _statement(node: ast.AST, path: str, use: Use) -> None:
    if isinstance(node, (ast.For, ast.comprehension)) and dotted(node.iter) == path:
        use.marks.add("iterated")
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Tuple):
        if dotted(node.value) == f"{path}.shape":
            use.axes(len(node.targets[0].elts))
        elif dotted(node.value) == path:
            use.marks.add("iterated")


def dependencies(tree: ast.AST) -> dict[str, set[str]]:
    """By local name: the names and attributes that its assignments read, directly or through others."""
    read: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        targets: list[ast.AST] = []
        value: ast.AST | None = None
        if isinstance(node, ast.Assign):
            targets, value = list(node.targets), node.value
        elif isinstance(node, (ast.AugAssign, ast.AnnAssign)):
            targets, value = [node.target], node.value
        elif isinstance(node, (ast.For, ast.comprehension)):
            targets, value = [node.target], node.iter
        if value is None:
            continue
        named = (ast.Name, ast.Attribute, ast.Subscript)
        sources = {dotted(item) for item in ast.walk(value) if isinstance(item, named)} - {""}
        for target in targets:
            for item in ast.walk(target):
                if isinstance(item, ast.Subscript) and dotted(item.value):
                    read.setdefault(dotted(item.value), set()).update(sources)
                elif isinstance(item, (ast.Name, ast.Attribute)) and isinstance(item.ctx, ast.Store) and dotted(item):
                    read.setdefault(dotted(item), set()).update(sources)
    for _ in range(8):
        before = sum(map(len, read.values()))
        for name, sources in read.items():
            sources.update(*(read[source] for source in list(sources) if source in read and source != name))
        if sum(map(len, read.values())) == before:
            break
    return read


def guards(tree: ast.AST, line: int) -> frozenset[str]:
    """Names and attributes that the conditions around a line read, directly or through local names."""
    read: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.If, ast.While, ast.For, ast.IfExp)) and node.lineno <= line <= (node.end_lineno or 0):
            condition = node.iter if isinstance(node, ast.For) else node.test
            read |= {dotted(item) for item in ast.walk(condition)} - {""}
    flow = dependencies(tree) if read else {}
    return frozenset(read.union(*(flow[name] for name in read if name in flow)))
