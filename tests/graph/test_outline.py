"""Thinning a file changes nothing that is found, and no line number."""

from __future__ import annotations

import ast
import random
from pathlib import Path

import pytest

from numlint import linter
from numlint.graph.outline import Outline, code_of, words_of
from numlint.rule import load

ROOT = Path(__file__).resolve().parents[2]
DEEP = "".join(f"        step_{number} = {number}\n" for number in range(40))
SOURCE = f"""\
import numpy as np

def used(x):
{DEEP.replace("        ", "    ")}
    return x - np.max(x)

def unused(
    x,
    y,
) -> int:
{DEEP.replace("        ", "    ")}
    return 1

class Model:
    def __init__(self):
{DEEP}
        self.scale = 2

    def fit(self, X):
        self.weights = X.T
{DEEP}

    def idle(self):
{DEEP}
        return 2

    def predict(self, X):
        return np.exp(used(X @ self.weights))
"""


def thinned(source: str) -> bytes:
    outline = Outline(source.encode())
    suspects = [number for number, region in enumerate(outline.regions) if b"exp" in region.words]
    return outline.thinned(outline.needed(suspects))


def names_kept(source: str) -> set[str]:
    text = thinned(source)
    tree = ast.parse(text)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {node.name for node in functions if not (len(node.body) == 1 and isinstance(node.body[0], ast.Pass))}


def test_only_what_the_suspect_needs_is_kept() -> None:
    assert names_kept(SOURCE) == {"used", "__init__", "fit", "predict"}


def test_comments_and_strings_hold_no_words() -> None:
    code = code_of(b"x = \"exp\" # log\n'''sqrt\n\"tan\"'''\ny = r\"\\\" + sin(x)\n")
    assert words_of(code) == {b"x", b"y", b"r", b"sin"}


def test_every_line_keeps_its_number() -> None:
    text = thinned(SOURCE).decode()
    assert text != SOURCE
    assert text.count("\n") == SOURCE.count("\n")
    for number, line in enumerate(SOURCE.splitlines()):
        assert text.splitlines()[number] in (
            line,
            "",
            line[: len(line) - len(line.lstrip())] + "pass",
            "     pass",
            " pass",
        )


@pytest.mark.parametrize("folder", ["fixtures", "rules", "numlint"])
def test_findings_are_those_of_the_whole_text(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = load()
    files = sorted((ROOT / folder).rglob("*.py"))
    files = random.Random(0).sample(files, min(len(files), 25))

    def findings() -> list[object]:
        return [linter.check_source(file.read_bytes(), str(file), rules) for file in files]

    thinned = findings()
    monkeypatch.setattr(Outline, "thinned", lambda outline, kept: outline.source)
    assert findings() == thinned
