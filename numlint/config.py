"""Configuration: `[tool.numlint]` in pyproject.toml, or numlint.toml.

The nearest file wins, looked for from the common folder of the checked paths
upwards; files are not merged. Paths and patterns in it are relative to its folder.
A mistake in it is an error with the file, the line and what was probably meant.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NoReturn

from numlint import patterns
from numlint.finding import Confidence
from numlint.rule import Rule
from numlint.selection import Layer, PathSettings, UnknownSelector, resolve

FILES = ("numlint.toml", "pyproject.toml")
DEFAULT_EXCLUDE = (
    ".bzr", ".direnv", ".eggs", ".git", ".hg", ".ipynb_checkpoints", ".mypy_cache", ".nox", ".pytest_cache",
    ".ruff_cache", ".svn", ".tox", ".venv", "__pycache__", "__pypackages__", "_build", "build", "dist",
    "node_modules", "site-packages", "venv",
)  # fmt: skip


class ConfigError(Exception):
    """A configuration that cannot be used: where, what, and what was probably meant."""

    def __init__(self, message: str, path: str = "", line: int = 0) -> None:
        where = f"{path}:{line}: " if path and line else f"{path}: " if path else ""
        super().__init__(where + message)
        self.path = path
        self.line = line


@dataclass(frozen=True)
class ConfirmSettings:
    """The settings of ``numlint confirm``: those of the command line, where they are not given there.

    Attributes
    ----------
    python : str
        The interpreter that runs the code; empty for that of the project.
    seconds : float
        For each finding.
    jobs : int
        Findings at a time; 0 for one for each processor.
    seed : int
    perturbation_packs : tuple of str
        Packages with further perturbations, importable by that interpreter.
    inputs : str
        File that declares inputs of functions.
    """

    python: str = ""
    seconds: float = 10.0
    jobs: int = 0
    seed: int = 0
    perturbation_packs: tuple[str, ...] = ()
    inputs: str = ""


@dataclass(frozen=True)
class Config:
    """The settings of a run.

    Attributes
    ----------
    root : str
        The folder that paths and patterns are relative to: that of the file, or the current one.
    file : str
        Where the settings come from; empty for the defaults.
    layer : Layer
        Rules to select, add and ignore.
    min_confidence : Confidence
        Findings below it are not shown.
    per_path : tuple of PathSettings
    exclude, extend_exclude : tuple of str
        Files and folders to pass over while walking.
    respect_gitignore : bool
    rule_packs : tuple of str
        Packages with further rules, importable from `root` or installed.
    src : tuple of str
        Folders that the project's own modules are imported from.
    confirm : ConfirmSettings
    """

    root: str = "."
    file: str = ""
    layer: Layer = field(default_factory=Layer)
    min_confidence: Confidence = Confidence.LIKELY
    per_path: tuple[PathSettings, ...] = ()
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    extend_exclude: tuple[str, ...] = ()
    respect_gitignore: bool = True
    rule_packs: tuple[str, ...] = ()
    src: tuple[str, ...] = ("src", ".")
    confirm: ConfirmSettings = field(default_factory=ConfirmSettings)

    def relative(self, path: str) -> str:
        """Give a path as the patterns of the configuration see it."""
        return os.path.relpath(path, self.root).replace(os.sep, "/")

    def check_rules(self, rules: Sequence[Rule]) -> None:
        """Verify that every selector names a rule; apart from `load`, since packs are loaded later.

        Raises
        ------
        ConfigError
        """
        tables = [(self.layer, ())] + [(settings.layer, ("per-path", settings.pattern)) for settings in self.per_path]
        for layer, table in tables:
            for selector in layer.selectors:
                try:
                    resolve(selector, rules)
                except UnknownSelector as error:
                    raise ConfigError(str(error), self.file, _line_of(self.file, table, quoted=selector)) from None


def find(paths: Iterable[str]) -> str:
    """Give the configuration file that holds for some paths; nothing when there is none."""
    folders = [path if os.path.isdir(path) else os.path.dirname(path) for path in map(os.path.abspath, paths)]
    try:
        folder = os.path.commonpath(folders)
    except ValueError:  # none, or on different drives
        folder = os.getcwd()
    while True:
        for name in FILES:
            file = os.path.join(folder, name)
            if os.path.isfile(file) and (name == FILES[0] or _table(file) is not None):
                return os.path.relpath(file) if file.startswith(os.getcwd() + os.sep) else file
        parent = os.path.dirname(folder)
        if parent == folder:
            return ""
        folder = parent


def load(file: str) -> Config:
    """Read a configuration file.

    Parameters
    ----------
    file : str
        A pyproject.toml, or a file of the form of numlint.toml. Empty for the defaults.

    Raises
    ------
    ConfigError
    """
    if not file:
        return Config(root=os.getcwd())
    table = _table(file)
    if table is None:
        raise ConfigError("has no [tool.numlint] section", file)
    return _Reader(file).config(table)


def parse_toml(text: str) -> dict[str, Any]:
    """Parse TOML; a mistake in it is a `ValueError`."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(text)


def _table(file: str) -> Mapping[str, Any] | None:
    """Read the settings of a file; None when it is a pyproject.toml without any."""
    try:
        with open(file, "rb") as stream:
            content = stream.read()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file) from None
    pyproject = os.path.basename(file) == "pyproject.toml"
    # Most projects do not configure numlint: they need no TOML parser.
    if pyproject and b"numlint" not in content:
        return None
    try:
        document = parse_toml(content.decode())
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError("not UTF-8, which TOML requires", file, line) from None
    except ValueError as error:
        at = re.search(r"\s*\(at line (\d+), column \d+\)|\s*\(at end of document\)", str(error))
        message = str(error)[: at.start()] if at else str(error)
        line = int(at[1]) if at and at[1] else content.count(b"\n") + 1
        raise ConfigError(f"not TOML: {message[0].lower()}{message[1:]}", file, line) from None
    if not pyproject:
        return document
    tool = document.get("tool")
    table = tool.get("numlint") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError("tool.numlint must be a table", file)
    return table


class _Reader:
    """Turns tables into settings, and knows where to point when it cannot."""

    def __init__(self, file: str) -> None:
        self.file = file

    def config(self, table: Mapping[str, Any]) -> Config:
        if "tool" in table and os.path.basename(self.file) != "pyproject.toml":
            message = "[tool.numlint] belongs in pyproject.toml; in this file the settings stand at the top, without it"
            raise ConfigError(message, self.file, _line_of(self.file, ("tool", "numlint")))
        layer, values = self.read(table, CONFIG_KEYS, ())
        per_path = values.pop("per_path", ())
        root = os.path.dirname(os.path.abspath(self.file))
        return Config(root=root, file=self.file, layer=layer, per_path=per_path, **values)

    def read(self, table: Mapping[str, Any], keys: Mapping[str, Kind], within: tuple[str, ...]) -> tuple[Layer, Any]:
        values = {}
        for key, value in table.items():
            if key not in keys:
                self.unknown(key, keys, within)
            values[key.replace("-", "_")] = keys[key](self, value, (*within, key))
        layer = Layer(**{field.name: values.pop(field.name) for field in fields(Layer) if field.name in values})
        return layer, values

    def unknown(self, key: str, keys: Mapping[str, Kind], within: tuple[str, ...]) -> NoReturn:
        import difflib

        close = difflib.get_close_matches(key.lower().replace("_", "-"), keys, n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}?" if close else f"the keys are {', '.join(keys)}"
        self.fail(f"unknown key {key!r}; {hint}", (*within, key))

    def fail(self, message: str, at: tuple[str, ...], quoted: str = "") -> NoReturn:
        raise ConfigError(message, self.file, _line_of(self.file, at[:-1], at[-1], quoted))

    def strings(self, value: Any, at: tuple[str, ...]) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            example = f"; write {at[-1]} = [{_quote(value)}]" if isinstance(value, str) else ""
            self.fail(f"{at[-1]!r} must be a list of strings{example}", at)
        return tuple(value)

    def globs(self, value: Any, at: tuple[str, ...]) -> tuple[str, ...]:
        for item in self.strings(value, at):
            if wrong := patterns.check(item):
                self.fail(f"{at[-1]!r} holds {item!r}, {wrong}", at, quoted=item)
        return tuple(value)

    def boolean(self, value: Any, at: tuple[str, ...]) -> bool:
        if not isinstance(value, bool):
            self.fail(f"{at[-1]!r} must be true or false", at)
        return value

    def string(self, value: Any, at: tuple[str, ...]) -> str:
        if not isinstance(value, str):
            self.fail(f"{at[-1]!r} must be a string", at)
        return value

    def path(self, value: Any, at: tuple[str, ...]) -> str:
        """A path relative to the file; a bare name, such as that of a program, stays one."""
        text = self.string(value, at)
        return os.path.join(os.path.dirname(os.path.abspath(self.file)), text) if os.path.dirname(text) else text

    def file_beside(self, value: Any, at: tuple[str, ...]) -> str:
        return os.path.join(os.path.dirname(os.path.abspath(self.file)), self.string(value, at))

    def whole(self, value: Any, at: tuple[str, ...]) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            self.fail(f"{at[-1]!r} must be a whole number that is not negative", at)
        return value

    def positive(self, value: Any, at: tuple[str, ...]) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < float("inf"):
            self.fail(f"{at[-1]!r} must be a positive number", at)
        return float(value)

    def confirmation(self, value: Any, at: tuple[str, ...]) -> ConfirmSettings:
        if not isinstance(value, dict):
            self.fail(f"{at[-1]!r} must be a table", at)
        return ConfirmSettings(**self.read(value, CONFIRM_KEYS, at)[1])

    def confidence(self, value: Any, at: tuple[str, ...]) -> Confidence:
        labels = {confidence.label: confidence for confidence in Confidence}
        if not isinstance(value, str) or value not in labels:
            self.fail(f"{at[-1]!r} must be one of {', '.join(map(_quote, labels))}, not {value!r}", at)
        return labels[value]

    def paths(self, value: Any, at: tuple[str, ...]) -> tuple[PathSettings, ...]:
        if not isinstance(value, dict) or not all(isinstance(table, dict) for table in value.values()):
            self.fail(f'{at[-1]!r} must hold a table for each pattern, such as [tool.numlint.per-path."tests/**"]', at)
        settings = []
        for pattern, table in value.items():
            if wrong := patterns.check(pattern):
                self.fail(f"{pattern!r} is {wrong}", (*at, pattern))
            layer, values = self.read(table, PATH_KEYS, (*at, pattern))
            settings.append(PathSettings(pattern, layer, values.get("min_confidence")))
        return tuple(settings)


Kind = Callable[[_Reader, Any, tuple[str, ...]], Any]
PATH_KEYS: Mapping[str, Kind] = {
    "select": _Reader.strings,
    "extend-select": _Reader.strings,
    "ignore": _Reader.strings,
    "min-confidence": _Reader.confidence,
}
CONFIRM_KEYS: Mapping[str, Kind] = {
    "python": _Reader.path,
    "seconds": _Reader.positive,
    "jobs": _Reader.whole,
    "seed": _Reader.whole,
    "perturbation-packs": _Reader.strings,
    "inputs": _Reader.file_beside,
}
CONFIG_KEYS: Mapping[str, Kind] = {
    **PATH_KEYS,
    "exclude": _Reader.globs,
    "extend-exclude": _Reader.globs,
    "respect-gitignore": _Reader.boolean,
    "rule-packs": _Reader.strings,
    "src": _Reader.strings,
    "per-path": _Reader.paths,
    "confirm": _Reader.confirmation,
}


def _quote(text: str) -> str:
    return f'"{text}"'


def _line_of(file: str, table: Sequence[str], key: str = "", quoted: str = "") -> int:
    """Find the line of a key, of a string, or of the header of a table; 0 when it is spelt in another way.

    TOML parsers give no positions. The headers are parsed one by one, so that any
    quoting of a pattern is understood.
    """
    with open(file, encoding="utf-8") as stream:
        lines = stream.read().splitlines()
    prefix = ("tool", "numlint") if os.path.basename(file) == "pyproject.toml" and table[:1] != ("tool",) else ()
    goal = (*prefix, *table)
    wanted = re.compile(rf"\s*([\"']?){re.escape(key)}\1\s*[=.]") if key else None
    current: tuple[str, ...] = ()
    header = 0
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("["):
            try:
                current = _chain(parse_toml(line))
            except ValueError:  # the line of an array
                pass
            else:
                if current[: len(goal) + 1] == (*goal, key):
                    return number
                header = header or number * (current[: len(goal)] == goal)
        if current == goal:
            if wanted and wanted.match(line):
                wanted, header = None, number
            if not wanted and (not quoted or _quote(quoted) in line or f"'{quoted}'" in line):
                return number
    return header


def _chain(document: Any) -> tuple[str, ...]:
    names = []
    while isinstance(document, dict) and document:
        name, document = next(iter(document.items()))
        names.append(name)
    return tuple(names)
