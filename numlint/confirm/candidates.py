"""The rewrites of a finding that are worth running: its own, known alternatives, and look-alikes.

A look-alike is what people write instead of the cure and what does not cure. It is run
like the cure, and shown as rejected with its figure: ``solve(X.T @ X, X.T @ y)`` has the
error of the inverse, ``log1p(exp(x))`` overflows where ``log(1 + exp(x))`` does. Both are
found by what the finding's own rewrite calls, so they hold for every rule that calls it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from numlint.finding import Edit, Finding, Rewrite, Safety, Span
from numlint.fix import Fitter, fix_text
from numlint.fix.source import Source


@dataclass(frozen=True)
class Alternative:
    """Another way to write a call.

    Attributes
    ----------
    summary : str
    text : str
        With the operands of the call as ``{0}``, ``{1}`` or by keyword, and ``{np}`` for numpy.
    imports : tuple of str
        What the text needs besides numpy.
    cures : bool
        Whether it is equal to the cure; a look-alike is shown and never applied.
    """

    summary: str
    text: str
    imports: tuple[str, ...] = ()
    cures: bool = False


# Keyed by what the rewrite calls. Only calls with as many operands as the text names are rewritten.
ALTERNATIVES: Mapping[str, tuple[Alternative, ...]] = {
    "scipy.special.softmax": (
        Alternative(
            "the maximum subtracted by hand",
            "(lambda e: e / {np}.sum(e, axis={axis}, keepdims=True))"
            "({np}.exp({0} - {np}.max({0}, axis={axis}, keepdims=True)))",
            cures=True,
        ),
    ),
    "scipy.special.logsumexp": (
        Alternative("a reduction by logaddexp", "{np}.logaddexp.reduce({0}, axis={axis})", cures=True),
    ),
    "scipy.special.expit": (Alternative("the sigmoid by tanh", "0.5 * (1 + {np}.tanh(0.5 * ({0})))"),),
    "numpy.logaddexp": (Alternative("log1p alone", "{np}.log1p({np}.exp({1}))"),),
    "numpy.linalg.lstsq": (
        Alternative("the normal equations, solved", "{np}.linalg.solve({0}.T @ {0}, {0}.T @ {1})"),
        Alternative("the pseudo-inverse", "{np}.linalg.pinv({0}) @ {1}"),
        Alternative(
            "the pseudo-inverse with a cutoff by format and shape", "{np}.linalg.pinv({0}, rtol=None) @ {1}", cures=True
        ),
        Alternative("scipy's least squares", "lstsq({0}, {1})[0]", ("scipy.linalg.lstsq",)),
    ),
    "numpy.linalg.solve": (Alternative("the pseudo-inverse", "{np}.linalg.pinv({0}) @ {1}"),),
    "numpy.hypot": (Alternative("numpy's norm", "{np}.linalg.norm([{0}, {1}], axis=0)"),),
    "scipy.special.xlogy": (Alternative("an epsilon in the logarithm", "{0} * {np}.log({1} + 1e-12)"),),
}


@dataclass(frozen=True)
class Rewritten:
    """A whole file with one rewrite applied, and where the flagged expression then stands."""

    rewrite: Rewrite
    source: str
    region: Span
    text: str


def rewrites(finding: Finding, text: str) -> Iterator[Rewrite]:
    """Iterate over what may stand in the place of a finding: its own rewrite first."""
    rewrite = finding.rewrite
    if rewrite is None or not rewrite.edits:
        return
    yield rewrite
    seen = {rewrite.summary}
    source = Source(text)
    present = {
        _shape(source.text[slice(*source.interval(s))]) for s in (finding.span, *(e.span for e in rewrite.edits))
    }
    numpy = _alias(text, "numpy")
    for index, edit in enumerate(rewrite.edits):
        for alternative, new in _alternatives(edit.text, rewrite.imports, numpy, text):
            if alternative.summary not in seen and _shape(new) not in present:
                seen.add(alternative.summary)
                edits = (*rewrite.edits[:index], replace(edit, text=new), *rewrite.edits[index + 1 :])
                safety = Safety.UNSAFE if alternative.cures else Safety.DISPLAY
                reason = "another way to write it" if alternative.cures else "a look-alike, run for comparison"
                imports = tuple(dict.fromkeys((*alternative.imports, *_kept(rewrite.imports, new))))
                yield Rewrite(alternative.summary, edits, imports, safety, reason)


def applied(finding: Finding, rewrite: Rewrite, text: str) -> Rewritten | None:
    """Apply one rewrite of a finding, imports included; None when it does not fit into the file."""
    alone = replace(finding, rewrite=replace(rewrite, safety=Safety.SAFE))
    source, done = fix_text(text, [alone], unsafe=True)
    if not done:
        return None
    before, after = Source(text), Source(source)
    fitted = Fitter(text).fit(rewrite)
    edited = before.replaced(fitted.edits)
    start, stop = _moved(before, fitted.edits, finding.span)
    # Imports are added above: what follows them is the same up to the end of the file.
    shift = len(after.text) - len(edited)
    if after.text[start + shift :] != edited[start:]:
        return None
    start, stop = _trimmed(after.text, start + shift, stop + shift)
    return Rewritten(rewrite, after.text, Span(*after.place(start), *after.place(stop)), after.text[start:stop])


def _moved(source: Source, edits: tuple[Edit, ...], span: Span) -> tuple[int, int]:
    """Where a region lies after the edits: grown to those that it overlaps, or the longest one when it is gone."""
    start, stop = source.interval(span)
    intervals = [(*source.interval(edit.span), edit.text) for edit in edits]
    written = [item for item in intervals if item[2]] or intervals
    touching = [item for item in written if item[0] < stop and start < item[1]]
    if touching:
        start, stop = min(start, touching[0][0]), max(stop, touching[-1][1])
    else:
        start, stop, _ = max(written, key=lambda item: len(item[2]))
    growth = [(first, last, len(text) - (last - first)) for first, last, text in intervals]
    before = sum(more for first, _, more in growth if first < start)
    within = sum(more for first, last, more in growth if start <= first and last <= stop)
    return start + before, stop + before + within


def _trimmed(text: str, start: int, stop: int) -> tuple[int, int]:
    while start < stop and text[start].isspace():
        start += 1
    while start < stop and text[stop - 1].isspace():
        stop -= 1
    return start, stop


def _alternatives(text: str, imports: tuple[str, ...], numpy: str, source: str) -> Iterator[tuple[Alternative, str]]:
    """Other ways to write the known calls of a fragment."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError:
        return
    for node in ast.walk(tree):
        # The weights are the first item of what a least-squares solver returns.
        call = node.value if isinstance(node, ast.Subscript) else node
        if not isinstance(call, ast.Call):
            continue
        dotted = _dotted(ast.unparse(call.func), imports, source)
        if dotted.endswith(".lstsq") != isinstance(node, ast.Subscript):
            continue
        for alternative in ALTERNATIVES.get(dotted, ()):
            new = _filled(alternative, call, numpy)
            if new is not None:
                exchange = _Exchange(node, ast.parse(new, mode="eval").body)
                yield alternative, ast.unparse(exchange.visit(ast.parse(text.strip(), mode="eval")))


class _Exchange(ast.NodeTransformer):
    """Replaces what reads like `old`, wherever it stands."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old = ast.dump(old)
        self._new = new

    def visit(self, node: ast.AST) -> ast.AST:
        """Replace a node, or go on below it."""
        return self._new if ast.dump(node) == self._old else self.generic_visit(node)


def _filled(alternative: Alternative, call: ast.Call, numpy: str) -> str | None:
    if not numpy and "{np}" in alternative.text:
        return None
    operands = [_operand(argument) for argument in call.args]
    keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords if keyword.arg}
    keywords.setdefault("axis", "None")
    try:
        return alternative.text.format(*operands, np=numpy, **keywords)
    except IndexError:
        return None


def _operand(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if isinstance(node, ast.Name | ast.Call | ast.Attribute | ast.Subscript | ast.Constant) else f"({text})"


def _dotted(called: str, imports: tuple[str, ...], source: str) -> str:
    """The library function that a rewrite calls, by its imports and those of the file."""
    for name in imports:
        if called == name.rpartition(".")[2]:
            return name
    head, dot, rest = called.partition(".")
    return next((f"{name}{dot}{rest}" for name in ("numpy", "scipy") if _alias(source, name) == head), called)


def _alias(source: str, library: str) -> str:
    """The name under which a file imports a library at its top; empty when it does not."""
    for node in ast.parse(source.removeprefix("\ufeff")).body:
        for item in node.names if isinstance(node, ast.Import) else ():
            if item.name == library:
                return item.asname or item.name
    return ""


def _shape(text: str) -> str:
    """An expression without its layout, to be compared."""
    try:
        return ast.dump(ast.parse(text.strip(), mode="eval"))
    except SyntaxError:
        return text


def _kept(imports: tuple[str, ...], text: str) -> Iterator[str]:
    used = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    return (name for name in imports if name.rpartition(".")[2] in used)
