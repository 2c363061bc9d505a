"""How a rewrite fits into a file: names spelt as the file knows them, indentation and line ends as it has them."""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from numlint.finding import Edit, Rewrite, Span
from numlint.fix.names import Import, Names, Place
from numlint.fix.source import Source

_UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True)
class Fitted:
    """A rewrite as it would be applied.

    Attributes
    ----------
    edits : tuple of Edit
        In source order, with the text that is written.
    imports : tuple of Import
        Imports that the file lacks.
    obstacle : str
        Why it cannot be applied; empty when it can.
    """

    edits: tuple[Edit, ...] = ()
    imports: tuple[Import, ...] = ()
    obstacle: str = ""


class Fitter:
    """Fits rewrites into one file.

    The text of an edit is written by its rule with plain names (``softmax`` for
    ``scipy.special.softmax``), lines joined by ``\\n``, and further lines indented as if
    the statement that the edit begins in stood at the left margin.
    """

    def __init__(self, text: str) -> None:
        self.source = Source(text)

    @cached_property
    def _tree(self) -> ast.Module | None:
        return parsed(self.source.text)

    @cached_property
    def _names(self) -> Names | None:
        try:
            return None if self._tree is None else Names(self._tree)
        except RecursionError:
            return None

    def fit(self, rewrite: Rewrite) -> Fitted:
        """The edits as they would be applied, or what stands in the way."""
        if not rewrite.edits:
            return Fitted(obstacle="it cannot be written as an edit of the source")
        edits = tuple(sorted(rewrite.edits, key=lambda edit: edit.span))
        try:
            intervals = [self.source.interval(edit.span) for edit in edits]
        except ValueError:
            return Fitted(obstacle="it does not fit the text of the file, which may have changed")
        if any(start < stop for (_, stop), (start, _) in pairwise(intervals)):
            return Fitted(obstacle="its edits overlap")
        if self._loses_comment(edits, intervals):
            return Fitted(obstacle="a comment in the replaced text would be lost")
        return self._spelt(tuple(self._laid_out(edit) for edit in edits), rewrite.imports)

    def adopt(self, fitted: Fitted) -> None:
        """Count the imports of a rewrite as present for the rewrites that are fitted after it."""
        if self._names is not None:
            for needed in fitted.imports:
                self._names.add(needed)

    def complete(self, fitted: Fitted) -> tuple[Edit, ...]:
        """The edits of a rewrite with one more in front that adds its imports, for tools that know edits only."""
        if not fitted.imports or self._tree is None:
            return fitted.edits
        line = min(_import_line(self._tree), self.source.lines)
        text = "".join(f"{needed}{self.source.line_end(max(line - 1, 1))}" for needed in fitted.imports)
        return (Edit(Span(line, 1, line, 1), text), *fitted.edits)

    def _loses_comment(self, edits: tuple[Edit, ...], intervals: list[tuple[int, int]]) -> bool:
        for edit, (start, stop) in zip(edits, intervals, strict=True):
            if "#" not in self.source.text[start:stop]:
                continue
            for begin, end in self.source.comments:
                if start < end and begin < stop and self.source.text[begin:end] not in edit.text:
                    # An edit of nothing but a comment, and the space around it, means to change it.
                    code = self.source.text[start:begin] + self.source.text[end:stop]
                    if code.strip():
                        return True
        return False

    def _laid_out(self, edit: Edit) -> Edit:
        text = edit.text.replace("\r\n", "\n")
        if "\n" not in text:
            return edit
        indented = _indented(text, self.source.indentation(edit.span.line))
        return replace(edit, text=indented.replace("\n", self.source.line_end(edit.span.line)))

    def _spelt(self, edits: tuple[Edit, ...], imports: tuple[str, ...]) -> Fitted:
        if not imports:
            return Fitted(edits)
        if self._names is None:
            return Fitted(obstacle="the file cannot be parsed")
        needed: list[Import] = []
        for dotted in imports:
            plain = dotted.rpartition(".")[2]
            respelt = []
            for edit in edits:
                uses = _uses(edit.text, plain)
                if not uses:
                    respelt.append(edit)
                    continue
                spelling = self._names.spell(dotted, self._place(edit.span))
                if spelling is None:
                    return Fitted(obstacle=f"the names to write {dotted} with mean something else here")
                if spelling.text != plain and _uses(self.source.text[slice(*self.source.interval(edit.span))], plain):
                    return Fitted(obstacle=f"{plain} means something else here")
                if spelling.needs and spelling.needs not in needed:
                    needed.append(spelling.needs)
                respelt.append(replace(edit, text=_substituted(edit.text, uses, spelling.text)))
            edits = tuple(respelt)
        return Fitted(edits, tuple(needed))

    def _place(self, span: Span) -> Place:
        return span.line, len(self.source.line(span.line)[: span.column - 1].encode())


def parsed(text: str) -> ast.Module | None:
    """The syntax tree of a module; None when Python cannot parse it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except _UNPARSABLE:
            return None


def _import_line(tree: ast.Module) -> int:
    """The line to put new imports before: after the docstring and the block of imports that follows it."""
    line = 0
    for index, node in enumerate(tree.body):
        docstring = index == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not docstring and not isinstance(node, ast.Import | ast.ImportFrom):
            first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", ()))])
            return line + 1 if line else first
        line = node.end_lineno or node.lineno
    return line + 1


def _tokens(text: str) -> list[tokenize.TokenInfo]:
    """The tokens of a fragment, as far as they can be told."""
    tokens: list[tokenize.TokenInfo] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            tokens.append(token)
    except (tokenize.TokenError, SyntaxError):
        pass
    return tokens


def _uses(text: str, name: str) -> list[tuple[int, int]]:
    """Where a fragment uses a plain name: not as an attribute, nor as the keyword of an argument."""
    if name not in text:
        return []
    source, tokens = Source(text), _tokens(text)
    return [
        (source.offset(token.start[0], token.start[1] + 1), source.offset(token.end[0], token.end[1] + 1))
        for index, token in enumerate(tokens)
        if token.type == tokenize.NAME
        and token.string == name
        and not (index and tokens[index - 1].string == ".")
        and not (index + 1 < len(tokens) and tokens[index + 1].string == "=")
    ]


def _substituted(text: str, places: list[tuple[int, int]], new: str) -> str:
    for start, stop in reversed(places):
        text = text[:start] + new + text[stop:]
    return text


def _indented(text: str, margin: str) -> str:
    """`text` with its further lines moved to the right by `margin`.

    Lines inside a string stay as they are. So do the lines inside brackets when all of
    them stand right of the margin already: then they were copied from the source.
    """
    in_string: set[int] = set()
    in_bracket: set[int] = set()
    depth, line = 0, 1
    for token in _tokens(text):
        if not token.string.strip():
            continue
        if token.start[0] > line and depth:
            in_bracket.add(token.start[0])
        in_string.update(range(token.start[0] + 1, token.end[0] + 1))
        line = token.end[0]
        if token.type == tokenize.OP:
            depth += (token.string in "([{") - (token.string in ")]}")
    lines = text.split("\n")
    in_bracket -= in_string
    if all(lines[number - 1].startswith(margin) for number in in_bracket):
        in_string |= in_bracket
    return "\n".join(
        line if number == 1 or number in in_string or not line.strip() else margin + line
        for number, line in enumerate(lines, start=1)
    )
