"""Documentation pages, made from the rules: what `numlint explain` shows, as Markdown with links and diffs.

``python -m numlint.pages docs/rules README.md`` writes a page for each built-in rule and
their index into a folder, and the list of rules between the marks of a file. The pages
hold nothing that the rules do not say: a rule is changed, never its page. Beside the
folder, ``evidence.md`` is made from ``evidence.json``, which `numlint rules --prove
--output-format json` measured.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from numlint.finding import Finding, Safety, Severity
from numlint.linter import check_source
from numlint.rule import Example, Rule, load
from numlint.suppress import UNUSED

BEGIN, END = "<!-- rules: begin -->", "<!-- rules: end -->"
NOTICE = "<!-- Made from the rule by `python -m numlint.pages`; change the rule, not this page. -->"
INDEX = "README.md"
COMMENTS = "comments"
MEASURED, SHOWN = "evidence.json", "evidence.md"
FORMATS = ("float64", "float32", "float16", "bfloat16")
RANDOM = "non-determinism"
_ABBREVIATED = re.compile(r"\b(?:[A-Z]|ed|Anal|Numer|Math|Comput|Appl|Proc)\.$")


class Evidence(NamedTuple):
    """One kind of examples, under the heading that says what they show."""

    title: str
    examples: tuple[Example, ...]


def evidence(rule: Rule) -> Iterator[Evidence]:
    """Give the examples of a rule, by kind; kinds without any are left out."""
    yield from (
        kind
        for kind in (
            Evidence("Bad: found, and it fails", rule.bad),
            Evidence("Good: not found, and it holds", rule.good),
            Evidence("At the limit: looks bad, is not found, and holds", rule.limit),
        )
        if kind.examples
    )


def suppression(rule: Rule) -> str:
    """Give the comment that suppresses the findings of a rule on its line."""
    return f"# numlint: ignore[{rule.name}] reason"


def page(rule: Rule, folder: Path) -> str:
    """Write the page of a rule, as it stands in a folder."""
    findings = {example: _findings(rule, example.code) for example in rule.bad}
    blocks = [NOTICE, f"# {rule.name} ({rule.code})", _table(_facts(rule, findings, folder)), *_text(rule.page)]
    for title, examples in evidence(rule):
        blocks.append(f"## {title}")
        for example in examples:
            blocks += _example(example, findings.get(example, []))
    if rule.signature:
        blocks += [
            "## Suppress it",
            "On one line, with the reason; [for a region, a file or a path](../configuration.md#suppression-comments):",
            _fenced("python", f"...  {suppression(rule)}"),
        ]
    return "\n\n".join(blocks) + "\n"


def index(rules: Sequence[Rule]) -> str:
    """Write the index of the pages, by family."""
    blocks = [
        NOTICE,
        "# Rules",
        "What `numlint explain RULE` shows, one page for each rule. The examples are evidence: the bad ones fail when"
        "\nthey are run as shown, the others do not. Names and codes mean the same everywhere, and the beginning of a"
        "\ncode (`NL4`) means a family.",
        f"[What was measured](../{SHOWN}): the error before and after each rewrite, by floating-point format.",
    ]
    for family, members in _families(rules).items():
        rows = [("code", "rule", "what it finds", "fix")]
        rows += [
            (rule.code, f"[{rule.name}]({rule.name}.md)", _inline(rule.summary), _fix(rule).partition(",")[0])
            for rule in members
        ]
        blocks += [f"## {family}", _table(rows)]
    return "\n\n".join(blocks) + "\n"


def overview(rules: Sequence[Rule], folder: str) -> str:
    """Write the rules as a table with one row for each family, with links to their pages in `folder`."""
    rows = [("family", "rules")]
    for family, members in _families(rules).items():
        links = ", ".join(f"[{rule.name}]({folder}/{rule.name}.md)" for rule in members)
        rows.append((f"{members[0].code[:3]} {family}", links))
    return _table(rows)


def pages(rules: Sequence[Rule], folder: Path) -> dict[str, str]:
    """Write the pages of some rules and their index, for a folder of the checkout: name of the file, text."""
    return {INDEX: index(rules), **{f"{rule.name}.md": page(rule, folder) for rule in rules}}


def measured(rules: Sequence[Rule], record: Sequence[Mapping[str, Any]], folder: str) -> str:
    """Write the page of what was measured, with links to the pages of the rules in `folder`.

    Parameters
    ----------
    rules : sequence of Rule
    record : sequence of mapping
        What ``numlint rules --prove --output-format json`` writes.
    folder : str
    """
    proofs = {entry["rule"]: entry["proofs"] for entry in record}
    errors: list[tuple[str, ...]] = [("rule", "call", *FORMATS, "fails")]
    others: list[tuple[str, ...]] = [("rule", "fails by", "before", "after")]
    failures: list[tuple[str, ...]] = [("rule", "fails by", "measured", "examples run")]
    for rule in sorted(rules, key=lambda item: item.code):
        own = proofs.get(rule.name, [])
        link = f"[{rule.name}]({folder}/{rule.name}.md)"
        shown = next((proof for proof in own if proof["kind"] == "bad" and proof.get("figure")), None)
        if shown is not None:
            run = sum(proof["status"] != "skipped" for proof in own)
            failures.append((link, shown["signature"], shown["figure"], str(run)))
        rewrites = [proof for proof in own if proof["kind"] == "fixed"]
        rows = [proof for proof in rewrites if proof.get("errors")]
        for proof in rows:
            example = rule.bad[proof["number"] - 1]
            cells = [_before_and_after(proof["errors"].get(form)) for form in FORMATS]
            errors.append((link, _code(example.call), *cells, _threshold(rule, example)))
            link = ""
        if rewrites and not rows and shown is not None:
            before = shown["figure"]
            after = "two processes agree" if shown["signature"] == RANDOM else "does not"
            others.append((link, shown["signature"], before, after))
    blocks = [
        "<!-- Made from evidence.json by `python -m numlint.pages`; measure again rather than change this page. -->",
        "# Evidence",
        "The examples in the rules are run, and this is what was measured. `numlint rules --prove` repeats it, and CI"
        "\nruns it for every rule; [Writing a rule](writing-a-rule.md#evidence) says what is asked of an example.",
        "## Before and after the rewrite",
        "The error of the bad example and of its rewrite, on the same input rounded to the format: relative, against"
        "\nexact arithmetic, or against torch in float64 for torch. Of the ill-conditioned (NL402, NL403) it is how far"
        "\none rounding error in the input moves the result. `nan`, `inf` and `raises` say how it fails; `finite` that"
        "\nnothing is known of the true value but that it is a number, which the rewrite gives. A dash: the format"
        "\ncannot hold the input, or the library has no such function. *at* is the largest magnitude of the input"
        "\nwhere the format cannot hold that of the call, and it was scaled into its range. Not every rewrite helps in"
        "\nevery format: float16 does not hold an epsilon of 1e-12.",
        _table(errors),
        "## Rewrites that change more than a number",
        _table(others),
        "## What the bad examples show",
        "The first of each rule, on its confirming input.",
        _table(failures),
    ]
    return "\n\n".join(blocks) + "\n"


def _threshold(rule: Rule, example: Example) -> str:
    found = next((item.threshold for item in _findings(rule, example.code) if item.threshold), "")
    return _inline(found)


def _code(call: str) -> str:
    text = " ".join(call.split())
    return f"`{text}`" if text else ""


def _before_and_after(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "–"
    at = f" *at {row['at']:.3g}*" if "at" in row else ""
    return f"{_size(row['before'])} → {_size(row['after'])}{at}"


def _size(error: float | str) -> str:
    """An error in two digits: ``1.2e-7``."""
    if isinstance(error, str):
        return error
    return "0" if error == 0 else f"{error:.2g}" if error >= 0.01 else re.sub(r"e-0", "e-", f"{error:.1e}")


def with_overview(text: str, file: Path, rules: Sequence[Rule], folder: Path) -> str:
    """Renew what stands between the marks in the text of a file of the checkout.

    Raises
    ------
    ValueError
        When the marks are not there.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{file}: has no line {BEGIN!r} with a line {END!r} below it")
    link = os.path.relpath(folder, file.parent).replace(os.sep, "/")
    return f"{before}{begin}\n{overview(rules, link)}\n{end}{after}"


def builtin() -> tuple[Rule, ...]:
    """Load the rules that have pages."""
    return (UNUSED, *load())


def main(arguments: Sequence[str]) -> int:
    """Write the pages into the folder that is named first, and the overview into the files that follow."""
    if not arguments or arguments[0].startswith("-"):
        print("usage, from the root of the checkout: python -m numlint.pages FOLDER [FILE ...]", file=sys.stderr)
        return 2
    folder, *files = map(Path, arguments)
    rules = builtin()
    texts = pages(rules, folder)
    folder.mkdir(parents=True, exist_ok=True)
    for stale in set(folder.glob("*.md")) - {folder / name for name in texts}:
        stale.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    record = folder.parent / MEASURED
    if record.exists():
        text = measured(rules, json.loads(record.read_text(encoding="utf-8")), folder.name)
        (folder.parent / SHOWN).write_text(text, encoding="utf-8")
    for file in files:
        file.write_text(with_overview(file.read_text(encoding="utf-8"), file, rules, folder), encoding="utf-8")
    return 0


def _families(rules: Iterable[Rule]) -> dict[str, list[Rule]]:
    families: dict[str, list[Rule]] = {}
    for rule in rules:
        families.setdefault(rule.family or COMMENTS, []).append(rule)
    # The rule about comments comes first by its code, and last by what it is for.
    comments = {COMMENTS: families.pop(COMMENTS)} if COMMENTS in families else {}
    return families | comments


def _findings(rule: Rule, code: str) -> list[Finding]:
    return check_source(code.encode(), "example.py", [rule])[0]


def _facts(rule: Rule, findings: Mapping[Example, Sequence[Finding]], folder: Path) -> list[tuple[str, str]]:
    """What is known of a rule at a glance, below an empty head."""
    found = [finding for group in findings.values() for finding in group]
    confidences = sorted({finding.confidence for finding in found}, reverse=True)
    severities = dict.fromkeys([rule.severity.value, *sorted({finding.severity.value for finding in found})])
    rows = [("", ""), ("family", f"[{rule.family or COMMENTS}]({INDEX}#{_anchor(rule.family or COMMENTS)})")]
    rows.append(("severity", ", ".join(severities)))
    if rule.signature:
        rows.append(("fails by", rule.signature))
    if confidences:
        rows.append(("confidence", ", ".join(confidence.label for confidence in confidences)))
    rows.append(("fix", _fix(rule)))
    # The folder `rules` of the checkout is installed as `numlint.rules`.
    module = re.sub(r"^numlint\.(?=rules\.)", "", rule.module).replace(".", "/") + ".py"
    rows.append(("defined in", f"[{module}]({os.path.relpath(module, folder).replace(os.sep, '/')})"))
    return rows


def _fix(rule: Rule) -> str:
    """Whether the examples of a rule are repaired by `--fix`, by `--unsafe-fixes`, or by hand."""
    found = [finding for example in rule.bad for finding in _findings(rule, example.code)]
    safeties = {item.rewrite.safety for item in found if item.rewrite is not None and item.rewrite.edits}
    if not rule.signature:
        return "`--fix`"
    names = {Safety.SAFE: "`--fix`", Safety.UNSAFE: "`--unsafe-fixes`"}
    offered = [names[safety] for safety in names if safety in safeties]
    shown = any(item.rewrite is None or not item.rewrite.edits for item in found)
    return " or ".join(offered) + (", else by hand" if shown else "") if offered else "by hand"


def _text(text: str) -> Iterator[str]:
    """The docstring as blocks of Markdown: its headings are underlined, its references one to a paragraph."""
    for block in re.split(r"\n{2,}", text.strip()):
        heading, _, rest = block.partition("\n")
        underline, _, body = rest.partition("\n")
        if not (underline and set(underline) == {"-"}):
            yield _paragraph(block)
            continue
        yield f"## {heading}"
        if heading == "References":
            yield "\n".join(f"- {_inline(entry)}" for entry in _entries(body))
        elif body:
            yield _paragraph(body)


def _entries(text: str) -> list[str]:
    """References, which follow each other without a mark: one ends with a full stop at the end of a line."""
    entries: list[str] = []
    open_ = False
    for line in text.splitlines():
        if open_:
            entries[-1] += f" {line.strip()}"
        else:
            entries.append(line.strip())
        open_ = not line.endswith(".") or _ABBREVIATED.search(line) is not None
    return entries


def _paragraph(text: str) -> str:
    lines = _inline(text).split("\n")
    # A sign or a number that the wrapping brought to the front of a line begins no list and no quotation.
    return "\n".join([lines[0], *(re.sub(r"^(\s*)([>#+]|\d+(?=[.)]\s))", r"\1\\\2", line) for line in lines[1:])])


def _inline(text: str) -> str:
    """Text whose mathematics is no markup: outside of code, stars and angle brackets stand for themselves."""
    parts = re.split(r"(``.+?``|`[^`]+`)", text, flags=re.DOTALL)
    return "".join(part if index % 2 else re.sub(r"([*<])", r"\\\1", part) for index, part in enumerate(parts))


def _example(example: Example, findings: Sequence[Finding]) -> Iterator[str]:
    yield _fenced("python", example.code)
    outcome = "Holds"
    if findings:
        warns = all(finding.severity is Severity.NOTE for finding in findings)
        outcome = "Warns" if warns else "Fails"
    note = f": {_inline(example.note).rstrip('.')}." if example.note else "."
    if example.call:
        needs = f" (with {example.requires})" if example.requires else ""
        yield f"{outcome} when it is run as `{' '.join(example.call.split())}`{needs}{note}"
    elif example.note:
        yield outcome + note
    for finding in findings:
        yield _said(finding)
    if example.fixed:
        yield _fenced("diff", _diff(example.code, example.fixed))


def _said(finding: Finding) -> str:
    """What is reported, as a quotation."""
    lines = [f"line {finding.span.line}: {finding.severity.value}, {finding.confidence.label}: {finding.message}"]
    if finding.threshold:
        lines.append(f"threshold: {finding.threshold}")
    if finding.rewrite is not None:
        how = {Safety.SAFE: "with `--fix`", Safety.UNSAFE: "with `--unsafe-fixes`", Safety.DISPLAY: "by hand"}
        lines.append(f"cure, {how[finding.rewrite.safety]}: {finding.rewrite.summary}")
        if finding.rewrite.safety is Safety.UNSAFE and finding.rewrite.reason:
            lines[-1] += f" (unsafe: {finding.rewrite.reason})"
    return "\n>\n".join(f"> {_inline(line)}" for line in lines)


def _diff(before: str, after: str) -> str:
    """All lines, with what is removed and added; no line numbers, since an example is short."""
    old, new = before.splitlines(), after.splitlines()
    lines = list(difflib.unified_diff(old, new, n=max(len(old), len(new)), lineterm=""))
    return "\n".join(line.rstrip() for line in lines[3:])


def _fenced(language: str, code: str) -> str:
    return f"```{language}\n{code.rstrip()}\n```"


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    cells = [tuple(re.sub(r"(?<!\\)\|", r"\\|", cell) for cell in row) for row in rows]
    head, *body = (f"| {' | '.join(row)} |" for row in cells)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


def _anchor(heading: str) -> str:
    """The anchor that a heading has on a page."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
