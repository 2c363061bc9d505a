"""Comments that suppress findings.

::

    p = e / e.sum()  # numlint: ignore[naive-softmax] the logits are bounded
    # numlint: ignore[naive-softmax] on a line of its own: the next statement
    # numlint: file-ignore[NL6] anywhere in the file
    # numlint: off[NL1]
    ...
    # numlint: on[NL1]

In brackets stand names, codes or prefixes of codes; without brackets every rule is
meant. What follows is the reason. On the first or last line of a statement that
spans several the comment holds for all of it, on a line between for that line. A
comment that suppresses nothing is itself a finding, unless a rule that it names did
not run.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from numlint.finding import Confidence, Edit, Finding, Rewrite, Severity, Span, fingerprint
from numlint.rule import Hazard, Rule
from numlint.selection import EVERYTHING, UnknownSelector, is_exact, resolve

if TYPE_CHECKING:
    from numlint.function import Function

MARK = "numlint:"
ACTIONS = ("ignore", "file-ignore", "off", "on")


def _no_hazard(function: Function) -> Iterable[Hazard]:
    """Comments are no part of the mathematics."""
    return ()


UNUSED = Rule(
    name="unused-suppression",
    code="NL001",
    summary="A suppression comment that suppresses nothing.",
    page="""\
A suppression comment that suppresses nothing.

A `# numlint: ...` comment is unused when the code that it excused has changed, names
a rule that does not exist, or is misspelt. A stale one would hide the next real
finding on its line. `--fix` removes it, or the names in it that are not needed.

A comment is only called unused when every rule that it names was run: with
`--select` or a setting for the path, the others may still need it. To keep one that
is not always needed, name this rule in it too:
`# numlint: ignore[naive-softmax, unused-suppression]`.
""",
    triggers=frozenset(),
    signature="",
    severity=Severity.WARNING,
    check=_no_hazard,
    module=__name__,
)

_DIRECTIVE = re.compile(r"#\s*numlint:\s*(?P<action>[\w-]*)[ \t]*(?:\[(?P<names>[^]#]*)\])?(?P<reason>[^#]*)")
_LAYOUT = {tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


@dataclass(frozen=True)
class Directive:
    """One comment.

    Attributes
    ----------
    action : str
        One of `ACTIONS`, or what was written instead.
    selectors : tuple of str or None
        None when there are no brackets: every rule.
    reason : str
    span : Span
        Of the text from the hash on; the comment may hold other remarks before it.
    lines : range
        The lines that an `ignore` holds for.
    fault : str
        Why the comment cannot be understood; it then suppresses nothing.
    """

    action: str
    selectors: tuple[str, ...] | None
    reason: str
    span: Span
    text: str
    lines: range = range(0)
    fault: str = ""


@dataclass(frozen=True)
class Suppression:
    """What the comments of a file make of its findings."""

    kept: list[Finding]
    suppressed: int
    unused: list[Finding]


def directives(text: str) -> list[Directive]:
    """Find the suppression comments of a file, in order; a hash within a string is none."""
    found: list[Directive] = []
    waiting: list[int] = []  # comments on lines of their own, for the statement that follows
    inside: list[int] = []  # comments within a statement
    start = 0
    for token in _tokens(text):
        line = token.start[0]
        if token.type == tokenize.COMMENT:
            own_line = not token.line[: token.start[1]].strip()
            for directive in _parse(token):
                (waiting if own_line else inside).append(len(found))
                found.append(replace(directive, lines=range(0) if own_line else range(line, line + 1)))
        elif token.type == tokenize.NEWLINE:
            for index in inside:
                if found[index].span.line <= start or found[index].span.line == line:
                    found[index] = replace(found[index], lines=range(start, line + 1))
            start, inside = 0, []
        elif token.type not in _LAYOUT:
            if start:
                # Inside brackets a comment above a line holds for that line.
                for index in waiting:
                    found[index] = replace(found[index], lines=range(line, line + 1))
                waiting = []
            else:
                start, inside, waiting = line, inside + waiting, []
                for index in inside:
                    found[index] = replace(found[index], lines=range(line, line + 1))
    return found


def apply(
    text: str, path: str, findings: Iterable[Finding], *, ran: Sequence[Rule], known: Sequence[Rule]
) -> Suppression:
    """Take away the findings that comments suppress, and find the comments that are not used.

    Parameters
    ----------
    text : str
        The decoded file.
    path : str
    findings : iterable of Finding
        Of this file, at every confidence.
    ran : sequence of Rule
        The rules that produced them.
    known : sequence of Rule
        All rules that a comment may name.
    """
    present = directives(text)
    scopes = [_Scope(directive, known) for directive in present]
    kept, suppressed = [], 0
    for finding in findings:
        scope = _suppressor(finding, scopes)
        if scope is None:
            kept.append(finding)
        else:
            suppressed += 1
    names = {rule.name for rule in ran}
    unused = []
    if UNUSED.name in names:
        lines = io.StringIO(text, newline="").readlines()
        remarks = (scope.remark(path, names, scopes, lines) for scope in scopes)
        unused = [remark for remark in remarks if remark and _suppressor(remark, scopes) is None]
    return Suppression(kept, suppressed, _numbered(unused, path))


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    try:
        yield from tokenize.generate_tokens(io.StringIO(text, newline="").readline)
    except (tokenize.TokenError, SyntaxError):
        return  # Broken source: the comments up to the break hold.


def _parse(token: tokenize.TokenInfo) -> Iterator[Directive]:
    line, column = token.start
    for match in _DIRECTIVE.finditer(token.string):
        action, reason = match["action"], match["reason"].strip()
        selectors = None if match["names"] is None else tuple(filter(None, map(str.strip, match["names"].split(","))))
        text = match.group().rstrip()
        begin = column + match.start() + 1
        yield Directive(
            action,
            selectors,
            reason.lstrip(":- "),
            Span(line, begin, line, begin + len(text)),
            text,
            fault=_fault(action, selectors, reason),
        )


def _fault(action: str, selectors: tuple[str, ...] | None, reason: str) -> str:
    if action not in ACTIONS:
        import difflib

        close = difflib.get_close_matches(action, ACTIONS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"one of {', '.join(ACTIONS)}"
        return f"`# {MARK} {action}` means nothing; {hint}"
    if selectors is None and reason.startswith("["):
        return f"`# {MARK} {action}[...` has no closing bracket"
    if selectors == ():
        return f"`# {MARK} {action}[]` names no rule; leave the brackets away to mean every rule"
    return ""


class _Scope:
    """A comment, what its names mean, and which of them were needed."""

    def __init__(self, directive: Directive, known: Sequence[Rule]) -> None:
        self.directive = directive
        self.unknown: dict[str, UnknownSelector] = {}
        self.meant: dict[str, frozenset[str]] = {}
        self.used: set[str] = set()
        for selector in directive.selectors if directive.selectors is not None else (EVERYTHING,):
            try:
                meant = resolve(selector, known)
                # Only its own name excuses an unused comment, not a prefix.
                self.meant[selector] = meant if is_exact(selector, UNUSED) else meant - {UNUSED.name}
            except UnknownSelector as error:
                self.unknown[selector] = error

    def names(self, rule: str) -> bool:
        return not self.directive.fault and any(rule in names for names in self.meant.values())

    def use(self, rule: str) -> None:
        self.used.update(selector for selector, names in self.meant.items() if rule in names)

    def remark(self, path: str, ran: set[str], scopes: Sequence[_Scope], lines: Sequence[str]) -> Finding | None:
        """Say what is wrong with the comment, if anything is."""
        directive = self.directive
        if directive.fault:
            return self._finding(path, directive.fault, None)
        if directive.action == "on":
            self.used.update(
                selector
                for scope in scopes
                if scope.directive.action == "off" and scope.directive.span < directive.span
                for selector, names in self.meant.items()
                if any(names & off for off in scope.meant.values())
            )
        idle = [
            selector
            for selector, names in self.meant.items()
            if selector not in self.used and names <= ran and UNUSED.name not in names
        ]
        if self.names(UNUSED.name) or not (idle or self.unknown):
            return None
        parts = [str(error) for error in self.unknown.values()]
        if idle and directive.action == "on":
            parts.insert(0, "nothing is switched off here")
        elif idle and directive.selectors is None:
            parts.insert(0, "it suppresses nothing")
        elif idle:
            parts.insert(0, f"it suppresses no finding of {', '.join(idle)}")
        return self._finding(path, f"unused suppression: {'; '.join(parts)}", self._removal(idle, lines))

    def _removal(self, idle: Sequence[str], lines: Sequence[str]) -> Rewrite | None:
        directive, span = self.directive, self.directive.span
        line = lines[span.line - 1]
        left = [selector for selector in directive.selectors or () if selector not in idle]
        if not idle or (left and set(left) <= self.unknown.keys()):
            return None
        if left:
            start = line.index("[", span.column - 1) + 1
            edit = Edit(Span(span.line, start + 1, span.line, line.index("]", start) + 1), ", ".join(left))
            return Rewrite("name only the rules that are needed", (edit,))
        before, after = line[: span.column - 1].rstrip(), line[span.end_column - 1 :].strip()
        end = span.end_column
        if after:  # other remarks follow in the same comment
            end += len(line[end - 1 :]) - len(line[end - 1 :].lstrip())
            edit = Edit(Span(span.line, span.column, span.line, end), "")
        elif before:
            edit = Edit(Span(span.line, len(before) + 1, span.line, len(line.rstrip("\r\n")) + 1), "")
        elif span.line < len(lines):
            edit = Edit(Span(span.line, 1, span.line + 1, 1), "")
        else:
            edit = Edit(Span(span.line, 1, span.line, len(line.rstrip("\r\n")) + 1), "")
        return Rewrite("remove the comment", (edit,))

    def _finding(self, path: str, message: str, rewrite: Rewrite | None) -> Finding:
        return Finding(
            rule=UNUSED.name,
            code=UNUSED.code,
            path=path,
            span=self.directive.span,
            function="",
            message=message,
            confidence=Confidence.CERTAIN,
            severity=UNUSED.severity,
            signature=UNUSED.signature,
            framework="",
            rewrite=rewrite,
        )


def _suppressor(finding: Finding, scopes: Sequence[_Scope]) -> _Scope | None:
    """Find the narrowest comment that suppresses a finding, and note that it is used."""
    candidates = [scope for scope in scopes if scope.names(finding.rule)]
    span = finding.span
    chosen = [
        scope
        for scope in candidates
        if scope.directive.action == "ignore"
        and span.line < scope.directive.lines.stop
        and span.end_line >= scope.directive.lines.start
        and scope.directive.lines
    ][:1]
    if not chosen:
        # The last switch before the finding decides.
        switches = [
            scope
            for scope in candidates
            if scope.directive.action in ("off", "on") and scope.directive.span.line <= span.line
        ]
        chosen = [scope for scope in switches[-1:] if scope.directive.action == "off"]
    if not chosen:
        chosen = [scope for scope in candidates if scope.directive.action == "file-ignore"][:1]
    for scope in chosen:
        scope.use(finding.rule)
        return scope
    return None


def _numbered(findings: Sequence[Finding], path: str) -> list[Finding]:
    seen: dict[str, int] = {}
    numbered = []
    for finding in findings:
        seen[finding.message] = seen.get(finding.message, -1) + 1
        mark = fingerprint(finding.rule, path, "", finding.message, seen[finding.message])
        numbered.append(replace(finding, fingerprint=mark))
    return numbered
