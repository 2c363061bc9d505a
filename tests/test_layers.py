"""The import direction, what `numlint check` must not import, and the names of the rules."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from numlint.rule import FAMILIES, load

# A module imports from its own row and from those above it.
LAYERS = (
    {"finding", "source", "patterns", "gitignore", "evidence"},
    {"graph"},
    {"facts"},
    {"function"},
    {"rule"},
    {"suspect"},
    {"linter"},
    {"selection", "config", "packs", "suppress", "discover", "pool", "run", "fix"},
    {"confirm"},
    {"lab"},
    {"report", "pages"},
    {"cli", "__main__", "stopping"},
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
RUNTIME_API = {"target", "verdict", "protocol", "formats", "lab"}
"""What the host shares with the code that runs elsewhere: plain data."""
LAB_API = {"answers", "configuration", "record"}
PUBLIC = {("numlint/__init__.py", "trace"), ("numlint/stopping.py", "lab")}
"""What runs in a user's own process, and the package offers."""
RULE_API = {"rule", "function", "graph", "facts", "finding"}


def imported(file: Path, package: str) -> Iterator[tuple[int, str]]:
    """The dotted names that a file imports, those for type checking alone included, with their lines."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base]).rstrip(".")
            # `from numlint import graph` imports a module, `from numlint import __version__` does not.
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def dotted(file: Path, folder: Path, package: str) -> str:
    """The package that a file's relative imports start from."""
    return ".".join([package, *file.relative_to(folder).parent.parts])


def own(root: Path, folder: str, package: str) -> Iterator[tuple[Path, int, str]]:
    """Every import of numlint's own modules below a folder: file, line, first name below `numlint`."""
    for file in sorted((root / folder).rglob("*.py")):
        for line, name in imported(file, dotted(file, root / folder, package)):
            parts = name.split(".")
            if parts[0] == "numlint" and len(parts) > 1 and (parts[1] in RANK or parts[1] in ("rules", "runtime")):
                yield file, line, parts[1]


def test_every_module_has_a_layer(root: Path) -> None:
    modules = {
        path.stem for path in (root / "numlint").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert modules - {"__init__"} - RANK.keys() == set(), "give the new module a place in LAYERS"


def test_the_host_imports_upwards_only(root: Path) -> None:
    wrong = []
    for file, line, target in own(root, "numlint", "numlint"):
        source = file.relative_to(root / "numlint").parts[0].removesuffix(".py")
        if source == "__init__" or (target == "runtime" and RANK[source] >= RANK["confirm"]):
            continue
        if RANK.get(target, len(LAYERS)) > RANK[source]:
            wrong.append(f"{file.relative_to(root)}:{line}: {source} imports {target}")
    assert wrong == []


def test_the_host_shares_plain_data_with_the_runtime_and_nothing_else(root: Path) -> None:
    uses = {
        (str(file.relative_to(root)), line, name.split(".")[2])
        for file in sorted((root / "numlint").rglob("*.py"))
        for line, name in imported(file, dotted(file, root / "numlint", "numlint"))
        if name.startswith("numlint.runtime.")
    }
    assert uses
    assert [use for use in sorted(uses) if use[2] not in RUNTIME_API and use[::2] not in PUBLIC] == []
    training = {
        name.split(".")[3]
        for file in sorted((root / "numlint").rglob("*.py"))
        for _, name in imported(file, dotted(file, root / "numlint", "numlint"))
        if name.startswith("numlint.runtime.lab.") and file.name != "stopping.py"
    }
    assert training == LAB_API


def test_rules_use_the_rule_interface_only(root: Path) -> None:
    uses = list(own(root, "rules", "numlint.rules"))
    wrong = [
        f"{file.relative_to(root)}:{line}: {name}" for file, line, name in uses if name not in RULE_API | {"rules"}
    ]
    assert uses
    assert wrong == []


def test_the_runtime_imports_nothing_of_the_host(root: Path) -> None:
    assert [
        (str(file), line) for file, line, name in own(root, "runtime", "numlint.runtime") if name != "runtime"
    ] == []


SUSPICIOUS = """\
import numpy as np


def probabilities(z):
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)
"""


@pytest.mark.parametrize("source", ["print('nothing numeric')\n", SUSPICIOUS], ids=["clean", "suspicious"])
def test_check_imports_nothing_heavy(source: str, tmp_path: Path) -> None:
    """Imports of numpy (0.14 s), scipy, torch and libcst (0.33 s) would be most of what a check takes."""
    (tmp_path / "subject.py").write_text(source)
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "numlint", "check", "-j", "1", "subject.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == (1 if source is SUSPICIOUS else 0), done.stderr
    modules = {line.rsplit("|", 1)[1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "numlint.cli" in modules
    assert {name.split(".")[0] for name in modules} & {"numpy", "scipy", "torch", "libcst", "pandas", "jax"} == set()
    assert [name for name in modules if name.startswith(("numlint.lab", "numlint.confirm", "distributed"))] == []


def test_names_and_codes_are_unique_and_well_formed() -> None:
    rules = load()
    assert len(rules) > 0
    assert len({rule.name for rule in rules}) == len({rule.code for rule in rules}) == len(rules)
    assert [rule.name for rule in rules if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name)] == []
    assert [
        rule.code for rule in rules if not re.fullmatch(r"NL[1-9]\d\d", rule.code) or rule.code[:3] not in FAMILIES
    ] == []


def test_each_module_of_the_pack_that_has_a_check_is_loaded(root: Path) -> None:
    """A rule that misses its code is a mistake, not a helper."""
    checks = {
        file.relative_to(root / "rules").with_suffix("").as_posix().replace("/", ".")
        for file in (root / "rules").rglob("*.py")
        if any(isinstance(node, ast.FunctionDef) and node.name == "check" for node in ast.parse(file.read_bytes()).body)
    }
    assert {rule.module.removeprefix("numlint.rules.") for rule in load()} == checks
