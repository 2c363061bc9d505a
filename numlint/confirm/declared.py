"""Inputs that a user declares in a file: found and checked here, evaluated only where the code runs.

```toml
[[inputs]]
function = "pkg.model:Model.predict"
self = "Model(k=3)"
X = "np.random.default_rng(0).normal(size=(20, 3))"
p = { value = "np.full(20, 0.5)", role = "probability" }
table = { file = "table.npz", key = "train" }
temperature = 2.0
```

A text is an expression, a table may add what the input stands for (`role`, `low`,
`high`). The interpreter of the project may be too old to read TOML: it is given JSON.
"""

from __future__ import annotations

import ast
import difflib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from numlint.config import parse_toml
from numlint.runtime.target import KINDS

NAME = "numlint-inputs.toml"
KEYS = ("value", "file", "key", "role", "low", "high")
FUNCTION = re.compile(r"(?:(?P<module>[\w.]+):|(?P<path>[^:]+\.py)::)?(?P<qualname>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)")


class DeclarationError(Exception):
    """A mistake in a file of inputs: the file, the place, and what was probably meant."""


@dataclass(frozen=True)
class Declarations:
    """The inputs declared in a file.

    Attributes
    ----------
    file : str
    entries : tuple of mapping
        One for each ``[[inputs]]``.
    """

    file: str
    entries: tuple[Mapping[str, Any], ...]

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions that inputs are declared for, as the file names them."""
        return tuple(str(entry["function"]) for entry in self.entries)

    def to_json(self) -> str:
        """The form that the runtime reads."""
        folder = os.path.dirname(os.path.abspath(self.file))
        return json.dumps({"inputs": [{**entry, "folder": folder} for entry in self.entries]})


def find(paths: Iterable[str]) -> str:
    """Give the nearest file of inputs, from the common folder of some paths upwards; empty when there is none."""
    folders = [path if os.path.isdir(path) else os.path.dirname(path) for path in map(os.path.abspath, paths)]
    try:
        folder = os.path.commonpath(folders)
    except ValueError:  # none, or on different drives
        folder = os.getcwd()
    while True:
        file = os.path.join(folder, NAME)
        if os.path.isfile(file):
            return file
        parent = os.path.dirname(folder)
        if parent == folder or any(os.path.exists(os.path.join(folder, end)) for end in ("pyproject.toml", ".git")):
            return ""
        folder = parent


def load(file: str) -> Declarations:
    """Read a file of inputs, TOML or JSON, and check it.

    Raises
    ------
    DeclarationError
    """
    try:
        with open(file, encoding="utf-8") as stream:
            text = stream.read()
    except (OSError, UnicodeDecodeError) as error:
        raise DeclarationError(f"{file}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    kind = "JSON" if file.endswith(".json") else "TOML"
    try:
        document = json.loads(text) if kind == "JSON" else parse_toml(text)
    except ValueError as error:
        raise DeclarationError(f"{file}: not {kind}: {error}") from None
    entries = document.get("inputs") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise DeclarationError(f"{file}: declare inputs as tables [[inputs]], with `function` and its arguments")
    for key in document:
        if key != "inputs":
            raise DeclarationError(f"{file}: unknown key {key!r}; {_meant(key, ('inputs',))}")
    for number, entry in enumerate(entries, 1):
        _check(entry, f"{file}: inputs {number}", os.path.dirname(os.path.abspath(file)))
    return Declarations(file, tuple(entries))


def prepared(file: str, folder: str) -> str:
    """Write the checked inputs of a file as JSON into `folder`, and give the path that a target carries.

    Raises
    ------
    DeclarationError
    """
    declarations = load(file)
    path = os.path.join(os.path.abspath(folder), "inputs.json")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(declarations.to_json())
    return path


def _check(entry: Mapping[str, Any], where: str, folder: str) -> None:
    name = entry.get("function")
    if not isinstance(name, str):
        close = difflib.get_close_matches("function", entry, n=1)
        hint = f"; {close[0]!r} should be 'function'" if close else ""
        raise DeclarationError(f"{where}: no 'function', such as \"pkg.module:Class.method\"{hint}")
    if not FUNCTION.fullmatch(name):
        raise DeclarationError(f'{where}: function = {name!r} is no "pkg.module:Class.method" or "path.py::function"')
    for key, item in entry.items():
        if key == "function":
            continue
        at = f"{where} ({name}): {key}"
        if isinstance(item, Mapping):
            _check_table(item, at, folder)
        else:
            _check_value(item, at, folder)


def _check_table(item: Mapping[str, Any], at: str, folder: str) -> None:
    for key in item:
        if key not in KEYS:
            raise DeclarationError(f"{at}: unknown key {key!r}; {_meant(key, KEYS)}")
    if ("value" in item) == ("file" in item):
        raise DeclarationError(f"{at}: needs either 'value' or 'file'")
    if "role" in item and item["role"] not in KINDS:
        raise DeclarationError(f"{at}: unknown role {item['role']!r}; {_meant(str(item['role']), KINDS)}")
    for key in ("low", "high"):
        if key in item and (isinstance(item[key], bool) or not isinstance(item[key], int | float)):
            raise DeclarationError(f"{at}: {key!r} must be a number, not {item[key]!r}")
    if "file" in item:
        _check_file(item["file"], at, folder)
    else:
        _check_value(item["value"], at, folder)


def _check_value(item: Any, at: str, folder: str) -> None:
    if isinstance(item, str):
        if item.endswith((".npy", ".npz")):
            _check_file(item, at, folder)
            return
        try:
            ast.parse(item.strip(), mode="eval")
        except SyntaxError as error:
            raise DeclarationError(
                f"{at} = {item!r} is no Python expression: {error.msg}; a text needs quotes of its own, as \"'relu'\""
            ) from None
    elif not isinstance(item, bool | int | float | list):
        raise DeclarationError(f"{at} must be an expression, a number, a list or a table, not {item!r}")


def _check_file(item: Any, at: str, folder: str) -> None:
    if not isinstance(item, str) or not item.endswith((".npy", ".npz")):
        raise DeclarationError(f"{at}: {item!r} is no .npy or .npz file")
    if not os.path.isfile(os.path.join(folder, item)):
        raise DeclarationError(f"{at}: there is no file {os.path.join(folder, item)}")


def _meant(key: str, known: Iterable[str]) -> str:
    known = tuple(known)
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"
