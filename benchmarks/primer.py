"""What numlint says about real packages: the findings on pinned releases, kept so that a change shows as a diff.

Run from the root of the checkout, with numlint installed: ``python -m benchmarks.primer``.
See README.md in this folder.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.packages import Package, cache, chosen, unpack

KEPT = Path(__file__).with_name("primer.json")
CONFIDENCES = ("certain", "likely", "possible")
SHOWN = ("certain", "likely")
"""What a user sees without asking for more."""


class Row(NamedTuple):
    """A finding as it is kept."""

    path: str
    line: int
    rule: str
    confidence: str
    fingerprint: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.rule} [{self.confidence}]"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the primer; 1 when ``--diff`` finds a change."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.primer", description=__doc__)
    parser.add_argument("packages", nargs="*", help="packages to run on (default: all)")
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", help="keep the downloads there (default: a temporary folder)"
    )
    parser.add_argument("--diff", action="store_true", help="show what changed against primer.json, and write nothing")
    options = parser.parse_args(arguments)

    kept: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    found: dict[str, Any] = {}
    with cache(options.cache) as folder:
        for release in chosen(options.packages):
            package = unpack(release, folder)
            found[release.name] = examine(package)
            print(summary(release.name, found[release.name]), flush=True)
    if options.diff:
        changes = [line for name in found for line in compare(name, kept.get(name, {}), found[name])]
        print("\n".join(changes) if changes else "no change")
        return 1 if changes else 0
    KEPT.write_text(layout({**kept, **found}))
    return 0


def examine(package: Package) -> dict[str, Any]:
    """Findings of `numlint check` on a package, at every confidence, without any configuration."""
    top = sorted({file.partition("/")[0] for file in package.files})
    command = [sys.executable, "-m", "numlint", "check", "--isolated", "--exit-zero", "--min-confidence", "possible"]
    done = subprocess.run([*command, "--output-format", "json", *top], cwd=package.root, capture_output=True, text=True)
    if not done.stdout:
        sys.exit(f"{package.release.requirement}: numlint failed with {done.returncode}\n{done.stderr}")
    document = json.loads(done.stdout)
    if document["summary"]["files"] != len(package.files):
        sys.exit(f"{package.release.requirement}: {document['summary']['files']} of {len(package.files)} files checked")
    rows = sorted(Row(*(item[key] for key in Row._fields)) for item in document["findings"])
    rules: dict[str, dict[str, int]] = {}
    for (rule, confidence), count in sorted(Counter((row.rule, row.confidence) for row in rows).items()):
        rules.setdefault(rule, dict.fromkeys(CONFIDENCES, 0))[confidence] = count
    shown = sum(row.confidence in SHOWN for row in rows)
    return {
        "version": package.release.version,
        "sha256": package.sha256,
        "files": len(package.files),
        "lines": package.lines,
        "problems": [f"{item['path']}:{item['line']} {item['message']}" for item in document["problems"]],
        "findings_per_1000_lines": {
            "likely or certain": round(1000 * shown / package.lines, 3),
            "all": round(1000 * len(rows) / package.lines, 3),
        },
        "rules": rules,
        "findings": [list(row) for row in rows],
    }


def summary(name: str, result: Mapping[str, Any]) -> str:
    """One line about a package."""
    counts = Counter(row[3] for row in result["findings"])
    by_confidence = ", ".join(f"{counts[confidence]} {confidence}" for confidence in CONFIDENCES)
    density = result["findings_per_1000_lines"]["likely or certain"]
    return (
        f"{name} {result['version']}: {result['files']} files, {result['lines']} lines, {by_confidence}; "
        f"{density} likely or certain per 1,000 lines; {len(result['problems'])} problems"
    )


def compare(name: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What changed between two results of a package, one line for each finding."""
    for key in ("version", "sha256"):
        if before.get(key) != now[key]:
            yield f"  {name}: {key} {before.get(key)} -> {now[key]}"
    yield from (f"! {problem}" for problem in now["problems"] if problem not in before.get("problems", ()))
    old = {row.fingerprint: row for row in (Row(*item) for item in before.get("findings", ()))}
    new = {row.fingerprint: row for row in (Row(*item) for item in now["findings"])}
    for row in sorted({**old, **new}.values()):
        was, now_is = old.get(row.fingerprint), new.get(row.fingerprint)
        if was is None:
            yield f"+ {now_is}"
        elif now_is is None:
            yield f"- {was}"
        elif was.confidence != now_is.confidence:
            yield f"~ {now_is}, was [{was.confidence}]"
        elif was.line != now_is.line:
            yield f"~ {now_is}, was at line {was.line}"


def layout(results: Mapping[str, Any]) -> str:
    """JSON with one line for each finding and each rule, so that a change is a change of its own line."""
    packages = []
    for name in sorted(results):
        entries = []
        for key, value in results[name].items():
            if key == "rules":
                rows = [f"   {json.dumps(rule)}: {json.dumps(counts)}" for rule, counts in value.items()]
                entries.append(_block(key, "{}", rows))
            elif isinstance(value, list):
                entries.append(_block(key, "[]", [f"   {json.dumps(row)}" for row in value]))
            else:
                entries.append(f"  {json.dumps(key)}: {json.dumps(value)}")
        packages.append(f" {json.dumps(name)}: {{\n" + ",\n".join(entries) + "\n }")
    return "{\n" + ",\n".join(packages) + "\n}\n"


def _block(key: str, brackets: str, rows: Sequence[str]) -> str:
    inner = "\n" + ",\n".join(rows) + "\n  " if rows else ""
    return f"  {json.dumps(key)}: {brackets[0]}{inner}{brackets[1]}"


if __name__ == "__main__":
    sys.exit(main())
