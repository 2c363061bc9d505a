"""Applies rewrites to source text, and shows what would change.

Edits replace text by position, so that everything outside of them is kept character by
character. Only the imports they need are added through libcst, which knows about
docstrings, ``__future__`` imports and imports that can be extended. A rewrite is applied
as a whole or not at all. Where the regions of two of them overlap, each taken from its
first edit to its last, the first in source order is applied, and the other waits until
the result has been checked again: what it was written for may be gone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from numlint.finding import Finding, Safety
from numlint.fix.fit import Fitted, Fitter, parsed
from numlint.fix.names import Import

__all__ = ["Fitted", "Fitter", "Import", "diff", "fix_text"]


def fix_text(text: str, findings: Sequence[Finding], *, unsafe: bool) -> tuple[str, list[Finding]]:
    """Apply the rewrites of findings to the text that they were found in.

    Parameters
    ----------
    text : str
        The decoded file, with its own line ends, and its byte order mark if it has one.
    findings : sequence of Finding
        Of this file. Those without a rewrite are passed over.
    unsafe : bool
        Apply rewrites that may change shape, dtype or semantics, too.

    Returns
    -------
    text : str
        The new text. It always parses as Python if `text` did.
    applied : list of Finding
        The findings whose rewrites it contains, in source order.
    """
    fitter = Fitter(text)
    chosen: list[tuple[Finding, Fitted]] = []
    end = (0, 0)
    for finding in sorted(findings, key=_first_edit):
        if finding.rewrite is None or not _allowed(finding.rewrite.safety, unsafe):
            continue
        fitted = fitter.fit(finding.rewrite)
        if fitted.obstacle:
            continue
        first, last = fitted.edits[0].span, fitted.edits[-1].span
        if (first.line, first.column) <= end:
            continue
        end = (last.end_line, last.end_column)
        fitter.adopt(fitted)
        chosen.append((finding, fitted))
    if not chosen:
        return text, []
    result = _applied(fitter, [fitted for _, fitted in chosen])
    if result is None:
        return fix_text(text, _sound(text, [finding for finding, _ in chosen]), unsafe=unsafe)
    return fitter.source.bom + result, [finding for finding, _ in chosen]


def diff(path: str, before: str, after: str) -> str:
    """A unified diff of two versions of a file, for ``patch -p0``; empty when they are equal."""
    import difflib

    old, new = _kept_lines(before), _kept_lines(after)
    # Without its heuristic for frequent lines, which makes blank lines at the end of a hunk differ from themselves.
    hunks = list(difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes())
    lines = [f"--- {path}\n", f"+++ {path}\n"] if hunks else []
    for hunk in hunks:
        (_, old_start, _, new_start, _), (_, _, old_stop, _, new_stop) = hunk[0], hunk[-1]
        lines.append(f"@@ -{_extent(old_start, old_stop)} +{_extent(new_start, new_stop)} @@\n")
        for tag, first, last, new_first, new_last in hunk:
            if tag == "equal":
                lines += [f" {line}" for line in old[first:last]]
            else:
                lines += [f"-{line}" for line in old[first:last]]
                lines += [f"+{line}" for line in new[new_first:new_last]]
    return "".join(line if line.endswith(("\n", "\r")) else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _extent(start: int, stop: int) -> str:
    """A range of lines as a hunk's header has it: an empty one is named by the line before it."""
    length = stop - start
    return f"{start + 1}" if length == 1 else f"{start + bool(length)},{length}"


def _first_edit(finding: Finding) -> tuple[int, int]:
    edits = finding.rewrite.edits if finding.rewrite else ()
    return min(((edit.span.line, edit.span.column) for edit in edits), default=(0, 0))


def _allowed(safety: Safety, unsafe: bool) -> bool:
    return safety is Safety.SAFE or (unsafe and safety is Safety.UNSAFE)


def _applied(fitter: Fitter, fits: Sequence[Fitted]) -> str | None:
    """The text with rewrites applied, or None when that is no Python any more."""
    together = Fitted(
        tuple(edit for fitted in fits for edit in fitted.edits),
        tuple(dict.fromkeys(needed for fitted in fits for needed in fitted.imports)),
    )
    result = fitter.source.replaced(together.edits)
    if together.imports:
        result = _with_imports(result, together.imports) or fitter.source.replaced(fitter.complete(together))
    return None if parsed(result) is None else result


def _sound(text: str, findings: Sequence[Finding]) -> list[Finding]:
    """Fewer of `findings`, after their rewrites together gave no Python: those that give some, each on its own."""
    sound = []
    for finding in findings:
        fitter = Fitter(text)
        if finding.rewrite is not None and _applied(fitter, [fitter.fit(finding.rewrite)]) is not None:
            sound.append(finding)
    return sound if len(sound) < len(findings) else sound[:1]


def _with_imports(text: str, imports: Sequence[Import]) -> str | None:
    """`text` with imports added, or None when libcst does not give back every character of it."""
    # A third of a second to import, and needed only for fixes that bring an import.
    import libcst
    from libcst.codemod import CodemodContext
    from libcst.codemod.visitors import AddImportsVisitor

    context = CodemodContext()
    for needed in imports:
        AddImportsVisitor.add_needed_import(context, needed.module, needed.name or None)
    try:
        module = libcst.parse_module(text)
        return AddImportsVisitor(context).transform_module(module).code if module.code == text else None
    except (libcst.ParserSyntaxError, RecursionError):
        return None


def _kept_lines(text: str) -> list[str]:
    """The lines of `text` with their ends, as Python and patch see them."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", text)
