"""The function as rules see it: sites, facts and source text.

A `Function` joins the expression graph of one function body (or of a module's top
level) with the facts about its values, and knows how to say things in the user's
own words: the text of an expression, the local name of a library function, the
edit that replaces an expression.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cached_property

from numlint.facts import denominators
from numlint.facts.interpreter import Facts
from numlint.facts.precision import Format, dtype_of, working_format
from numlint.facts.provenance import Source, is_imaginary, presumed_sign, sources
from numlint.facts.range import Range
from numlint.facts.vanishing import Zero, why_zero
from numlint.finding import Edit, Rewrite, Safety, Span, Step
from numlint.graph import vocabulary
from numlint.graph.callers import Argument, arguments
from numlint.graph.lowering import Body
from numlint.graph.module import ClassDefinition, Module
from numlint.graph.site import Loop, Site
from numlint.graph.uses import Uses
from numlint.graph.value import Value

_WITHOUT_GRADIENT = frozenset({"no_grad", "inference_mode"})
_COMPILERS = frozenset({"njit", "jit", "vectorize", "guvectorize"})
_LITERAL = frozenset("const list tuple view cast neg arange linspace zeros ones full".split())
_ROUNDED = 0.005
"""The thresholds of exp are given to two decimals."""
_MAX_COMPOSED = 600
_REPAIRS = frozenset({"isnan", "isinf", "isfinite", "nan_to_num"})
_ELEMENTWISE = frozenset("mul div add sub neg sqrt square store index join phi abs pow where appended list".split())
_REPEATING = (
    *(ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp),
    *(ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef),
)
_DOTTED = re.compile(r"(?<![\w.])(?:numpy|scipy|torch|jax|tensorflow|math|sklearn|autograd)(?:\.\w+)+")


class Function:
    """One analysed function.

    Attributes
    ----------
    name : str
        Qualified name, ``"<module>"`` for the top level.
    module : Module
    body : Body
    facts : Facts
    """

    def __init__(self, body: Body) -> None:
        self.body = body
        self.module: Module = body.module
        self.name = body.definition.qualname if body.definition is not None else "<module>"
        self.facts = Facts(body.analysis.carried)
        self._by_op: dict[str, list[Site]] = {}
        for site in body.sites:
            self._by_op.setdefault(site.value.op, []).append(site)

    # -- what is computed ---------------------------------------------------------------

    def sites(self, *ops: str) -> Iterator[Site]:
        """Iterate over the sites of some operations, in source order; of all when none is named.

        Operations inside helpers are not sites of the caller: the helper is analysed itself.
        """
        if not ops:
            yield from self.body.sites
            return
        found = [site for op in ops for site in self._by_op.get(op, ())]
        if len(ops) > 1:
            found.sort(key=lambda site: site.clock)
        yield from found

    def composed(self, *ops: str) -> Iterator[Site]:
        """Iterate over operations that a helper applies to what this function computed, each at the call of the helper.

        ``log(total)`` with a helper ``log`` that adds an epsilon is such an operation. Those
        that the helper applies to its own results are found where it is defined.
        """
        own = {site.value.id for site in self.body.sites}
        seen: set[int] = set()
        for call in self.body.inlined:
            stack = [call.value]
            while stack:
                value = stack.pop()
                if value.id in own or value.id in seen or len(seen) > _MAX_COMPOSED:
                    continue
                seen.add(value.id)
                if value.op in ops:
                    yield Site(value, call.node, call.path, call.clock, value.framework or call.framework, call.loops)
                stack.extend(value.args)

    @property
    def loops(self) -> list[Loop]:
        """Loops of the body, outer ones first."""
        return self.body.loops

    @property
    def owner(self) -> ClassDefinition | None:
        """Class that the function is a method of."""
        return self.body.definition.owner if self.body.definition is not None else None

    @property
    def compiled(self) -> bool:
        """Whether numba compiles the function: it knows numpy and math, not scipy."""
        definition = self.body.definition
        return "numba" in self.module.roots and definition is not None and bool(definition.decorators & _COMPILERS)

    @property
    def framework(self) -> str:
        """Framework that most sites use."""
        counts: dict[str, int] = {}
        for site in self.body.sites:
            if site.framework:
                counts[site.framework] = counts.get(site.framework, 0) + 1
        return max(counts, key=lambda name: counts[name]) if counts else ""

    def used_by(self, value: Value) -> Iterator[Site]:
        """Iterate over the sites that have `value` as a direct operand, layout apart."""
        for site in self.body.sites:
            if any(argument.core is value.core for argument in site.value.args):
                yield site

    @cached_property
    def uses(self) -> Uses:
        """Consumers of each value of the body."""
        body = self.body
        values = [site.value for site in body.sites]
        values += [result.value for result in body.returns]
        values += [value for history in body.bindings.values() for _, value in history]
        return Uses(values)

    # -- what is known ------------------------------------------------------------------

    def range(self, value: Value, site: Site | None = None) -> Range:
        """Range of a value at a site, guards included."""
        return self.facts.range(value, site.path if site is not None else None)

    def range_kept(self, value: Value, site: Site) -> Range | None:
        """Range of a value where the result of the site is kept, when a ``where`` or a mask selects all of its uses.

        None when some use of the result is not selected.
        """
        known: Range | None = None
        for condition, holds in self.uses.selections(site.value):
            selected = self.facts.range(value, self.facts.under(site.path, condition, holds))
            known = selected if known is None else known.join(selected)
        return known

    def why_zero(self, value: Value, site: Site) -> Zero | None:
        """Why a value can be zero at a site, or None when nothing speaks for it."""
        zero = why_zero(value, site.path, self.facts, self.body.analysis.carried, self.arguments)
        if zero is not None and zero.kind == "share" and zero.source.op == "param":
            # A caller's counts have empty cells; what an object was made with is its owner's to judge.
            return zero._replace(sure=zero.source.attr("function") is self.body.definition)
        return zero

    def zero_of_log(self, site: Site) -> Zero | None:
        """Why the argument of a logarithm can be zero; None when nothing speaks for it or it is provided for.

        Provided for: a range without zero, a ``where`` or mask that keeps none of the
        infinite results, an ``errstate`` that says that they are meant, a caught
        ``ValueError`` of `math.log`.
        """
        argument = site.value.args[0]
        zero = self.why_zero(argument, site)
        if zero is None:
            return None
        selections = self.uses.selections(site.value)
        paths = [self.facts.under(site.path, condition, holds) for condition, holds in selections]
        loops = self.body.analysis.carried
        if paths and not any(why_zero(argument, path, self.facts, loops, self.arguments) for path in paths):
            return None
        if site.framework == "python" and site.catches("ValueError", "ArithmeticError"):
            return None
        return None if site.framework == "numpy" and _ignores_division(site) else zero

    def arguments(self, parameter: Value) -> tuple[Argument, ...]:
        """What the callers in the module pass for a parameter, each with the conditions under which they do."""
        return arguments(self.body.analysis, parameter)

    def is_repaired(self, value: Value) -> bool:
        """Whether nan or infinite elements of a value are asked for, replaced or left out afterwards."""
        stack, seen = [(value, 0)], {value.id}
        while stack:
            current, depth = stack.pop()
            for consumer in self.uses.of(current):
                if consumer.op in _REPAIRS or consumer.attr("skipnan") or _compares_with_infinity(consumer):
                    return True
                if consumer.op in _ELEMENTWISE and depth < 4 and consumer.id not in seen:
                    seen.add(consumer.id)
                    stack.append((consumer, depth + 1))
        return False

    def zero_denominator(self, value: Value, site: Site) -> denominators.Zero | None:
        """Say why a denominator can be zero at a site on ordinary data, or None."""
        return denominators.vanishing(value, self.facts, self.body.analysis.carried, site.path, self.arguments)

    def sources(self, value: Value, site: Site) -> tuple[Source, ...]:
        """Values that decide how large an exponent can be at a site; those of a parameter are what the callers pass."""
        analysis = self.body.analysis
        limit = self.format(value, site).exp_overflow
        return sources(
            value,
            lambda other: self.range(other, site).magnitude <= limit,
            analysis.carried,
            lambda parameter: [argument.value for argument in self._passed(parameter)],
        )

    def dtype(self, value: Value) -> str:
        """Dtype of a value, or ``""``."""
        return dtype_of(value)

    def format(self, value: Value, site: Site | None = None) -> Format:
        """Floating-point format that a value is computed in."""
        return working_format(value, site.framework if site is not None else "")

    def range_passed(self, value: Value, site: Site) -> Range:
        """Range of a value at a site; a parameter has that of what the module's own callers pass for it."""
        known = self.range(value, site)
        if value.op != "param" or not known.unknown:
            return known
        passed = [self.facts.range(item.value, item.path) for item in self._passed(value)]
        for index, other in enumerate(passed):
            known = other if index == 0 else known.join(other)
        return known

    def _passed(self, parameter: Value) -> list[Argument]:
        """What the callers pass for a parameter, the literals of demonstrations and tests left out."""
        return [item for item in arguments(self.body.analysis, parameter) if not _is_literal(item.value)]

    def presumed_sign(self, value: Value, site: Site) -> int:
        """Sign that a value has by its form at a site: -1, +1, or 0 when nothing suggests one."""
        return presumed_sign(value, lambda other: self.range_passed(other, site))

    def exp_overflow(self, exponent: Value, site: Site) -> str:
        """Whether ``exp(exponent)`` can overflow: ``"no"``, ``"yes"``, or ``"discarded"`` when only unused results do.

        A branch of ``np.where`` is computed everywhere and kept where it is selected.
        """
        limit = self.format(exponent, site).exp_overflow + _ROUNDED
        if self.range(exponent, site).hi <= limit:
            return "no"
        if self.presumed_sign(exponent, site) < 0 or is_imaginary(exponent):
            return "no"
        kept = self.range_kept(exponent, site)
        return "discarded" if kept is not None and kept.hi <= limit else "yes"

    def differentiates(self, site: Site) -> bool:
        """Whether the site belongs to a framework with automatic differentiation, and is not excepted from it."""
        if site.framework not in vocabulary.AUTODIFF:
            return False
        if self.body.definition is not None and self.body.definition.decorators & _WITHOUT_GRADIENT:
            return False
        for context in site.contexts():
            callee = context.args[0] if context.op == "call" and context.args else context
            if str(callee.attr("name")).rpartition(".")[2] in _WITHOUT_GRADIENT:
                return False
        return True

    # -- how it is written --------------------------------------------------------------

    def span(self, node: ast.AST) -> Span:
        """Region of a node: lines and columns from 1, columns in characters."""
        lines = self.module.lines
        line, end = getattr(node, "lineno", 1), getattr(node, "end_lineno", 1)
        return Span(
            line,
            _characters(lines, line, getattr(node, "col_offset", 0)) + 1,
            end,
            _characters(lines, end, getattr(node, "end_col_offset", 0)) + 1,
        )

    def text(self, node: ast.AST) -> str:
        """Source text of a node."""
        span = self.span(node)
        lines = self.module.lines[span.line - 1 : span.end_line]
        if not lines:
            return ""
        lines[-1] = lines[-1][: span.end_column - 1]
        lines[0] = lines[0][span.column - 1 :]
        return "".join(lines)

    def spell(self, value: Value, site: Site) -> str | None:
        """Source text that means `value` at `site`, or None when there is none.

        A literal, a name that is bound to it there, or an expression that computed it
        and whose names are still bound to the same values.
        """
        if value.op == "const":
            return repr(value.constant)
        within = {id(node) for node in ast.walk(site.node)}
        candidates = [node for node, known in self.body.nodes.items() if known is value]
        for node in candidates:
            if id(node) in within and node is not site.node:
                return self.text(node)
        for name, history in self.body.bindings.items():
            if name.startswith("<"):
                continue
            if self._bound(name, site.clock) is value and history:
                return name
        for node in candidates:
            if self._unchanged(node, site):
                return self.text(node)
        return None

    def operand(self, value: Value, site: Site) -> str | None:
        """Spell a value so that it can stand as an operand or an argument: bracketed where needed."""
        text = self.spell(value, site)
        if text is None:
            return None
        try:
            node = ast.parse(text, mode="eval").body
        except SyntaxError:
            return None
        simple = isinstance(node, (ast.Name, ast.Constant, ast.Attribute, ast.Call, ast.Subscript, ast.Tuple))
        return text if simple else f"({text})"

    def spell_negated(self, value: Value, site: Site) -> str | None:
        """Source text that means ``-value`` at `site`, fit to stand as an argument: without a double negation."""
        if value.op == "neg" and (text := self.spell(value.args[0], site)) is not None:
            return text
        for node, known in self.body.nodes.items():
            if known is not value or not self._unchanged(node, site):
                continue
            leftmost = node
            while isinstance(leftmost, ast.BinOp) and isinstance(leftmost.op, (ast.Mult, ast.Div, ast.MatMult)):
                leftmost = leftmost.left
            if isinstance(leftmost, ast.UnaryOp) and isinstance(leftmost.op, ast.USub):
                negative = self.text(node)
                if negative.startswith("-"):
                    inner = negative[1:].lstrip()
                    return inner[1:-1] if leftmost is node and _is_bracketed(inner) else inner
        text = self.operand(value, site)
        return None if text is None else f"-{text}"

    def _bound(self, name: str, clock: int) -> Value | None:
        current = None
        for moment, value in self.body.bindings.get(name, ()):
            if moment > clock:
                break
            current = value
        return current

    def _unchanged(self, node: ast.AST, site: Site) -> bool:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load):
                now = self._bound(inner.id, site.clock)
                then = self.body.nodes.get(inner)
                if now is not None and then is not None and now is not then:
                    return False
        return True

    def step(self, value: Value, site: Site) -> Step | None:
        """Where a value comes from, when that is another line than the site's."""
        line = getattr(site.node, "lineno", 0)
        for node, known in self.body.nodes.items():
            if (
                known is value
                and not isinstance(node, (ast.Name, ast.Constant))
                and getattr(node, "lineno", line) < line
            ):
                names = [name for name, history in self.body.bindings.items() if any(v is value for _, v in history)]
                return Step(self.span(node), f"`{names[0]}` comes from here" if names else "comes from here")
        return None

    @cached_property
    def _parents(self) -> dict[ast.AST, ast.AST]:
        parents: dict[ast.AST, ast.AST] = {}
        for node in ast.walk(self.body.node):
            for child in ast.iter_child_nodes(node):
                parents[child] = node
        return parents

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Syntactic parent of a node."""
        return self._parents.get(node)

    def statement(self, node: ast.AST) -> ast.stmt | None:
        """Statement that a node belongs to."""
        current: ast.AST | None = node
        while current is not None and not isinstance(current, ast.stmt):
            current = self._parents.get(current)
        return current

    def repeaters(self, node: ast.AST) -> list[ast.AST]:
        """Loops, comprehensions and nested functions around a node, innermost first: what evaluates it repeatedly."""
        found: list[ast.AST] = []
        current = self.parent(node)
        while current is not None:
            if isinstance(current, _REPEATING) and current is not self.body.node:
                found.append(current)
            current = self.parent(current)
        return found

    # -- how it should be written -------------------------------------------------------

    def local_name(self, dotted: str) -> tuple[str, str]:
        """Return how the module calls a library function, and what must be imported for it (or ``""``)."""
        best = ("", "")
        for alias, target in self.module.imports.items():
            if dotted == target:
                return alias, ""
            if dotted.startswith(f"{target}.") and len(target) > len(best[1]):
                if target in ("scipy", "jax", "torch") and dotted.count(".") > 1 and not self._submodule(dotted):
                    continue
                best = (alias, target)
        if best[1]:
            return best[0] + dotted[len(best[1]) :], ""
        return dotted.rpartition(".")[2], dotted

    def _submodule(self, dotted: str) -> bool:
        """Whether ``import scipy`` style access reaches a submodule: torch loads its own, scipy needs the import."""
        if dotted.startswith(("torch.", "jax.numpy.", "jax.nn.")):
            return True
        prefix = dotted.rpartition(".")[0]
        return re.search(rf"^\s*import\s+{re.escape(prefix)}\b", self.module.source, re.MULTILINE) is not None

    def rewrite(
        self,
        node: ast.AST,
        text: str,
        summary: str,
        *,
        safety: Safety = Safety.SAFE,
        reason: str = "",
        extra: tuple[Edit, ...] = (),
    ) -> Rewrite:
        """Rewrite that replaces `node` by `text`, in which library functions stand by their full dotted names.

        `extra` edits belong to it, such as the removal of a statement that is no longer needed.
        """
        imports: list[str] = []

        def localise(match: re.Match[str]) -> str:
            local, needed = self.local_name(match.group())
            if needed and needed not in imports:
                imports.append(needed)
            return local

        edits = sorted((Edit(self.span(node), _DOTTED.sub(localise, text)), *extra), key=lambda edit: edit.span)
        if self._repeats_call(text, [edit.span for edit in edits]):
            safety, reason = Safety.DISPLAY, "it would call code twice that is called once"
        return Rewrite(summary, tuple(edits), tuple(imports), safety, reason)

    def _repeats_call(self, text: str, gone: list[Span]) -> bool:
        """Whether `text` makes a call of unknown code that stays elsewhere, outside the regions that go."""
        if "(" not in text:
            return False
        stays: dict[str, bool] = {}
        for node, value in self.body.nodes.items():
            if not isinstance(node, ast.Call) or value.op not in ("call", "draw", "unknown"):
                continue
            if (written := self.text(node)) in text:
                span = self.span(node)
                inside = any(region.line <= span.line and span.end_line <= region.end_line for region in gone)
                stays[written] = stays.get(written, True) and not inside
        return any(stays.values())

    def advice(self, summary: str) -> Rewrite:
        """Cure that cannot be spelt as an edit here; it is shown."""
        return Rewrite(summary, safety=Safety.DISPLAY, reason="needs a decision that only the author can take")

    def removal(self, statement: ast.stmt | None, *consumers: ast.AST) -> Edit | None:
        """Edit that removes ``name = ...`` when only `consumers` read the name; None otherwise."""
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            return None
        target = statement.targets[0]
        if not isinstance(target, ast.Name) or self.reads(target.id, *consumers):
            return None
        return self.deletion(statement)

    def deletion(self, statement: ast.stmt) -> Edit | None:
        """Edit that deletes the lines of a statement; None when it shares them, or is alone in its block."""
        span = self.span(statement)
        lines = self.module.lines
        before, after = lines[span.line - 1][: span.column - 1], lines[span.end_line - 1][span.end_column - 1 :]
        if before.strip() or after.strip() or len(getattr(self.parent(statement), "body", ())) < 2:
            return None
        return Edit(Span(span.line, 1, span.end_line + 1, 1), "")

    def removals(self, value: Value, consumer: ast.AST) -> tuple[Edit, ...]:
        """Edits that remove the assignments of `value` to names that only `consumer` reads."""
        found: list[Edit] = []
        for node, known in self.body.nodes.items():
            if known.core is value.core:
                statement = self.parent(node)
                edit = self.removal(statement, consumer) if isinstance(statement, ast.Assign) else None
                if edit is not None and edit not in found:
                    found.append(edit)
        return tuple(found)

    def unneeded(self, node: ast.AST, text: str) -> tuple[Edit, ...]:
        """Edits that remove the assignments that are read no more when `text` takes the place of `node`.

        Only plain assignments are removed; a call of unknown code stays, unless `text` repeats it.
        """
        if self.body.definition is None:
            return ()
        kept = set(re.findall(r"[^\W\d]\w*", text))
        gone: list[ast.AST] = [node]
        found: dict[ast.stmt, Edit] = {}
        for region in gone:
            for name in {inner.id for inner in ast.walk(region) if isinstance(inner, ast.Name)} - kept:
                statement = self._sole_assignment(name)
                if statement is None or statement in found or self._loses_call(statement, text):
                    continue
                edit = self.removal(statement, *gone, statement)
                siblings = getattr(self.parent(statement), "body", ())
                if edit is not None and any(other not in found and other is not statement for other in siblings):
                    found[statement] = edit
                    gone.append(statement)
        return tuple(found.values())

    def _sole_assignment(self, name: str) -> ast.stmt | None:
        stores = [
            node
            for node in ast.walk(self.body.node)
            if isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load)
        ]
        return self.statement(stores[0]) if len(stores) == 1 else None

    def _loses_call(self, statement: ast.stmt, text: str) -> bool:
        """Whether a statement calls unknown code that `text` does not call in its place."""
        return any(
            isinstance(node, ast.Call)
            and (node not in self.body.nodes or self.body.nodes[node].op in ("call", "draw", "unknown"))
            and self.text(node) not in text
            for node in ast.walk(statement)
        )

    def reads(self, name: str, *outside: ast.AST) -> bool:
        """Whether a name is read anywhere outside the subtrees `outside`."""
        inside = {id(node) for subtree in outside for node in ast.walk(subtree)}
        return any(
            isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load) and id(node) not in inside
            for node in ast.walk(self.body.node)
        )


def _is_literal(value: Value) -> bool:
    """Whether a value is written down rather than computed from anything."""
    return all(inner.op in _LITERAL for inner in value.walk(100))


def _is_bracketed(text: str) -> bool:
    """Whether the first bracket of a text closes at its end."""
    depth = 0
    for position, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return position == len(text) - 1 and position > 0
    return False


def _ignores_division(site: Site) -> bool:
    """Whether an enclosing ``np.errstate`` silences division by zero, which log(0) counts as."""
    for context in site.contexts():
        callee = context.args[0] if context.op == "call" and context.args else context
        if str(callee.attr("name")).endswith("numpy.errstate"):
            keywords = dict(context.attr("keywords") or ())
            if any(name in keywords and keywords[name].constant == "ignore" for name in ("divide", "all")):
                return True
    return False


def _compares_with_infinity(value: Value) -> bool:
    return value.op in ("eq", "ne", "lt", "le") and any(
        abs(side.core.number or 0.0) == float("inf") for side in value.args
    )


def _characters(lines: list[str], line: int, offset: int) -> int:
    """Column in characters of a column in UTF-8 bytes."""
    if not 0 < line <= len(lines):
        return offset
    text = lines[line - 1]
    if text.isascii():
        return offset
    return len(text.encode()[:offset].decode(errors="ignore"))
