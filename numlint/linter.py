"""Check one file: parse, lower the functions that a rule has a trigger in, run the rules, make findings.

Nothing here prints, and nothing runs the code that is read. A function that cannot
be lowered, or a rule that fails on it, is a `Problem` with its place; everything
else is still checked.
"""

from __future__ import annotations

import ast
import sys
import traceback
import warnings
from collections.abc import Iterable, Iterator, Sequence

from numlint.finding import Confidence, Finding, Problem, fingerprint
from numlint.function import Function
from numlint.graph.frame import Analysis
from numlint.graph.lowering import Body, lower_function, lower_module
from numlint.graph.module import Definition, Module
from numlint.graph.project import Project, decode, package_of
from numlint.rule import Hazard, Rule
from numlint.suspect import Suspects

RECURSION_LIMIT = 6000


def check_source(
    source: bytes,
    path: str,
    rules: Sequence[Rule] | Suspects,
    project: Project | None = None,
    identity: str = "",
) -> tuple[list[Finding], list[Problem]]:
    """Check one file.

    Parameters
    ----------
    source : bytes
        Content of the file.
    path : str
        For messages, and to resolve imports of the project's own modules.
    rules : sequence of Rule, or Suspects
        Suspects made of the rules once serve for many files.
    project : Project, optional
        Shared over the files of one run.
    identity : str
        Path that fingerprints are made with, so that they do not depend on the
        folder that the check was started from; `path` when empty.

    Returns
    -------
    findings : list of Finding
        Sorted by place.
    problems : list of Problem
        Why the file, or a part of it, could not be checked.
    """
    suspects = rules if isinstance(rules, Suspects) else Suspects(rules)
    if not suspects.file(source):
        return [], []
    suspicion = suspects.examine(source)
    module, problem = _parse(source, path, suspicion.source)
    if module is None:
        return [], [problem] if problem is not None else []
    findings: list[Finding] = []
    problems: list[Problem] = []
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, RECURSION_LIMIT))
    try:
        checker = _Checker(module, project or Project(), identity or path)
        for finding in checker.run(suspicion.functions(module)):
            if isinstance(finding, Finding):
                findings.append(finding)
            else:
                problems.append(finding)
    finally:
        sys.setrecursionlimit(limit)
    findings.sort(key=lambda item: (item.span, item.code))
    return findings, problems


def _parse(source: bytes, path: str, thinned: bytes) -> tuple[Module | None, Problem | None]:
    if b"\0" in source[:8192]:
        return None, Problem(path, "binary file: it holds NUL bytes", "exclude it, or rename it if it is not Python")
    try:
        text = decode(source)
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        hint = "save the file as UTF-8, or declare its encoding on the first line"
        return None, Problem(path, f"cannot decode byte 0x{source[error.start]:02x} as {error.encoding}", hint, line)
    except SyntaxError as error:
        return None, Problem(path, f"cannot read the file: {error.msg}", "correct the coding line", 1)
    try:
        tree = _tree(text, source, thinned)
    except SyntaxError as error:
        hint = "numlint reads Python 3; this looks like Python 2" if _looks_like_python2(text) else ""
        line, column = error.lineno or 1, error.offset or 1
        return None, Problem(path, f"syntax error: {error.msg}", hint, line, column)
    except (RecursionError, MemoryError):
        return None, Problem(path, "an expression is nested too deeply to be parsed", "split it, or exclude the file")
    except ValueError as error:
        return None, Problem(path, f"cannot parse the file: {error}", "")
    return Module(tree, text, path, package=package_of(path)), None


def _tree(text: str, source: bytes, thinned: bytes) -> ast.Module:
    """Syntax tree of a file, of which the functions are empty that nothing suspicious needs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if source.isascii() or text.encode() == source:
            try:
                return ast.parse(thinned)
            except (SyntaxError, ValueError):
                pass  # the outline was misled, or the file is wrong: the whole text tells
        return ast.parse(text)


def _looks_like_python2(text: str) -> bool:
    import re

    pattern = r"^\s*(print\s+[^(=\s]|exec\s+['\"]|except\s+\w+\s*,\s*\w+\s*:|raise\s+\w+\s*,)"
    return re.search(pattern, text, re.MULTILINE) is not None


def most_specific(hazards: Sequence[tuple[Rule, Hazard]]) -> list[tuple[Rule, Hazard]]:
    """Leave out hazards that another rule's hazard, at least as sure, explains."""
    ranked = sorted(hazards, key=lambda pair: (-len(pair[1].explains), pair[0].code))
    explained: dict[int, list[tuple[str, Confidence]]] = {}
    kept = []
    for rule, hazard in ranked:
        reasons = explained.get(hazard.site.value.id, ())
        if any(name != rule.name and confidence >= hazard.confidence for name, confidence in reasons):
            continue
        kept.append((rule, hazard))
        for value in hazard.explains:
            explained.setdefault(value.id, []).append((rule.name, hazard.confidence))
    return kept


class _Checker:
    """Runs rules over the functions of one module."""

    def __init__(self, module: Module, project: Project, identity: str) -> None:
        self.module = module
        self.identity = identity
        self.analysis = Analysis(module, project)
        self.bodies: dict[Definition, Body] = {}
        self.seen: dict[tuple[str, str, str], int] = {}
        self.reported: set[tuple[str, int, int]] = set()

    def run(self, suspected: Iterable[tuple[tuple[Rule, ...], Definition | None]]) -> Iterator[Finding | Problem]:
        for rules, definition in suspected:
            where = definition.qualname if definition is not None else "<module>"
            line = definition.node.lineno if definition is not None else 1
            try:
                function = Function(self._body(definition))
            except RecursionError:
                what = f"{where} is nested too deeply to be analysed"
                yield Problem(self.module.path, what, "split the expression", line)
                continue
            except Exception as error:
                yield self._internal(f"{where} could not be analysed", error, line)
                continue
            hazards: list[tuple[Rule, Hazard]] = []
            for rule in rules:
                try:
                    hazards.extend((rule, hazard) for hazard in rule.check(function))
                except RecursionError:
                    what = f"{where} is nested too deeply for {rule.name}"
                    yield Problem(self.module.path, what, "split the expression", line)
                except Exception as error:
                    yield self._internal(f"{rule.name} failed on {where}", error, line)
            for rule, hazard in most_specific(hazards):
                finding = self._finding(function, rule, hazard)
                if finding is not None:
                    yield finding

    def _internal(self, what: str, error: Exception, line: int) -> Problem:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
        hint = "this is a defect of numlint: please report it with the function"
        return Problem(self.module.path, f"{what}: {type(error).__name__}: {error} ({place})", hint, line)

    def _body(self, definition: Definition | None) -> Body:
        if definition is None:
            return lower_module(self.analysis)
        body = self.bodies.get(definition)
        if body is None:
            outer = self._body(definition.parent).env if definition.parent is not None else None
            body = self.bodies[definition] = lower_function(self.analysis, definition, outer)
        return body

    def _finding(self, function: Function, rule: Rule, hazard: Hazard) -> Finding | None:
        span = function.span(hazard.site.node)
        key = (rule.name, span.line, span.column)
        if key in self.reported:
            return None
        self.reported.add(key)
        snippet = function.text(hazard.site.node)
        counted = (rule.name, function.name, " ".join(snippet.split()))
        occurrence = self.seen[counted] = self.seen.get(counted, -1) + 1
        steps = [function.step(value, hazard.site) for value in hazard.origin]
        return Finding(
            rule=rule.name,
            code=rule.code,
            path=self.module.path,
            span=span,
            function=function.name,
            message=hazard.message,
            confidence=hazard.confidence,
            severity=hazard.severity or rule.severity,
            signature=hazard.signature or rule.signature,
            framework=hazard.site.framework or function.framework,
            threshold=hazard.threshold,
            origin=tuple(step for step in steps if step is not None),
            rewrite=hazard.rewrite,
            fingerprint=fingerprint(rule.name, self.identity, function.name, snippet, occurrence),
        )
